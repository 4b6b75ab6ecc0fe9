//! The way of events from a run to whoever shows them.
//!
//! Events are few and never wait, so that a slow terminal does not keep a signal from being
//! obeyed. Output is unbounded, so each piece needs a permit, which comes back when the piece has
//! been shown: a command that writes faster than its reader reads is slowed down by its pipe.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Event;

/// Pieces of output under way at once; with [`super::output::PIECE_BYTES_MAX`] a bound of 4 MiB.
const PIECE_COUNT_MAX: usize = 64;

/// The run's end of the channel.
#[derive(Debug, Clone)]
pub struct EventSender {
    sender: Sender<Event>,
    permits: Arc<Semaphore>,
    wants_output: bool,
}

/// The reporter's end of the channel.
#[derive(Debug)]
pub struct EventReceiver {
    receiver: Receiver<Event>,
    permits: Arc<Semaphore>,
}

/// A channel for one run; [`Event::Output`] is sent only if somebody wants it.
pub fn event_channel(wants_output: bool) -> (EventSender, EventReceiver) {
    let (sender, receiver) = channel();
    let permits = Arc::new(Semaphore::new(PIECE_COUNT_MAX));
    let sender = EventSender { sender, permits: Arc::clone(&permits), wants_output };
    (sender, EventReceiver { receiver, permits })
}

impl EventSender {
    /// Sends anything but output; a reporter that is gone misses it.
    pub fn send(&self, event: Event) {
        drop(self.sender.send(event));
    }

    /// Whether output is to be sent at all.
    pub fn wants_output(&self) -> bool {
        self.wants_output
    }

    /// Sends what a command wrote, once there is room for it.
    pub async fn output(&self, runnable: usize, bytes: &[u8]) {
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
            self.send(Event::Output { runnable, bytes: bytes.into() });
        }
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
    /// The next event; call [`EventReceiver::shown`] when done with it.
    pub fn next(&self, patience: Duration) -> Received {
        match self.receiver.recv_timeout(patience) {
            Ok(event) => Received::Event(event),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed,
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
