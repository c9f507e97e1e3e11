use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::destination::{Destination, explained};
use super::temporary::Temporary;
use super::{Finished, Transaction};
use crate::error::ReportError;
use crate::file_id::FileId;

/// A file that is written beside its place.
///
/// It appears with the [commit](Transaction::commit) after it was [finished](Self::finish); dropped before, it leaves no
/// trace.
#[derive(Debug)]
pub struct StagedFile {
    transaction: Transaction,
    /// As the caller named it.
    path: PathBuf,
    sink: BufWriter<Sink>,
}

#[derive(Debug)]
enum Sink {
    /// Put into its place in the end.
    Beside(Temporary),
    /// Written in place.
    Direct(File),
}

impl StagedFile {
    pub(super) fn create(transaction: &Transaction, path: &Path) -> Result<Self, ReportError> {
        let failed = |source| ReportError::Output { path: path.to_owned(), source };
        let place = Destination::of_file(path).map_err(failed)?;
        transaction.check(path, &place)?;
        let sink = open(transaction, path, place).map_err(failed)?;
        Ok(Self { transaction: transaction.clone(), path: path.to_owned(), sink: BufWriter::new(sink) })
    }

    /// Ends the file, whose bytes reach the disk; it gets its place with the next commit.
    pub fn finish(self) -> Result<(), ReportError> {
        let Self { transaction, path, sink } = self;
        let end = || match sink.into_inner().map_err(io::IntoInnerError::into_error)? {
            Sink::Beside(temporary) => {
                temporary.open().sync_all()?;
                transaction.journal().finished.push(Finished::File(temporary));
                Ok(())
            }
            Sink::Direct(mut file) => file.flush(),
        };
        end().map_err(|source| ReportError::Output { path, source })
    }

    /// The file as the caller named it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside(temporary) => temporary.open().write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(temporary) => temporary.open().flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

impl Transaction {
    /// Refuses a place that has a result already, or a file that is read.
    fn check(&self, path: &Path, place: &Destination) -> Result<(), ReportError> {
        let is_regular = place.existing.as_ref().is_none_or(std::fs::Metadata::is_file);
        let journal = self.journal();
        if is_regular && journal.targets.contains(&place.path) {
            return Err(ReportError::SameResult { path: path.to_owned() });
        }
        let id = FileId::of(&place.path);
        if is_regular && id.is_some_and(|id| journal.inputs.contains(&id)) {
            return Err(ReportError::ReplacesInput { path: path.to_owned() });
        }
        Ok(())
    }
}

fn open(transaction: &Transaction, path: &Path, place: Destination) -> io::Result<Sink> {
    let permissions = match &place.existing {
        Some(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Some(there) if there.is_file() => Some(there.permissions()),
        Some(_) => return File::options().write(true).open(path).map(Sink::Direct),
        None => None,
    };
    let folder = place.staging_folder().to_owned();
    let temporary = Temporary::file(transaction, path, place).map_err(|error| explained(&folder, error))?;
    if let Some(permissions) = permissions {
        temporary.open().set_permissions(permissions)?;
    }
    Ok(Sink::Beside(temporary))
}
