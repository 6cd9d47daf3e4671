//! Settings from options, environment variables, profiles and the configuration file, in this order
//! of precedence, and `evtap config`.

mod appearance;
mod editing;

use evtap::emulator::{DEMO_WORKSPACE, Options};
use serde_json::Value;

use crate::support::{Evtap, KEY, RunOutput, emulator, events, evtap, fast, tools};

/// An escalation, a call of 61 seconds, and one of 2 seconds.
const EVENTS: &str = r#"{"event_type":"call.escalated","call_sid":"CA1","escalation_id":"e1","trigger":"caller"}
{"event_type":"call.ended","call_sid":"CA1","direction":"inbound","completion_reason":"completed","duration_seconds":61}
{"event_type":"call.ended","call_sid":"CA2","direction":"inbound","completion_reason":"completed","duration_seconds":2}
"#;

const CONFIG: &str = r#"profile = "usual"
output = "tsv"
color = "never"

[filters]
escalations = '.event_type == "call.escalated"'
long = 'error'

[profiles.usual]
fields = ["call_sid"]

[profiles.other]
output = "ndjson"
phi = "drop"
redact = "call_sid"

[profiles.other.filters]
long = '.event_type == "call.ended" and .duration_seconds > 60'
"#;

fn replay(rest: &str) -> Evtap {
    evtap(&format!("replay - {rest}")).stdin(EVENTS).config(CONFIG)
}

/// Returns the output of `evtap config`.
async fn settings(run: Evtap) -> Value {
    let ran = run.run().await;
    serde_json::from_str::<Value>(&ran.ended(0)).expect("one object")
}

fn value_and_source(settings: &Value, name: &str) -> String {
    let setting = &settings["settings"][name];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{} {}", text(&setting["value"]), text(&setting["from"]))
}

#[tokio::test]
async fn each_layer_takes_precedence_over_those_below() {
    let layers = [
        (evtap("config -o json").config("max_frame = \"2MiB\""), "2MiB file"),
        (evtap("config -o json").config(""), "1MiB default"),
    ];
    for (run, expected) in layers {
        assert_eq!(value_and_source(&settings(run).await, "max_frame"), expected);
    }
    let file = "max_frame = \"2MiB\"\nworkspace = \"a\"\n[profiles.x]\nmax_frame = \"3MiB\"\nworkspace = [\"b\", \"c\"]";
    let all = |line: &str| evtap(line).config(file);
    for (run, frame, workspace) in [
        (all("config -o json --profile x"), "3MiB profile", "b,c profile"),
        (all("config -o json").env("EVTAP_PROFILE", "x"), "3MiB profile", "b,c profile"),
        (
            all("config -o json --profile x")
                .env("EVTAP_MAX_FRAME", "4MiB")
                .env("AMIGO_WORKSPACE_ID", "d"),
            "4MiB environment",
            "d environment",
        ),
        (
            all("config -o json --profile x -- --max-frame 5MiB -w e,f")
                .env("EVTAP_MAX_FRAME", "4MiB")
                .env("AMIGO_WORKSPACE_ID", "d"),
            "5MiB option",
            "e,f option",
        ),
    ] {
        let settings = settings(run).await;
        assert_eq!(
            (
                value_and_source(&settings, "max_frame").as_str(),
                value_and_source(&settings, "workspace").as_str()
            ),
            (frame, workspace)
        );
    }
}

#[tokio::test]
async fn settings_act_like_options() {
    assert_eq!(replay("").run().await.ended(0), "call_sid\nCA1\nCA1\nCA2\n");
    assert_eq!(
        replay("--fields direction").run().await.ended(0),
        "direction\n\"\"\ninbound\ninbound\n"
    );
    assert_eq!(
        replay("-q .duration_seconds").run().await.ended(0),
        "null\n61\n2\n",
        "the file's output is no conflict"
    );
    let other = replay("--profile other").run().await.ended(0);
    assert_eq!(events(&other).len(), 3);
    assert!(!other.contains("CA1"), "redacted by the file, and dropped: {other}");
    // Fields hidden by the file stay hidden, whatever an option hides in addition.
    let more = replay("--profile other --redact direction").run().await.ended(0);
    assert!(!more.contains("CA1") && !more.contains("inbound"), "{more}");
    let variable = replay("--profile other").env("EVTAP_REDACT", "direction").run().await.ended(0);
    assert_eq!(variable, more);
    assert_eq!(replay("-o ndjson").env("EVTAP_WRAP", "1").run().await.ended(0).lines().count(), 3);
    let off = replay("-o ndjson --fail-on-gap=false").config("fail_on_gap = true").run().await;
    assert_eq!(off.ended(0).lines().count(), 3);
}

