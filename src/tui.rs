//! The live screen.
//!
//! One kind of message, [`Msg`], goes through [`update`](update::update) into the [`State`], and the [`view`]s draw the
//! state; neither knows a terminal. [`terminal`] takes the terminal over and gives it back as it was. The loop here ties them
//! together: keys go first, then what the walk feeds, then filtering and searching in slices; it draws only when something
//! changed, and at most thirty times a second.
//!
//! The screen is a [`sink`](crate::output): it gets [`Shown`](crate::redact::Shown) events and nothing else, so no key can
//! bring up what is hidden.

mod background_tasks;
pub mod buffer;
pub mod column_picker;
mod complete;
pub mod edit;
pub mod event_sink;
pub mod filter;
pub mod frames;
mod input;
pub mod keys;
pub mod live_stats;
mod mouse;
mod prompt;
pub mod rows;
pub mod search;
mod seek;
pub mod state;
pub mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod update;
pub mod view;
pub mod workspace_state;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread::{Builder, Thread};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::Frame;
use tokio::sync::oneshot;

use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::pipeline::Stages;
use crate::query::program::THREAD_STACK;
use crate::transport::recording::cause;
use background_tasks::BackgroundTasks;
use event_sink::{ScreenMessage, ScreenSink};
use filter::TimeSlice;
use frames::FramePacer;
use input::InputReader;
use state::{Effect, ScreenConfig, State};
use style::Depth;
use terminal::TerminalGuard;
use update::{Msg, update};

/// How long one go at events, or at filtering, may take: keys wait no longer than that and one event.
const SLICE: Duration = Duration::from_millis(8);

/// How many events it may look at, however fast the machine.
const EVENTS: usize = 4096;

/// How long the loop sleeps, whoever would wake it, where something has come just now and more will follow.
const BRIEF: Duration = Duration::from_millis(2);

/// How long the loop sleeps where nothing happens: signals wake nobody.
const IDLE: Duration = Duration::from_millis(100);

/// A screen that is open.
pub struct LiveScreen {
    closed: oneshot::Receiver<Result<Exit>>,
    stop: Arc<AtomicBool>,
    thread: Thread,
}

