//! Results without the names of devices and people.

mod address;
mod key;
mod text;

use std::path::Path;

use anyhow::Context;
use thingprint_flow::MacAddr;
use thingprint_table::Table;

use self::address::{mac, reverse_name};

/// Replaces what names devices and people by pseudonyms: the same for the same key, so that results of one key fit together,
/// and no way back without it.
#[derive(Clone)]
pub(crate) struct Pseudonyms {
    key: [u8; 32],
}

/// What is hashed together with a name, so that no two kinds share pseudonyms.
#[derive(Clone, Copy, Debug)]
enum Domain {
    Mac,
    Address,
    Bit,
    Name,
    Digits,
}

/// Columns that name nobody and look as if they did: hashes and lists of codes.
const PLAIN: [&str; 4] = ["cipher_suites", "extraction", "ja3", "ja4"];

/// Columns of classes, which a person chose: without them nobody can learn from the result.
const CLASSES: [&str; 6] = ["label", "class", "best_guess", "family", "from", "to"];

/// Columns and keys of documents whose whole value is a name that somebody gave.
const NAMES: [&str; 8] =
    ["host_name", "hostname", "client_fqdn", "fqdn", "friendly_name", "instance", "user", "owner"];

/// What findings say in front of the name of a host.
const HOST_NAME: &str = "host name ";

/// Hexadecimal digits of the pseudonym of a name: among 1,000 names, two have one with a chance of 1 in 2 million.
const NAME_DIGITS: usize = 10;

/// The column that is a hash of addresses by a key that everybody knows.
const COMMUNITY_ID: &str = "community_id";

impl Pseudonyms {
    /// Pseudonyms by the key in a file, which is made where there is none.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let key = key::read(path)
            .with_context(|| format!("--pseudonyms: failed to use the key in {}", path.display()))?;
        Ok(Self { key })
    }

    /// The table with pseudonyms, without the column from which addresses can be found by trying.
    pub(crate) fn table(&self, mut table: Table) -> Table {
        table.drop_column(COMMUNITY_ID);
        table.with_texts(&|column, text| self.replaced(column, text))
    }

    /// The text of a column or key with pseudonyms; `None` where it names nobody.
    pub(crate) fn replaced(&self, column: &str, text: &str) -> Option<String> {
        if PLAIN.contains(&column) || CLASSES.contains(&column) || text.is_empty() {
            return None;
        }
        if NAMES.contains(&column) && text.parse::<std::net::IpAddr>().is_err() {
            return Some(self.name(text));
        }
        if let Some(name) = text.strip_prefix(HOST_NAME) {
            return Some(format!("{HOST_NAME}{}", self.name(name)));
        }
        self.local_name(text).or_else(|| self.words(text))
    }

    /// The pseudonym of a MAC address: a locally administered one.
    fn mac(&self, address: MacAddr) -> MacAddr {
        mac(self, address)
    }

    /// The pseudonym of a name.
    fn name(&self, name: &str) -> String {
        let digits = self.hash(Domain::Name, name.to_lowercase().as_bytes()).to_hex();
        format!("host-{}", digits.get(..NAME_DIGITS).unwrap_or_default())
    }

    /// The name of a host in a local network with a pseudonym for the host, and the reverse name of an address.
    fn local_name(&self, text: &str) -> Option<String> {
        reverse_name(self, text).or_else(|| text::local_name(text, &|name| self.name(name)))
    }

    fn hash(&self, domain: Domain, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[domain as u8]);
        hasher.update(bytes);
        hasher.finalize()
    }

    /// The first bytes of the hash.
    fn bytes<const N: usize>(&self, domain: Domain, bytes: &[u8]) -> [u8; N] {
        self.hash(domain, bytes).as_bytes().first_chunk().copied().unwrap_or([0; N])
    }
}

impl std::fmt::Debug for Pseudonyms {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}
