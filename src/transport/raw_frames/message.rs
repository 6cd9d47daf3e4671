//! Frames as the transport delivers them.

/// One frame as the transport delivers it.
///
/// It has no `Debug`, because everything in it may be protected health information.
#[derive(Clone, PartialEq, Eq)]
pub enum RawMessage {
    /// The lines of an event stream up to a blank line.
    Sse(SseBlock),
    /// A text message of a WebSocket.
    Text(String),
    /// A binary message of a WebSocket, or lines of an event stream that are not UTF-8.
    Binary(Vec<u8>),
    /// A frame over the limit, with its size in bytes. An event stream continues after it; a
    /// WebSocket cannot.
    TooLarge(u64),
}

/// The lines between two blank lines of an event stream.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SseBlock {
    /// The last `event:` line.
    pub event: Option<String>,
    /// The last `id:` line.
    pub id: Option<String>,
    /// The last `retry:` line that is a number, in milliseconds.
    pub retry: Option<u64>,
    /// The `data:` lines, joined by LF.
    pub data: Option<String>,
    /// All other lines as they arrived, joined by LF: comments, unknown fields, and lines of the
    /// fields above that a later line replaces or that are invalid.
    pub other: Option<String>,
    /// The stream ended before the blank line.
    pub is_incomplete: bool,
}
