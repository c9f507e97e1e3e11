use std::collections::BTreeMap;

use thingprint_flow::WindowIndex;

use crate::tally::WindowTally;

/// The windows of a device that are not handed out, in their order: nearly always one, and packets are in the last.
#[derive(Debug, Default)]
pub(crate) struct OpenWindows(Vec<(WindowIndex, Box<WindowTally>)>);

impl OpenWindows {
    /// Number of windows.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The earliest window.
    pub(crate) fn first(&self) -> Option<WindowIndex> {
        self.0.first().map(|(window, _)| *window)
    }

    /// The tally of a window.
    pub(crate) fn get(&self, window: WindowIndex) -> Option<&WindowTally> {
        let (_, tally) = self.0.get(self.position(window).ok()?)?;
        Some(tally)
    }

    /// The tally of a window.
    #[inline]
    pub(crate) fn get_mut(&mut self, window: WindowIndex) -> Option<&mut WindowTally> {
        let at = self.position(window).ok()?;
        let (_, tally) = self.0.get_mut(at)?;
        Some(tally)
    }

    /// Whether there is a window.
    #[inline]
    pub(crate) fn has(&self, window: WindowIndex) -> bool {
        self.position(window).is_ok()
    }

    /// Adds a window that is not there.
    pub(crate) fn insert(&mut self, window: WindowIndex, tally: Box<WindowTally>) {
        if let Err(at) = self.position(window) {
            self.0.insert(at, (window, tally));
        }
    }

    /// Takes a window out.
    pub(crate) fn remove(&mut self, window: WindowIndex) -> Option<Box<WindowTally>> {
        let at = self.position(window).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Takes out the last window.
    pub(crate) fn pop(&mut self) -> Option<Box<WindowTally>> {
        self.0.pop().map(|(_, tally)| tally)
    }

    /// Takes all windows out, and keeps their memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The windows with their tallies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (WindowIndex, &WindowTally)> {
        self.0.iter().map(|(window, tally)| (*window, &**tally))
    }

    /// The tallies.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = &WindowTally> {
        self.iter().map(|(_, tally)| tally)
    }

    /// The tallies.
    pub(crate) fn tallies_mut(&mut self) -> impl Iterator<Item = &mut WindowTally> {
        self.0.iter_mut().map(|(_, tally)| &mut **tally)
    }

    /// All windows.
    pub(crate) fn into_map(self) -> BTreeMap<WindowIndex, Box<WindowTally>> {
        self.0.into_iter().collect()
    }

    /// Where a window is, or belongs.
    #[inline]
    fn position(&self, window: WindowIndex) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if *last == window => Ok(self.0.len() - 1),
            Some((last, _)) if *last < window => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&window, |(window, _)| *window),
        }
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::WindowIndex;

    use super::OpenWindows;
    use crate::InstanceOptions;
    use crate::evidence::EvidencePlan;
    use crate::tally::WindowTally;

    #[test]
    fn windows_are_in_their_order_in_whatever_order_they_come() {
        let plan = EvidencePlan::of(InstanceOptions::default());
        let mut windows = OpenWindows::default();
        for window in [5, 7, 3, 9, 7] {
            windows.insert(WindowIndex(window), Box::new(WindowTally::new(&plan)));
        }
        let order = |windows: &OpenWindows| windows.iter().map(|(window, _)| window.0).collect::<Vec<_>>();
        assert_eq!((order(&windows), windows.first()), (vec![3, 5, 7, 9], Some(WindowIndex(3))));
        assert!(windows.remove(WindowIndex(5)).is_some() && windows.remove(WindowIndex(5)).is_none());
        assert!(windows.get_mut(WindowIndex(7)).is_some() && windows.get(WindowIndex(8)).is_none());
        assert!(windows.pop().is_some());
        assert_eq!((order(&windows), windows.has(WindowIndex(9))), (vec![3, 7], false));
    }
}
