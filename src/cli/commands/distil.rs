//! `evtap distil`: turns a recorded call into a scenario with invented people.

use std::sync::Arc;

use jiff::Timestamp;

use crate::analysis::timeline::build::{count_gaps, ordered_events};
use crate::analysis::timeline::call_event::CallEvent;
use crate::analysis::timeline::collect;
use crate::cli::args::DistilArgs;
use crate::cli::inputs;
use crate::cli::resolve;
use crate::cli::session::{SessionBuilder, print};
use crate::emulator::distil::{Distillate, RecordedEvent, RecordedField, distil};
use crate::error::{Error, Exit, Result};
use crate::model::Stream;
use crate::model::stand_in::is_stand_in;
use crate::output::status;
use crate::output::stored_event::StoredEventReader;
use crate::redact::RedactedEvent;
use crate::text::units::counted;
use crate::transport::SourceConfig;
use crate::transport::progress::Progress;
use crate::transport::recording;

pub(super) async fn run(args: DistilArgs) -> Result<Exit> {
    let (stages, collected) = resolve::distil(&args.call);
    let files = recording::expand(args.files)?;
    let progress = Arc::new(Progress::new(&files));
    let session = SessionBuilder::new(stages).with_progress(&progress, true);
    let limit = SourceConfig::default().max_frame;
    let ended = Box::pin(inputs::replay(session, files, limit, progress)).await?;
    if ended != Exit::Done {
        return Ok(ended);
    }
    let mut collected = collect::lock(&collected);
    let sid = collected.wanted_sid("distil the call")?;
    if collected.dropped_events() > 0 {
        let why = format!(
            "{} of it do not fit into memory",
            counted(collected.dropped_events(), "event")
        );
        let advice = "distil a shorter call";
        return Err(Error::new(Exit::Failure, "cannot distil the call", why, advice));
    }
    let events = ordered_events(&mut collected, &sid);
    let gaps = count_gaps(&collected, &sid, &events);
    let distillate = distil(&recorded(&events), &sid, args.seed);
    report(&distillate, gaps);
    print(distillate.toml.as_bytes())?;
    Ok(Exit::Done)
}

/// Returns the platform's events of the call, without those that evtap has added.
fn recorded(events: &[(Option<Timestamp>, CallEvent)]) -> Vec<RecordedEvent> {
    let mut reader = StoredEventReader::default();
    let millis = |time: &Option<Timestamp>| time.map(Timestamp::as_millisecond);
    let first = events.iter().find_map(|(time, _)| millis(time)).unwrap_or_default();
    let mut recorded = Vec::with_capacity(events.len());
    for (time, event) in events {
        let at = millis(time).unwrap_or(first).saturating_sub(first);
        let at = u64::try_from(at).unwrap_or_default();
        recorded.extend(reader.read(&event.stored, |shown| recorded_event(at, shown)));
    }
    recorded
}

fn recorded_event(at: u64, shown: &RedactedEvent<'_>) -> Option<RecordedEvent> {
    let tap = shown.tap();
    let stream = match shown.stream() {
        Some(Stream::Own) => return None,
        Some(stream) => stream,
        None if tap.stream.as_deref() == Some(Stream::Observer.name()) => Stream::Observer,
        None => Stream::Workspace,
    };
    let is_redacted = |name: &str| tap.redacted.iter().any(|redacted| redacted == name);
    let mut fields: Vec<_> = shown
        .fields()
        .map(|field| {
            let name = field.name().into_owned();
            RecordedField {
                is_masked: is_redacted(&name) && is_stand_in(field.json),
                name,
                json: Some(field.json.to_owned()),
                spec: field.spec,
            }
        })
        .collect();
    // What --phi drop has left out is invented too.
    for spec in shown.kind().map_or(&[][..], |kind| kind.spec().fields) {
        if is_redacted(spec.name) && fields.iter().all(|field| field.name != spec.name) {
            let name = spec.name.to_owned();
            fields.push(RecordedField { name, json: None, spec: Some(spec), is_masked: true });
        }
    }
    let (event_type, kind) = (shown.event_type().to_owned(), shown.kind());
    Some(RecordedEvent { at, event_type, kind, stream, fields })
}

/// Reports what was replaced, in numbers alone.
fn report(distillate: &Distillate, gaps: usize) {
    let Distillate { events, replaced, names, types, .. } = distillate;
    let mut report = format!(
        "distilled {}: {} replaced",
        counted(*events, "event"),
        counted(*replaced, "value")
    );
    for (count, what) in [(*names, "undeclared key"), (*types, "undeclared type")] {
        if count > 0 {
            report.extend([", ", &counted(count, what), " replaced"]);
        }
    }
    status::report(&report);
    if gaps > 0 {
        let gaps = counted(gaps as u64, "gap");
        status::report(&format!(
            "the recording may lack events of the call, because it has {gaps}"
        ));
    }
}
