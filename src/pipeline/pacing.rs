//! The pace of a replay: full speed, a multiple of real time, step by step, or held.
//!
//! The pipeline, or the event sink of the live screen, waits here before each event. The event sink
//! also reports its position, and the keys of the screen change the pace.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The speeds that the keys select, in multiples of real time; the next one is full speed.
const SPEEDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

/// The maximum delay that a replay catches up with.
const MAX_LAG: Duration = Duration::from_secs(1);

/// The pace and the progress of a replay, shared between threads.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<PaceState>,
    changed: Condvar,
    /// The sizes of the recordings, in bytes; empty if one of them is unknown, such as a pipe's.
    sizes: Vec<u64>,
}

/// A position that a replay runs to, where it is then held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTarget {
    /// The first event at or after a time.
    Time(Timestamp),
    /// The first event at or after a position in the recordings, in bytes.
    Place(u64),
}

#[derive(Debug)]
struct PaceState {
    /// The speed in multiples of real time; infinite for full speed.
    speed: f64,
    is_held: bool,
    /// The number of events to let through while the replay is held.
    steps: u32,
    is_over: bool,
    /// The position to run to at full speed.
    until: Option<SeekTarget>,
    /// The position of the last event in the recordings, in bytes.
    reached: u64,
    /// The time of the previous event, and when it was due.
    before: Option<(Timestamp, Instant)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Vec::new(), f64::INFINITY)
    }
}

