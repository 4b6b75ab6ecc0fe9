//! Threads that do one kind of work, no more of them at once than are allowed, none before there
//! is any.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A pool; dropping it lets go of what has not begun and waits for nothing.
pub(super) struct Pool<J: Send + 'static>(Arc<Shared<J>>);

struct Shared<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    work: Box<dyn Fn(J) + Send + Sync>,
    name: &'static str,
    threads_max: usize,
}

struct State<J> {
    queue: VecDeque<J>,
    /// Jobs that have begun and not ended.
    running_count: usize,
    thread_count: usize,
    is_closed: bool,
}

impl<J: Send + 'static> Pool<J> {
    pub(super) fn new(
        name: &'static str,
        threads_max: usize,
        work: impl Fn(J) + Send + Sync + 'static,
    ) -> Self {
        let state =
            State { queue: VecDeque::new(), running_count: 0, thread_count: 0, is_closed: false };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            work: Box::new(work),
            name,
            threads_max,
        }))
    }

    /// Adds what can wait for all that was added before.
    pub(super) fn push_back(&self, job: J) {
        self.push(|queue| queue.push_back(job));
    }

    /// Adds what somebody waits for.
    pub(super) fn push_front(&self, job: J) {
        self.push(|queue| queue.push_front(job));
    }

    fn push(&self, push: impl FnOnce(&mut VecDeque<J>)) {
        let mut state = self.0.lock();
        push(&mut state.queue);
        let busy_count = state.running_count + state.queue.len();
        if busy_count > state.thread_count && state.thread_count < self.0.threads_max {
            state.thread_count += 1;
            drop(state);
            self.start_thread();
        } else {
            drop(state);
            self.0.changed.notify_all();
        }
    }

    fn start_thread(&self) {
        let shared = Arc::clone(&self.0);
        let started =
            thread::Builder::new().name(self.0.name.to_owned()).spawn(move || shared.run());
        if started.is_ok() {
            return;
        }
        let mut state = self.0.lock();
        state.thread_count -= 1;
        // Where no thread can be had at all, whoever brings work does it.
        let job = if state.thread_count == 0 { state.queue.pop_front() } else { None };
        drop(state);
        if let Some(job) = job {
            (self.0.work)(job);
        }
    }

    /// Moves a job to the front.
    pub(super) fn prefer(&self, is_wanted: impl Fn(&J) -> bool) {
        let mut state = self.0.lock();
        if let Some(position) = state.queue.iter().position(is_wanted)
            && let Some(job) = state.queue.remove(position)
        {
            state.queue.push_front(job);
        }
    }

    /// Lets go of all that has not begun.
    pub(super) fn clear(&self) {
        self.0.lock().queue.clear();
        self.0.changed.notify_all();
    }

    /// Jobs that have not ended.
    pub(super) fn pending_count(&self) -> usize {
        let state = self.0.lock();
        state.queue.len() + state.running_count
    }

    /// Waits for something to change, at most so long.
    pub(super) fn wait(&self, bound: Duration) {
        let state = self.0.lock();
        if state.queue.len() + state.running_count > 0 {
            drop(self.0.changed.wait_timeout(state, bound));
        }
    }

    /// Wakes all who wait.
    pub(super) fn wake(&self) {
        self.0.changed.notify_all();
    }
}

impl<J: Send + 'static> Drop for Pool<J> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        state.queue.clear();
        drop(state);
        self.0.changed.notify_all();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // Counts and queue are whole whatever a panicking thread was doing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return;
            }
            let Some(job) = state.queue.pop_front() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.running_count += 1;
            drop(state);
            let running = Running(self);
            (self.work)(job);
            drop(running);
            state = self.lock();
        }
    }
}

/// A job that has begun; it ends even by a panic.
struct Running<'a, J>(&'a Shared<J>);

impl<J> Drop for Running<'_, J> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running_count -= 1;
        if thread::panicking() {
            state.thread_count -= 1;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

impl<J: Send + 'static> fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};

    use super::*;

    fn wait_until_idle<J: Send>(pool: &Pool<J>) {
        while pool.pending_count() > 0 {
            pool.wait(Duration::from_secs(10));
        }
    }

    #[test]
    fn as_many_as_allowed_work_at_once() {
        let barrier = Arc::new(Barrier::new(4));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (shared_barrier, shared_most) = (Arc::clone(&barrier), Arc::clone(&most));
        let pool = Pool::new("test", 4, move |()| {
            let count = now.fetch_add(1, Ordering::SeqCst) + 1;
            shared_most.fetch_max(count, Ordering::SeqCst);
            shared_barrier.wait();
            now.fetch_sub(1, Ordering::SeqCst);
        });
        (0..8).for_each(|_| pool.push_back(()));
        wait_until_idle(&pool);
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn what_is_preferred_comes_first() {
        let (go, signal) = mpsc::channel::<()>();
        let signal = Mutex::new(signal);
        let order = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&order);
        let pool = Pool::new("test", 1, move |job: u32| {
            if job == 0 {
                signal.lock().unwrap().recv().unwrap();
            }
            shared.lock().unwrap().push(job);
        });
        pool.push_back(0);
        for job in [1, 2, 3] {
            pool.push_back(job);
        }
        pool.prefer(|job| *job == 3);
        pool.push_front(4);
        go.send(()).unwrap();
        wait_until_idle(&pool);
        let rest: Vec<u32> = order.lock().unwrap().iter().copied().filter(|job| *job > 0).collect();
        assert_eq!(rest, [4, 3, 1, 2]);
    }

    #[test]
    fn a_panic_ends_one_job() {
        let pool = Pool::new("test", 1, |is_fatal: bool| assert!(!is_fatal, "as planned"));
        pool.push_back(true);
        wait_until_idle(&pool);
        pool.push_back(false);
        wait_until_idle(&pool);
    }

    #[test]
    fn nothing_that_was_let_go_begins() {
        let (go, signal) = mpsc::channel::<()>();
        let signal = Mutex::new(signal);
        let count = Arc::new(AtomicUsize::new(0));
        let shared = Arc::clone(&count);
        let pool = Pool::new("test", 1, move |()| {
            shared.fetch_add(1, Ordering::SeqCst);
            let _ = signal.lock().unwrap().recv();
        });
        (0..5).for_each(|_| pool.push_back(()));
        while count.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        pool.clear();
        go.send(()).unwrap();
        wait_until_idle(&pool);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
