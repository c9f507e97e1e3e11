use std::io;

use thingprint_instance::EvidenceSet;

/// Why training, evaluating or loading a model failed; each message follows on from "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is nothing to learn from.
    #[error("no instance has a label: extract instances with a label file")]
    NoLabels,
    /// A classifier needs at least two classes.
    #[error("all labelled instances have the class '{class}': label devices of at least two classes")]
    OneClass {
        /// The only class.
        class: String,
    },
    /// More classes than a class number can count.
    #[error("{count} classes are too many: at most {most} are supported")]
    TooManyClasses {
        /// Classes found.
        count: usize,
        /// Classes allowed.
        most: usize,
    },
    /// More training instances than the forest's counters hold.
    #[error("{count} training instances are too many: at most {most} are supported")]
    TooManyInstances {
        /// Labelled instances found.
        count: usize,
        /// Instances allowed.
        most: usize,
    },
    /// One class name stands for two kinds of device.
    #[error(
        "class '{class}' is iot on some instances and non-iot on others: give it one kind in the label file"
    )]
    KindConflict {
        /// The class.
        class: String,
    },
    /// A class has two families.
    #[error(
        "class '{class}' has the families '{}' and '{}': give it one family in the label file",
        families[0],
        families[1]
    )]
    FamilyConflict {
        /// The class.
        class: String,
        /// Two families that labels give it.
        families: [String; 2],
    },
    /// Models do not have the trees of one forest.
    #[error(
        "join models: {0}; give those of all trees, in their order, that were trained on the same instances"
    )]
    Unjoinable(&'static str),
    /// An option lies outside its range.
    #[error("unsupported {option} '{value}': {expected}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The value given.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The two parts of a split cannot both have instances.
    #[error(
        "the split '{split}' leaves no instance to {part}: choose another split, or label more instances"
    )]
    EmptyPart {
        /// The split.
        split: String,
        /// `train` or `test`.
        part: &'static str,
    },
    /// Nothing to evaluate.
    #[error("no instance has a label: evaluation needs labelled instances")]
    NothingToEvaluate,
    /// A class that the model does not know.
    #[error("unknown class '{class}': the model was not trained on it")]
    UnknownClass {
        /// The class asked for.
        class: String,
    },
    /// A table for the forest with inconsistent columns.
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
    #[error(
        "the model was trained with {option} = {trained}, but these instances have {option} = {given}: extract them in the same way"
    )]
    Misfit {
        /// The extraction option.
        option: String,
        /// Its value when the model was trained.
        trained: String,
        /// Its value now.
        given: String,
    },
    /// Instances lack bags that the classifier looks at.
    #[error("the classifier looks at evidence that these instances lack: {missing}; extract them with it")]
    MissingEvidence {
        /// The bags.
        missing: EvidenceSet,
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
    #[error("failed to write the model")]
    Write(#[source] io::Error),
    /// A model that would be refused when read.
    #[error("the model has {size} bytes, but at most {most} can be read")]
    TooLarge {
        /// Size of the model.
        size: u64,
        /// Most that is read.
        most: u64,
    },
    /// A model whose parts cannot be encoded.
    #[error("failed to encode the model")]
    Encode(#[source] postcard::Error),
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Reading stopped.
    #[error("unreadable: {0}")]
    Read(io::Error),
    /// Some other kind of file.
    #[error("not a thingprint model")]
    Foreign,
    /// Written by an earlier or a later version.
    #[error(
        "unsupported format version {found}: this program reads versions 2 to {supported}; {}",
        if found < supported { "train the model again" } else { "use the program that wrote it, or a later one" }
    )]
    Version {
        /// Version in the file.
        found: u16,
        /// The version that can be read.
        supported: u16,
    },
    /// The model looks at evidence that this version does not know.
    #[error("looks at evidence that this program does not know: {name}")]
    UnknownEvidence {
        /// Name of the evidence.
        name: String,
    },
    /// The file ends early.
    #[error("truncated: {found} of {expected} bytes")]
    Cut {
        /// Bytes found.
        found: u64,
        /// Bytes promised.
        expected: u64,
    },
    /// The file continues after its end.
    #[error("unexpected bytes after the end of the model")]
    Trailing,
    /// A size beyond every sensible model.
    #[error("too large: {claimed} bytes, at most {most} are supported")]
    TooLarge {
        /// Size claimed.
        claimed: u64,
        /// Most that is read.
        most: u64,
    },
    /// The checksum does not match.
    #[error("damaged: the checksum does not match")]
    Checksum,
    /// The body does not decode.
    #[error("damaged: {0}")]
    Decode(String),
    /// The body decodes, but its parts do not fit together.
    #[error("damaged: {0}")]
    Inconsistent(&'static str),
}
