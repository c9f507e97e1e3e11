use super::headers::Headers;
use super::model_state::{Detection, ModelState, Role};
use super::section::{CompiledSection, Payload};
use crate::attribute::{Extractor, Input, Value};
use crate::inspection::Decision;
use crate::matcher::{Beginning, CompiledCondition, Tallies, View};
use crate::parser::ParserId;
use crate::schema::{Attribute, EtherType, IpProtocol, Model, Opening, Reading, TrafficMode};
use crate::{Expression, Fault, ModelError, ModelIndex, Sender, SyntaxError};

/// A model, compiled.
#[derive(Clone, Debug)]
pub(crate) struct CompiledModel {
    parser: Option<ParserId>,
    opening: Option<Opening>,
    transports: Vec<IpProtocol>,
    ports: Vec<(IpProtocol, u16)>,
    ether_types: Vec<EtherType>,
    traffic_modes: Vec<TrafficMode>,
    request: Option<CompiledSection>,
    response: Option<CompiledSection>,
    combined: Option<CompiledSection>,
    select: Expression<Role>,
    /// Whether `select` has a `not`.
    has_not: bool,
    attributes: Vec<Extractor>,
}

impl CompiledModel {
    /// Compiles a model; conditions are added to `conditions`.
    pub(super) fn compile(
        model: &Model,
        conditions: &mut Vec<CompiledCondition>,
    ) -> Result<Self, ModelError> {
        let contents = &model.contents;
        let mut section = |role: Role, section: &Option<_>| {
            section
                .as_ref()
                .map(|section| CompiledSection::compile(model, role, section, conditions))
                .transpose()
        };
        let metadata = &model.metadata;
        let select = select(model)?;
        Ok(Self {
            parser: parser(model)?,
            opening: opening(model)?,
            transports: metadata.transports(),
            ports: metadata.server_ports.iter().map(|port| (port.ip_protocol, port.port)).collect(),
            ether_types: metadata.ether_types.clone(),
            traffic_modes: metadata.traffic_mode.clone(),
            request: section(Role::Request, &contents.request)?,
            response: section(Role::Response, &contents.response)?,
            combined: section(Role::Combined, &contents.combined)?,
            has_not: select.has_not(),
            select,
            attributes: attributes(model)?,
        })
    }

    /// The parser that has to agree.
    pub(crate) const fn parser(&self) -> Option<ParserId> {
        self.parser
    }

    /// How its streams are read until another protocol begins in them.
    pub(crate) const fn opening(&self) -> Option<Opening> {
        self.opening
    }

    /// The decision for this model, which has this place in its set.
    pub(crate) fn decision(&self, index: ModelIndex) -> Decision {
        let may_hand_over = self.opening.is_some() || self.parser.is_some_and(ParserId::hands_over);
        Decision { model: index, parser: self.parser, may_hand_over }
    }

    /// Whether the protocol may come over this transport.
    pub(super) fn is_over(&self, transport: IpProtocol) -> bool {
        self.transports.contains(&transport)
    }

    /// Whether a port is one of the standard ports.
    pub(crate) fn has_port(&self, transport: IpProtocol, port: u16) -> bool {
        self.ports.contains(&(transport, port))
    }

    /// The standard ports over a transport.
    pub(super) fn ports_over(&self, transport: IpProtocol) -> impl Iterator<Item = u16> {
        self.ports.iter().filter(move |(over, _)| *over == transport).map(|(_, port)| *port)
    }

    /// Whether the headers of a packet leave the protocol possible.
    pub(super) fn admits(&self, headers: Headers) -> bool {
        let is_network = self.ether_types.is_empty() || self.ether_types.contains(&headers.ether_type);
        is_network && (self.traffic_modes.is_empty() || self.traffic_modes.contains(&headers.traffic_mode))
    }

    /// What a payload of either side that counts may begin with.
    pub(super) fn beginning(&self) -> Beginning {
        let sections = [&self.request, &self.response, &self.combined].into_iter().flatten();
        // A payload that is none may count where `select` has a `not`.
        let start = if self.has_not { Beginning::ANY } else { Beginning::NONE };
        sections.fold(start, |all, section| all.or(section.beginning()))
    }

