use std::collections::{BTreeMap, BTreeSet};

use crate::message::MessageBody;
use crate::{Budget, DnsData, DnsMessage, Message, Protocol};

/// Different DNS answers that are kept of one flow beyond its messages.
const MOST_ANSWERS: usize = 4096;

/// Messages of a flow for which there was no room, counted, with the DNS answers among them.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    pub(crate) dropped: BTreeMap<Protocol, u64>,
    /// Each once.
    pub(crate) answers: Vec<DnsMessage>,
    /// DNS answers for which there was no room either.
    pub(crate) answers_dropped: u64,
    /// Bytes that the answers take.
    pub(crate) bytes: usize,
    /// What the answers say.
    known: BTreeSet<Box<[u8]>>,
}

impl Overflow {
    /// Counts a message, and keeps it if it is a DNS answer that says something new.
    pub(crate) fn add(&mut self, message: Message, budget: &mut Budget) {
        *self.dropped.entry(message.protocol()).or_default() += 1;
        let Message::Dns(answer) = message else { return };
        if !answer.is_response() || answer.answers.is_empty() {
            return;
        }
        let said = said(&answer);
        if self.known.contains(&said) {
            return;
        }
        let bytes = held_bytes(&answer, &said);
        if self.answers.len() < MOST_ANSWERS && budget.reserve(bytes) {
            self.bytes += bytes;
            self.known.insert(said);
            self.answers.push(answer);
        } else {
            self.answers_dropped += 1;
        }
    }
}

impl Overflow {
    /// Lets go of answers, the latest first, as long as the device owes the budget something.
    pub(crate) fn relieve(&mut self, budget: &mut Budget) {
        while budget.owed() > 0
            && let Some(answer) = self.answers.pop()
        {
            let said = said(&answer);
            let bytes = held_bytes(&answer, &said);
            self.known.remove(&said);
            self.bytes = self.bytes.saturating_sub(bytes);
            budget.release(bytes);
            budget.pay(bytes);
            self.answers_dropped += 1;
        }
    }
}

/// Bytes that an answer takes with what it says.
fn held_bytes(answer: &DnsMessage, said: &[u8]) -> usize {
    size_of::<DnsMessage>() + answer.heap_bytes() + said.len() + size_of::<Box<[u8]>>()
}

/// Which names and addresses an answer gives: all but its number and its times.
fn said(answer: &DnsMessage) -> Box<[u8]> {
    let mut said = Vec::new();
    let mut add = |bytes: &[u8]| {
        said.extend(bytes.len().to_be_bytes());
        said.extend(bytes);
    };
    for question in &answer.questions {
        add(question.name.as_bytes());
    }
    for record in &answer.answers {
        add(record.name.as_bytes());
        match &record.data {
            DnsData::Address(address) => add(address.to_string().as_bytes()),
            DnsData::Name(name) => add(name.as_bytes()),
            _ => add(&record.rtype.to_be_bytes()),
        }
    }
    said.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers;

    /// An answer that gives `a.example` an address.
    fn answer(id: u8, last: u8) -> Message {
        let mut bytes =
            [&[id, 7, 0x81, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], b"\x01a\x07example\0\0\x01\0\x01"].concat();
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, id, 0, 4, 192, 0, 2, last]);
        Message::Dns(parsers::dns(&bytes, bytes.len()).unwrap())
    }

    #[test]
    fn answers_are_kept_once_whatever_their_number_and_time() {
        let (mut overflow, mut budget) = (Overflow::default(), Budget::new(1 << 20));
        for id in 1..100 {
            overflow.add(answer(id, id % 3), &mut budget);
        }
        assert_eq!((overflow.answers.len(), overflow.answers_dropped), (3, 0));
        assert_eq!(overflow.dropped, BTreeMap::from([(Protocol::Dns, 99)]));
        assert_eq!(budget.used_bytes(), overflow.bytes);
    }

    #[test]
    fn answers_have_a_budget_of_their_own() {
        let (mut overflow, mut budget) = (Overflow::default(), Budget::new(0));
        overflow.add(answer(1, 1), &mut budget);
        overflow.add(answer(2, 2), &mut budget);
        assert_eq!((overflow.answers.len(), overflow.answers_dropped), (0, 2));
    }
}
