//! Reads events from a stream of the broker: connects, requests messages, reconnects and resumes.
//!
//! A message is passed on like a line of a recording, in chunks of what has arrived. Messages are
//! requested as fast as the pipeline takes them, so a slow reader of stdout slows the broker.
//! After a lost connection, reading goes on after the last message. Messages that the broker has
//! removed in the meantime are reported as a gap.

mod removed;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream;
use async_nats::{Message, StatusCode};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use super::acknowledgement::{ChunkReceipt, SharedMessages, UnreadMessages};
use super::connect::{connect_watched, unique_name};
use super::consumer;
use super::delivered::{Delivered, LastMessage};
use super::open_stream::{OpenChunk, OpenStream, limits, no_stream};
use super::pull::PullWindow;
use super::read_config::{ReadConfig, ReadFailure, ReadStart};
use super::removal::RemovalWatch;
use crate::error::{Error, Exit, Result};
use crate::model::catalog::value::{EndReason, GapReason};
use crate::model::{FrameError, Origin, cloudevent};
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

/// How often a reader checks whether messages were removed before they were read.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Reads the stream into the channel until its end, until `stop` is resolved or until the receiver
/// is gone. Returns also what a member of a consumer has got and not delivered.
///
/// # Errors
///
/// Fails if the stream cannot be read and no further attempt can succeed or none is left.
pub async fn run(
    config: &ReadConfig,
    limits: &SourceConfig,
    progress: Option<Arc<Progress>>,
    tx: &Sender,
    stop: impl Future<Output = ()>,
) -> (Result<()>, UnreadMessages) {
    let origin = Origin::default();
    let context =
        StreamContext::new("cannot read from the broker", origin, FIRST_DELAY, limits, tx);
    let mut reader = BrokerReader {
        config,
        context,
        progress,
        created: None,
        last: None,
        end: None,
        since: None,
        was_open: false,
        unproven: None,
        checked: None,
        removal: RemovalWatch::default(),
        taken: Arc::default(),
    };
    let mut open = None;
    let ended = tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        () = stop => Ok(()),
        ended = reader.follow(&mut open) => ended,
    };
    (ended, UnreadMessages { open, taken: reader.taken })
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
    /// The time before which events are left out.
    since: Option<Timestamp>,
    /// Whether a consumer has been open.
    was_open: bool,
    /// The message before the first missing number that has not been proven harmless.
    unproven: Option<LastMessage>,
    /// When it was last checked whether messages were removed.
    checked: Option<Instant>,
    /// Notices messages that are removed before the members of a consumer have processed them.
    removal: RemovalWatch,
    taken: Arc<SharedMessages>,
}

