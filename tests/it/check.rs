//! The checks of expressions: at least sixty mistakes with the exact finding of each, and correct
//! programs that have none.

use evtap::query::TypeFilter;
use evtap::query::check::{Kinds, check};
use evtap::query::program::{Program, parse};
use evtap::redact::Policy;

/// Returns the findings about an expression. Fatal ones begin with `!`.
fn findings_of(source: &str) -> Vec<String> {
    let parsed = match parse("--filter", source) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("!{error}")],
    };
    if let Err(error) = Program::compile(&parsed, &[]) {
        return vec![format!("!{error}")];
    }
    let (_, findings) =
        check(&parsed, Kinds::from_filter(&TypeFilter::default()), &Policy::default(), true);
    findings
        .iter()
        .map(|finding| {
            format!("{}{}; {}", if finding.fatal { "!" } else { "" }, finding.why, finding.advice)
        })
        .collect()
}

const MISTAKES: &[(&str, &str)] = &[
    (
        ".durations > 60",
        "!no event has `.durations`; did you mean `.duration_s` (session_end) or `.duration_ms` (pipeline.sync_completed, tool_call_completed) or `.duration_seconds` (call.ended, text.completed, session_info)?",
    ),
    (".evnt_type == \"call.ended\"", "!no event has `.evnt_type`; did you mean `.event_type`?"),
    (
        ".call_id_ == \"x\"",
        "!no event has `.call_id_`; did you mean `.call_id` (tool_call_completed, tool_call_started) or `.call_sid` (call.ended, call.escalated, call.started and 7 more) or `.caller_id` (call.started, session_info)?",
    ),
    (
        ".callsid == \"x\"",
        "!no event has `.callsid`; did you mean `.call_sid` (call.ended, call.escalated, call.started and 7 more) or `.call_id` (tool_call_completed, tool_call_started)?",
    ),
    (
        ".transcripts | test(\"x\")",
        "!no event has `.transcripts`; did you mean `.transcript` (agent_transcript, user_transcript)?",
    ),
    (".foo", "!no event has `.foo`; see `evtap schema` for the fields"),
    (".foo?", "no event has `.foo`; see `evtap schema` for the fields"),
    (".foo // \"x\"", "no event has `.foo`; see `evtap schema` for the fields"),
    (".foo == null", "!no event has `.foo`; see `evtap schema` for the fields"),
    (
        "has(\"durationseconds\")",
        "!no event has `.durationseconds`; did you mean `.duration_seconds` (call.ended, text.completed, session_info)?",
    ),
    (
        "{call_sdi}",
        "!no event has `.call_sdi`; did you mean `.call_sid` (call.ended, call.escalated, call.started and 7 more) or `.call_id` (tool_call_completed, tool_call_started)?",
    ),
    (
        ".event_type == \"call.end\"",
        "!unknown event type call.end; did you mean call.ended or call.started?",
    ),
    (".event_type == \"callended\"", "!unknown event type callended; did you mean call.ended?"),
    (
        ".event_type == \"surface.create\"",
        "!unknown event type surface.create; did you mean surface.created or surface.reshaped?",
    ),
    (".event_type == \"zzz\"", "!unknown event type zzz; `evtap schema` lists the events"),
    (
        ".event_type != \"call.end\"",
        "unknown event type call.end; did you mean call.ended or call.started?",
    ),
    (
        ".event_type == 5",
        "!an event's type is a string; compare it with a name such as \"call.ended\"",
    ),
    (
        ".event_type == null",
        "!an event's type is a string; compare it with a name such as \"call.ended\"",
    ),
    (
        ".event_type | IN(\"call.ended\", \"call.startd\")",
        "!unknown event type call.startd; did you mean call.started?",
    ),
    (
        ".event_type | startswith(\"cal.\")",
        "!no selected event type matches; `evtap schema` lists the events",
    ),
    (
        ".event_type | endswith(\".finished\")",
        "!no selected event type matches; `evtap schema` lists the events",
    ),
    (
        ".event_type | test(\"^phone\")",
        "!no selected event type matches; `evtap schema` lists the events",
    ),
    (
        ".event_type | contains(\"callx\")",
        "!no selected event type matches; `evtap schema` lists the events",
    ),
    (
        ".event_type.x",
        "!an event's type is a string and has no `.x`; compare it, or take it apart with `split`",
    ),
    (".event_type[0]", "!an event's type is a string and has no items; compare it as a whole"),
    (
        ".direction == \"in\"",
        "!it is never true: `.direction` is never \"in\"; it can be inbound, outbound, playground, simulated, test",
    ),
    (
        ".direction == \"Inbound\"",
        "!it is never true: `.direction` is never \"Inbound\"; did you mean \"inbound\"? It can be inbound, outbound, playground, simulated, test",
    ),
    (
        ".direction != \"outgoing\"",
        "it is always true: `.direction` is never \"outgoing\"; did you mean \"outbound\"? It can be inbound, outbound, playground, simulated, test",
    ),
    (
        ".direction | IN(\"inbound\", \"outboundd\")",
        "!it is never true: `.direction` is never \"outboundd\"; did you mean \"outbound\"? It can be inbound, outbound, playground, simulated, test",
    ),
    (
        ".direction | startswith(\"x\")",
        "!it is never true: no value of `.direction` matches; it can be inbound, outbound, playground, simulated, test",
    ),
    (
        ".trigger == \"human\"",
        "!it is never true: `.trigger` is never \"human\"; it can be caller, ai, operator",
    ),
    (
        ".tier_name == \"functional\"",
        "!it is never true: `.tier_name` is never \"functional\"; it can be FUNCTIONAL, LIGHT_TOUCH, FULL_EMPATHY, HOLD_SPACE",
    ),
    (
        ".trend == \"up\"",
        "!it is never true: `.trend` is never \"up\"; it can be improving, stable, deteriorating",
    ),
    (
        ".participant_role == \"patient\"",
        "!it is never true: `.participant_role` is never \"patient\"; it can be caller, agent, operator",
    ),
    (
        ".filler_type == \"sorry\"",
        "!it is never true: `.filler_type` is never \"sorry\"; it can be empathy, receipt, working",
    ),
    (
        ".speaker.energy_trend == \"up\"",
        "!it is never true: `.speaker.energy_trend` is never \"up\"; it can be rising, falling, stable",
    ),
    (
        ".action == \"approved\" and .event_type == \"review.submitted\"",
        "!it is never true after what precedes it, which leaves agent_transcript; use `or`, or drop one of them",
    ),
    (
        ".duration_seconds == \"60\"",
        "!it is never true: `.duration_seconds` is a number, and \"60\" is a string; compare it with a number",
    ),
    (
        ".duration_seconds > \"60\"",
        "!`.duration_seconds` is a number, and \"60\" is a string; compare it with a number",
    ),
    (
        ".duration_seconds < 60",
        "it is also true for events without `.duration_seconds`, because null sorts first; put `.duration_seconds != null and` before it, or name the event type",
    ),
    (
        "60 > .duration_seconds",
        "it is also true for events without `.duration_seconds`, because null sorts first; put `.duration_seconds != null and` before it, or name the event type",
    ),
    (
        ".escalated == \"true\"",
        "!it is never true: `.escalated` is a boolean, and \"true\" is a string; compare it with a boolean",
    ),
    (
        ".escalated == 1",
        "!it is never true: `.escalated` is a boolean, and 1 is a number; compare it with a boolean",
    ),
    (
        ".turn_count == \"3\"",
        "!it is never true: `.turn_count` is a number, and \"3\" is a string; compare it with a number",
    ),
    (
        ".muted == \"yes\"",
        "!it is never true: `.muted` is a boolean, and \"yes\" is a string; compare it with a boolean",
    ),
    (
        ".call_sid == 7",
        "!it is never true: `.call_sid` is a string, and 7 is a number; compare it with a string",
    ),
    (".call_sid > 5", "!`.call_sid` is a string, and 5 is a number; compare it with a string"),
    (
        ".duration_seconds | test(\"6\")",
        "!`.duration_seconds` is a number, and test needs a string; compare it, or convert it with `tostring`",
    ),
    (
        ".escalated | startswith(\"t\")",
        "!`.escalated` is a boolean, and startswith needs a string; compare it, or convert it with `tostring`",
    ),
    (
        ".duration_ms | ascii_downcase == \"x\"",
        "!`.duration_ms` is a number, and ascii_downcase needs a string; compare it, or convert it with `tostring`",
    ),
    (
        ".call_sid.x == 1",
        "!`.call_sid` is a string and has no `.x`; see `evtap schema` on `call_sid`",
    ),
    (
        ".duration_seconds[0] == 1",
        "!`.duration_seconds` is a number and has no numbered items; see `evtap schema` on `duration_seconds`",
    ),
    (".call_sid[]", "!`.call_sid` is a string and has no items; see `evtap schema` on `call_sid`"),
    (
        ".scores.joy > 0.5",
        "!`.scores` is an array and has no `.joy`; see `evtap schema` on `scores`",
    ),
    (".scores[0].nme == \"joy\"", "!`.scores[]` has no `.nme`; did you mean `.scores[].name`?"),
    (
        ".speaker.volume > 1",
        "!`.speaker` has no `.volume`; it has energy_delta, energy_trend, normalized, pitch_delta, zcr_delta",
    ),
    ("._tap.strem == \"workspace\"", "!`._tap` has no `.strem`; did you mean `._tap.stream`?"),
    (
        "._tap.stream == \"sse\"",
        "!it is never true: `._tap.stream` is never \"sse\"; it can be workspace, observer",
    ),
    (
        "._tap.drift[0].knd == \"x\"",
        "!`._tap.drift[]` has no `.knd`; did you mean `._tap.drift[].kind`?",
    ),
    (
        ".event_type == \"call.ended\" and .transcript == \"x\"",
        "!`.transcript` is a field of agent_transcript, user_transcript, and only call.ended is selected; select another event or use another field",
    ),
    (
        ".event_type == \"call.ended\" and .event_type == \"call.started\"",
        "!it is never true after what precedes it, which leaves call.ended; use `or`, or drop one of them",
    ),
    (
        ".event_type == \"call.ended\" and .reason != null",
        "!`.reason` is a field of call.escalated, surface.review_rejected, tap.alert and 2 more, and only call.ended is selected; select another event or use another field",
    ),
    (
        "select(.event_type == \"call.ended\") | .surface_id",
        "!`.surface_id` is a field of surface.archived, surface.created, surface.delivered and 8 more, and only call.ended is selected; select another event or use another field",
    ),
    (
        "if .event_type == \"call.ended\" then .caller_id else true end",
        "!`.caller_id` is a field of call.started, session_info, and only call.ended is selected; select another event or use another field",
    ),
    (
        ".event_type == \"call.started\" and .direction == \"sideways\"",
        "!it is never true: `.direction` is never \"sideways\"; it can be inbound, outbound, playground, simulated, test",
    ),
    ("false", "!no event can satisfy it; see `evtap schema` for the fields"),
    (
        ".event_type == \"emotion\" and (.valence | not | not) and .arousal == \"high\"",
        "!it is never true: `.arousal` is a number, and \"high\" is a string; compare it with a number",
    ),
    (
        ".caller_id | startswith(\"+1\")",
        "`.caller_id` is hidden, so the expression sees the mask; give --reveal caller_id to let it see the value",
    ),
    (
        ".caller_id == \"+13035550161\"",
        "`.caller_id` is hidden, so the expression sees the mask; give --reveal caller_id to let it see the value",
    ),
    (
        ".transcript | ascii_downcase | test(\"refill\")",
        "`.transcript` is hidden, so the expression sees the mask; give --reveal transcript to let it see the value",
    ),
    (
        ".tool_input.patient == \"x\"",
        "`.tool_input` is hidden, so the expression sees the mask; give --reveal tool_input to let it see the value",
    ),
    (
        ".subject == \"Refill\"",
        "`.subject` is hidden, so the expression sees the mask; give --reveal subject to let it see the value",
    ),
    (
        ".short_url | test(\"x\")",
        "`.short_url` is hidden, so the expression sees the mask; give --reveal short_url to let it see the value",
    ),
    (
        ".caller_id == .phone_number",
        "`.caller_id` is hidden, so the expression sees the mask; give --reveal caller_id to let it see the value",
    ),
    (
        ".a ==",
        "!cannot read --filter: term is missing at its end; see jq's manual for the language",
    ),
    (
        ".event_type = = \"x\"",
        "!cannot read --filter: term is missing at character 15; see jq's manual for the language",
    ),
    (
        ".call_sid | startwith(\"CA\")",
        "!cannot compile --filter: unknown filter `startwith`; did you mean `startswith`?",
    ),
    (
        ".call_sid == $sid",
        "!cannot compile --filter: `$sid` has no value; give it with --arg sid VALUE",
    ),
    (
        "env.HOME == \"x\"",
        "!cannot compile --filter: `env` is not available; an expression sees one event and nothing else",
    ),
    (
        "input",
        "!cannot compile --filter: `input` is not available; an expression sees one event and nothing else",
    ),
    (".call_sid | test(\"(\")", "!invalid regular expression; escape literal characters with \\\\"),
    (
        "\"unclosed",
        "!cannot read --filter: a closing quote is missing at its end; see jq's manual for the language",
    ),
    (
        ".event_type == 'call.ended'",
        "!cannot read --filter: a token is missing at character 16; write strings between double quotes",
    ),
    (
        ".event_type = \"call.ended\"",
        "!`=` assigns, which is true for every event; compare with `==`",
    ),
    (
        ".escalated && .call_sid == \"x\"",
        "!cannot read --filter: a token is missing at character 12; write `and`",
    ),
    (
        ".escalated || .muted",
        "!cannot read --filter: the end is missing at character 12; write `or`",
    ),
    ("!.escalated", "!cannot read --filter: term is missing at character 1; write `… | not`"),
    (
        ".direction === \"inbound\"",
        "!cannot read --filter: the end is missing at character 12; write `==`",
    ),
    (
        ".reason | tset(\"x\")",
        "!cannot compile --filter: unknown filter `tset`; did you mean `test`?",
    ),
    (
        ".call_sid | startswith(\"CA\"; \"i\")",
        "!cannot compile --filter: `startswith` does not take that many arguments; see jq's manual for its arguments",
    ),
];

