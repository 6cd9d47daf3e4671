//! The event loop of the screen.
//!
//! Each turn handles input first and draws its answer, then messages from the pipeline, then
//! filtering and searching. Messages, filters and searches get a limited
//! [time slice](super::time_slice), so that input never waits long. A frame is drawn only when
//! something changed, and at most thirty times a second unless it answers a key. While nothing
//! arrives, the loop wakes once a second if something on the screen depends on the clock.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::Frame;

use super::background_tasks::BackgroundTasks;
use super::config::ScreenConfig;
use super::event_queue::EventReceiver;
use super::frame_pacer::FramePacer;
use super::incremental;
use super::input::InputReader;
use super::state::{Effect, State};
use super::state_file::StateFile;
use super::style::Depth;
use super::terminal::{self, TerminalGuard};
use super::theme_contrast::faint_notice;
use super::time_slice::TimeSlice;
use super::update::{Msg, settle, update};
use crate::output::status;

/// The duration of one slice of messages or filtering. Input waits for at most one slice of each,
/// plus the event being processed.
const SLICE: Duration = Duration::from_millis(8);

/// The maximum number of events in one slice, however fast the machine is.
const SLICE_EVENTS: usize = 4096;

/// How long the loop sleeps after it received messages. It ignores wake-ups meanwhile, because more
/// messages usually follow.
const BUSY_SLEEP: Duration = Duration::from_millis(2);

/// The outcome of receiving messages for one slice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Received {
    /// No message was waiting.
    Nothing,
    /// All waiting messages were received.
    All,
    /// The slice was used up; more messages may be waiting.
    Slice,
    /// All messages were received, and the pipeline has ended.
    End,
}

/// The running loop.
///
/// `BackgroundTasks` prints its last reports when it is dropped. `TerminalGuard` holds them back
/// until it is dropped after it, once the terminal is restored; keep the fields in this order.
struct EventLoop<'a> {
    state: State,
    frames: FramePacer,
    messages: &'a EventReceiver,
    failures: &'a Receiver<String>,
    is_pipeline_ended: bool,
    /// `None` while the process is suspended.
    input: Option<InputReader>,
    signals: Signals,
    tasks: BackgroundTasks,
    terminal: TerminalGuard,
}

