//! What rules should report, computed from all events at once.

use super::*;
use crate::analysis::alerts::rule::EventRole::{Trigger, Unless, Want};
use crate::analysis::alerts::{Frequency, Percentile, Silence, Wait};

/// An event of one key.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub at: Millis,
    pub roles: EventRoles,
    pub value: f64,
}

/// The events of a key in the order of time, and the input around them.
pub struct History<'a> {
    pub key: &'static str,
    pub events: &'a [Event],
    pub gaps: &'a [(Millis, Millis)],
    /// The time of the last event of the input.
    pub end: Millis,
}

impl History<'_> {
    /// Returns the end of the last gap in a period.
    fn gap(&self, from: Millis, to: Millis) -> Option<Millis> {
        let gaps = self.gaps.iter().filter(|(begin, end)| *begin <= to && *end >= from);
        gaps.map(|(_, end)| *end).max()
    }

    fn line(
        &self,
        (at, state): (Millis, &str),
        (since, count): (Millis, usize),
        value: Option<f64>,
        reason: &str,
    ) -> String {
        let value = value.map_or_else(String::new, |value| format!(" {value}"));
        format!("{at} {} {state} since {since}, {count}{value}: {reason}", self.key)
    }

    pub fn wait(&self, Wait { within }: Wait) -> Vec<String> {
        let mut lines = Vec::new();
        let mut begin = 0;
        while let Some(first) =
            (begin..self.events.len()).find(|index| self.events[*index].roles.has(Trigger))
        {
            let since = self.events[first].at;
            let ends = |event: &Event| event.roles.has(Want) || event.roles.has(Unless);
            let last = (first + 1..self.events.len()).find(|index| ends(&self.events[*index]));
            let known = &self.events[first..last.unwrap_or(self.events.len())];
            let triggers_until = |at| {
                known.iter().filter(|event| event.roles.has(Trigger) && event.at <= at).count()
            };
            let due = since + within;
            let in_time = last.is_some_and(|last| self.events[last].at <= due);
            if !in_time && due < self.end {
                let (state, reason) = match self.gap(since, due) {
                    Some(_) => ("unknown", "gap"),
                    None => ("raised", "not_followed"),
                };
                lines.push(self.line((due, state), (since, triggers_until(due)), None, reason));
                if let Some(last) = last.map(|last| self.events[last]) {
                    let reason = if last.roles.has(Want) { "followed" } else { "excused" };
                    let known = (since, triggers_until(Millis::MAX));
                    lines.push(self.line((last.at, "resolved"), known, None, reason));
                }
            } else if last.is_none() {
                let known = (since, triggers_until(Millis::MAX));
                lines.push(self.line((self.end, "pending"), known, None, "input_ended"));
            }
            begin = last.unwrap_or(self.events.len());
        }
        lines
    }

    pub fn silence(&self, Silence { silent_for }: Silence) -> Vec<String> {
        let mut lines = Vec::new();
        let mut count = 0;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let seconds = |from: Millis, to: Millis| Some((to - from) as f64 / 1000.0);
        let relevant = |event: &&Event| event.roles.has(Trigger) || event.roles.has(Unless);
        let events: Vec<_> = self.events.iter().filter(relevant).collect();
        for (index, event) in events.iter().enumerate() {
            if event.roles.has(Unless) {
                count = 0;
                continue;
            }
            count += 1;
            let next = events.get(index + 1);
            let (since, mut begin, mut state) = (event.at, event.at, "waiting");
            loop {
                let due = begin + silent_for;
                if due >= self.end || next.is_some_and(|next| next.at <= due) {
                    break;
                }
                let (known, reason) = match self.gap(due - silent_for, due) {
                    Some(to) => {
                        begin = to + 1;
                        ("unknown", "gap")
                    }
                    None => ("raised", "silent"),
                };
                if known != state {
                    let value = seconds(since, due);
                    lines.push(self.line((due, known), (since, count), value, reason));
                    state = known;
                }
                if known == "raised" {
                    break;
                }
            }
            match next {
                Some(next) if state != "waiting" => {
                    let reason = if next.roles.has(Trigger) { "heard" } else { "excused" };
                    let value = seconds(since, next.at);
                    lines.push(self.line((next.at, "resolved"), (since, count), value, reason));
                }
                None if state == "waiting" => {
                    let known = (since, count);
                    lines.push(self.line((self.end, "pending"), known, None, "input_ended"));
                }
                _ => {}
            }
        }
        lines
    }

    /// Returns the times at which a window can change, in order.
    fn checkpoints(&self, within: Millis) -> Vec<Millis> {
        let mut times: Vec<_> =
            self.events.iter().flat_map(|event| [event.at, event.at + within]).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Returns the events up to number `seen` in the window that ends at a time.
    fn window(&self, seen: usize, at: Millis, within: Millis) -> Vec<Event> {
        let known = self.events[..seen].iter().filter(|event| event.roles.has(Trigger));
        known.filter(|event| event.at > at - within).copied().collect()
    }

    pub fn frequency(&self, Frequency { count, within }: Frequency) -> Vec<String> {
        let mut lines = Vec::new();
        let (mut seen, mut alert) = (0, None);
        for at in self.checkpoints(within) {
            while let Some(event) = self.events.get(seen).filter(|event| event.at <= at) {
                seen += 1;
                let window = self.window(seen, event.at, within);
                let is_trigger = event.roles.has(Trigger);
                match &mut alert {
                    Some((_, events)) => *events += usize::from(is_trigger),
                    None if is_trigger && window.len() >= count => {
                        let since = window[window.len() - count].at;
                        alert = Some((since, count));
                        lines.push(self.line((at, "raised"), (since, count), None, "too_many"));
                    }
                    None => {}
                }
            }
            if at < self.end
                && self.window(seen, at, within).len() < count
                && let Some(known) = alert.take()
            {
                lines.push(self.line((at, "resolved"), known, None, "fewer_again"));
            }
        }
        lines
    }

    pub fn percentile(&self, form: Percentile) -> Vec<String> {
        let Percentile { percent, limit, within, min_count } = form;
        let mut lines = Vec::new();
        let (mut seen, mut alert) = (0, None);
        let mut decide = |alert: &mut Option<Millis>, at, window: Vec<Event>| {
            let mut values: Vec<_> = window.iter().map(|event| event.value).collect();
            values.sort_by(f64::total_cmp);
            let rank = (values.len() * usize::from(percent)).div_ceil(100).max(1);
            let value = values.get(rank - 1).copied();
            let is_over = values.len() >= min_count && value.is_some_and(|value| value > limit);
            let count = values.len();
            if is_over && alert.is_none() {
                *alert = Some(at);
                lines.push(self.line((at, "raised"), (at, count), value, "over_limit"));
            } else if !is_over && let Some(since) = alert.take() {
                lines.push(self.line((at, "resolved"), (since, count), value, "within_limit"));
            }
        };
        for at in self.checkpoints(within) {
            while let Some(event) = self.events.get(seen).filter(|event| event.at <= at) {
                seen += 1;
                if event.roles.has(Trigger) {
                    decide(&mut alert, event.at, self.window(seen, event.at, within));
                }
            }
            if at < self.end && alert.is_some() {
                decide(&mut alert, at, self.window(seen, at, within));
            }
        }
        lines
    }
}