impl LiveScreen {
    /// Opens a screen on which `draw` draws, and replaces the output of `stages` by it.
    pub fn open(
        setup: ScreenConfig,
        stages: &mut Stages,
        draw: impl Fn(&State, &mut Frame<'_>) + Send + 'static,
    ) -> Result<Self> {
        terminal::check()?;
        let (screen, fed) = sync_channel(event_sink::QUEUE);
        let pace = setup.pace.clone();
        let (done, closed) = oneshot::channel();
        let stop = Arc::<AtomicBool>::default();
        let told = Arc::clone(&stop);
        // Filters run here, so it needs a stack like that of the walk.
        let builder = Builder::new().name("screen".to_owned()).stack_size(THREAD_STACK);
        let run = move || {
            let pace = setup.pace.clone();
            let shown = match show(setup, &fed, &told, draw) {
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
            let _ = done.send(shown);
        };
        let started = builder.spawn(run).map_err(|error| Error::thread_failed(&error))?;
        let thread = started.thread().clone();
        stages.writer = None;
        stages.observers = vec![Box::new(ScreenSink::new(screen, thread.clone(), pace))];
        Ok(Self { closed, stop, thread })
    }

    /// Waits until the reader has closed it, or the terminal has gone away.
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

    /// Closes it, and waits until the terminal is as it was.
    pub async fn close(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
        let _ = self.closed().await;
    }
}

/// Shows the screen until somebody closes it.
fn show(
    mut setup: ScreenConfig,
    fed: &Receiver<ScreenMessage>,
    stop: &AtomicBool,
    draw: impl Fn(&State, &mut Frame<'_>),
) -> io::Result<()> {
    let mut taken = TerminalGuard::take()?;
    let mut errands = BackgroundTasks::default();
    if setup.theme.depth != Depth::None {
        setup.theme.ground = setup.theme.ground.or_else(terminal::background);
    }
    let (suspended, continued) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    #[cfg(unix)]
    for (signal, flag) in
        [(signal_hook::consts::SIGTSTP, &suspended), (signal_hook::consts::SIGCONT, &continued)]
    {
        let _ = signal_hook::flag::register(signal, Arc::clone(flag));
    }
    let mut input = Some(InputReader::listen()?);
    let mut state = State::new(setup, crossterm::terminal::size()?, Timestamp::now());
    let (mut frames, mut is_over) = (FramePacer::default(), false);
    while !stop.load(Ordering::Relaxed) {
        for typed in input.iter().flat_map(InputReader::take) {
            update(&mut state, Msg::Input(typed?));
        }
        update(&mut state, Msg::Tick(Timestamp::now()));
        for line in status::take_waiting().into_iter().chain(errands.told()) {
            update(&mut state, Msg::Told(line));
        }
        let taken_in =
            if is_over { FeedResult::Nothing } else { take(&mut state, fed, &mut is_over) };
        state.work(TimeSlice::with_events(EVENTS).until(Instant::now() + SLICE));
        if suspended.swap(false, Ordering::Relaxed) {
            state.effects.push(Effect::Suspend);
        } else if continued.swap(false, Ordering::Relaxed) {
            // Whoever stopped it without asking may have used the terminal meanwhile.
            taken.release_while(|| {})?;
            state.size = crossterm::terminal::size()?;
            state.changed = true;
        }
        for effect in std::mem::take(&mut state.effects) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Suspend => {
                    drop(input.take());
                    taken.release_while(suspend)?;
                    input = Some(InputReader::listen()?);
                    continued.store(false, Ordering::Relaxed);
                    state.size = crossterm::terminal::size()?;
                    state.changed = true;
                }
                Effect::Copy(text) => {
                    terminal::copy(&text)?;
                    errands.copy(text);
                }
                Effect::Save(path) => errands.save(path, state.listed()),
            }
        }
        if frames.is_due(state.changed, Instant::now()) {
            taken.terminal.draw(|frame| draw(&state, frame))?;
            state.changed = false;
        }
        match taken_in {
            FeedResult::More => {}
            _ if state.is_busy() => {}
            FeedResult::Some => std::thread::sleep(BRIEF),
            FeedResult::Nothing if state.changed => {
                std::thread::park_timeout(frames.wait(Instant::now()))
            }
            FeedResult::Nothing => std::thread::park_timeout(IDLE),
        }
    }
    Ok(())
}

/// What came of taking what the walk feeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FeedResult {
    /// There was nothing.
    Nothing,
    /// There was something, and it is all taken.
    Some,
    /// There is more than one slice can take.
    More,
}

/// Takes what the walk feeds, for a while.
fn take(state: &mut State, fed: &Receiver<ScreenMessage>, is_over: &mut bool) -> FeedResult {
    let mut slice = TimeSlice::with_events(EVENTS).until(Instant::now() + SLICE);
    let mut taking = FeedResult::Nothing;
    while slice.takes() {
        match fed.try_recv() {
            Ok(fed) => update(state, Msg::Fed(fed)),
            Err(TryRecvError::Empty) => return settled(state, taking),
            Err(TryRecvError::Disconnected) => {
                *is_over = true;
                update(state, Msg::Over);
                return settled(state, taking);
            }
        }
        taking = FeedResult::Some;
    }
    settled(state, FeedResult::More)
}

fn settled(state: &mut State, taking: FeedResult) -> FeedResult {
    if taking != FeedResult::Nothing {
        state.settle();
    }
    taking
}

/// Stops this process until somebody tells it to go on.
#[cfg(unix)]
fn suspend() {
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}

#[cfg(not(unix))]
fn suspend() {}