/// Shows the screen until the user quits or `stop` is set.
///
/// # Errors
/// Fails if the terminal cannot be used or read.
pub fn run(
    mut config: ScreenConfig,
    messages: &EventReceiver,
    failures: &Receiver<String>,
    stop: &AtomicBool,
    draw: impl Fn(&State, &mut Frame<'_>),
) -> io::Result<()> {
    let terminal = TerminalGuard::take()?;
    let tasks = BackgroundTasks::default();
    if config.theme.depth != Depth::None {
        config.theme.background = config.theme.background.or_else(terminal::background);
    }
    let signals = Signals::register();
    let input = Some(InputReader::start()?);
    let path = config.state_file.take();
    let mut state = State::new(config, crossterm::terminal::size()?, Timestamp::now());
    let state_file = path.map(|path| StateFile::open(path, &mut state));
    if let Some(notice) = faint_notice(state.config.theme) {
        state.notify(notice);
    }
    let mut event_loop = EventLoop {
        state,
        frames: FramePacer::default(),
        messages,
        failures,
        is_pipeline_ended: false,
        input,
        signals,
        tasks,
        terminal,
    };
    let mut result = Ok(ControlFlow::Continue(()));
    while matches!(result, Ok(ControlFlow::Continue(()))) && !stop.load(Ordering::Relaxed) {
        result = event_loop.turn(&draw);
    }
    // Also if the terminal has gone.
    if let Some(Err(message)) = state_file.map(|file| file.save(&event_loop.state)) {
        status::report(&message);
    }
    result.map(drop)
}

impl EventLoop<'_> {
    /// Does everything that is due, then sleeps. Breaks when the user quits.
    fn turn(&mut self, draw: &impl Fn(&State, &mut Frame<'_>)) -> io::Result<ControlFlow<()>> {
        for input in self.input.iter().flat_map(InputReader::take) {
            self.frames.expect_answer();
            update(&mut self.state, Msg::Input(input?));
        }
        self.handle_signals()?;
        if self.perform_effects()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.draw_if_due(draw)?;
        update(&mut self.state, Msg::Tick(Timestamp::now()));
        for line in status::take_waiting().into_iter().chain(self.tasks.finished()) {
            update(&mut self.state, Msg::Notice(line));
        }
        let received = if self.is_pipeline_ended {
            Received::Nothing
        } else {
            receive(&mut self.state, self.messages, slice())
        };
        self.is_pipeline_ended |= received == Received::End;
        for text in self.failures.try_iter() {
            update(&mut self.state, Msg::Failure(text));
        }
        incremental::advance(&mut self.state, slice());
        if self.perform_effects()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.draw_if_due(draw)?;
        self.sleep(received);
        Ok(ControlFlow::Continue(()))
    }

    fn draw_if_due(&mut self, draw: &impl Fn(&State, &mut Frame<'_>)) -> io::Result<()> {
        if self.frames.is_due(self.state.changed, Instant::now()) {
            self.terminal.terminal.draw(|frame| draw(&self.state, frame))?;
            self.frames.complete(Instant::now());
            self.state.changed = false;
        }
        Ok(())
    }

    fn handle_signals(&mut self) -> io::Result<()> {
        if self.signals.suspended.swap(false, Ordering::Relaxed) {
            self.state.effects.push(Effect::Suspend);
        } else if self.signals.continued.swap(false, Ordering::Relaxed) {
            // SIGSTOP gave no chance to release the terminal, and another program may have used it.
            self.terminal.release_while(|| {})?;
            self.restore_size()?;
        }
        Ok(())
    }

    /// Performs the effects that the state requested. Breaks when the user quits.
    fn perform_effects(&mut self) -> io::Result<ControlFlow<()>> {
        for effect in std::mem::take(&mut self.state.effects) {
            if self.perform(effect)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Performs an effect. Breaks when the user quits.
    fn perform(&mut self, effect: Effect) -> io::Result<ControlFlow<()>> {
        match effect {
            Effect::Quit => return Ok(ControlFlow::Break(())),
            Effect::Suspend => {
                drop(self.input.take());
                self.terminal.release_while(suspend)?;
                self.input = Some(InputReader::start()?);
                self.signals.continued.store(false, Ordering::Relaxed);
                self.restore_size()?;
            }
            Effect::Copy(text) => {
                terminal::copy(&text)?;
                self.tasks.copy(text);
            }
            Effect::Notify(text) => terminal::notify(&text)?,
            Effect::Save(path) => self.tasks.save(path, self.state.listed_lines()),
            Effect::SaveMarks(path) => self.tasks.save(path, self.state.marked_lines()),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn restore_size(&mut self) -> io::Result<()> {
        self.state.size = crossterm::terminal::size()?;
        self.state.changed = true;
        Ok(())
    }

    fn sleep(&self, received: Received) {
        match received {
            Received::Slice => {}
            _ if self.state.is_busy() => {}
            Received::All => std::thread::sleep(BUSY_SLEEP),
            Received::Nothing | Received::End if self.state.changed => {
                std::thread::park_timeout(self.frames.wait(Instant::now()));
            }
            Received::Nothing | Received::End if self.state.follows_clock() => {
                std::thread::park_timeout(until_next_second());
            }
            // Input, failures, reports and signals unpark this thread.
            Received::Nothing | Received::End => std::thread::park(),
        }
    }
}

/// Returns a slice of messages or filtering.
fn slice() -> TimeSlice {
    TimeSlice::with_events(SLICE_EVENTS).until(Instant::now() + SLICE)
}

/// Returns the time until the clock shows another second.
fn until_next_second() -> Duration {
    let passed = u64::try_from(Timestamp::now().subsec_nanosecond()).unwrap_or(0);
    Duration::from_nanos(1_000_000_000_u64.saturating_sub(passed))
}

/// Receives messages from the pipeline until the slice is used up.
fn receive(state: &mut State, messages: &EventReceiver, mut slice: TimeSlice) -> Received {
    let mut received = Received::Nothing;
    loop {
        if !slice.take() {
            received = Received::Slice;
            break;
        }
        match messages.try_recv() {
            Ok(message) => update(state, Msg::Pipeline(message)),
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => {
                update(state, Msg::PipelineEnded);
                received = Received::End;
                break;
            }
        }
        received = Received::All;
    }
    if received != Received::Nothing {
        settle(state);
    }
    received
}

/// Flags that are set by the signals that stop and continue the process.
#[derive(Default)]
struct Signals {
    suspended: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

impl Signals {
    fn register() -> Self {
        let signals = Self::default();
        #[cfg(unix)]
        for (signal, flag) in [
            (signal_hook::consts::SIGTSTP, &signals.suspended),
            (signal_hook::consts::SIGCONT, &signals.continued),
        ] {
            let _ = signal_hook::flag::register(signal, Arc::clone(flag));
        }
        signals
    }
}

/// Stops this process until it is continued.
#[cfg(unix)]
fn suspend() {
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}

#[cfg(not(unix))]
fn suspend() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event_queue::queue;
    use crate::tui::message::{FilteredCounts, ScreenMessage};

    #[test]
    fn a_turn_receives_a_bounded_number_of_messages() {
        let (sender, messages) = queue();
        let counts = FilteredCounts { events: 1, ..FilteredCounts::default() };
        for _ in 0..25 {
            sender.send(ScreenMessage::FilteredOut(counts)).expect("the screen is open");
        }
        let mut state = State::new(ScreenConfig::default(), (80, 24), Timestamp::UNIX_EPOCH);
        let mut turn = || {
            let received = receive(&mut state, &messages, TimeSlice::with_events(10));
            (received, state.present.stats.filtered_out.events)
        };
        assert!(turn() == (Received::Slice, 10) && turn() == (Received::Slice, 20));
        assert!(turn() == (Received::All, 25) && turn() == (Received::Nothing, 25));
        drop(sender);
        assert!(turn() == (Received::End, 25));
    }
}
