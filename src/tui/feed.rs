//! The sink that feeds the screen. The channel to it is bounded: what the screen can't take yet waits in the socket.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::held::Held;
use crate::pace::Pace;
use crate::select::Subject;
use crate::sink::{Broken, Sink};
use crate::source::News;

/// How many events may wait for the screen.
pub const QUEUE: usize = 1024;

/// What the walk tells the screen.
#[derive(Debug)]
pub enum Fed {
    /// An event.
    Event(Held),
    /// News of a connection.
    News(News),
}

/// Hands events over to the screen.
pub struct Feed {
    screen: SyncSender<Fed>,
    pace: Option<Arc<Pace>>,
}

impl Feed {
    /// A feed into that channel, at that pace.
    #[must_use]
    pub const fn new(screen: SyncSender<Fed>, pace: Option<Arc<Pace>>) -> Self {
        Self { screen, pace }
    }

    fn send(&self, fed: Fed) -> io::Result<()> {
        // A screen that is closed is like a reader that has gone.
        self.screen.send(fed).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Sink for Feed {
    fn event(&mut self, subject: &Subject<'_>) -> Result<(), Broken> {
        let held = Held::of(subject.shown);
        if let Some(pace) = &self.pace {
            pace.wait(held.time, None);
        }
        Ok(self.send(Fed::Event(held))?)
    }

    fn news(&mut self, news: &News) -> io::Result<bool> {
        self.send(Fed::News(news.clone())).map(|()| true)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
