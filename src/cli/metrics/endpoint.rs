//! The server of a run: bound before anything connects, started with the session.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::collector::RunCollector;
use super::registry::registry;
use super::server;
use crate::analysis::alerts::AlertStage;
use crate::cli::args::MetricsArgs;
use crate::delivery::Destination;
use crate::error::{Error, Exit, Result};
use crate::output::status::{self, StatusFormat};
use crate::pipeline::Stages;
use crate::transport::meter::SourceMeter;

/// A listener for scrapes, and what the sources of the run count.
#[derive(Debug)]
pub struct MetricsServer {
    listener: TcpListener,
    meter: Arc<SourceMeter>,
}

impl MetricsServer {
    /// Listens on the address of `--metrics-listen`, if it was given.
    ///
    /// # Errors
    ///
    /// Fails if the address is in use, or if other machines can reach it and that is not allowed.
    pub async fn bind(args: &MetricsArgs, status: StatusFormat) -> Result<Option<Self>> {
        let Some(listen) = args.metrics_listen else { return Ok(None) };
        if !listen.ip().is_loopback() && !args.metrics_allow_remote {
            return Err(Error::usage(
                "cannot serve metrics",
                "other machines can reach this address",
                "listen on 127.0.0.1, or give --metrics-allow-remote",
            )
            .with_setting("--metrics-listen"));
        }
        let failed = |error: &io::Error| {
            let what = format!("cannot serve metrics on {listen}");
            let advice = "choose another address with --metrics-listen";
            Error::new(Exit::Failure, what, error.kind().to_string(), advice)
        };
        let listener = TcpListener::bind(listen).await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        status::metrics(status, &format!("http://{address}{}", server::PATH));
        Ok(Some(Self { listener, meter: Arc::default() }))
    }

    /// Returns what counts the work of the sources.
    #[must_use]
    pub fn meter(&self) -> Arc<SourceMeter> {
        Arc::clone(&self.meter)
    }

    /// Adds an observer for the events of the run, and starts to answer. Returns a guard that ends
    /// the answers when it is dropped.
    #[must_use]
    pub fn start(self, destinations: &[Box<dyn Destination>], stages: &mut Stages) -> ServerGuard {
        let results = destinations.iter().filter_map(|destination| destination.results());
        let (spans, deliveries) = results.partition(|results| results.counts().unit.is_some());
        let collector = RunCollector { meter: self.meter, deliveries, spans };
        let (registry, mut events) = registry(collector, Timestamp::now);
        let rules = stages.alerts.as_ref().map(AlertStage::rule_names).unwrap_or_default();
        events.add_rules(rules.iter().map(|name| &**name));
        stages.observers.push(Box::new(events));
        let task = tokio::spawn(server::serve(self.listener, Arc::new(registry)));
        ServerGuard(task.abort_handle())
    }
}

/// Ends the answers when it is dropped.
#[derive(Debug)]
pub struct ServerGuard(AbortHandle);

impl Drop for ServerGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}