#[tokio::test]
async fn a_setting_yields_to_a_conflicting_option() {
    if !tools::time_zones() {
        return;
    }
    let toml = "tz = \"Europe/Berlin\"\ntimestamps = \"local\"\nfields = \"call_sid\"\nphi = \"hash\"\nphi_key_file = \"none.key\"";
    for rest in [
        "-o pretty --timestamps utc --phi mask",
        "-o cloudevents --phi mask",
        "-o ndjson --phi drop",
        "-q .call_sid --phi mask",
    ] {
        let ran = evtap(&format!("replay - {rest}")).stdin(EVENTS).config(toml).run().await;
        assert_eq!(ran.ended(0).lines().count(), 3, "{rest}");
        assert_eq!(ran.stderr(), "", "{rest}");
    }
    let ran = evtap("replay -").stdin(EVENTS).config(toml).run().await;
    ran.ended(2);
    assert!(
        ran.stderr().contains("config/evtap/none.key"),
        "a path is from where the file is: {}",
        ran.stderr()
    );
}

#[tokio::test]
async fn named_filters_can_be_used_in_options() {
    for (rest, expected) in [
        ("--filter @escalations", 1),
        ("--profile other -f @long", 1),
        ("--profile other --until @long", 2),
    ] {
        assert_eq!(
            events(&replay(&format!("-o ndjson {rest}")).run().await.ended(0)).len(),
            expected,
            "{rest}"
        );
    }
    let counted = evtap("stats - -o json --profile other -f @long")
        .stdin(EVENTS)
        .config(CONFIG)
        .run()
        .await
        .ended(0);
    assert!(counted.contains("call.ended") && !counted.contains("call.escalated"), "{counted}");
    let steps = ["--then", "@escalations", "--then", "within 5m @long"];
    let met = steps.into_iter().fold(evtap("expect --replay - --profile other"), Evtap::arg);
    let met = met.stdin(EVENTS).config(CONFIG).run().await.ended(0);
    assert_eq!(met.lines().filter(|line| line.starts_with("met ")).count(), 2, "{met}");
    for (rest, message) in [
        (
            "-f @escalation",
            "cannot use --filter @escalation: the configuration has no such filter; did you mean escalations?",
        ),
        (
            "-f @nothing",
            "cannot use --filter @nothing: the configuration has no such filter; it has escalations, long",
        ),
    ] {
        let ran = replay(rest).run().await;
        assert_eq!(ran.ended(2), "");
        assert!(ran.stderr().contains(message), "{}", ran.stderr());
    }
    let wrong = replay("-f @short").config("[filters]\nshort = '.durations < 3'").run().await;
    wrong.ended(2);
    assert!(
        wrong
            .stderr()
            .contains("cannot use --filter @short: no event has `.durations`; did you mean"),
        "{}",
        wrong.stderr()
    );
    let none = evtap("replay - -f @x").stdin(EVENTS).run().await;
    none.ended(2);
    // A jq format such as `@json` is not the name of a filter.
    assert_eq!(
        replay("-o ndjson --no-check -f").arg("@json \"x\"").run().await.ended(0).lines().count(),
        3
    );
}

/// Asserts that the configuration is refused with that message, which quotes no value.
async fn assert_refused(toml: &str, message: &str) {
    let ran = evtap("replay -").stdin(EVENTS).config(toml).run().await;
    assert_eq!(ran.ended(2), "", "{toml}");
    let (stderr, expected) = (ran.stderr(), format!("config.toml, line {message}"));
    assert!(stderr.contains(&expected), "{stderr} is not {expected}");
    assert!(!stderr.to_lowercase().contains("canary"), "a value is quoted: {stderr}");
}

