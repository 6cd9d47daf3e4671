//! The live screen.
//!
//! One kind of message, [`Msg`], goes through [`update`](update::update) into the [`State`], and the [`view`]s draw the
//! state; neither knows a terminal. [`terminal`] takes the terminal over and gives it back as it was. The loop here ties them
//! together: keys go first, then what the walk feeds, then filtering and searching in slices; it draws only when something
//! changed, and at most thirty times a second.
//!
//! The screen is a [`sink`](crate::sink): it gets [`Shown`](crate::redact::Shown) events and nothing else, so no key can
//! bring up what is hidden.

pub mod buffer;
pub mod calls;
pub mod edit;
pub mod feed;
pub mod held;
pub mod keys;
pub mod matching;
pub mod numbers;
pub mod office;
mod prompt;
pub mod rows;
pub mod state;
pub mod style;
pub mod talk;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod update;
pub mod view;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use crossterm::event;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::error::{Error, Exit, Result};
use crate::select::program::THREAD_STACK;
use crate::source::replay::cause;
use crate::status;
use crate::walk::Stages;
use feed::{Fed, Feed};
use state::{Effect, Setup, State};
use terminal::Taken;
use update::{Msg, update};

/// The least time between two frames: thirty a second.
const FRAME: Duration = Duration::from_millis(33);

/// How long one go at events, or at filtering, may take: keys wait no longer.
const SLICE: Duration = Duration::from_millis(8);

/// How long the loop sleeps where nothing happens.
const IDLE: Duration = Duration::from_millis(100);

/// A screen that is open.
pub struct Live {
    closed: oneshot::Receiver<Result<()>>,
    stop: Arc<AtomicBool>,
}

impl Live {
    /// Opens a screen, and makes it the sink of these stages.
    pub fn open(setup: Setup, stages: &mut Stages) -> Result<Self> {
        terminal::check()?;
        let (screen, fed) = sync_channel(feed::QUEUE);
        stages.sink = Box::new(Feed::new(screen, setup.pace.clone()));
        let (done, closed) = oneshot::channel();
        let stop = Arc::<AtomicBool>::default();
        let told = Arc::clone(&stop);
        // Filters run here, so it needs a stack like that of the walk.
        let thread = std::thread::Builder::new().name("screen".to_owned()).stack_size(THREAD_STACK);
        let run = move || {
            let pace = setup.pace.clone();
            let shown = show(setup, &fed, &told).map_err(|error| {
                Error::new(Exit::Failure, "cannot show the live screen", cause(&error), "leave --tui out to have lines")
            });
            if let Some(pace) = pace {
                pace.end();
            }
            let _ = done.send(shown);
        };
        thread.spawn(run).map_err(|error| {
            Error::new(Exit::Failure, "cannot start", error.kind().to_string(), "free some of the machine's memory")
        })?;
        Ok(Self { closed, stop })
    }

    /// Waits until the reader has closed it.
    pub async fn closed(&mut self) -> Result<()> {
        (&mut self.closed)
            .await
            .unwrap_or_else(|_| Err(Error::new(Exit::Failure, "cannot go on", "the screen broke down", "report this as a bug")))
    }

    /// Closes it, and waits until the terminal is as it was.
    pub async fn close(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.closed().await;
    }
}

/// Shows the screen until somebody closes it.
fn show(setup: Setup, fed: &Receiver<Fed>, stop: &AtomicBool) -> io::Result<()> {
    let mut taken = Taken::take()?;
    let suspended = Arc::<AtomicBool>::default();
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGTSTP, Arc::clone(&suspended));
    let mut state = State::new(setup, crossterm::terminal::size()?, Timestamp::now());
    let (mut drawn, mut is_over) = (None::<Instant>, false);
    while !stop.load(Ordering::Relaxed) {
        while event::poll(Duration::ZERO)? {
            update(&mut state, Msg::Input(event::read()?));
        }
        update(&mut state, Msg::Tick(Timestamp::now()));
        for line in status::take_waiting() {
            update(&mut state, Msg::Told(line));
        }
        let is_full = !is_over && take(&mut state, fed, &mut is_over);
        state.work(Instant::now() + SLICE);
        if suspended.swap(false, Ordering::Relaxed) {
            state.effects.push(Effect::Suspend);
        }
        for effect in std::mem::take(&mut state.effects) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Suspend => {
                    taken.lend(suspend)?;
                    state.size = crossterm::terminal::size()?;
                    state.changed = true;
                }
                Effect::Copy(text) => {
                    terminal::copy(&text)?;
                    state.tell("copied; if not, the terminal doesn't take OSC 52");
                }
                Effect::Save(path) => {
                    let told = match save(&state, &path) {
                        Ok(count) => format!("saved {count} events to {}", path.display()),
                        Err(error) => format!("cannot save to {}: {}; choose another name", path.display(), cause(&error)),
                    };
                    state.tell(told);
                }
            }
        }
        if state.changed && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
            taken.terminal.draw(|frame| view::draw(&state, frame))?;
            state.changed = false;
            drawn = Some(Instant::now());
        }
        let wait = if is_full || state.is_busy() {
            Duration::ZERO
        } else if state.changed {
            drawn.map_or(FRAME, |drawn| FRAME.saturating_sub(drawn.elapsed()))
        } else {
            IDLE
        };
        event::poll(wait)?;
    }
    Ok(())
}

/// Takes what the walk feeds, for a while. Gives whether there is more.
fn take(state: &mut State, fed: &Receiver<Fed>, is_over: &mut bool) -> bool {
    let until = Instant::now() + SLICE;
    let mut taken = false;
    let more = loop {
        match fed.try_recv() {
            Ok(fed) => update(state, Msg::Fed(fed)),
            Err(TryRecvError::Empty) => break false,
            Err(TryRecvError::Disconnected) => {
                *is_over = true;
                update(state, Msg::Over);
                break false;
            }
        }
        taken = true;
        if Instant::now() >= until {
            break true;
        }
    };
    if taken {
        state.settle();
    }
    more
}

/// Stops this process until somebody tells it to go on.
#[cfg(unix)]
fn suspend() {
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}

#[cfg(not(unix))]
fn suspend() {}

/// Saves what is listed to a new file that nobody else can read.
fn save(state: &State, path: &Path) -> io::Result<usize> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = io::BufWriter::new(options.open(path)?);
    let rows = state.rows();
    for number in (0..rows.len()).filter_map(|place| rows.get(place)) {
        if let Some(held) = state.buffer.get(number) {
            writeln!(file, "{}", held.line)?;
        }
    }
    file.flush()?;
    Ok(rows.len())
}
