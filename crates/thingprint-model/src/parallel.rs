use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// `work(state, 0) .. work(state, count - 1)` in the order of the numbers, computed by up to `jobs` threads.
///
/// Each thread makes one `state` for itself and takes the next number when it is free; since `work` sees the
/// number alone, the outcome does not depend on who took it.
pub(crate) fn map<S, T, M, W>(count: usize, jobs: NonZeroUsize, make_state: M, work: W) -> Vec<T>
where
    T: Send,
    M: Fn() -> S + Sync,
    W: Fn(&mut S, usize) -> T + Sync,
{
    let jobs = jobs.get().min(count);
    if jobs <= 1 {
        let mut state = make_state();
        return (0..count).map(|index| work(&mut state, index)).collect();
    }
    let next = AtomicUsize::new(0);
    let take_all = || {
        let mut state = make_state();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(&mut state, index)));
        }
    };
    let mut numbered = thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(take_all)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    numbered.sort_unstable_by_key(|&(index, _)| index);
    numbered.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_numbers_on_any_number_of_threads() {
        for jobs in [1, 2, 7, 64] {
            let squares = map(50, NonZeroUsize::new(jobs).unwrap(), || (), |(), index| index * index);
            assert_eq!(squares, (0..50).map(|index| index * index).collect::<Vec<_>>());
        }
        assert!(map(0, NonZeroUsize::MIN, || (), |(), index| index).is_empty());
    }
}
