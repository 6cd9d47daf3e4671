//! The part of a series that a worker counts without knowing which intervals are open.
//!
//! Which row an event belongs to depends on the intervals that are open, and those change only with
//! the first event of an interval. A part is therefore divided into segments, each of which begins
//! with such an event. Within a segment, the order of events does not matter.

use std::collections::BTreeSet;

use super::grouped::GroupedStats;
use crate::redact::RedactedEvent;

/// The number of statistics that a part may consist of.
const MAX_STATS: usize = 512;

/// The statistics of successive events.
pub struct SeriesPart {
    /// The length of an interval, in milliseconds.
    every: i64,
    is_grouped: bool,
    /// The segments, in order.
    pub(super) segments: Vec<SeriesSegment>,
    /// The starts of the intervals so far.
    starts: BTreeSet<i64>,
    /// The number of events.
    pub(super) events: u64,
    /// The number of statistics in all segments.
    stats: usize,
    /// Whether the events are in so many intervals, or in such an order, that counting them one by
    /// one is better. The segments are then incomplete.
    pub(super) is_too_large: bool,
}

/// The statistics of successive events, of which at most the first begins a new interval.
pub(super) struct SeriesSegment {
    /// The start of the interval of the first event.
    pub first: Option<i64>,
    /// The statistics by the start of the interval; `None` holds events without a time.
    pub stats: Vec<(Option<i64>, Box<GroupedStats>)>,
}

impl SeriesPart {
    /// Creates an empty part of a series whose intervals are `every` milliseconds long.
    #[must_use]
    pub const fn new(every: i64, is_grouped: bool) -> Self {
        Self {
            every,
            is_grouped,
            segments: Vec::new(),
            starts: BTreeSet::new(),
            events: 0,
            stats: 0,
            is_too_large: false,
        }
    }

    /// Counts an event, with its time in milliseconds of Unix time.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, millis: Option<i64>, groups: &[Box<str>]) {
        self.events += 1;
        let start = millis.map(|millis| start(self.every, millis));
        let is_first = start.is_some_and(|start| self.starts.insert(start));
        if is_first || self.segments.is_empty() {
            self.segments.push(SeriesSegment { first: start, stats: Vec::new() });
        }
        let Some(SeriesSegment { stats, .. }) = self.segments.last_mut() else { return };
        let at = match stats.iter().rposition(|(known, _)| *known == start) {
            Some(at) => at,
            None if self.stats == MAX_STATS => {
                self.is_too_large = true;
                return;
            }
            None => {
                self.stats += 1;
                stats.push((start, Box::new(GroupedStats::part(self.is_grouped))));
                stats.len() - 1
            }
        };
        stats[at].1.observe(event, millis, groups);
    }
}

