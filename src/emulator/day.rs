//! The clinic's day: stories that begin, overlap and end, as one sequence of events in order of
//! time.
//!
//! The same seed gives the same events with the same payloads in the same order. Times are virtual:
//! seconds since the start of the day, each with [`DENSITY`] events on average. [`Clock`] decides
//! how fast virtual time passes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::LazyLock;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::cast::Clinic;
use super::stories::call_story::CallStory;
use super::stories::{OPENING, Plot, Story, StoryStep, USUAL, unscripted};
use crate::model::{Kind, Stream};

/// The average number of workspace events in a virtual second. At this rate virtual time is real.
pub const DENSITY: f64 = 5.0;
/// The time after which no story begins, in a day that ends.
const CLOSING_TIME: Duration = Duration::from_secs(30);
/// The factor by which opening stories begin closer together, because it takes a while until each
/// has contributed its events.
const OPENING_HASTE: f64 = 0.5;
/// The resolution of timers.
pub const TICK: Duration = Duration::from_millis(1);

/// Virtual time, tied to real time at one point and by one factor.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    scale: f64,
}

impl Clock {
    /// Starts a clock at zero, for `rate` events per real second.
    pub fn start(rate: f64) -> Self {
        let rate = if rate.is_finite() { rate.clamp(1e-3, 1e6) } else { DENSITY };
        Self { origin: Instant::now(), scale: rate / DENSITY }
    }

    /// Returns the current virtual time.
    pub fn now(&self) -> Duration {
        self.origin.elapsed().mul_f64(self.scale)
    }

    /// Returns the real time that has passed since a virtual time.
    pub fn since(&self, at: Duration) -> Duration {
        self.now().saturating_sub(at).div_f64(self.scale)
    }

    /// Returns the real time of a virtual time.
    pub fn instant(&self, at: Duration) -> Instant {
        self.origin + at.div_f64(self.scale)
    }

    /// Returns the real time of a virtual time, but at least a tick from now, so that late events
    /// are published in batches.
    pub fn when(&self, at: Duration) -> Instant {
        self.instant(at).max(Instant::now() + TICK)
    }
}

/// An iterator over the events of a day, which may be endless.
#[derive(Debug)]
pub struct Day {
    rng: StdRng,
    clinic: Clinic,
    waiting: BinaryHeap<Reverse<PendingStep>>,
    opening: std::vec::IntoIter<Plot>,
    /// The start of the next story; `None` after closing time.
    next_story: Option<Duration>,
    ends: bool,
    order: u64,
}

impl Day {
    /// Creates a day. A day that `ends` has every type of workspace event and completes each story.
    pub fn new(seed: u64, ends: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let clinic = Clinic::draw(&mut rng);
        let opening = opening().into_iter();
        Self {
            rng,
            clinic,
            waiting: BinaryHeap::new(),
            opening,
            next_story: Some(Duration::ZERO),
            ends,
            order: 0,
        }
    }

    /// Returns the time of the next event, if there is one.
    pub fn next_at(&mut self) -> Option<Duration> {
        loop {
            let first = self.waiting.peek().map(|Reverse(waiting)| waiting.step.at);
            match (self.next_story, first) {
                (Some(begin), first) if first.is_none_or(|first| begin <= first) => {
                    self.begin_story(begin);
                }
                (_, first) => return first,
            }
        }
    }

    /// Draws a story. Its number of events decides when the next one begins, so that the density
    /// does not depend on the mix of stories.
    fn begin_story(&mut self, begin: Duration) {
        let opening = self.opening.next();
        let Some(plot) = opening.or_else(|| self.usual_plot(begin)) else {
            self.next_story = None;
            return;
        };
        let story = plot(&mut self.clinic, &mut self.rng);
        let share = Duration::from_secs(1)
            .mul_f64(f64::from(u32::try_from(story.steps.len()).unwrap_or(1)) / DENSITY);
        let haste = if opening.is_some() { OPENING_HASTE } else { 1.0 };
        self.next_story = Some(begin + share.mul_f64(self.rng.random_range(0.4..1.6) * haste));
        for step in story.steps {
            self.order += 1;
            self.waiting.push(Reverse(PendingStep {
                order: self.order,
                step: StoryStep { at: begin + step.at, ..step },
            }));
        }
    }

    fn usual_plot(&mut self, begin: Duration) -> Option<Plot> {
        if self.ends && begin >= CLOSING_TIME {
            return None;
        }
        USUAL.choose_weighted(&mut self.rng, |(weight, _)| *weight).ok().map(|(_, plot)| *plot)
    }
}

impl Iterator for Day {
    type Item = StoryStep;

    fn next(&mut self) -> Option<StoryStep> {
        self.next_at()?;
        self.waiting.pop().map(|Reverse(waiting)| waiting.step)
    }
}

/// Returns the plots that a day begins with, and one of the event types that none of them has, if there are
/// any.
fn opening() -> Vec<Plot> {
    static UNSCRIPTED: LazyLock<Vec<Kind>> = LazyLock::new(|| {
        let mut rng = StdRng::seed_from_u64(0);
        let mut clinic = Clinic::draw(&mut rng);
        let stories = OPENING.iter().flat_map(|plot| plot(&mut clinic, &mut rng).steps);
        unscripted::missing(Stream::Workspace, &stories.collect::<Vec<_>>())
    });
    let unscripted: Plot = |_, rng| {
        let mut story = Story::default();
        unscripted::add(&UNSCRIPTED, &mut story, rng);
        story
    };
    let is_needed = !UNSCRIPTED.is_empty();
    OPENING.iter().copied().chain(is_needed.then_some(unscripted)).collect()
}

