use std::collections::BTreeMap;

/// Words behind a name that say what kind of company it is.
const LEGAL_FORMS: [&str; 24] = [
    "inc",
    "incorporated",
    "ltd",
    "limited",
    "co",
    "company",
    "corp",
    "corporation",
    "llc",
    "gmbh",
    "ag",
    "bv",
    "sa",
    "plc",
    "oy",
    "ab",
    "kg",
    "srl",
    "spa",
    "kk",
    "pte",
    "pty",
    "as",
    "international",
];

/// Shorter names, such as LG, begin those of others as well.
const LEAST_LEADING_BYTES: usize = 4;

/// How vendors are spelled, by what is left of a spelling without case, punctuation and legal forms.
#[derive(Clone, Debug, Default)]
pub(super) struct VendorNames {
    names: BTreeMap<Box<str>, Box<str>>,
}

impl VendorNames {
    /// A vendor, as it is to be spelled; what stands for another vendor already stays.
    pub(super) fn add_vendor(&mut self, vendor: &str) {
        self.add_name(vendor, vendor);
    }

    /// Another name of a vendor.
    pub(super) fn add_name(&mut self, name: &str, vendor: &str) {
        let normal = normal_form(name);
        if !normal.is_empty() && !vendor.is_empty() {
            self.names.entry(normal.into()).or_insert_with(|| vendor.into());
        }
    }

    /// The vendor whose name a longer name begins with: `Edimax Technology` is Edimax.
    pub(super) fn leading(&self, text: &str) -> Option<&str> {
        let normal = normal_form(text);
        let ends = normal.match_indices(' ').map(|(at, _)| at).chain([normal.len()]);
        let ends: Vec<usize> = ends.filter(|end| *end >= LEAST_LEADING_BYTES).collect();
        ends.into_iter().rev().find_map(|end| self.names.get(normal.get(..end)?)).map(|name| &**name)
    }

    /// The vendor of a name.
    pub(super) fn name(&self, text: &str) -> Option<&str> {
        self.names.get(&*normal_form(text)).map(|name| &**name)
    }
}

/// Words of letters and digits in lower case, without legal forms at the end.
pub(super) fn normal_form(text: &str) -> String {
    let text = text.to_lowercase().replace("b.v.", "bv").replace('.', "").replace(['\'', '’'], "");
    let mut words: Vec<&str> =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|word| LEGAL_FORMS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}

/// Whether two names are of one vendor: the same words, or those of one with further ones behind.
pub(crate) fn is_same_vendor(one: &str, other: &str) -> bool {
    let (one, other) = (normal_form(one), normal_form(other));
    let continues = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    !one.is_empty() && !other.is_empty() && (continues(&one, &other) || continues(&other, &one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_forms_and_punctuation_do_not_count() {
        for (text, expected) in [
            ("Apple, Inc.", "apple"),
            ("TP-LINK CORPORATION PTE. LTD.", "tp link"),
            ("Signify B.V.", "signify"),
            ("Co", "co"),
            ("Samsung Electronics Co.,Ltd", "samsung electronics"),
            ("", ""),
        ] {
            assert_eq!(normal_form(text), expected, "{text}");
        }
    }

    #[test]
    fn a_longer_name_is_the_same_vendor() {
        assert!(is_same_vendor("Samsung", "Samsung Electronics Co.,Ltd"));
        assert!(is_same_vendor("Sonos, Inc.", "SONOS"));
        assert!(!is_same_vendor("Ring", "Ringway"));
        assert!(!is_same_vendor("", "Ring"));
    }

    #[test]
    fn a_vendor_is_spelled_as_it_was_added() {
        let mut names = VendorNames::default();
        names.add_vendor("Philips");
        names.add_name("Royal Philips Electronics", "Philips");
        assert_eq!(names.name("royal philips electronics"), Some("Philips"));
        assert_eq!(names.name("PHILIPS"), Some("Philips"));
        assert_eq!(names.name("Acme"), None);
        names.add_vendor("Edimax");
        names.add_vendor("LG");
        assert_eq!(names.leading("Edimax Technology Co. Ltd."), Some("Edimax"));
        assert_eq!(names.leading("Edimaxi"), None);
        assert_eq!(names.leading("LG Innotek"), None);
    }
}
