//! What all tools that read events have in common: the source, the selection and the scope.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::arguments::ToolArguments;
use super::cursor::{CursorScope, PagePosition};
use super::query::SelectionText;
use super::run::AgentRun;
use super::scope::{EventScope, ScopeReport, TakeEvents};
use super::sources::{AgentSource, AgentSources, identity};
use crate::cli::platform::SourceTask;
use crate::cli::resolve;
use crate::error::{Error, Exit, Result};
use crate::model::is_call_sid;
use crate::redact::Policy;
use crate::transport::Sender;
use crate::transport::sse::Start;

/// How far back a live stream is read by default, in milliseconds. It is a little less than the five
/// minutes that the platform keeps.
const LOOK_BACK: i64 = 290_000;

/// How much earlier than this machine's clock says a stream is read on, in milliseconds, if no event
/// has shown the platform's clock. An event may then come twice, but none is lost.
const CLOCK_MARGIN: i64 = 10_000;

/// The maximum time to listen, in seconds.
const MAX_SECONDS: usize = 60;

/// What the calls of all tools share.
pub struct ToolContext {
    /// What can be read.
    pub sources: AgentSources,
    /// The policy of what is hidden.
    pub policy: Policy,
    /// The named filters of the configuration.
    pub named: BTreeMap<String, String>,
}

/// A call that reads events.
pub struct ReadRequest {
    /// The name of the source.
    name: String,
    source: AgentSource,
    selection: SelectionText,
    /// Which events it is about.
    pub scope: EventScope,
    /// What its cursors belong to.
    pub cursors: CursorScope,
    listen: Duration,
    /// Where a live stream begins.
    begin: Start,
    /// The call that is observed besides the stream of its workspace, if the source is live.
    observed: Option<String>,
}

/// What a tool listens to, and for how long unless the call says otherwise.
#[derive(Clone, Copy)]
pub struct Listening {
    /// The default time, in seconds.
    pub seconds: usize,
    /// Whether it begins with the events from now on.
    pub from_now: bool,
}

impl ReadRequest {
    /// Reads the arguments of a tool.
    pub async fn new(
        tool: &str,
        arguments: &ToolArguments,
        context: &ToolContext,
        listening: Listening,
    ) -> Result<Self> {
        let name = arguments.text("source")?;
        let selection = SelectionText::new(arguments)?;
        let call = arguments.text("call")?.map(str::to_owned);
        if call.is_some() && context.policy.redact.contains_in_any("call_sid") {
            let why = "the SIDs of calls are hidden";
            return Err(Error::usage("cannot use call", why, "leave it out"));
        }
        let now = Timestamp::now();
        let [since, until] = [time(arguments, "since", now)?, time(arguments, "until", now)?];
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            let why = "it is not after `since`";
            return Err(Error::usage("cannot use until", why, "give a later time"));
        }
        let seconds = arguments.number("seconds", listening.seconds, MAX_SECONDS)?;
        let name = name.map_or_else(|| context.sources.default_name(), str::to_owned);
        let source = context.sources.open(&name).await?;
        let identities: Vec<_> = match &source {
            AgentSource::Recordings(files) => files.iter().map(|file| identity(file)).collect(),
            AgentSource::Live(_, workspace) => vec![workspace.clone()],
        };
        let given = ["call", "since", "until"].map(|name| arguments.text(name));
        let given: Vec<_> = given.into_iter().map(|text| text.ok().flatten()).collect();
        let texts = identities.iter().map(String::as_str).chain(selection.texts());
        let texts = [tool].into_iter().chain(texts);
        let cursors =
            CursorScope::new(texts.chain(given.iter().map(|text| text.unwrap_or_default())));
        let cursor = arguments.text("cursor")?.map(|text| cursors.read(text)).transpose()?;
        let is_live = matches!(source, AgentSource::Live(..));
        let start = cursor.unwrap_or_default();
        let look_back = now.as_millisecond() - LOOK_BACK;
        let begin = match (cursor, since) {
            (Some(start), _) => Start::Since(start.place),
            (None, None) if listening.from_now => Start::Now,
            (None, since) => {
                Start::Since(millis(since.map_or(look_back, Timestamp::as_millisecond)))
            }
        };
        let scope = EventScope { since, until, call, start, is_live };
        let listen = Duration::from_secs(seconds as u64);
        Ok(Self { name, source, selection, scope, cursors, listen, begin, observed: None })
    }

    /// Returns whether the source is a live stream.
    pub const fn is_live(&self) -> bool {
        self.scope.is_live
    }

    /// Lets the run also observe a call, if the source is live.
    pub fn observe(&mut self, call: Option<&str>) {
        self.observed =
            call.filter(|sid| self.scope.is_live && is_call_sid(sid)).map(str::to_owned);
    }

    /// Reads the source, and returns what was found out and what may surprise about the query.
    pub async fn run(
        self,
        context: &ToolContext,
        taker: Box<dyn TakeEvents>,
    ) -> Result<(ScopeReport, Vec<String>)> {
        let Self { name, source, selection, scope, listen, begin, observed, .. } = self;
        let compiled = selection.compile(context.policy.clone(), context.named.clone()).await?;
        let start = scope.start;
        let policy = context.policy.clone();
        let run = AgentRun { policy, filter: compiled.filter, scope, taker, listen };
        let mut report = match source {
            AgentSource::Recordings(mut files) => {
                let before = usize::try_from(start.place).unwrap_or(usize::MAX).min(files.len());
                run.read(files.split_off(before)).await?
            }
            AgentSource::Live(platform, workspace) => {
                let is_observed = observed.is_some();
                let sources = |tx: Sender| {
                    let call = observed.map(|call| {
                        if_it_exists(platform.call(workspace.clone(), call, tx.clone()))
                    });
                    let stream = platform.workspace(workspace, begin, None, tx);
                    call.into_iter().chain([stream]).collect()
                };
                let mut report = run.run(sources).await?;
                if is_observed {
                    let reason = "the platform keeps nothing that an observer has missed";
                    report.evidence.reasons.push(reason.to_owned());
                }
                report
            }
        };
        report.evidence.source = name;
        report.evidence.reasons.extend(compiled.reason);
        if start.is_incomplete {
            report.evidence.reasons.push("something was missing on an earlier page".to_owned());
        }
        Ok((report, compiled.notes))
    }
}

/// Observes a call, unless it has ended: its workspace may still have events of it.
fn if_it_exists(call: SourceTask) -> SourceTask {
    Box::pin(async {
        match call.await {
            Err(error) if error.exit == Exit::NotFound => Ok(()),
            ended => ended,
        }
    })
}

/// Returns the position from which to listen on, after that of a report.
pub fn position_to_listen_on(report: &ScopeReport, began: Timestamp) -> PagePosition {
    if report.position.place > 0 {
        return report.position;
    }
    let place = millis(began.as_millisecond() - CLOCK_MARGIN);
    PagePosition { place, ..PagePosition::default() }
}

fn millis(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or_default()
}

fn time(
    arguments: &ToolArguments,
    name: &'static str,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let text = arguments.text(name)?;
    text.map(|text| resolve::moment(name, text, now, &TimeZone::system())).transpose()
}
