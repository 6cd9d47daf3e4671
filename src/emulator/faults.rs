//! Faults that the emulator injects on request, to test how a client handles them.
//!
//! Each connection takes the first fault that its transport supports. Without one, it works
//! normally.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::stories::dialogue;
use crate::error::Error;
use crate::model::Kind;
use crate::transport::input_file;

/// Reads a fault script, which is a TOML file with an array `faults` of strings.
///
/// Returns a usage error if the file cannot be read or a fault is invalid.
pub fn read_script(path: &Path) -> Result<Vec<Fault>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Script {
        faults: Vec<String>,
    }
    let what = || format!("cannot read the faults in {}", path.display());
    let advice = "write it like faults = [\"cut=2000\", \"none\", \"status=503\"]";
    let text = input_file::read_text(path, input_file::TEXT_LIMIT).map_err(|error| {
        Error::usage(what(), input_file::cause(&error), "check the path of --fault-script")
    })?;
    let script: Script = toml_edit::de::from_str(&text)
        .map_err(|_| Error::usage(what(), "it is not TOML with an array `faults`", advice))?;
    script.faults.iter().map(|fault| fault.parse()).collect()
}

/// A fault of one connection. Each variant names the transports that support it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is answered with this HTTP status. Either transport.
    Status {
        /// The HTTP status.
        code: u16,
        /// The value of the `Retry-After` header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// The server sends an `error` control frame with this code and ends the body. SSE.
    Error(String),
    /// The connection breaks after N bytes of body or of text frames. Either transport.
    Cut(usize),
    /// The server closes the connection cleanly after N bytes. Either transport.
    End(usize),
    /// The server resets the TCP connection after N bytes of body. SSE.
    Reset(usize),
    /// The server sends nothing more after N bytes of body, but keeps the connection open. SSE.
    Stall(usize),
    /// The body arrives one byte at a time and breaks after N bytes. SSE.
    Drip(usize),
    /// The body breaks at the first such cut point after N bytes. SSE.
    CutIn(CutPoint, usize),
    /// Every Nth event is sent twice. SSE.
    Repeat(usize),
    /// Every Nth event is sent without its id. SSE.
    StripId(usize),
    /// Every Nth event is sent with an id that is not a number. SSE.
    OddId(usize),
    /// The first event has an undeclared type. SSE.
    Unknown,
    /// The first frame is N bytes long. SSE.
    Huge(usize),
    /// The replay starts earlier than requested. SSE.
    Overlap,
    /// The ids of the next events are N milliseconds lower. SSE.
    Backwards(u64),
    /// The server has lost its replay buffer, as after a restart. SSE.
    Forget,
    /// Several faults occur on one connection. SSE.
    All(Vec<Fault>),
    /// The server closes the socket with this code: in place of the first event if the code refuses
    /// the observer, or right after it. WebSocket.
    Close(u16),
    /// The first N events of a type are not sent to anyone, as if they had not happened: of each
    /// workspace, or of each call. It is no fault of a connection.
    Absent(Kind, usize),
    /// A tool takes so many times as long in each call. It is no fault of a connection.
    Slow(String, u32),
    /// Only the first N events of a type are sent to anyone: of each workspace, or of each call. It is
    /// no fault of a connection.
    Last(Kind, usize),
    /// Each call of a tool fails, because it does not answer in time. It is no fault of a connection.
    Timeout(&'static str),
    /// The connection works normally. Either transport.
    None,
}

/// A place in a body where a client must handle a cut with care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutPoint {
    /// Inside a multi-byte UTF-8 character.
    Character,
    /// Inside a `data:` line.
    Line,
    /// Between the `id:` line and the lines after it.
    Fields,
    /// Between CR and LF. The body then uses CRLF line endings.
    LineEnd,
}

/// The error statuses that the platform is known to return.
const STATUSES: &[u16] = &[401, 403, 404, 410, 429, 500, 503];

impl Fault {
    /// Returns whether the fault can occur on the workspace stream.
    #[must_use]
    pub fn is_for_sse(&self) -> bool {
        match self {
            Self::Close(_) => false,
            _ if self.is_of_clinic() => false,
            Self::All(faults) => faults.iter().all(Self::is_for_sse),
            _ => true,
        }
    }

    /// Returns whether the fault is in the clinic, so that it concerns all connections.
    const fn is_of_clinic(&self) -> bool {
        matches!(self, Self::Absent(..) | Self::Slow(..) | Self::Last(..) | Self::Timeout(_))
    }

