//! The platform, or the emulator in its place, as a source of streams.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::cli::{args, resolve};
use crate::emulator;
use crate::error::{Error, Exit, Result};
use crate::model::catalog::value::EndReason;
use crate::model::{Origin, Stream};
use crate::output::status::StatusFormat;
use crate::transport::auto_observe::{self, ObserverSlots};
use crate::transport::call_lease::CallLeases;
use crate::transport::client::{Client, Endpoints, Network};
use crate::transport::credential::{Credential, KeySource};
use crate::transport::key_ring::KeyRing;
use crate::transport::sse::{self, Start};
use crate::transport::{
    self, ConnectionEvent, ConnectionState, Item, Sender, SourceConfig, observer,
};

/// How long a workspace's stream is followed after the call has ended.
const LINGER: Duration = Duration::from_secs(2);

/// A source that runs until its stream ends for good.
pub type SourceTask = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Creates a client of the platform that the options name.
fn client(connection: &args::ConnectionArgs) -> Result<Client> {
    let network = resolve::network(&connection.auth);
    let endpoints = Endpoints::resolve(
        &connection.base_url,
        connection.agent_base_url.as_deref(),
        network.insecure_http,
    )?;
    Client::new(endpoints, &network)
}

/// A client of the platform, whose workspaces may have their own keys.
pub struct KeyedPlatform {
    client: Client,
    /// The key of the workspaces without their own.
    keys: Option<KeyRing>,
    limits: SourceConfig,
}

impl KeyedPlatform {
    /// Connects to the platform that the options name. They need not name a key.
    pub async fn connect(
        connection: &args::ConnectionArgs,
        limits: SourceConfig,
        status: StatusFormat,
    ) -> Result<Self> {
        if resolve::key_source(&connection.auth).is_none() {
            return Ok(Self { client: client(connection)?, keys: None, limits });
        }
        let Platform { client, keys, limits } =
            Platform::connect(connection, limits, status).await?;
        Ok(Self { client, keys: Some(keys), limits })
    }

    /// Returns whether there is a key for workspaces without their own.
    pub const fn has_key(&self) -> bool {
        self.keys.is_some()
    }

    /// Returns a ring for a workspace: with the key that all share, or, if it has its own `source`,
    /// without a key until that has been read.
    pub fn ring_of(&self, source: Option<&KeySource>) -> KeyRing {
        match (&self.keys, source) {
            (Some(keys), None) => keys.fork(),
            _ => KeyRing::without_key(),
        }
    }

    /// Returns the platform as the holder of these keys sees it.
    pub fn with_keys(&self, keys: KeyRing) -> Platform {
        Platform { client: self.client.clone(), keys, limits: self.limits.clone() }
    }
}

/// A client of the platform, with the keys and the configuration that its sources share.
#[derive(Clone)]
pub struct Platform {
    client: Client,
    keys: KeyRing,
    limits: SourceConfig,
}

impl Platform {
    /// Connects to the platform that the options name.
    async fn connect(
        connection: &args::ConnectionArgs,
        limits: SourceConfig,
        status: StatusFormat,
    ) -> Result<Self> {
        let client = client(connection)?;
        let (credential, source) = resolve::api_key(&connection.auth).await?;
        resolve::warn_if_exposed(&source, status);
        Ok(Self { client, keys: KeyRing::new(credential, Some(source)), limits })
    }

