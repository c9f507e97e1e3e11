//! What a flow shows of its device.

use std::fmt::Display;

use thingprint_flow::{Flow, address_text};
use thingprint_protocol::{
    Carrier, ClientHello, DhcpMessage, Heard, HttpRequest, Message, QuicInitial, Sender, ServerHello,
    SsdpMessage, Uri,
};

use super::attribute::Attribute;

/// Every value that the messages of a flow show of its device; one that is shown twice comes twice.
pub(super) fn shown(flow: &Flow<Heard>) -> Vec<(Attribute, String)> {
    let mut shown = Shown(Vec::new());
    for heard in flow.state.messages.iter().filter(|heard| !heard.is_passed_on) {
        match heard.sender {
            Sender::Device => shown.of_device(&heard.message, flow),
            Sender::Peer => shown.of_peer(&heard.message),
        }
    }
    shown.0
}

/// What a DHCP message shows of its client.
pub(super) fn shown_by_dhcp(message: &DhcpMessage) -> Vec<(Attribute, String)> {
    let mut shown = Shown(Vec::new());
    shown.dhcp(message);
    shown.0
}

#[derive(Debug)]
struct Shown(Vec<(Attribute, String)>);

impl Shown {
    /// What the device itself says.
    fn of_device(&mut self, message: &Message, flow: &Flow<Heard>) {
        match message {
            Message::ClientHello(hello) => self.hello(hello, Carrier::Tcp),
            Message::QuicInitial(QuicInitial { client_hello: Some(hello), .. }) => {
                self.hello(hello, Carrier::Quic);
            }
            Message::HttpRequest(request) => self.request(request),
            Message::HttpResponse(response) => {
                self.text(Attribute::HttpOwnServer, response.server.as_deref());
            }
            Message::Dns(query) if query.is_plain_query() => {
                let names = query.questions.iter().map(|question| question.name.clone());
                self.0.extend(names.map(|name| (Attribute::DnsName, name)));
            }
            Message::Dhcp(message) if message.op == 1 => self.dhcp(message),
            Message::Ntp(packet) if packet.is_request() => {
                self.push(Attribute::NtpVersion, packet.version.to_string());
                self.push(Attribute::NtpServer, address_text(flow.peer.addr));
            }
            Message::Ssdp(message) => self.ssdp(message),
            _ => {}
        }
    }

    /// What others say to it.
    fn of_peer(&mut self, message: &Message) {
        match message {
            Message::ServerHello(hello)
            | Message::QuicInitial(QuicInitial { server_hello: Some(hello), .. }) => self.choice(hello),
            Message::HttpResponse(response) => self.text(Attribute::HttpServer, response.server.as_deref()),
            _ => {}
        }
    }

    fn hello(&mut self, hello: &ClientHello, carrier: Carrier) {
        if hello.cipher_suites.is_empty() {
            return;
        }
        self.push(Attribute::TlsCipherSuites, hello.cipher_suites_word());
        self.push(Attribute::TlsExtensions, joined(&hello.extensions));
        let groups: Vec<String> = hello.groups.iter().map(|group| format!("{group:04x}")).collect();
        if !groups.is_empty() {
            self.push(Attribute::TlsGroups, groups.join("-"));
        }
        self.text(Attribute::TlsJa3, hello.ja3().as_deref());
        self.push(Attribute::TlsJa4, hello.ja4(carrier));
        self.text(Attribute::TlsServerName, hello.server_name.as_deref());
    }

    fn choice(&mut self, hello: &ServerHello) {
        if !hello.is_retry_request {
            self.push(Attribute::TlsChosenSuite, format!("{:04x}", hello.cipher_suite));
        }
    }

    fn request(&mut self, request: &HttpRequest) {
        self.push(Attribute::HttpMethod, request.method.clone());
        self.text(Attribute::HttpHost, request.host.as_ref().map(Uri::redacted).as_deref());
        self.text(Attribute::HttpUserAgent, request.user_agent.as_deref());
    }

    fn dhcp(&mut self, message: &DhcpMessage) {
        if !message.parameter_request_list.is_empty() {
            self.push(Attribute::DhcpParameterList, joined(&message.parameter_request_list));
        }
        self.text(Attribute::DhcpVendorClass, message.vendor_class.as_deref());
        self.text(Attribute::DhcpHostName, message.host_name.as_deref());
        self.text(Attribute::DhcpMudUrl, message.mud_url.as_ref().map(Uri::redacted).as_deref());
    }

    fn ssdp(&mut self, message: &SsdpMessage) {
        self.text(Attribute::SsdpServer, message.server.as_deref());
        self.text(Attribute::SsdpUserAgent, message.user_agent.as_deref());
        if message.method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case("M-SEARCH")) {
            self.text(Attribute::SsdpSearchTarget, message.search_target.as_deref());
        }
        // A USN is `uuid:...::type`; the part in front is another one for each unit.
        let kind = message.unique_service_name.as_deref().and_then(|name| name.split_once("::"));
        if let Some((_, kind)) = kind {
            self.push(Attribute::SsdpType, kind.to_owned());
        }
    }

    fn text(&mut self, attribute: Attribute, value: Option<&str>) {
        if let Some(value) = value {
            self.push(attribute, value.to_owned());
        }
    }

    fn push(&mut self, attribute: Attribute, value: String) {
        self.0.push((attribute, value));
    }
}

/// Numbers in their order, joined by `-`.
fn joined<T: Display>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join("-")
}
