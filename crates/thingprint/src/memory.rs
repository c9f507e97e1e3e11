//! The allocator of the program, and the memory that a training takes, for reports of experiments. Counting slows every allocation
//! of every command, so it is compiled with the feature `count-memory` only.

/// The most bytes allocated since the last call; memory that was in use before does not count. `None` without the feature.
#[cfg(not(feature = "count-memory"))]
pub(crate) const fn take_peak() -> Option<u64> {
    None
}

#[cfg(feature = "count-memory")]
pub(crate) use counting::take_peak;

/// The allocator behind every collection of the program.
#[cfg(all(feature = "mimalloc", not(feature = "count-memory")))]
#[global_allocator]
static MEMORY: Allocator = ALLOCATOR;

#[cfg(feature = "mimalloc")]
type Allocator = mimalloc::MiMalloc;
#[cfg(feature = "mimalloc")]
const ALLOCATOR: Allocator = mimalloc::MiMalloc;
#[cfg(all(feature = "count-memory", not(feature = "mimalloc")))]
type Allocator = std::alloc::System;
#[cfg(all(feature = "count-memory", not(feature = "mimalloc")))]
const ALLOCATOR: Allocator = std::alloc::System;

#[cfg(feature = "count-memory")]
mod counting {
    use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait as _};

    use super::{ALLOCATOR, Allocator};

    /// The allocator with a count of the bytes in use.
    #[global_allocator]
    static MEMORY: PeakMemAlloc<Allocator> = PeakMemAlloc::new(ALLOCATOR);

    /// The most bytes allocated since the last call; memory that was in use before does not count.
    pub(crate) fn take_peak() -> Option<u64> {
        let peak = u64::try_from(MEMORY.get_peak_memory()).ok();
        MEMORY.reset_peak_memory();
        peak
    }
}
