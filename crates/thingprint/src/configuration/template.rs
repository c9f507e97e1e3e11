use std::ffi::OsStr;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::{key, settings, takes_many};

/// Columns of the comments.
const WIDTH: usize = 100;

/// A file with every key of a command as a comment: what it means, and its default. A line takes effect when its `#` is
/// removed.
pub(super) fn render(command: &Command) -> String {
    let mut text = format!(
        "# Configuration of `thingprint {}`: every option of the command line can stand here, without the dashes.\n\
         # What is typed on the command line takes the place of the line here. Remove the # before a key to set it.\n",
        command.get_name()
    );
    let mut headings: Vec<&str> = Vec::new();
    for arg in settings(command) {
        let heading = heading(arg);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n## {heading}\n");
        for arg in settings(command).filter(|arg| self::heading(arg) == heading) {
            write_setting(&mut text, arg);
        }
    }
    text
}

fn heading(arg: &Arg) -> &str {
    match (arg.get_help_heading(), arg.get_long()) {
        (Some(heading), _) => heading,
        (None, None) => "Arguments",
        (None, Some(_)) => "Options",
    }
}

fn write_setting(text: &mut String, arg: &Arg) {
    text.push('\n');
    for line in help(arg).lines() {
        wrap(text, line);
    }
    let values: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !values.is_empty() && !is_flag(arg) {
        wrap(text, &format!("One of: {}.", values.join(", ")));
    }
    // Writing to a text cannot fail.
    let _ = writeln!(text, "#{} = {}", key(arg), value(arg));
}

/// The whole help of an argument.
fn help(arg: &Arg) -> String {
    arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default()
}

/// A comment of as many lines as it takes.
fn wrap(text: &mut String, line: &str) {
    let mut column = 0;
    for word in line.split_whitespace() {
        if column > 0 && column + word.len() + 1 > WIDTH {
            text.push('\n');
            column = 0;
        }
        text.push_str(if column == 0 { "# " } else { " " });
        text.push_str(word);
        column += word.len() + if column == 0 { 2 } else { 1 };
    }
    text.push('\n');
    if column == 0 {
        // An empty line of the help: a comment goes on.
        text.insert(text.len() - 1, '#');
    }
}

/// The default as TOML; where there is none, the name of the value in its place.
fn value(arg: &Arg) -> String {
    if is_flag(arg) {
        return "false".to_owned();
    }
    let defaults: Vec<String> = arg.get_default_values().iter().map(|value| quoted(value)).collect();
    let name = arg.get_value_names().and_then(|names| names.first()).map_or("VALUE", |name| name.as_str());
    match (defaults.as_slice(), takes_many(arg)) {
        ([], true) => format!("[\"{name}\"]"),
        ([], false) => format!("\"{name}\""),
        ([one], false) => one.clone(),
        (defaults, _) => format!("[{}]", defaults.join(", ")),
    }
}

/// A number as it is, another text as a TOML string.
fn quoted(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let is_number = text.parse::<i64>().is_ok() || (text.contains('.') && text.parse::<f64>().is_ok());
    if is_number { text.into_owned() } else { toml::Value::String(text.into_owned()).to_string() }
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::document::Document;
    use super::super::keys;
    use super::super::tests::cli;
    use super::*;

    fn built(name: &str, mut cli: Command) -> Command {
        cli.build();
        cli.find_subcommand(name).unwrap().clone()
    }

    /// The lines that set something, without their `#`.
    fn set(text: &str) -> String {
        let is_setting =
            |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.starts_with("##");
        let lines = text.lines().filter(is_setting).map(|line| line.trim_start_matches('#'));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_template_explains_every_key_with_its_default() {
        let text = render(&built("watch", cli()));
        for lines in [
            "\n# Length of a window\n#\n# More.\n#window = \"1h\"\n",
            "\n#threshold = 0.8\n",
            "\n#notify = [\"SINK\"]\n",
            "\n# One of: strict, lax.\n#policy = \"VALUE\"\n",
            "\n#quiet = false\n",
            "\n## Arguments\n\n#sources = [\"SOURCE\"]\n",
        ] {
            assert!(text.contains(lines), "{lines} is missing:\n{text}");
        }
        assert!(!text.contains("secret") && !text.contains("#config") && !text.contains("#check"), "{text}");
    }

    /// The file that comes with the package says nothing until somebody edits it, and then it is read.
    #[test]
    fn every_command_has_a_template_that_is_complete_and_toml() {
        let mut cli = crate::Cli::command();
        cli.build();
        for command in cli.get_subcommands() {
            let text = render(command);
            assert!(text.parse::<toml::Table>().unwrap().is_empty(), "{}", command.get_name());
            let set: toml::Table = set(&text).parse().unwrap();
            let mut found: Vec<&String> = set.keys().collect();
            found.sort();
            assert_eq!(found, keys(command).iter().collect::<Vec<_>>(), "{}", command.get_name());
        }
    }

    #[test]
    fn defaults_of_a_template_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let command = built("watch", cli());
        let text = render(&command);
        let lines = set(&text);
        let with_default =
            lines.lines().filter(|line| line.starts_with("window") || line.starts_with("threshold"));
        std::fs::write(&path, with_default.collect::<Vec<_>>().join("\n")).unwrap();
        let document = Document::read(&path, &command).unwrap();
        assert_eq!(document.options["window"], ["--window=1h"]);
        assert_eq!(document.options["threshold"], ["--threshold=0.8"]);
    }
}
