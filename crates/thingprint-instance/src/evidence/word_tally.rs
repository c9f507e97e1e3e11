use std::hash::{Hash, Hasher};

use hashbrown::Equivalent;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ordered_map::OrderedMap;
use super::room::Room;
use crate::Bag;

/// What a word takes at most beside its text, in bytes: as a string in a bag, which it becomes in the end.
pub(super) const WORD_BYTES: usize = 96;
/// Most that is remembered of what was said: further texts are spelled each time.
const MOST_SAID: usize = 512;
/// What a remembered text takes beside itself, in bytes.
const SAID_BYTES: usize = 48;

/// The words of a bag in a window so far: numbers, which are spelled when the window is handed out, and texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordTally {
    numbers: OrderedMap<u64, u64>,
    texts: Option<Box<Texts>>,
    /// Bytes of the words and of what was said.
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Texts {
    words: OrderedMap<Box<str>, u64>,
    /// The place of the word that something said became, since devices repeat themselves; `None` where it became no word.
    said: OrderedMap<Said, Option<u32>>,
}

/// Words with the number of times each was counted.
type Counted<W> = Vec<(W, u64)>;

/// Something said, under the name of what said it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    name: &'static str,
    bytes: Box<[u8]>,
}

/// The same before it is kept.
#[derive(Clone, Copy)]
struct SaidView<'a> {
    name: &'static str,
    bytes: &'a [u8],
}

impl WordTally {
    /// Number of different words.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() + self.texts.as_ref().map_or(0, |texts| texts.words.len())
    }

    /// Counts a word that is a number, so many times.
    #[inline]
    pub(super) fn number(&mut self, word: u64, more: u64, room: &mut Room) {
        if let Some(count) = self.numbers.get_mut(&word) {
            *count = count.saturating_add(more);
        } else if room.take_word(self.len(), WORD_BYTES, more) {
            self.bytes += WORD_BYTES;
            self.numbers.push(word, more);
        }
    }

    /// Counts a word that is a text, so many times; gives its place.
    pub(super) fn text(&mut self, word: &str, more: u64, room: &mut Room) -> Option<u32> {
        let words = self.len();
        let texts = self.texts.get_or_insert_default();
        if let Some(place) = texts.words.place(word) {
            let count = texts.words.at_mut(place)?;
            *count = count.saturating_add(more);
            return Some(place);
        }
        let bytes = WORD_BYTES + word.len();
        if !room.take_word(words, bytes, more) {
            return None;
        }
        self.bytes += bytes;
        Some(texts.words.push(word.into(), more))
    }

    /// Counts the word that `spell` makes of something said, which is the same whenever the same is said.
    pub(super) fn said(
        &mut self,
        (name, bytes): (&'static str, &[u8]),
        spell: impl FnOnce() -> Option<String>,
        room: &mut Room,
    ) {
        let said = SaidView { name, bytes };
        if let Some(texts) = &mut self.texts
            && let Some(place) = texts.said.get_mut(&said).copied()
        {
            if let Some(count) = place.and_then(|place| texts.words.at_mut(place)) {
                *count += 1;
            }
            return;
        }
        let word = spell();
        let place = word.as_deref().and_then(|word| self.text(word, 1, room));
        let texts = self.texts.get_or_insert_default();
        let is_counted = place.is_some() == word.is_some();
        let taken = SAID_BYTES + bytes.len();
        if is_counted && texts.said.len() < MOST_SAID && room.take(taken) {
            self.bytes += taken;
            texts.said.push(Said { name, bytes: bytes.into() }, place);
        }
    }

    /// Adds the words of another part of the trace.
    pub(super) fn merge(&mut self, other: &Self, room: &mut Room) {
        for (word, count) in other.numbers.entries() {
            self.number(*word, *count, room);
        }
        for (word, count) in other.texts.iter().flat_map(|texts| texts.words.entries()) {
            self.text(word, *count, room);
        }
    }

    /// Gives up the later half of the words; gives their bytes, and how often they were counted.
    pub(super) fn give_up_half(&mut self) -> (usize, u64) {
        let kept = self.numbers.len() / 2;
        let numbers = self.numbers.split_off(kept);
        let mut bytes = numbers.len() * WORD_BYTES;
        let mut counted: u64 = numbers.iter().map(|(_, count)| count).sum();
        let said = self.forget_said();
        bytes += said;
        if let Some(texts) = &mut self.texts {
            let kept = texts.words.len() / 2;
            let words = texts.words.split_off(kept);
            bytes += words.iter().map(|(word, _)| WORD_BYTES + word.len()).sum::<usize>();
            counted += words.iter().map(|(_, count)| count).sum::<u64>();
        }
        self.bytes = self.bytes.saturating_sub(bytes - said);
        (bytes, counted)
    }

    /// Forgets everything, and keeps the memory for a few words.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        if let Some(texts) = &mut self.texts {
            texts.words.clear();
            texts.said.clear();
        }
        self.bytes = 0;
    }

    /// Forgets which words texts became, since they may become others; returns the bytes of that.
    pub(super) fn forget_said(&mut self) -> usize {
        let said = self.texts.as_mut().map(|texts| std::mem::take(&mut texts.said)).unwrap_or_default();
        let bytes = said.entries().iter().map(|(said, _)| SAID_BYTES + said.bytes.len()).sum::<usize>();
        self.bytes = self.bytes.saturating_sub(bytes);
        bytes
    }

    /// Bytes of what [`Self::give_up_half`] leaves and of what it gives up.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The words with the number of times each was counted, the numbers spelled.
    pub(super) fn into_bag(self, spell: impl Fn(u64) -> String) -> Bag {
        let numbers = self.numbers.into_entries().into_iter().map(|(word, count)| (spell(word), count));
        let texts = self.texts.map(|texts| texts.words.into_entries()).unwrap_or_default();
        let mut words: Counted<String> =
            texts.into_iter().map(|(word, count)| (word.into(), count)).chain(numbers).collect();
        words.sort_unstable();
        // Several numbers may be spelled alike.
        words.dedup_by(|next, word| {
            let is_same = next.0 == word.0;
            if is_same {
                word.1 = word.1.saturating_add(next.1);
            }
            is_same
        });
        words.into_iter().collect()
    }

    /// What is counted, in an order of its own.
    fn sorted(&self) -> (Counted<u64>, Counted<&str>) {
        let mut numbers = self.numbers.entries().to_vec();
        let texts = self.texts.iter().flat_map(|texts| texts.words.entries());
        let mut texts: Counted<&str> = texts.map(|(word, count)| (&**word, *count)).collect();
        numbers.sort_unstable();
        texts.sort_unstable();
        (numbers, texts)
    }
}

