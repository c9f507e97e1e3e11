use super::attribute::Attribute;

/// Share of what was seen that a known device has to show, too, to be the answer: half, so that what is mostly foreign
/// is not called known by the little that it shares.
pub const KNOWN_COVERAGE: f64 = 0.5;
/// How far the score of the answer has to lie above the next: a twentieth of the draw.
pub const KNOWN_MARGIN: f64 = 0.05;
/// Known devices that may share a value which still says who was seen: four, about the lamps or plugs of one kind in a
/// home. What more of them show is common.
pub const MOST_SHARING: usize = 4;
/// Share of what was seen that a known device has to show where it shows nothing that others do not: three quarters, more
/// than with a value of its own.
pub const SHARED_COVERAGE: f64 = 0.75;

/// Which known device something looks like, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// The answer.
    pub answer: Answer,
    /// Known devices that share any value which 64 of them show at most, the highest score first, then by name; at most
    /// 16.
    pub candidates: Vec<Candidate>,
}

/// Which known device something looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one: it alone shows some value that was seen and is not
    /// [generic](Attribute::is_generic_value), it shows at least half of what was seen
    /// ([coverage](Candidate::coverage)), and its score is above that of any other by 0.05 at least. That is a rule of
    /// thumb and no probability: a device that nobody learnt, of the same make, may pass it.
    Known(String),
    /// This one most of all. Either it alone shows some such value, but too little of what was seen, or it is too close to
    /// the next; or it shares the value with three others at most, shows at least three quarters of what was seen, and
    /// another value, such as the chosen cipher suite, breaks the tie (protocol paper, §II-A). It may well be another.
    Resembles(String),
    /// These have the same score, and each shows some value that would let it be told if it were the only one with this
    /// score: two of a kind, for instance.
    Tied(Vec<String>),
    /// None: of the values that were seen, none that is not generic is shown by the best and by three others at most.
    Unknown,
}

impl Answer {
    /// The answer in a word: `known`, `resembles`, `tied` or `unknown`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Known(_) => "known",
            Self::Resembles(_) => "resembles",
            Self::Tied(_) => "tied",
            Self::Unknown => "unknown",
        }
    }

    /// The known devices that it names.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Known(name) | Self::Resembles(name) => vec![name],
            Self::Tied(names) => names.iter().map(String::as_str).collect(),
            Self::Unknown => Vec::new(),
        }
    }
}

/// A known device that shares values with what was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// How likely it is drawn when one of the attributes seen is drawn, then one of its values, then one of the known
    /// devices that show this value, each with the same chance; where none shows it, nobody is drawn. So the scores of
    /// all known devices add up to 1 at most, and a value weighs the more, the fewer share it.
    pub score: f64,
    /// How likely a value that it shows is drawn in the same way, whoever shares it: 1 where it shows all that was
    /// seen.
    pub coverage: f64,
    /// The values shared, those of fewest devices first.
    pub evidence: Vec<Evidence>,
}

/// A value that was seen and that a known device shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The attribute.
    pub attribute: Attribute,
    /// The value.
    pub value: String,
    /// Known devices that show it; 1 for a value that is unique.
    pub shared_by: usize,
}

impl Evidence {
    /// Whether it names nobody, even where a single known device shows it.
    pub fn is_generic(&self) -> bool {
        self.attribute.is_generic_value(&self.value)
    }
}

impl Candidate {
    /// Whether some value that was seen and is not generic is shown by this known device alone.
    pub fn has_naming_evidence(&self) -> bool {
        self.strongest().is_some_and(|evidence| evidence.shared_by == 1 && !evidence.is_generic())
    }

    /// The evidence that speaks most for it: values that are not generic before others, then those of
    /// fewest known devices, then in the order of attributes.
    pub fn strongest(&self) -> Option<&Evidence> {
        let rank = |evidence: &&Evidence| (evidence.is_generic(), evidence.shared_by);
        self.evidence.iter().min_by_key(rank)
    }

