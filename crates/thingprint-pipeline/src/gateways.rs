use thingprint_flow::{
    FlowOptions, GatewayEvidence, GatewayPolicy, Gateways, Identity, Ip, MacAddr, Packet, Repeat, Timestamp,
    WindowLength,
};

use crate::given_gateways::{GivenGateways, Search};
use crate::top_counts::TopCounts;

/// Frames at the start of a trace by which gateways are guessed.
pub(crate) const GUESS_FRAMES: u64 = 50_000;
/// How often the gateways of a stream are decided where a window is the whole capture.
const PERIOD_NS: u64 = 3_600_000_000_000;

/// Follows who the gateways are while packets are read.
#[derive(Debug)]
pub(crate) struct GatewayWatch {
    evidence: Option<GatewayEvidence>,
    /// Looks for those that the user named.
    search: Option<Search>,
    policy: GatewayPolicy,
    /// Of what cannot be read twice: the window, with the lateness, at whose close they are decided next.
    next: Option<Timestamp>,
    window: WindowLength,
    lateness_ns: i64,
    is_stream: bool,
    decided: Gateways,
}

impl GatewayWatch {
    /// A watch that decides at each window's close if `is_stream`, and else at the end alone.
    pub(crate) fn new(policy: &GatewayPolicy, flow: &FlowOptions, is_stream: bool) -> Self {
        let is_watched = flow.identity == Identity::Mac && !policy.is_settled();
        let decided = match flow.identity {
            Identity::Mac if policy.is_settled() => policy.decide(&GatewayEvidence::default()),
            _ => Gateways::default(),
        };
        let window = period(flow);
        let is_searched = flow.identity == Identity::Mac && !policy.is_none && !policy.given.is_empty();
        Self {
            search: is_searched.then(|| Search::new(&policy.given, flow.local_nets.clone())),
            evidence: is_watched.then(|| GatewayEvidence::with_local_nets(flow.local_nets.clone())),
            policy: policy.clone(),
            next: None,
            window,
            lateness_ns: flow.lateness_ns,
            is_stream: is_stream && is_watched,
            decided,
        }
    }

    /// These are known to be gateways from the start.
    pub(crate) fn know(mut self, gateways: Gateways) -> Self {
        self.decided.0.extend(gateways.0);
        self
    }

    /// Those that were decided so far.
    pub(crate) const fn decided(&self) -> &Gateways {
        &self.decided
    }

    /// Takes in a packet, and says what another one between its addresses adds.
    pub(crate) fn observe(&mut self, packet: &Packet<'_>) -> Option<Repeat> {
        match (&mut self.evidence, &mut self.search) {
            (Some(evidence), _) => Some(evidence.observe(packet)),
            (None, search) => search.as_mut()?.observe(packet),
        }
    }

    /// Takes in one more packet between such addresses; false if it has to be observed as the first one was.
    #[inline]
    pub(crate) fn observe_again(&mut self, repeat: Option<Repeat>, ip: &Ip<'_>) -> bool {
        match (&mut self.evidence, &mut self.search) {
            (Some(evidence), _) => repeat.is_some_and(|repeat| evidence.observe_again(repeat, ip)),
            (None, Some(search)) => search.observe_again(repeat, ip),
            (None, None) => true,
        }
    }

    /// Whether gateways are to be decided: a window of a stream closes, or enough of it was seen for a first decision.
    #[inline]
    pub(crate) fn is_due(&mut self, frames: u64, clock: Timestamp) -> bool {
        if !self.is_stream {
            return false;
        }
        // The first window closes after its end, also where the trace begins just behind an edge.
        let (window, lateness_ns) = (self.window, self.lateness_ns);
        let first = || end_of(window, lateness_ns, clock);
        frames == GUESS_FRAMES || *self.next.get_or_insert_with(first) <= clock
    }

    /// The clock stepped back: the next window to close is another one.
    pub(crate) const fn begin_segment(&mut self) {
        self.next = None;
    }

    /// Decides by what was seen so far. Who was a gateway once stays one, unless it turns out to be a device.
    pub(crate) fn decide(&mut self, clock: Timestamp) -> Gateways {
        if let Some(evidence) = &self.evidence {
            self.decided = self.policy.decide_again(std::mem::take(&mut self.decided), evidence);
        }
        self.next = Some(close_of(self.window, self.lateness_ns, clock));
        self.decided.clone()
    }

    /// Whether those that the user named were met.
    pub(crate) fn take_given(&mut self) -> GivenGateways {
        self.search.take().map(|search| search.finish(&self.policy)).unwrap_or_default()
    }

    /// The same so far; the search goes on.
    pub(crate) fn given(&self) -> GivenGateways {
        self.search.clone().map(|search| search.finish(&self.policy)).unwrap_or_default()
    }

    /// What bears on who the gateways are, so far; nothing where the user named them.
    pub(crate) const fn evidence(&self) -> Option<&GatewayEvidence> {
        self.evidence.as_ref()
    }

    /// What was seen, for a part.
    pub(crate) fn into_evidence(self) -> GatewayEvidence {
        self.evidence.unwrap_or_default()
    }
}

/// How often gateways are decided.
const fn period(flow: &FlowOptions) -> WindowLength {
    match flow.window {
        WindowLength::Capture => WindowLength::Span(PERIOD_NS),
        span @ WindowLength::Span(_) => span,
    }
}

/// When the first window of a trace closes that begins at a time.
pub(crate) fn first_close(flow: &FlowOptions, begins: Timestamp) -> Timestamp {
    end_of(period(flow), flow.lateness_ns, begins)
}

fn end_of(window: WindowLength, lateness_ns: i64, time: Timestamp) -> Timestamp {
    window.end_of(window.index_of(time)).plus_nanos(lateness_ns)
}

/// When the window closes that is the oldest open one at a time.
fn close_of(window: WindowLength, lateness_ns: i64, clock: Timestamp) -> Timestamp {
    end_of(window, lateness_ns, clock.plus_nanos(-lateness_ns))
}

/// Devices whose rows are counted, those with most; a gateway has more than made-up addresses.
const MOST_MACS: usize = 1 << 16;

/// Rows by device, of those that may turn out to be gateways, or devices.
#[derive(Debug)]
pub(crate) struct RowCounts(TopCounts<MacAddr>);

impl Default for RowCounts {
    fn default() -> Self {
        Self(TopCounts::new(MOST_MACS))
    }
}

impl RowCounts {
    /// Counts a row.
    pub(crate) fn count(&mut self, mac: MacAddr) {
        self.0.add(mac, 1);
    }

    /// Rows of what is no gateway now.
    pub(crate) fn of_others_than(&self, gateways: &Gateways) -> u64 {
        self.0.sum_of(|mac| !gateways.contains(mac))
    }

    /// Rows of what is a gateway now.
    pub(crate) fn of(&self, gateways: &Gateways) -> u64 {
        self.0.sum_of(|mac| gateways.contains(mac))
    }
}