/// Returns the start of the interval that contains a time.
pub(super) const fn start(every: i64, millis: i64) -> i64 {
    millis.div_euclid(every) * every
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::event_millis;
    use super::super::series::{Series, SeriesRow};
    use super::*;
    use crate::model::decode::Decoder;
    use crate::redact::{Policy, Redactor};
    use crate::transport::RawFrame;

    const EVERY: i64 = 10_000;

    /// Passes each line with its time to `observe`.
    fn read(lines: &[String], mut observe: impl FnMut(&RedactedEvent<'_>, Option<i64>)) {
        let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
        for line in lines {
            let frame = RawFrame::record(&Arc::default(), Bytes::from(line.clone()), 0);
            let event = redactor.decode_and_redact(&mut decoder, frame.as_frame());
            observe(&event, event_millis(&event));
        }
    }

    fn groups(event: &RedactedEvent<'_>, is_grouped: bool) -> Vec<Box<str>> {
        let group = event.field("call_sid").map(|field| field.json.into());
        group.into_iter().filter(|_| is_grouped).collect()
    }

    fn series(is_grouped: bool, max_bytes: usize) -> Series {
        let mut series = Series::new(EVERY, is_grouped);
        series.max_bytes = max_bytes;
        series
    }

    fn json(rows: &[SeriesRow]) -> String {
        rows.iter().map(SeriesRow::json).collect()
    }

    /// Returns the rows of events that are counted one by one.
    fn one_by_one(lines: &[String], is_grouped: bool, max_bytes: usize) -> String {
        let mut series = series(is_grouped, max_bytes);
        let mut rows = Vec::new();
        read(lines, |event, millis| {
            rows.extend(series.observe(event, millis, &groups(event, is_grouped)));
        });
        rows.extend(series.finish());
        json(&rows)
    }

    /// Returns the rows of events that are counted in parts of these lengths, where that is
    /// possible, and the number of parts that were merged.
    fn in_parts(
        lines: &[String],
        lengths: &[usize],
        is_grouped: bool,
        max_bytes: usize,
    ) -> (String, usize) {
        let mut series = series(is_grouped, max_bytes);
        let (mut rows, mut merged, mut rest) = (Vec::new(), 0, lines);
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(rest.len().min(*length));
            let mut part = SeriesPart::new(EVERY, is_grouped);
            read(chunk, |event, millis| {
                part.observe(event, millis, &groups(event, is_grouped));
            });
            if series.can_merge(&part) {
                merged += 1;
                rows.extend(series.merge(&part));
            } else {
                read(chunk, |event, millis| {
                    rows.extend(series.observe(event, millis, &groups(event, is_grouped)));
                });
            }
            rest = after;
        }
        rows.extend(series.finish());
        (json(&rows), merged)
    }

    fn line(kind: u8, millis: Option<i64>, value: u16) -> String {
        let fields = match kind % 5 {
            0 => format!(r#""event_type":"call.started","call_sid":"CA{value}""#),
            1 => format!(
                r#""event_type":"call.ended","call_sid":"CA{value}","duration_seconds":{value}"#
            ),
            2 => format!(
                r#""event_type":"tool_call_completed","tool_name":"t{value}","duration_ms":{value}.5"#
            ),
            3 => format!(r#""event_type":"surface.opened","surface_id":"s{value}""#),
            _ => format!(r#""event_type":"new.event{value}","call_sid":"CA{value}""#),
        };
        let tap = millis.map(|millis| {
            let time = super::super::json::time(1_700_000_000_000 + millis);
            format!(r#","_tap":{{"time":"{time}"}}"#)
        });
        format!("{{{fields}{}}}", tap.unwrap_or_default())
    }

    /// Generates events whose times jump by up to `spread` milliseconds around a clock that
    /// advances.
    fn lines(spread: i64) -> impl Strategy<Value = Vec<String>> {
        let event = (any::<u8>(), 0..2000i64, -spread..=spread, 0u16..400, 0..40u8);
        prop::collection::vec(event, 0..1500).prop_map(|events| {
            let mut clock = 0;
            let next = |(kind, advance, jump, value, untimed)| {
                clock += advance;
                line(kind, (untimed > 0).then_some(clock + jump), value)
            };
            events.into_iter().map(next).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn parts_give_the_rows_of_events_counted_one_by_one(
            lines in prop_oneof![lines(100), lines(15_000), lines(120_000)],
            lengths in prop::collection::vec(1..400usize, 1..5),
            is_grouped in any::<bool>(),
            max_bytes in prop::sample::select(vec![30_000, 300_000, 48 << 20]),
        ) {
            let (rows, _) = in_parts(&lines, &lengths, is_grouped, max_bytes);
            prop_assert_eq!(rows, one_by_one(&lines, is_grouped, max_bytes));
        }

        #[test]
        fn parts_in_nearly_ascending_order_are_always_merged(
            lines in prop_oneof![lines(0), lines(8000)],
            length in 50..400usize,
        ) {
            let (_, merged) = in_parts(&lines, &[length], true, 48 << 20);
            prop_assert_eq!(merged, lines.len().div_ceil(length));
        }
    }

    #[test]
    fn a_part_with_too_many_intervals_is_not_merged() {
        let count = i64::try_from(MAX_STATS).expect("small") + 1;
        let lines: Vec<_> = (0..count).map(|at| line(0, Some(at * EVERY), 1)).collect();
        let (rows, merged) = in_parts(&lines, &[lines.len()], false, 48 << 20);
        assert_eq!((rows, merged), (one_by_one(&lines, false, 48 << 20), 0));
    }
}
