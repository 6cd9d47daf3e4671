//! What the long help and the man pages say about a command beyond its options.

/// Something that people need to know of a command.
#[derive(Debug, Clone, Copy)]
pub struct HelpTopic {
    /// Its heading.
    pub title: &'static str,
    /// Paragraphs with empty lines between them. Where lines begin with blanks, they stand as they are.
    pub text: &'static str,
}

const PREDICATES: HelpTopic = HelpTopic {
    title: "Predicates",
    text: "Expressions are jq, the whole language, run on what is shown: of what is hidden they see the mask. Before anything \
connects, each is held against the model of events: what no event can have, be or satisfy is an error that says what was \
meant, what may surprise is a warning (--no-check silences both). `evtap schema` lists all events, `evtap schema EVENT` the \
fields of one.",
};

const HIDDEN: HelpTopic = HelpTopic {
    title: "What is hidden",
    text: "Every field of every event has a class; `evtap schema --phi` lists what is hidden and why. phi (annotated by the \
platform, in any version of its contract) and sensitive (plainly identifying) are hidden, whatever their JSON type. free is \
prose: shown, with what looks like a telephone number, an address, a date, a card or a record number masked in it; it may \
still name people. open is shown. Fields and events that are not in the model are hidden too, nested keys included; their \
names are shown, and reported as drift.

`_tap.redacted` names what is hidden in an event, `_tap.scrubbed` the prose in which something was masked. Pseudonyms (--phi \
hash) and the last two characters (--phi partial) are no de-identified data. The same policy holds for everything that evtap \
writes: lines, recordings, the live screen, errors.",
};

const RESUMING: HelpTopic = HelpTopic {
    title: "Resuming",
    text: "The server replays what bears a greater id than the one it is asked for, and several events can share a \
millisecond; and a server whose clock is set back publishes below what it has published. So evtap asks from before the last \
millisecond that it has seen, by as long as it was away, and drops what it has delivered, known by id and content. A repeat that the server sends by itself is dropped too, and the event after it says so (repeat_dropped in \
`_tap.drift`, as are missing_id, backward_id and odd_id).

Where events are missing, or may be, a tap.gap line stands in the stream, with one of these reasons:

  away_too_long  the stream was away for longer than the five minutes that the server keeps
  replay_late    the server's replay begins later than asked, as after a restart
  beyond_buffer  --since names a moment that the server no longer keeps
  no_position    there was no id to resume from
  ids_went_back  the first id is so low that the server's clock must have been set back, further than was asked for
  replay_broken  five connections and more broke within the replay, so that less of it was asked for
  observer_down  a call's socket was down; nothing of it is kept

Two things nobody can see: an event that the server published below ids which it had published before, while no one was \
connected, by more than was asked for again (as long as evtap was away, 50 ms, and the last 64 events or 30 s; once ids have \
gone back, twice as far as they did), if ids are beyond those again on the return; and a server that restarts without its \
buffer while the stream is older than five minutes, or before its first event.

With --cursor, stdout is flushed, then the record, then the cursor moves. So whatever kills evtap, stdout gets each event at \
least once, and --record exactly once: evtap looks at the record's end before it appends, and mends a last line that was torn. \
The cursor is replaced whole and forced to disk once a second and at the end; after a loss of power it may be a second old. It \
holds ids and hashes of open fields, nothing that is hidden. It is for workspaces: of a call nothing is replayed, so observe \
has neither --cursor nor --since.",
};

const FORMATS: HelpTopic = HelpTopic {
    title: "Formats",
    text: "ndjson is an object a line: the fields as they arrived, to the digit, then `_tap`, which is what evtap knows of the event. \
json is one array, closed by a limit or a signal too. csv and tsv have the columns of --fields, or the same seven for any event; \
csv keeps to RFC 4180. cloudevents are those of version 1.0, structured, one a line: `data` is the line of ndjson, `source` the \
stream's path on the platform, `subject` the call, surface or session. Their `id` has a hash of the event's open fields, and a \
count where events are alike in these, since several can share a millisecond; it is the same in every run. `evtap replay` reads \
ndjson and cloudevents again, to the byte. In lines for people, ids are cut first, and a ~ before the type marks what the model \
did not expect.",
};

