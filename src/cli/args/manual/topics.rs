//! Topics of the long help and the man pages: what people need to know beyond the options.

/// A titled text about one aspect of a command.
#[derive(Debug, Clone, Copy)]
pub struct HelpTopic {
    /// The heading.
    pub title: &'static str,
    /// Paragraphs, separated by empty lines. Paragraphs that begin with blanks are preformatted.
    pub text: &'static str,
}

const PREDICATES: HelpTopic = HelpTopic {
    title: "Predicates",
    text: "Expressions are jq, the complete language. They run on the redacted event: where a \
value is hidden, they see the mask. evtap checks every expression against the event model before \
it connects: a name or value that no event can have is an error with a suggestion, a likely \
mistake is a warning. --no-check turns both off. `evtap schema` lists all events, `evtap schema \
EVENT` the fields of one.",
};

const HIDDEN: HelpTopic = HelpTopic {
    title: "What is hidden",
    text: "Every field of every event has a class; `evtap schema --phi` lists the hidden fields \
and why they are hidden:

  phi        hidden: the platform annotates it as PHI in any version of its contract
  sensitive  hidden: it identifies a person
  free       shown, but masked where free text has a telephone number, an address, a date, a card
             or a record number; names of people can remain
  open       shown

Fields and events that are not in the model are hidden too, nested keys included. Their names are \
shown and reported as drift. The JSON type of a value makes no difference.

`_tap.redacted` lists the hidden fields of an event, `_tap.scrubbed` the free text in which \
something was masked. Pseudonyms (--phi hash) and last characters (--phi partial) are not \
de-identified data. The same policy applies to everything that evtap writes: lines, recordings, \
the live screen and errors.",
};

const RESUMING: HelpTopic = HelpTopic {
    title: "Resuming",
    text: "After a disconnect, evtap asks the server to replay the events that it may have missed \
and drops those that it has already delivered, which it recognises by id and content. Several \
events can share a millisecond, and a server whose clock was set back publishes lower ids than \
before. evtap therefore asks for events from before the last millisecond that it received, \
reaching back by as long as it was disconnected. It also drops events that the server repeats by \
itself; the next event then has repeat_dropped in `_tap.drift`. missing_id, backward_id and \
odd_id are reported there too.

Where events are or may be missing, the stream has a tap.gap event with one of these reasons:

  away_too_long  the stream was disconnected for longer than the five minutes that the server keeps
  replay_late    the replay begins later than requested, as after a restart of the server
  beyond_buffer  --since is earlier than the oldest event that the server keeps
  no_position    there was no id to resume from
  ids_went_back  the ids went back further than requested: the server's clock was set back
  replay_broken  five or more connections broke during the replay, so evtap requested less of it
  removed        with --from: the broker removed the events before evtap read them
  observer_down  the observer of a call was disconnected; the server keeps none of its events

Two kinds of loss cannot be detected. First, events that the server published below earlier ids \
while evtap was disconnected, further back than evtap requested again, if ids are above the \
earlier ones when it reconnects. (evtap requests again as far back as the time it was \
disconnected, 50 ms, and the last 64 events or 30 s; after ids went back, twice as far as they \
did.) Second, events before a restart of a server that lost its buffer, if the stream is older \
than five minutes or has had no event yet.

With --cursor, evtap flushes stdout, then the record, and then moves the cursor. If evtap is \
killed at any point, stdout gets each event at least once and --record exactly once: evtap reads \
the end of the record before it appends, and repairs an incomplete last line. The cursor file is \
replaced as a whole and synced to disk once a second and at the end; after a power failure it may \
be a second old. It holds ids and hashes of open fields, and no hidden values. A cursor is for \
workspaces: the server replays nothing of a call, so observe has neither --cursor nor --since.",
};