#[test]
fn every_mistake_is_reported_with_its_correction() {
    assert!(MISTAKES.len() >= 60);
    let mut wrong = Vec::new();
    for (source, expected) in MISTAKES {
        let findings_of = findings_of(source).join(" | ");
        if findings_of != *expected {
            wrong.push(format!("    ({source:?}, {findings_of:?}),"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn correct_expressions_have_no_findings() {
    for source in [
        ".",
        "true",
        ".event_type == \"call.ended\" and .duration_seconds > 60",
        ".event_type == \"call.ended\" and (.duration_seconds > 60 or .escalated)",
        ".event_type | startswith(\"call.\")",
        ".event_type | test(\"^(call|text)\\\\.\")",
        "select(.event_type == \"call.escalated\") | .trigger | IN(\"caller\", \"ai\")",
        ".completion_reason | IN(\"error\", \"timeout\", \"max_duration\")",
        ".caller_id == null",
        ".caller_id != null",
        ".transcript == \"[redacted]\"",
        "if .event_type == \"call.ended\" then .duration_seconds >= 1 else .event_type == \"call.started\" end",
        ".scores[0].name == \"joy\"",
        "any(.scores[]; .score > 0.5)",
        ".speaker.energy_trend == \"rising\"",
        ".language_toxicity.insult > 0.5",
        "._tap.stream == \"observer\"",
        "._tap.drift[0].kind == \"unknown_field\"",
        "._tap | has(\"drift\")",
        "has(\"call_sid\")",
        "[.event_type, .call_sid] | join(\" \") | test(\"CA\")",
        "{event_type, call_sid} | .call_sid != null",
        ".emotional_summary.anything.at.all == 1",
        ".is_final == true",
        ".event_type == \"tap.malformed\" and .category == \"truncated\"",
        "def long: .duration_seconds > 60; .event_type == \"call.ended\" and long",
        ".duration_seconds as $d | $d != null and $d < 5",
        ".event_type == \"call.ended\" and .duration_seconds < 5",
        "[paths] | length > 3",
        "to_entries | any(.value == \"x\")",
        ".duration_seconds | tostring | test(\"^6\")",
        "(.reason // \"\") | ascii_downcase | contains(\"refill\")",
        "any(.call_sid, .session_id; . == \"x\")",
        ".event_type == \"call.ended\" or .event_type == \"call.started\"",
        ".event_type != \"latency\"",
        "[.[]] | length == 4",
    ] {
        assert_eq!(findings_of(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn the_type_filter_narrows_which_fields_are_known() {
    let kinds = |globs: &[&str]| {
        let globs: Vec<_> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Kinds::from_filter(&TypeFilter::new(&globs, &[]).expect("globs"))
    };
    let parsed = parse("--filter", ".event_type == \"call.ended\"").expect("parses");
    let (left, findings) = check(&parsed, kinds(&["call.*"]), &Policy::default(), true);
    assert_eq!((left.names(), findings.len()), ("call.ended".to_owned(), 0));
    let (_, findings) =
        check(&parsed, kinds(&["surface.{created,opened}"]), &Policy::default(), true);
    assert_eq!(
        findings[0].why,
        "no selected event (surface.created, surface.opened) can satisfy it"
    );
    let parsed = parse("--filter", ".transcript != null").expect("parses");
    let (_, findings) = check(&parsed, left, &Policy::default(), true);
    assert_eq!(
        findings[0].why,
        "`.transcript` is a field of agent_transcript, user_transcript, and only call.ended is selected"
    );
}

#[test]
fn revealed_fields_are_not_reported_as_hidden() {
    let parsed = parse("--filter", ".transcript | test(\"refill\")").expect("parses");
    let everything = Kinds::from_filter(&TypeFilter::default());
    assert_eq!(check(&parsed, everything, &Policy::default(), true).1.len(), 1);
    assert!(
        check(&parsed, everything, &Policy::default(), false).1.is_empty(),
        "a program may print a mask"
    );
    for name in ["transcript", "all"] {
        let mut policy = Policy::default();
        policy.reveal.add(name);
        assert!(check(&parsed, everything, &policy, true).1.is_empty());
    }
}
