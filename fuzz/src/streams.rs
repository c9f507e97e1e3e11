use std::sync::{Arc, LazyLock};

use thingprint_protocol::schema::Model;
use thingprint_protocol::{Engine, Limits, Message, ModelSet, Sender};

use crate::conversation::Conversation;
use crate::input::{Input, put_vector};

/// Of both sides together fewer than the pieces that may wait or lie too far ahead, so that no stream is given up for
/// its order alone.
const MOST_PIECES: usize = 32;
const SMALL_STREAM_BYTES: u16 = 600;
const SMALL_PATTERN_BYTES: u16 = 40;
const DATA_MODELS: [&str; 2] = [include_str!("lamp.json"), include_str!("meter.json")];

/// Engines by the low bits of the first byte: models that come with the crate or such as are data alone; limits that
/// nothing reaches or narrow ones.
static ENGINES: LazyLock<[Engine; 4]> = LazyLock::new(|| {
    let narrow =
        Limits { stream_bytes: SMALL_STREAM_BYTES, pattern_bytes: SMALL_PATTERN_BYTES, ..Limits::default() };
    [Limits::default(), narrow]
        .map(|limits| [ModelSet::built_in(), data_models()].map(|set| Engine::with_models(set, limits)))
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| unreachable!("two times two engines"))
});

/// Sends the two streams of a connection whole, in small segments, and in pieces that come early, twice, or overlap:
/// the protocol is the same, and so are the messages.
pub fn streams(data: &[u8]) {
    let script = Script::read(data);
    let engine = &ENGINES[usize::from(script.flags & 3)];
    let whole = script.play(engine, |conversation, sender, bytes| {
        conversation.tcp(sender, script.start, bytes);
    });
    let in_segments = script.play(engine, |conversation, sender, bytes| {
        for (at, part) in (0..).step_by(script.segment_bytes).zip(bytes.chunks(script.segment_bytes)) {
            conversation.tcp(sender, script.start.wrapping_add(at), part);
        }
    });
    assert_eq!(whole, in_segments, "cut into segments of {}", script.segment_bytes);
    let in_pieces = script.play(engine, |conversation, sender, bytes| {
        for (at, count) in &script.pieces {
            let at = at.checked_rem(bytes.len()).unwrap_or_default();
            let piece = &bytes[at..bytes.len().min(at + count)];
            conversation.tcp(sender, script.start.wrapping_add(narrow(at)), piece);
        }
        conversation.tcp(sender, script.start, bytes);
    });
    assert_eq!(whole, in_pieces, "sent in pieces {:?}", script.pieces);
}

/// What a connection told.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    service: Option<String>,
    messages: Vec<(Sender, Message)>,
}

/// What the bytes of the fuzzer say.
struct Script<'a> {
    flags: u8,
    start: u32,
    segment_bytes: usize,
    /// Where pieces begin, and how long they are.
    pieces: Vec<(usize, usize)>,
    client: &'a [u8],
    server: &'a [u8],
}

impl<'a> Script<'a> {
    fn read(data: &'a [u8]) -> Self {
        let mut input = Input::new(data);
        let flags = input.u8();
        let start = u32::MAX - u32::from(input.u16());
        let segment_bytes = usize::from(input.u8()) + 1;
        let count = usize::from(input.u8()) % MOST_PIECES;
        let pieces =
            (0..count).map(|_| (usize::from(input.u16()), usize::from(input.u16() % 1024))).collect();
        let client = input.vector();
        Self { flags, start, segment_bytes, pieces, client, server: input.rest() }
    }

    /// Sends the stream of the client, then that of the server.
    fn play(&self, engine: &Engine, mut send: impl FnMut(&mut Conversation<'_>, Sender, &[u8])) -> Told {
        let mut conversation = Conversation::new(engine);
        for (sender, bytes) in [(Sender::Device, self.client), (Sender::Peer, self.server)] {
            conversation.open(sender, self.start);
            send(&mut conversation, sender, bytes);
        }
        let service = conversation.engine.service(&conversation.state).map(str::to_owned);
        let mut messages = conversation.close();
        // Of two sides, either may be told first.
        messages.sort_by_key(|(sender, message)| (*sender == Sender::Peer, format!("{message:?}")));
        Told { service, messages }
    }
}

fn data_models() -> Arc<ModelSet> {
    let models =
        DATA_MODELS.map(|text| Model::from_json(text).unwrap_or_else(|error| unreachable!("{error}")));
    Arc::new(ModelSet::compile(models).unwrap_or_else(|error| unreachable!("{error}")))
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// What [`streams`] reads, for seeds.
#[derive(Clone, Copy, Debug)]
pub struct StreamScript<'a> {
    /// 1: models that are data alone; 2: narrow limits.
    pub flags: u8,
    /// Places and lengths of pieces that are sent first, fewer than 32.
    pub pieces: &'a [(u16, u16)],
    /// What the client sends, and what the server answers.
    pub sides: [&'a [u8]; 2],
}

impl StreamScript<'_> {
    /// The bytes for the target.
    pub fn finish(&self) -> Vec<u8> {
        let [client, server] = self.sides;
        let count = u8::try_from(self.pieces.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![self.flags, 50, 0, 99, count];
        for (at, length) in self.pieces {
            bytes.extend_from_slice(&at.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        put_vector(client, &mut bytes);
        bytes.extend_from_slice(server);
        bytes
    }
}
