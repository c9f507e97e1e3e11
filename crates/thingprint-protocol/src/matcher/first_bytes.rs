//! What payloads with a pattern may begin with, read from the pattern itself.
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Repetition};

use super::beginning::{Beginning, Bytes};

/// Places in a payload, one bit each; those behind the bytes that are looked at are left out.
type Places = u8;

const ALL_PLACES: Places = (1 << Beginning::PLACES) - 1;

/// What a payload may begin with in which a pattern stands at an offset. Whatever looks around is taken to be there.
pub(super) fn beginning(hir: &Hir, offset: usize) -> Beginning {
    let mut walk = Walk([Bytes::NONE; Beginning::PLACES]);
    let start = if offset < Beginning::PLACES { 1 << offset } else { 0 };
    let ends = walk.follow(hir, start);
    // Anything may be before a pattern and behind it.
    let free_from = ends.trailing_zeros() as usize;
    let mut beginning = Beginning::ANY;
    for (place, bytes) in walk.0.into_iter().enumerate().take(free_from).skip(offset) {
        beginning.restrict(place, bytes);
    }
    beginning
}

/// The bytes that were met at each place.
struct Walk([Bytes; Beginning::PLACES]);

impl Walk {
    /// Notes the bytes of a pattern that begins at any of these places, and gives the places behind it.
    fn follow(&mut self, hir: &Hir, from: Places) -> Places {
        if from == 0 {
            return 0;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => from,
            HirKind::Literal(literal) => {
                literal.0.iter().fold(from, |at, &byte| self.step(at, Bytes::range(byte, byte)))
            }
            HirKind::Class(class) => self.class(class, from),
            HirKind::Capture(capture) => self.follow(&capture.sub, from),
            HirKind::Concat(parts) => parts.iter().fold(from, |at, part| self.follow(part, at)),
            HirKind::Alternation(parts) => parts.iter().fold(0, |ends, part| ends | self.follow(part, from)),
            HirKind::Repetition(repetition) => self.repeat(repetition, from),
        }
    }

    fn class(&mut self, class: &Class, from: Places) -> Places {
        // Alternatives of single ASCII characters become a class of characters, in byte patterns as well.
        let bytes = match class {
            Class::Bytes(class) => values(class),
            Class::Unicode(class) => match class.to_byte_class() {
                Some(class) => values(&class),
                None => return self.anything(from),
            },
        };
        if bytes == Bytes::NONE { 0 } else { self.step(from, bytes) }
    }

    fn repeat(&mut self, repetition: &Repetition, from: Places) -> Places {
        let Repetition { min, max, sub, .. } = repetition;
        let mut ends = if *min == 0 { from } else { 0 };
        let (mut at, mut times) = (from, 0);
        while max.is_none_or(|max| times < max) {
            let next = self.follow(sub, at);
            times += 1;
            if next == at || times >= *min {
                ends |= next;
            }
            // Behind all places that are looked at, or no further however often.
            if next == 0 || next == at {
                break;
            }
            at = next;
        }
        ends
    }

    /// Notes one byte.
    fn step(&mut self, from: Places, bytes: Bytes) -> Places {
        for (place, known) in self.0.iter_mut().enumerate() {
            if from >> place & 1 == 1 {
                *known = known.or(bytes);
            }
        }
        from << 1 & ALL_PLACES
    }

    /// Notes any number of any bytes.
    fn anything(&mut self, from: Places) -> Places {
        let mut ends = from;
        for _ in 0..Beginning::PLACES {
            ends |= self.step(ends, Bytes::ALL);
        }
        ends
    }
}

fn values(class: &ClassBytes) -> Bytes {
    let ranges = class.ranges().iter().map(|range| Bytes::range(range.start(), range.end()));
    ranges.fold(Bytes::NONE, Bytes::or)
}