const FORMATS: HelpTopic = HelpTopic {
    title: "Formats",
    text: "ndjson is one object per line: the fields as they arrived, with numbers unchanged, then \
`_tap`, which holds what evtap knows about the event. json is one array, which is closed even if a \
limit or a signal ends the run. csv and tsv have the columns of --fields, or the same seven \
columns for every event; csv follows RFC 4180. cloudevents are CloudEvents 1.0 in structured mode, \
one per line: `data` is the ndjson line, `source` the path of the stream on the platform, \
`subject` the call, surface or session. Their `id` contains a hash of the open fields, and a \
number for events of one millisecond with equal open fields; it is the same in every run and \
process. `evtap replay` reads ndjson and cloudevents back byte for byte. In pretty \
lines, ids are truncated first, and ~ before the type marks an event that differs from the model.",
};

const FORWARDING: HelpTopic = HelpTopic {
    title: "Forwarding",
    text: "--forward posts each printed event, redacted as printed, one at a time and in order. \
The response decides what happens next:

  2xx                      continue with the next event
  none, 408, 425, 429, 5xx retry up to --forward-retries times with increasing delays; Retry-After
                           is respected
  401, 403, 404, 405, 3xx  end the run with status 1, because no event would be accepted
  another 4xx              report and count the event; with --fail-on-gap the status is 8

A slow endpoint slows the stream; at most one batch (256 events or 1 MiB) waits. --cursor moves \
after the endpoint has accepted the events, so each is delivered at least once. Headers may hold \
a secret and are never shown; @FILE keeps them out of the process list. Plain http is limited to \
this machine unless --insecure-http is given.

Each post has a webhook-id, which is the same whenever the event is posted again. With \
--forward-key-file, webhook-timestamp and webhook-signature follow Standard Webhooks.",
};

#[cfg(feature = "nats")]
const PUBLISHING: HelpTopic = HelpTopic {
    title: "Publishing",
    text: "--publish stores each printed event in a stream of a NATS server (2.10 or later, with \
JetStream), as a CloudEvent. The events of a workspace are published one at a time and in order. An \
event has the same id in every run and on every machine, so the stream stores it once, as long as it \
comes again within the stream's duplicate window, which must be 6 minutes or longer.

While the broker is away or the stream is full, evtap tries again with increasing delays, at most one \
batch (2,048 events or 1 MiB) waits, and the platform's stream slows down; after five minutes, a \
tap.gap says what the platform has forgotten. An event that is too large is reported and counted; \
with --fail-on-gap the status is 8. --cursor moves after the broker has stored the events.

Free text is masked unless --publish-prose is given, --reveal needs --publish-revealed, and --phi \
hash needs --phi-key-file. Plain text is limited to this machine unless --insecure-http is given; \
tls:// is encrypted.",
};
#[cfg(feature = "nats")]
const READING: HelpTopic = HelpTopic {
    title: "Reading from NATS",
    text: "--from reads the events that --publish has stored, without an API key and without a stream \
of the platform. `watch` begins with what is stored from now on, or where --since says, and follows the \
stream; the other commands begin with the first event and end with what is stored when they start. The \
server selects by --workspace and by the families or types that --event names.

After a lost connection, reading goes on after the last event. What the server has removed before \
evtap read it is a tap.gap with the reason `removed`. At most 6 MiB are requested ahead of the output.

`watch --consumer` shares the events with the other processes that name the same consumer. An event is \
acknowledged when stdout and all destinations have it; if a process dies, another one gets its events \
after 30 s, so each is processed at least once. All must select the same events.",
};
#[cfg(not(feature = "nats"))]
const READING: HelpTopic =
    HelpTopic { title: "Reading from NATS", text: "This build has no support for NATS." };
#[cfg(not(feature = "nats"))]
const PUBLISHING: HelpTopic =
    HelpTopic { title: "Publishing", text: "This build has no --publish." };

const STATISTICS: HelpTopic = HelpTopic {
    title: "Statistics",
    text: "Percentiles are exact for up to 256 measurements and within 0.1 % for more. Memory does \
not grow with the stream: the number of distinct names is limited, and all others are counted as \
`(other)`. -o json always has the same members; times are in milliseconds, and a percentile of \
nothing is null. --every prints a row for each interval that has events, by their own time; for a \
live stream it prints a row for every interval, by the clock. The page of -o html is one \
self-contained file without scripts, and cannot be combined with --every.",
};