#[tokio::test]
async fn mistakes_in_a_file_are_reported_with_their_line_and_without_values() {
    for (toml, message) in [
        ("ouput = \"canary\"", "1 (ouput): no such setting; did you mean output?"),
        ("\n[profiles.x]\ncolour = \"canary\"", "3 (colour): no such setting; did you mean color?"),
        ("frobnicate = 1", "1 (frobnicate): no such setting; `evtap config` lists the settings"),
        ("# x\ncolor = \"canary\"", "2 (color): invalid value; give one of auto, always, never"),
        ("color = \"alway\"", "1 (color): invalid value; did you mean always?"),
        ("output = \"canary\"", "1 (output): invalid value; give pretty, "),
        ("max_reconnects = \"canary\"", "1 (max_reconnects): invalid value; "),
        ("max_reconnects = 12.5", "1 (max_reconnects): wrong type; give a string"),
        ("insecure_http = \"canary\"", "1 (insecure_http): wrong type; give true or false"),
        (
            "fields = [1979-05-27]",
            "1 (fields): wrong type; give a string, or several as [\"one\", \"other\"]",
        ),
        ("workspace = { canary = 1 }", "1 (workspace): wrong type; "),
        ("wrap = true\nwrap = \"canary\"", "2: invalid TOML; "),
        ("color = canary", "1: invalid TOML; write name = \"value\"; "),
        ("\n\ncolor = \"canary", "3: invalid TOML; "),
        (
            "api_key = \"canary\"",
            "1 (api_key): an API key in a configuration file is easily shared by accident; use api_key_file or api_key_command",
        ),
        ("[profiles.x]\napi_key = \"canary\"", "2 (api_key): "),
        (
            "api_key_file = \"canary\"\napi_key_command = \"canary\"",
            "2 (api_key_file, api_key_command): only one of them can be set; ",
        ),
        ("profile = 1", "1 (profile): not a string; "),
        (
            "profiles = 1",
            "1 (profiles): not a table; write its settings below [profiles], one per line",
        ),
        ("[filters]\n\"a b\" = \".canary\"", "2 (a b): invalid filter name; "),
        ("[filters]\na = 1", "2 (a): not a string; "),
    ] {
        assert_refused(toml, message).await;
    }
    let ran = evtap("replay -").stdin(EVENTS).config("profile = \"x\"\n[profiles.y]").run().await;
    ran.ended(2);
    assert!(
        ran.stderr().contains("cannot use the profile x: ") && ran.stderr().contains("it has y"),
        "{}",
        ran.stderr()
    );
    for (line, variable, message) in [
        (
            "replay - --config none.toml",
            None,
            "cannot use the configuration none.toml: no such file; ",
        ),
        (
            "replay - --profile x",
            None,
            "cannot use the profile x: no configuration file; create one with `evtap config init`",
        ),
        (
            "replay -",
            Some(("EVTAP_COLOR", "canary")),
            "cannot use the environment's EVTAP_COLOR: invalid value; ",
        ),
    ] {
        let run = variable.into_iter().fold(evtap(line), |run, (name, value)| run.env(name, value));
        let ran = run.stdin(EVENTS).run().await;
        assert_eq!(ran.ended(2), "", "{line}");
        assert!(
            ran.stderr().contains(message) && !ran.stderr().contains("canary"),
            "{}",
            ran.stderr()
        );
    }
    // An error of a later stage also names the line of the file.
    let ran = evtap("watch --workspace demo").config("\nread_timeout = \"soon\"").run().await;
    ran.ended(2);
    assert!(
        ran.stderr().contains("read_timeout is set in ")
            && ran.stderr().contains("config.toml, line 2\n"),
        "{}",
        ran.stderr()
    );
}

