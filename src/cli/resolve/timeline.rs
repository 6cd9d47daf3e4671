//! Resolves the options of `timeline`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::color::apply_color;
use super::connection::DEMO;
use super::expression::ExpressionCompiler;
use super::filter::{FilterSetup, event_filter};
use super::privacy::policy;
use super::value::duration;
use crate::analysis::timeline::collect::{CollectedEvents, TimelineCollector};
use crate::cli::args::{TimelineArgs, TimelineFormat};
use crate::emulator::DEMO_CALL;
use crate::error::{Error, Result};
use crate::output::Observer;
use crate::pipeline::Stages;
use crate::pipeline::stop::conditions::Conditions;

/// The input and the settings of a timeline.
pub struct TimelinePlan {
    /// The SID of the call or a prefix of it, or `demo` for the built-in call.
    pub call: Option<String>,
    /// The recordings. The list is empty if the call is followed live.
    pub files: Vec<PathBuf>,
    /// The stages, which include the collector of the call's events.
    pub stages: Stages,
    /// The events that the collector has received.
    pub collected: Arc<Mutex<CollectedEvents>>,
    /// The shortest silence that is reported, in milliseconds.
    pub quiet_ms: i64,
}

/// Checks the options of `timeline` and builds its stages.
pub fn timeline(options: &TimelineArgs) -> Result<TimelinePlan> {
    apply_color(options.color);
    let (call, files) = split_call(options.call.as_deref(), &options.files);
    let needs_call = match options.output {
        TimelineFormat::Html => Some(("cannot write a page", "omit -o html to list the calls")),
        TimelineFormat::Otlp => Some(("cannot write a trace", "omit -o otlp to list the calls")),
        TimelineFormat::Text | TimelineFormat::Json => None,
    };
    if let Some((what, advice)) = needs_call.filter(|_| call.is_none()) {
        return Err(Error::usage(what, "no call is named", advice));
    }
    let is_stored = !files.is_empty() || options.source.from.is_some();
    if call.is_none() && !is_stored {
        let advice = "give a call's SID and recordings, or --workspace too; `evtap timeline demo` needs neither";
        return Err(Error::usage("cannot show a timeline", "no call is named", advice));
    }
    if !is_stored && options.threads.is_some() {
        return Err(Error::usage(
            "cannot use --threads",
            "a live call is followed on one thread",
            "name recordings, or omit it",
        )
        .with_setting("--threads"));
    }
    let policy = policy(&options.privacy, options.status)?;
    let filter = &options.filter;
    let expressions = ExpressionCompiler::for_filter(filter, &policy, options.status)?;
    let FilterSetup { filter, .. } = event_filter(filter, &expressions)?;
    let quiet_ms =
        i64::try_from(duration("--quiet", &options.quiet)?.as_millis()).unwrap_or(i64::MAX);
    let length =
        options.duration.as_deref().map(|text| duration("--duration", text)).transpose()?;
    let stop = Box::new(Conditions {
        ends_at: length.map(|length| Instant::now() + length),
        ..Conditions::default()
    });
    let wanted = call.clone().map(|call| if call == DEMO { DEMO_CALL.to_owned() } else { call });
    let (collector, collected) = TimelineCollector::new(wanted);
    let observers: Vec<Box<dyn Observer>> = vec![Box::new(collector)];
    let stages =
        Stages { filter, stop, status: options.status, ..Stages::observing(policy, observers) };
    Ok(TimelinePlan { call, files, stages, collected, quiet_ms })
}

/// Separates the call from the recordings, whatever their order.
fn split_call(first: Option<&str>, files: &[PathBuf]) -> (Option<String>, Vec<PathBuf>) {
    let Some(first) = first else { return (None, files.to_vec()) };
    let is_call = |name: &str| {
        let is_sid = name.len() <= 34
            && name.starts_with("CA")
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        name == DEMO || (is_sid && !Path::new(name).exists())
    };
    if is_call(first) {
        return (Some(first.to_owned()), files.to_vec());
    }
    let mut files = [&[PathBuf::from(first)], files].concat();
    // A call is accepted after the recordings too.
    let is_call = |file: &PathBuf| file.to_str().is_some_and(is_call);
    let call = files.iter().rposition(is_call).map(|at| files.remove(at));
    (call.and_then(|call| call.into_os_string().into_string().ok()), files)
}