const TIMELINE: HelpTopic = HelpTopic {
    title: "The timeline of a call",
    text: "Chunks of speech are joined into one utterance, and a tool is nested below the tool \
that it is part of. Silences (--quiet) and gaps have their own lines. Observer events have only a \
time of arrival; if the recording has workspace events with both clocks, those times are converted \
to the platform's clock. Text output truncates other events at the width of the terminal; json \
has all of them, and -e and -E select. Observer events that do not name their call \
belong to the session that was announced before them. A timeline holds up to 64 MiB of a \
call's events, and its header says how many are left out.

A live call is followed until it ends; Ctrl-C prints the events so far. The page of -o html is one \
self-contained file without scripts: a picture of the call, the latency of each turn, the \
conversation, and all events. It has a light and a dark theme and can be printed; a red notice \
announces fields that --reveal shows. The page of a very long call says what it leaves out; json has \
everything.",
};

const SCREEN: HelpTopic = HelpTopic {
    title: "The live screen",
    text:
        "--tui shows the stream, the calls, one call, the board of the workspace, and statistics; \
press ? for the keys. It keeps the newest 100,000 events, or 64 MiB of them (--buffer). Hidden \
values never reach it: no key reveals a value. Only --reveal does, and the header then shows a \
warning in alarm colours. Copied and saved text is what the screen shows.

It remembers its layout, filters, marks and what was typed, but no event data except ids, and only \
lines of words that are known without events. --remember false turns this off. `evtap help tui` \
explains keys and colours of your own.",
};

const LIVENESS: HelpTopic = HelpTopic {
    title: "Liveness",
    text: "evtap reconnects if a connection brings no data for --read-timeout, not even a comment \
or a pong, and if the machine was suspended. If the server rejects the API key during the run, \
evtap reads the key again from --api-key-file or --api-key-command before it gives up. With a slow \
reader, at most 16 MiB wait in memory; then evtap stops reading from the connection.",
};

const SETTINGS: HelpTopic = HelpTopic {
    title: "Settings",
    text: "Options take precedence over the environment, the environment over the profile, the \
profile over the top level of the file, and that over the defaults. Every setting is an option of \
`watch` with _ in place of -. Its environment variable is EVTAP_ and the name in capitals, such as \
EVTAP_OUTPUT, unless the help of the option names another. Relative paths in the file start at its \
directory. The file never holds an API key: api_key_file names a file with it, api_key_command \
prints it. The file can hide more than the defaults, but never less: `reveal`, `phi = \"partial\"` \
and `scrub = \"none\"` in it are errors.

Use a filter of the table [filters], at the top level or in a profile, as `--filter @NAME`.

  profile = \"staging\"
  output = \"ndjson\"

  [filters]
  escalations = '.event_type == \"call.escalated\"'

  [profiles.staging]
  base_url = \"https://staging.example.com\"
  api_key_command = \"pass show amigo/staging\"",
};

