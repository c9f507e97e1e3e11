use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use crate::secrecy::redacted_text;

/// A text from a capture, bytes outside printable ASCII as `\xNN`.
///
/// What in it is a secret (users and passwords in addresses, parameters that by their names hold one) is written as `***`: as
/// `str` and by `Debug` always, by `Display` and as JSON until [`Message::show_credentials`](crate::Message::show_credentials).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// With `***` for each secret.
    redacted: String,
    /// The text as it was sent, where that is another one.
    whole: Option<Box<Whole>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Whole {
    text: String,
    is_shown: bool,
}

impl Text {
    /// With `***` for each secret.
    pub fn as_str(&self) -> &str {
        &self.redacted
    }

    /// With `***` for each secret.
    pub fn into_redacted(self) -> String {
        self.redacted
    }

    /// All of it.
    pub fn reveal(&self) -> &str {
        self.whole.as_ref().map_or(&self.redacted, |whole| &whole.text)
    }

    /// Lets its secrets be written by `Display` and as JSON.
    pub fn show(&mut self) {
        if let Some(whole) = &mut self.whole {
            whole.is_shown = true;
        }
    }

    /// Bytes that it takes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.redacted.len() + self.whole.as_ref().map_or(0, |whole| size_of::<Whole>() + whole.text.len())
    }

    /// What is written where secrets may be shown.
    fn written(&self) -> &str {
        self.whole.as_ref().filter(|whole| whole.is_shown).map_or(&self.redacted, |whole| &whole.text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        match redacted_text(&text) {
            Some(redacted) => Self { redacted, whole: Some(Box::new(Whole { text, is_shown: false })) },
            None => Self { redacted: text, whole: None },
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.redacted
    }
}

impl PartialEq<&str> for Text {
    /// With `***` for each secret.
    fn eq(&self, other: &&str) -> bool {
        self.redacted == *other
    }
}

/// With `***` for each secret.
impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.redacted
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.redacted, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.written())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.written())
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn secrets_are_written_where_they_are_asked_for_alone() {
        let mut text = Text::from("cam http://u:pw1@h/ token=pw2".to_owned());
        let json = |text: &Text| serde_json::to_string(text).unwrap();
        let hidden = "cam http://***@h/ token=***";
        assert_eq!(
            (&*text, text.to_string(), json(&text)),
            (hidden, hidden.to_owned(), format!("\"{hidden}\""))
        );
        text.show();
        assert_eq!((&*text, format!("{text:?}")), (hidden, format!("{hidden:?}")));
        assert_eq!(
            (text.to_string().as_str(), json(&text).as_str()),
            (text.reveal(), "\"cam http://u:pw1@h/ token=pw2\"")
        );
    }

    #[test]
    fn a_text_without_secrets_is_held_once() {
        let text = Text::from("Linux/5 UPnP/1.0 Lamp/1".to_owned());
        assert_eq!((text.held_bytes(), text.reveal()), (text.len(), &*text));
    }
}
