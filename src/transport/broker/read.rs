//! Reads events from a stream of the broker: connects, requests messages, reconnects and resumes.
//!
//! A message is passed on like a line of a recording, in chunks of what has arrived. Messages are
//! requested as fast as the pipeline takes them, so a slow reader of stdout slows the broker.
//! After a lost connection, reading goes on after the last message. Messages that the broker has
//! removed in the meantime are reported as a gap.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream;
use async_nats::{Message, StatusCode};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use super::acknowledgement::{self, ChunkReceipt, SharedMessages, TakenState};
use super::connect::connect_watched;
use super::consumer;
use super::delivered::{Delivered, LastMessage};
use super::open_stream::{OpenChunk, OpenStream, limits, no_stream};
use super::pull::PullWindow;
use super::read_config::{ReadConfig, ReadFailure, ReadStart};
use crate::error::{Error, Exit, Result};
use crate::model::catalog::value::{EndReason, GapReason};
use crate::model::{FrameError, Origin, cloudevent};
use crate::transport::gap::Gap;
use crate::transport::progress::Progress;
use crate::transport::stream_context::StreamContext;
use crate::transport::{Chunk, Item, RawFrame, Sender, SourceConfig};

/// The first ceiling of the back-off between connections.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// How long an answer of the broker may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long nothing may arrive, not even a sign of life, before the connection counts as lost.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The limits of a chunk, in messages and in bytes.
const CHUNK_MESSAGES: usize = 512;
const CHUNK_BYTES: usize = 128 * 1024;

/// How often a reader of selected subjects checks whether messages were removed before it read them.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Reads the stream into the channel until its end or until the receiver is gone.
///
/// # Errors
///
/// Fails if the stream cannot be read and no further attempt can succeed or none is left.
pub async fn run(
    config: &ReadConfig,
    limits: &SourceConfig,
    progress: Option<Arc<Progress>>,
    tx: &Sender,
) -> Result<()> {
    let origin = Origin::default();
    let context =
        StreamContext::new("cannot read from the broker", origin, FIRST_DELAY, limits, tx);
    let reader = BrokerReader {
        config,
        context,
        progress,
        created: None,
        last: None,
        end: None,
        was_open: false,
        unproven: None,
        checked: None,
        taken: SharedMessages::default(),
    };
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        ended = reader.follow() => ended,
    }
}

/// The state of a reader over all of its connections.
struct BrokerReader<'a> {
    config: &'a ReadConfig,
    context: StreamContext<'a>,
    progress: Option<Arc<Progress>>,
    /// When the stream was created, in nanoseconds since the Unix epoch.
    created: Option<i128>,
    /// The last message that was read, or a position without a message.
    last: Option<LastMessage>,
    /// The number of the last message to read.
    end: Option<u64>,
    /// Whether a consumer has been open.
    was_open: bool,
    /// The message before the first missing number that has not been proven harmless.
    unproven: Option<LastMessage>,
    /// When this was last checked.
    checked: Option<Instant>,
    taken: SharedMessages,
}

