//! The packages of the repository, as cargo knows them.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::tree::root;

/// A package, with the names of those that it depends on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The path of its manifest.
    pub(crate) manifest: String,
    /// Packages that the code and its build script use, under any condition.
    pub(crate) dependencies: BTreeSet<String>,
    /// Packages that tests, benchmarks and examples use as well.
    pub(crate) dev_dependencies: BTreeSet<String>,
}

impl Package {
    /// A package as `cargo metadata` describes it.
    fn read(package: &Value) -> Self {
        let (mut dependencies, mut dev_dependencies) = (BTreeSet::new(), BTreeSet::new());
        for dependency in package["dependencies"].as_array().unwrap() {
            let is_dev = dependency["kind"] == "dev";
            let named = if is_dev { &mut dev_dependencies } else { &mut dependencies };
            named.insert(text(&dependency["name"]));
        }
        Self {
            name: text(&package["name"]),
            manifest: text(&package["manifest_path"]),
            dependencies,
            dev_dependencies,
        }
    }
}

/// Manifests of the workspaces: the program, the fuzz targets, the Python package.
const WORKSPACES: [&str; 3] = ["Cargo.toml", "fuzz/Cargo.toml", "crates/thingprint-python/Cargo.toml"];

/// Every package of every workspace.
pub(crate) fn packages() -> Vec<Package> {
    let packages: Vec<Package> = WORKSPACES.into_iter().flat_map(members).collect();
    assert!(packages.len() >= 8, "only {} packages", packages.len());
    packages
}

fn members(manifest: &str) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1", "--manifest-path"])
        .arg(root().join(manifest))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(Package::read).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
