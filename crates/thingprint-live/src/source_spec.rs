use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{LiveError, LiveErrorKind};
use crate::intake::IntakeOptions;
use crate::source::Source;
use crate::sources::{ClientSpec, FileSpec, FolderSpec, InterfaceSpec, ServerSpec, StdinSpec};

/// What a kind of source is called by, and how it is opened.
pub(crate) trait SourceKind: fmt::Display + Sized {
    /// How it is written, for messages.
    const FORM: &'static str;

    /// Reads a text; `None` where it is that of another kind.
    fn parse(text: &str) -> Option<Result<Self, LiveError>>;

    /// What it is called on a page and in messages.
    fn name(&self) -> String {
        self.to_string()
    }

    /// Whether it could be read now, as far as that shows without reading it; `None` where it does not show.
    fn check(&self, _: &IntakeOptions) -> Option<Result<(), LiveError>> {
        None
    }

    /// The source; nothing of it is opened yet.
    fn source(&self, options: &IntakeOptions) -> Box<dyn Source>;
}

/// Declares the kinds of sources, in the order in which a text is tried with them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($spec:ident),)+) => {
        /// A source of frames, as a user names it.
        ///
        /// [`parse`](Self::parse) reads a text, and [`Display`](fmt::Display) gives a text that reads as the same source.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SourceSpec {
            $($(#[$doc])* $kind($spec),)+
        }

        /// How sources are written.
        const FORMS: &[&str] = &[$($spec::FORM),+];

        impl SourceSpec {
            fn of(text: &str) -> Option<Result<Self, LiveError>> {
                $(if let Some(parsed) = $spec::parse(text) {
                    return Some(parsed.map(Self::$kind));
                })+
                None
            }

            /// What it is called on a page and in messages: shorter than what it is written as, where that is clear.
            pub fn name(&self) -> String {
                match self {
                    $(Self::$kind(spec) => spec.name(),)+
                }
            }

            /// Whether it could be read now, as far as that shows without reading it: tcpdump and the interface, the folder and
            /// the file are there. `None` where it does not show: standard input, and what other machines send.
            ///
            /// # Errors
            ///
            /// What is missing, and what to do.
            pub fn check(&self, options: &IntakeOptions) -> Option<Result<(), LiveError>> {
                match self {
                    $(Self::$kind(spec) => spec.check(options),)+
                }
            }

            pub(crate) fn source(&self, options: &IntakeOptions) -> Box<dyn Source> {
                match self {
                    $(Self::$kind(spec) => spec.source(options),)+
                }
            }
        }

        impl fmt::Display for SourceSpec {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$kind(spec) => spec.fmt(f),)+
                }
            }
        }
    };
}

kinds! {
    /// Standard input: `-`.
    Stdin(StdinSpec),
    /// An interface of this machine: `interface:eth0`, with a filter behind the name.
    Interface(InterfaceSpec),
    /// A server of captures: `tcp://host:port`.
    Client(ClientSpec),
    /// Senders of captures that connect to this machine: `tcp-listen://address:port`.
    Server(ServerSpec),
    /// One capture that is read to its end: `file:PATH`, or the path of a file.
    File(FileSpec),
    /// A folder into which captures are rotated: `folder:PATH`, or any other path.
    Folder(FolderSpec),
}

impl SourceSpec {
    /// Reads how a user names a source.
    ///
    /// A path without a word before it is that of a folder, unless a file is there now.
    ///
    /// # Errors
    ///
    /// When the text names no source: an empty one, an unknown scheme, an address without a port.
    pub fn parse(text: &str) -> Result<Self, LiveError> {
        if let Some((scheme, _)) = text.split_once("://")
            && !["tcp", "tcp-listen"].contains(&scheme)
        {
            return Err(not_a_source(text, format!("the scheme '{scheme}' is not known")));
        }
        Self::of(text).unwrap_or_else(|| Err(not_a_source(text, "it is empty")))
    }

    /// An interface of this machine, with a filter in the language of tcpdump where there is one.
    ///
    /// # Errors
    ///
    /// When the name cannot be one of an interface.
    pub fn interface(name: &str, filter: Option<&str>) -> Result<Self, LiveError> {
        InterfaceSpec::new(name, filter).map(Self::Interface)
    }