impl BrokerReader<'_> {
    async fn follow(mut self) -> Result<()> {
        loop {
            match self.read().await {
                Ok(()) => {
                    self.context.report_ended(EndReason::AllRead).await;
                    return Ok(());
                }
                Err(ReadFailure::Fatal(error)) => return Err(error),
                Err(ReadFailure::Skipped) => {}
                Err(ReadFailure::NotStarted(why)) => self.context.wait_for_server(why).await,
                Err(ReadFailure::Transient(why)) => {
                    self.context.wait_to_reconnect(why, Duration::ZERO, Duration::MAX).await?;
                }
            }
        }
    }

    /// Opens a connection and reads from it. Returns at the end of what is to be read.
    async fn read(&mut self) -> Result<(), ReadFailure> {
        let lost = Arc::new(Notify::new());
        let client = connect_watched(&self.config.broker, Some(Arc::clone(&lost))).await.map_err(
            |failure| {
                let why = || failure.error.parts().1.to_owned();
                if failure.can_pass && self.was_open {
                    ReadFailure::Transient(why())
                } else if failure.can_pass && self.context.is_waiting() {
                    ReadFailure::NotStarted(why())
                } else {
                    ReadFailure::Fatal(failure.error)
                }
            },
        )?;
        let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let stream = context.get_stream(&self.config.broker.address.stream).await;
        let stream =
            stream.map_err(|error| no_stream(self.config, &error.kind(), self.was_open))?;
        let is_over = self.begin(stream.cached_info()).await?;
        if is_over {
            return Ok(());
        }
        let position = self.last.as_ref().map(|last| last.sequence);
        let consumer = consumer::open(&stream, self.config, position, self.was_open).await;
        let consumer = match consumer {
            Err(ReadFailure::Transient(why)) if !self.was_open => {
                let advice =
                    "check that JetStream is enabled, and that these credentials may use $JS.API";
                return Err(self.fatal(Exit::Failure, why, advice));
            }
            consumer => consumer?,
        };
        self.was_open = true;
        self.context.report_connected().await;
        if self.end.is_some() && consumer.num_pending == 0 {
            return Ok(());
        }
        let inbox = client.new_inbox();
        let lost_connection = |_| ReadFailure::Transient("the connection was lost".to_owned());
        let messages = client.subscribe(inbox.clone()).await.map_err(lost_connection)?;
        let settings = &consumer.config;
        let heartbeat = self.read_timeout() / 3;
        let mut open = OpenStream {
            window: PullWindow::new(limits(&client, self.config.consumer.is_some(), heartbeat)),
            next: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", consumer.stream_name, consumer.name),
            is_complete: settings.filter_subject.is_empty() && settings.filter_subjects.is_empty(),
            delivery: consumer.delivered.consumer_sequence,
            client,
            stream,
            messages,
            lost,
            inbox,
        };
        self.read_messages(&mut open).await
    }

    fn fatal(&self, exit: Exit, why: impl Into<String>, advice: &'static str) -> ReadFailure {
        ReadFailure::Fatal(Error::new(exit, self.config.what(), why, advice))
    }

    fn read_timeout(&self) -> Duration {
        self.context.config.read_timeout.unwrap_or(READ_TIMEOUT)
    }

    /// Decides where to begin or to resume, and reports what was removed before. Returns whether
    /// there is nothing to read.
    async fn begin(&mut self, info: &stream::Info) -> Result<bool, ReadFailure> {
        let state = &info.state;
        let created = info.created.unix_timestamp_nanos();
        if self.created.replace(created).is_some_and(|before| before != created) {
            let why = "the stream was deleted and created again, so positions in it are lost";
            return Err(self.fatal(Exit::Failure, why, "start again"));
        }
        let oldest = Timestamp::from_nanosecond(state.first_timestamp.unix_timestamp_nanos()).ok();
        let oldest = oldest.filter(|_| state.messages > 0).unwrap_or_else(|| self.context.now());
        if !self.was_open {
            self.end = self.config.ends.then_some(state.last_sequence);
            match self.config.start {
                ReadStart::Now => {
                    self.last = Some(LastMessage {
                        sequence: state.last_sequence,
                        stored: Some(self.context.now()),
                        body: Bytes::new(),
                    });
                }
                ReadStart::Since(since) if state.first_sequence > 1 && oldest > since => {
                    self.report_gap(Some(since), oldest, false, GapReason::BeyondBuffer).await;
                }
                ReadStart::Since(_) | ReadStart::Beginning => {}
            }
        } else if self.config.consumer.is_none()
            && let Some(last) = &mut self.last
            && state.first_sequence > last.sequence.saturating_add(1)
        {
            // The messages of other subjects may be all that was removed.
            last.sequence = state.first_sequence - 1;
            let from = last.time();
            self.report_gap(from, oldest, false, GapReason::Removed).await;
        }
        Ok(self.end.is_some_and(|end| {
            state.messages == 0 || self.last.as_ref().is_some_and(|last| last.sequence >= end)
        }))
    }

    async fn report_gap(
        &mut self,
        from: Option<Timestamp>,
        to: Timestamp,
        certain: bool,
        reason: GapReason,
    ) {
        let to = from.map_or(to, |from| to.max(from));
        self.context.report_gap(&Gap { from, to, certain, reason }).await;
    }

    async fn read_messages(&mut self, open: &mut OpenStream) -> Result<(), ReadFailure> {
        loop {
            if let Some(request) = open.window.request() {
                let (next, inbox) = (open.next.clone(), open.inbox.clone());
                let sent = open.client.publish_with_reply(next, inbox, request).await;
                sent.map_err(|_| ReadFailure::Transient("the connection was lost".to_owned()))?;
            }
            let deadline = Instant::now() + self.read_timeout();
            let check = self.checked.map_or_else(Instant::now, |checked| checked + CHECK_INTERVAL);
            let message = tokio::select! {
                biased;
                message = open.messages.next() => message,
                () = open.lost.notified() => None,
                () = sleep_until(check), if self.unproven.is_some() => {
                    self.check_removed(open).await;
                    continue;
                }
                () = sleep_until(deadline) => {
                    let seconds = self.read_timeout().as_secs_f64();
                    let why = format!("nothing was received for {seconds} s");
                    return Err(ReadFailure::Transient(why));
                }
            };
            let Some(message) = message else {
                return Err(ReadFailure::Transient("the connection was lost".to_owned()));
            };
            let mut chunk = OpenChunk::default();
            let mut taken = self.take(message, open, &mut chunk).await;
            while taken.is_ok()
                && !chunk.is_last
                && chunk.frames.len() < CHUNK_MESSAGES
                && chunk.bytes < CHUNK_BYTES
                && let Some(Some(message)) = unconstrained(open.messages.next()).now_or_never()
            {
                taken = self.take(message, open, &mut chunk).await;
            }
            if self.unproven.is_some() && check <= Instant::now() {
                self.check_removed(open).await;
            }
            let is_last = chunk.is_last;
            self.send(chunk, open).await;
            taken?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Passes a chunk on.
    async fn send(&mut self, chunk: OpenChunk, open: &OpenStream) {
        if chunk.frames.is_empty() {
            return;
        }
        self.context.backoff.reset();
        let tx = self.context.sender();
        // The caller watches for a receiver that is gone.
        if self.config.consumer.is_some() {
            let receipt = ChunkReceipt {
                client: open.client.clone(),
                runtime: Handle::current(),
                taken: Arc::clone(&self.taken),
                messages: chunk.messages,
            };
            let _ = tx.send(Item::Receipt(Arc::new(receipt))).await;
        }
        if self.config.is_sorted {
            for frame in chunk.frames {
                let _ = tx.send(Item::Frame(frame)).await;
            }
        } else {
            let _ = tx.send(Item::Chunk(Chunk::Frames(chunk.frames.into()))).await;
        }
    }

    /// Takes a message, or a notice of the broker, into the chunk.
    async fn take(
        &mut self,
        message: Message,
        open: &mut OpenStream,
        chunk: &mut OpenChunk,
    ) -> Result<(), ReadFailure> {
        match message.status {
            None | Some(StatusCode::OK) => {}
            Some(status) => return open.notice(status, &message),
        }
        open.window.received(message.length);
        self.context.add_received(message.length);
        if let Some(progress) = &self.progress {
            progress.add_read(message.length);
        }
        let delivered = message.reply.as_deref().and_then(Delivered::parse);
        let Some((delivered, reply)) = delivered.zip(message.reply) else {
            let why = "the broker sent something that is not a message of the stream";
            return Err(ReadFailure::Transient(why.to_owned()));
        };
        if self.end.is_some_and(|end| delivered.sequence > end) {
            chunk.is_last = true;
            return Ok(());
        }
        let stored = delivered.stored_at();
        if self.config.consumer.is_none() {
            if Some(delivered.delivery) != open.delivery.checked_add(1) {
                return Err(ReadFailure::Skipped);
            }
            open.delivery = delivered.delivery;
            self.notice_removed(delivered.sequence, &message.payload, stored, open, chunk);
            let is_end = |end| delivered.sequence >= end || delivered.pending == 0;
            chunk.is_last = self.end.is_some_and(is_end);
            let (sequence, body) = (delivered.sequence, message.payload.clone());
            self.last = Some(LastMessage { sequence, stored, body });
        }
        let is_early = match self.config.start {
            ReadStart::Since(since) => {
                cloudevent::time(&message.payload).is_some_and(|time| time < since)
            }
            ReadStart::Now | ReadStart::Beginning => false,
        };
        if self.config.consumer.is_some() {
            let taken = acknowledgement::lock(&self.taken).take(delivered.sequence);
            if taken == Some(TakenState::Delivered) || is_early {
                // If this is lost, the message comes again.
                let _ = acknowledgement::acknowledge(&open.client, reply).await;
                return Ok(());
            }
            if taken.is_some() {
                return Ok(());
            }
            chunk.messages.push((delivered.sequence, reply));
        }
        if !is_early {
            chunk.bytes += message.length;
            chunk.frames.push(self.frame(message.payload));
        }
        Ok(())
    }

    fn frame(&self, body: Bytes) -> RawFrame {
        let size = body.len();
        let is_large = size > self.context.config.max_frame;
        let body = if is_large { Bytes::new() } else { body };
        RawFrame {
            fault: is_large.then_some((FrameError::TooLarge, size as u64)),
            ..RawFrame::record(&self.context.origin, body, 0)
        }
    }

    /// Notices numbers that are missing before a message. Without filters they are a gap, with
    /// filters they may be.
    fn notice_removed(
        &mut self,
        sequence: u64,
        body: &[u8],
        stored: Option<Timestamp>,
        open: &OpenStream,
        chunk: &mut OpenChunk,
    ) {
        let Some(last) =
            self.last.as_ref().filter(|last| last.sequence.saturating_add(1) < sequence)
        else {
            return;
        };
        if !open.is_complete {
            self.unproven.get_or_insert_with(|| last.clone());
            return;
        }
        let now = self.context.now();
        let from = last.time();
        let to = cloudevent::time(body).or(stored).unwrap_or(now);
        let to = from.map_or(to, |from| to.max(from));
        let gap = Gap { from, to, certain: true, reason: GapReason::Removed };
        chunk.frames.push(gap.frame(&self.context.origin, None, now));
    }

    /// Checks whether messages after the last proven one were removed before they were read.
    async fn check_removed(&mut self, open: &OpenStream) {
        self.checked = Some(Instant::now());
        let Ok(info) = open.stream.get_info().await else { return };
        let Some(unproven) = self.unproven.take() else { return };
        if info.state.first_sequence > unproven.sequence + 1 {
            let to = self.last.as_ref().and_then(LastMessage::time);
            let to = to.unwrap_or_else(|| self.context.now());
            self.report_gap(unproven.time(), to, false, GapReason::Removed).await;
        }
    }
}
