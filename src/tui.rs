//! The live screen.
//!
//! ```text
//! style, text, keys, screen, …     primitives; the table of screens
//! buffer, rows, live_stats, …      data: events at hand, counts, filter and search tasks
//! state                            everything the screen knows
//! layout, event_row, selection, …  geometry and operations that need only the state
//! overlays, panels                 one file per screen: drawing, keys and mouse
//! view, mouse, update              the whole screen; every message goes through `update`
//! event_loop, terminal, input, …   the thread, the terminal, the channel from the pipeline
//! ```
//!
//! A module imports only modules above its own line, or on the same line without a cycle. Drawing
//! takes the state and changes nothing; [`update`](update::update) changes it and knows no terminal.
//!
//! The screen is a [sink](crate::output): it gets [redacted events](crate::redact::RedactedEvent)
//! and nothing else, so no key can reveal what is hidden.

mod background_tasks;
pub mod buffer;
pub mod column_picker;
pub mod commands;
mod completion;
pub mod config;
mod event_detail;
mod event_loop;
mod event_row;
pub mod event_sink;
pub mod filter;
mod filtering;
pub mod frame_pacer;
pub mod incremental;
mod input;
pub mod keys;
pub mod layout;
pub mod line_editor;
pub mod live_stats;
pub mod message;
mod mouse;
mod overlays;
pub mod panel;
pub mod panels;
mod prompt;
pub mod rows;
pub mod screen;
mod scrolling;
pub mod search;
mod seek;
pub mod selection;
pub mod state;
pub mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
mod text;
pub mod time_slice;
pub mod update;
pub mod view;
pub mod workspace_state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, Thread};

use ratatui::Frame;
use tokio::sync::oneshot;

use crate::error::{Error, Exit, Result};
use crate::pipeline::Stages;
use crate::query::program::THREAD_STACK;
use crate::transport::recording::cause;
use config::ScreenConfig;
use event_sink::ScreenSink;
use state::State;

/// A live screen that is open, on a thread of its own.
pub struct LiveScreen {
    closed: oneshot::Receiver<Result<Exit>>,
    stop: Arc<AtomicBool>,
    thread: Thread,
}

impl LiveScreen {
    /// Opens a screen on which `draw` draws, and replaces the output of `stages` by it.
    pub fn open(
        config: ScreenConfig,
        stages: &mut Stages,
        draw: impl Fn(&State, &mut Frame<'_>) + Send + 'static,
    ) -> Result<Self> {
        terminal::check()?;
        let (sender, messages) = sync_channel(event_sink::QUEUE);
        let pace = config.pace.clone();
        let (done, closed) = oneshot::channel();
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        // Filters run on this thread, so it needs the stack of the pipeline's thread.
        let builder = Builder::new().name("screen".to_owned()).stack_size(THREAD_STACK);
        let run = move || {
            let pace = config.pace.clone();
            let result = match event_loop::run(config, &messages, &stopped, draw) {
                Ok(()) => Ok(Exit::Done),
                Err(_) if terminal::is_gone() => Ok(Exit::HungUp),
                Err(error) => Err(Error::new(
                    Exit::Failure,
                    "cannot show the live screen",
                    cause(&error),
                    "leave --tui out to have lines",
                )),
            };
            if let Some(pace) = pace {
                pace.end();
            }
            let _ = done.send(result);
        };
        let started = builder.spawn(run).map_err(|error| Error::thread_failed(&error))?;
        let thread = started.thread().clone();
        stages.writer = None;
        stages.observers = vec![Box::new(ScreenSink::new(sender, thread.clone(), pace))];
        Ok(Self { closed, stop, thread })
    }

    /// Waits until the reader closes the screen, or the terminal goes away.
    pub async fn closed(&mut self) -> Result<Exit> {
        (&mut self.closed).await.unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot go on",
                "the screen broke down",
                "report this as a bug",
            ))
        })
    }

    /// Closes the screen, and waits until the terminal is restored.
    pub async fn close(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
        let _ = self.closed().await;
    }
}