    /// Starts the emulator in this process, on a free port of the loopback interface.
    pub async fn demo(demo: &args::DemoArgs, limits: SourceConfig) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(
                Exit::Failure,
                "cannot start the demo",
                error.kind().to_string(),
                "try again",
            )
        };
        let listener =
            TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let options = emulator::Options {
            seed: demo.demo_seed,
            rate: resolve::rate("--demo-rate", demo.demo_rate)?,
            ..emulator::Options::default()
        };
        tokio::spawn(emulator::run(listener, options, std::future::pending()));
        let endpoints = Endpoints::resolve(&format!("http://{address}"), None, false)?;
        let keys = KeyRing::new(Credential::new("demo", "the demo")?, None);
        Ok(Self { client: Client::new(endpoints, &Network::default())?, keys, limits })
    }

    /// Returns the client and the keys.
    pub fn into_parts(self) -> (Client, KeyRing) {
        (self.client, self.keys)
    }

    /// Returns the platform of these workspaces, and their ids. Demo workspaces start the emulator.
    pub async fn for_workspaces(
        workspaces: resolve::Workspaces,
        connection: &args::ConnectionArgs,
        demo: &args::DemoArgs,
        limits: SourceConfig,
        status: StatusFormat,
    ) -> Result<(Self, Vec<String>)> {
        let platform = if workspaces.are_demo {
            Self::demo(demo, limits).await?
        } else {
            Self::connect(connection, limits, status).await?
        };
        Ok((platform, workspaces.ids))
    }

    /// Returns the platform of these calls, their workspace and their SIDs. The call `demo` starts
    /// the emulator.
    pub async fn for_calls(
        calls: Vec<String>,
        workspace: Option<&str>,
        connection: &args::ConnectionArgs,
        demo: &args::DemoArgs,
        limits: SourceConfig,
        status: StatusFormat,
    ) -> Result<(Self, String, Vec<String>)> {
        let clinic = workspace.filter(|workspace| resolve::is_demo(workspace));
        if calls == [resolve::DEMO] {
            let workspace = resolve::workspace(clinic.unwrap_or(resolve::DEMO))?;
            let platform = Self::demo(demo, limits).await?;
            return Ok((platform, workspace, vec![emulator::DEMO_CALL.to_owned()]));
        }
        if clinic.is_some() {
            return Err(Error::usage(
                "cannot observe",
                "the demo starts with this command, so only its call `demo` is known",
                "give --call demo, or run `evtap serve` and give its --base-url",
            ));
        }
        if calls.iter().any(|call| call == resolve::DEMO) {
            return Err(Error::usage(
                "cannot observe",
                "the demo can't be merged with a call",
                "observe it by itself",
            ));
        }
        let Some(workspace) = workspace else {
            return Err(Error::usage(
                "cannot observe",
                "the workspace of the call is not named",
                "give --workspace or set AMIGO_WORKSPACE_ID",
            ));
        };
        Ok((
            Self::connect(connection, limits, status).await?,
            resolve::workspace(workspace)?,
            calls,
        ))
    }

    /// Returns a source that follows a workspace's stream. If `slots` is given, it also observes the
    /// calls that start there, as far as there are slots.
    pub fn workspace(
        &self,
        workspace: String,
        start: Start,
        slots: Option<ObserverSlots>,
        tx: Sender,
    ) -> SourceTask {
        let platform = self.clone();
        Box::pin(async move {
            let Self { client, keys, limits } = &platform;
            let Some(slots) = slots else {
                return sse::run(client, &workspace, keys, start, limits, &tx).await;
            };
            let (own, frames) = transport::channel(transport::QUEUE_CAPACITY);
            let observe = |call| platform.call(workspace.clone(), call, tx.clone());
            let stream = async {
                let ended = sse::run(client, &workspace, keys, start, limits, &own).await;
                drop(own);
                ended
            };
            let (ended, ()) = tokio::join!(
                stream,
                auto_observe::follow(frames, &workspace, &slots, observe, &tx)
            );
            ended
        })
    }

    /// Returns a source that observes a call.
    /// If other taps may observe it too, it waits until this one owns the call.
    pub fn call(&self, workspace: String, call: String, tx: Sender) -> SourceTask {
        let platform = self.clone();
        Box::pin(async move {
            match &platform.limits.leases {
                Some(leases) => platform.leased_call(leases, &workspace, &call, &tx).await,
                None => platform.observe(&workspace, &call, None, &tx).await,
            }
        })
    }

    async fn observe(
        &self,
        workspace: &str,
        call: &str,
        observed_until: Option<Timestamp>,
        tx: &Sender,
    ) -> Result<()> {
        let Self { client, keys, limits } = self;
        observer::run_after(client, workspace, call, observed_until, keys, limits, tx).await
    }

    /// Observes a call whenever this tap owns it, until the call ends.
    async fn leased_call(
        &self,
        leases: &CallLeases,
        workspace: &str,
        call: &str,
        tx: &Sender,
    ) -> Result<()> {
        loop {
            let lease = tokio::select! {
                () = tx.closed() => return Ok(()),
                lease = leases.acquire(call) => lease,
            };
            let Some(lease) = lease else { return Ok(()) };
            let observed_until = lease.observed_until;
            let ended = tokio::select! {
                biased;
                ended = self.observe(workspace, call, observed_until, tx) => ended,
                () = leases.keep(call) => {
                    let origin = Origin {
                        stream: Some(Stream::Observer),
                        workspace_id: Some(workspace.to_owned()),
                        call_sid: Some(call.to_owned()),
                    };
                    let state = ConnectionState::ended(EndReason::TakenOver);
                    let event = ConnectionEvent { origin: Arc::new(origin), state };
                    if tx.send(Item::Connection(event)).await.is_err() {
                        return Ok(());
                    }
                    continue;
                }
            };
            let is_unknown = ended.as_ref().is_err_and(|error| error.exit == Exit::NotFound);
            let has_ended = !tx.is_closed() && (ended.is_ok() || is_unknown);
            leases.give_up(call, has_ended).await;
            return ended;
        }
    }

    /// Returns a source that observes a call until it ends, and follows the stream of its workspace
    /// for a little longer, because the events about the end may arrive there later.
    pub fn whole_call(
        &self,
        workspace: String,
        call: String,
        since: Start,
        tx: Sender,
    ) -> SourceTask {
        let mut stream = self.workspace(workspace.clone(), since, None, tx.clone());
        let mut observer = self.call(workspace, call, tx);
        Box::pin(async move {
            tokio::select! {
                ended = &mut observer => ended?,
                ended = &mut stream => return ended,
            }
            // The stream usually goes on, so a timeout is not an error.
            tokio::time::timeout(LINGER, stream).await.unwrap_or(Ok(()))
        })
    }
}
