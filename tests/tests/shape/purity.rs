//! What library crates leave to the command: files, clock, environment, terminal.

use crate::code::{paths, tokens, without_tests};
use crate::tree::{packages, source_files};

/// Paths that reach outside the program, each with what follows it.
const OUTSIDE: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net::{TcpStream, TcpListener, UdpSocket}",
    "std::process",
    "std::thread::available_parallelism",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Macros that print.
const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// The package that everything outside is left to.
const COMMAND: &str = "thingprint";

/// Files that may reach for something: a result that appears whole or not at all is a matter of the file system.
const EXCEPTIONS: [(&str, &str); 1] = [("crates/thingprint-report/src/atomic.rs", "std::fs")];

#[test]
fn libraries_reach_for_nothing_outside() {
    let libraries = packages().into_iter().filter(|package| package.manifest.name != COMMAND);
    let mut found = Vec::new();
    for file in libraries.flat_map(|package| source_files(&package.folder)) {
        let is_excepted = |path: &str| {
            EXCEPTIONS.iter().any(|(place, allowed)| *place == file.path && is_or_is_in(path, allowed))
        };
        let reached = reaches_outside(&file.text).into_iter().filter(|path| !is_excepted(path));
        found.extend(reached.map(|path| format!("{}: {path}", file.path)));
    }
    assert_eq!(found, [""; 0]);
}

/// Paths and macros of code, tests left out, that reach outside the program.
fn reaches_outside(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let tokens = without_tests(&tokens);
    let outside = outside();
    let is_outside =
        |path: &String| outside.iter().any(|prefix| is_or_is_in(path, prefix)) || path.ends_with("::now");
    let printed = tokens.windows(2).filter(|pair| pair[1] == "!" && PRINTING.contains(&pair[0]));
    let printed = printed.map(|pair| format!("{}!", pair[0]));
    paths(&tokens).into_iter().filter(is_outside).chain(printed).collect()
}

fn outside() -> Vec<String> {
    OUTSIDE.iter().flat_map(|tree| paths(&tokens(tree))).collect()
}

fn is_or_is_in(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_outside_is_found() {
        let check =
            |source: &str, expected: &[&str]| assert_eq!(reaches_outside(source), expected, "{source}");
        check("use std::fs::File;", &["std::fs::File"]);
        check("use std::{fmt, env::{self, VarError}};", &["std::env::self", "std::env::VarError"]);
        check("let t = std::time::Instant::now();", &["std::time::Instant::now"]);
        check("let t = jiff::Timestamp::now();", &["jiff::Timestamp::now"]);
        check("std::thread::available_parallelism()", &["std::thread::available_parallelism"]);
        check("use std::net::UdpSocket;", &["std::net::UdpSocket"]);
        for name in PRINTING {
            let called = format!("{name}!");
            check(&format!("fn f() {{ {called}(x); }}"), &[&called]);
        }
    }

    #[test]
    fn what_stays_inside_is_not() {
        let check = |source: &str| assert_eq!(reaches_outside(source), [""; 0], "{source}");
        check("use std::io::{Read, Write}; use std::net::IpAddr; use std::time::Duration;");
        check("/// Calls `std::fs::read`.\nfn f() { env!(\"CARGO_PKG_VERSION\"); writeln!(out) }");
        check("fn f() {} #[cfg(test)] mod tests { fn g() { std::fs::read(p); println!() } }");
        check("use std::fsx; use crate::std::fs;");
    }
}
