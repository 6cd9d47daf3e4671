//! A frame: the bytes of one event as they arrived, with what the transport knows about them.

use jiff::Timestamp;

use super::Stream;

/// Which stream a frame came by: known from the connection, unknown in a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The kind of stream.
    pub stream: Option<Stream>,
    /// The workspace's id.
    pub workspace_id: Option<String>,
    /// The call's SID.
    pub call_sid: Option<String>,
}

/// How a frame wraps its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameFormat {
    /// SSE: the type on the `event:` line or as `event_type` in the data.
    Sse,
    /// The observer WebSocket: the type as `type`, the fields beside it or in `data`.
    Observer,
    /// A line of a recording: any of the above, and `_tap` as evtap wrote it.
    Record,
    /// A line of evtap's own, such as `tap.gap`.
    Own,
}

/// What the transport noticed about a frame that its bytes don't tell: for `_tap.drift`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameFlags {
    /// It has no id of its own, on a stream whose events should.
    pub id_missing: bool,
    /// Its id is lower than the one before.
    pub id_backwards: bool,
    /// A repeat of an earlier event was dropped right before it.
    pub after_repeat: bool,
}

/// Why there is no event in a frame that did arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// Larger than the limit; skipped.
    TooLarge,
    /// Text that is no UTF-8, where the transport demands it.
    NotUtf8,
    /// The end of the recording comes within it.
    CutOff,
}

/// A frame as decoding sees it: borrowed, from a transport or from a line of a recording.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The stream that it came by.
    pub origin: &'a Origin,
    /// How it wraps the event.
    pub format: FrameFormat,
    /// SSE: the `event:` line.
    pub event: Option<&'a str>,
    /// SSE: the `id:` in force.
    pub id: Option<&'a str>,
    /// The payload.
    pub data: &'a [u8],
    /// The same with what follows it where it stands, if all of that is known to be text without DEL.
    pub text: Option<&'a str>,
    /// When it arrived; `None` in a recording.
    pub received_at: Option<Timestamp>,
    /// The transport could not deliver it; with how many bytes it had.
    pub fault: Option<(FrameError, u64)>,
    /// Where in the recording it begins, in bytes; 0 on a live stream.
    pub offset: u64,
    /// What the transport noticed about it.
    pub flags: FrameFlags,
}

impl<'a> Frame<'a> {
    /// Wraps the payload of one event, of which nothing else is known.
    #[must_use]
    pub const fn new(format: FrameFormat, data: &'a [u8], origin: &'a Origin) -> Self {
        Self {
            origin,
            format,
            event: None,
            id: None,
            data,
            text: None,
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags { id_missing: false, id_backwards: false, after_repeat: false },
        }
    }
}
