//! Model files.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, bail};
use thingprint_model::{FileFault, Model, ModelError};
use thingprint_report::Transaction;

use crate::exit::Misfit;
use crate::inputs::kind_in_brackets;
use crate::opened::open;
use crate::standard_output::{StandardOutput, is_standard_output};

/// The first bytes of every model.
const MODEL_BYTES: &[u8] = b"\x89TPM";

/// Reads a model. A file that is there but is no usable model does not fit: exit status 5.
pub(crate) fn read_model(path: &Path) -> anyhow::Result<Model> {
    let name = path.display().to_string();
    let mut file = BufReader::new(open(path).with_context(|| format!("failed to read model {name}"))?);
    if file.fill_buf().is_ok_and(<[u8]>::is_empty) {
        bail!("failed to read model {name}: the file is empty");
    }
    let kind = if file.buffer().starts_with(MODEL_BYTES) { String::new() } else { kind_in_brackets(path) };
    model_of(file, &format!("{name}{kind}"))
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

/// Writes a model; `-` is standard output.
pub(crate) fn write_model(model: &Model, path: &Path, results: &Transaction) -> anyhow::Result<()> {
    let context = || format!("failed to write model {}", path.display());
    if is_standard_output(path) {
        let mut out = StandardOutput::bytes(results).with_context(context)?;
        model.write_to(&mut out).with_context(context)?;
        return out.flush().with_context(context);
    }
    let mut file = results.file(path).with_context(context)?;
    model.write_to(&mut file).with_context(context)?;
    file.finish().with_context(context)
}
