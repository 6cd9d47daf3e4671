//! The streams of the workspaces in a file: starts those that are added, ends those that are
//! removed, and leaves the others alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::changes::FileChanges;
use super::file::{ListedWorkspaces, WorkspacesFile};
use crate::cli::platform::KeyedPlatform;
use crate::cli::resolve::warn_if_exposed;
use crate::cli::starts::Starts;
use crate::error::{Error, Exit, Result};
use crate::model::catalog::value::EndReason;
use crate::model::{Origin, Stream};
use crate::output::status::{self, StatusFormat, WorkspaceCounts};
use crate::transport::auto_observe::ObserverSlots;
use crate::transport::credential::KeySource;
use crate::transport::key_ring::KeyRing;
use crate::transport::shutdown::Hangup;
use crate::transport::sse::Start;
use crate::transport::{ConnectionEvent, ConnectionState, Item, Sender};

/// The number of keys that are read at a time. A key command is a process.
const KEY_READERS: usize = 8;

/// What the streams need, except the channel.
pub struct WorkspaceTaps {
    pub file: WorkspacesFile,
    pub platform: KeyedPlatform,
    pub starts: Starts,
    pub slots: Option<ObserverSlots>,
    pub status: StatusFormat,
    pub hangup: Hangup,
}

impl WorkspaceTaps {
    /// Taps the workspaces in the file until the receiver is gone.
    ///
    /// # Errors
    ///
    /// Fails if the file is invalid at the start. Later, an invalid version is reported, and the
    /// one before stays in force. Also fails if the stream of every workspace has failed.
    pub async fn run(self, tx: Sender) -> Result<()> {
        let Self { file, platform, starts, slots, status, hangup } = self;
        let mut changes = FileChanges::new(file.path.clone(), hangup).await;
        let has_key = platform.has_key();
        let listed = read(&file, has_key).await?;
        let mut taps = Taps {
            file,
            platform,
            starts,
            slots,
            status,
            tx: tx.clone(),
            key_readers: Arc::new(Semaphore::new(KEY_READERS)),
            tapped: BTreeMap::new(),
            tasks: JoinSet::new(),
            workspaces: HashMap::new(),
            failure: None,
        };
        taps.apply(listed).await?;
        loop {
            tokio::select! {
                biased;
                () = tx.closed() => return Ok(()),
                Some(ended) = taps.tasks.join_next_with_id() => {
                    taps.ended(ended);
                    if let Some(failure) = taps.overall_failure() {
                        return Err(failure);
                    }
                }
                () = changes.changed() => {
                    let applied = match read(&taps.file, has_key).await {
                        Ok(listed) => taps.apply(listed).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = applied {
                        status::warning(status, &error);
                    }
                }
            }
        }
    }
}

/// Reads the file on another thread, because a large one takes a while.
async fn read(file: &WorkspacesFile, has_key: bool) -> Result<ListedWorkspaces> {
    let file = file.clone();
    tokio::task::spawn_blocking(move || file.read(has_key)).await.unwrap_or_else(|_| {
        let what = "cannot read the workspaces file";
        Err(Error::new(Exit::Failure, what, "the run is ending", "try again"))
    })
}

/// A workspace in the file.
struct TappedWorkspace {
    /// Where its key comes from; `None` if it has the key of the run.
    source: Option<KeySource>,
    /// The key that its connections use.
    keys: KeyRing,
    /// Its stream; `None` after a failure.
    stream: Option<AbortHandle>,
}

/// The result of a task.
enum TaskResult {
    /// A stream ended.
    Stream(Result<()>),
    /// The key of a running stream was read anew.
    Key(Result<()>),
}

struct Taps {
    file: WorkspacesFile,
    platform: KeyedPlatform,
    starts: Starts,
    slots: Option<ObserverSlots>,
    status: StatusFormat,
    tx: Sender,
    key_readers: Arc<Semaphore>,
    tapped: BTreeMap<String, TappedWorkspace>,
    tasks: JoinSet<TaskResult>,
    /// The workspace of each task that has not ended.
    workspaces: HashMap<Id, String>,
    /// The first failure of a stream since the file changed.
    failure: Option<Error>,
}

impl Taps {
    /// Makes the workspaces of this version of the file those that are tapped. Streams that failed
    /// start again.
    async fn apply(&mut self, listed: ListedWorkspaces) -> Result<()> {
        let ListedWorkspaces { own, listed } = listed;
        let begin: Vec<_> = own
            .keys()
            .filter(|id| self.tapped.get(*id).is_none_or(|tapped| tapped.stream.is_none()))
            .cloned()
            .collect();
        let added = begin.iter().filter(|id| !self.tapped.contains_key(*id)).count();
        let starts = self.starts.of(&begin, Timestamp::now())?;
        let removed = self.remove_all_but(&own).await;
        self.failure = None;
        for (id, source) in own {
            match self.tapped.get_mut(&id) {
                Some(tapped) if tapped.source == source => {}
                Some(tapped) if tapped.stream.is_some() => {
                    tapped.source.clone_from(&source);
                    self.change_key(id, source);
                }
                _ => {
                    let keys = self.platform.ring_of(source.as_ref());
                    self.tapped.insert(id, TappedWorkspace { source, keys, stream: None });
                }
            }
        }
        let watched = self.tapped.len();
        let file = self.file.path.display().to_string();
        let shard = self.file.shard.map(|shard| shard.to_string());
        let counts = WorkspaceCounts { watched, listed, added, removed };
        status::workspaces(self.status, &file, shard.as_deref(), &counts);
        for (id, start) in begin.into_iter().zip(starts) {
            self.begin(id, start);
        }
        Ok(())
    }

