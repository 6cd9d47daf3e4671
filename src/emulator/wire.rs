//! Applies faults to the bytes of a response body.

use std::collections::VecDeque;
use std::fmt::Write;

use bytes::Bytes;

use super::faults::{CutPoint, Fault};

/// One action of the server on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum WireOutput {
    /// Sends bytes.
    Bytes(Bytes),
    /// Ends the body in good order.
    End,
    /// Breaks the connection.
    Break,
    /// Breaks the connection by a TCP reset.
    Reset,
    /// Sends nothing more and keeps the connection open.
    Nothing,
}

/// The faults of one connection, and how much was sent.
#[derive(Debug)]
pub struct Wire {
    faults: Vec<Fault>,
    sent: usize,
    events: usize,
}

impl Wire {
    /// Creates the state of a connection with these faults.
    pub const fn new(faults: Vec<Fault>) -> Self {
        Self { faults, sent: 0, events: 0 }
    }

    /// Takes complete frames, and returns what to send in their place.
    pub fn pass(&mut self, frames: &Bytes) -> VecDeque<WireOutput> {
        let altered = if self.alters() {
            self.alter(&String::from_utf8_lossy(frames)).into()
        } else {
            frames.clone()
        };
        let stop = self
            .faults
            .iter()
            .filter_map(|fault| self.stop(fault, &altered))
            .min_by_key(|(at, _)| *at);
        let drips = self.faults.iter().any(|fault| matches!(fault, Fault::Drip(_)));
        let out = altered.slice(..stop.as_ref().map_or(altered.len(), |(at, _)| *at));
        self.sent += out.len();
        let mut sent = VecDeque::new();
        if drips {
            sent.extend((0..out.len()).map(|at| WireOutput::Bytes(out.slice(at..=at))));
        } else if !out.is_empty() {
            sent.push_back(WireOutput::Bytes(out));
        }
        sent.extend(stop.map(|(_, end)| end));
        sent
    }

    /// Returns where in these bytes a fault stops the body, if anywhere, and how.
    fn stop(&self, fault: &Fault, bytes: &Bytes) -> Option<(usize, WireOutput)> {
        let within = |at: usize| {
            at.checked_sub(self.sent).map_or(Some(0), |at| (at <= bytes.len()).then_some(at))
        };
        match *fault {
            Fault::Cut(at) | Fault::Drip(at) => Some((within(at)?, WireOutput::Break)),
            Fault::End(at) => Some((within(at)?, WireOutput::End)),
            Fault::Reset(at) => Some((within(at)?, WireOutput::Reset)),
            Fault::Stall(at) => Some((within(at)?, WireOutput::Nothing)),
            Fault::CutIn(place, at) => {
                let from = within(at)?;
                Some((from + place.find(&bytes[from..])?, WireOutput::Break))
            }
            _ => None,
        }
    }

    fn alters(&self) -> bool {
        use Fault::{CutIn, Huge, OddId, Repeat, StripId, Unknown};
        let alters = |fault: &Fault| {
            matches!(
                fault,
                CutIn(CutPoint::LineEnd, _) | Repeat(_) | StripId(_) | OddId(_) | Unknown | Huge(_)
            )
        };
        self.faults.iter().any(alters)
    }

    fn alter(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for frame in text.split_inclusive("\n\n") {
            if !frame.starts_with("id: ") {
                out.push_str(frame);
                continue;
            }
            self.events += 1;
            let mut frame = frame.to_owned();
            let mut copies = 1;
            for fault in &self.faults {
                let every = |count: usize| self.events.is_multiple_of(count);
                // Writing into a `String` does not fail.
                match *fault {
                    Fault::Repeat(count) if every(count) => copies = 2,
                    Fault::StripId(count) if every(count) => {
                        frame = frame.split_once('\n').map_or("", |parts| parts.1).to_owned();
                    }
                    Fault::OddId(count) if every(count) => {
                        frame.replace_range(.."id: ".len(), "id: x");
                    }
                    Fault::Unknown if self.events == 1 => {
                        out.push_str("event: weather.changed\ndata: {\"sky\":\"grey\"}\n\n");
                    }
                    Fault::Huge(bytes) if self.events == 1 => {
                        let _ = write!(out, "event: call.started\ndata: {}\n\n", "x".repeat(bytes));
                    }
                    _ => {}
                }
            }
            for _ in 0..copies {
                out.push_str(&frame);
            }
        }
        let has_line_ends =
            self.faults.iter().any(|fault| matches!(fault, Fault::CutIn(CutPoint::LineEnd, _)));
        if has_line_ends { out.replace('\n', "\r\n") } else { out }
    }
}

impl CutPoint {
    /// Returns the number of bytes before the first such place.
    fn find(self, bytes: &[u8]) -> Option<usize> {
        let after = |needle: &[u8], more: usize| {
            memchr::memmem::find(bytes, needle)
                .map(|at| at + needle.len() + more)
                .filter(|at| *at < bytes.len())
        };
        match self {
            Self::Character => bytes.iter().position(|byte| *byte >= 0xc0).map(|at| at + 1),
            Self::Line => after(b"\ndata: ", 9),
            Self::Fields => memchr::memmem::find(bytes, b"\nevent: ").map(|at| at + 1),
            Self::LineEnd => memchr::memchr(b'\r', bytes).map(|at| at + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: &str = "id: 1\nevent: a.b\ndata: {\"x\":\"№ and more\"}\n\n\
                          id: 2\nevent: a.c\ndata: {\"y\":\"№\"}\n\n";

    /// Returns what is sent for the frames with these faults, as text, with `|` for each end.
    fn sent(faults: &str) -> String {
        let faults = match faults.parse::<Fault>().expect("a fault") {
            Fault::All(faults) => faults,
            one => vec![one],
        };
        let mut wire = Wire::new(faults);
        let mut text = Vec::new();
        for sent in wire.pass(&Bytes::from_static(FRAMES.as_bytes())) {
            match sent {
                WireOutput::Bytes(bytes) => text.extend_from_slice(&bytes),
                _ => text.push(b'|'),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn a_body_stops_where_the_fault_says() {
        assert_eq!(sent("none"), FRAMES);
        for stop in ["cut=3", "end=3", "reset=3", "stall=3", "drip=3"] {
            assert_eq!(sent(stop), "id:|", "{stop}");
        }
        assert_eq!(sent("cut-in=character"), "id: 1\nevent: a.b\ndata: {\"x\":\"\u{fffd}|");
        assert_eq!(sent("cut-in=line"), "id: 1\nevent: a.b\ndata: {\"x\":\"№|");
        assert_eq!(sent("cut-in=fields"), "id: 1\n|");
        assert_eq!(sent("cut-in=line-end"), "id: 1\r|");
        assert!(sent("cut-in=fields:20").ends_with("\n\nid: 2\n|"));
        assert_eq!(sent("cut=9999"), FRAMES);
    }

    #[test]
    fn frames_are_altered_by_faults() {
        assert_eq!(sent("repeat=2").matches("id: 2").count(), 2);
        assert_eq!(sent("strip-id=2").matches("id: ").count(), 1);
        assert!(sent("odd-id=1").starts_with("id: x1\nevent: a.b\n"));
        assert!(sent("unknown").starts_with("event: weather.changed\n"));
        assert!(sent("huge=100").len() > FRAMES.len() + 100);
        assert!(sent("repeat=1+cut=4").ends_with("id: |"));
    }
}