    /// All evidence that speaks as much for it as the strongest does, or only breaks a tie: values that no more known
    /// devices share.
    pub fn telling(&self) -> impl Iterator<Item = &Evidence> {
        let most = self.strongest().map_or(0, |strongest| strongest.shared_by);
        self.evidence.iter().filter(move |evidence| evidence.shared_by <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::KnownDevices;
    use super::super::matcher::Matcher;
    use super::super::traits::Traits;
    use super::*;

    fn traits(values: &[(Attribute, &str)]) -> Traits {
        let mut traits = Traits::default();
        for (attribute, value) in values {
            traits.add(*attribute, (*value).to_owned(), 1);
        }
        traits
    }

    fn known() -> KnownDevices {
        let mut known = KnownDevices::default();
        let agent = Attribute::HttpUserAgent;
        known.learn("camera", &traits(&[(Attribute::HttpMethod, "GET"), (agent, "camera/1")])).unwrap();
        known.learn("lamp", &traits(&[(Attribute::HttpMethod, "GET"), (agent, "lamp/1")])).unwrap();
        known.learn("lock", &traits(&[(Attribute::HttpMethod, "POST"), (agent, "lamp/1")])).unwrap();
        known
    }

    fn scores(likeness: &Likeness) -> Vec<(&str, f64)> {
        likeness.candidates.iter().map(|candidate| (candidate.name.as_str(), candidate.score)).collect()
    }

    #[test]
    fn a_score_is_the_chance_of_a_draw() {
        let known = known();
        let seen = traits(&[(Attribute::HttpMethod, "GET"), (Attribute::HttpUserAgent, "camera/1")]);
        let likeness = Matcher::new(&known).identify(&seen);
        assert_eq!(likeness.answer, Answer::Known("camera".to_owned()));
        // Half for the agent, which is its own; half for the method, which two share.
        assert_eq!(scores(&likeness), [("camera", 0.75), ("lamp", 0.25)]);
        let evidence: Vec<(Attribute, usize)> =
            likeness.candidates[0].evidence.iter().map(|it| (it.attribute, it.shared_by)).collect();
        assert_eq!(evidence, [(Attribute::HttpUserAgent, 1), (Attribute::HttpMethod, 2)]);
    }

    #[test]
    fn values_and_attributes_that_nobody_shows_lower_the_score() {
        let known = known();
        let agent = Attribute::HttpUserAgent;
        let seen = traits(&[(agent, "camera/1"), (agent, "curl"), (Attribute::DnsName, "a.example")]);
        let likeness = Matcher::new(&known).identify(&seen);
        assert_eq!(scores(&likeness), [("camera", 0.25)]);
        assert_eq!(likeness.answer, Answer::Resembles("camera".to_owned()));
    }

    #[test]
    fn a_stranger_is_not_known_by_what_it_shares() {
        let mut alone = KnownDevices::default();
        let lamp = [
            (Attribute::HttpMethod, "GET"),
            (Attribute::HttpHost, "lamp.example"),
            (Attribute::HttpUserAgent, "lamp/1"),
        ];
        alone.learn("lamp", &traits(&lamp)).unwrap();
        let foreign = [
            (Attribute::HttpMethod, "GET"),
            (Attribute::HttpHost, "evil.example"),
            (Attribute::HttpUserAgent, "evil"),
        ];
        let answer = |seen: &Traits| Matcher::new(&alone).identify(seen).answer;
        assert_eq!(answer(&traits(&foreign)), Answer::Unknown);
        assert_eq!(answer(&traits(&foreign[..1])), Answer::Unknown, "a method names nobody");
        assert_eq!(answer(&traits(&lamp)), Answer::Known("lamp".to_owned()));
        let mut mixed = traits(&lamp);
        for n in 0..200 {
            mixed.add(Attribute::HttpHost, format!("{n}.example"), 1);
            mixed.add(Attribute::HttpUserAgent, format!("agent {n}"), 1);
        }
        assert_eq!(answer(&mixed), Answer::Resembles("lamp".to_owned()));
        let mut suites = traits(&lamp);
        suites.add(Attribute::TlsCipherSuites, "c02b".to_owned(), 1);
        suites.add(Attribute::TlsExtensions, "0".to_owned(), 1);
        suites.add(Attribute::TlsJa3, "0".to_owned(), 1);
        suites.add(Attribute::TlsJa4, "0".to_owned(), 1);
        assert_eq!(answer(&suites), Answer::Resembles("lamp".to_owned()), "three of seven attributes");
    }

    #[test]
    fn what_is_close_to_the_next_is_not_known() {
        let mut known = KnownDevices::default();
        let shared: Vec<String> = (0..30).map(|n| format!("{n}.example")).collect();
        let names = |own: &str| {
            let mut traits = traits(&[(Attribute::DnsName, own)]);
            for name in &shared {
                traits.add(Attribute::DnsName, name.clone(), 1);
            }
            traits
        };
        known.learn("lamp", &names("lamp.example")).unwrap();
        known.learn("lock", &names("lock.example")).unwrap();
        let likeness = Matcher::new(&known).identify(&names("lamp.example"));
        assert_eq!(likeness.answer, Answer::Resembles("lamp".to_owned()));
        assert!((likeness.candidates[0].coverage - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_shared_names_nobody() {
        let known = known();
        let likeness = Matcher::new(&known).identify(&traits(&[(Attribute::HttpMethod, "GET")]));
        assert_eq!(likeness.answer, Answer::Unknown);
        assert_eq!(scores(&likeness), [("camera", 0.5), ("lamp", 0.5)]);
        let nothing = Matcher::new(&known).identify(&Traits::default());
        assert_eq!((nothing.answer, nothing.candidates.len()), (Answer::Unknown, 0));
    }

    #[test]
    fn a_chosen_suite_breaks_the_tie_of_those_that_share_a_list() {
        let (list, suite) = (Attribute::TlsCipherSuites, Attribute::TlsChosenSuite);
        let mut known = KnownDevices::default();
        known.learn("echo", &traits(&[(list, "c02b-c02c"), (suite, "c02b")])).unwrap();
        known.learn("triby", &traits(&[(list, "c02b-c02c"), (suite, "c02c")])).unwrap();
        let answer = |seen: &[(Attribute, &str)]| Matcher::new(&known).identify(&traits(seen)).answer;
        let both = vec!["echo".to_owned(), "triby".to_owned()];
        assert_eq!(answer(&[(list, "c02b-c02c")]), Answer::Tied(both));
        assert_eq!(answer(&[(list, "c02b-c02c"), (suite, "0035")]), Answer::Unknown, "half of what was seen");
        assert_eq!(answer(&[(list, "c02b-c02c"), (suite, "c02c")]), Answer::Resembles("triby".to_owned()));
        assert_eq!(answer(&[(suite, "c02c")]), Answer::Unknown, "a suite alone names nobody");
        let foreign = [(list, "c02b-c02c"), (Attribute::TlsServerName, "a"), (Attribute::TlsExtensions, "0")];
        assert_eq!(answer(&foreign), Answer::Unknown, "a third of what was seen");
    }

    #[test]
    fn the_name_of_a_public_pool_names_nobody() {
        let check = |name: &str, expected: bool| {
            assert_eq!(Attribute::DnsName.is_generic_value(name), expected, "{name}");
        };
        for name in
            ["pool.ntp.org", "2.pool.ntp.org", "us.pool.ntp.org", "0.us.pool.ntp.org", "1.asia.pool.ntp.org"]
        {
            check(name, true);
        }
        for name in ["0.lamp.pool.ntp.org", "carpool.ntp.org", "time.example", ""] {
            check(name, false);
        }
    }

    #[test]
    fn a_short_list_of_dhcp_options_names_nobody() {
        let (list, host) = (Attribute::DhcpParameterList, Attribute::DhcpHostName);
        let mut known = KnownDevices::default();
        known.learn("lamp", &traits(&[(list, "1-3-6")])).unwrap();
        known.learn("lock", &traits(&[(list, "1-121-3-6-15"), (host, "lock")])).unwrap();
        let answer = |seen: &[(Attribute, &str)]| Matcher::new(&known).identify(&traits(seen)).answer;
        assert_eq!(answer(&[(list, "1-3-6")]), Answer::Unknown);
        assert_eq!(answer(&[(list, "1-121-3-6-15")]), Answer::Known("lock".to_owned()));
    }

    #[test]
    fn time_servers_from_a_pool_name_nobody() {
        let server = Attribute::NtpServer;
        let pool = |count: usize| -> Vec<String> { (0..count).map(|n| format!("192.0.2.{n}")).collect() };
        let shows = |servers: &[String]| {
            traits(&servers.iter().map(|address| (server, address.as_str())).collect::<Vec<_>>())
        };
        let mut known = KnownDevices::default();
        known.learn("plug", &shows(&pool(17))).unwrap();
        known.learn("lock", &shows(&["198.51.100.1".to_owned()])).unwrap();
        let answer = |servers: &[String]| Matcher::new(&known).identify(&shows(servers)).answer;
        assert_eq!(answer(&pool(1)), Answer::Unknown);
        assert_eq!(answer(&pool(17)), Answer::Unknown);
        assert_eq!(answer(&["198.51.100.1".to_owned()]), Answer::Known("lock".to_owned()));
        let among_others = [pool(16), vec!["198.51.100.1".to_owned()]].concat();
        assert_eq!(answer(&among_others), Answer::Unknown, "one of a pool by chance");
    }

    #[test]
    fn what_many_share_is_common() {
        let answer = |devices: usize| {
            let mut known = KnownDevices::default();
            for n in 0..devices {
                known.learn(&n.to_string(), &traits(&[(Attribute::DnsName, "time.example")])).unwrap();
            }
            Matcher::new(&known).identify(&traits(&[(Attribute::DnsName, "time.example")])).answer
        };
        assert_eq!(answer(1), Answer::Known("0".to_owned()));
        assert!(matches!(answer(MOST_SHARING), Answer::Tied(names) if names.len() == MOST_SHARING));
        assert_eq!(answer(MOST_SHARING + 1), Answer::Unknown);
    }

    #[test]
    fn equal_scores_are_a_tie() {
        let mut known = known();
        known.learn("lock", &traits(&[(Attribute::HttpUserAgent, "lock/1")])).unwrap();
        let agent = Attribute::HttpUserAgent;
        let likeness = Matcher::new(&known).identify(&traits(&[(agent, "camera/1"), (agent, "lock/1")]));
        assert_eq!(likeness.answer, Answer::Tied(vec!["camera".to_owned(), "lock".to_owned()]));
    }
}