const FORWARDING: HelpTopic = HelpTopic {
    title: "Forwarding",
    text: "--forward posts each event that is shown, redacted as shown, one at a time and in order. What becomes of the answer:

  2xx                      on to the next event
  none, 408, 425, 429, 5xx tried again, up to --forward-retries, after longer and longer waits (Retry-After is heeded)
  401, 403, 404, 405, 3xx  the end, with status 1: nothing would get through
  another 4xx              told and counted; the status is 8 with --fail-on-gap

A slow endpoint slows the stream; a batch (256 events or 1 MiB) is all that waits. --cursor moves once the endpoint has taken the \
events, so each is delivered at least once. Headers, which may hold a secret, are shown nowhere; @FILE keeps them out of the list \
of processes. Plain http goes to this machine only, unless --insecure-http is given.",
};

const FIGURES: HelpTopic = HelpTopic {
    title: "Figures",
    text: "Percentiles are exact of up to 256 measurements and within 0.1 % of more. Memory doesn't grow with the stream: only so \
many names are told apart, and the rest is `(other)`. -o json has one shape: every member is always there, times are milliseconds, \
null stands for a percentile of nothing. --every writes a row for each stretch of time that has events, by their own time; on a \
live stream for every stretch, by the clock.",
};

const TIMELINE: HelpTopic = HelpTopic {
    title: "The course of a call",
    text: "Pieces of speech are one utterance, tools stand below the tool that they are part of, silence (--quiet) and holes have \
lines of their own. Observers' events have times of arrival only; where events of the workspace have been recorded with both \
clocks, those are moved to the platform's. In lines for people, events of which nothing else is made are cut at the edge; json and \
html have all of them, and -e and -E choose. An observer's events that don't say which call they are of belong to the session that was \
announced before them. At most 50,000 events of a call are kept, or 64 MiB of them.

A live call is followed until it is over; Ctrl-C tells what has come so far. The page of -o html is one file that loads nothing \
and runs nothing, light or dark, and prints; what --reveal shows is announced in red.",
};

const SCREEN: HelpTopic = HelpTopic {
    title: "The live screen",
    text: "--tui shows the stream, the calls, one call, the board of the workspace, and numbers; ? lists the keys. It keeps the \
newest 100,000 events, or 64 MiB of them (--buffer). What is hidden never gets into it: no key reveals anything, only --reveal \
does, and the header then says so in alarm colours. What is copied or saved is what is seen.",
};

const LIVENESS: HelpTopic = HelpTopic {
    title: "Liveness",
    text: "A connection that brings nothing, not even a comment or a pong, is opened anew (--read-timeout), and so is one over \
which the machine has slept. A key that is refused in the middle of a day is read again, from --api-key-file or by --api-key-command, before \
evtap gives up. What waits between the socket and a slow reader is at most 16 MiB; then the socket waits.",
};

const SETTINGS: HelpTopic = HelpTopic {
    title: "Settings",
    text: "Options go before the environment, that before the profile, that before the top of the file, and that before the \
defaults. Every setting is an option of `watch` by the same name, with _ for -; its variable is EVTAP_ and its name in capitals, \
such as EVTAP_OUTPUT, if the option has none of its own. A path in the file is from where the file is. A key stands in no file \
of settings: api_key_file names one, api_key_command prints it. A file can hide more than a run without it, and never less: \
`reveal`, `phi = \"partial\"` and `scrub = \"none\"` in it are errors.

A filter of the table [filters], at the top or in a profile, is used as `--filter @NAME`.

  profile = \"staging\"
  output = \"ndjson\"

  [filters]
  escalations = '.event_type == \"call.escalated\"'

  [profiles.staging]
  base_url = \"https://staging.example.com\"
  api_key_command = \"pass show amigo/staging\"",
};

/// What is to be known of a command.
#[must_use]
pub fn topics(command: &str) -> &'static [HelpTopic] {
    match command {
        "watch" => &[HIDDEN, PREDICATES, FORMATS, FORWARDING, SCREEN, RESUMING, LIVENESS],
        "observe" => &[HIDDEN, PREDICATES, FORMATS, FORWARDING, SCREEN, LIVENESS],
        "replay" => &[HIDDEN, PREDICATES, FORMATS, FORWARDING, SCREEN],
        "config" => &[SETTINGS],
        "stats" => &[PREDICATES, FIGURES],
        "timeline" => &[HIDDEN, TIMELINE],
        "expect" => &[PREDICATES],
        _ => &[],
    }
}
