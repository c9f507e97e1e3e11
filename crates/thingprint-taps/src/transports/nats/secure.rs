//! TLS and signatures, with the cryptography of ring.

use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use thingprint_endpoint::tls_client;

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
    let roots = options.tls_ca.as_deref().map(|path| ("--tls-ca", path));
    let identity = options.tls_identity.as_ref();
    let identity = identity.map(|(certificate, key)| (("--tls-cert", &**certificate), ("--tls-key", &**key)));
    tls_client(roots, identity)
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
