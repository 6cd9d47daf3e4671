//! How fast a recording is replayed: as fast as it goes, in multiples of real time, step by step, or not now.
//!
//! The walk, or the feed of the live screen, waits here before each event; the keys of the screen change how long.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The speeds that are gone through, in multiples of real time; after the last, as fast as it goes.
const SPEEDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

/// How far a replay may fall behind and still catch up.
const LAG: Duration = Duration::from_secs(1);

/// The pace of a replay.
#[derive(Debug)]
pub struct Pace {
    going: Mutex<Going>,
    changed: Condvar,
}

#[derive(Debug)]
struct Going {
    /// In multiples of real time; without end is as fast as it goes.
    speed: f64,
    is_held: bool,
    steps: u32,
    is_over: bool,
    /// The time of the event before, and when it was due.
    before: Option<(Timestamp, Instant)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(f64::INFINITY)
    }
}

impl Pace {
    /// In multiples of real time.
    #[must_use]
    pub const fn of(speed: f64) -> Self {
        let going = Going { speed, is_held: false, steps: 0, is_over: false, before: None };
        Self { going: Mutex::new(going), changed: Condvar::new() }
    }

    /// Whether an event of that time must wait.
    #[must_use]
    pub fn is_early(&self, time: Option<Timestamp>) -> bool {
        self.lock().due(time).is_some_and(|due| due > Instant::now())
    }

    /// Waits until an event of that time is due, but no longer than until the `deadline`. False if that came first.
    pub fn wait(&self, time: Option<Timestamp>, deadline: Option<Instant>) -> bool {
        let mut going = self.lock();
        loop {
            if going.is_over {
                return true;
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return false;
            }
            if going.steps > 0 {
                going.steps -= 1;
                break;
            }
            if going.is_held {
                going = self.changed.wait(going).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let wait = going.due(time).map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
            if wait.is_zero() {
                break;
            }
            let wait = deadline.map_or(wait, |deadline| wait.min(deadline.saturating_duration_since(now)));
            going = self.changed.wait_timeout(going, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        // What was late is caught up with, unless it was very late.
        let now = Instant::now();
        let at = going.due(time).filter(|due| now.saturating_duration_since(*due) < LAG).unwrap_or(now);
        going.before = time.map(|time| (time, at)).or(going.before);
        true
    }

    /// Holds the replay, or lets it go on.
    pub fn hold(&self) {
        let mut going = self.lock();
        going.is_held = !going.is_held;
        self.changed.notify_all();
    }

    /// Holds the replay, and lets one event through.
    pub fn step(&self) {
        let mut going = self.lock();
        going.is_held = true;
        going.steps += 1;
        self.changed.notify_all();
    }

    /// Goes faster, or slower.
    pub fn change(&self, faster: bool) {
        let mut going = self.lock();
        let speed = going.speed;
        going.speed = if faster {
            SPEEDS.iter().copied().find(|faster| *faster > speed).unwrap_or(f64::INFINITY)
        } else {
            SPEEDS.iter().copied().rev().find(|slower| *slower < speed).unwrap_or(speed.min(SPEEDS[0]))
        };
        self.changed.notify_all();
    }

    /// Nothing waits any more.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// The pace in a word.
    #[must_use]
    pub fn told(&self) -> String {
        let going = self.lock();
        if going.is_held {
            return "‖ held".to_owned();
        }
        if going.speed.is_infinite() { "▶ full speed".to_owned() } else { format!("▶ {}×", going.speed) }
    }

    fn lock(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Going {
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
    fn held_it_goes_step_by_step_and_ends_at_once() {
        let pace = Arc::new(Pace::default());
        assert_eq!(pace.told(), "▶ full speed");
        pace.hold();
        assert_eq!(pace.told(), "‖ held");
        let (sent, got) = channel();
        let waits = Arc::clone(&pace);
        let thread = std::thread::spawn(move || {
            for number in 0..4 {
                waits.wait(None, None);
                sent.send(number).expect("the test listens");
            }
        });
        assert_eq!(got.try_recv(), Err(TryRecvError::Empty));
        pace.step();
        assert_eq!(got.recv(), Ok(0));
        pace.step();
        assert_eq!(got.recv(), Ok(1));
        assert_eq!(got.try_recv(), Err(TryRecvError::Empty));
        pace.end();
        thread.join().expect("it ends");
        assert_eq!(got.iter().collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn an_event_is_due_by_its_time_and_the_speed() {
        let time = |second| Timestamp::from_second(second).expect("a time");
        let began = Instant::now();
        let going = |speed| Going { speed, is_held: false, steps: 0, is_over: false, before: Some((time(10), began)) };
        assert_eq!(going(1.0).due(Some(time(14))), began.checked_add(Duration::from_secs(4)));
        assert_eq!(going(2.0).due(Some(time(14))), began.checked_add(Duration::from_secs(2)));
        assert_eq!(going(f64::INFINITY).due(Some(time(14))), None);
        assert_eq!(going(1.0).due(Some(time(9))), None, "time that goes back is no reason to wait");
        assert_eq!(going(1.0).due(None), None);
        assert_eq!(going(1e-300).due(Some(time(14))), None, "longer than time can be counted");
    }

    #[test]
    fn a_deadline_comes_first() {
        let time = |second| Timestamp::from_second(second).ok();
        let pace = Pace::of(0.001);
        let soon = || Some(Instant::now() + Duration::from_millis(5));
        assert!(pace.wait(time(1), soon()) && !pace.is_early(time(1)) && pace.is_early(time(2)));
        assert!(!pace.wait(time(2), soon()));
        assert!(pace.wait(time(1), soon()), "what has the same time goes on");
    }

    #[test]
    fn speeds_have_an_end_on_both_sides() {
        let pace = Pace::default();
        pace.change(true);
        assert_eq!(pace.told(), "▶ full speed");
        for _ in 0..20 {
            pace.change(false);
        }
        assert_eq!(pace.told(), "▶ 1×");
        pace.change(true);
        assert_eq!(pace.told(), "▶ 2×");
    }
}
