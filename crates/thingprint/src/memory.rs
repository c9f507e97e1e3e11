//! The memory that a training takes, for reports of experiments. Counting slows every allocation of every command, so it
//! is compiled with the feature `count-memory` only.

/// The most bytes allocated since the last call; memory that was in use before does not count. `None` without the feature.
#[cfg(not(feature = "count-memory"))]
pub(crate) const fn take_peak() -> Option<u64> {
    None
}

#[cfg(feature = "count-memory")]
pub(crate) use counting::take_peak;

#[cfg(feature = "count-memory")]
mod counting {
    use std::alloc::System;

    use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait as _};

    /// The system's allocator with a count of the bytes in use.
    #[global_allocator]
    static MEMORY: PeakMemAlloc<System> = PeakMemAlloc::new(System);

    /// The most bytes allocated since the last call; memory that was in use before does not count.
    pub(crate) fn take_peak() -> Option<u64> {
        let peak = u64::try_from(MEMORY.get_peak_memory()).ok();
        MEMORY.reset_peak_memory();
        peak
    }
}
