use crate::options::InstanceOptions;

/// How many words devices may have while their windows are open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordBudget {
    max_words: usize,
    device_bytes: usize,
    all_bytes: usize,
}

/// How many more words a device may have, and what was taken of that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Most words of one bag in one window.
    max_words: usize,
    /// Bytes that are left for the words of the device.
    bytes: usize,
    /// Bytes that were taken.
    taken: usize,
    /// Bytes of windows that were begun for it.
    begun: usize,
    /// Words for which there was no room.
    dropped: u64,
}

impl WordBudget {
    /// The budget that options give, where each device has few windows at a time.
    pub(crate) const fn of(options: &InstanceOptions) -> Self {
        Self {
            max_words: options.max_words,
            device_bytes: options.max_device_bytes,
            all_bytes: options.max_bytes,
        }
    }

    /// As many times the bytes for all devices, where all windows are kept.
    pub(crate) const fn times(self, windows: usize) -> Self {
        Self { all_bytes: self.all_bytes.saturating_mul(windows), ..self }
    }

    /// The room that a device has, or each of its windows where all are kept, whose words take so many bytes.
    #[inline]
    pub(crate) const fn room(self, used: usize) -> Room {
        Room {
            max_words: self.max_words,
            bytes: self.device_bytes.saturating_sub(used),
            taken: 0,
            begun: 0,
            dropped: 0,
        }
    }

    /// Most bytes of the words of all devices.
    pub(crate) const fn all_bytes(self) -> usize {
        self.all_bytes
    }
}

impl Room {
    /// Room for everything.
    pub(super) const ENDLESS: Self =
        Self { max_words: usize::MAX, bytes: usize::MAX, taken: 0, begun: 0, dropped: 0 };

    /// Takes some of the bytes, if they are left.
    pub(super) const fn take(&mut self, bytes: usize) -> bool {
        let has_room = bytes <= self.bytes;
        if has_room {
            self.bytes -= bytes;
            self.taken += bytes;
        }
        has_room
    }

    /// Takes the bytes of one more word for a bag that has so many words; where there is no room, the word was dropped as
    /// often as it was counted.
    pub(super) const fn take_word(&mut self, words: usize, bytes: usize, counted: u64) -> bool {
        let has_room = words < self.max_words && self.take(bytes);
        if !has_room {
            self.dropped = self.dropped.saturating_add(counted);
        }
        has_room
    }

    /// The same where windows of so many bytes were begun.
    #[inline]
    pub(crate) const fn with_begun(self, begun: usize) -> Self {
        Self { begun, ..self }
    }

    /// Whether anything was taken, begun or dropped.
    #[inline]
    pub(crate) const fn is_used(self) -> bool {
        self.taken > 0 || self.begun > 0 || self.dropped > 0
    }

    /// Bytes of windows that were begun.
    pub(crate) const fn begun(self) -> usize {
        self.begun
    }

    /// Bytes that were taken.
    pub(crate) const fn taken(self) -> usize {
        self.taken
    }

    /// Words for which there was no room.
    pub(crate) const fn dropped(self) -> u64 {
        self.dropped
    }
}
