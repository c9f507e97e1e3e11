use crate::inspection::{Layer, Sides};
use crate::{ModelIndex, Sender};

/// Protocols around the innermost one that are followed, as a header of a proxy, SOCKS and CONNECT.
const MOST_OUTER: usize = 3;

/// Models of the protocols around the innermost one of a flow, from the outside.
pub(crate) type OuterModels = [Option<ModelIndex>; MOST_OUTER];

/// The protocols of a connection that gave way to another one inside, and how deep each side is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outer {
    layers: [Layer; MOST_OUTER],
    count: u8,
    depth: Sides<u8>,
}

impl Outer {
    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The protocols, from the outside.
    pub(crate) fn layers(&self) -> &[Layer] {
        self.layers.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// The protocol that a side is still in; `None` once it has reached the innermost one.
    #[inline]
    pub(crate) fn layer(&self, sender: Sender) -> Option<Layer> {
        self.layers().get(usize::from(*self.depth.of(sender))).copied()
    }

    /// The same, to change.
    pub(crate) fn layer_mut(&mut self, sender: Sender) -> Option<&mut Layer> {
        let layers = self.layers.get_mut(..usize::from(self.count)).unwrap_or_default();
        layers.get_mut(usize::from(*self.depth.of(sender)))
    }

    /// Puts what was the innermost protocol around another one; says whether there was room.
    pub(crate) fn push(&mut self, layer: Layer) -> bool {
        let Some(place) = self.layers.get_mut(usize::from(self.count)) else { return false };
        *place = layer;
        self.count += 1;
        true
    }

    /// Notes that a side is one protocol further inside.
    pub(crate) fn descend(&mut self, sender: Sender) {
        let depth = self.depth.of_mut(sender);
        *depth = depth.saturating_add(1).min(self.count);
    }
}
