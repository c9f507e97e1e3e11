use std::net::Ipv4Addr;

use super::put32;

/// Port of the server.
pub(crate) const SERVER_PORT: u16 = 67;
/// Port of the client.
pub(crate) const CLIENT_PORT: u16 = 68;

/// Message type, option 53 (RFC 2132 §9.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
}

/// What stays the same in one exchange between a client and a server.
pub(crate) struct Exchange<'a> {
    pub(crate) id: u32,
    pub(crate) client: [u8; 6],
    /// The address that is asked for and given.
    pub(crate) address: Ipv4Addr,
    pub(crate) server: Ipv4Addr,
    pub(crate) lease_s: u32,
    pub(crate) domain: &'a str,
    pub(crate) host_name: Option<&'a str>,
    pub(crate) vendor_class: Option<&'a str>,
    pub(crate) parameters: &'a [u8],
}

/// Where a client stands when it asks (RFC 2131 §4.3.2): it decides what the request says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Answering an offer.
    Selecting,
    /// Asking for the address of last time.
    Rebooting,
    /// Prolonging the lease of an address in use.
    Renewing,
}

impl Exchange<'_> {
    /// DISCOVER: is there a server?
    pub(crate) fn discover(&self) -> Vec<u8> {
        let mut message = self.head(1, [Ipv4Addr::UNSPECIFIED; 2]);
        option(&mut message, 53, &[Type::Discover as u8]);
        self.finish_client(message)
    }

    /// REQUEST, as the state asks for it.
    pub(crate) fn request(&self, state: State) -> Vec<u8> {
        let in_use = if state == State::Renewing { self.address } else { Ipv4Addr::UNSPECIFIED };
        let mut message = self.head(1, [in_use, Ipv4Addr::UNSPECIFIED]);
        option(&mut message, 53, &[Type::Request as u8]);
        if state != State::Renewing {
            option(&mut message, 50, &self.address.octets());
        }
        if state == State::Selecting {
            option(&mut message, 54, &self.server.octets());
        }
        self.finish_client(message)
    }

    /// OFFER or ACK.
    pub(crate) fn answer(&self, kind: Type) -> Vec<u8> {
        let mut message = self.head(2, [Ipv4Addr::UNSPECIFIED, self.address]);
        option(&mut message, 53, &[kind as u8]);
        option(&mut message, 54, &self.server.octets());
        for (code, seconds) in [(51, self.lease_s), (58, self.lease_s / 2), (59, self.lease_s / 8 * 7)] {
            option(&mut message, code, &seconds.to_be_bytes());
        }
        option(&mut message, 1, &[255, 255, 255, 0]);
        for code in [3, 6] {
            option(&mut message, code, &self.server.octets());
        }
        option(&mut message, 15, self.domain.as_bytes());
        finish(message)
    }

    /// The fixed part of a message, with the addresses of client and "yours".
    fn head(&self, operation: u8, [client, yours]: [Ipv4Addr; 2]) -> Vec<u8> {
        let mut message = vec![operation, 1, 6, 0];
        put32(&mut message, self.id);
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&client.octets());
        message.extend_from_slice(&yours.octets());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(&self.client);
        message.resize(236, 0);
        message.extend_from_slice(&[0x63, 0x82, 0x53, 0x63]);
        message
    }

    fn finish_client(&self, mut message: Vec<u8>) -> Vec<u8> {
        let mut identifier = vec![1];
        identifier.extend_from_slice(&self.client);
        option(&mut message, 61, &identifier);
        if let Some(name) = self.host_name {
            option(&mut message, 12, name.as_bytes());
        }
        if let Some(class) = self.vendor_class {
            option(&mut message, 60, class.as_bytes());
        }
        if !self.parameters.is_empty() {
            option(&mut message, 55, self.parameters);
        }
        finish(message)
    }
}

fn option(message: &mut Vec<u8>, code: u8, value: &[u8]) {
    let value = value.get(..255).unwrap_or(value);
    message.push(code);
    message.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
    message.extend_from_slice(value);
}

/// Ends the options and pads to the 300 bytes that old relays expect (RFC 1542 §2.1).
fn finish(mut message: Vec<u8>) -> Vec<u8> {
    message.push(255);
    let length = message.len().max(300);
    message.resize(length, 0);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCHANGE: Exchange<'_> = Exchange {
        id: 7,
        client: [2, 0, 0, 0, 0, 9],
        address: Ipv4Addr::new(192, 168, 20, 31),
        server: Ipv4Addr::new(192, 168, 20, 1),
        lease_s: 3600,
        domain: "home.arpa",
        host_name: Some("lumen-210017"),
        vendor_class: None,
        parameters: &[1, 3, 6],
    };

    /// The options of a message with their values.
    fn options(message: &[u8]) -> Vec<(u8, &[u8])> {
        assert!(message.len() >= 300);
        let mut rest = &message[240..];
        let mut options = Vec::new();
        while let [code, length, after @ ..] = rest
            && *code != 255
        {
            let (value, after) = after.split_at(usize::from(*length));
            options.push((*code, value));
            rest = after;
        }
        options
    }

    fn codes(message: &[u8]) -> Vec<u8> {
        options(message).iter().map(|(code, _)| *code).collect()
    }

    #[test]
    fn a_request_says_what_its_state_asks_for() {
        assert_eq!(codes(&EXCHANGE.discover()), [53, 61, 12, 55]);
        assert_eq!(codes(&EXCHANGE.request(State::Selecting)), [53, 50, 54, 61, 12, 55]);
        assert_eq!(codes(&EXCHANGE.request(State::Rebooting)), [53, 50, 61, 12, 55]);
        let renewal = EXCHANGE.request(State::Renewing);
        assert_eq!(codes(&renewal), [53, 61, 12, 55]);
        assert_eq!(renewal[12..16], EXCHANGE.address.octets());
        assert!(options(&renewal).contains(&(12, b"lumen-210017")));
    }

    #[test]
    fn an_answer_gives_address_lease_gateway_and_resolver() {
        let ack = EXCHANGE.answer(Type::Ack);
        assert_eq!(ack[16..20], EXCHANGE.address.octets());
        let options = options(&ack);
        let server = EXCHANGE.server.octets();
        for expected in [(53, &[5][..]), (51, &[0, 0, 14, 16]), (3, &server), (6, &server)] {
            assert!(options.contains(&expected), "{expected:?}");
        }
    }
}
