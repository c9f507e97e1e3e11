use super::ModelIndex;
use super::model::CompiledModel;
use crate::matcher::Beginning;
use crate::schema::IpProtocol;

const BYTE_VALUES: usize = 256;

/// Which models the first bytes of a payload leave possible: a few look-ups, whatever the number of models.
#[derive(Debug)]
pub(super) struct Dispatch {
    /// For each place and value of a byte, one bit for each model that may have it there.
    masks: Vec<u64>,
    /// Words of a mask.
    words: usize,
}

impl Dispatch {
    pub(super) fn build(models: &[CompiledModel], transport: IpProtocol) -> Self {
        let words = models.len().div_ceil(64);
        let mut masks = Vec::with_capacity(Beginning::PLACES * BYTE_VALUES * words);
        let beginnings: Vec<Beginning> = models
            .iter()
            .map(|model| if model.is_over(transport) { model.beginning() } else { Beginning::NONE })
            .collect();
        for place in 0..Beginning::PLACES {
            for byte in 0..=u8::MAX {
                masks.extend(beginnings.chunks(64).map(|models| mask(models, place, byte)));
            }
        }
        Self { masks, words }
    }

    /// The models that a payload, or the beginning of a stream, leaves possible, in order.
    pub(super) fn possible(&self, bytes: &[u8]) -> impl Iterator<Item = ModelIndex> {
        let all = (0..self.words)
            .flat_map(move |word| places(self.mask(bytes, word)).map(move |bit| 64 * word + bit));
        all.filter_map(ModelIndex::at)
    }

    fn mask(&self, bytes: &[u8], word: usize) -> u64 {
        let places = bytes.iter().take(Beginning::PLACES).enumerate();
        places.fold(u64::MAX, |mask, (place, &byte)| {
            let index = (place * BYTE_VALUES + usize::from(byte)) * self.words + word;
            mask & self.masks.get(index).copied().unwrap_or(0)
        })
    }
}

fn mask(models: &[Beginning], place: usize, byte: u8) -> u64 {
    let bits = models.iter().enumerate().filter(|(_, model)| model.admits(place, byte));
    bits.fold(0, |mask, (bit, _)| mask | 1 << bit)
}

/// Places of the bits that are set.
fn places(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(bit)
    })
}
