//! Events that do not happen on request, to test how their absence is noticed.

use std::collections::VecDeque;

use super::faults::Fault;
use crate::model::Kind;

/// The types of which the first events are absent, and how many of each.
#[derive(Debug, Clone, Default)]
pub struct AbsentEvents(Vec<(Kind, usize)>);

impl AbsentEvents {
    /// Takes the absent events from a list of faults.
    pub fn take_from(faults: &mut VecDeque<Fault>) -> Self {
        let mut absent = Vec::new();
        faults.retain(|fault| match fault {
            Fault::Absent(kind, count) => {
                absent.push((*kind, *count));
                false
            }
            _ => true,
        });
        Self(absent)
    }

    /// Returns whether the next event of this type is absent.
    pub fn take(&mut self, kind: Kind) -> bool {
        let next = self.0.iter_mut().find(|(absent, count)| *absent == kind && *count > 0);
        let is_absent = next.is_some();
        if let Some((_, count)) = next {
            *count -= 1;
        }
        is_absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_events_of_a_type_are_absent() {
        let faults = ["cut=1", "absent=call.ended:2"].map(|fault| fault.parse().expect("a fault"));
        let mut faults = VecDeque::from(faults);
        let mut absent = AbsentEvents::take_from(&mut faults);
        assert_eq!(faults, [Fault::Cut(1)]);
        let mut take = |kind| absent.take(kind);
        assert!(!take(Kind::CallStarted) && take(Kind::CallEnded) && take(Kind::CallEnded));
        assert!(!take(Kind::CallEnded));
    }
}
