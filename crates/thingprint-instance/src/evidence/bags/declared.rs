use thingprint_protocol::{
    DnsData, DnsMessage, HttpRequest, HttpResponse, Interest, Message, Protocol, Sender, SsdpMessage, Uri,
};

use crate::evidence::bag::{BagDefinition, BagSource, WordCounter};
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
struct Declared<'a, 'w> {
    sent: &'a SentMessage<'a>,
    words: &'a mut WordCounter<'w>,
}

fn words(sent: &SentMessage<'_>, _: &InstanceOptions, words: &mut WordCounter<'_>) {
    let mut declared = Declared { sent, words };
    match sent.message {
        Message::Mdns(dns) => mdns(dns, &mut declared),
        Message::Llmnr(_) => declared.words.text("llmnr"),
        Message::Ssdp(ssdp) => announcement(ssdp, &mut declared),
        Message::HttpRequest(request) => http_request(request, &mut declared),
        Message::HttpResponse(HttpResponse { server: Some(server), .. }) => {
            declared.add("http-server", server);
        }
        _ => {}
    }
}

fn mdns(dns: &DnsMessage, declared: &mut Declared<'_, '_>) {
    for question in &dns.questions {
        declared.add("mdns-query", &question.name);
    }
    for answer in &dns.answers {
        declared.add("mdns-name", &answer.name);
        match &answer.data {
            DnsData::Name(name) => declared.add("mdns-name", name),
            DnsData::Text(texts) => texts.iter().for_each(|text| declared.add("mdns-text", text)),
            DnsData::Service { port, .. } => {
                declared.words.said("mdns-port", &port.to_be_bytes(), || Some(format!("mdns-port:{port}")));
            }
            _ => {}
        }
    }
}

fn announcement(ssdp: &SsdpMessage, declared: &mut Declared<'_, '_>) {
    let texts = [
        ("ssdp", ssdp.method.as_deref()),
        ("ssdp-st", ssdp.search_target.as_deref()),
        ("ssdp-nt", ssdp.notification_type.as_deref()),
        ("ssdp-usn", ssdp.unique_service_name.as_deref()),
        ("ssdp-server", ssdp.server.as_deref()),
        ("ssdp-agent", ssdp.user_agent.as_deref()),
        ("ssdp-man", ssdp.search_type.as_deref()),
        ("ssdp-fields", ssdp.field_order.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            declared.add(name, text);
        }
    }
}

fn http_request(request: &HttpRequest, declared: &mut Declared<'_, '_>) {
    let said = [request.method.as_bytes(), b" ", before_parameters(request.uri.reveal()).as_bytes()].concat();
    let word = || starred(&format!("{} {}", request.method, path(&request.uri)), declared.sent.own);
    declared.words.said("http", &said, || Some(format!("http:{}", word())));
    declared.add("http-fields", request.field_order.as_deref().unwrap_or_default());
    if let Some(agent) = &request.user_agent {
        declared.add("http-agent", agent);
    }
}

/// A path whose parameters do not matter for the word, without them.
fn before_parameters(uri: &str) -> &str {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    // Else the parameters may decide what of the path is a secret.
    let is_plain = path.starts_with('/') && !path.starts_with("//") && !path.contains([':', '%', '=']);
    if is_plain { path } else { uri }
}

/// The path of a URI, without its parameters.
fn path(uri: &Uri) -> String {
    let shown = uri.redacted();
    let end = shown.find(['?', '#']).unwrap_or(shown.len());
    shown.get(..end).unwrap_or_default().to_owned()
}

impl Declared<'_, '_> {
    fn add(&mut self, name: &'static str, text: &str) {
        let own = self.sent.own;
        self.words.said(name, text.as_bytes(), || Some(format!("{name}:{}", starred(text, own))));
    }
}

#[cfg(test)]
mod tests {
    use super::before_parameters;

    #[test]
    fn parameters_that_may_decide_the_word_are_kept() {
        assert_eq!(before_parameters("/a/b?x=1&y=2"), "/a/b");
        // A secret in the path ends at the next parameter, if there is one.
        for uri in ["/a/token=abc?x=1&y=2", "/a/%74oken?x=1", "//user:word@host/a?x=1", "http://host/a?x=1"] {
            assert_eq!(before_parameters(uri), uri);
        }
    }
}
