use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Cli;
use crate::args::GlobalArgs;
use crate::configuration;
use crate::exit::Outcome;

/// Shells that get completions, each with a folder in the package.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// The file of settings, and the command that reads it.
const CONFIGURATION: (&str, &str) = ("thingprint.toml", "watch");

/// Write the files of the package that follow from the program: manual pages, completions, configuration
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What to write
    what: Generated,

    /// The folder to write into
    folder: PathBuf,
}

/// What can be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Generated {
    /// A manual page for the program and for each command
    Man,
    /// Completions for bash, zsh and fish
    Completions,
    /// The configuration of `watch`, with every key as a comment
    Config,
}

impl GenerateArgs {
    /// Writes the files.
    pub(crate) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let make = || -> anyhow::Result<()> {
            let staged = global.results.folder(&self.folder)?;
            match self.what {
                Generated::Man => write_manual(staged.path()),
                Generated::Completions => write_completions(staged.path()),
                Generated::Config => write_configuration(staged.path()),
            }?;
            staged.finish();
            Ok(())
        };
        make().with_context(|| format!("failed to write into '{}'", self.folder.display()))?;
        Ok(Outcome::Done)
    }
}

fn write_manual(folder: &Path) -> anyhow::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    write_page(folder, &cli, "thingprint")?;
    for command in visible(&cli) {
        write_page(folder, command, &format!("thingprint-{}", command.get_name()))?;
        for inner in visible(command) {
            write_page(folder, inner, &format!("thingprint-{}-{}", command.get_name(), inner.get_name()))?;
        }
    }
    Ok(())
}

/// Commands that help lists; the command `help` is help itself.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

fn write_page(folder: &Path, command: &Command, name: &str) -> anyhow::Result<()> {
    let page = Man::new(command.clone().disable_help_subcommand(true))
        .title(name)
        .source(format!("thingprint {}", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(folder.join(format!("{name}.1")), text)?;
    Ok(())
}

fn write_completions(folder: &Path) -> anyhow::Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut Cli::command(), "thingprint", folder)?;
    }
    Ok(())
}

fn write_configuration(folder: &Path) -> anyhow::Result<()> {
    let (file, command) = CONFIGURATION;
    fs::write(folder.join(file), configuration::template_of(command))?;
    Ok(())
}
