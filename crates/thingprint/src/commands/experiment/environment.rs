use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use thingprint_experiment::{Machine, Need};
use thingprint_instance::Labeled;

use crate::sources;

/// What a result came from, beside the definition: no times and no machine, so that the same run gives the same bytes
/// everywhere.
#[derive(Debug)]
pub(super) struct Environment(Vec<(String, String)>);

impl Environment {
    pub(super) fn of(instances: &[(Need, Vec<Labeled>)]) -> Self {
        let mut lines = vec![
            ("thingprint".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("commit".to_owned(), commit().unwrap_or_else(|| "unknown: not run in a checkout".to_owned())),
            ("sources".to_owned(), env!("PROGRAM_SOURCES").to_owned()),
            ("generator".to_owned(), thingprint_model::GENERATOR.to_owned()),
        ];
        for (need, rows) in instances {
            let labelled = rows.iter().filter(|row| row.label.is_some()).count();
            lines.push((need.to_string(), format!("{} instances, {labelled} of them labelled", rows.len())));
        }
        Self(lines)
    }
}

/// What a run is computed on.
pub(super) fn machine(threads: NonZeroUsize) -> Machine {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    Machine { system, threads: threads.get() }
}

/// The commit of the checkout that the command runs in, and whether files beside the results were changed since, when
/// it holds the sources that the program was made of.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let commit = git(&["rev-parse", "HEAD"])?;
    let sources = sources::hash(Path::new(&root), sources::PROGRAM).ok()?;
    if sources != env!("PROGRAM_SOURCES") {
        return Some(format!(
            "unknown: the program was made of other sources than those of checkout {commit}"
        ));
    }
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)results"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, with changes") })
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))
    }
}
