//! TLS and signatures, with the cryptography of ring.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::wire::Wire;
use crate::transports::TransportOptions;

/// Signs what a server wants to be signed, as base64.
pub(super) fn sign(seed: &[u8; 32], nonce: &str) -> Result<String, String> {
    let key = Ed25519KeyPair::from_seed_unchecked(seed);
    let key = key.map_err(|error| format!("the key of --credentials cannot be used: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(key.sign(nonce.as_bytes())))
}

/// How TLS is spoken by these options.
pub(super) fn config(options: &TransportOptions) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    match &options.tls_ca {
        Some(path) => {
            for certificate in certificates("--tls-ca", path)? {
                let added = roots.add(certificate);
                added.map_err(|error| format!("--tls-ca {}: {error}", path.display()))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let builder = builder.with_root_certificates(roots);
    let config = match &options.tls_identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates("--tls-cert", certificate)?;
            let shown = key.display();
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("failed to read --tls-key {shown}: {error}"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("--tls-cert and --tls-key do not fit: {error}"))?
        }
    };
    Ok(Arc::new(config))
}

/// Speaks TLS over a connection from now on.
pub(super) fn handshake(
    config: &Arc<ClientConfig>,
    mut stream: TcpStream,
    host: &str,
) -> Result<Wire, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let mut connection =
        ClientConnection::new(Arc::clone(config), name).map_err(|error| error.to_string())?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| format!("TLS failed: {error}"))?;
    }
    Ok(Wire::Secure(Box::new(StreamOwned::new(connection, stream))))
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error: String| format!("failed to read {option} {}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() { Err(unreadable("it has no certificate".to_owned())) } else { Ok(found) }
}
