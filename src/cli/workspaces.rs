//! The workspaces of `--workspaces-file`: reads the file, follows its changes, and starts and ends
//! the streams.

mod changes;
mod file;
mod taps;

pub use file::WorkspacesFile;
pub use taps::WorkspaceTaps;
