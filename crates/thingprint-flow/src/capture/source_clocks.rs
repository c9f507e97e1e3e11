use super::clock::{Clocks, Held, MOST_INTERFACES, STEP_NS};
use crate::Timestamp;
use crate::decode::Frame;

/// The clocks of a source, from one of its captures to the next: which times of its frames are believed.
#[derive(Debug)]
pub struct SourceClocks(Kind);

#[derive(Debug)]
enum Kind {
    Confirmed(Box<Clocks>),
    Trusted(Trusted),
}

/// Clocks of machines that capture now: each frame is believed at once.
#[derive(Debug, Default)]
struct Trusted {
    /// The highest time of each interface in this segment.
    interfaces: Vec<Option<Timestamp>>,
    steps_back: u64,
}

impl SourceClocks {
    /// A jump or a step back by more than 300 s has to be confirmed by three frames of an interface, as in a
    /// [`Trace`](crate::Trace). For files, whose times may be damaged.
    pub fn confirmed() -> Self {
        Self(Kind::Confirmed(Box::default()))
    }

    /// Every time is believed at once, so that no frame waits for others; a step back of an interface by more than 300 s
    /// begins a segment at once ([`Frame::begins_segment`]). For frames that are captured now, by the clock of a machine.
    pub fn trusted() -> Self {
        Self(Kind::Trusted(Trusted::default()))
    }

    /// Believes the frames that wait for others, since none come, and hands them to `take`.
    pub fn settle(&mut self, mut take: impl FnMut(Frame<'_>)) {
        let Kind::Confirmed(clocks) = &mut self.0 else { return };
        clocks.finish();
        while let Some(held) = clocks.next() {
            take(held.frame());
        }
    }

    /// Whether frames wait for others that confirm their times.
    pub fn holds_frames(&self) -> bool {
        match &self.0 {
            Kind::Confirmed(clocks) => clocks.holds_frames(),
            Kind::Trusted(_) => false,
        }
    }

    /// Frames that were left out, since their times lie alone in the future.
    pub fn wrongly_timed(&self) -> u64 {
        match &self.0 {
            Kind::Confirmed(clocks) => clocks.wrongly_timed,
            Kind::Trusted(_) => 0,
        }
    }

    /// How often the clock stepped back by more than 300 s.
    pub fn steps_back(&self) -> u64 {
        match &self.0 {
            Kind::Confirmed(clocks) => clocks.steps_back,
            Kind::Trusted(trusted) => trusted.steps_back,
        }
    }

    /// Whether a frame of this time is believed at once, and if so, whether it begins a segment.
    #[inline]
    pub(super) fn accept(&mut self, interface: u32, time: Timestamp) -> Option<bool> {
        match &mut self.0 {
            Kind::Confirmed(clocks) => clocks.accept(interface, time).then_some(false),
            Kind::Trusted(trusted) => Some(trusted.note(interface, time)),
        }
    }

    /// Takes a frame that was not accepted.
    pub(super) fn take(&mut self, held: Held) {
        if let Kind::Confirmed(clocks) = &mut self.0 {
            clocks.take(held);
        }
    }

    /// The next frame that was not accepted at once, and is believed by now.
    pub(super) fn next(&mut self) -> Option<Held> {
        match &mut self.0 {
            Kind::Confirmed(clocks) => clocks.next(),
            Kind::Trusted(_) => None,
        }
    }
}

impl Trusted {
    /// Moves the clock of an interface; whether that is a step back.
    fn note(&mut self, interface: u32, time: Timestamp) -> bool {
        let at = interface as usize;
        if self.interfaces.len() <= at && at < MOST_INTERFACES {
            self.interfaces.resize(at + 1, None);
        }
        let Some(clock) = self.interfaces.get_mut(at) else { return false };
        if clock.is_some_and(|clock| clock.nanos_since(time) > STEP_NS) {
            self.interfaces.fill(None);
            self.steps_back += 1;
            if let Some(clock) = self.interfaces.get_mut(at) {
                *clock = Some(time);
            }
            return true;
        }
        *clock = (*clock).max(Some(time));
        false
    }
}
