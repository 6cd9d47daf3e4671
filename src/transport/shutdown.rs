//! One signal ends everything: the sources are dropped, the channel runs dry, and the walk finishes the line in hand.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::error::Exit;

/// Waits for SIGINT or SIGTERM, and says how the process is to exit.
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

/// The same, and the terminal may go away. Only for who has taken one over: what writes lines may be meant to outlive it.
#[cfg(unix)]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        exit = wait_for_signal() => exit,
        _ = hangup.recv() => Ok(Exit::HungUp),
    }
}

/// Waits for Ctrl-C, and says how the process is to exit.
#[cfg(not(unix))]
pub async fn wait_for_signal() -> std::io::Result<Exit> {
    tokio::signal::ctrl_c().await.map(|()| Exit::Interrupted)
}

/// The same: a console that goes away takes its processes with it.
#[cfg(not(unix))]
pub async fn wait_for_terminal_signal() -> std::io::Result<Exit> {
    wait_for_signal().await
}

/// Told once, from any thread, that the run is to end.
#[derive(Debug, Default)]
pub struct ShutdownFlag {
    is_set: AtomicBool,
    told: Notify,
}

impl ShutdownFlag {
    /// The run is to end.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::Relaxed);
        self.told.notify_waiters();
    }

    /// Whether it is.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Waits until it is.
    pub async fn wait(&self) {
        // Made before the look, so that nothing falls between.
        let told = self.told.notified();
        if !self.is_set() {
            told.await;
        }
    }
}
