use std::collections::BTreeMap;

use thingprint_flow::WindowIndex;

/// Spans of windows that are remembered of a device; one that is always on has one.
const MOST_SPANS: usize = 4096;

/// The windows of a device whose instances were handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandedOut(Vec<(WindowIndex, WindowIndex)>);

/// Which instances come again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceLosses {
    /// Instances of windows that had been handed out before the clock stepped back, by window.
    pub repeated: BTreeMap<WindowIndex, u64>,
}

impl HandedOut {
    /// Notes a window; whether it had been handed out before.
    pub(crate) fn note(&mut self, window: WindowIndex) -> bool {
        if self.0.iter().rev().any(|(first, last)| (*first..=*last).contains(&window)) {
            return true;
        }
        match self.0.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(window.0) => *last = window,
            _ => self.0.push((window, window)),
        }
        if self.0.len() > MOST_SPANS {
            self.0.remove(0);
        }
        false
    }
}

impl InstanceLosses {
    /// Adds those of others.
    pub fn merge(&mut self, other: &Self) {
        for (window, instances) in &other.repeated {
            *self.repeated.entry(*window).or_default() += instances;
        }
    }
}

#[cfg(test)]
mod tests {
    use thingprint_flow::WindowIndex;

    use super::HandedOut;

    #[test]
    fn windows_that_follow_each_other_are_one_span() {
        let mut handed_out = HandedOut::default();
        let note = |handed_out: &mut HandedOut, window| handed_out.note(WindowIndex(window));
        assert!([3, 4, 5, 9, 10, 1].into_iter().all(|window| !note(&mut handed_out, window)));
        assert_eq!(handed_out.0.len(), 3);
        assert!([1, 3, 5, 10].into_iter().all(|window| note(&mut handed_out, window)));
        assert!(!note(&mut handed_out, 2) && !note(&mut handed_out, 6));
    }
}
