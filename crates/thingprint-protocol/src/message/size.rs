//! How much memory messages take, about: lengths of texts and lists, without what allocators add.
use crate::{
    Authentication, Certificate, ClientHello, DhcpMessage, DnsAnswer, DnsData, DnsMessage, HttpRequest,
    HttpResponse, Message, SsdpMessage, Uri,
};

impl Message {
    /// Bytes that the message takes, those behind pointers included.
    pub(crate) fn held_bytes(&self) -> usize {
        let behind = match self {
            Self::Dns(message) | Self::Mdns(message) | Self::Llmnr(message) => dns(message),
            Self::Ntp(_) | Self::NtpControl(_) => 0,
            Self::ClientHello(hello) => client_hello(hello),
            Self::ServerHello(hello) => size_of_val(&*hello.extensions),
            Self::Certificates(chain) => chain.certificates.iter().map(certificate).sum(),
            Self::Dhcp(message) => dhcp(message),
            Self::HttpRequest(request) => http_request(request),
            Self::HttpResponse(response) => http_response(response),
            Self::Ssdp(message) => ssdp(message),
            Self::QuicInitial(initial) => initial.client_hello.as_ref().map_or(0, client_hello),
            Self::Described(described) => described.held_bytes(),
        };
        size_of::<Self>() + behind
    }
}

fn dns(message: &DnsMessage) -> usize {
    let questions: usize = message.questions.iter().map(|question| question.name.capacity()).sum();
    let answers: usize = message.answers.iter().map(answer).sum();
    size_of_val(&*message.questions) + questions + answers
}

fn answer(answer: &DnsAnswer) -> usize {
    let data = match &answer.data {
        DnsData::Address(_) | DnsData::Other => 0,
        DnsData::Name(name) => name.capacity(),
        DnsData::Text(texts) => size_of_val(&**texts) + texts.iter().map(String::capacity).sum::<usize>(),
        DnsData::Service { target, .. } | DnsData::Binding { target, .. } => target.capacity(),
    };
    size_of::<DnsAnswer>() + answer.name.capacity() + data
}

fn client_hello(hello: &ClientHello) -> usize {
    let alpn: usize = hello.alpn.iter().map(|name| size_of_val(name) + name.len()).sum();
    size_of_val(&*hello.cipher_suites)
        + size_of_val(&*hello.extensions)
        + text(hello.server_name.as_ref())
        + size_of_val(&*hello.supported_versions)
        + size_of_val(&*hello.groups)
        + hello.point_formats.len()
        + size_of_val(&*hello.signature_algorithms)
        + alpn
}

fn certificate(certificate: &Certificate) -> usize {
    let names: usize = certificate.names.iter().map(|name| size_of::<String>() + name.len()).sum();
    size_of::<Certificate>()
        + certificate.serial.as_ref().map_or(0, Vec::len)
        + text(certificate.subject.as_ref())
        + text(certificate.issuer.as_ref())
        + names
}

fn dhcp(message: &DhcpMessage) -> usize {
    let texts = [&message.server_name, &message.boot_file, &message.host_name, &message.vendor_class];
    texts.into_iter().map(|found| text(found.as_ref())).sum::<usize>()
        + uri(message.mud_url.as_ref())
        + message.client_identifier.as_ref().map_or(0, Vec::len)
        + message.parameter_request_list.len()
        + message.options.iter().map(|option| size_of_val(option) + option.value.len()).sum::<usize>()
}

fn http_request(request: &HttpRequest) -> usize {
    let sent = |authentication: &Authentication| {
        size_of::<Authentication>()
            + text(authentication.scheme.as_ref())
            + authentication.credential.as_ref().map_or(0, |credential| credential.reveal().len())
    };
    let credentials: usize = request.authentication.iter().map(sent).sum();
    request.method.len()
        + uri(Some(&request.uri))
        + uri(request.host.as_ref())
        + text(request.user_agent.as_ref())
        + credentials
}

fn http_response(response: &HttpResponse) -> usize {
    let schemes: usize =
        response.authentication_types.iter().map(|scheme| size_of::<String>() + scheme.len()).sum();
    response.phrase.len() + text(response.server.as_ref()) + schemes
}

fn ssdp(message: &SsdpMessage) -> usize {
    let texts = [
        &message.method,
        &message.phrase,
        &message.search_type,
        &message.search_target,
        &message.notification_type,
        &message.notification_sub_type,
        &message.unique_service_name,
        &message.server,
        &message.user_agent,
        &message.cache_control,
    ];
    let uris = [&message.uri, &message.host, &message.location];
    texts.into_iter().map(|found| text(found.as_ref())).sum::<usize>()
        + uris.into_iter().map(|found| uri(found.as_ref())).sum::<usize>()
}

fn text(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

fn uri(uri: Option<&Uri>) -> usize {
    uri.map_or(0, |uri| uri.reveal().len())
}
