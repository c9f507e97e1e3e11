use thingprint_protocol::{Interest, Message, Protocol, Sender};

use crate::evidence::CollectionCost;
use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::observation::SentMessage;
use crate::lookup::is_lookup;
use crate::options::{InstanceOptions, NameSource};

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "domains",
    title: "Domain names",
    words: "domains",
    about: "Names in the DNS queries that the device sent.",
    cost: Some(CollectionCost::High),
    is_of_paper: true,
    is_trained_on: true,
    source: BagSource::Messages {
        interest: Interest::NONE.and(Protocol::Dns, Sender::Device).and(Protocol::Tls, Sender::Device),
        words,
    },
};

fn words(sent: &SentMessage<'_>, options: &InstanceOptions, words: &mut WordCounter<'_>) {
    match sent.message {
        Message::Dns(dns) if options.names.contains(&NameSource::Dns) && is_lookup(dns, sent.packet) => {
            for question in &dns.questions {
                words.text(&question.name);
            }
        }
        Message::ClientHello(hello) if options.names.contains(&NameSource::Sni) => {
            if let Some(name) = &hello.server_name {
                words.text(name);
            }
        }
        _ => {}
    }
}
