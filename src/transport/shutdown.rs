//! Shutdown on a signal.
//!
//! The first signal ends the run: the sources are dropped, the channel runs empty, and the pipeline
//! finishes the line that it is writing.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::error::Exit;

/// Waits for SIGINT, SIGTERM or SIGHUP and returns the exit status for it.
///
/// SIGHUP stays ignored where the parent ignores it, as `nohup` does.
#[cfg(unix)]
pub async fn wait_for_signal() -> std::io::Result<Exit> {
    wait(!is_hangup_ignored()).await
}

/// Waits for SIGINT, SIGTERM or SIGHUP and returns the exit status for it: without its terminal,
/// the live screen is of no use.
#[cfg(unix)]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    wait(true).await
}

/// Waits for SIGINT or SIGTERM and returns the exit status for it, where SIGHUP has another meaning;
/// see [`Hangup`].
#[cfg(unix)]
pub async fn wait_for_end() -> std::io::Result<Exit> {
    wait(false).await
}

#[cfg(unix)]
async fn wait(has_hangup: bool) -> std::io::Result<Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = has_hangup.then(|| signal(SignalKind::hangup())).transpose()?;
    let hangup = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
        _ = hangup => Exit::HungUp,
    })
}

/// Returns whether the parent ignores SIGHUP. Where this is unknown, it returns true, so that the
/// signal keeps the effect that it has.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    // The lowest bit of the mask is signal 1: see proc(5).
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}

/// Waits for Ctrl-C and returns the exit status for it.
#[cfg(not(unix))]
pub async fn wait_for_signal() -> std::io::Result<Exit> {
    tokio::signal::ctrl_c().await.map(|()| Exit::Interrupted)
}

/// Waits for Ctrl-C and returns the exit status for it.
#[cfg(not(unix))]
pub async fn wait_for_end() -> std::io::Result<Exit> {
    wait_for_signal().await
}

/// Waits for Ctrl-C and returns the exit status for it. Closing a console ends its processes.
#[cfg(not(unix))]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    wait_for_signal().await
}

/// SIGHUP as the request to read a file again. It no longer ends the process once this exists.
pub struct Hangup {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangup {
    /// Begins to wait for the signal.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// Waits for the signal, which does not exist on all systems.
    pub async fn received(&mut self) {
        #[cfg(unix)]
        if self.signal.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
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
