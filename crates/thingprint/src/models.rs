//! Model files.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use thingprint_model::{FileFault, Model, ModelError};
use thingprint_report::AtomicFile;

use crate::exit::Misfit;
use crate::terminal;

/// Reads a model. A file that is there but is no usable model does not fit: exit status 5.
pub(crate) fn read_model(path: &Path) -> anyhow::Result<Model> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("failed to read model {name}"))?;
    model_of(BufReader::new(file), &name)
}

/// Reads a model; errors give its name.
pub(crate) fn model_of(source: impl io::Read, name: &str) -> anyhow::Result<Model> {
    Model::read_from(source, name).map_err(|error| match error {
        ModelError::File { name, fault: FileFault::Read(source) } => {
            anyhow::Error::from(source).context(format!("failed to read model {name}"))
        }
        ModelError::File { .. } => Misfit(format!("failed to read model {error}")).into(),
        other => anyhow::Error::from(other).context(format!("failed to read model {name}")),
    })
}

/// Writes a model: a whole one, or none; `-` is standard output.
pub(crate) fn write_model(model: &Model, path: &Path) -> anyhow::Result<()> {
    let context = || format!("failed to write model {}", path.display());
    if path == Path::new("-") {
        let mut out = terminal::bytes().with_context(context)?;
        model.write_to(&mut out).with_context(context)?;
        return out.flush().with_context(context);
    }
    let mut file = AtomicFile::create(path).with_context(context)?;
    model.write_to(&mut file).with_context(context)?;
    file.commit().with_context(context)
}