#[tokio::test]
async fn an_error_names_the_line_of_its_setting() {
    let line = "watch --workspace demo";
    for (toml, rest, set) in [
        ("phi = \"hash\"\nphi_key_file = \"none\"", "", Some("phi_key_file is set in ")),
        ("output = \"template={{\"", "", Some("output is set in ")),
        ("redact = [\"nothing\"]", "--redact call_sid", Some("redact is set in ")),
        ("read_timeout = \"1m\"", "--read-timeout soon", None),
        ("order = \"time\"", "--order-window soon", None),
    ] {
        let ran = evtap(&format!("{line} {rest}")).config(toml).run().await;
        ran.ended(2);
        match set {
            Some(set) => assert!(ran.stderr().contains(set), "{toml}: {}", ran.stderr()),
            None => assert!(!ran.stderr().contains("is set in"), "{toml}: {}", ran.stderr()),
        }
    }
}

#[tokio::test]
async fn a_configuration_file_cannot_reveal_anything() {
    for (toml, message) in [
        (
            "reveal = \"caller_id\"",
            "1 (reveal): hidden fields can be revealed on the command line only; give --reveal on the command line",
        ),
        ("[profiles.x]\nreveal = [\"all\"]", "2 (reveal): "),
        (
            "phi = \"partial\"",
            "1 (phi): partial shows more than the default, which only the command line can allow; give --phi partial",
        ),
        ("scrub = \"none\"", "1 (scrub): none shows more than the default, "),
    ] {
        assert_refused(toml, message).await;
    }
    let event = r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+12025550123","direction":"inbound","service_id":"s"}"#;
    for (name, value) in
        [("EVTAP_REVEAL", "all"), ("EVTAP_PHI", "partial"), ("EVTAP_SCRUB", "none")]
    {
        let ran = evtap("replay -").stdin(event).env(name, value).run().await;
        assert!(!ran.all().contains("5550123") && !ran.all().contains("..23"), "{}", ran.all());
    }
}

#[tokio::test]
async fn files_that_others_can_write_or_passwords_that_others_can_read_are_refused() {
    let path = "config/evtap/config.toml";
    for mode in [0o620, 0o602, 0o666] {
        let ran = evtap("replay -")
            .stdin(EVENTS)
            .config("output = \"ndjson\"")
            .mode(path, mode)
            .run()
            .await;
        assert_eq!(ran.ended(2), "");
        assert!(
            ran.stderr().contains("other users can write it, and could redirect your API key; "),
            "{}",
            ran.stderr()
        );
    }
    let proxy = "proxy = \"http://me:canary@proxy.example.com:3128\"";
    let ran = evtap("replay -").stdin(EVENTS).config(proxy).mode(path, 0o644).run().await;
    assert_eq!(ran.ended(2), "");
    assert!(
        ran.stderr().contains("it holds a password, and other users can read the file; ")
            && !ran.all().contains("canary")
    );
    assert_eq!(
        evtap("replay - -o ndjson")
            .stdin(EVENTS)
            .config(proxy)
            .run()
            .await
            .ended(0)
            .lines()
            .count(),
        3
    );
}

/// Watches one event at `base`, with a key that the file or the environment provides.
async fn watch_with_key(toml: &str, base: &str, prepare: impl Fn(Evtap) -> Evtap) -> RunOutput {
    let config = format!("base_url = \"{base}\"\nworkspace = \"{DEMO_WORKSPACE}\"\n{toml}");
    prepare(evtap("watch -n 1").file("right.key", KEY).file("wrong.key", "wrong").config(&config))
        .run()
        .await
}