impl BrokerReader<'_> {
    async fn follow(&mut self, open: &mut Option<OpenStream>) -> Result<()> {
        loop {
            match self.read(open).await {
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
    async fn read(&mut self, slot: &mut Option<OpenStream>) -> Result<(), ReadFailure> {
        *slot = None;
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
        let unique = unique_name(&client);
        let consumer = consumer::open(&stream, self.config, position, self.was_open, unique).await;
        let (consumer, is_new) = match consumer {
            Err(ReadFailure::Transient(why)) if !self.was_open => {
                let advice =
                    "check that JetStream is enabled, and that these credentials may use $JS.API";
                return Err(self.fatal(Exit::Failure, why, advice));
            }
            consumer => consumer?,
        };
        self.since = consumer::since(self.config, &consumer);
        let settings = &consumer.config;
        let is_complete = settings.filter_subject.is_empty() && settings.filter_subjects.is_empty();
        self.context.report_connected().await;
        if self.config.consumer.is_some() {
            self.begin_member(&stream.cached_info().state, &consumer, is_new, is_complete).await;
        }
        self.was_open = true;
        if self.end.is_some() && consumer.num_pending == 0 {
            return Ok(());
        }
        let inbox = client.new_inbox();
        let lost_connection = |_| ReadFailure::Transient("the connection was lost".to_owned());
        let messages = client.subscribe(inbox.clone()).await.map_err(lost_connection)?;
        let heartbeat = self.read_timeout() / 3;
        let open = OpenStream {
            window: PullWindow::new(limits(&client, self.config.consumer.is_some(), heartbeat)),
            next: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", consumer.stream_name, consumer.name),
            is_complete,
            delivery: consumer.delivered.consumer_sequence,
            consumer: consumer.name,
            client,
            stream,
            messages,
            lost,
            inbox,
        };
        self.read_messages(slot.insert(open)).await
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
        let oldest = self.oldest(state);
        if self.config.consumer.is_some() {
            // The consumer decides.
            return Ok(false);
        }
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
        } else if let Some(last) = &mut self.last
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

    async fn read_messages(&mut self, open: &mut OpenStream) -> Result<(), ReadFailure> {
        // What could not be sent on the connection before.
        self.taken.acknowledge(&open.client).await;
        // When the connection was last known to be alive.
        let mut heard = Instant::now();
        loop {
            open.request().await?;
            let deadline = heard + self.read_timeout();
            let check = self.checked.map_or_else(Instant::now, |checked| checked + CHECK_INTERVAL);
            let message = tokio::select! {
                biased;
                message = open.messages.next() => message,
                () = open.lost.notified() => None,
                () = self.taken.delivered() => {
                    self.taken.acknowledge(&open.client).await;
                    continue;
                }
                () = sleep_until(check), if self.must_check() => {
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
            let mut taken = self.take(message, open, &mut chunk);
            while taken.is_ok()
                && !chunk.is_last
                && chunk.frames.len() < CHUNK_MESSAGES
                && chunk.bytes < CHUNK_BYTES
                && !open.window.must_request()
                && let Some(Some(message)) = unconstrained(open.messages.next()).now_or_never()
            {
                taken = self.take(message, open, &mut chunk);
            }
            let is_last = chunk.is_last;
            // The broker goes on meanwhile.
            let requested = if taken.is_err() || is_last { Ok(()) } else { open.request().await };
            // While there are messages, only they are waited for.
            self.taken.acknowledge(&open.client).await;
            if self.must_check() && check <= Instant::now() {
                self.check_removed(open).await;
            }
            self.send(chunk, open).await;
            heard = Instant::now();
            taken.and(requested)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Passes a chunk on, which waits while the pipeline has enough to do.
    async fn send(&mut self, chunk: OpenChunk, open: &OpenStream) {
        if chunk.frames.is_empty() {
            return;
        }
        self.context.backoff.reset();
        let tx = self.context.sender();
        // The caller watches for a receiver that is gone.
        let sent = async {
            if self.config.consumer.is_some() {
                let (taken, messages) = (Arc::clone(&self.taken), chunk.messages);
                let _ = tx.send(Item::Receipt(Arc::new(ChunkReceipt { taken, messages }))).await;
            }
            if self.config.is_sorted {
                for frame in chunk.frames {
                    let _ = tx.send(Item::Frame(frame)).await;
                }
            } else {
                let _ = tx.send(Item::Chunk(Chunk::Frames(chunk.frames.into()))).await;
            }
        };
        let mut sent = std::pin::pin!(sent);
        loop {
            tokio::select! {
                biased;
                () = &mut sent => return,
                () = self.taken.delivered() => self.taken.acknowledge(&open.client).await,
            }
        }
    }

    /// Takes a message, or a notice of the broker, into the chunk.
    fn take(
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
            progress.add_read(message.length as u64);
        }
        let is_hidden = !self.config.shows_taps && is_presence(&message);
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
        let is_member = self.config.consumer.is_some();
        let is_removed = if is_member {
            self.removal.delivered(&delivered) && open.is_complete
        } else {
            if Some(delivered.delivery) != open.delivery.checked_add(1) {
                return Err(ReadFailure::Skipped);
            }
            open.delivery = delivered.delivery;
            let is_end = |end| delivered.sequence >= end || delivered.pending == 0;
            chunk.is_last = self.end.is_some_and(is_end);
            self.is_removed_before(delivered.sequence, open)
        };
        if is_removed {
            self.push_gap(&message.payload, stored, chunk);
        }
        if !is_member || delivered.deliveries == 1 {
            let (sequence, body) = (delivered.sequence, message.payload.clone());
            self.last = Some(LastMessage { sequence, stored, body });
        }
        let is_early = self.since.is_some_and(|since| {
            cloudevent::time(&message.payload).is_some_and(|time| time < since)
        });
        let is_left_out = is_early || is_hidden;
        if is_member {
            let mut messages = self.taken.lock();
            let taken = messages.take(delivered.sequence, reply);
            if is_left_out {
                messages.delivered(delivered.sequence);
            }
            if taken.is_some() || is_left_out {
                return Ok(());
            }
            chunk.messages.push(Some(delivered.sequence));
        }
        if !is_left_out {
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
}

/// Returns whether a message only says that a tap is connected, alive or ends.
fn is_presence(message: &Message) -> bool {
    // Only few subjects have such messages, so the others need not be parsed.
    memchr::memmem::find(message.subject.as_bytes(), b".tap.").is_some()
        && cloudevent::is_presence(&message.payload)
}