impl PartialEq for WordTally {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

impl Serialize for WordTally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sorted().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WordTally {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (numbers, texts) = <(Counted<u64>, Counted<String>)>::deserialize(deserializer)?;
        let (mut tally, mut room) = (Self::default(), Room::ENDLESS);
        for (word, count) in numbers {
            tally.number(word, count, &mut room);
        }
        for (word, count) in &texts {
            tally.text(word, *count, &mut room);
        }
        Ok(tally)
    }
}

impl Hash for Said {
    fn hash<H: Hasher>(&self, state: &mut H) {
        SaidView { name: self.name, bytes: &self.bytes }.hash(state);
    }
}

impl Hash for SaidView<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.name.as_bytes());
        state.write(self.bytes);
    }
}

impl Equivalent<Said> for SaidView<'_> {
    fn equivalent(&self, said: &Said) -> bool {
        self.name == said.name && *self.bytes == *said.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::room::WordBudget;
    use super::*;
    use crate::InstanceOptions;

    fn room(words: usize, bytes: usize) -> Room {
        let options =
            InstanceOptions { max_words: words, max_device_bytes: bytes, ..InstanceOptions::default() };
        WordBudget::of(&options).room(0)
    }

    fn bag(tally: &WordTally) -> Vec<(String, u64)> {
        tally.clone().into_bag(|word| format!("n{word}")).into_iter().collect()
    }

    #[test]
    fn numbers_and_texts_share_the_cap_on_words() {
        let (mut tally, mut room) = (WordTally::default(), room(3, usize::MAX));
        for word in 0..4 {
            tally.number(word % 2, 1, &mut room);
            tally.text(&format!("t{word}"), 1, &mut room);
        }
        assert_eq!((tally.len(), room.dropped()), (3, 3));
        let mut merged = WordTally::default();
        let mut room =
            WordBudget::of(&InstanceOptions { max_words: 3, ..InstanceOptions::default() }).room(0);
        merged.text("other", 1, &mut room);
        merged.merge(&tally, &mut room);
        let words = [("n0".to_owned(), 2), ("n1".to_owned(), 2), ("other".to_owned(), 1)];
        assert_eq!((bag(&merged), room.dropped()), (words.to_vec(), 1), "over parts, too");
    }

    #[test]
    fn bytes_are_counted_as_they_are_taken_and_given_up() {
        let (mut tally, mut room) = (WordTally::default(), room(100, 10_000));
        for word in 0..100_u64 {
            tally.number(word, 1, &mut room);
            tally.said(("name", &word.to_be_bytes()), || Some("x".repeat(100)), &mut room);
            tally.said(("name", &word.to_be_bytes()), || Some(format!("long text {word}")), &mut room);
        }
        assert_eq!(tally.bytes(), room.taken());
        assert!(room.taken() <= 10_000 && room.taken() > 9_000 && room.dropped() > 0);
        let words = tally.len();
        let (freed, dropped) = tally.give_up_half();
        assert_eq!((freed + tally.bytes(), dropped > 0), (room.taken(), true));
        assert!(tally.len() <= words / 2 + 1);
        while tally.len() > 0 {
            tally.give_up_half();
        }
        assert_eq!(tally.bytes(), 0);
    }

    #[test]
    fn forgotten_texts_are_spelled_again() {
        let (mut tally, mut room) = (WordTally::default(), room(10, usize::MAX));
        tally.said(("name", b"Unit 7"), || Some("unit 7".to_owned()), &mut room);
        let with_memo = tally.bytes();
        assert_eq!(tally.forget_said() + tally.bytes(), with_memo);
        tally.said(("name", b"Unit 7"), || Some("unit *".to_owned()), &mut room);
        assert_eq!(bag(&tally), [("unit *".to_owned(), 1), ("unit 7".to_owned(), 1)]);
        let bytes = postcard::to_stdvec(&tally).unwrap();
        let read: WordTally = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(read.bytes() + read.texts.iter().count() * (SAID_BYTES + 6), tally.bytes());
    }

    #[test]
    fn what_is_said_again_is_spelled_once() {
        let (mut tally, mut room) = (WordTally::default(), room(10, usize::MAX));
        let mut spelled = 0;
        for said in [&b"Lamp"[..], b"LAMP", b"Lamp", b"nothing", b"nothing", b"Lamp"] {
            let spell = || {
                spelled += 1;
                (said != b"nothing").then(|| "lamp".to_owned())
            };
            tally.said(("name", said), spell, &mut room);
        }
        assert_eq!((spelled, bag(&tally)), (3, vec![("lamp".to_owned(), 4)]));
        tally.said(("other", b"Lamp"), || Some("other".to_owned()), &mut room);
        assert_eq!(tally.len(), 2, "under another name it is something else");
    }

    #[test]
    fn numbers_that_are_spelled_alike_are_one_word() {
        let (mut tally, mut room) = (WordTally::default(), room(10, usize::MAX));
        for word in [1, 11, 21, 2] {
            tally.number(word, word, &mut room);
        }
        let spelled = tally.into_bag(|word| (word % 10).to_string());
        assert_eq!(spelled, Bag::from([("1".to_owned(), 33), ("2".to_owned(), 2)]));
    }

    #[test]
    fn a_tally_that_was_cleared_is_as_a_new_one() {
        let (mut tally, mut room) = (WordTally::default(), room(1000, usize::MAX));
        for words in [3, 100] {
            for word in 0..words {
                tally.number(word, 1, &mut room);
                tally.said(("name", &word.to_be_bytes()), || Some(format!("text {word}")), &mut room);
            }
            tally.clear();
            assert_eq!((tally.bytes(), tally.len(), tally == WordTally::default()), (0, 0, true));
        }
    }

    #[test]
    fn a_tally_comes_back_from_bytes() {
        let (mut tally, mut room) = (WordTally::default(), room(10, usize::MAX));
        tally.text("b", 2, &mut room);
        tally.text("a", 1, &mut room);
        tally.number(7, 3, &mut room);
        let bytes = postcard::to_stdvec(&tally).unwrap();
        assert_eq!(postcard::from_bytes::<WordTally>(&bytes).unwrap(), tally);
    }
}
