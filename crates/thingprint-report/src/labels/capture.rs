use std::iter::successors;

use glob::{MatchOptions, Pattern, PatternError};

/// Which captures a row of a manifest stands for: a file name, the name of a folder, or a glob over either.
///
/// A pattern is held against the end of a path, in whole components, and against the end of each folder above it, so that
/// `Aria/*` and `Aria` both stand for `data/sentinel/Aria/Setup-1.pcap.gz`, from wherever the captures are named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CapturePattern {
    text: String,
    glob: Pattern,
}

impl CapturePattern {
    pub(super) fn new(text: &str) -> Result<Self, PatternError> {
        let text = text.trim_start_matches("./").trim_end_matches('/');
        Ok(Self { text: text.to_owned(), glob: Pattern::new(text)? })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, capture: &str) -> bool {
        let path = capture.trim_start_matches("./");
        let mut paths = successors(Some(path), |path| Some(path.rsplit_once('/')?.0));
        paths.any(|path| self.is_end_of(path) || ends(path).any(|end| self.matches_whole(end)))
    }

    /// The pattern taken as a plain name, which is quick, and right for names that look like globs.
    fn is_end_of(&self, path: &str) -> bool {
        path.strip_suffix(self.text.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('/'))
    }

    fn matches_whole(&self, path: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        self.glob.matches_with(path, options)
    }
}

/// `a/b/c`, `b/c`, `c`.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    successors(Some(path), |path| Some(path.split_once('/')?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_files_folders_and_globs_of_them() {
        let check = |pattern, capture, expected| {
            let matches = CapturePattern::new(pattern).is_ok_and(|pattern| pattern.matches(capture));
            assert_eq!(matches, expected, "{pattern} {capture}");
        };
        let capture = "data/sentinel/Aria/Setup-1.pcap.gz";
        check("Setup-1.pcap.gz", capture, true);
        check("Aria/Setup-1.pcap.gz", capture, true);
        check("Aria/*", capture, true);
        check("./Aria/*.gz", capture, true);
        check("Aria", capture, true);
        check("sentinel/", capture, true);
        check("**/Aria/*.pcap.gz", capture, true);
        check("data/**/*.gz", capture, true);
        check("A[r-s]ia", capture, true);
        check("*", capture, true);
        check("data/*.gz", capture, false);
        check("ria", capture, false);
        check("Aria2", capture, false);
        check("up-1.pcap.gz", capture, false);
        check("Hue [1]", "Hue [1]/a.pcap", true);
        check("/srv/*.pcap", "/srv/a.pcap", true);
        check("/srv/*.pcap", "x/srv/a.pcap", false);
    }
}
