//! Charts in terminal cells: text for the rows of lists, and widgets with axes.
//!
//! Charts are monochrome unless their caller styles them, so their shape alone carries the values.
//! No chart fills the whole height of a line, because adjacent lines would become one block.
//!
//! ```text
//! sparkline    ▁▂▅▇▃       values over time in a cell of a list
//! bar          ▄▄▄▄▄▖      one value, compared with those of other rows
//! gauge        ━━━━╸────   a share of a whole
//! graph        braille patterns over several lines, with axes
//! histogram    columns over several lines, with axes
//! ```

mod axes;
pub mod bar;
pub mod gauge;
pub mod graph;
pub mod histogram;
pub mod scale;
pub mod sparkline;
