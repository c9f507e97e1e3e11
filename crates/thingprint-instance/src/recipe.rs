use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thingprint_flow::{FlowEnding, ParseOptionError, ServerPorts, WindowLength};

use crate::{EvidenceSet, InstanceOptions, Origin, Semantics};

/// The key of the number of the rules.
const SEMANTICS: &str = "semantics";

/// How instances were extracted, as a text: the options that are not the default, as `key=value` with blanks
/// between, or `default`; and `semantics=` with the number of the rules, where it is not the first.
///
/// It goes with the instances into files and models, so that a model is never used on instances that were made
/// another way. Caps, the gateway and the way in which late packets are treated are left out: they change what is
/// seen, not what is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtractionRecipe {
    options: String,
    semantics: Semantics,
    /// Both as one text.
    text: String,
}

impl ExtractionRecipe {
    /// The recipe of these options, by the present rules.
    pub fn of(options: &InstanceOptions) -> Self {
        Self::with_semantics(options, Semantics::PRESENT)
    }

    fn with_semantics(options: &InstanceOptions, semantics: Semantics) -> Self {
        let defaults = values(&InstanceOptions::default());
        let changed: Vec<String> = values(options)
            .into_iter()
            .zip(defaults)
            .filter(|(value, default)| value != default)
            .map(|((key, value), _)| format!("{key}={value}"))
            .collect();
        let options = if changed.is_empty() { "default".to_owned() } else { changed.join(" ") };
        let text = if semantics == Semantics::FIRST {
            options.clone()
        } else {
            format!("{options} {SEMANTICS}={semantics}")
        };
        Self { options, semantics, text }
    }

    /// The number of the rules.
    pub const fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// The options of this recipe; everything that it leaves out has its default.
    pub fn options(&self) -> Result<InstanceOptions, ParseOptionError> {
        parse(&self.text).map(|(options, _)| options)
    }

    /// The evidence that it extracts.
    pub fn evidence(&self) -> EvidenceSet {
        // A recipe is only made of options, or of a text that gives options.
        self.options().map_or_else(|_| EvidenceSet::paper(), |options| options.evidence)
    }

    /// This recipe with other evidence.
    #[must_use]
    pub fn with_evidence(&self, evidence: EvidenceSet) -> Self {
        let semantics = self.semantics;
        self.options().map_or_else(
            |_| self.clone(),
            |options| Self::with_semantics(&InstanceOptions { evidence, ..options }, semantics),
        )
    }

    /// This recipe without its evidence, for instance files: their columns show it.
    #[must_use]
    pub fn without_evidence(&self) -> Self {
        self.with_evidence(EvidenceSet::paper())
    }

    /// What the instances are made of.
    pub fn origin(&self) -> Origin {
        self.options().map_or_else(|_| Origin::default(), |options| options.origin)
    }

    /// The options in which two recipes differ, as this one and as the other has them; `default` where that is all.
    pub fn differences(&self, other: &Self) -> (String, String) {
        let items = |recipe: &Self| -> BTreeSet<String> {
            recipe.options.split(' ').filter(|item| *item != "default").map(str::to_owned).collect()
        };
        let (own, others) = (items(self), items(other));
        let rest = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
            let rest: Vec<&str> = these.difference(those).map(String::as_str).collect();
            if rest.is_empty() { "default".to_owned() } else { rest.join(" ") }
        };
        (rest(&own, &others), rest(&others, &own))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The options alone, without the number of the rules.
    pub fn options_text(&self) -> &str {
        &self.options
    }
}

impl fmt::Display for ExtractionRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ExtractionRecipe {
    type Err = ParseOptionError;

    fn from_str(text: &str) -> Result<Self, ParseOptionError> {
        parse(text).map(|(options, semantics)| Self::with_semantics(&options, semantics))
    }
}

