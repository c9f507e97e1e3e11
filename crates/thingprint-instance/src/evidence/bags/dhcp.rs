use thingprint_protocol::{DhcpMessage, Interest, Message, Protocol, Sender};

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::observation::SentMessage;
use crate::evidence::star::starred;
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "dhcp",
    title: "DHCP client",
    words: "DHCP traits",
    about: "What the device's DHCP client sends: the options it asks for, vendor class, host name, the order of its options, \
            the largest message it takes.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Messages { interest: Interest::NONE.and(Protocol::Dhcp, Sender::Device), words },
};

/// `op` of what clients send.
const REQUEST: u8 = 1;
/// RFC 2132 §9.10.
const LARGEST_MESSAGE: u8 = 57;

fn words(sent: &SentMessage<'_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    let Message::Dhcp(dhcp) = sent.message else { return };
    // A relay sends what others said.
    let is_own = dhcp.client_mac.is_none() || sent.own.is_none() || dhcp.client_mac == sent.own;
    if dhcp.op != REQUEST || !is_own {
        return;
    }
    if !dhcp.parameter_request_list.is_empty() {
        words.text(&format!("asks:{}", joined(dhcp.parameter_request_list.iter().copied())));
    }
    for (name, text) in [("class", &dhcp.vendor_class), ("host", &dhcp.host_name)] {
        if let Some(text) = text {
            words.text(&format!("{name}:{}", starred(text, sent.own)));
        }
    }
    let order = joined(dhcp.options.iter().map(|option| option.code));
    words.text(&format!("order{}:{order}", dhcp.message_type.unwrap_or_default()));
    if let Some(bytes) = largest_message(dhcp) {
        words.text(&format!("most:{bytes}"));
    }
}

fn joined(codes: impl Iterator<Item = u8>) -> String {
    codes.map(|code| code.to_string()).collect::<Vec<_>>().join(",")
}

fn largest_message(dhcp: &DhcpMessage) -> Option<u16> {
    let option = dhcp.options.iter().find(|option| option.code == LARGEST_MESSAGE)?;
    <[u8; 2]>::try_from(option.value.as_slice()).ok().map(u16::from_be_bytes)
}
