use std::sync::LazyLock;

use thingprint_flow::{Decoder, FlowOptions, Frame, LinkType, LossKind, Timestamp, Tracker, TunnelSet};
use thingprint_identity::{Field, Identity, IdentityObserver, IdentityOptions, Knowledge};
use thingprint_protocol::{Detector, Engine};

use crate::input::Input;

/// So few bytes that devices let go of statements and documents at times.
const FEW: IdentityOptions = IdentityOptions { most_statement_bytes: 4096, most_document_bytes: 2048 };
/// The longest key and value of a statement, in bytes.
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 256;
const STEP_NS: i64 = 500_000_000;
/// The tables, which are read once.
static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::builtin().unwrap_or_default());

/// Decodes Ethernet frames and notes what devices say of themselves, with little room for it.
///
/// Statements are short and fit into the room, and whoever a device is follows from what it said.
pub fn identities(data: &[u8]) {
    let mut input = Input::new(data);
    // The kind of link, which is Ethernet here; so the seeds are those of frames.
    let _ = input.u8();
    let engine = Engine::default();
    let observer = Detector::new(&engine, IdentityObserver::new(FEW));
    let mut tracker = Tracker::new(FlowOptions::default(), observer);
    let mut decoder = Decoder::opening(TunnelSet::ALL);
    let mut nanos = 1_700_000_000_000_000_000;
    while !input.is_empty() {
        nanos += i64::from(input.u8()) * STEP_NS / 64;
        let cut = usize::from(input.u8());
        let whole = input.vector();
        let bytes = &whole[..whole.len().saturating_sub(cut)];
        let (time, wire_bytes) =
            (Timestamp::from_nanos(nanos), u32::try_from(whole.len()).unwrap_or(u32::MAX));
        let frame = Frame { time, link: LinkType::Ethernet, wire_bytes, bytes, ..Frame::default() };
        tracker.push(&decoder.decode(frame));
    }
    check(tracker.finish().observer.into_observer());
}

fn check(observer: IdentityObserver) {
    let lost = observer.left_out().totals();
    assert!(lost.keys().all(|kind| *kind != LossKind::FLOWS), "{lost:?}");
    let mut held = 0;
    for (_, statements) in observer.into_devices() {
        for (statement, said) in statements.iter() {
            assert!(said.times > 0 && statement.key.len() <= LONGEST_KEY, "{statement}");
            assert!(!statement.value.is_empty() && statement.value.len() <= LONGEST_VALUE, "{statement}");
            held += statement.key.len() + statement.value.len();
        }
        let identity = Identity::of(&statements, &KNOWLEDGE);
        for field in Field::ALL {
            let answer = identity.answer(field);
            assert!(
                answer.value.is_none() || !answer.reasons.is_empty(),
                "{field}: a value without a reason"
            );
            let claims = answer.reasons.iter().chain(&answer.contradictions);
            assert!(
                claims.into_iter().all(|claim| statements.iter().any(|(said, _)| *said == claim.statement))
            );
        }
    }
    assert!(held <= FEW.most_statement_bytes, "{held} bytes of statements");
}
