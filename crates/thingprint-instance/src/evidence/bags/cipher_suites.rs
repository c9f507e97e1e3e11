use thingprint_protocol::{Interest, Message, Protocol, Sender};

use crate::evidence::CollectionCost;
use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
use crate::evidence::observation::SentMessage;
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "cipher_suites",
    title: "Cipher lists",
    words: "cipher lists",
    about: "Cipher-suite lists of the ClientHellos that the device sent: codes in hexadecimal, joined by `-`.",
    cost: Some(CollectionCost::High),
    is_of_paper: true,
    is_trained_on: true,
    source: BagSource::Messages { interest: Interest::NONE.and(Protocol::Tls, Sender::Device), words },
};

fn words(sent: &SentMessage<'_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    if let Message::ClientHello(hello) = sent.message
        && !hello.cipher_suites.is_empty()
    {
        words.text(&hello.cipher_suites_word());
    }
}
