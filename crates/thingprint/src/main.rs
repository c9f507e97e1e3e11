//! Identifies the devices on a network from their traffic.

use std::process::ExitCode;

fn main() -> ExitCode {
    thingprint_command::main()
}
