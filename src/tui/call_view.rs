//! What the user chose in the view of a call: the cursor, the visible lines and times, the search,
//! and a call to compare it with.

use jiff::Timestamp;

use super::call_search::CallSearch;

/// The most that time is enlarged: 2 to this power.
const MAX_ZOOM: u32 = 10;

/// The place of the cursor in a call: an item of the transcript and a point in time, which move
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCursor {
    /// The number of the item.
    pub item: u64,
    /// The time. It is that of the item, or a later one that was chosen on the axis of time.
    pub time: Timestamp,
}

/// A line of a call, which stays the same when others are added or evicted before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLine {
    /// The number of the item of the transcript.
    pub item: u64,
    /// The index of the line among those of the item.
    pub line: usize,
}

/// What the user chose in the view of a call.
#[derive(Default)]
pub struct CallView {
    /// The cursor; `None` follows the newest item.
    pub cursor: Option<CallCursor>,
    /// Whether the user chose the cursor as a moment, which the other screens show. Looking at the
    /// event of the newest item places a cursor, too.
    pub is_moment: bool,
    /// The first visible line of the conversation, unless the newest item is followed.
    pub top: Option<CallLine>,
    /// How often the visible part of the time was halved.
    pub zoom: u32,
    /// The search.
    pub search: Option<CallSearch>,
    /// The SID of the call that is shown beside the selected one.
    pub other: Option<String>,
    /// The SID of the call that was shown last.
    viewed: Option<String>,
    /// The SID of the call that was shown before it.
    previous: Option<String>,
}

impl CallView {
    /// Follows the newest item, and shows the whole call alone.
    pub fn reset(&mut self) {
        self.follow_newest();
        (self.zoom, self.other) = (0, None);
    }

    /// Follows the newest item.
    pub const fn follow_newest(&mut self) {
        (self.cursor, self.top, self.is_moment) = (None, None, false);
    }

    /// Shows half of the visible time, or twice as much.
    pub fn change_zoom(&mut self, is_closer: bool) {
        self.zoom =
            if is_closer { (self.zoom + 1).min(MAX_ZOOM) } else { self.zoom.saturating_sub(1) };
    }

    /// Records that a call is shown.
    pub fn set_viewed(&mut self, sid: &str) {
        if self.viewed.as_deref() != Some(sid) {
            self.previous = self.viewed.replace(sid.to_owned());
        }
    }

    /// Returns the SID of the call that was shown last, apart from `sid`.
    #[must_use]
    pub fn viewed_before(&self, sid: &str) -> Option<&str> {
        [&self.viewed, &self.previous]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|it| *it != sid)
    }
}
