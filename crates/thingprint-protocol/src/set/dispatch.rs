use std::collections::BTreeMap;

use super::ModelIndex;
use super::model::CompiledModel;
use crate::matcher::Beginning;
use crate::schema::IpProtocol;

const BYTE_VALUES: usize = 256;
/// Models in one word of a mask.
const WORD_MODELS: usize = u64::BITS as usize;

/// Which models the first bytes of a payload leave possible: a few look-ups, whatever the number of models.
#[derive(Debug)]
pub(super) struct Dispatch {
    /// For each place and value of a byte, one bit for each model that may have it there.
    masks: Vec<u64>,
    /// The same for the models of each server port.
    ports: BTreeMap<u16, Box<[u64]>>,
    /// Words of a mask.
    words: usize,
}

/// The models that are possible, those with a port of the packet first.
pub(super) struct Candidates<'a> {
    dispatch: &'a Dispatch,
    bytes: &'a [u8],
    ports: [u16; 2],
    /// Where the bits come from: which of two passes, and which word of it.
    pass: Pass,
    word: usize,
    bits: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    WithPort,
    WithoutPort,
}

impl Dispatch {
    pub(super) fn build(models: &[CompiledModel], transport: IpProtocol) -> Self {
        let words = models.len().div_ceil(WORD_MODELS);
        let mut masks = Vec::with_capacity(Beginning::PLACES * BYTE_VALUES * words);
        let beginnings: Vec<Beginning> = models
            .iter()
            .map(|model| if model.is_over(transport) { model.beginning() } else { Beginning::NONE })
            .collect();
        for place in 0..Beginning::PLACES {
            for byte in 0..=u8::MAX {
                masks.extend(beginnings.chunks(WORD_MODELS).map(|models| mask(models, place, byte)));
            }
        }
        let mut ports: BTreeMap<u16, Box<[u64]>> = BTreeMap::new();
        for (place, model) in models.iter().enumerate() {
            for port in model.ports_over(transport) {
                let mask = ports.entry(port).or_insert_with(|| vec![0; words].into());
                if let Some(word) = mask.get_mut(place / WORD_MODELS) {
                    *word |= 1 << (place % WORD_MODELS);
                }
            }
        }
        Self { masks, ports, words }
    }

    /// The models that a payload, or the beginning of a stream, leaves possible: those with one of the ports, then the
    /// others, both in order.
    pub(super) fn possible<'a>(&'a self, bytes: &'a [u8], ports: [u16; 2]) -> Candidates<'a> {
        let mut candidates =
            Candidates { dispatch: self, bytes, ports, pass: Pass::WithPort, word: 0, bits: 0 };
        candidates.bits = candidates.word();
        candidates
    }

    fn mask(&self, bytes: &[u8], word: usize) -> u64 {
        let places = bytes.iter().take(Beginning::PLACES).enumerate();
        places.fold(u64::MAX, |mask, (place, &byte)| {
            let index = (place * BYTE_VALUES + usize::from(byte)) * self.words + word;
            mask & self.masks.get(index).copied().unwrap_or(0)
        })
    }

    fn port_mask(&self, ports: [u16; 2], word: usize) -> u64 {
        let mask_of = |port: u16| self.ports.get(&port).and_then(|mask| mask.get(word)).copied();
        ports.into_iter().filter_map(mask_of).fold(0, |all, mask| all | mask)
    }
}

impl Candidates<'_> {
    /// The bits of the word at hand.
    fn word(&self) -> u64 {
        let possible = self.dispatch.mask(self.bytes, self.word);
        if possible == 0 {
            return 0;
        }
        let with_port = self.dispatch.port_mask(self.ports, self.word);
        possible & if self.pass == Pass::WithPort { with_port } else { !with_port }
    }

    /// Goes to the next word, if there is one.
    fn advance(&mut self) -> Option<()> {
        self.word += 1;
        if self.word >= self.dispatch.words {
            if self.pass == Pass::WithoutPort {
                return None;
            }
            (self.pass, self.word) = (Pass::WithoutPort, 0);
        }
        self.bits = self.word();
        Some(())
    }
}

impl Iterator for Candidates<'_> {
    type Item = ModelIndex;

    fn next(&mut self) -> Option<ModelIndex> {
        while self.bits == 0 {
            self.advance()?;
        }
        let place = WORD_MODELS * self.word + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        ModelIndex::at(place)
    }
}

fn mask(models: &[Beginning], place: usize, byte: u8) -> u64 {
    let bits = models.iter().enumerate().filter(|(_, model)| model.admits(place, byte));
    bits.fold(0, |mask, (bit, _)| mask | 1 << bit)
}
