//! Which package may depend on which, and where foreign types stay. What a package does not depend on, its code
//! cannot name.

use crate::packages::{Package, packages};

/// The members of the workspace, each with those that its code may import: what lies to the left of it on the way
/// from bytes to report. The command, which nobody imports, may import all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("thingprint-flow", &[]),
    ("thingprint-sim", &[]),
    ("thingprint-endpoint", &[]),
    ("thingprint-protocol", &["thingprint-flow"]),
    ("thingprint-instance", &["thingprint-flow", "thingprint-protocol"]),
    ("thingprint-logs", &["thingprint-flow", "thingprint-protocol", "thingprint-instance"]),
    ("thingprint-profile", &["thingprint-flow", "thingprint-protocol"]),
    ("thingprint-identity", &["thingprint-flow", "thingprint-protocol"]),
    (
        "thingprint-pipeline",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-profile",
            "thingprint-identity",
            "thingprint-sim",
        ],
    ),
    (
        "thingprint-audit",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-profile",
            "thingprint-table",
            "thingprint-figure",
        ],
    ),
    ("thingprint-model", &["thingprint-flow", "thingprint-protocol", "thingprint-instance"]),
    ("thingprint-change", &["thingprint-flow", "thingprint-instance"]),
    ("thingprint-table", &["thingprint-flow"]),
    (
        "thingprint-report",
        &["thingprint-flow", "thingprint-protocol", "thingprint-instance", "thingprint-table"],
    ),
    ("thingprint-figure", &["thingprint-flow", "thingprint-table"]),
    (
        "thingprint-experiment",
        &[
            "thingprint-flow",
            "thingprint-sim",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-model",
            "thingprint-change",
            "thingprint-table",
            "thingprint-figure",
        ],
    ),
    (
        "thingprint-watch",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-pipeline",
            "thingprint-profile",
            "thingprint-identity",
            "thingprint-audit",
            "thingprint-model",
            "thingprint-change",
            "thingprint-table",
        ],
    ),
    ("thingprint-live", &["thingprint-flow", "thingprint-endpoint"]),
    (
        "thingprint-store",
        &[
            "thingprint-flow",
            "thingprint-endpoint",
            "thingprint-instance",
            "thingprint-report",
            "thingprint-table",
            "thingprint-watch",
        ],
    ),
    (
        "thingprint-notify",
        &["thingprint-flow", "thingprint-endpoint", "thingprint-table", "thingprint-watch"],
    ),
    (
        "thingprint-taps",
        &["thingprint-flow", "thingprint-endpoint", "thingprint-protocol", "thingprint-instance"],
    ),
    (
        "thingprint-web",
        &[
            "thingprint-flow",
            "thingprint-instance",
            "thingprint-figure",
            "thingprint-table",
            "thingprint-watch",
        ],
    ),
    (
        "thingprint",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-pipeline",
            "thingprint-profile",
            "thingprint-identity",
            "thingprint-audit",
            "thingprint-model",
            "thingprint-change",
            "thingprint-table",
            "thingprint-report",
            "thingprint-figure",
            "thingprint-experiment",
            "thingprint-sim",
            "thingprint-watch",
            "thingprint-live",
            "thingprint-logs",
            "thingprint-store",
            "thingprint-notify",
            "thingprint-taps",
            "thingprint-web",
        ],
    ),
    (
        "thingprint-python",
        &[
            "thingprint",
            "thingprint-flow",
            "thingprint-instance",
            "thingprint-model",
            "thingprint-table",
            "thingprint-report",
        ],
    ),
    ("thingprint-tests", &[]),
    (
        "thingprint-fuzz",
        &[
            "thingprint-flow",
            "thingprint-protocol",
            "thingprint-instance",
            "thingprint-identity",
            "thingprint-logs",
            "thingprint-model",
            "thingprint-audit",
            "thingprint-experiment",
            "thingprint-profile",
            "thingprint-report",
            "thingprint-sim",
            "thingprint-store",
            "thingprint-table",
            "thingprint-taps",
            "thingprint-watch",
        ],
    ),
];

