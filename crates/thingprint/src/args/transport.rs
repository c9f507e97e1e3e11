use std::path::PathBuf;

use clap::Args;
use thingprint_taps::{TransportOptions, TransportSpec};

use crate::exit::Usage;

/// How a server between taps and a collector is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Taps")]
pub(crate) struct TransportArgs {
    /// A file with the credentials that a server of parts asks for: a .creds file, or a line with a token or user:password
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    /// Certificates (PEM) that a server of parts is checked against, in place of those of the system
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// The certificate (PEM) by which a server of parts knows this end
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The key (PEM) of --tls-cert
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TransportArgs {
    /// What they say.
    pub(crate) fn options(&self) -> TransportOptions {
        TransportOptions {
            credentials: self.credentials.clone(),
            pieces: PathBuf::new(),
            shelf: None,
            tls_ca: self.tls_ca.clone(),
            tls_identity: self.tls_cert.clone().zip(self.tls_key.clone()),
        }
    }

    /// Files that are read once.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files = [&self.credentials, &self.tls_ca, &self.tls_cert, &self.tls_key];
        files.into_iter().flatten().cloned().collect()
    }
}

/// Reads the text of an option that names a transport.
pub(crate) fn transport_of(option: &str, text: &str) -> Result<TransportSpec, Usage> {
    TransportSpec::parse(text).map_err(|error| Usage(format!("{option}: failed to {error}")))
}