    /// Ends the streams of workspaces that are not listed any more, and returns their number.
    async fn remove_all_but(&mut self, own: &BTreeMap<String, Option<KeySource>>) -> usize {
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.tapped).into_iter().partition(|(id, _)| own.contains_key(id));
        self.tapped = kept;
        let mut ending = Vec::new();
        for (id, tapped) in &gone {
            if let Some(stream) = &tapped.stream {
                stream.abort();
                ending.push((stream.id(), id));
            }
        }
        // A stream has ended before it may begin again, and before its end is reported.
        for (task, id) in ending {
            while self.workspaces.contains_key(&task) {
                let Some(ended) = self.tasks.join_next_with_id().await else { break };
                self.ended(ended);
            }
            let origin = Origin {
                stream: Some(Stream::Workspace),
                workspace_id: Some(id.clone()),
                call_sid: None,
            };
            let state = ConnectionState::ended(EndReason::Removed);
            let event = ConnectionEvent { origin: Arc::new(origin), state };
            // The caller watches for a receiver that is gone.
            let _ = self.tx.send(Item::Connection(event)).await;
        }
        gone.len()
    }

    /// Starts the stream of a workspace.
    fn begin(&mut self, id: String, start: Start) {
        let Some(tapped) = self.tapped.get_mut(&id) else { return };
        let source = tapped.source.clone();
        let (keys, readers, status) =
            (tapped.keys.clone(), Arc::clone(&self.key_readers), self.status);
        let platform = self.platform.with_keys(keys.clone());
        let stream = platform.workspace(id.clone(), start, self.slots.clone(), self.tx.clone());
        let task = self.tasks.spawn(async move {
            let run = async {
                if let Some(source) = source {
                    read_key(&keys, source, &readers, status).await?;
                }
                stream.await
            };
            TaskResult::Stream(run.await)
        });
        self.workspaces.insert(task.id(), id);
        tapped.stream = Some(task);
    }

    /// Gives a stream another key, which its next connection uses.
    fn change_key(&mut self, id: String, source: Option<KeySource>) {
        let Some(tapped) = self.tapped.get(&id) else { return };
        let keys = tapped.keys.clone();
        let Some(source) = source else {
            keys.switch_to(&self.platform.ring_of(None));
            return;
        };
        let (readers, status) = (Arc::clone(&self.key_readers), self.status);
        let task = self
            .tasks
            .spawn(async move { TaskResult::Key(read_key(&keys, source, &readers, status).await) });
        self.workspaces.insert(task.id(), id);
    }

    /// Reports a task that failed.
    fn ended(&mut self, ended: Result<(Id, TaskResult), JoinError>) {
        let (task, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                self.workspaces.remove(&error.id());
                return;
            }
        };
        let Some(id) = self.workspaces.remove(&task) else { return };
        match result {
            TaskResult::Stream(result) => {
                if let Some(tapped) = self.tapped.get_mut(&id) {
                    tapped.stream = None;
                }
                if let Err(error) = result {
                    let error = of_workspace(&id, &error);
                    status::failed(self.status, &error);
                    self.failure.get_or_insert(error);
                }
            }
            TaskResult::Key(Ok(())) => {}
            TaskResult::Key(Err(error)) => {
                status::warning(self.status, &of_workspace(&id, &error));
            }
        }
    }

    /// Returns the first failure if no stream is left because all of them failed.
    fn overall_failure(&mut self) -> Option<Error> {
        let is_over = self.tapped.values().all(|tapped| tapped.stream.is_none());
        if is_over { self.failure.take() } else { None }
    }
}

/// Reads a key from its source, and makes it that of `keys`.
async fn read_key(
    keys: &KeyRing,
    source: KeySource,
    readers: &Semaphore,
    status: StatusFormat,
) -> Result<()> {
    // The semaphore is never closed.
    let _permit = readers.acquire().await;
    warn_if_exposed(&source, status);
    let credential = source.read().await?;
    keys.switch_to(&KeyRing::new(credential, Some(source)));
    Ok(())
}

/// Returns an error that says which workspace it is about.
fn of_workspace(id: &str, error: &Error) -> Error {
    let (what, why, advice) = error.parts();
    Error::new(error.exit, format!("workspace {id}: {what}"), why, advice)
}
