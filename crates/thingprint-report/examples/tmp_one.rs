//! tmp
#![allow(warnings, clippy::all)]
fn main() {
    let b = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    println!("{:?}", thingprint_report::read_instances(&b, "x").map(|v| v.rows.len()));
}
