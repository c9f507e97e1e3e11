//! Configuration files: TOML whose keys are the long options of a command, so that a new option needs nothing here.
//!
//! A file becomes arguments, which stand in the command line beside those that were typed. So everything that checks
//! arguments checks the file as well; an option that was typed takes the place of its key.

mod document;
#[cfg(feature = "live")]
mod running;
#[cfg(feature = "live")]
mod template;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::document::Document;
#[cfg(feature = "live")]
pub(crate) use self::running::{Running, Successor};
/// The option that names the file, in every command that has one.
const CONFIG: &str = "config";

/// What belongs on a command line alone: it says what is done now, and not how.
const NOT_IN_FILES: [&str; 5] = [CONFIG, "check", "print-config", "help", "version"];

/// The command line with what the configuration file says that it names; as it is where it names none.
pub(crate) fn expand(command_line: Vec<OsString>, cli: &Command) -> anyhow::Result<Vec<OsString>> {
    // What is wrong in it is for the parser that comes after us, with its help.
    let lenient = cli.clone().ignore_errors(true);
    let Ok(matches) = lenient.try_get_matches_from(&command_line) else { return Ok(command_line) };
    let mut cli = cli.clone();
    cli.build();
    let Some((name, typed)) = matches.subcommand() else { return Ok(command_line) };
    let Some(command) = cli.find_subcommand(name) else { return Ok(command_line) };
    let Ok(Some(mut paths)) = typed.try_get_raw(CONFIG) else { return Ok(command_line) };
    let Some(path) = paths.next_back() else { return Ok(command_line) };
    let document = Document::read(Path::new(path), command)?;
    Ok(merge(&command_line, &document, &Typed::new(typed, command)))
}

/// A configuration with every key of a command of this program as a comment; empty where there is no such command.
#[cfg(feature = "live")]
pub(crate) fn template_of(name: &str) -> String {
    let mut cli = <crate::Cli as clap::CommandFactory>::command();
    cli.build();
    cli.find_subcommand(name).map(template::render).unwrap_or_default()
}

/// Keys of a command, sorted.
fn keys(command: &Command) -> Vec<String> {
    let mut keys: Vec<String> = settings(command).map(key).collect();
    keys.sort();
    keys
}

/// Arguments that may stand in a file, in the order in which help lists them.
fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_setting = |arg: &&Arg| !arg.is_hide_set() && !NOT_IN_FILES.contains(&key(arg).as_str());
    command.get_arguments().filter(is_setting)
}

/// The key of an argument: its long name, and for what stands without a name that of the program.
fn key(arg: &Arg) -> String {
    arg.get_long().map_or_else(|| arg.get_id().as_str().replace('_', "-"), str::to_owned)
}

/// Whether an argument takes several values, so that its key may have a list.
fn takes_many(arg: &Arg) -> bool {
    let most = arg.get_num_args().map_or(1, |range| range.max_values());
    matches!(arg.get_action(), ArgAction::Append) || most > 1 || arg.get_value_delimiter().is_some()
}

/// What was typed.
struct Typed {
    keys: BTreeSet<String>,
    /// Keys that cannot stand beside what was typed.
    excluded: BTreeSet<String>,
}

impl Typed {
    fn new(matches: &ArgMatches, command: &Command) -> Self {
        let is_typed =
            |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let typed: Vec<&Arg> = command.get_arguments().filter(is_typed).collect();
        let keys: BTreeSet<String> = typed.iter().map(|arg| key(arg)).collect();
        let with_typed = |arg: &&Arg| {
            let conflicts = command.get_arg_conflicts_with(arg);
            conflicts.iter().any(|other| keys.contains(&key(other)))
        };
        let of_typed = typed.iter().flat_map(|arg| command.get_arg_conflicts_with(arg));
        let excluded = command.get_arguments().filter(with_typed).chain(of_typed).map(key).collect();
        Self { keys, excluded }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.contains(key) || self.excluded.contains(key)
    }
}

