use std::borrow::Cow;

use crate::error::ReportError;

/// Names of the column of addresses, by which a header is recognised.
pub(super) const ADDRESS: [&str; 2] = ["mac", "device"];
/// What may stand between values, the usual one first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// Bytes in which a text of two bytes for each character shows by its zeros.
const LOOKED_AT: usize = 64;

/// A label file as spreadsheets write it, made plain: UTF-8, and what stands between its values.
pub(super) struct Sheet<'a> {
    pub(super) text: Cow<'a, [u8]>,
    pub(super) delimiter: u8,
}

impl<'a> Sheet<'a> {
    /// Recognises UTF-16 by its byte order mark, a first line `sep=;`, and semicolons and tabs by the names in the header. What
    /// could be read in two ways is left for whoever reads the columns to refuse.
    pub(super) fn of(bytes: &'a [u8], file: &str) -> Result<Self, ReportError> {
        let unreadable =
            |reason: &str| ReportError::Unreadable { file: file.to_owned(), reason: reason.to_owned() };
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(unreadable("this is a workbook or an archive: save the sheet as CSV UTF-8"));
        }
        let mut text = match bytes {
            [0xff, 0xfe, units @ ..] => utf8(units, u16::from_le_bytes).map(Cow::Owned),
            [0xfe, 0xff, units @ ..] => utf8(units, u16::from_be_bytes).map(Cow::Owned),
            _ => Some(Cow::Borrowed(bytes)),
        }
        .ok_or_else(|| unreadable("the UTF-16 text is cut or damaged: save it as CSV UTF-8"))?;
        if text.iter().take(LOOKED_AT).any(|byte| *byte == 0) {
            return Err(unreadable(
                "there are zeros in it, as in UTF-16 without its mark: save it as CSV UTF-8",
            ));
        }
        let delimiter = match named(&text) {
            Some((place, delimiter)) => {
                // A comment from now on, so that lines keep their numbers.
                if let Some(first) = text.to_mut().get_mut(place) {
                    *first = b'#';
                }
                delimiter
            }
            None => delimiter(&text),
        };
        Ok(Self { text, delimiter })
    }
}

fn utf8(units: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    let (units, []) = units.as_chunks() else { return None };
    let units = units.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().map(String::into_bytes)
}

/// The delimiter that the first line names (`sep=;`), and where that line begins; `None` where it names nothing that may be one.
fn named(text: &[u8]) -> Option<(usize, u8)> {
    let plain = thingprint_table::without_bom(text);
    let line = plain.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let (name, delimiter) = line.split_at_checked(b"sep=".len())?;
    let [delimiter] = delimiter else {
        // The tab itself was trimmed.
        return (name.eq_ignore_ascii_case(b"sep=") && plain.get(name.len()) == Some(&b'\t'))
            .then_some((text.len() - plain.len(), b'\t'));
    };
    let is_known = DELIMITERS.contains(delimiter) || *delimiter == b'|';
    (is_known && name.eq_ignore_ascii_case(b"sep=")).then_some((text.len() - plain.len(), *delimiter))
}

/// The delimiter by which the header has a column of addresses and another one; a comma where none fits.
fn delimiter(text: &[u8]) -> u8 {
    let lines = thingprint_table::without_bom(text).split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let header = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let header = header.unwrap_or_default();
    let fits = |delimiter: &u8| {
        let mut names = header.split(|byte| byte == delimiter).map(|name| {
            let name = name.trim_ascii();
            name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
        });
        let is_address =
            |name: &[u8]| ADDRESS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        names.clone().count() > 1 && names.any(is_address)
    };
    DELIMITERS.into_iter().find(fits).unwrap_or(b',')
}
