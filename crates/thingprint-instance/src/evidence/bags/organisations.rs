use std::net::IpAddr;

use thingprint_protocol::{Interest, Message, Protocol, Sender};

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::observation::SentMessage;
use crate::evidence::star::starred;
use crate::lookup::is_lookup;
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "organisations",
    title: "Organisations",
    words: "organisations",
    about: "Registrable domains of the names that the device asks DNS for, and gives to TLS and HTTP servers.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Messages { interest: INTEREST, words },
};

const INTEREST: Interest = Interest::NONE
    .and(Protocol::Dns, Sender::Device)
    .and(Protocol::Tls, Sender::Device)
    .and(Protocol::Http, Sender::Device);

fn words(sent: &SentMessage<'_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    let mut of_name = |name: &str| {
        words.said("name", name.as_bytes(), || Some(starred(&registrable(name)?, sent.own)));
    };
    match sent.message {
        Message::Dns(dns) if is_lookup(dns, sent.packet) => {
            dns.questions.iter().for_each(|question| of_name(&question.name));
        }
        Message::ClientHello(hello) => hello.server_name.iter().for_each(|name| of_name(name)),
        Message::HttpRequest(request) => {
            if let Some(host) = &request.host {
                let host = host.redacted();
                of_name(host.split(':').next().unwrap_or_default());
            }
        }
        _ => {}
    }
}

/// Labels below which countries register names, in front of two letters: `co.uk`, `com.au`, `ne.jp`.
const SECOND_LEVEL: [&str; 11] = ["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org", "gob"];

/// Last labels of names that nobody registered: what is in front of them is the name of a host or of a household (RFC 6761,
/// RFC 6762, RFC 8375).
const LOCAL: [&str; 10] =
    ["arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "test"];

/// The domain that somebody registered: the last two labels, or three where the last but one is of those below which a
/// country registers. Nothing of an address or of a name without a dot.
///
/// The public suffix list knows more, but as a crate it takes minutes to compile into each program.
fn registrable(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').collect();
    let (Some(top), Some(second)) = (labels.last(), labels.iter().nth_back(1)) else { return None };
    if LOCAL.contains(top) || labels.iter().any(|label| label.is_empty()) || name.parse::<IpAddr>().is_ok() {
        return None;
    }
    let is_country = top.len() == 2 && SECOND_LEVEL.contains(second);
    let most = if is_country { 3 } else { 2 };
    let from = labels.len().saturating_sub(most);
    labels.get(from..).map(|labels| labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::registrable;

    #[test]
    fn names_are_shortened_to_what_was_registered() {
        let check =
            |name: &str, expected: Option<&str>| assert_eq!(registrable(name).as_deref(), expected, "{name}");
        check("fw-update2.Smartthings.com.", Some("smartthings.com"));
        check("api.vendor.co.uk", Some("vendor.co.uk"));
        check("vendor.co.uk", Some("vendor.co.uk"));
        check("time.ne.example", Some("ne.example"));
        check("co.uk", Some("co.uk"));
        for name in [
            "hue-1a2b3c.local",
            "smith.lan",
            "router",
            "",
            "7.1.168.192.in-addr.arpa",
            "192.0.2.7",
            "a..b",
            "2001:db8::1",
        ] {
            check(name, None);
        }
    }
}
