//! The page over a network that is made up, to look at and for the tests in a browser.
//!
//! `fake [PORT [DEVICES [TOKEN]]]`; then each line of standard input is the name of a device that appears, and the end
//! of it ends the page.

#![allow(clippy::print_stdout, reason = "the address is what this program says")]

use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thingprint_web::{Web, WebOptions};

#[path = "../tests/fake/mod.rs"]
mod fake;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(7860), |port| port.parse())?;
    let devices = arguments.next().map_or(Ok(12), |devices| devices.parse())?;
    let token = arguments.next();
    let fake = if devices == 0 { fake::Fake::default() } else { fake::Fake::with_devices(devices) };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let web = Web::start(WebOptions { listen, token, ..WebOptions::default() }, Arc::new(fake.clone()))?;
    println!("{}", web.url());
    for name in std::io::stdin().lock().lines() {
        web.publish(&fake.appear(&name?));
    }
    web.stop();
    Ok(())
}