/// Draws the demo call from the seed.
pub fn demo_call(sid: &str, seed: u64) -> CallStory {
    CallStory::demo(sid, &mut StdRng::seed_from_u64(seed))
}

/// A future step. The order is by time, and by creation for equal times.
#[derive(Debug)]
struct PendingStep {
    order: u64,
    step: StoryStep,
}

impl Ord for PendingStep {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.step.at, self.order).cmp(&(other.step.at, other.order))
    }
}
impl PartialOrd for PendingStep {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for PendingStep {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for PendingStep {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::emulator::conformance::fits;
    use crate::emulator::stories::script::script;
    use crate::emulator::stories::session_info::{INITIAL_STATE, session_info};

    const MINUTE: Duration = Duration::from_secs(60);
    const SID: &str = crate::emulator::DEMO_CALL;

    fn all(stream: Stream) -> BTreeSet<Kind> {
        Kind::ALL.iter().copied().filter(|kind| kind.spec().stream == stream).collect()
    }

    /// Returns the demo call from `session_info` to `session_end`.
    fn demo(seed: u64) -> Vec<StoryStep> {
        let call = demo_call(SID, seed);
        let payload = session_info(&call, "w", INITIAL_STATE, Duration::ZERO, 0.0);
        let first = StoryStep { at: Duration::ZERO, kind: Kind::SessionInfo, payload, call: None };
        std::iter::once(first).chain(script(&call, crate::emulator::DEMO_WORKSPACE)).collect()
    }

    #[test]
    fn every_payload_fits_its_declaration() {
        for step in Day::new(7, false).take(20_000).chain(demo(7)) {
            fits(step.kind.spec(), &step.payload).expect("a payload of the declared shape");
        }
    }

    #[test]
    fn every_workspace_type_happens_in_the_first_minute() {
        for seed in 0..50 {
            let day = Day::new(seed, false).take_while(|step| step.at < MINUTE);
            let seen: BTreeSet<_> = day.map(|step| step.kind).collect();
            let missing: Vec<_> = all(Stream::Workspace).difference(&seen).copied().collect();
            assert_eq!(missing, [], "seed {seed}");
        }
    }

    #[test]
    fn a_day_that_ends_has_every_workspace_type_and_ends_its_calls() {
        for seed in 0..20 {
            let day: Vec<_> = Day::new(seed, true).collect();
            assert_eq!(
                day.iter().map(|step| step.kind).collect::<BTreeSet<_>>(),
                all(Stream::Workspace)
            );
            let count = |kind| day.iter().filter(|step| step.kind == kind).count();
            assert_eq!(count(Kind::CallStarted), count(Kind::CallEnded));
            assert!(day.last().expect("a last event").at < 2 * MINUTE);
        }
    }

    #[test]
    fn every_observer_type_happens_in_the_demo_call() {
        for seed in 0..20 {
            let call = demo(seed);
            assert_eq!(
                call.iter().map(|step| step.kind).collect::<BTreeSet<_>>(),
                all(Stream::Observer)
            );
            assert_eq!(call.last().map(|step| step.kind), Some(Kind::SessionEnd));
            let seconds = call.last().map_or(0, |step| step.at.as_secs());
            assert!((60..=90).contains(&seconds), "{seconds} s");
        }
    }

    #[test]
    fn every_call_has_a_script_that_fits_and_ends() {
        let calls = Day::new(3, false).take(3000).filter(|step| step.kind == Kind::CallStarted);
        for call in calls.filter_map(|step| step.call) {
            let script = script(&call, "00000000-0000-4000-8000-000000000000");
            assert!(script.is_sorted_by_key(|step| step.at));
            assert_eq!(script.last().map(|step| step.kind), Some(Kind::SessionEnd));
            for step in script {
                fits(step.kind.spec(), &step.payload).expect("a payload of the declared shape");
            }
        }
    }

    #[test]
    fn the_day_begins_with_a_call_at_once_and_goes_on_in_order_of_time() {
        let day: Vec<_> = Day::new(1, false).take(2000).collect();
        assert_eq!((day[0].kind, day[0].at), (Kind::CallStarted, Duration::ZERO));
        assert!(day.is_sorted_by_key(|step| step.at));
        assert!(
            day.windows(2).any(|pair| pair[0].at == pair[1].at),
            "some events share their moment"
        );
        assert!(
            day.windows(2).any(|pair| pair[1].at > pair[0].at + Duration::from_millis(400)),
            "some come after a pause"
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let day = |seed| {
            Day::new(seed, false)
                .take(1500)
                .map(|step| (step.at, step.kind, step.payload))
                .collect::<Vec<_>>()
        };
        assert_eq!(day(4), day(4));
        assert_ne!(day(4), day(5));
        let call = |seed| demo(seed).into_iter().map(|step| step.payload).collect::<Vec<_>>();
        assert_eq!(call(4), call(4));
        assert_ne!(call(4), call(5));
    }

    #[test]
    fn the_density_is_as_stated() {
        let events = 20_000_u32;
        for seed in 0..3 {
            let last = Day::new(seed, false).take(events as usize).last().expect("a last event");
            let density = f64::from(events) / last.at.as_secs_f64();
            assert!((4.5..5.5).contains(&density), "{density} events per second");
        }
    }

    #[test]
    fn a_clock_stretches_time_by_the_rate() {
        let clock = Clock::start(DENSITY / 10.0);
        let later = clock.when(Duration::from_secs(60)) - clock.origin;
        assert!((later.as_secs_f64() - 600.0).abs() < 1e-6);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX] {
            let clock = Clock::start(odd);
            assert!(clock.scale > 0.0 && clock.when(MINUTE) > clock.origin);
        }
    }
}
