//! How far the end of a run has been asked for.

use tokio::sync::watch;

/// The stages of being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    No,
    /// Commands were told to end; nothing starts, nothing is stored.
    Asked,
    /// Commands were killed; nothing is waited for.
    Killed,
}

/// Set where signals are heard, seen by the units.
#[derive(Debug)]
pub(super) struct Stop(watch::Sender<Stage>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Stage::No))
    }

    pub(super) fn ask(&self) {
        self.0.send_modify(|stage| *stage = Stage::Asked.max(*stage));
    }

    pub(super) fn kill(&self) {
        self.0.send_modify(|stage| *stage = Stage::Killed);
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow() >= Stage::Asked
    }

    pub(super) fn is_killed(&self) -> bool {
        *self.0.borrow() == Stage::Killed
    }

    pub(super) async fn until_killed(&self) {
        let mut stages = self.0.subscribe();
        // An error means that there is no sender, and `self` is one.
        drop(stages.wait_for(|stage| *stage == Stage::Killed).await);
    }
}
