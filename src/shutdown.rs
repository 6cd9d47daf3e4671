//! One signal ends everything: the sources are dropped, the channel runs dry, and the walk finishes the line in hand.

use crate::error::Exit;

/// Waits for SIGINT or SIGTERM, and says how the process is to exit.
#[cfg(unix)]
pub async fn signal() -> std::io::Result<Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    })
}

/// Waits for Ctrl-C, and says how the process is to exit.
#[cfg(not(unix))]
pub async fn signal() -> std::io::Result<Exit> {
    tokio::signal::ctrl_c().await.map(|()| Exit::Interrupted)
}
