//! Single keys of the terminal, without Enter and without echo.

use std::io;
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use super::parallel;

/// A terminal that gives single keys, until this is dropped.
#[derive(Debug)]
pub struct Keys {
    /// How the terminal was, and is to be again.
    before: Termios,
}

impl Keys {
    /// Asks the terminal of standard input for keys, and calls for each of them. `None` where
    /// there is no terminal, it is somebody else's at the moment, or no thread can hear them.
    ///
    /// Ctrl-C and the like stay signals, and output is written as ever.
    pub fn listen(mut pressed: impl FnMut(u8) + Send + 'static) -> Option<Self> {
        if !is_ours() {
            return None;
        }
        let keys = Self { before: tcgetattr(io::stdin()).ok()? };
        keys.resume();
        let hear = move || {
            while let Some(bytes) = next() {
                bytes.into_iter().for_each(&mut pressed);
            }
        };
        parallel::start(hear).ok()?;
        Some(keys)
    }

    /// Gives the terminal back as it was.
    pub fn pause(&self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }

    /// Asks for single keys again.
    pub fn resume(&self) {
        let mut termios = self.before.clone();
        termios.local_modes &= !(LocalModes::ICANON | LocalModes::ECHO);
        if is_ours() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &termios);
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if is_ours() {
            self.pause();
        }
    }
}

/// Whether standard input is a terminal and we are in its foreground: whoever is not, and reads
/// or sets it, is stopped by the system.
fn is_ours() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// The next keys; `None` when there will be none.
fn next() -> Option<Vec<u8>> {
    let stdin = io::stdin();
    let mut buffer = [0; 64];
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None) {
            // What is typed while a shell has the terminal is the shell's.
            Ok(_) if !is_ours() => std::thread::sleep(std::time::Duration::from_millis(200)),
            Ok(_) => match rustix::io::read(stdin.as_fd(), &mut buffer) {
                Ok(0) => return None,
                Ok(length) => return Some(buffer[..length].to_vec()),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => return None,
            },
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
