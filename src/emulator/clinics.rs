//! The clinics of the emulator: one for each workspace, with its own day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use super::buffer::ReplayMemory;
use super::bus::Bus;
use super::day::Day;
use super::demo::DEMO_WORKSPACE;
use super::options::Options;
use super::presence::Presence;
use super::scenario::{CheckedEvent, PlayState};
use super::story_faults::StoryFaults;

/// The buses of the workspaces whose stream was requested. The days end when this is dropped.
#[derive(Debug, Default)]
pub struct Clinics(Mutex<ClinicState>);

#[derive(Debug, Default)]
struct ClinicState {
    buses: HashMap<String, Arc<Bus>>,
    memory: ReplayMemory,
    days: JoinSet<()>,
    closed: bool,
}

impl Clinics {
    /// Returns the bus of a workspace. Its day begins with the first request.
    ///
    /// Returns `None` for a new workspace after [`close`](Self::close), or if too many have a day.
    pub fn open(
        &self,
        workspace: &str,
        options: &Options,
        absent: &StoryFaults,
        presence: &Presence,
    ) -> Option<Arc<Bus>> {
        let mut state = self.state();
        if let Some(bus) = state.buses.get(workspace) {
            return Some(Arc::clone(bus));
        }
        if state.closed || state.buses.len() >= options.workspaces.count() {
            return None;
        }
        let ledger = options.ledger.as_ref().map(|ledger| ledger.of_workspace(workspace));
        let bus = Bus::new(options.rate, state.memory.clone(), ledger, absent.clone());
        let seed = seed(workspace, options.seed);
        let bus = Arc::new(match &options.scenario {
            Some(scenario) => bus.with_plays(PlayState::new(scenario.clone(), workspace, seed)),
            None => bus,
        });
        state.buses.insert(workspace.to_owned(), Arc::clone(&bus));
        presence.day_begins();
        let (published, presence) = (Arc::clone(&bus), presence.clone());
        let (once, is_scenario) = (options.once, options.scenario.is_some());
        state.days.spawn(async move {
            if is_scenario {
                published.perform(once).await;
            } else {
                published.play(Day::new(seed, once)).await;
            }
            published.close();
            presence.day_ends();
        });
        Some(bus)
    }

    /// Returns the bus of a workspace that has a day.
    pub fn get(&self, workspace: &str) -> Option<Arc<Bus>> {
        self.state().buses.get(workspace).cloned()
    }

    /// Publishes an event now in a workspace, or in all that have a day. Returns the number of streams
    /// that receive it.
    pub fn trigger(&self, workspace: Option<&str>, event: &CheckedEvent) -> usize {
        let state = self.state();
        let is_meant = |of: &str| workspace.is_none_or(|workspace| workspace == of);
        let meant = state.buses.iter().filter(|(of, _)| is_meant(of));
        meant.map(|(of, bus)| bus.trigger(of, event)).sum()
    }

    /// Ends all streams after they have sent the published events.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        for bus in state.buses.values() {
            bus.close();
        }
    }

    fn state(&self) -> MutexGuard<'_, ClinicState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the seed of a workspace's day: `seed` for the demo workspace, and another for any other.
pub fn seed(workspace: &str, seed: u64) -> u64 {
    let distance = bits(workspace) ^ bits(DEMO_WORKSPACE);
    // A multiplier without small factors keeps the seeds of neighbouring ids apart.
    seed ^ distance.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Returns the bits of a UUID, folded to half their number.
fn bits(uuid: &str) -> u64 {
    let digits = uuid.chars().filter_map(|digit| digit.to_digit(16));
    digits.fold(0_u64, |bits, digit| bits.rotate_left(4) ^ u64::from(digit))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::emulator::demo_workspace;

    #[test]
    fn each_workspace_has_its_own_seed() {
        assert_eq!(seed(DEMO_WORKSPACE, 7), 7);
        let seeds: HashSet<_> =
            (1..=999).flat_map(|clinic| (0..9).map(move |day| (clinic, day))).collect();
        let drawn: HashSet<_> =
            seeds.iter().map(|(clinic, day)| seed(&demo_workspace(*clinic), *day)).collect();
        assert_eq!(drawn.len(), seeds.len());
    }

    #[tokio::test]
    async fn a_workspace_keeps_its_bus_and_their_number_is_limited() {
        let (clinics, options, presence) =
            (Clinics::default(), Options::default(), Presence::new());
        let absent = StoryFaults::default();
        let first = clinics.open("0", &options, &absent, &presence).expect("a bus");
        assert!(Arc::ptr_eq(
            &first,
            &clinics.open("0", &options, &absent, &presence).expect("a bus")
        ));
        for workspace in 1..options.workspaces.count() {
            assert!(clinics.open(&workspace.to_string(), &options, &absent, &presence).is_some());
        }
        assert!(clinics.open("one more", &options, &absent, &presence).is_none());
        assert!(clinics.get("0").is_some() && clinics.get("one more").is_none());
    }
}
