//! The panels, one file each, and the mapping from screens to panels.

pub mod board;
pub mod call;
pub mod calls;
pub mod now;
pub mod stats;
pub mod stream;

use super::panel::Panel;
use super::screen::Screen;

/// Returns the panel that draws `screen`.
#[must_use]
pub fn panel(screen: Screen) -> &'static dyn Panel {
    match screen {
        Screen::Now => &now::NowPanel,
        Screen::Stream => &stream::StreamPanel,
        Screen::Calls => &calls::CallsPanel,
        Screen::Call => &call::CallPanel,
        Screen::Board => &board::BoardPanel,
        Screen::Stats => &stats::StatsPanel,
    }
}
