//! The live screen: an interactive terminal view of the events of a session.
//!
//! A thread of its own owns the terminal and the state. It receives events from the pipeline
//! through a bounded queue, keeps the newest ones, and draws one of its screens. [`LiveScreen`]
//! opens and closes it; everything else is internal.
//!
//! ```text
//! style, text, charts, keys, …     primitives; the table of screens
//! buffer, projection, attention, … data: buffered events, what they add up to, snapshots of that,
//!                                  filter and search tasks
//! state                            everything that the screens show
//! layout, event_row, selection, …  geometry and operations that need only the state
//! panel, list_panel, …             what panels have in common; every list is made by one engine
//! overlays, panels                 one file per overlay and screen: drawing, keys and mouse
//! view, mouse, update              the whole screen; every message goes through `update`
//! event_loop, terminal, input, …   the thread, the terminal, the queue from the pipeline
//! ```
//!
//! A module imports only modules above its own line, or on the same line without a cycle. Drawing
//! reads the state and does not change it; [`update`](update::update) changes the state and does
//! not use the terminal.
//!
//! The screen is an [observer](crate::output::Observer) of the pipeline: it receives
//! [redacted events](crate::redact::RedactedEvent) and nothing else, so no key can reveal a hidden
//! value.

mod acknowledged;
pub mod attention;
mod attention_log;
mod background_tasks;
pub mod bookmarks;
pub mod buffer;
mod call_cursor;
pub mod call_search;
pub mod call_view;
pub mod charts;
pub mod column_picker;
pub mod commands;
mod completion;
pub mod config;
mod duration_chart;
mod event_detail;
mod event_loop;
pub mod event_queue;
mod event_row;
pub mod event_sink;
mod event_text;
pub mod filter;
mod filtering;
pub mod frame_pacer;
mod highlight;
pub mod history;
mod history_graph;
pub mod incremental;
mod input;
pub mod key_map;
pub mod keys;
pub mod layout;
pub mod line_editor;
mod list;
mod list_panel;
mod list_section;
mod list_view;
pub mod live_stats;
pub mod message;
mod mouse;
mod navigation;
mod overlays;
pub mod panel;
pub mod panels;
pub mod past;
mod plain_filter;
pub mod projection;
mod prompt;
mod replay_profile;
mod row_index;
pub mod rows;
pub mod saved_state;
pub mod screen;
mod scrolling;
pub mod search;
mod seek;
pub mod selection;
pub mod snapshots;
pub mod state;
pub mod state_file;
pub mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
mod text;
pub mod theme_contrast;
pub mod time_slice;
mod time_travel;
mod trends;
pub mod update;
pub mod view;
pub mod vocabulary;
mod workspace_names;
pub mod workspace_state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, Thread};

use ratatui::Frame;
use tokio::sync::oneshot;

use crate::error::{Error, Exit, Result};
use crate::pipeline::Stages;
use crate::query::program::THREAD_STACK;
use crate::transport::input_file::cause;
use config::ScreenConfig;
use event_sink::{ScreenSender, ScreenSink};
use state::State;

/// An open live screen, which runs on its own thread.
pub struct LiveScreen {
    closed: oneshot::Receiver<Result<Exit>>,
    failures: Sender<String>,
    stop: Arc<AtomicBool>,
    thread: Thread,
}

impl LiveScreen {
    /// Opens the screen and makes it the only output of `stages`. `draw` draws each frame.
    ///
    /// # Errors
    /// Fails if there is no suitable terminal, or if no thread can be started. Errors
    /// of the running screen are returned by [`closed`](Self::closed).
    pub fn open(
        config: ScreenConfig,
        stages: &mut Stages,
        draw: impl Fn(&State, &mut Frame<'_>) + Send + 'static,
    ) -> Result<Self> {
        terminal::check()?;
        let (sender, messages) = event_queue::queue();
        let pace = config.pace.clone();
        let (done, closed) = oneshot::channel();
        let (failures, failed) = channel();
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        // Filters run on this thread, so it needs a stack as large as that of the pipeline thread.
        let builder = Builder::new().name("screen".to_owned()).stack_size(THREAD_STACK);
        let run = move || {
            let pace = config.pace.clone();
            let result = match event_loop::run(config, &messages, &failed, &stopped, draw) {
                Ok(()) => Ok(Exit::Done),
                Err(_) if terminal::is_gone() => Ok(Exit::HungUp),
                Err(error) => Err(Error::new(
                    Exit::Failure,
                    "cannot show the live screen",
                    cause(&error),
                    "omit --tui to print lines instead",
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
        let sender = ScreenSender::new(sender, thread.clone());
        if let Some(alerts) = &mut stages.alerts {
            alerts.set_listener(sender.attention_listener());
        }
        stages.observers = vec![Box::new(ScreenSink::new(sender, pace))];
        Ok(Self { closed, failures, stop, thread })
    }

    /// Shows a failure that ended a source or the run. It stays on the screen.
    pub fn show_failure(&self, error: &Error) {
        // A closed screen shows nothing; the command reports the failure at its end.
        let _ = self.failures.send(error.to_string());
        self.thread.unpark();
    }

    /// Waits until the user closes the screen or the terminal is closed.
    pub async fn closed(&mut self) -> Result<Exit> {
        (&mut self.closed).await.unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot continue",
                "the screen thread panicked",
                "report this as a bug",
            ))
        })
    }

    /// Closes the screen and waits until the terminal is restored.
    pub async fn close(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
        let _ = self.closed().await;
    }
}
