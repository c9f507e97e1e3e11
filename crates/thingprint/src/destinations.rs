//! Files that a command is to write, checked before it reads anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Context;
use thingprint_report::{FileId, Transaction};

use crate::exit::Usage;
use crate::inputs::Input;

/// Options whose files have one form, with what it is and the extensions for it, the usual one first.
const FORMS: [(&str, &str, &[&str]); 4] = [
    ("--html", "a page of HTML", &["html", "htm"]),
    ("--cipher-plot", "a picture as SVG", &["svg"]),
    ("--figure", "a picture as SVG", &["svg"]),
    ("--sarif", "a log of SARIF", &["sarif", "json"]),
];

/// Files with the options that name them.
#[derive(Debug)]
pub(crate) struct Destinations<'a> {
    results: &'a Transaction,
    files: Vec<(&'static str, &'a Path)>,
    /// Files that are read, so that no result may take their place.
    read: BTreeSet<Identity>,
    /// A file that is read and may be replaced by the result of one option.
    renewed: Option<(&'static str, Identity)>,
}

/// The same for every way to name a file, also one that is not there yet, in a folder that is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    File(FileId),
    /// What a folder does not have.
    Beyond(Box<Identity>, OsString),
    Unknown(PathBuf),
}

impl<'a> Destinations<'a> {
    /// Places of results of a command.
    pub(crate) const fn of(results: &'a Transaction) -> Self {
        Self { results, files: Vec::new(), read: BTreeSet::new(), renewed: None }
    }

    /// Adds a file, where one is asked for. What is there and is no file, such as a pipe, may take several results, and
    /// opening it would be seen on its other side.
    pub(crate) fn add(&mut self, option: &'static str, path: Option<&'a Path>) -> &mut Self {
        let is_special =
            |path: &&Path| path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
        self.files.extend(path.filter(|path| !is_special(path)).map(|path| (option, path)));
        self
    }

    /// Notes a file that is read, or a folder of which the files are.
    pub(crate) fn read(&mut self, path: Option<&Path>) -> &mut Self {
        if let Some(path) = path {
            self.read.insert(Identity::of(path));
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            self.read.extend(entries.map(|entry| Identity::of(&entry.path())));
        }
        self
    }

    /// Notes inputs, standard input among them.
    pub(crate) fn read_inputs(&mut self, inputs: &[Input]) -> &mut Self {
        self.read.extend(inputs.iter().filter_map(Input::file_id).map(Identity::File));
        self
    }

    /// Notes a file that is read and that the result of an option may replace.
    pub(crate) fn renews(&mut self, option: &'static str, path: Option<&Path>) -> &mut Self {
        self.renewed = path.map(|path| (option, Identity::of(path)));
        self
    }

    /// Refuses a result in the place of something that is read.
    pub(crate) fn check_replaced(&self, option: &str, path: &Path) -> Result<(), Usage> {
        let place = Identity::of(path);
        let is_renewed = self.renewed.as_ref().is_some_and(|(by, file)| *by != option && *file == place);
        if is_renewed || self.read.contains(&place) {
            let name = path.display();
            return Err(Usage(format!(
                "{option}: the result would replace an input: {name}; choose another file"
            )));
        }
        Ok(())
    }

    /// Refuses two results in one file, one in the place of what is read, and a file that could not be written. A folder that
    /// a command fills with `*.json` comes with its option.
    pub(crate) fn check(&self, folder: Option<(&'static str, &Path)>) -> anyhow::Result<()> {
        self.check_names(folder)?;
        if let Some((option, folder)) = folder {
            let context = || format!("failed to write {option}");
            self.results.make_folder(folder).with_context(context)?;
            self.results.folder(folder).map(drop).with_context(context)?;
        }
        self.files.iter().try_for_each(|(option, path)| {
            // Begins the file, and takes it away.
            self.results.file(path).map(drop).with_context(|| format!("failed to write {option}"))
        })
    }

    /// The same without a look at whether files could be written; creates nothing.
    pub(crate) fn check_names(&self, folder: Option<(&'static str, &Path)>) -> Result<(), Usage> {
        let mut seen: BTreeMap<Identity, &str> = BTreeMap::new();
        for (option, path) in &self.files {
            let name = path.display();
            self.check_replaced(option, path)?;
            if let Some(other) = seen.insert(Identity::of(path), option) {
                return Err(Usage(format!(
                    "{other} and {option} name the same file: {name}; choose two files"
                )));
            }
            let within = folder.filter(|(_, folder)| is_json_in(path, folder));
            if let Some((other, _)) = within {
                return Err(Usage(format!(
                    "{option}: {name} is in the folder of {other}, which writes such files; choose another folder"
                )));
            }
            check_extension(option, path)?;
        }
        Ok(())
    }
}

/// Refuses a name that says a file has another form than it will have. A name without an extension says nothing.
fn check_extension(option: &str, path: &Path) -> Result<(), Usage> {
    let Some((_, form, extensions)) = FORMS.iter().find(|(known, ..)| *known == option) else {
        return Ok(());
    };
    let Some(extension) = path.extension() else { return Ok(()) };
    if extensions.iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let right = extensions.first().map(|usual| path.with_extension(usual)).unwrap_or_default();
    Err(Usage(format!("{option}: {} would be {form}: name it {}", path.display(), right.display())))
}

/// Links to nowhere that are followed at most, as by Linux (`path_resolution(7)`).
const MOST_LINKS: u8 = 40;

impl Identity {
    fn of(path: &Path) -> Self {
        Self::over_links(path, MOST_LINKS)
    }

    fn over_links(path: &Path, most: u8) -> Self {
        if let Some(id) = FileId::of(path) {
            return Self::File(id);
        }
        // A link that leads nowhere is what it leads to.
        if let Ok(target) = std::fs::read_link(path) {
            let target = folder_of(path).join(target);
            return most
                .checked_sub(1)
                .map_or(Self::Unknown(path.to_owned()), |most| Self::over_links(&target, most));
        }
        match path.file_name() {
            Some(name) => Self::Beyond(Box::new(Self::over_links(folder_of(path), most)), name.to_owned()),
            None => Self::Unknown(path.to_owned()),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_json_in(path: &Path, folder: &Path) -> bool {
    path.extension() == Some(OsStr::new("json")) && Identity::of(folder_of(path)) == Identity::of(folder)
}
