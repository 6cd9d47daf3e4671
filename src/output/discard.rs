//! Nowhere to write: for commands that only judge.

use std::io;

use super::{Broken, Sink};
use crate::query::Subject;

/// Takes every event and writes none.
pub struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, _: &Subject<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
