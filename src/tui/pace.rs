//! How fast a recording is replayed on the screen: as fast as it goes, in multiples of real time, step by step, or not now.
//!
//! The feed waits here before each event, and says how far it has come; the keys change how long it waits.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The speeds that keys go through, in multiples of real time; after the last, as fast as it goes.
const SPEEDS: &[u32] = &[1, 2, 5, 10, 20, 50, 100, 1000];

/// The pace of a replay, and how far it has come.
#[derive(Debug)]
pub struct Pace {
    going: Mutex<Going>,
    changed: Condvar,
    /// The sizes of the recordings, in bytes; empty where one of them has none, as a pipe.
    sizes: Vec<u64>,
}

#[derive(Debug)]
struct Going {
    /// In multiples of real time; `None` is as fast as it goes.
    speed: Option<u32>,
    is_held: bool,
    steps: u32,
    is_over: bool,
    /// The time that is run to, whatever the speed.
    until: Option<Timestamp>,
    /// Which recording it is in, and how many bytes into it.
    place: (usize, u64),
    /// The time of the event before, and when it was let go.
    before: Option<(Timestamp, Instant)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}

impl Pace {
    /// The pace of replaying recordings of these sizes, in multiples of real time to begin with.
    #[must_use]
    pub const fn new(sizes: Vec<u64>, speed: Option<u32>) -> Self {
        let going = Going { speed, is_held: false, steps: 0, is_over: false, until: None, place: (0, 0), before: None };
        Self { going: Mutex::new(going), changed: Condvar::new(), sizes }
    }

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
            if let Some(until) = going.until {
                if time.is_some_and(|time| time >= until) {
                    (going.until, going.is_held) = (None, true);
                }
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
        (going.is_held, going.until) = (!going.is_held, None);
        self.changed.notify_all();
    }

    /// Holds the replay, and lets one event through.
    pub fn step(&self) {
        let mut going = self.lock();
        going.is_held = true;
        going.steps += 1;
        self.changed.notify_all();
    }

    /// Lets all through up to the first event at that time or after it, and holds there.
    pub fn run_to(&self, time: Timestamp) {
        self.lock().until = Some(time);
        self.changed.notify_all();
    }

    /// The event that begins there has been reached. Within one recording, each begins after the one before.
    pub fn reach(&self, offset: u64) {
        let mut going = self.lock();
        let (recording, reached) = going.place;
        going.place = (recording + usize::from(offset < reached), offset);
    }

    /// How much of the recordings has been replayed, from 0 to 1; `None` where nobody knows how much there is.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let going = self.lock();
        let (recording, reached) = going.place;
        let (all, before) = (self.sizes.iter().sum::<u64>(), self.sizes.iter().take(recording).sum::<u64>());
        #[expect(clippy::cast_precision_loss, reason = "a share is seen in cells")]
        (all > 0).then(|| (before + reached).min(all) as f64 / all as f64)
    }

    /// Goes faster, or slower.
    pub fn change(&self, faster: bool) {
        let mut going = self.lock();
        let now = going.speed.unwrap_or(u32::MAX);
        going.speed = if faster {
            SPEEDS.iter().find(|speed| **speed > now).copied()
        } else {
            SPEEDS.iter().rfind(|speed| **speed < now).copied().or(Some(now))
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
        let sign = match (going.until, going.is_held) {
            (Some(_), _) => return "▶▶ going there".to_owned(),
            (None, true) => "‖ held,",
            (None, false) => "▶",
        };
        going.speed.map_or_else(|| format!("{sign} full speed"), |speed| format!("{sign} {speed}×"))
    }

    fn lock(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Going {
    fn due(&self, time: Option<Timestamp>) -> Option<Instant> {
        let (speed, (before, at)) = (self.speed?, self.before?);
        let apart = Duration::try_from(time?.duration_since(before)).ok()?;
        at.checked_add(apart / speed)
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
        assert_eq!(pace.told(), "‖ held, full speed");
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
        let pace = Pace::default();
        let going = |speed| Going { speed, before: Some((time(10), began)), ..*pace.lock() };
        assert_eq!(going(Some(1)).due(Some(time(14))), began.checked_add(Duration::from_secs(4)));
        assert_eq!(going(Some(2)).due(Some(time(14))), began.checked_add(Duration::from_secs(2)));
        assert_eq!(going(None).due(Some(time(14))), None);
        assert_eq!(going(Some(1)).due(Some(time(9))), None, "time that goes back is no reason to wait");
        assert_eq!(going(Some(1)).due(None), None);
    }

    #[test]
    fn it_runs_to_a_time_and_holds_there() {
        let time = |second| Timestamp::from_second(second).ok();
        let pace = Arc::new(Pace::default());
        pace.hold();
        pace.run_to(time(12).expect("a time"));
        let (sent, got) = channel();
        let waits = Arc::clone(&pace);
        let thread = std::thread::spawn(move || {
            for second in 10..15 {
                waits.wait(time(second));
                sent.send(second).expect("the test listens");
            }
        });
        assert_eq!([got.recv(), got.recv(), got.recv()], [Ok(10), Ok(11), Ok(12)]);
        assert_eq!(pace.told(), "‖ held, full speed");
        assert_eq!(got.try_recv(), Err(TryRecvError::Empty));
        pace.end();
        thread.join().expect("it ends");
    }

    #[test]
    fn it_knows_how_far_it_has_come_through_all_recordings() {
        let pace = Pace::new(vec![100, 300], None);
        let shares = [0, 50, 0, 200, 300].map(|offset| {
            pace.reach(offset);
            pace.share()
        });
        assert_eq!(shares, [0.0, 0.125, 0.25, 0.75, 1.0].map(Some));
        assert_eq!(Pace::default().share(), None);
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
        let pace = Pace::new(Vec::new(), Some(7));
        pace.change(true);
        assert_eq!(pace.told(), "▶ 10×", "from a speed of no key to the next that has one");
    }
}
