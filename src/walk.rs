//! The walk of one event: frame, event, shown, sink. One way, no back edges.

use std::io;

use tokio::sync::mpsc::error::TryRecvError;

use crate::decode::Decoder;
use crate::delivery::Delivery;
use crate::error::{Error, Exit, Result};
use crate::event::Kind;
use crate::redact::{Policy, Redactor};
use crate::sink::Sink;
use crate::source::{Frame, Item, Origin, Receiver};
use crate::status::{self, Counts};

/// The stages, wired.
pub struct Walk {
    decoder: Decoder,
    redactor: Redactor,
    sink: Box<dyn Sink>,
    delivery: Delivery,
    limit: Option<u64>,
    status: status::Format,
    counts: Counts,
}

/// Whether the walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Over,
}

impl Walk {
    /// A walk to that sink, by that policy, of at most `limit` events.
    #[must_use]
    pub fn new(policy: Policy, sink: Box<dyn Sink>, limit: Option<u64>, status: status::Format) -> Self {
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            sink,
            delivery: Delivery::default(),
            limit,
            status,
            counts: Counts::default(),
        }
    }

    /// The same, with a record and a cursor.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Takes items until there are no more, or enough. Blocks. What has been shown is flushed whenever nothing is at hand.
    pub fn run(mut self, mut items: Receiver) -> Result<(Exit, Counts)> {
        let result = self.take(&mut items);
        match result.and_then(|()| self.sink.flush()).and_then(|()| self.delivery.finish()) {
            Ok(()) => Ok((Exit::Done, self.counts)),
            // The reader of the pipe has what it wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok((Exit::Done, self.counts)),
            Err(error) => {
                let advice = "free some space, or write elsewhere";
                Err(Error::new(Exit::Failure, "cannot write the events", error.kind().to_string(), advice))
            }
        }
    }

    fn take(&mut self, items: &mut Receiver) -> io::Result<()> {
        if self.limit == Some(0) {
            return Ok(());
        }
        loop {
            let item = match items.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {
                    self.flush()?;
                    let Some(item) = items.blocking_recv() else { return Ok(()) };
                    item
                }
            };
            if self.item(&item)? == Flow::Over {
                return Ok(());
            }
        }
    }

    fn item(&mut self, item: &Item) -> io::Result<Flow> {
        match item {
            Item::Frame(frame) => self.frame(frame.as_frame()),
            Item::Lines(lines) => {
                let origin = Origin::default();
                for frame in lines.frames(&origin) {
                    if self.frame(frame)? == Flow::Over {
                        return Ok(Flow::Over);
                    }
                }
                Ok(Flow::On)
            }
            Item::News(news) => {
                self.flush()?;
                status::news(self.status, news);
                Ok(Flow::On)
            }
        }
    }

    fn frame(&mut self, frame: Frame<'_>) -> io::Result<Flow> {
        let event = self.decoder.decode(frame);
        let shown = self.redactor.redact(&event);
        if self.delivery.is_known(&frame, &shown) {
            return Ok(Flow::On);
        }
        self.sink.event(&shown)?;
        self.delivery.record(&shown)?;
        self.counts.shown += 1;
        self.counts.malformed += u64::from(shown.kind() == Some(Kind::TapMalformed));
        self.counts.gaps += u64::from(shown.kind() == Some(Kind::TapGap));
        self.counts.drifted += u64::from(!shown.tap().drift.is_empty());
        if self.delivery.advance(&frame, &shown) {
            self.flush()?;
        }
        Ok(if self.limit.is_some_and(|limit| self.counts.shown >= limit) { Flow::Over } else { Flow::On })
    }

    /// First the sink, then the cursor: it never runs ahead of what is out.
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()?;
        self.delivery.flush()
    }
}