/// Options and number of the rules of a recipe.
fn parse(text: &str) -> Result<(InstanceOptions, Semantics), ParseOptionError> {
    let (mut options, mut semantics) = (InstanceOptions::default(), Semantics::FIRST);
    let items: Vec<&str> = text.split(' ').collect();
    let is_default = items.first() == Some(&"default");
    for item in items.into_iter().skip(usize::from(is_default)) {
        let (key, value) = item
            .split_once('=')
            .ok_or_else(|| ParseOptionError::new(item, "an option of extraction: expected key=value"))?;
        match key {
            SEMANTICS => semantics = value.parse()?,
            _ => apply(&mut options, key, value)?,
        }
    }
    Ok((options, semantics))
}

fn values(options: &InstanceOptions) -> [(&'static str, String); 17] {
    let flow = &options.flow;
    let (tcp_idle_ns, other_idle_ns, cut_after_ns) = match flow.ending {
        FlowEnding::Connection { tcp_idle_ns, other_idle_ns } => (tcp_idle_ns, other_idle_ns, 0),
        FlowEnding::Joy { cut_after_ns } => (0, 0, cut_after_ns),
    };
    let names: Vec<String> = options.names.iter().map(ToString::to_string).collect();
    [
        ("origin", options.origin.to_string()),
        ("window", flow.window.to_string()),
        ("tcp_idle", tcp_idle_ns.to_string()),
        ("other_idle", other_idle_ns.to_string()),
        ("cut_after", cut_after_ns.to_string()),
        ("size", flow.size.to_string()),
        ("identity", flow.identity.to_string()),
        ("rate", options.rate.to_string()),
        ("port_word", options.port_word.to_string()),
        ("scope", options.port_scope.to_string()),
        ("names", names.join(",")),
        ("models", options.models.map_or_else(|| "built-in".to_owned(), |models| models.to_string())),
        ("min_packets", options.min_packets.to_string()),
        ("gaps", format!("{}-{}", options.min_gap_ns, options.max_gap_ns)),
        ("burst_gap", options.burst_gap_ns.to_string()),
        ("server_ports", port_list(&flow.server_ports)),
        ("evidence", options.evidence.to_string()),
    ]
}

fn apply(options: &mut InstanceOptions, key: &str, value: &str) -> Result<(), ParseOptionError> {
    let number = || ParseOptionError::new(value, "a whole number");
    match key {
        "origin" => options.origin = value.parse()?,
        "window" => options.flow.window = value.parse::<WindowLength>()?,
        "tcp_idle" | "other_idle" | "cut_after" => {
            let nanos: i64 = value.parse().map_err(|_| number())?;
            options.flow.ending = ending_with(options.flow.ending, key, nanos);
        }
        "size" => options.flow.size = value.parse()?,
        "identity" => options.flow.identity = value.parse()?,
        "rate" => options.rate = value.parse()?,
        "port_word" => options.port_word = value.parse()?,
        "scope" => options.port_scope = value.parse()?,
        "names" => {
            let names = value.split(',').filter(|name| !name.is_empty());
            options.names = names.map(str::parse).collect::<Result<_, _>>()?;
        }
        "models" => options.models = if value == "built-in" { None } else { Some(value.parse()?) },
        "min_packets" => {
            let packets = value.parse::<u64>().ok().filter(|packets| *packets > 0);
            options.min_packets =
                packets.ok_or_else(|| ParseOptionError::new(value, "a number of packets"))?;
        }
        "gaps" => {
            let (min, max) = value.split_once('-').ok_or_else(number)?;
            options.min_gap_ns = min.parse().map_err(|_| number())?;
            options.max_gap_ns = max.parse().map_err(|_| number())?;
        }
        "burst_gap" => options.burst_gap_ns = value.parse().map_err(|_| number())?,
        "server_ports" => options.flow.server_ports = parse_ports(value)?,
        "evidence" => {
            let evidence = value.parse();
            options.evidence =
                evidence.map_err(|_| ParseOptionError::new(value, "evidence that this version knows"))?;
        }
        other => return Err(ParseOptionError::new(other, "an option of extraction")),
    }
    Ok(())
}

/// `tcp/443,udp/53`, sorted: the order of ports means nothing.
fn port_list(ports: &ServerPorts) -> String {
    let tcp = ports.tcp.iter().map(|port| ("tcp", *port));
    let udp = ports.udp.iter().map(|port| ("udp", *port));
    let all: BTreeSet<(&str, u16)> = tcp.chain(udp).collect();
    let all: Vec<String> = all.into_iter().map(|(transport, port)| format!("{transport}/{port}")).collect();
    all.join(",")
}

fn parse_ports(list: &str) -> Result<ServerPorts, ParseOptionError> {
    let mut ports = ServerPorts { tcp: Vec::new(), udp: Vec::new() };
    for item in list.split(',').filter(|item| !item.is_empty()) {
        let fail = || ParseOptionError::new(item, "a port like tcp/443");
        let (transport, port) = item.split_once('/').ok_or_else(fail)?;
        let port = port.parse().map_err(|_| fail())?;
        match transport {
            "tcp" => ports.tcp.push(port),
            "udp" => ports.udp.push(port),
            _ => return Err(fail()),
        }
    }
    Ok(ports)
}

/// `cut_after` stands after the idle times, which are 0 with it.
fn ending_with(ending: FlowEnding, key: &str, nanos: i64) -> FlowEnding {
    match (key, ending) {
        ("tcp_idle", FlowEnding::Connection { other_idle_ns, .. }) => {
            FlowEnding::Connection { tcp_idle_ns: nanos, other_idle_ns }
        }
        ("other_idle", FlowEnding::Connection { tcp_idle_ns, .. }) => {
            FlowEnding::Connection { tcp_idle_ns, other_idle_ns: nanos }
        }
        ("cut_after", _) => FlowEnding::Joy { cut_after_ns: nanos },
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::{FlowOptions, Identity, MacAddr, PacketSize};

    use super::*;
    use crate::{Attribute, BagName, NameSource, Origin, PortScope, PortWord, RateMean};

    #[test]
    fn recipes_give_back_their_options() {
        let ports = ServerPorts { tcp: vec![22, 443], udp: vec![53] };
        let mut other = InstanceOptions::joy();
        other.flow.server_ports = ports;
        other.flow.window = WindowLength::Span(900_000_000_000);
        other.rate = RateMean::Sum;
        other.port_word = PortWord::ProtoPort;
        other.port_scope = PortScope::Internet;
        other.names = BTreeSet::from([NameSource::Dns, NameSource::Sni]);
        other.models = "0123456789abcdef".parse().ok();
        other.min_packets = 3;
        other.evidence = EvidenceSet::from(Attribute::SLEEP_TIME_S).with(BagName::DOMAINS.into());
        for options in [InstanceOptions::default(), InstanceOptions::joy(), other] {
            let recipe = ExtractionRecipe::of(&options);
            assert_eq!(recipe.as_str().parse::<ExtractionRecipe>().unwrap(), recipe);
            assert_eq!(recipe.options().unwrap(), options, "{recipe}");
        }
        assert_eq!(ExtractionRecipe::of(&InstanceOptions::default()).as_str(), "default semantics=2");
    }

    #[test]
    fn a_recipe_without_a_number_is_of_the_first_rules() {
        for text in ["default", "window=900s"] {
            let old: ExtractionRecipe = text.parse().unwrap();
            let new = ExtractionRecipe::of(&old.options().unwrap());
            assert_eq!((old.semantics(), new.semantics()), (Semantics::FIRST, Semantics::PRESENT));
            assert_ne!(old, new);
            assert_eq!(old.options_text(), new.options_text());
            assert_eq!(old.as_str().parse(), Ok(old.clone()));
            let paper = old.with_evidence(EvidenceSet::paper());
            assert_eq!(paper.semantics(), Semantics::FIRST, "other evidence changes no rule");
        }
        for text in ["default semantics=9", "semantics=", "default default", "semantics=2 default"] {
            assert!(text.parse::<ExtractionRecipe>().is_err(), "{text}");
        }
    }

    /// Names every field of the options, so that a new one has to find its place here, and in the recipe or not.
    #[test]
    fn every_option_that_changes_what_is_meant_is_in_the_recipe() {
        let InstanceOptions {
            origin: _,
            flow,
            evidence: _,
            rate: _,
            port_word: _,
            port_scope: _,
            names: _,
            models: _,
            min_packets: _,
            min_gap_ns: _,
            max_gap_ns: _,
            burst_gap_ns: _,
            max_words: _,
            max_device_bytes: _,
            max_bytes: _,
        } = InstanceOptions::default();
        let FlowOptions {
            window: _,
            lateness_ns: _,
            ending: _,
            size: _,
            identity: _,
            gateways: _,
            server_ports: _,
            max_flows: _,
            max_devices: _,
            forget_after_ns: _,
            is_identity_given: _,
            local_nets: _,
        } = flow;
        let changed = |change: Change| {
            let mut options = InstanceOptions::default();
            change(&mut options);
            ExtractionRecipe::of(&options).options_text().to_owned()
        };
        for (change, expected) in MEANT {
            assert_eq!(changed(*change), *expected);
            assert_eq!(expected.parse::<ExtractionRecipe>().unwrap().options_text(), *expected);
        }
        for change in SEEN {
            assert_eq!(changed(*change), "default");
        }
    }

    type Change = fn(&mut InstanceOptions);

    const MEANT: &[(Change, &str)] = &[
        (|o| o.origin = Origin::Zeek, "origin=zeek"),
        (|o| o.evidence = BagName::PORTS.into(), "evidence=ports"),
        (|o| o.rate = RateMean::Sum, "rate=sum"),
        (|o| o.port_word = PortWord::ProtoPort, "port_word=proto/port"),
        (|o| o.port_scope = PortScope::Internet, "scope=internet"),
        (|o| o.names = BTreeSet::from([NameSource::Sni]), "names=sni"),
        (|o| o.models = "00c0ffee00c0ffee".parse().ok(), "models=00c0ffee00c0ffee"),
        (|o| o.min_packets = 2, "min_packets=2"),
        (|o| o.min_gap_ns = 2, "gaps=2-86400000000000"),
        (|o| o.max_gap_ns = 3_000_000_000, "gaps=1000000000-3000000000"),
        (|o| o.burst_gap_ns = 5, "burst_gap=5"),
        (|o| o.flow.window = WindowLength::Capture, "window=capture"),
        (
            |o| o.flow.ending = FlowEnding::Connection { tcp_idle_ns: 7, other_idle_ns: 8 },
            "tcp_idle=7 other_idle=8",
        ),
        (|o| o.flow.ending = FlowEnding::Joy { cut_after_ns: 9 }, "tcp_idle=0 other_idle=0 cut_after=9"),
        (|o| o.flow.size = PacketSize::Wire, "size=wire"),
        (|o| o.flow.identity = Identity::Ip, "identity=ip"),
        (
            |o| o.flow.server_ports.tcp = vec![22],
            "server_ports=tcp/22,udp/53,udp/67,udp/123,udp/443,udp/1900,udp/5353",
        ),
    ];
    /// Caps, the gateway, and the way in which late packets are treated.
    const SEEN: &[Change] = &[
        |o| o.max_words = 1,
        |o| o.max_device_bytes = 1,
        |o| o.max_bytes = 1,
        |o| o.flow.lateness_ns = 1,
        |o| o.flow.gateways = BTreeSet::from([MacAddr::new([2; 6])]),
        |o| o.flow.forget_after_ns = None,
        |o| o.flow.max_flows = 1,
        |o| o.flow.max_devices = 1,
    ];

    #[test]
    fn foreign_recipes_are_refused() {
        for text in [
            "",
            "window",
            "window=0h",
            "colour=red",
            "names=telepathy",
            "tcp_idle=soon",
            "models=mine",
            "models=00C0FFEE00C0FFEE",
            "min_packets=0",
            "server_ports=443",
            "evidence=ports,telepathy",
        ] {
            assert!(text.parse::<ExtractionRecipe>().is_err(), "{text}");
        }
    }
}
