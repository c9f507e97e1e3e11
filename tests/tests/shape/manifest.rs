//! Package manifests, as far as rules look at them.

use std::collections::BTreeSet;

use toml::{Table, Value};

/// What a `Cargo.toml` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    /// Packages that the code and its build script use, under any condition.
    pub(crate) dependencies: BTreeSet<String>,
    /// Packages that tests, benchmarks and examples use besides.
    pub(crate) dev_dependencies: BTreeSet<String>,
    pub(crate) has_workspace_lints: bool,
}

impl Manifest {
    pub(crate) fn read(text: &str) -> Self {
        let table: Table = text.parse().unwrap();
        let name = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let lints = table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        let mut dependencies = named(&table, "dependencies");
        dependencies.extend(named(&table, "build-dependencies"));
        Self {
            name: name.unwrap_or_default().to_owned(),
            dependencies,
            dev_dependencies: named(&table, "dev-dependencies"),
            has_workspace_lints: lints == Some(true),
        }
    }
}

/// The packages in every table of this name, by the names that registries know them by.
fn named(table: &Table, section: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        let Value::Table(inner) = value else { continue };
        if key == section {
            found.extend(inner.iter().map(|(name, value)| package_name(name, value)));
        } else {
            found.extend(named(inner, section));
        }
    }
    found
}

fn package_name(name: &str, value: &Value) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
}

#[test]
fn a_manifest_names_packages_however_they_are_written() {
    let manifest = Manifest::read(
        r#"
        [package]
        name = "a"
        [dependencies]
        b.workspace = true
        alias = { package = "c", version = "1" }
        [target.'cfg(unix)'.dependencies]
        d = "1"
        [build-dependencies]
        e = "1"
        [dev-dependencies]
        f = "1"
        [lints]
        workspace = true
        "#,
    );
    assert_eq!(manifest.name, "a");
    assert_eq!(manifest.dependencies, BTreeSet::from(["b", "c", "d", "e"].map(str::to_owned)));
    assert_eq!(manifest.dev_dependencies, BTreeSet::from(["f".to_owned()]));
    assert!(manifest.has_workspace_lints);
    assert!(
        !Manifest::read("[package]\nname = 'a'\n[lints.rust]\nmissing_docs = 'warn'").has_workspace_lints
    );
}
