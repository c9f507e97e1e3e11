use std::fmt::Write;
use std::net::Ipv4Addr;

use crate::profile::Upnp;

/// Port of SSDP.
pub(crate) const PORT: u16 = 1900;
/// Group of SSDP.
pub(crate) const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);

/// `M-SEARCH`: who is this target?
pub(crate) fn search(target: &str, man: &str) -> Vec<u8> {
    let mut text = String::from("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n");
    let _ = write!(text, "MAN: {man}\r\nMX: 2\r\nST: {target}\r\n\r\n");
    text.into_bytes()
}

/// A device that makes itself known.
pub(crate) struct Advertiser<'a> {
    pub(crate) upnp: &'a Upnp,
    pub(crate) uuid: &'a str,
    pub(crate) ip: Ipv4Addr,
}

impl Advertiser<'_> {
    /// The targets that it answers to (`UPnP` Device Architecture 1.1 table 1-1).
    pub(crate) fn targets(&self) -> [String; 3] {
        ["upnp:rootdevice".to_owned(), format!("uuid:{}", self.uuid), self.upnp.device_type.clone()]
    }

    /// `NOTIFY` for one of the targets, with `ssdp:alive` or another sub-type.
    pub(crate) fn notify(&self, target: &str, nts: &str) -> Vec<u8> {
        let mut text = String::from("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n");
        let _ = write!(text, "NT: {target}\r\nNTS: {nts}\r\n");
        self.finish(text, target)
    }

    /// The answer to a search for one of the targets.
    pub(crate) fn answer(&self, target: &str) -> Vec<u8> {
        let text = format!("HTTP/1.1 200 OK\r\nEXT:\r\nST: {target}\r\n");
        self.finish(text, target)
    }

    fn finish(&self, mut text: String, target: &str) -> Vec<u8> {
        let Upnp { server, port, path, .. } = self.upnp;
        let _ = write!(text, "CACHE-CONTROL: max-age=1800\r\nLOCATION: http://{}:{port}{path}\r\n", self.ip);
        let _ = write!(text, "SERVER: {server}\r\n{}\r\n\r\n", self.usn(target));
        text.into_bytes()
    }

    /// The unique service name: the device alone, or the device and what it stands for here.
    fn usn(&self, target: &str) -> String {
        let device = format!("USN: uuid:{}", self.uuid);
        if target.starts_with("uuid:") { device } else { format!("{device}::{target}") }
    }
}
