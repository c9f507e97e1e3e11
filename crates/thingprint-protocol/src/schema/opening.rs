use serde::{Deserialize, Serialize};

/// How the opening of a connection is read, behind which another protocol begins on the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// Text, in lines or elements, up to a record of TLS: STARTTLS of SMTP, IMAP, POP3, XMPP and others, AUTH TLS of FTP.
    Text,
    /// Messages of LDAP up to a record of TLS.
    Ldap,
    /// The greeting of `MySQL` and the request for TLS.
    Mysql,
    /// The request of `PostgreSQL` for encryption, and its answer.
    Postgresql,
    /// The header of the PROXY protocol, version 1 or 2.
    Proxy,
    /// SOCKS 4, 4a or 5 up to the granted connection.
    Socks,
    /// Packets of the ISO transport service (TPKT) up to a record of TLS, as in the Remote Desktop Protocol.
    Tpkt,
}