#[tokio::test]
async fn the_key_comes_from_the_highest_layer_that_has_one() {
    let key = std::env::temp_dir().join(format!("evtap-key-{}", std::process::id()));
    std::fs::write(&key, KEY).expect("a key");
    let credential = evtap::transport::credential::Credential::read(&key).expect("legal");
    std::fs::remove_file(&key).expect("it was made");
    let base = emulator(Options { api_key: Some(credential), ..fast() }).await;
    let unchanged = |run: Evtap| run;
    let file = "api_key_file = \"../../right.key\"";
    let command = "api_key_command = \"cat right.key; echo canary >&2\"";
    for toml in
        [file, command, &format!("api_key_file = \"../../wrong.key\"\n[profiles.x]\n{command}\n")]
    {
        let prepare = |run: Evtap| {
            if toml.contains("profiles") { run.env("EVTAP_PROFILE", "x") } else { run }
        };
        let ran = watch_with_key(toml, &base, prepare).await;
        assert_eq!(events(&ran.ended(0)).len(), 1, "{toml}");
        assert!(!ran.all().contains("canary"));
    }
    // The environment takes precedence over the file, and an option over both.
    assert_eq!(
        watch_with_key("api_key_command = \"echo wrong\"", &base, |run| run
            .env("AMIGO_API_KEY", KEY))
        .await
        .status(),
        0
    );
    assert_eq!(
        watch_with_key(file, &base, |run| run.env("AMIGO_API_KEY", "wrong")).await.status(),
        3
    );
    assert_eq!(
        watch_with_key(file, &base, |run| run.env("EVTAP_API_KEY_COMMAND", "echo wrong"))
            .await
            .status(),
        3
    );
    assert_eq!(
        watch_with_key(file, &base, |run| run.arg("--api-key-command").arg("echo wrong"))
            .await
            .status(),
        3
    );
    let option =
        |run: Evtap| run.env("AMIGO_API_KEY", "wrong").arg("--api-key-file").arg("right.key");
    assert_eq!(watch_with_key("api_key_command = \"echo wrong\"", &base, option).await.status(), 0);
    let failed = watch_with_key(
        "api_key_command = \"echo canary; echo canary >&2; exit 7\"",
        &base,
        unchanged,
    )
    .await;
    assert_eq!(failed.ended(3), "");
    let message = "cannot get the API key from --api-key-command: it exited with status 7; run the command by itself to see its error\n";
    assert!(
        failed.stderr().contains(message) && !failed.all().contains("canary"),
        "{}",
        failed.stderr()
    );
}

#[tokio::test]
async fn config_shows_the_settings_without_secrets() {
    let file = "api_key_command = \"CANARY_ID=canary hidden-program canary\"\nproxy = \"http://me:canary@proxy.example.com:3128\"\nbase_url = \"https://me:canary@a.example\"\n";
    for format in ["text", "json"] {
        for (line, api_key, from) in [("config -o", "", ""), ("config -o", KEY, "AMIGO_API_KEY")] {
            let run = evtap(&format!("{line} {format}")).config(if api_key.is_empty() {
                file
            } else {
                ""
            });
            let run = if api_key.is_empty() { run } else { run.env("AMIGO_API_KEY", api_key) };
            let shown = run
                .env("HTTPS_PROXY", "http://me:canary@other.example.com:3128")
                .run()
                .await
                .ended(0);
            assert!(!shown.contains("canary"), "{shown}");
            assert!(shown.contains(from) && shown.contains("://***@"), "{shown}");
            assert!(
                shown.contains("(hidden)")
                    && !shown.contains("CANARY")
                    && !shown.contains("program"),
                "{shown}"
            );
        }
    }
    let shown = evtap("config --profile other").config(CONFIG).run().await.ended(0);
    for row in [
        "profile  other, by --profile",
        "color             never                          file, line 3",
        "phi               drop                           profile other, line 14",
        "base_url          https://api.platform.amigo.ai  default",
        "@escalations  .event_type == \"call.escalated\"  file, line 6",
    ] {
        assert!(shown.contains(row), "{row} is not in {shown}");
    }
    for (line, variable, by) in [
        ("config", "other", "EVTAP_PROFILE"),
        ("config --profile other", "", "--profile"),
        ("config --profile other", "other", "--profile"),
    ] {
        let run = || evtap(line).config(CONFIG).env("EVTAP_PROFILE", variable);
        let shown = run().run().await.ended(0);
        assert!(shown.contains(&format!("profile  other, by {by}\n")), "{shown}");
        let json = run().arg("-o").arg("json").run().await.ended(0);
        assert!(json.contains(&format!("\"profile\":\"other\",\"profile_by\":\"{by}\"")), "{json}");
    }
    let wrong = evtap("config -- --ouput x").run().await;
    wrong.ended(2);
    assert!(
        wrong.stderr().contains(
            "cannot use --ouput: `evtap watch` has no such option; did you mean --output?"
        ),
        "{}",
        wrong.stderr()
    );
}
