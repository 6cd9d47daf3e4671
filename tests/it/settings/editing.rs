//! `evtap config init` and `evtap config set-profile`, which write the configuration file.

use std::os::unix::fs::PermissionsExt;

use crate::support::evtap;

#[tokio::test]
async fn config_init_writes_an_example_and_set_profile_keeps_comments() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("config/evtap/config.toml");
    let at = |line: &str| {
        evtap(line).env("XDG_CONFIG_HOME", home.path().join("config").to_str().expect("text"))
    };
    let read = || std::fs::read_to_string(&path).expect("a file");
    let mode = || std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(at("config path").run().await.ended(0).trim_end(), path.display().to_string());
    at("config init").run().await.ended(0);
    let example = read();
    assert_eq!(mode(), 0o600);
    let again = at("config init").run().await;
    assert_eq!(again.ended(2), "");
    assert!(
        again.stderr().contains("it already exists; edit it, or use `evtap config set-profile`"),
        "{}",
        again.stderr()
    );

    let pairs = "output=ndjson max_reconnects=3 wrap=true redact=call_sid,direction filters.long=.duration_seconds>60";
    at(&format!("config set-profile staging {pairs}")).run().await.ended(0);
    let written = read();
    let expected = "[profiles.staging]\noutput = \"ndjson\"\nmax_reconnects = 3\nwrap = true\nredact = [\"call_sid\", \"direction\"]\n\n[profiles.staging.filters]\nlong = \".duration_seconds>60\"\n";
    assert_eq!(written, format!("{example}\n{expected}"));
    assert_eq!(mode(), 0o600);
    std::fs::write(&path, written.replace("\nwrap = true", "\nwrap = true # long lines"))
        .expect("written");
    at("config set-profile staging wrap=false output= filters.long=").run().await.ended(0);
    let edited = read();
    assert!(
        edited.contains("\nwrap = false # long lines\n")
            && !edited.contains("\noutput = ")
            && !edited.contains("long = \".d"),
        "{edited}"
    );
    assert!(edited.starts_with(&example));

    for (pairs, message) in [
        ("ouput=canary", "cannot set ouput: no such setting; did you mean output?"),
        ("api_key=canary", "cannot set api_key: an API key in a configuration file"),
        (
            "reveal=caller_id",
            "cannot set reveal: hidden fields can be revealed on the command line only",
        ),
        ("color=canary", "(color): invalid value; give one of auto, always, never"),
        ("canary", "cannot set the profile: an argument has no =; "),
    ] {
        let ran = at(&format!("config set-profile staging {pairs}")).run().await;
        assert_eq!(ran.ended(2), "", "{pairs}");
        assert!(
            ran.stderr().contains(message) && !ran.stderr().contains("canary"),
            "{}",
            ran.stderr()
        );
    }
    assert_eq!(read(), edited, "a mistake changes nothing");
}
