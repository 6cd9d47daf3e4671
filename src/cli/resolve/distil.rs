//! Builds the stages of `distil`.

use std::sync::{Arc, Mutex};

use super::connection::DEMO;
use crate::analysis::timeline::collect::{CollectedEvents, TimelineCollector};
use crate::emulator::DEMO_CALL;
use crate::pipeline::Stages;
use crate::redact::{Policy, ScrubMode};

/// Builds the stages, which only collect the events of a call.
///
/// They reveal everything, because a hidden value is measured and then forgotten. There is no filter
/// that could ask for it.
pub fn distil(call: &str) -> (Stages, Arc<Mutex<CollectedEvents>>) {
    let mut policy = Policy { scrub: ScrubMode::None, ..Policy::default() };
    policy.reveal.add("all");
    let wanted = if call == DEMO { DEMO_CALL } else { call };
    let (collector, collected) = TimelineCollector::new(Some(wanted.to_owned()));
    let stages = Stages::observing(policy, vec![Box::new(collector)]);
    (stages, collected)
}