    /// Returns whether the fault can occur on an observer connection.
    #[must_use]
    pub const fn is_for_observer(&self) -> bool {
        matches!(
            self,
            Self::Status { .. } | Self::Cut(_) | Self::End(_) | Self::Close(_) | Self::None
        )
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.contains('+') {
            let faults: Vec<Self> = text.split('+').map(str::parse).collect::<Result<_, _>>()?;
            if faults.iter().any(Self::is_of_clinic) {
                let why = "absent=, slow=, last= and timeout= concern all connections";
                let advice = "give each as a fault of its own";
                return Err(Error::usage(format!("cannot read the fault {text:?}"), why, advice));
            }
            return Ok(Self::All(faults));
        }
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let wrong = |why: &str, advice: &str| {
            Error::usage(format!("cannot read the fault {text:?}"), why, advice)
        };
        let bytes = || {
            value
                .parse()
                .map_err(|_| wrong("the value is not a number of bytes", "write it like cut=2000"))
        };
        let count = || {
            let count = value.parse().ok().filter(|count| *count > 0);
            count.ok_or_else(|| {
                wrong("the value is not a number of events", "write it like repeat=5")
            })
        };
        match name {
            "none" if value.is_empty() => Ok(Self::None),
            "unknown" if value.is_empty() => Ok(Self::Unknown),
            "overlap" if value.is_empty() => Ok(Self::Overlap),
            "forget" if value.is_empty() => Ok(Self::Forget),
            "reset" => bytes().map(Self::Reset),
            "stall" => bytes().map(Self::Stall),
            "drip" => bytes().map(Self::Drip),
            "huge" => bytes().map(Self::Huge),
            "repeat" => count().map(Self::Repeat),
            "strip-id" => count().map(Self::StripId),
            "odd-id" => count().map(Self::OddId),
            "backwards" => bytes().map(|back| Self::Backwards(back as u64)),
            "cut-in" => cut_in(value).ok_or_else(|| {
                wrong(
                    "the value is not a place and a number of bytes",
                    "write it like cut-in=line:2000; places: character, line, fields, line-end",
                )
            }),
            "cut" => bytes().map(Self::Cut),
            "end" => bytes().map(Self::End),
            "close" => value
                .parse()
                .ok()
                .filter(|code| CloseCode::from(*code).is_allowed())
                .map(Self::Close)
                .ok_or_else(|| {
                    wrong(
                        "the value is not a close code that can be sent",
                        "write it like close=4100",
                    )
                }),
            "absent" => absent(value).ok_or_else(|| {
                wrong(
                    "the value is not an event type and a number of events",
                    "write it like absent=operator.joined_call:3",
                )
            }),
            "slow" => slow(value).ok_or_else(|| {
                wrong("the value is not a tool and a factor", "write it like slow=find_slots:4")
            }),
            "last" => last(value).ok_or_else(|| {
                wrong(
                    "the value is not an event type and a number of events",
                    "write it like last=pipeline.sync_completed:6",
                )
            }),
            "timeout" => dialogue::tool_named(value).map(Self::Timeout).ok_or_else(|| {
                let tools: Vec<_> = dialogue::tools().collect();
                let advice = format!("use one of {}", tools.join(", "));
                wrong("the value is not a tool of the clinic", &advice)
            }),
            "error" if is_code(value) => Ok(Self::Error(value.to_owned())),
            "error" => Err(wrong(
                "the value may contain only letters, digits, - and _",
                "write it like error=stream_unavailable",
            )),
            "status" => status(value).ok_or_else(|| {
                wrong(
                    "the value must be one of 401, 403, 404, 410, 429, 500 and 503",
                    "write it like status=429:retry-after=2",
                )
            }),
            _ => Err(wrong(
                "no such fault",
                "use status=, error=, cut=, end=, reset=, stall=, drip=, cut-in=, repeat=, \
                 strip-id=, odd-id=, unknown, huge=, overlap, backwards=, forget, close=, absent=, slow=, last=, timeout= or none; \
                 join several with +",
            )),
        }
    }
}