    /// Looks at a payload, adds the result to `known`, and gives the verdict. Where `is_last`, a payload that does not
    /// satisfy a direction means that its sender never will.
    pub(crate) fn evaluate(&self, payload: &Payload<'_>, is_last: bool, known: &mut ModelState) -> Detection {
        let sender = payload.sender;
        for (role, section) in self.sections() {
            if known.of(role, sender).is_some() {
                continue;
            }
            match section.holds(payload) {
                Some(true) => known.set(role, sender, true),
                Some(false) if is_last => known.set(role, sender, false),
                None if section.has_conditions() => {
                    if let Some(found) = section.found(payload) {
                        known.set_open(role, sender, found);
                    }
                }
                _ => {}
            }
        }
        self.verdict(known)
    }

    /// Gives the verdict where nothing more comes: what neither side sent, neither will. It matters where `select` has a
    /// `not`.
    pub(crate) fn conclude(&self, known: &mut ModelState) -> Detection {
        for (role, _) in self.sections().filter(|_| self.has_not) {
            for sender in [Sender::Device, Sender::Peer] {
                if known.of(role, sender).is_none() && known.open(role, sender).is_none() {
                    known.set(role, sender, false);
                }
            }
        }
        self.verdict(known)
    }

    /// Settles what conditions on the packets of the flow had left open, and gives the verdict.
    pub(crate) fn settle(&self, tallies: &Tallies, known: &mut ModelState) -> Detection {
        for (role, section) in self.sections() {
            for sender in [Sender::Device, Sender::Peer] {
                let view = if role == Role::Combined { View::Both } else { View::From(sender) };
                let Some(found) = known.open(role, sender) else { continue };
                if let Some(value) = section.settles(found, tallies, view) {
                    known.set(role, sender, value);
                }
            }
        }
        self.verdict(known)
    }

    /// Whether it is worth to wait for more bytes of the same side: not once they satisfied a direction, but for the
    /// attributes, or another protocol, behind.
    pub(crate) fn is_open(&self, known: &ModelState, sender: Sender) -> bool {
        let is_satisfied = self.sections().any(|(role, _)| known.of(role, sender) == Some(true));
        let is_open = |role| known.of(role, sender).is_none() && known.open(role, sender).is_none();
        let is_undecided = (!is_satisfied || self.has_not) && self.sections().any(|(role, _)| is_open(role));
        is_undecided || is_satisfied && (self.has_attributes() || self.opening.is_some())
    }

    /// Whether what is known has to be remembered: that payloads are of another kind matters to few models.
    pub(crate) fn is_noted(&self, known: &ModelState) -> bool {
        known.has_promise() || self.has_not
    }

    /// Whether the model has conditions on the packets of a flow.
    pub(crate) fn has_conditions(&self) -> bool {
        self.sections().any(|(_, section)| section.has_conditions())
    }

    /// Reads the attributes of a payload; none at all if it has none of them.
    pub(crate) fn attributes(&self, known: &ModelState, payload: &Payload<'_>) -> Vec<(String, Value)> {
        let input = Input {
            payload: payload.bytes,
            may_be_request: may_be(Role::Request, known, payload.sender),
            may_be_response: may_be(Role::Response, known, payload.sender),
        };
        let mut found: Vec<(String, Value)> = Vec::new();
        for extractor in self.attributes.iter().filter(|extractor| extractor.is_of(input)) {
            let value = || extractor.read(input).unwrap_or(Value::Absent);
            match found.iter_mut().find(|(name, _)| name == extractor.name()) {
                Some((_, known)) if *known == Value::Absent => *known = value(),
                Some(_) => {}
                None => found.push((extractor.name().to_owned(), value())),
            }
        }
        if found.iter().all(|(_, value)| *value == Value::Absent) {
            found.clear();
        }
        found
    }

    /// Whether there is something to read by patterns.
    pub(crate) const fn has_attributes(&self) -> bool {
        !self.attributes.is_empty()
    }

