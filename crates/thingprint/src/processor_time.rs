//! The time that the processor spent on this thread, for costs in reports: what else the machine does is not in it.

use std::time::Duration;

/// Where Linux says how long a thread ran, in nanoseconds, as the first of three numbers (proc(5)).
const RUN_TIME: &str = "/proc/thread-self/schedstat";

/// The time that this thread was on a processor; `None` where the system does not say it.
pub(crate) fn so_far() -> Option<Duration> {
    let text = std::fs::read_to_string(RUN_TIME).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time() {
        let Some(before) = so_far() else { return };
        let mut sum = 0_u64;
        while so_far().is_some_and(|now| now.saturating_sub(before) < Duration::from_millis(5)) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(so_far().is_some_and(|now| now >= before + Duration::from_millis(5)));
    }
}
