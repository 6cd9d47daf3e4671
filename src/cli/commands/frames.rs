//! `evtap frames`: prints the raw frames of any SSE or WebSocket URL.

use tokio::sync::mpsc;

use crate::cli::args::FramesArgs;
use crate::cli::resolve::{self, value::size};
use crate::cli::session::{Printed, print};
use crate::error::{Error, Exit, Result};
use crate::output::raw;
use crate::output::status::{self, StatusFormat};
use crate::transport::{SourceConfig, raw_frames, shutdown};

pub(super) async fn run(args: FramesArgs) -> Result<Exit> {
    if args.reveal.as_deref() != Some("all") {
        return Err(Error::usage(
            "cannot print raw frames",
            "they may contain protected health information and cannot be redacted",
            "give --reveal all and protect the output, or use `watch` or `observe`, which redact",
        ));
    }
    let credential = if args.sends_key {
        let (credential, source) = resolve::api_key(&args.auth).await?;
        resolve::warn_if_exposed(&source, StatusFormat::Text);
        Some(credential)
    } else {
        if resolve::key_source(&args.auth).is_some() {
            status::report("the API key is not sent; give --auth to send it");
        }
        None
    };
    let network = resolve::network(&args.auth);
    let config = SourceConfig {
        max_frame: size("--max-frame", &args.max_frame)?,
        ..SourceConfig::default()
    };
    // One frame at a time, since each may have the maximum size.
    let (tx, mut rx) = mpsc::channel(1);
    let url = args.url;
    let reading = tokio::spawn(async move {
        raw_frames::run(&url, credential.as_ref(), &network, &config, &tx).await
    });

    let mut signal = std::pin::pin!(shutdown::wait_for_signal());
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let frame = tokio::select! {
            frame = rx.recv() => frame,
            signal = &mut signal => return Ok(signal.unwrap_or(Exit::Failure)),
        };
        let Some(frame) = frame else {
            return reading.await.unwrap_or(Ok(())).map(|()| Exit::Done);
        };
        left -= 1;
        if print(&raw::line(&frame))? == Printed::Unread {
            break;
        }
    }
    Ok(Exit::Done)
}