/// Packages whose types stay in one crate.
const HOMES: [(&str, &str); 22] = [
    ("pcap-parser", "thingprint-flow"),
    ("etherparse", "thingprint-flow"),
    ("ndarray", "thingprint-model"),
    ("linfa", "thingprint-model"),
    ("linfa-bayes", "thingprint-model"),
    ("smartcore", "thingprint-model"),
    ("polars", "thingprint-table"),
    ("clap", "thingprint"),
    ("anyhow", "thingprint"),
    ("indicatif", "thingprint"),
    ("oui-data", "thingprint-identity"),
    ("rusqlite", "thingprint-store"),
    ("axum", "thingprint-web"),
    ("tokio-postgres", "thingprint-store"),
    ("tokio", "thingprint-store"),
    ("tokio", "thingprint-web"),
    ("ureq", "thingprint-notify"),
    ("rumqttc", "thingprint-notify"),
    ("prometheus-client", "thingprint-notify"),
    ("hmac", "thingprint-notify"),
    ("pyo3", "thingprint-python"),
    ("arrow-array", "thingprint-python"),
];

/// The command, which the Python package alone imports: tests start it as a user does.
const COMMAND: &str = "thingprint";

#[test]
fn data_moves_one_way() {
    let found: Vec<String> = packages().iter().flat_map(wrong_imports).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn foreign_types_stay_home() {
    let found: Vec<String> = packages().iter().flat_map(strangers).collect();
    assert_eq!(found, [""; 0]);
}

/// Members of the workspace that a package must not depend on. Tests and benchmarks may use every member but the
/// command.
fn wrong_imports(package: &Package) -> Vec<String> {
    let is_member = |name: &str| MAY_IMPORT.iter().any(|(member, _)| *member == name);
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(member, _)| *member == package.name) else {
        return vec![format!("{}: a new crate, which needs a row in MAY_IMPORT", package.name)];
    };
    let code =
        package.dependencies.iter().filter(|name| is_member(name) && !allowed.contains(&name.as_str()));
    let tests = package.dev_dependencies.iter().filter(|name| *name == COMMAND);
    code.chain(tests).map(|name| format!("{} imports {name}", package.name)).collect()
}

/// Packages that a package depends on although their types stay elsewhere. Tests may use them.
fn strangers(package: &Package) -> Vec<String> {
    let is_stranger = |name: &str| {
        let mut homes = HOMES.iter().filter(|(stranger, _)| *stranger == name).peekable();
        homes.peek().is_some() && homes.all(|(_, home)| *home != package.name)
    };
    let strangers = package.dependencies.iter().filter(|name| is_stranger(name));
    strangers.map(|name| format!("{} depends on {name}", package.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str], dev_dependencies: &[&str]) -> Package {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.to_owned(),
            manifest: String::new(),
            dependencies: named(dependencies),
            dev_dependencies: named(dev_dependencies),
        }
    }

    #[test]
    fn a_package_has_the_dependencies_of_all_targets() {
        let packages = packages();
        let command = packages.iter().find(|package| package.name == COMMAND).unwrap();
        // One of the code, one of some platforms, one of the build script, one of the tests.
        assert!(["clap", "rustix", "blake3"].iter().all(|name| command.dependencies.contains(*name)));
        assert!(command.dev_dependencies.contains("jsonschema"));
    }

    #[test]
    fn an_import_against_the_flow_of_data_is_found() {
        let check = |package: &Package, expected: &[&str]| assert_eq!(wrong_imports(package), expected);
        check(&package("thingprint-model", &["thingprint-instance", "serde"], &[]), &[]);
        check(
            &package("thingprint-flow", &["thingprint-protocol"], &[]),
            &["thingprint-flow imports thingprint-protocol"],
        );
        check(&package("thingprint-flow", &[], &["thingprint-sim"]), &[]);
        check(&package("thingprint-tests", &[], &[COMMAND]), &["thingprint-tests imports thingprint"]);
        check(&package("new", &[], &[]), &["new: a new crate, which needs a row in MAY_IMPORT"]);
    }

    #[test]
    fn a_stranger_is_found() {
        let found = strangers(&package("thingprint-model", &["polars", "linfa"], &["etherparse"]));
        assert_eq!(found, ["thingprint-model depends on polars"]);
    }
}
