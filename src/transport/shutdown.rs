//! Shutdown on a signal.
//!
//! The first signal ends the run: the sources are dropped, the channel runs empty, and the pipeline
//! finishes the line that it is writing.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::error::Exit;

/// Waits for SIGINT or SIGTERM and returns the exit status for it.
#[cfg(unix)]
pub async fn wait_for_signal() -> std::io::Result<Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    })
}

/// Waits for SIGINT, SIGTERM or SIGHUP and returns the exit status for it.
///
/// Only the live screen uses this: a process that writes lines may outlive its terminal.
#[cfg(unix)]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        exit = wait_for_signal() => exit,
        _ = hangup.recv() => Ok(Exit::HungUp),
    }
}

/// Waits for Ctrl-C and returns the exit status for it.
#[cfg(not(unix))]
pub async fn wait_for_signal() -> std::io::Result<Exit> {
    tokio::signal::ctrl_c().await.map(|()| Exit::Interrupted)
}

/// Waits for Ctrl-C and returns the exit status for it. Closing a console ends its processes.
#[cfg(not(unix))]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    wait_for_signal().await
}

/// A flag that any thread can set once to end the run.
#[derive(Debug, Default)]
pub struct ShutdownFlag {
    is_set: AtomicBool,
    notify: Notify,
}

impl ShutdownFlag {
    /// Sets the flag and wakes everybody who waits for it.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::Relaxed);
        self.notify.notify_waiters();
    }

    /// Returns whether the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Waits until the flag is set.
    pub async fn wait(&self) {
        // Created before the check, so that no notification is lost between the two.
        let notified = self.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }
}
