//! Protocol messages, found by content in the payloads of a flow.
mod message;

pub use message::{
    ClientHello, DnsAnswer, DnsData, DnsMessage, DnsQuestion, HelloVersion, Message, NtpPacket, Sender,
    ServerHello,
};