    fn sections(&self) -> impl Iterator<Item = (Role, &CompiledSection)> {
        let sections = [
            (Role::Request, &self.request),
            (Role::Response, &self.response),
            (Role::Combined, &self.combined),
        ];
        sections.into_iter().filter_map(|(role, section)| Some((role, section.as_ref()?)))
    }

    /// The verdict if either side may be the client.
    fn verdict(&self, known: &ModelState) -> Detection {
        let with_client = |client: Sender| {
            self.select.value(&mut |role| match role {
                Role::Request => known.of(Role::Request, client),
                Role::Response => known.of(Role::Response, client.other()),
                Role::Combined => known.combined(),
            })
        };
        match (with_client(Sender::Device), with_client(Sender::Peer)) {
            (Some(true), _) | (_, Some(true)) => Detection::Certain,
            (Some(false), Some(false)) => Detection::No,
            _ => Detection::Possible,
        }
    }
}

/// A side sends requests if its payloads satisfy them; where neither direction speaks, it may be either.
fn may_be(role: Role, known: &ModelState, sender: Sender) -> bool {
    let opposite = if role == Role::Request { Role::Response } else { Role::Request };
    known.of(role, sender) == Some(true)
        || known.of(opposite, sender.other()) == Some(true)
        || [Role::Request, Role::Response]
            .into_iter()
            .all(|role| known.of(role, sender) != Some(true) && known.of(role, sender.other()) != Some(true))
}

fn parser(model: &Model) -> Result<Option<ParserId>, ModelError> {
    let mut found = None;
    for (index, attribute) in model.attributes.iter().enumerate() {
        let Reading::Builtin(name) = &attribute.read else { continue };
        let error = |reason| model.error(format!("attributes[{index}].read.builtin"), Fault::Meaning(reason));
        let parser = ParserId::named(name).ok_or_else(|| error(format!("unknown parser {name:?}")))?;
        if found.is_some_and(|found| found != parser) {
            return Err(error("a model has one parser".to_owned()));
        }
        found = Some(parser);
    }
    let is_pattern = |attribute: &Attribute| !matches!(attribute.read, Reading::Builtin(_));
    if let (Some(parser), Some(index)) = (found, model.attributes.iter().position(is_pattern)) {
        let reason = format!("the parser {:?} reads the messages, and no pattern beside it", parser.name());
        return Err(model.error(format!("attributes[{index}].read"), Fault::Meaning(reason)));
    }
    Ok(found)
}

fn opening(model: &Model) -> Result<Option<Opening>, ModelError> {
    if model.opening.is_some() && !model.attributes.is_empty() {
        let reason = "a model with an opening has no attributes".to_owned();
        return Err(model.error("opening", Fault::Meaning(reason)));
    }
    Ok(model.opening)
}

fn select(model: &Model) -> Result<Expression<Role>, ModelError> {
    let contents = &model.contents;
    let described: Vec<Role> = contents.sections().filter_map(|(name, _)| Role::named(name)).collect();
    let Some(text) = &contents.select else {
        let mut any: Vec<_> = described.into_iter().map(Expression::Is).collect();
        return Ok(if any.len() == 1 { any.remove(0) } else { Expression::Or(any) });
    };
    let parsed: Result<Expression, _> = text.parse();
    let mapped = parsed.and_then(|expression| {
        expression.try_map(&mut |word| {
            let role = Role::named(&word.text).filter(|role| described.contains(role));
            let reason = || format!("unknown direction {:?} in these contents", word.text);
            role.ok_or_else(|| SyntaxError::new(word.span, reason()))
        })
    });
    mapped.map_err(|error| model.error("contents.select", error.of(text)))
}

fn attributes(model: &Model) -> Result<Vec<Extractor>, ModelError> {
    let compiled = model.attributes.iter().enumerate().map(|(index, attribute)| {
        Extractor::new(attribute)
            .map_err(|(field, fault)| model.error(format!("attributes[{index}].{field}"), fault))
    });
    compiled.filter_map(Result::transpose).collect()
}
