//! How fast a recording is replayed: as fast as it goes, in multiples of real time, step by step, or not now.
//!
//! The walk, or the feed of the live screen, waits here before each event, and the feed says how far it has come; the keys of
//! the screen change how long.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The speeds that are gone through, in multiples of real time; after the last, as fast as it goes.
const SPEEDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

/// How far a replay may fall behind and still catch up.
const LAG: Duration = Duration::from_secs(1);

/// The pace of a replay, and how far it has come.
#[derive(Debug)]
pub struct Pace {
    going: Mutex<Going>,
    changed: Condvar,
    /// The sizes of the recordings, in bytes; empty where one of them has none, as a pipe.
    sizes: Vec<u64>,
}

/// Where a replay is run to, to be held there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTarget {
    /// The first event at that time or after it.
    Time(Timestamp),
    /// The first event with so many bytes of the recordings before it, or more.
    Place(u64),
}

#[derive(Debug)]
struct Going {
    /// In multiples of real time; without end is as fast as it goes.
    speed: f64,
    is_held: bool,
    steps: u32,
    is_over: bool,
    /// What is run to, whatever the speed.
    until: Option<SeekTarget>,
    /// How many bytes of the recordings come before the event that was reached last.
    reached: u64,
    /// The time of the event before, and when it was due.
    before: Option<(Timestamp, Instant)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Vec::new(), f64::INFINITY)
    }
}

impl Pace {
    /// The pace of replaying recordings of these sizes, in multiples of real time to begin with.
    #[must_use]
    pub const fn new(sizes: Vec<u64>, speed: f64) -> Self {
        let going = Going {
            speed,
            is_held: false,
            steps: 0,
            is_over: false,
            until: None,
            reached: 0,
            before: None,
        };
        Self { going: Mutex::new(going), changed: Condvar::new(), sizes }
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
            if let Some(until) = going.until {
                if matches!(until, SeekTarget::Time(until) if time.is_some_and(|time| time >= until))
                {
                    (going.until, going.is_held) = (None, true);
                }
                break;
            }
            if going.is_held {
                going = self.changed.wait(going).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let wait =
                going.due(time).map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
            if wait.is_zero() {
                break;
            }
            let wait =
                deadline.map_or(wait, |deadline| wait.min(deadline.saturating_duration_since(now)));
            going =
                self.changed.wait_timeout(going, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        // What was late is caught up with, unless it was very late.
        let now = Instant::now();
        let at =
            going.due(time).filter(|due| now.saturating_duration_since(*due) < LAG).unwrap_or(now);
        going.before = time.map(|time| (time, at)).or(going.before);
        true
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

    /// Lets all through up to that event, and holds there.
    pub fn run_to(&self, goal: SeekTarget) {
        self.lock().until = Some(goal);
        self.changed.notify_all();
    }

    /// The event that begins there in the recording of that number has been reached. Gives how many bytes come before it.
    pub fn reach(&self, recording: usize, offset: u64) -> u64 {
        let reached = self.sizes.iter().take(recording).sum::<u64>() + offset;
        let mut going = self.lock();
        going.reached = reached;
        if matches!(going.until, Some(SeekTarget::Place(place)) if reached >= place) {
            (going.until, going.is_held) = (None, true);
        }
        reached
    }

    /// How many bytes the recordings have; 0 where nobody knows.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sizes.iter().sum()
    }

    /// How much of the recordings has been replayed, from 0 to 1; `None` where nobody knows how much there is.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let reached = self.lock().reached;
        self.share_of(reached)
    }

    /// Which share of the recordings comes before that place.
    #[must_use]
    pub fn share_of(&self, place: u64) -> Option<f64> {
        let all = self.size();
        #[expect(clippy::cast_precision_loss, reason = "a share is seen in cells")]
        (all > 0).then(|| place.min(all) as f64 / all as f64)
    }

    /// Goes faster, or slower.
    pub fn change(&self, faster: bool) {
        let mut going = self.lock();
        let speed = going.speed;
        going.speed = if faster {
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
        if going.speed.is_infinite() {
            format!("{sign} full speed")
        } else {
            format!("{sign} {}×", going.speed)
        }
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
        assert_eq!(pace.told(), "‖ held, full speed");
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
        let pace = Pace::default();
        let going = |speed| Going { speed, before: Some((time(10), began)), ..*pace.lock() };
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
        let pace = Pace::new(Vec::new(), 0.001);
        let late = || Some(Instant::now() + Duration::from_secs(3600));
        assert!(pace.wait(time(1), late()) && !pace.is_early(time(1)) && pace.is_early(time(2)));
        // It is due in a thousand seconds.
        assert!(!pace.wait(time(2), Some(Instant::now() + Duration::from_millis(5))));
        assert!(pace.wait(time(1), late()), "what has the same time goes on");
    }

    #[test]
    fn it_runs_to_a_time_and_holds_there() {
        let time = |second| Timestamp::from_second(second).ok();
        let pace = Arc::new(Pace::default());
        pace.hold();
        pace.run_to(SeekTarget::Time(time(12).expect("a time")));
        let (sent, got) = channel();
        let waits = Arc::clone(&pace);
        let thread = std::thread::spawn(move || {
            for second in 10..15 {
                waits.wait(time(second), None);
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
    fn it_runs_to_a_place_and_holds_there() {
        let pace = Pace::new(vec![100, 300], 1.0);
        pace.run_to(SeekTarget::Place(150));
        assert_eq!((pace.reach(0, 90), pace.told().as_str()), (90, "▶▶ going there"));
        assert_eq!((pace.reach(1, 60), pace.told().as_str()), (160, "‖ held, 1×"));
    }

    #[test]
    fn it_knows_how_far_it_has_come_through_all_recordings() {
        let pace = Pace::new(vec![100, 300], f64::INFINITY);
        // Both begin with an event that is at their beginning, which is not the same place.
        let shares = [(0, 0), (1, 0), (1, 200), (1, 300)].map(|(recording, offset)| {
            pace.reach(recording, offset);
            pace.share()
        });
        assert_eq!(shares, [0.0, 0.25, 0.75, 1.0].map(Some));
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
        let pace = Pace::new(Vec::new(), 7.0);
        pace.change(true);
        assert_eq!(pace.told(), "▶ 10×", "from a speed of no key to the next that has one");
    }
}
