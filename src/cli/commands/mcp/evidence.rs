//! What a result is based on: the time that it covers, and what is missing in that time.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::analysis::timeline::collect::StreamGap;
use crate::model::Stream;
use crate::text::units::counted;

/// The maximum memory of the gaps that are kept, and of those that a result lists, in bytes.
const KEPT_BYTES: usize = 4 << 20;
const LISTED_BYTES: usize = 16 * 1024;

/// How complete the events that were read are.
#[derive(Default)]
pub struct Evidence {
    /// The name of the source.
    pub source: String,
    /// The first and the last time of the events.
    pub span: Option<(Timestamp, Timestamp)>,
    gaps: Vec<StreamGap>,
    /// The memory of the gaps that are kept, in bytes.
    gap_bytes: usize,
    gaps_not_kept: u64,
    /// The number of lines or frames that are not events.
    pub unreadable: u64,
    /// The number of events that were left out because they have no time.
    pub undated: u64,
    /// The reasons why the result is incomplete, besides those above.
    pub reasons: Vec<String>,
}

impl Evidence {
    /// Adds the time of an event.
    pub fn add_time(&mut self, at: Timestamp) {
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
    }

    /// Adds a gap.
    pub fn add_gap(&mut self, gap: StreamGap) {
        let bytes = gap_bytes(&gap);
        if self.gap_bytes + bytes <= KEPT_BYTES {
            self.gap_bytes += bytes;
            self.gaps.push(gap);
        } else {
            self.gaps_not_kept += 1;
        }
    }

    /// Removes the gaps in which nothing of a call can be missing: those of other calls, and those
    /// outside the time from its beginning to its end, as far as that is known.
    pub fn keep_gaps_of(
        &mut self,
        sid: &str,
        (began, ended): (Option<Timestamp>, Option<Timestamp>),
    ) {
        self.gaps.retain(|gap| {
            gap.call_sid.as_deref().is_none_or(|call| call == sid)
                && began.is_none_or(|began| gap.to >= began)
                && gap.from.zip(ended).is_none_or(|(from, ended)| from <= ended)
        });
    }

    /// Adds that the source does not reach as far as a range of time.
    pub fn compare(&mut self, since: Option<Timestamp>, until: Option<Timestamp>) {
        let (first, last) = self.span.unzip();
        if since.is_some_and(|since| first.is_none_or(|first| first > since)) {
            self.reasons.push("the source begins after `since`".to_owned());
        }
        if until.is_some_and(|until| last.is_none_or(|last| last < until)) {
            self.reasons.push("the source ends before `until`".to_owned());
        }
    }

    /// Returns the number of gaps.
    fn gaps(&self) -> u64 {
        self.gaps.len() as u64 + self.gaps_not_kept
    }

    /// Returns whether nothing is known to be missing.
    pub fn is_complete(&self) -> bool {
        self.gaps() == 0 && self.unreadable == 0 && self.undated == 0 && self.reasons.is_empty()
    }

    /// Adds the members of a result that say what it is based on.
    pub fn describe(mut self, members: &mut Map<String, Value>) {
        let complete = self.is_complete();
        let gaps = self.gaps();
        if gaps > 0 {
            self.reasons.push(format!("{} in the stream", counted(gaps, "gap")));
        }
        if self.unreadable > 0 {
            let count = counted(self.unreadable, "line");
            self.reasons.push(format!("{count} of the source could not be read as an event"));
        }
        if self.undated > 0 {
            let count = counted(self.undated, "event");
            self.reasons.push(format!("{count} without a time left out"));
        }
        let covers =
            self.span.map(|(first, last)| json!({"from": rfc3339(first), "to": rfc3339(last)}));
        members.insert("source".to_owned(), json!(self.source));
        members.insert("complete".to_owned(), json!(complete));
        members.insert("why_incomplete".to_owned(), json!(self.reasons));
        let mut room = LISTED_BYTES;
        let fits = |gap: &&StreamGap| {
            room = room.saturating_sub(gap_bytes(gap));
            room > 0
        };
        let listed: Vec<_> = self.gaps.iter().take_while(fits).map(gap_json).collect();
        members.insert("gaps_not_listed".to_owned(), json!(gaps - listed.len() as u64));
        members.insert("gaps".to_owned(), Value::Array(listed));
        members.insert("covers".to_owned(), json!(covers));
    }
}

/// Returns the memory that a gap takes, in bytes. As JSON, it is at most about twice as long.
fn gap_bytes(gap: &StreamGap) -> usize {
    let texts = [gap.call_sid.as_deref(), gap.workspace.as_deref(), Some(&*gap.reason)];
    size_of::<StreamGap>() + texts.into_iter().flatten().map(str::len).sum::<usize>()
}

fn gap_json(gap: &StreamGap) -> Value {
    json!({
        "from": gap.from.map(rfc3339),
        "to": rfc3339(gap.to),
        "certain": gap.is_certain,
        "reason": gap.reason,
        "stream": gap.stream.map(Stream::name),
        "workspace_id": gap.workspace,
        "call_sid": gap.call_sid,
    })
}

fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(sid: usize) -> StreamGap {
        StreamGap {
            stream: Some(Stream::Workspace),
            call_sid: Some("x".repeat(sid).into()),
            workspace: None,
            from: None,
            to: Timestamp::UNIX_EPOCH,
            is_certain: true,
            reason: "disconnected".to_owned(),
            after: 0,
        }
    }

    #[test]
    fn gaps_are_limited_in_bytes_and_all_are_counted() {
        for (sid, number) in [(34, 100_000_usize), (1 << 20, 20)] {
            let mut evidence = Evidence::default();
            (0..number).for_each(|_| evidence.add_gap(gap(sid)));
            assert!(evidence.gap_bytes <= KEPT_BYTES && evidence.gaps_not_kept > 0, "{sid}");
            let mut members = Map::new();
            evidence.describe(&mut members);
            let listed = members["gaps"].as_array().expect("a list");
            let not_listed = members["gaps_not_listed"].as_u64().expect("a number");
            assert_eq!(listed.len() as u64 + not_listed, number as u64);
            assert!(members["gaps"].to_string().len() <= 4 * LISTED_BYTES);
            assert_eq!(listed.is_empty(), sid > LISTED_BYTES);
        }
    }
}
