use thingprint_protocol::{
    DnsData, DnsMessage, HttpRequest, HttpResponse, Interest, Message, Protocol, Sender, SsdpMessage, Uri,
};

use crate::evidence::bag::{BagDefinition, BagSource};
use crate::evidence::observation::SentMessage;
use crate::evidence::star::starred;
use crate::options::InstanceOptions;

pub(super) static DEFINITION: BagDefinition = BagDefinition {
    name: "declared",
    title: "Declarations",
    words: "declarations",
    about: "What the device says of itself and its services in mDNS, LLMNR, SSDP and HTTP messages.",
    cost: None,
    is_of_paper: false,
    is_trained_on: true,
    source: BagSource::Messages { interest: INTEREST, words },
};

const INTEREST: Interest = Interest::NONE
    .and(Protocol::Mdns, Sender::Device)
    .and(Protocol::Llmnr, Sender::Device)
    .and(Protocol::Ssdp, Sender::Device)
    .and(Protocol::Http, Sender::Device);

/// Counts a text under the name of what says it, without what only this unit has.
struct Words<'a> {
    sent: &'a SentMessage<'a>,
    count: &'a mut dyn FnMut(&str),
}

fn words(sent: &SentMessage<'_>, _: &InstanceOptions, count: &mut dyn FnMut(&str)) {
    let mut words = Words { sent, count };
    match sent.message {
        Message::Mdns(dns) => mdns(dns, &mut words),
        Message::Llmnr(_) => (words.count)("llmnr"),
        Message::Ssdp(ssdp) => announcement(ssdp, &mut words),
        Message::HttpRequest(request) => http_request(request, &mut words),
        Message::HttpResponse(HttpResponse { server: Some(server), .. }) => words.add("http-server", server),
        _ => {}
    }
}

fn mdns(dns: &DnsMessage, words: &mut Words<'_>) {
    for question in &dns.questions {
        words.add("mdns-query", &question.name);
    }
    for answer in &dns.answers {
        words.add("mdns-name", &answer.name);
        match &answer.data {
            DnsData::Name(name) => words.add("mdns-name", name),
            DnsData::Text(texts) => texts.iter().for_each(|text| words.add("mdns-text", text)),
            DnsData::Service { port, .. } => (words.count)(&format!("mdns-port:{port}")),
            _ => {}
        }
    }
}

fn announcement(ssdp: &SsdpMessage, words: &mut Words<'_>) {
    let texts = [
        ("ssdp", &ssdp.method),
        ("ssdp-st", &ssdp.search_target),
        ("ssdp-nt", &ssdp.notification_type),
        ("ssdp-usn", &ssdp.unique_service_name),
        ("ssdp-server", &ssdp.server),
        ("ssdp-agent", &ssdp.user_agent),
        ("ssdp-man", &ssdp.search_type),
        ("ssdp-fields", &ssdp.field_order),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            words.add(name, text);
        }
    }
}

fn http_request(request: &HttpRequest, words: &mut Words<'_>) {
    words.add("http", &format!("{} {}", request.method, path(&request.uri)));
    words.add("http-fields", request.field_order.as_deref().unwrap_or_default());
    if let Some(agent) = &request.user_agent {
        words.add("http-agent", agent);
    }
}

/// The path of a URI, without its parameters.
fn path(uri: &Uri) -> String {
    let shown = uri.redacted();
    let end = shown.find(['?', '#']).unwrap_or(shown.len());
    shown.get(..end).unwrap_or_default().to_owned()
}

impl Words<'_> {
    fn add(&mut self, name: &str, text: &str) {
        (self.count)(&format!("{name}:{}", starred(text, self.sent.own)));
    }
}
