use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// A file, and the option that names it, as messages show it.
pub type OptionFile<'a> = (&'a str, &'a Path);

/// How a client speaks TLS: who it trusts, and who it is. Cryptography is that of ring; certificates and names of servers are always
/// checked.
///
/// Certificates (PEM) that a server is checked against are in the file `roots`; without one they are those of Mozilla, as they were when
/// the program was built. `identity` has the certificate by which this end is known, and its key.
///
/// # Errors
///
/// The option, the file and what is wrong with it.
pub fn tls_client(
    roots: Option<OptionFile<'_>>,
    identity: Option<(OptionFile<'_>, OptionFile<'_>)>,
) -> Result<Arc<ClientConfig>, String> {
    let mut trusted = RootCertStore::empty();
    match roots {
        Some(file) => {
            for certificate in certificates(file)? {
                let added = trusted.add(certificate);
                added.map_err(|error| format!("{} {}: {error}", file.0, file.1.display()))?;
            }
        }
        None => trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let builder = builder.with_root_certificates(trusted);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, (option, path))) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(path)
                .map_err(|error| format!("failed to read {option} {}: {error}", path.display()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("{} and {option} do not fit: {error}", certificate.0))?
        }
    };
    Ok(Arc::new(config))
}

fn certificates((option, path): OptionFile<'_>) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error: String| format!("failed to read {option} {}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() { Err(unreadable("it has no certificate".to_owned())) } else { Ok(found) }
}
