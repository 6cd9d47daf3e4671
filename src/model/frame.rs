//! Frames: the bytes of one event as they arrived, with what the transport knows about them.

use jiff::Timestamp;

use super::Stream;

/// The stream that a frame arrived on: known for a connection, unknown in a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The kind of stream.
    pub stream: Option<Stream>,
    /// The id of the workspace.
    pub workspace_id: Option<String>,
    /// The SID of the call.
    pub call_sid: Option<String>,
}

/// The format in which a frame wraps its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameFormat {
    /// SSE, with the type on the `event:` line or as `event_type` in the data.
    Sse,
    /// The observer WebSocket, with the type as `type`, and the fields next to it or in `data`.
    Observer,
    /// A line of a recording: any of the above, possibly with `_tap` as evtap wrote it.
    Record,
    /// An event that evtap itself adds, such as `tap.gap`.
    Own,
}

/// What only the transport can notice about a frame. The deviations are shown in `_tap.drift`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct FrameFlags {
    /// The frame has no id of its own, on a stream whose events have ids.
    pub id_missing: bool,
    /// The id is lower than the previous one.
    pub id_backwards: bool,
    /// A duplicate of an earlier event was dropped directly before the frame.
    pub after_repeat: bool,
    /// The frame was delivered on an earlier connection of the stream and is passed on again only
    /// so that events can be counted.
    pub replayed: bool,
    /// The number of the connection of the stream; 0 in a recording.
    pub connection: u32,
}

/// Why a frame that arrived contains no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// The frame exceeds the size limit and was skipped.
    TooLarge,
    /// The text is not valid UTF-8, although the transport requires it.
    NotUtf8,
    /// The recording ends within the frame.
    CutOff,
    /// The recording does not begin with text.
    NotText,
}

/// A borrowed frame from a transport or from a line of a recording: the input of decoding.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The stream that the frame arrived on.
    pub origin: &'a Origin,
    /// The format of the frame.
    pub format: FrameFormat,
    /// The `event:` line of an SSE frame.
    pub event: Option<&'a str>,
    /// The last event id of the SSE stream at this frame (WHATWG HTML, section 9.2.6).
    pub id: Option<&'a str>,
    /// The payload.
    pub data: &'a [u8],
    /// The payload and the rest of its buffer, if all of that is known to be UTF-8 without DEL.
    pub text: Option<&'a str>,
    /// The time of arrival; `None` in a recording.
    pub received_at: Option<Timestamp>,
    /// Why the transport could not deliver the frame, and its length in bytes.
    pub fault: Option<(FrameError, u64)>,
    /// The offset of the frame in the recording, in bytes; 0 on a live stream.
    pub offset: u64,
    /// The deviations that the transport noticed.
    pub flags: FrameFlags,
}

impl<'a> Frame<'a> {
    /// Creates a frame from the payload of one event, without further information.
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
            flags: FrameFlags {
                id_missing: false,
                id_backwards: false,
                after_repeat: false,
                replayed: false,
                connection: 0,
            },
        }
    }
}
