//! Who may import whom, and where foreign types stay.

use crate::code::{paths, tokens, without_tests};
use crate::manifest::Manifest;
use crate::tree::{packages, source_files};

/// The members of the workspace, each with those that its code may import: what lies to the left of it on the way
/// from bytes to report. The command, which nobody imports, may import all.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("thingprint-flow", &[]),
    ("thingprint-protocol", &["thingprint-flow"]),
    ("thingprint-instance", &["thingprint-flow", "thingprint-protocol"]),
    ("thingprint-profile", &["thingprint-flow", "thingprint-protocol"]),
    ("thingprint-audit", &["thingprint-flow", "thingprint-protocol"]),
    ("thingprint-model", &["thingprint-flow", "thingprint-protocol", "thingprint-instance"]),
    ("thingprint-report", &["thingprint-flow", "thingprint-protocol", "thingprint-instance"]),
    ("thingprint-figure", &[]),
    (
        "thingprint-experiment",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-model",
            "thingprint-figure",
        ],
    ),
    ("thingprint-sim", &[]),
    (
        "thingprint",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-profile",
            "thingprint-audit",
            "thingprint-model",
            "thingprint-report",
            "thingprint-figure",
            "thingprint-experiment",
            "thingprint-sim",
        ],
    ),
    ("thingprint-tests", &[]),
    (
        "thingprint-fuzz",
        &["thingprint-flow", "thingprint-protocol", "thingprint-instance", "thingprint-model"],
    ),
];

/// Packages whose types stay in one crate.
const HOMES: [(&str, &str); 10] = [
    ("pcap-parser", "thingprint-flow"),
    ("etherparse", "thingprint-flow"),
    ("ndarray", "thingprint-model"),
    ("linfa", "thingprint-model"),
    ("linfa-bayes", "thingprint-model"),
    ("smartcore", "thingprint-model"),
    ("polars", "thingprint-report"),
    ("clap", "thingprint"),
    ("anyhow", "thingprint"),
    ("indicatif", "thingprint"),
];

/// The command, which nobody imports: tests start it as a user does.
const COMMAND: &str = "thingprint";

#[test]
fn data_moves_one_way() {
    let found: Vec<String> = packages().iter().flat_map(|package| wrong_imports(&package.manifest)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn foreign_types_stay_home() {
    let mut found: Vec<String> =
        packages().iter().flat_map(|package| strangers_in_manifest(&package.manifest)).collect();
    for package in packages() {
        for file in source_files(&package.folder) {
            let strangers = strangers_in_code(&package.manifest.name, &file.text);
            found.extend(strangers.into_iter().map(|stranger| format!("{}: {stranger}", file.path)));
        }
    }
    assert_eq!(found, [""; 0]);
}

/// Members of the workspace that a package must not depend on. Tests and benchmarks may use every member but the
/// command.
fn wrong_imports(manifest: &Manifest) -> Vec<String> {
    let is_member = |name: &str| MAY_IMPORT.iter().any(|(member, _)| *member == name);
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(member, _)| *member == manifest.name) else {
        return vec![format!("{}: a new crate, which needs a row in MAY_IMPORT", manifest.name)];
    };
    let code =
        manifest.dependencies.iter().filter(|name| is_member(name) && !allowed.contains(&name.as_str()));
    let tests = manifest.dev_dependencies.iter().filter(|name| *name == COMMAND);
    code.chain(tests).map(|name| format!("{} imports {name}", manifest.name)).collect()
}

/// Packages that a manifest names although their types stay elsewhere. Tests may use them.
fn strangers_in_manifest(manifest: &Manifest) -> Vec<String> {
    let is_stranger =
        |name: &str| HOMES.iter().any(|(stranger, home)| *stranger == name && *home != manifest.name);
    let strangers = manifest.dependencies.iter().filter(|name| is_stranger(name));
    strangers.map(|name| format!("{} depends on {name}", manifest.name)).collect()
}

/// Paths of code that lead into packages whose types stay elsewhere. Tests are left out: there a package may check
/// what another one says.
fn strangers_in_code(package: &str, source: &str) -> Vec<String> {
    let is_stranger = |path: &String| {
        let Some((root, _)) = path.split_once("::") else { return false };
        HOMES.iter().any(|(stranger, home)| stranger.replace('-', "_") == root && *home != package)
    };
    paths(&without_tests(&tokens(source))).into_iter().filter(is_stranger).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_against_the_flow_of_data_is_found() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(wrong_imports(&Manifest::read(text)), expected);
        check(
            "[package]\nname = 'thingprint-model'\n[dependencies]\nthingprint-instance.workspace = true",
            &[],
        );
        check(
            "[package]\nname = 'thingprint-flow'\n[build-dependencies]\nthingprint-protocol.workspace = true",
            &["thingprint-flow imports thingprint-protocol"],
        );
        check(
            "[package]\nname = 'thingprint-flow'\n[dev-dependencies]\nthingprint-sim.workspace = true",
            &[],
        );
        check(
            "[package]\nname = 'thingprint-tests'\n[dev-dependencies]\nthingprint.workspace = true",
            &["thingprint-tests imports thingprint"],
        );
        check("[package]\nname = 'new'", &["new: a new crate, which needs a row in MAY_IMPORT"]);
    }

    #[test]
    fn a_stranger_is_found() {
        let manifest =
            Manifest::read("[package]\nname = 'thingprint-model'\n[dependencies]\npolars = '1'\nlinfa = '1'");
        assert_eq!(strangers_in_manifest(&manifest), ["thingprint-model depends on polars"]);
        let check = |package: &str, source: &str, expected: &[&str]| {
            assert_eq!(strangers_in_code(package, source), expected, "{source}");
        };
        check("thingprint-report", "use polars::prelude::DataFrame;", &[]);
        check("thingprint-model", "use polars::prelude::DataFrame;", &["polars::prelude::DataFrame"]);
        check("thingprint-flow", "fn f() -> linfa_bayes::Error {}", &["linfa_bayes::Error"]);
        check("thingprint-sim", "#[cfg(test)] mod tests { use etherparse::SlicedPacket; }", &[]);
        check("thingprint-flow", "// polars::prelude is not used\nlet polars = \"polars::x\";", &[]);
    }
}