    /// A folder into which captures are rotated.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::Folder(FolderSpec::new(path.into()))
    }

    /// A capture that is read to its end.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(FileSpec::new(path.into()))
    }
}

impl FromStr for SourceSpec {
    type Err = LiveError;

    fn from_str(text: &str) -> Result<Self, LiveError> {
        Self::parse(text)
    }
}

/// Why a text names no source, with what does.
pub(crate) fn not_a_source(text: &str, reason: impl fmt::Display) -> LiveError {
    let reason = format!("not a source: {reason}");
    LiveError::new(LiveErrorKind::NotASource, &format!("'{text}'"), reason)
        .advise(format!("give one of {}", FORMS.join(", ")))
}

/// The path in a text with this word before it.
pub(crate) fn path_behind(text: &str, word: &str) -> Option<PathBuf> {
    let path = text.strip_prefix(word)?.strip_prefix(':')?;
    Some(PathBuf::from(OsString::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_as_they_are_read() {
        let check = |text: &str, name: &str| {
            let spec = SourceSpec::parse(text).unwrap();
            assert_eq!(
                (spec.name().as_str(), SourceSpec::parse(&spec.to_string())),
                (name, Ok(spec)),
                "{text}"
            );
        };
        check("-", "standard input");
        check("interface:eth0", "eth0");
        check("interface:eth0 not port 22", "eth0");
        check("tcp://sensor:57012", "tcp://sensor:57012");
        check("tcp://[::1]:57012", "tcp://[::1]:57012");
        check("tcp-listen://127.0.0.1:57012", "tcp-listen://127.0.0.1:57012");
        check("file:a.pcap", "a.pcap");
        check("folder:-", "-");
        check("./captures", "./captures");
        check("captures", "captures");
        check("Cargo.toml", "Cargo.toml");
        assert!(matches!(SourceSpec::parse("Cargo.toml"), Ok(SourceSpec::File(_))));
        assert!(matches!(SourceSpec::parse("src"), Ok(SourceSpec::Folder(_))));
        // A capture that is not there is a mistake; a folder may be made later.
        assert!(matches!(SourceSpec::parse("none.pcap.gz"), Ok(SourceSpec::File(_))));
        assert!(matches!(SourceSpec::parse("none.gz"), Ok(SourceSpec::Folder(_))));
    }

    #[test]
    fn what_shows_without_reading_is_checked() {
        let check = |text: &str| {
            let options = IntakeOptions { tcpdump: Some("none/tcpdump".into()), ..IntakeOptions::default() };
            SourceSpec::parse(text)
                .unwrap()
                .check(&options)
                .map(|checked| checked.map_err(|error| error.kind))
        };
        assert_eq!(check("Cargo.toml"), Some(Ok(())));
        assert_eq!(check("src"), Some(Ok(())));
        assert_eq!(check("folder:none"), Some(Err(LiveErrorKind::Unreadable)));
        assert_eq!(check("file:none"), Some(Err(LiveErrorKind::Unreadable)));
        assert_eq!(check("interface:lo"), Some(Err(LiveErrorKind::NoTcpdump)));
        assert_eq!((check("-"), check("tcp://sensor:57012")), (None, None));
    }

    #[test]
    fn what_names_no_source_is_refused_with_what_does() {
        let check = |text: &str, reason: &str| {
            let error = SourceSpec::parse(text).unwrap_err();
            assert_eq!(error.kind, LiveErrorKind::NotASource, "{text}");
            assert!(error.to_string().contains(reason), "{error}");
        };
        check("", "it is empty");
        check("udp://host:5", "the scheme 'udp' is not known; give one of - (");
        check("tcp://host", "no port");
        check("tcp://:5", "no host");
        check("tcp://host:99999", "port");
        check("tcp-listen://host:1", "not an address");
        check("tcp-listen://127.0.0.1", "not an address");
        check("interface:", "no name");
        check("interface:an-interface-of-more", "at most 15");
        check("interface:a/b", "'/'");
    }
}
