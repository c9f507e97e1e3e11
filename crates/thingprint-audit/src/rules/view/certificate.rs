use thingprint_flow::Flow;
use thingprint_protocol::{Certificate, Heard, HeardMessage, Message, Sender};

use super::client_hellos;

/// The certificates that servers show of themselves, the first of each chain, with the name that the client asked for. From
/// TLS 1.3 on they are encrypted, and clients may show some as well, which are not among these.
pub(crate) fn server_certificates(
    flow: &Flow<Heard>,
) -> impl Iterator<Item = (&HeardMessage, &Certificate, Option<&str>)> {
    let asked = client_hellos(flow).next();
    let client = asked.map(|(heard, _)| heard.sender);
    let name = asked.and_then(|(_, hello)| hello.server_name.as_deref());
    let is_client = client.map_or(flow.is_client, |client| client == Sender::Device);
    let server = if is_client { Sender::Peer } else { Sender::Device };
    flow.state.messages.iter().filter(move |heard| heard.sender == server).filter_map(move |heard| {
        match &heard.message {
            Message::Certificates(chain) => Some((heard, chain.certificates.first()?, name)),
            _ => None,
        }
    })
}