impl Pace {
    /// Creates a pace for recordings of these sizes in bytes. The initial speed is in multiples of
    /// real time.
    #[must_use]
    pub const fn new(sizes: Vec<u64>, speed: f64) -> Self {
        let state = PaceState {
            speed,
            is_held: false,
            steps: 0,
            is_over: false,
            until: None,
            reached: 0,
            before: None,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), sizes }
    }

    /// Returns whether an event of this time must wait.
    #[must_use]
    pub fn is_early(&self, time: Option<Timestamp>) -> bool {
        self.lock().due(time).is_some_and(|due| due > Instant::now())
    }

    /// Waits until an event of this time is due. Returns false if `deadline` passes first.
    pub fn wait(&self, time: Option<Timestamp>, deadline: Option<Instant>) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return true;
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return false;
            }
            if state.steps > 0 {
                state.steps -= 1;
                break;
            }
            if let Some(until) = state.until {
                if matches!(until, SeekTarget::Time(until) if time.is_some_and(|time| time >= until))
                {
                    (state.until, state.is_held) = (None, true);
                }
                break;
            }
            if state.is_held {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let wait =
                state.due(time).map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
            if wait.is_zero() {
                break;
            }
            let wait =
                deadline.map_or(wait, |deadline| wait.min(deadline.saturating_duration_since(now)));
            state =
                self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        // After a short delay the replay catches up; after a long one it goes on from now.
        let now = Instant::now();
        let at = state
            .due(time)
            .filter(|due| now.saturating_duration_since(*due) < MAX_LAG)
            .unwrap_or(now);
        state.before = time.map(|time| (time, at)).or(state.before);
        true
    }

    /// Holds the replay.
    pub fn hold(&self) {
        let mut state = self.lock();
        (state.is_held, state.until) = (true, None);
        self.changed.notify_all();
    }

    /// Returns whether the replay is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.lock().is_held
    }

    /// Holds the replay, or continues it if it is held.
    pub fn toggle_hold(&self) {
        let mut state = self.lock();
        (state.is_held, state.until) = (!state.is_held, None);
        self.changed.notify_all();
    }

    /// Holds the replay, and lets one event through.
    pub fn step(&self) {
        let mut state = self.lock();
        state.is_held = true;
        state.steps += 1;
        self.changed.notify_all();
    }

    /// Runs to a position at full speed and holds the replay there.
    pub fn run_to(&self, target: SeekTarget) {
        self.lock().until = Some(target);
        self.changed.notify_all();
    }

    /// Reports that the event at `offset` in the recording with this index was reached. Returns its
    /// position in all recordings, in bytes.
    pub fn reach(&self, recording: usize, offset: u64) -> u64 {
        let reached = self.sizes.iter().take(recording).sum::<u64>() + offset;
        let mut state = self.lock();
        state.reached = reached;
        if matches!(state.until, Some(SeekTarget::Place(place)) if reached >= place) {
            (state.until, state.is_held) = (None, true);
        }
        reached
    }

    /// Returns the total size of the recordings in bytes; 0 if it is unknown.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sizes.iter().sum()
    }

    /// Returns the fraction of the recordings that has been replayed, from 0 to 1; `None` if their
    /// size is unknown.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let reached = self.lock().reached;
        self.share_of(reached)
    }

    /// Returns the fraction of the recordings before a position in bytes; `None` if their size is
    /// unknown.
    #[must_use]
    pub fn share_of(&self, place: u64) -> Option<f64> {
        let all = self.size();
        #[expect(clippy::cast_precision_loss, reason = "only a few digits are shown")]
        (all > 0).then(|| place.min(all) as f64 / all as f64)
    }

    /// Changes to the next speed, faster or slower.
    pub fn change_speed(&self, faster: bool) {
        let mut state = self.lock();
        let speed = state.speed;
        state.speed = if faster {
            SPEEDS.iter().copied().find(|faster| *faster > speed).unwrap_or(f64::INFINITY)
        } else {
            SPEEDS
                .iter()
                .copied()
                .rev()
                .find(|slower| *slower < speed)
                .unwrap_or(speed.min(SPEEDS[0]))
        };
        self.changed.notify_all();
    }

    /// Ends all waiting, now and later.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Returns a short description of the pace for the live screen, such as `▶ 10×`.
    #[must_use]
    pub fn label(&self) -> String {
        let state = self.lock();
        let sign = match (state.until, state.is_held) {
            (Some(_), _) => return "▶▶ seeking".to_owned(),
            (None, true) => "‖ held,",
            (None, false) => "▶",
        };
        if state.speed.is_infinite() {
            format!("{sign} full speed")
        } else {
            format!("{sign} {}×", state.speed)
        }
    }

    fn lock(&self) -> MutexGuard<'_, PaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PaceState {
    /// Returns when an event of this time is due; `None` if it need not wait.
    fn due(&self, time: Option<Timestamp>) -> Option<Instant> {
        let (before, at) = self.before.filter(|_| self.speed.is_finite())?;
        let apart = Duration::try_from(time?.duration_since(before)).ok()?;
        at.checked_add(Duration::try_from_secs_f64(apart.as_secs_f64() / self.speed).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{TryRecvError, channel};

    use super::*;

    #[test]
    fn a_held_replay_steps_event_by_event_and_ends_at_once() {
        let pace = Arc::new(Pace::default());
        assert_eq!(pace.label(), "▶ full speed");
        pace.toggle_hold();
        assert_eq!(pace.label(), "‖ held, full speed");
        let (sender, receiver) = channel();
        let thread_pace = Arc::clone(&pace);
        let thread = std::thread::spawn(move || {
            for number in 0..4 {
                thread_pace.wait(None, None);
                sender.send(number).expect("the test listens");
            }
        });
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        pace.step();
        assert_eq!(receiver.recv(), Ok(0));
        pace.step();
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        pace.end();
        thread.join().expect("it ends");
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn the_due_time_follows_from_the_event_time_and_the_speed() {
        let time = |second| Timestamp::from_second(second).expect("a time");
        let began = Instant::now();
        let pace = Pace::default();
        let state = |speed| PaceState { speed, before: Some((time(10), began)), ..*pace.lock() };
        assert_eq!(state(1.0).due(Some(time(14))), began.checked_add(Duration::from_secs(4)));
        assert_eq!(state(2.0).due(Some(time(14))), began.checked_add(Duration::from_secs(2)));
        assert_eq!(state(f64::INFINITY).due(Some(time(14))), None);
        assert_eq!(state(1.0).due(Some(time(9))), None, "an earlier time does not wait");
        assert_eq!(state(1.0).due(None), None);
        assert_eq!(state(1e-300).due(Some(time(14))), None, "the wait overflows a duration");
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let time = |second| Timestamp::from_second(second).ok();
        let pace = Pace::new(Vec::new(), 0.001);
        let late = || Some(Instant::now() + Duration::from_secs(3600));
        assert!(pace.wait(time(1), late()) && !pace.is_early(time(1)) && pace.is_early(time(2)));
        // At this speed, the event is due in 1000 seconds.
        assert!(!pace.wait(time(2), Some(Instant::now() + Duration::from_millis(5))));
        assert!(pace.wait(time(1), late()), "an event of the same time does not wait");
    }

    #[test]
    fn a_replay_runs_to_a_time_and_holds_there() {
        let time = |second| Timestamp::from_second(second).ok();
        let pace = Arc::new(Pace::default());
        pace.toggle_hold();
        pace.run_to(SeekTarget::Time(time(12).expect("a time")));
        let (sender, receiver) = channel();
        let thread_pace = Arc::clone(&pace);
        let thread = std::thread::spawn(move || {
            for second in 10..15 {
                thread_pace.wait(time(second), None);
                sender.send(second).expect("the test listens");
            }
        });
        assert_eq!([receiver.recv(), receiver.recv(), receiver.recv()], [Ok(10), Ok(11), Ok(12)]);
        assert_eq!(pace.label(), "‖ held, full speed");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        pace.end();
        thread.join().expect("it ends");
    }

    #[test]
    fn a_replay_runs_to_a_position_and_holds_there() {
        let pace = Pace::new(vec![100, 300], 1.0);
        pace.run_to(SeekTarget::Place(150));
        assert_eq!((pace.reach(0, 90), pace.label().as_str()), (90, "▶▶ seeking"));
        assert_eq!((pace.reach(1, 60), pace.label().as_str()), (160, "‖ held, 1×"));
    }

    #[test]
    fn progress_is_measured_across_all_recordings() {
        let pace = Pace::new(vec![100, 300], f64::INFINITY);
        // Each recording has an event at offset 0; their positions differ.
        let shares = [(0, 0), (1, 0), (1, 200), (1, 300)].map(|(recording, offset)| {
            pace.reach(recording, offset);
            pace.share()
        });
        assert_eq!(shares, [0.0, 0.25, 0.75, 1.0].map(Some));
        assert_eq!(Pace::default().share(), None);
    }

    #[test]
    fn speeds_are_limited_at_both_ends() {
        let pace = Pace::default();
        pace.change_speed(true);
        assert_eq!(pace.label(), "▶ full speed");
        for _ in 0..20 {
            pace.change_speed(false);
        }
        assert_eq!(pace.label(), "▶ 1×");
        pace.change_speed(true);
        assert_eq!(pace.label(), "▶ 2×");
        let pace = Pace::new(Vec::new(), 7.0);
        pace.change_speed(true);
        assert_eq!(pace.label(), "▶ 10×", "from any speed to the next one in the list");
    }
}
