use std::collections::BTreeMap;

/// Bytes of a document that are put together; descriptions of devices have a few thousand.
const MOST_BYTES: usize = 64 << 10;
/// Bytes of a head, in front of a document.
const MOST_HEAD_BYTES: usize = 8 << 10;
/// Segments that wait for one that is missing.
const MOST_WAITING: usize = 16;
/// What an answer begins with.
const BEGINNING: &[u8] = b"HTTP/1.";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A document in answers over HTTP of one side of a connection, which is put together from segments: of XML or JSON.
#[derive(Debug)]
pub(crate) struct Gathering {
    next: u32,
    bytes: Vec<u8>,
    waiting: BTreeMap<u32, Vec<u8>>,
    waiting_bytes: usize,
    head: Head,
}

/// What is known of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// It is not whole yet.
    Open,
    /// It ends there, and says how long the document is or not.
    Ends { at: usize, length: Option<usize> },
}

/// What a segment did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    More,
    /// The document is whole.
    Whole(String),
    /// This is no document that anybody reads.
    Nothing,
}

impl Gathering {
    /// What a segment begins; `None` if it is no answer.
    pub(crate) fn begin(seq: u32, payload: &[u8]) -> Option<Self> {
        let is_answer = payload.starts_with(BEGINNING);
        is_answer.then(|| Self {
            next: seq,
            bytes: Vec::new(),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            head: Head::Open,
        })
    }

    /// Bytes that it takes.
    pub(crate) const fn held_bytes(&self) -> usize {
        self.bytes.len() + self.waiting_bytes
    }

    /// Takes the next segment of the side.
    pub(crate) fn push(&mut self, seq: u32, payload: &[u8]) -> Progress {
        if seq == self.next {
            self.append(payload);
            self.append_waiting();
        } else {
            self.keep(seq, payload);
        }
        self.look()
    }

    /// What is there when the connection ends.
    pub(crate) fn finish(self) -> Option<String> {
        match self.head {
            Head::Ends { at, .. } => Some(self.text(at)),
            Head::Open => None,
        }
    }

    fn append(&mut self, payload: &[u8]) {
        let room = MOST_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend(payload.iter().take(room));
        self.next = self.next.wrapping_add(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    }

    fn append_waiting(&mut self) {
        while let Some(payload) = self.waiting.remove(&self.next) {
            self.waiting_bytes -= payload.len();
            self.append(&payload);
        }
    }

    /// Keeps what comes too early; what was sent before is a repetition.
    fn keep(&mut self, seq: u32, payload: &[u8]) {
        let ahead = seq.wrapping_sub(self.next) as usize;
        let is_ahead = ahead <= MOST_BYTES && self.waiting.len() < MOST_WAITING;
        if is_ahead && payload.len() <= MOST_BYTES && !self.waiting.contains_key(&seq) {
            self.waiting_bytes += payload.len();
            self.waiting.insert(seq, payload.to_vec());
        }
    }

    fn look(&mut self) -> Progress {
        if self.head == Head::Open {
            let Some(end) = self.bytes.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END) else {
                return if self.bytes.len() > MOST_HEAD_BYTES { Progress::Nothing } else { Progress::More };
            };
            let Some(head) = self.bytes.get(..end).map(String::from_utf8_lossy) else {
                return Progress::Nothing;
            };
            if !is_document(&head) {
                return Progress::Nothing;
            }
            let length = header(&head, "content-length").and_then(|length| length.parse().ok());
            self.head = Head::Ends { at: end + HEAD_END.len(), length };
        }
        let Head::Ends { at, length } = self.head else { return Progress::More };
        let here = self.bytes.len() - at;
        let is_whole = length.is_some_and(|length: usize| here >= length) || self.bytes.len() >= MOST_BYTES;
        if is_whole || length.is_none() && self.ends_root() {
            return Progress::Whole(self.text(at));
        }
        Progress::More
    }

    /// Whether what came last ends a description, of which nobody said how long it is.
    fn ends_root(&self) -> bool {
        let start = self.bytes.len().saturating_sub(32);
        let last = self.bytes.get(start..).unwrap_or_default();
        last.windows(7).any(|bytes| bytes == b"</root>")
    }

    fn text(&self, at: usize) -> String {
        String::from_utf8_lossy(self.bytes.get(at..).unwrap_or_default()).trim().to_owned()
    }
}

/// Whether the body behind a head is XML or JSON.
fn is_document(head: &str) -> bool {
    let kind = header(head, "content-type").unwrap_or_default().to_ascii_lowercase();
    let is_plain =
        header(head, "content-encoding").is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    is_plain && (kind.contains("xml") || kind.contains("json"))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    headers.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: 21\r\n\r\n<root><a>1</a></root>";

    /// What segments give, each with its place in the stream; the stream begins at 7 below the end of numbers.
    fn gather(answer: &str, segments: &[(usize, usize)]) -> Option<String> {
        let start = u32::MAX - 7;
        let mut gathering = None;
        for (from, to) in segments {
            let seq = start.wrapping_add(u32::try_from(*from).unwrap());
            let payload = &answer.as_bytes()[*from..*to];
            if gathering.is_none() {
                gathering = Gathering::begin(seq, payload);
            }
            match gathering.as_mut()?.push(seq, payload) {
                Progress::Whole(text) => return Some(text),
                Progress::Nothing => return None,
                Progress::More => {}
            }
        }
        gathering?.finish()
    }

    #[test]
    fn segments_out_of_order_and_twice_give_the_document() {
        let end = ANSWER.len();
        let whole = Some("<root><a>1</a></root>".to_owned());
        assert_eq!(gather(ANSWER, &[(0, end)]), whole);
        assert_eq!(gather(ANSWER, &[(0, 20), (0, 20), (60, end), (20, 60)]), whole);
        assert_eq!(gather(ANSWER, &[(0, end - 15)]), Some("<root>".to_owned()), "the connection ends");
        assert_eq!(gather(ANSWER, &[(0, 20), (60, end)]), None, "a segment is missing");
    }

    #[test]
    fn a_document_without_a_length_ends_with_its_root() {
        let answer = ANSWER.replace("Content-Length: 21\r\n", "");
        assert_eq!(gather(&answer, &[(0, answer.len())]), Some("<root><a>1</a></root>".to_owned()));
    }

    #[test]
    fn other_answers_are_left_alone() {
        for (from, to) in [("text/xml", "image/png"), ("Content-Length", "Content-Encoding: gzip\r\nX")] {
            let answer = ANSWER.replace(from, to);
            assert_eq!(gather(&answer, &[(0, answer.len())]), None);
        }
        assert!(Gathering::begin(0, b"GET / HTTP/1.1\r\n").is_none());
    }

    proptest! {
        #[test]
        fn any_segments_keep_to_the_limits(
            segments in prop::collection::vec((0_u32..200_000, prop::collection::vec(any::<u8>(), 0..2000)), 0..100),
        ) {
            let mut gathering = Gathering::begin(0, ANSWER.as_bytes()).unwrap();
            gathering.push(0, &ANSWER.as_bytes()[..30]);
            for (seq, payload) in segments {
                gathering.push(seq, &payload);
                prop_assert!(gathering.bytes.len() <= MOST_BYTES);
                prop_assert!(gathering.waiting_bytes <= MOST_WAITING * 2000);
                prop_assert_eq!(gathering.waiting_bytes, gathering.waiting.values().map(Vec::len).sum::<usize>());
            }
        }
    }
}
