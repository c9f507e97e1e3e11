use crate::{Bag, Instance, Labeled};

/// Entries of a node of a `BTreeMap`; nodes are half full where keys come in their order.
const NODE_ENTRIES: usize = 11;
/// Bytes of a node beside its entries, with what the allocator adds.
const NODE_BYTES: usize = 32;
/// Bytes that the allocator hands out at least, with its own.
const LEAST_BYTES: usize = 32;

impl Instance {
    /// About how many bytes it takes in memory, rather too many than too few.
    pub fn memory_bytes(&self) -> usize {
        let bags = self.bags.evidence().bags().filter_map(|name| self.bags.get(name));
        size_of::<Self>()
            + text(self.capture.as_deref())
            + map(self.attributes.evidence().numbers().count(), 2 * size_of::<u64>())
            + map(self.spread.len(), 6 * size_of::<u64>())
            + map(self.bags.evidence().bags().count(), size_of::<Bag>() + size_of::<u64>())
            + bags.map(bag).sum::<usize>()
    }
}

impl Labeled {
    /// About how many bytes it takes in memory, rather too many than too few.
    pub fn memory_bytes(&self) -> usize {
        let label =
            self.label.as_ref().map_or(0, |label| text(Some(&label.class)) + text(label.family.as_deref()));
        size_of::<Self>() - size_of::<Instance>() + self.instance.memory_bytes() + label
    }
}

fn bag(bag: &Bag) -> usize {
    let words: usize = bag.keys().map(|word| text(Some(word))).sum();
    map(bag.len(), size_of::<String>() + size_of::<u64>()) + words
}

fn map(entries: usize, entry_bytes: usize) -> usize {
    // A node above has as many links as there are nodes below, so that another tenth is more than enough.
    let nodes = entries.div_ceil(NODE_ENTRIES / 2 + 1);
    nodes * (NODE_ENTRIES * entry_bytes + NODE_BYTES) * 11 / 10
}

fn text(text: Option<&str>) -> usize {
    text.map_or(0, |text| if text.is_empty() { 0 } else { (text.len() + 24).max(LEAST_BYTES) })
}
