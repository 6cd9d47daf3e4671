//! The state that all connections of the emulator share: authorization, faults, and the end of the
//! day.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::bus::Bus;
use super::clinics::{Clinics, seed};
use super::day::{Clock, demo_call};
use super::demo::DEMO_CALL;
use super::faults::Fault;
use super::observed_call::{LiveCall, ObservedCall};
use super::observers::Observers;
use super::options::Options;
use super::presence::Presence;
use super::scenario::CheckedEvent;
use super::slow_tools::SlowTools;
use super::story_faults::StoryFaults;
use crate::transport::credential::Credential;

/// The state that all connections share.
#[derive(Debug)]
pub struct Server {
    /// The options of the emulator.
    pub options: Options,
    /// The connections.
    pub presence: Presence,
    /// The events that are absent: their types and the number of the first ones.
    pub absent: StoryFaults,
    /// The tools that take longer.
    pub slow: SlowTools,
    /// The observers, for events on request.
    pub observers: Observers,
    clinics: Clinics,
    faults: Mutex<VecDeque<Fault>>,
}

impl Server {
    pub fn new(mut options: Options) -> Self {
        let mut faults = VecDeque::from(std::mem::take(&mut options.faults));
        let absent = StoryFaults::take_from(&mut faults);
        let slow = SlowTools::take_from(&mut faults);
        let faults = Mutex::new(faults);
        let (presence, clinics) = (Presence::new(), Clinics::default());
        let observers = Observers::default();
        Self { options, presence, absent, slow, observers, clinics, faults }
    }

    pub fn close(&self) {
        self.clinics.close();
        self.presence.close();
    }

    /// Returns the events of a workspace, whose day begins with the first request.
    pub fn bus(&self, workspace: &str) -> Option<Arc<Bus>> {
        let workspace = workspace.to_ascii_lowercase();
        self.clinics.open(&workspace, &self.options, &self.absent, &self.presence)
    }

    /// Publishes an event now in a workspace, or in all that have a day. Returns the number of streams
    /// that receive it.
    pub fn trigger(&self, workspace: Option<&str>, event: &CheckedEvent) -> usize {
        self.clinics.trigger(workspace, event)
    }

    pub async fn all_served(&self) {
        if self.options.once { self.presence.all_served().await } else { pending().await }
    }

    /// Whether a token is accepted.
    pub fn admits(&self, token: &str) -> bool {
        let legal = Credential::new(token, "a request");
        legal.is_ok_and(|given| {
            self.options.api_key.as_ref().is_none_or(|wanted| wanted.expose() == given.expose())
        })
    }

    /// Whether a workspace exists.
    pub fn has_workspace(&self, id: &str) -> bool {
        self.options.workspaces.contains(id)
    }

    /// Returns the ongoing call of a workspace with a SID. The demo call, or the scenario that takes
    /// its place, starts when it is requested.
    pub fn call(&self, workspace: &str, sid: &str) -> Option<ObservedCall> {
        let workspace = workspace.to_ascii_lowercase();
        if self.options.scenario.is_some() {
            let bus = self.bus(&workspace)?;
            if sid == DEMO_CALL {
                bus.begin(self.options.rate, false);
            }
            return bus.call(sid);
        }
        if sid != DEMO_CALL {
            return self.clinics.get(&workspace)?.call(sid);
        }
        let call = Arc::new(demo_call(sid, seed(&workspace, self.options.seed)));
        Some(ObservedCall::Live(LiveCall {
            call,
            began: Duration::ZERO,
            clock: Clock::start(self.options.rate),
            whole: true,
        }))
    }

    /// Takes the next fault for a transport.
    pub fn take_fault(&self, is_for: impl Fn(&Fault) -> bool) -> Fault {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().position(is_for).and_then(|index| faults.remove(index)).unwrap_or(Fault::None)
    }
}

/// Returns a response that refuses the request.
pub fn refuse(status: u16, retry_after: Option<Duration>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({ "detail": reason }).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.as_secs().into());
    }
    response
}
