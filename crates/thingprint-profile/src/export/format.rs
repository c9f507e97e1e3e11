//! The registry of formats: each is a file of this folder and a line of `formats!`.

use std::fmt;
use std::str::FromStr;

use super::note::ExportNote;
use super::plan::ExportPlan;
use super::text::comment;

/// Declares the formats: each a variant, its file, and what it is.
macro_rules! formats {
    ($($variant:ident = $file:ident: $about:literal;)+) => {
        $(mod $file;)+

        /// What rules are written for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ExportFormat {
            $(#[doc = $about] $variant,)+
        }

        impl ExportFormat {
            /// Every format, in the order in which help lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$variant => &$file::SPEC,)+
                }
            }
        }
    };
}

formats! {
    Nftables = nftables: "A table of nftables, for `nft -f`.";
    Iptables = iptables: "A script of ipset and iptables-restore.";
    Dnsmasq = dnsmasq: "Lines of dnsmasq.conf that fill the sets of nftables.";
    DnsmasqIpset = dnsmasq_ipset: "Lines of dnsmasq.conf that fill the sets of the script for iptables.";
    Openwrt = openwrt: "Commands for `uci batch`: firewall and dnsmasq of `OpenWrt`.";
    CiscoAcl = cisco_acl: "Access lists of Cisco IOS.";
}

/// What there is to know of a format.
struct Spec {
    /// The name that options take.
    name: &'static str,
    /// Whether it writes rules, each with its comment; others write names alone.
    has_rules: bool,
    write: fn(&ExportPlan) -> Exported,
}

/// Rules as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub text: String,
    /// In what it says something else than the profiles; the file has these as comments.
    pub notes: Vec<ExportNote>,
}

impl ExportFormat {
    /// The name that options take.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether it writes rules, each with a comment; dnsmasq gets the names of the rules alone.
    pub const fn has_rules(self) -> bool {
        self.spec().has_rules
    }

    pub(super) fn write(self, plan: &ExportPlan) -> Exported {
        (self.spec().write)(plan)
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`ExportFormat`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': expected one of {names}", names = names())]
pub struct ParseExportFormatError(String);

fn names() -> String {
    let names: Vec<&str> = ExportFormat::ALL.iter().map(|format| format.name()).collect();
    names.join(", ")
}

impl FromStr for ExportFormat {
    type Err = ParseExportFormatError;

    fn from_str(text: &str) -> Result<Self, ParseExportFormatError> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == text);
        found.ok_or_else(|| ParseExportFormatError(text.to_owned()))
    }
}

/// Lines of a file, with what begins a comment.
struct Lines {
    text: String,
    mark: &'static str,
}

impl Lines {
    /// A file that says what it is for and what it does not say, each on a line.
    fn new(mark: &'static str, about: &[&str], notes: &[ExportNote]) -> Self {
        let mut lines = Self { text: String::new(), mark };
        for line in about {
            lines.line(format_args!("{mark} {line}"));
        }
        if !notes.is_empty() {
            lines.line(mark);
            lines.comment("Unlike the profiles:");
        }
        for note in notes {
            lines.comment(&note.to_string());
        }
        lines
    }

    /// Adds a line.
    fn line(&mut self, line: impl fmt::Display) {
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    /// Adds a comment, whatever is in it.
    fn comment(&mut self, text: &str) {
        let line = format!("{} {}", self.mark, comment(text));
        self.line(line.trim_end());
    }

    /// Adds a comment that is set in.
    fn comment_within(&mut self, text: &str) {
        let line = format!("    {} {}", self.mark, comment(text));
        self.line(line.trim_end());
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in ExportFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
        let error = "pf".parse::<ExportFormat>().map_err(|error| error.to_string());
        assert!(
            error.is_err_and(|error| error.starts_with("unknown format 'pf': expected one of nftables, "))
        );
    }
}
