//! Threads: work on many items in as many of them as it is worth, and such as do something beside.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::error::{Code, Diagnostic};

/// Chunks that there are for each thread: one that is slow, or begins late, does fewer of them.
const CHUNKS_PER_THREAD: usize = 8;

/// What `work` makes of all items, in their order.
pub fn map<T: Sync, R: Send>(
    items: &[T],
    items_per_thread_min: usize,
    thread_count_max: usize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let thread_count =
        (items.len() / items_per_thread_min.max(1)).clamp(1, thread_count_max.max(1));
    if thread_count == 1 {
        return work(items);
    }
    let chunk_length = items.len().div_ceil(thread_count * CHUNKS_PER_THREAD);
    let chunks: Vec<&[T]> = items.chunks(chunk_length).collect();
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut done = Vec::new();
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(chunk) = chunks.get(number)
        {
            done.push((number, work(chunk)));
        }
        done
    };
    let mut done: Vec<_> = together(thread_count, take_turns).into_iter().flatten().collect();
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

/// What `work` gives in so many threads at once, this one among them. Where some cannot be started,
/// fewer do it all.
pub fn together<R: Send>(thread_count: usize, work: impl Fn() -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, &work).ok();
        let threads: Vec<_> = (1..thread_count).filter_map(start).collect();
        let mut done = vec![work()];
        for thread in threads {
            done.push(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

/// Starts a thread of its own.
///
/// # Errors
/// The system has none left.
pub fn start<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<JoinHandle<R>, Diagnostic> {
    thread::Builder::new().spawn(work).map_err(|error| {
        Diagnostic::new(Code::SpawnFailed, "a thread cannot be started")
            .because(error.to_string())
            .hint("`ulimit -u` says how many threads and processes there may be, and raises it")
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn the_order_stays() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 3, 7, 2000] {
            let doubled = map(&items, 1, threads, |chunk| chunk.iter().map(|n| n * 2).collect());
            assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
        assert_eq!(map(&[0; 0], 1, 4, <[i32]>::to_vec), [0; 0]);
    }
}