/// The rules of `alert` and --rules.
pub(super) const RULES: HelpTopic = HelpTopic {
    title: "Rules",
    text: "A rules file is TOML. Each rule is a table and has one of four forms:

  # An event should be followed by another, unless a third one comes.
  [rule.nobody-joined]
  per = \".call_sid\"
  after = '.event_type == \"call.escalated\"'
  want = '.event_type == \"operator.joined_call\"'
  unless = '.event_type == \"call.ended\"'
  within = \"60s\"

  # Too many events within a time.
  [rule.tool-keeps-failing]
  per = \".tool_name\"
  when = '.event_type == \"tool_call_completed\" and .succeeded == false'
  count = 3
  within = \"5m\"

  # A percentile is too high; p50_over, p99_over and others work like p95_over.
  [rule.slow-first-audio]
  when = '.event_type == \"latency\"'
  value = \".e2e_ttfb_ms\"
  p95_over = 1500
  within = \"10m\"
  min_count = 20

  # An event should come again and again; `unless` ends that.
  [rule.pipeline-late]
  per = \".data_source_id\"
  after = '.event_type == \"pipeline.sync_completed\"'
  silent_for = \"15m\"

after, want, unless and when are jq conditions, checked like --filter. `per` gives the key: each \
key of each workspace is counted separately. An event without a key does not count. `per` and \
`value` cannot read hidden fields or free text. An observer event names its call in \
`._tap.call_sid`.

Each change of a key is a tap.alert event. Its state is `raised`, `resolved`, `unknown` (events are \
missing in the time that matters, or the key had to be forgotten) or `pending` (the input ended \
before it could be known). `since` is when that began, and the time of the event is when it changed.

Rules use the time of events: `_tap.time`, or `_tap.received_at` for observer events. Replaying a \
recording gives the same alerts as the run that made it. Live, a wait ends as soon as the connection \
shows that nothing is missing: with the next event or heartbeat of the server. Events of several \
streams of a workspace are put in order: lateness = \"2s\" at the top of the file is how much later \
an event may arrive than others, and memory = \"8MiB\" is how much each rule may remember.

--exec, --forward, --record and --publish take the alerts; -f selects, as in -f '.state == \
\"raised\"'. To fail a pipeline by an alert, use --fail-if '.state == \"raised\"'. With --cursor, \
waits go on in the next run.",
};

/// The file that `serve --scenario` plays.
const SCENARIOS: HelpTopic = HelpTopic {
    title: "Scenarios",
    text: "A scenario is a TOML file with the events of a call, or of whatever else happens in a \
workspace in a while:

  format = 1

  [variables]
  caller = \"+13035550161\"

  [[event]]
  type = \"call.started\"
  data = '{\"call_sid\":\"{{call_sid}}\",\"caller_id\":\"{{caller}}\",\"direction\":\"inbound\"}'

  [[event]]
  after = 1500
  type = \"user_transcript\"
  data = { transcript = \"My knee hurts.\" }

`after` is the pause since the event above, in milliseconds or as a duration such as \"2s\". `data` is \
JSON, which is sent exactly as written, or a table. Required fields that it lacks get synthetic \
values. The model checks types, fields and values; unchecked = true sends an event as it is. An \
undeclared type can then name its stream: stream = \"workspace\" or \"observer\".

In strings, {{name}} stands for a variable. If it is the whole string, it also takes the type of the \
value. Built in are call_sid and workspace_id, now and start (the time of the event and of the \
beginning, RFC 3339), now_seconds and start_seconds (the same in seconds of Unix time).

A performance starts when a client connects and none is running, for the workspace stream and \
observers alike. An observer who connects late receives the events before at once. The ids of \
workspace events have exactly the pauses of the file.",
};

/// Returns the topics of a command.
#[must_use]
pub fn topics(command: &str) -> &'static [HelpTopic] {
    match command {
        "alert" => &[RULES, HIDDEN, PREDICATES, FORMATS, FORWARDING, PUBLISHING, READING, LIVENESS],
        "watch" => &[
            HIDDEN, PREDICATES, RULES, FORMATS, FORWARDING, PUBLISHING, READING, SCREEN, RESUMING,
            LIVENESS,
        ],
        "observe" => &[HIDDEN, PREDICATES, FORMATS, FORWARDING, PUBLISHING, SCREEN, LIVENESS],
        "replay" => &[HIDDEN, PREDICATES, FORMATS, FORWARDING, PUBLISHING, READING, SCREEN],
        "config" => &[SETTINGS],
        "stats" => &[PREDICATES, STATISTICS],
        "timeline" => &[HIDDEN, TIMELINE],
        "expect" => &[PREDICATES],
        "serve" => &[SCENARIOS],
        _ => &[],
    }
}