/// Options of the file go before `--`, and what has no name to the end.
fn merge(command_line: &[OsString], document: &Document, typed: &Typed) -> Vec<OsString> {
    let end = command_line.iter().position(|arg| arg == "--").unwrap_or(command_line.len());
    let (before, after) = command_line.split_at(end);
    let mut merged = before.to_vec();
    let is_left = |key: &&String| !typed.has(key);
    for (_, arguments) in document.options.iter().filter(|(key, _)| is_left(key)) {
        merged.extend(arguments.iter().cloned());
    }
    merged.push(OsString::from("--"));
    merged.extend(after.iter().skip(1).cloned());
    for (_, values) in document.positionals.iter().filter(|(key, _)| is_left(key)) {
        merged.extend(values.iter().cloned());
    }
    merged
}

/// Whether an argument can be read by its own rules; else why, in a line.
fn check(argument: &OsStr, command: &Command) -> Result<(), String> {
    use clap::error::ErrorKind;

    let alone = command.clone().no_binary_name(true);
    match alone.try_get_matches_from([argument]) {
        // What an argument needs beside it is seen when all are there.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::NoEquals
            ) =>
        {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Err(line.trim_start_matches("error: ").to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::value_parser;

    use super::*;

    /// A command with an option of every kind.
    pub(super) fn cli() -> Command {
        let long = |name: &'static str| Arg::new(name).long(name);
        Command::new("program")
            .arg(long("jobs").short('j').global(true).value_parser(value_parser!(u8)))
            .arg(long("quiet").short('q').global(true).action(ArgAction::SetTrue).conflicts_with("verbose"))
            .arg(long("verbose").global(true).action(ArgAction::Count))
            .subcommand(
                Command::new("watch")
                    .arg(long("config").value_name("FILE"))
                    .arg(long("check").action(ArgAction::SetTrue))
                    .arg(long("window").default_value("1h").help("Length of a window\n\nMore."))
                    .arg(long("threshold").default_value("0.8").value_parser(value_parser!(f64)))
                    .arg(long("notify").action(ArgAction::Append).value_name("SINK"))
                    .arg(long("ports").num_args(1..).value_delimiter(',').value_parser(value_parser!(u16)))
                    .arg(long("pair").num_args(2))
                    .arg(long("policy").value_parser(["strict", "lax"]))
                    .arg(long("secret").hide(true))
                    .arg(Arg::new("sources").num_args(0..).value_name("SOURCE").required(true)),
            )
            .subcommand(Command::new("other").arg(Arg::new("file")))
    }

    /// The arguments after the file's are put in, without the file itself.
    fn expanded(typed: &str, file: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        fs::write(&path, file).unwrap();
        let typed = typed.replace("FILE", path.to_str().unwrap());
        let typed = typed.split(' ').map(OsString::from).collect();
        let expanded = expand(typed, &cli()).map_err(|error| format!("{error:#}"))?;
        let texts: Vec<&str> = expanded.iter().map(|arg| arg.to_str().unwrap()).collect();
        Ok(texts.join(" ").replace(path.to_str().unwrap(), "FILE"))
    }

    #[test]
    fn a_file_is_arguments() {
        let file = "window = \"15m\"\nthreshold = 0.9\nquiet = false\nverbose = 2\nnotify = [\"stdout\", \"file:x y\"]\n\
                    ports = [80, 443]\npair = [1, 2]\njobs = 2\nsources = [\"eth0\", \"-\", \"-x\"]\n";
        let expected = "program watch --config FILE --jobs=2 --notify=stdout --notify=file:x y --pair 1 2 --ports=80,443 \
                        --threshold=0.9 --verbose --verbose --window=15m -- eth0 - -x";
        assert_eq!(expanded("program watch --config FILE", file).unwrap(), expected);
    }

    #[test]
    fn the_parser_reads_what_a_file_became() {
        let file = "notify = [\"a\", \"b\"]\nports = [80, 443]\npair = [1, 2]\nverbose = 2\njobs = 0x10\nsources = [\"-x\"]";
        let expanded = expanded("program watch --config FILE", file).unwrap();
        let matches = cli().try_get_matches_from(expanded.split(' ')).unwrap();
        let watch = matches.subcommand().unwrap().1;
        let texts = |key: &str| -> Vec<String> {
            watch.get_raw(key).unwrap().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let found = ["notify", "ports", "pair", "jobs", "sources"].map(|key| texts(key).join(" "));
        assert_eq!(found, ["a b", "80 443", "1 2", "16", "-x"]);
        assert_eq!(watch.get_count("verbose"), 2);
    }

    #[test]
    fn what_was_typed_takes_the_place_of_the_key() {
        let check = |typed: &str, file: &str, expected: &str| {
            assert_eq!(expanded(typed, file).unwrap(), expected, "{typed} | {file}");
        };
        check(
            "program watch --config FILE --window=5m --notify stdout wlan0",
            "window = \"15m\"\nnotify = [\"syslog:/dev/log\"]\nsources = [\"eth0\"]\nthreshold = 0.7",
            "program watch --config FILE --window=5m --notify stdout wlan0 --threshold=0.7 --",
        );
        check(
            "program -j 3 watch --config FILE -- -x",
            "jobs = 2\nwindow = \"15m\"",
            "program -j 3 watch --config FILE --window=15m -- -x",
        );
        // One excludes the other, from either side.
        check("program watch --config FILE -q", "verbose = 1", "program watch --config FILE -q --");
        check(
            "program watch --config FILE --verbose",
            "quiet = true",
            "program watch --config FILE --verbose --",
        );
    }

    #[test]
    fn a_command_line_without_a_file_stays_as_it_is() {
        for typed in [
            "program",
            "program other x",
            "program watch eth0",
            "program watch --help",
            "program watch --bad",
        ] {
            assert_eq!(expanded(typed, "window = 1").unwrap(), typed);
        }
    }

    #[test]
    fn a_wrong_file_is_named_with_the_line_and_what_to_do() {
        let check = |file: &str, expected: &[&str]| {
            let error = expanded("program watch --config FILE", file).unwrap_err();
            for text in expected.iter().chain(&["x.toml"]) {
                assert!(error.contains(text), "{file}: '{text}' is not in: {error}");
            }
        };
        check("\n# x\nthreshhold = 0.8", &["line 3", "'threshhold'", "did you mean 'threshold'?"]);
        check("zzzzzzzz = 1", &["line 1", "--print-config"]);
        check("threshold = \"high\"", &["line 1", "'high'", "--threshold"]);
        check("jobs = 256", &["line 1", "256"]);
        check("policy = \"none\"", &["line 1", "'none'"]);
        check("window = \"1h\"\nwindow = \"2h\"", &["line 2", "duplicate key"]);
        check("window = [\"1h\", \"2h\"]", &["line 1", "'window' takes one value"]);
        check("quiet = \"yes\"", &["line 1", "'quiet' is true or false"]);
        check("verbose = -1", &["line 1", "'verbose' is"]);
        check("window = true", &["line 1", "'window' takes a value"]);
        check("[notify]\nx = 1", &["line 1", "sections"]);
        check("notify = [[\"stdout\"]]", &["line 1", "'notify'"]);
        check("window = ", &["line 1"]);
        check("config = \"y.toml\"", &["line 1", "command line"]);
        check("check = true", &["line 1", "command line"]);
        check("secret = \"x\"", &["line 1", "unknown key"]);
        let missing =
            expand(["program", "watch", "--config", "nowhere.toml"].map(OsString::from).to_vec(), &cli());
        let missing = format!("{:#}", missing.unwrap_err());
        assert!(missing.contains("nowhere.toml") && missing.contains("failed to read"), "{missing}");
    }
}
