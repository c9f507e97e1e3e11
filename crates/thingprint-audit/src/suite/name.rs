use super::Flaw;

/// What the name of a suite says: how keys are agreed on, who proves to be whom, cipher and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) is_export: bool,
    /// `RSA`, `DHE`, `ECDHE` ...; empty for TLS 1.3, where all public keys are ephemeral (RFC 9846 §1.3).
    pub(super) key_exchange: &'a str,
    /// `RSA`, `ECDSA`, `anon` ...; the key exchange's own where none is named; empty for TLS 1.3.
    pub(super) authentication: &'a str,
    /// `AES_128_CBC`, `RC4_128` ...
    pub(super) cipher: &'a str,
    /// `SHA`, `SHA256` ...; empty where the name leaves it out.
    pub(super) hash: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of a name of the registry; `None` for a signal (SCSV), which is no suite.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix("TLS_")?;
        if rest.ends_with("_SCSV") {
            return None;
        }
        let (keys, rest) = rest.split_once("_WITH_").unwrap_or(("", rest));
        let export = keys.strip_suffix("_EXPORT").or_else(|| keys.strip_suffix("_EXPORT1024"));
        let (is_export, keys) = (export.is_some(), export.unwrap_or(keys));
        let (first, second) = keys.split_once('_').unwrap_or((keys, keys));
        // PSK_DHE names the same two as DHE_PSK does: RFC 10015 lists both with DHE.
        let (key_exchange, authentication) =
            if second == "DHE" && first == "PSK" { (second, first) } else { (first, second) };
        let (cipher, hash) = split_hash(rest);
        Some(Self { name, is_export, key_exchange, authentication, cipher, hash })
    }

    /// What speaks against a suite of these parts, most severe first.
    pub(super) fn flaws(&self) -> Vec<Flaw> {
        Flaw::ALL.into_iter().filter(|flaw| self.has(*flaw)).collect()
    }

    fn has(&self, flaw: Flaw) -> bool {
        let is_cipher = |name: &str| self.cipher.split('_').next() == Some(name);
        match flaw {
            Flaw::Export => self.is_export,
            Flaw::NoAuthentication => matches!(self.authentication, "anon" | "NULL"),
            // Two suites are named after a hash alone, c0b4 and c0b5: they do not encrypt.
            Flaw::NullEncryption => is_cipher("NULL") || matches!(self.cipher, "SHA256" | "SHA384"),
            Flaw::Rc4 => is_cipher("RC4"),
            Flaw::Rc2 => is_cipher("RC2"),
            Flaw::Des => is_cipher("DES") || is_cipher("DES40"),
            Flaw::Md5 => self.hash == "MD5",
            Flaw::Sm => is_cipher("SM4") || self.hash == "SM3",
            Flaw::Gost => self.name.contains("GOST"),
            Flaw::NoForwardSecrecy => {
                matches!(self.key_exchange, "RSA" | "DH" | "ECDH" | "KRB5" | "PSK" | "NULL")
            }
            Flaw::TripleDes => is_cipher("3DES"),
            Flaw::Cbc => self.cipher.contains("CBC"),
            Flaw::Sha1 => self.hash == "SHA" || self.key_exchange == "SRP",
        }
    }
}

/// Cipher and hash; a name that ends with the cipher's mode (`AES_128_CCM_8`) leaves the hash out.
fn split_hash(rest: &str) -> (&str, &str) {
    match rest.rsplit_once('_') {
        Some((_, "CCM" | "8")) | None => (rest, ""),
        Some(parts) => parts,
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn names_fall_into_their_parts() {
        let check = |name: &str, expected: [&str; 4]| {
            let parts = Parts::of(name).unwrap();
            let found = [parts.key_exchange, parts.authentication, parts.cipher, parts.hash];
            assert_eq!(found, expected, "{name}");
        };
        check("TLS_RSA_WITH_AES_128_CBC_SHA", ["RSA", "RSA", "AES_128_CBC", "SHA"]);
        check("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", ["ECDHE", "ECDSA", "AES_128_CCM_8", ""]);
        check("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", ["DH", "anon", "RC4_40", "MD5"]);
        check("TLS_PSK_DHE_WITH_AES_256_CCM_8", ["DHE", "PSK", "AES_256_CCM_8", ""]);
        check("TLS_AES_128_CCM_8_SHA256", ["", "", "AES_128_CCM_8", "SHA256"]);
        check("TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", ["SRP", "SHA_RSA", "AES_128_CBC", "SHA"]);
        check("TLS_KRB5_EXPORT_WITH_DES_CBC_40_MD5", ["KRB5", "KRB5", "DES_CBC_40", "MD5"]);
        assert_eq!(Parts::of("TLS_FALLBACK_SCSV"), None);
    }
}
