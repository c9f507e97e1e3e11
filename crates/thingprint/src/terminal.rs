//! Standard output and standard error: everything that the program writes to either passes here.
//!
//! Names of files, labels, policies, models and everything that a network says may hold what steers a terminal. So whatever is
//! meant for people is written through [`Escaped`], which lets nothing through that acts on a terminal. What a pipe or a file
//! gets is left as its format wrote it.

use std::io::{self, BufWriter, IsTerminal, StderrLock, StdoutLock, Write};

use clap::error::ErrorKind;
use indicatif::ProgressDrawTarget;
use thingprint_table::{MARKS, escape};

/// Standard error, for a message.
pub(crate) fn messages() -> Escaped<StderrLock<'static>> {
    Escaped::new(io::stderr().lock())
}

/// Standard output, for a result in a format of text.
pub(crate) fn result() -> Box<dyn Write> {
    let out = io::stdout().lock();
    if is_shown() { Box::new(BufWriter::new(Escaped::new(out))) } else { Box::new(BufWriter::new(out)) }
}

/// Standard output, for lines that people read as they come.
#[cfg(feature = "live")]
pub(crate) fn lines() -> Escaped<io::Stdout> {
    Escaped::new(io::stdout())
}

/// Standard output, for bytes that are no text. Fails where it is a terminal.
pub(crate) fn bytes() -> io::Result<StdoutLock<'static>> {
    if is_shown() {
        let reason = "the result is not for terminals: write it to a file or a pipe";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(io::stdout().lock())
}

/// Whether standard output is a terminal.
pub(crate) fn is_shown() -> bool {
    io::stdout().is_terminal()
}

/// Whether people who look at standard output want colours: `NO_COLOR` says no, whatever its value, unless it is empty
/// (no-color.org).
pub(crate) fn has_colours() -> bool {
    is_shown() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Where bars of progress are drawn, which is nowhere when standard error is no terminal. What stands beside a bar must be
/// escaped before.
pub(crate) fn progress() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr()
}

/// Prints what the parser of the command line has to say: help and version, which are of the program alone, with colours; what
/// is wrong with an argument, which may come from anywhere, without any.
pub(crate) fn parser(said: &clap::Error) {
    let text = said.render();
    let _ = match said.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if has_colours() => {
            write!(io::stdout(), "{}", text.ansi())
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => write!(io::stdout(), "{text}"),
        _ => write!(messages(), "{text}"),
    };
}

/// Writes text for people: characters that act on a terminal, or are not seen, are written as Rust escapes, except ends of
/// lines and the marks of our own tables.
#[derive(Debug)]
pub(crate) struct Escaped<W: Write> {
    to: W,
    /// The beginning of a character or of a mark, of which the rest may follow.
    begun: Vec<u8>,
}

impl<W: Write> Escaped<W> {
    fn new(to: W) -> Self {
        Self { to, begun: Vec::new() }
    }

    /// Writes whole characters, and what is no text as `\xNN`; keeps a character that is only begun.
    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => return self.text(text),
                Err(error) => {
                    let (text, rest) = bytes.split_at(error.valid_up_to());
                    self.text(std::str::from_utf8(text).unwrap_or_default())?;
                    let Some(length) = error.error_len() else {
                        self.begun.extend_from_slice(rest);
                        return Ok(());
                    };
                    let (wrong, rest) = rest.split_at(length.min(rest.len()));
                    write!(self.to, "{}", wrong.escape_ascii())?;
                    bytes = rest;
                }
            }
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| *c != '\n' && escape::is_control(*c)) {
            let (before, from) = rest.split_at(at);
            self.to.write_all(before.as_bytes())?;
            let mark = MARKS.into_iter().find(|mark| from.starts_with(mark));
            let is_begun = MARKS.iter().any(|mark| mark.len() > from.len() && mark.starts_with(from));
            match mark {
                Some(mark) => self.to.write_all(mark.as_bytes())?,
                None if is_begun => {
                    self.begun.extend_from_slice(from.as_bytes());
                    return Ok(());
                }
                None => write!(self.to, "{}", c.escape_default())?,
            }
            rest = from.get(mark.map_or(c.len_utf8(), str::len)..).unwrap_or_default();
        }
        self.to.write_all(rest.as_bytes())
    }
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begun.is_empty() {
            self.bytes(bytes)?;
        } else {
            let mut all = std::mem::take(&mut self.begun);
            all.extend_from_slice(bytes);
            self.bytes(&all)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        write!(self.to, "{}", begun.escape_ascii())?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a terminal gets of bytes that come in pieces.
    fn shown(pieces: &[&[u8]]) -> String {
        let mut escaped = Escaped::new(Vec::new());
        for piece in pieces {
            escaped.write_all(piece).unwrap();
        }
        escaped.flush().unwrap();
        String::from_utf8(escaped.to).unwrap()
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(shown(&[text.as_bytes()]), expected);
        check("Küche 日本\n", "Küche 日本\n");
        check("a\x1b]52;c;cHduZWQ=\x07b", "a\\u{1b}]52;c;cHduZWQ=\\u{7}b");
        check("a\u{9b}31mb\u{202e}c\u{200b}d\re\tf\x7f", "a\\u{9b}31mb\\u{202e}c\\u{200b}d\\re\\tf\\u{7f}");
        assert_eq!(shown(&[b"a\xff\x9bb\xe2\x80"]), "a\\xff\\x9bb\\xe2\\x80");
    }

    #[test]
    fn headings_keep_their_marks() {
        let [bold, plain] = MARKS;
        let heading = format!("{bold}device{plain}\n");
        assert_eq!(shown(&[heading.as_bytes()]), heading);
        for cut in 0..heading.len() {
            let (one, other) = heading.as_bytes().split_at(cut);
            assert_eq!(shown(&[one, other]), heading, "{cut}");
        }
        assert_eq!(shown(&[b"\x1b[31m", b"\x1b["]), "\\u{1b}[31m\\x1b[");
    }

    proptest! {
        #[test]
        fn pieces_are_shown_as_the_whole(text in "[a\u{1b}\\[01m\n\u{e9}\u{202e}\u{9b}]{0,20}", cut: prop::sample::Index) {
            let (one, other) = text.as_bytes().split_at(cut.index(text.len() + 1));
            let whole = shown(&[text.as_bytes()]);
            prop_assert_eq!(&shown(&[one, other]), &whole);
            let bare = MARKS.iter().fold(whole, |text, mark| text.replace(mark, ""));
            prop_assert!(!bare.chars().any(|c| c != '\n' && escape::is_control(c)), "{:?}", bare);
        }

        #[test]
        fn any_bytes_are_shown_as_text(bytes: Vec<u8>) {
            shown(&[&bytes]);
        }
    }
}
