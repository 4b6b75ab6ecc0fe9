//! The way of events from a run to whoever shows them.
//!
//! Events are few and never wait, so that a slow terminal does not keep a signal from being
//! obeyed. Output is unbounded, so each piece needs a permit, which comes back when the piece has
//! been shown: a command that writes faster than its reader reads is slowed down by its pipe.
//!
//! Whoever shows events is woken for what is worth it: to wake a thread takes longer than to replay
//! a runnable, and there may be thousands of those. And of what comes close together it is told at
//! once: each time a thread wakes up, the commands have one processor less.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Event;
use crate::sys::clock;

/// Pieces of output under way at once; with [`super::output::PIECE_BYTES_MAX`] a bound of 4 MiB.
const PIECE_COUNT_MAX: usize = 64;

/// Whoever shows events is woken at most this often, unless it is urgent.
const WAKE_INTERVAL: Duration = Duration::from_millis(3);

/// The run's end of the channel.
#[derive(Debug, Clone)]
pub struct EventSender {
    sender: Sender<Event>,
    /// Behind the sender, so that it rings when that is gone.
    rope: Rope,
    permits: Arc<Semaphore>,
    wants_output: bool,
}

/// The reporter's end of the channel.
#[derive(Debug)]
pub struct EventReceiver {
    receiver: Receiver<Event>,
    bell: Arc<Bell>,
    permits: Arc<Semaphore>,
}

/// A channel for one run; [`Event::Output`] is sent only if somebody wants it.
pub fn event_channel(wants_output: bool) -> (EventSender, EventReceiver) {
    let (sender, receiver) = channel();
    let permits = Arc::new(Semaphore::new(PIECE_COUNT_MAX));
    let bell = Arc::<Bell>::default();
    let receiver =
        EventReceiver { receiver, bell: Arc::clone(&bell), permits: Arc::clone(&permits) };
    (EventSender { sender, rope: Rope(bell), permits, wants_output }, receiver)
}

/// Wakes the receiver.
#[derive(Debug, Default)]
struct Bell {
    state: Mutex<BellState>,
    rings: Condvar,
}

#[derive(Debug, Default)]
struct BellState {
    rung: Rung,
    woken_at: Option<Instant>,
}

/// What the bell was rung for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    #[default]
    Nothing,
    News,
    /// Somebody waits for it to be heard, or nothing will follow.
    Urgent,
}

/// A sender's end of the bell: rings when it is let go, too.
#[derive(Debug, Clone)]
struct Rope(Arc<Bell>);

impl Drop for Rope {
    fn drop(&mut self) {
        self.0.ring(Rung::Urgent);
    }
}

impl Bell {
    fn ring(&self, rung: Rung) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.rung < rung {
            state.rung = rung;
            self.rings.notify_one();
        }
    }

    /// Waits for a ring, or for so long; tells whether it rang.
    fn wait(&self, patience: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rings.wait_timeout_while(state, patience, |it| it.rung == Rung::Nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(woken_at) = state.woken_at
            && let Some(rest) = WAKE_INTERVAL.checked_sub(woken_at.elapsed())
            && state.rung == Rung::News
        {
            let waited = self.rings.wait_timeout_while(state, rest, |it| it.rung < Rung::Urgent);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.woken_at = Some(clock::instant());
        std::mem::take(&mut state.rung) > Rung::Nothing
    }
}

impl EventSender {
    /// Sends anything but output; a reporter that is gone misses it.
    pub fn send(&self, event: Event) {
        let rung = worth(&event);
        drop(self.sender.send(event));
        if rung > Rung::Nothing {
            self.rope.0.ring(rung);
        }
    }

    /// Whether output is to be sent at all.
    pub fn wants_output(&self) -> bool {
        self.wants_output
    }

    /// Sends what a command wrote, once there is room for it.
    pub async fn output(&self, runnable: usize, bytes: &[u8]) {
        if self.permits.available_permits() == 0 {
            self.rope.0.ring(Rung::Urgent);
        }
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
            self.send(Event::Output { runnable, bytes: bytes.into() });
        }
    }
}

/// Whether an event is shown soon, or with the next that is.
fn worth(event: &Event) -> Rung {
    match event {
        Event::Replaying { .. } => Rung::Nothing,
        Event::Ended { outcome, .. } if outcome.status.is_cached() => Rung::Nothing,
        Event::RunEnded { .. } => Rung::Urgent,
        _ => Rung::News,
    }
}

/// What a wait for events gave.
#[derive(Debug)]
pub enum Received {
    Event(Event),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl EventReceiver {
    /// The next event, waited for at most so long; call [`EventReceiver::shown`] when done with it.
    pub fn next(&self, patience: Duration) -> Received {
        loop {
            match self.receiver.try_recv() {
                Ok(event) => return Received::Event(event),
                Err(TryRecvError::Disconnected) => return Received::Closed,
                // It may have rung for an event that was received already.
                Err(TryRecvError::Empty) if !patience.is_zero() && self.bell.wait(patience) => {}
                Err(TryRecvError::Empty) => return Received::Nothing,
            }
        }
    }

    /// An event has been dealt with: makes room for the next piece of output.
    pub fn shown(&self, event: &Event) {
        if matches!(event, Event::Output { .. }) {
            self.permits.add_permits(1);
        }
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        self.permits.close();
    }
}