fn is_code(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn cut_in(value: &str) -> Option<Fault> {
    let (place, bytes) = value.split_once(':').unwrap_or((value, "0"));
    let place = match place {
        "character" => CutPoint::Character,
        "line" => CutPoint::Line,
        "fields" => CutPoint::Fields,
        "line-end" => CutPoint::LineEnd,
        _ => return None,
    };
    Some(Fault::CutIn(place, bytes.parse().ok()?))
}

/// Reads an event type and, if there is one, a number of events; without it, none is sent.
fn absent(value: &str) -> Option<Fault> {
    let (event_type, count) =
        value.split_once(':').map_or((value, None), |(kind, count)| (kind, Some(count)));
    let kind = Kind::from_name(event_type)?;
    let count = count.map_or(Some(usize::MAX), |count| count.parse().ok())?;
    (count > 0).then_some(Fault::Absent(kind, count))
}

/// Reads the name of a tool and a factor.
fn slow(value: &str) -> Option<Fault> {
    let (tool, factor) = value.split_once(':')?;
    let factor = factor.parse().ok().filter(|factor| (2..=1000).contains(factor))?;
    (!tool.is_empty()).then(|| Fault::Slow(tool.to_owned(), factor))
}

/// Reads an event type and the number of events that are sent.
fn last(value: &str) -> Option<Fault> {
    let (event_type, count) = value.split_once(':')?;
    Some(Fault::Last(Kind::from_name(event_type)?, count.parse().ok()?))
}

fn status(value: &str) -> Option<Fault> {
    let (code, rest) =
        value.split_once(':').map_or((value, None), |(code, rest)| (code, Some(rest)));
    let code = code.parse().ok().filter(|code| STATUSES.contains(code))?;
    let retry_after = match rest {
        Some(rest) => Some(Duration::from_secs(rest.strip_prefix("retry-after=")?.parse().ok()?)),
        None => None,
    };
    Some(Fault::Status { code, retry_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read() {
        let read = |text: &str| text.parse::<Fault>().expect("a fault");
        assert_eq!(read("status=401"), Fault::Status { code: 401, retry_after: None });
        assert_eq!(
            read("status=429:retry-after=2"),
            Fault::Status { code: 429, retry_after: Some(Duration::from_secs(2)) }
        );
        assert_eq!(read("error=too_many_streams"), Fault::Error("too_many_streams".into()));
        assert_eq!(read("error=brand_new"), Fault::Error("brand_new".into()));
        assert_eq!(read("cut=0"), Fault::Cut(0));
        assert_eq!(read("end=1500"), Fault::End(1500));
        assert_eq!(read("close=4004"), Fault::Close(4004));
        assert_eq!(read("none"), Fault::None);
        assert_eq!(read("absent=call.ended:3"), Fault::Absent(Kind::CallEnded, 3));
        assert_eq!(read("absent=session_end"), Fault::Absent(Kind::SessionEnd, usize::MAX));
        assert_eq!(read("last=call.ended:0"), Fault::Last(Kind::CallEnded, 0));
        assert_eq!(read("timeout=find_slots"), Fault::Timeout("find_slots"));
        assert_eq!(read("reset=7"), Fault::Reset(7));
        assert_eq!(read("cut-in=line-end:9"), Fault::CutIn(CutPoint::LineEnd, 9));
        assert_eq!(read("cut-in=character"), Fault::CutIn(CutPoint::Character, 0));
        assert_eq!(
            read("overlap+repeat=2+cut=9"),
            Fault::All(vec![Fault::Overlap, Fault::Repeat(2), Fault::Cut(9)])
        );
    }

    #[test]
    fn a_script_is_toml() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "# a bad day\nfaults = [\n  \"cut=9\",\n  \"none\",\n]\n")
            .expect("written");
        assert_eq!(read_script(file.path()), Ok(vec![Fault::Cut(9), Fault::None]));
        for wrong in ["faults = 1", "cut=9", "faults = []\nother = 1", "faults = [\"fire\"]"] {
            std::fs::write(file.path(), wrong).expect("written");
            assert_eq!(read_script(file.path()).expect_err(wrong).exit, crate::error::Exit::Usage);
        }
    }

    #[test]
    fn invalid_faults_are_usage_errors() {
        for text in [
            "",
            "status",
            "status=200",
            "status=429:after=2",
            "status=429:retry-after=soon",
            "error=",
            "error=a b",
            "cut=-1",
            "end=x",
            "close=1006",
            "close=99999",
            "none=1",
            "forget=1",
            "repeat=0",
            "cut-in=word:3",
            "absent=call.over",
            "absent=call.ended:0",
            "last=call.ended",
            "last=call.over:1",
            "timeout=nothing",
            "cut=1+timeout=find_slots",
            "cut=1+absent=call.ended",
            "fire",
        ] {
            let error = text.parse::<Fault>().expect_err(text);
            assert_eq!(error.exit, crate::error::Exit::Usage);
            assert!(
                error.to_string().starts_with(&format!("cannot read the fault {text:?}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn each_fault_is_for_a_transport_that_can_have_it() {
        assert!(!Fault::Close(4100).is_for_sse() && Fault::Close(4100).is_for_observer());
        let error = Fault::Error("stream_error".into());
        assert!(error.is_for_sse() && !error.is_for_observer());
        assert!(!Fault::Drip(1).is_for_observer());
        assert!(!"cut=1+close=4100".parse::<Fault>().expect("faults").is_for_sse());
        assert!(Fault::Cut(1).is_for_sse() && Fault::Cut(1).is_for_observer());
    }
}
