//! How fast a recording is replayed on the screen: as fast as it goes, in multiples of real time, step by step, or not now.
//!
//! The feed waits here before each event; the keys change how long.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The speeds that are gone through, in multiples of real time; after the last, as fast as it goes.
const SPEEDS: &[u32] = &[1, 2, 5, 10, 20, 50, 100, 1000];

/// The pace of a replay.
#[derive(Debug)]
pub struct Pace {
    going: Mutex<Going>,
    changed: Condvar,
}

#[derive(Debug)]
struct Going {
    /// Which of [`SPEEDS`].
    speed: usize,
    is_held: bool,
    steps: u32,
    is_over: bool,
    /// The time of the event before, and when it was let go.
    before: Option<(Timestamp, Instant)>,
}

impl Default for Pace {
    fn default() -> Self {
        let going = Going { speed: SPEEDS.len(), is_held: false, steps: 0, is_over: false, before: None };
        Self { going: Mutex::new(going), changed: Condvar::new() }
    }
}

impl Pace {
    /// Waits until an event of that time is due.
    pub fn wait(&self, time: Option<Timestamp>) {
        let mut going = self.lock();
        loop {
            if going.is_over {
                return;
            }
            let now = Instant::now();
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
            going = self.changed.wait_timeout(going, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        going.before = time.map(|time| (time, Instant::now())).or(going.before);
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
        going.speed = if faster { (going.speed + 1).min(SPEEDS.len()) } else { going.speed.saturating_sub(1) };
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
        SPEEDS.get(going.speed).map_or_else(|| "▶ full speed".to_owned(), |speed| format!("▶ {speed}×"))
    }

    fn lock(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Going {
    fn due(&self, time: Option<Timestamp>) -> Option<Instant> {
        let (speed, (before, at)) = (SPEEDS.get(self.speed)?, self.before?);
        let apart = Duration::try_from(time?.duration_since(before)).ok()?;
        at.checked_add(apart / *speed)
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
                waits.wait(None);
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
        assert_eq!(going(0).due(Some(time(14))), began.checked_add(Duration::from_secs(4)));
        assert_eq!(going(1).due(Some(time(14))), began.checked_add(Duration::from_secs(2)));
        assert_eq!(going(SPEEDS.len()).due(Some(time(14))), None);
        assert_eq!(going(0).due(Some(time(9))), None, "time that goes back is no reason to wait");
        assert_eq!(going(0).due(None), None);
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
