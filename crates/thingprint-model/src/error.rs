use std::io;

/// Why training, evaluating or loading a model failed; each message follows on from "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is nothing to learn from.
    #[error("no instance carries a label: training needs labelled instances")]
    NoLabels,
    /// A classifier needs something to tell apart.
    #[error("every labelled instance is of class '{class}': training needs at least two classes")]
    OneClass {
        /// The only class.
        class: String,
    },
    /// More classes than a class number can count.
    #[error("{count} classes are too many: at most {most} can be told apart")]
    TooManyClasses {
        /// Classes found.
        count: usize,
        /// Classes allowed.
        most: usize,
    },
    /// More training instances than the forest's counters hold.
    #[error("{count} training instances are too many: at most {most} can be learned from")]
    TooManyInstances {
        /// Labelled instances found.
        count: usize,
        /// Instances allowed.
        most: usize,
    },
    /// One class name stands for two kinds of device.
    #[error("class '{class}' is labelled iot on some instances and non-iot on others")]
    KindConflict {
        /// The class.
        class: String,
    },
    /// An option lies outside its range.
    #[error("option {option} = {value}: {expected}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The value given.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The two parts of a split cannot both have instances.
    #[error("the split '{split}' leaves no instance to {part}")]
    EmptyPart {
        /// The split.
        split: String,
        /// `train` or `test`.
        part: &'static str,
    },
    /// Nothing to evaluate.
    #[error("there is no labelled instance to evaluate")]
    NothingToEvaluate,
    /// A class that the model does not know.
    #[error("the model knows no class '{class}'")]
    UnknownClass {
        /// The class asked for.
        class: String,
    },
    /// A table for the forest whose columns do not go together.
    #[error("a table of training rows is inconsistent: {reason}")]
    Table {
        /// What does not fit.
        reason: &'static str,
    },
    /// A foreign estimator refused the data.
    #[error("the back end {backend} failed: {reason}")]
    Backend {
        /// `linfa` or `smartcore`.
        backend: &'static str,
        /// Its own words.
        reason: String,
    },
    /// Data were extracted in another way than the model's training data.
    #[error("the model was trained with {option} = {trained}, but these instances have {option} = {given}")]
    Misfit {
        /// The extraction option.
        option: String,
        /// Its value when the model was trained.
        trained: String,
        /// Its value now.
        given: String,
    },
    /// A model file that cannot be used.
    #[error("{name}: {fault}")]
    File {
        /// Name of the file.
        name: String,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// A model that cannot be written.
    #[error("the model cannot be written")]
    Write(#[source] io::Error),
    /// A model that would be refused when read.
    #[error("the model takes {size} bytes, and at most {most} are read again")]
    TooLarge {
        /// Size of the model.
        size: u64,
        /// Most that is read.
        most: u64,
    },
    /// A model whose parts cannot be encoded.
    #[error("the model cannot be encoded")]
    Encode(#[source] postcard::Error),
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Reading stopped.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// Some other kind of file.
    #[error("is no thingprint model")]
    Foreign,
    /// Written by a later version.
    #[error("has format version {found}, and this program reads up to {supported}")]
    Version {
        /// Version in the file.
        found: u16,
        /// Newest version that can be read.
        supported: u16,
    },
    /// The file ends early.
    #[error("is cut short: {found} bytes where {expected} were promised")]
    Cut {
        /// Bytes found.
        found: u64,
        /// Bytes promised.
        expected: u64,
    },
    /// The file goes on after its end.
    #[error("goes on after its end")]
    Trailing,
    /// A size beyond every sensible model.
    #[error("claims {claimed} bytes, and at most {most} are read")]
    TooLarge {
        /// Size claimed.
        claimed: u64,
        /// Most that is read.
        most: u64,
    },
    /// The checksum does not match.
    #[error("is damaged: its checksum does not match")]
    Checksum,
    /// The body does not decode.
    #[error("is damaged: {0}")]
    Decode(String),
    /// The body decodes, but its parts do not fit together.
    #[error("is damaged: {0}")]
    Inconsistent(&'static str),
}
