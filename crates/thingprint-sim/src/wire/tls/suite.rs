use crate::profile::TlsVersion;

/// How a suite agrees on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyExchange {
    Rsa,
    Dhe,
    Ecdhe,
}

impl KeyExchange {
    /// That of a suite signed by RSA (IANA "TLS Cipher Suites").
    pub(super) fn of(suite: u16) -> Self {
        match suite {
            0x0014..=0x0016 | 0x0033 | 0x0039 | 0x0045 | 0x0067 | 0x006b | 0x0088 | 0x009e | 0x009f => {
                Self::Dhe
            }
            0xc09e | 0xc09f | 0xc0a2 | 0xc0a3 | 0xccaa => Self::Dhe,
            0xc010..=0xc014 | 0xc027 | 0xc028 | 0xc02f | 0xc030 | 0xc076 | 0xc077 | 0xcca8 => Self::Ecdhe,
            _ => Self::Rsa,
        }
    }
}

/// The suite that a server with an RSA certificate chooses: the device's first with forward secrecy, else its first
/// that is a suite at all.
pub(super) fn choose(offered: &[u16], version: TlsVersion) -> u16 {
    let first = |wanted: &dyn Fn(u16) -> bool| offered.iter().copied().find(|suite| wanted(*suite));
    let is_13 = |suite: u16| suite >> 8 == 0x13;
    let is_signal = |suite: u16| matches!(suite, 0x00ff | 0x5600);
    let best = if version == TlsVersion::V13 {
        first(&is_13)
    } else {
        first(&|suite| KeyExchange::of(suite) != KeyExchange::Rsa)
            .or_else(|| first(&|suite| suite <= 0x009d && !is_signal(suite)))
    };
    best.or_else(|| first(&|suite| !is_signal(suite))).unwrap_or(0x002f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_fits_version_and_certificate() {
        let cases: [(&[u16], TlsVersion, u16); 5] = [
            (&[0x1301, 0xc02f], TlsVersion::V13, 0x1301),
            (&[0xc02b, 0xc02f, 0x009e], TlsVersion::V12, 0xc02f),
            (&[0xc02b, 0x002f, 0x00ff], TlsVersion::V12, 0x002f),
            (&[0x00ff, 0x0035], TlsVersion::V10, 0x0035),
            (&[0xc02b], TlsVersion::V12, 0xc02b),
        ];
        for (offered, version, expected) in cases {
            assert_eq!(choose(offered, version), expected, "{offered:04x?}");
        }
    }
}
