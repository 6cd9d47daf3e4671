//! Compares what this tap shows with what other taps of the same workspaces show.
//!
//! The last event of a workspace is looked at before the first one is published. Taps that connect
//! later announce themselves, and are compared then.

use std::collections::HashSet;

use async_nats::Message;

use super::config::FINGERPRINT;
use crate::error::Error;
use crate::output::status::{self, StatusFormat};
use crate::transport::broker::SubjectPrefix;

/// The maximum size of the names of workspaces that are remembered, in bytes. Then all of them are
/// forgotten, and compared again.
const MAX_REMEMBERED: usize = 4 << 20;

/// The memory that a name takes besides its text, about, in bytes.
const NAME_OVERHEAD: usize = 48;

/// The maximum number of other fingerprints of which the user is warned.
const MAX_WARNINGS: usize = 8;

/// The fingerprints of other taps.
pub(super) struct Fingerprints {
    own: String,
    prefix: SubjectPrefix,
    status: StatusFormat,
    /// The workspaces that have been compared, by their tokens in subjects.
    workspaces: HashSet<Box<str>>,
    bytes: usize,
    /// The other fingerprints of which the user knows.
    reported: HashSet<String>,
}

impl Fingerprints {
    pub fn new(own: &str, prefix: &SubjectPrefix, status: StatusFormat) -> Self {
        Self {
            own: own.to_owned(),
            prefix: prefix.clone(),
            status,
            workspaces: HashSet::new(),
            bytes: 0,
            reported: HashSet::new(),
        }
    }

    /// Returns whether a workspace is new, so that it has to be compared.
    pub fn add(&mut self, workspace: &str) -> bool {
        if self.workspaces.contains(workspace) {
            return false;
        }
        self.bytes += workspace.len() + NAME_OVERHEAD;
        if self.bytes > MAX_REMEMBERED {
            self.workspaces.clear();
            self.bytes = workspace.len() + NAME_OVERHEAD;
        }
        self.workspaces.insert(workspace.into())
    }

    /// Compares a tap that has connected, if it taps one of the same workspaces.
    pub fn announced(&mut self, message: &Message) {
        let tokens = self.prefix.tokens(&message.subject);
        let workspace = tokens.as_deref().and_then(<[_]>::first);
        if workspace.is_some_and(|workspace| self.workspaces.contains(*workspace))
            && let Some(other) = message.headers.as_ref().and_then(|all| all.get(FINGERPRINT))
        {
            self.compare(other.as_str());
        }
    }

    /// Warns if another tap of a workspace shows other things, once for each other fingerprint.
    pub fn compare(&mut self, other: &str) {
        let is_known = other == self.own || self.reported.contains(other);
        if is_known || other.len() != self.own.len() || self.reported.len() >= MAX_WARNINGS {
            return;
        }
        self.reported.insert(other.to_owned());
        let what = "the stream has events of the same workspace from a tap with other filters, or \
                    that hides other fields";
        let why = "an event that both show is stored as the first of them shows it";
        let advice = "give all taps of a workspace the same options; `evtap taps` lists them";
        status::warning(self.status, &Error::usage(what, why, advice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_are_compared_once_unless_there_are_very_many() {
        let prefix = SubjectPrefix::default();
        let mut all = Fingerprints::new("0123456789abcdef", &prefix, StatusFormat::None);
        assert!(all.add("a") && !all.add("a") && all.add("b"));
        for number in 0..100_000 {
            all.add(&format!("{number:036}"));
            assert!(all.bytes <= MAX_REMEMBERED);
        }
        assert!(all.add("a"), "it is compared again");
    }

    #[test]
    fn each_other_fingerprint_is_reported_once() {
        let prefix = SubjectPrefix::default();
        let mut all = Fingerprints::new("0123456789abcdef", &prefix, StatusFormat::None);
        all.add("w");
        let mut announce = |subject: &str, fingerprint: &str| {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(FINGERPRINT, fingerprint);
            all.announced(&Message {
                subject: subject.into(),
                reply: None,
                payload: bytes::Bytes::new(),
                headers: Some(headers),
                status: None,
                description: None,
                length: 0,
            });
            all.reported.len()
        };
        assert_eq!(announce("evtap.w.tap.connected.east", "0123456789abcdef"), 0);
        assert_eq!(announce("evtap.v.tap.connected.west", "1111111111111111"), 0);
        assert_eq!(announce("evtap.w.tap.connected.west", "1111111111111111"), 1);
        assert_eq!(announce("evtap.w.tap.connected.west", "1111111111111111"), 1);
        assert_eq!(announce("evtap.w.tap.connected.late", "2222222222222222"), 2);
        assert_eq!(announce("evtap.w.tap.connected.late", "short"), 2);
    }
}
