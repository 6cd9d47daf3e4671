//! Internal modules, exported for the tests and benchmarks of this project.
//!
//! They are not a public interface and may change at any time.

pub mod analysis {
    pub use crate::analysis::*;
}

pub mod cli {
    pub use crate::cli::*;
}

pub mod delivery {
    pub use crate::delivery::*;
}

pub mod output {
    pub use crate::output::*;
}

pub mod pipeline {
    pub use crate::pipeline::*;
}

pub mod tui {
    pub use crate::tui::*;
}
