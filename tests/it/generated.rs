//! Generated files are up to date, and the help, the man pages and the documentation agree.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Parser;
use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE};
use evtap::error::Exit;
use evtap::internals::cli::args::manual;
use evtap::internals::cli::args::{self, Cli};

use crate::support::{bash, emulator, evtap, fast, tools};

/// Returns the names and contents of the files in a directory.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let entries =
        std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).expect("text"))).collect()
}

#[tokio::test]
async fn checked_in_files_are_up_to_date() {
    for what in ["man", "completions"] {
        let fresh = tempfile::tempdir().expect("a directory");
        evtap(&format!("generate {what} --dir"))
            .arg(fresh.path().to_str().expect("UTF-8"))
            .run()
            .await
            .ended(0);
        let (fresh, here) =
            (files(fresh.path()), files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(what)));
        let command = format!("rm {what}/*; cargo run -- generate {what} --dir {what}");
        assert_eq!(
            here.keys().collect::<Vec<_>>(),
            fresh.keys().collect::<Vec<_>>(),
            "other files in {what}/; mend it with\n{command}"
        );
        for (name, text) in &fresh {
            assert!(here[name] == *text, "{what}/{name} is out of date; mend it with\n{command}");
        }
    }
}

#[tokio::test]
async fn a_single_page_or_script_is_printed_to_stdout() {
    let page = evtap("generate man watch").run().await.ended(0);
    assert!(page.contains(".TH \"EVTAP-WATCH\" \"1\"") && page.contains(".SH EXAMPLES"), "{page}");
    assert!(evtap("generate completions zsh").run().await.ended(0).starts_with("#compdef evtap\n"));
    let ran = evtap("generate man wotch").run().await;
    assert!(ran.stderr().contains("did you mean watch?"), "{}", ran.stderr());
    ran.ended(2);
    evtap("generate completions").run().await.ended(2);
}

#[test]
fn every_exit_status_is_documented() {
    let page = include_str!("../../docs/exit-status.md");
    let table = page.split("| status | when |\n| --- | --- |\n").nth(1).expect("a table");
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<_> =
        Exit::ALL.iter().map(|exit| format!("| {} | {} |", *exit as u8, exit.when())).collect();
    assert_eq!(rows, expected, "docs/exit-status.md differs from the documentation of `Exit`");
}

/// The man page and docs/configuration.md list every variable that the code reads.
#[test]
fn every_environment_variable_is_documented() {
    fn collect_variables(dir: &Path, found: &mut Vec<String>) {
        let names = regex::Regex::new(
            r#"(?:env::var(?:_os)?\(|env = |set\(|VARIABLE: &str = )"([A-Z_]+)""#,
        )
        .expect("a regex");
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect_variables(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(path).expect("text");
                found.extend(names.captures_iter(&text).map(|name| name[1].to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    collect_variables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(
        found.contains(&"AMIGO_API_KEY".to_owned()) && found.contains(&"NO_COLOR".to_owned()),
        "{found:?}"
    );
    let page = include_str!("../../man/evtap.1");
    let configuration = include_str!("../../docs/configuration.md");
    for name in found {
        assert!(
            page.contains(&format!("\\fB{name}\\fR")),
            "{name} is not in ENVIRONMENT of src/cli/commands/generate/man.rs"
        );
        assert!(
            configuration.contains(&format!("`{name}`")),
            "{name} is not in docs/configuration.md"
        );
    }
}

#[test]
fn every_command_has_examples() {
    for command in args::definition()
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let examples = manual::examples(command.get_name());
        assert!(
            !examples.is_empty(),
            "{} has no examples in src/cli/args/manual.rs",
            command.get_name()
        );
        assert!(
            examples
                .iter()
                .all(|example| example.line.contains(&format!("evtap {}", command.get_name())))
        );
        assert!(
            command.get_after_long_help().is_some(),
            "the help of {} lacks them",
            command.get_name()
        );
    }
}

/// Runs the examples as they are written, against a fast emulator. Of commands that do not end by
/// themselves, it reads only the beginning.
#[tokio::test]
async fn the_examples_of_the_manual_run() {
    let base = emulator(fast()).await;
    let home = tempfile::tempdir().expect("a home");
    for dir in [".local/share/bash-completion/completions", ".config/fish/completions", ".zfunc"] {
        std::fs::create_dir_all(home.path().join(dir)).expect("a directory");
    }
    let run = async |line: &str| {
        let mut command = bash(home.path(), line);
        command
            .env("AMIGO_API_KEY", "key")
            .env("AMIGO_BASE_URL", &base)
            .env("SID", "CAf834d81db411b9c9c76eda0e33a2725c");
        command
            .env("WORKSPACE", DEMO_WORKSPACE)
            .env("ONE", DEMO_WORKSPACE)
            .env("OTHER", "1b4e28ba-2fa1-11d2-883f-0016d3cca427");
        let ran = tokio::process::Command::from(command).output().await.expect("bash runs");
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    run("evtap watch -w demo --demo-rate 2000 -n 500 > day.ndjson; echo key > amigo.key; chmod 600 amigo.key; printf '[rule.calls]\\nwhen = \".call_sid\"\\nper = \".call_sid\"\\ncount = 1\\nwithin = \"1s\"\\n' > rules.toml").await;
    run("printf 'event: call.ended\\ndata: {}\\n\\n' > capture.sse; echo '.event_type == \"call.started\"' > steps.txt").await;
    run("mkdir monday tuesday; tee monday/1.ndjson < day.ndjson > tuesday/1.ndjson").await;
    run("printf '[[workspaces]]\\nid = \"d3300000-0000-4000-8000-%012d\"\\n' {1..20} > clinics.toml")
        .await;
    let root = args::definition();
    let commands = root.get_subcommands().map(clap::Command::get_name).chain(["evtap"]);
    for example in commands.flat_map(manual::examples) {
        // An event that may not occur in a fast emulator is looked up in a recording.
        let line = example
            .line
            .replace("watch -w demo -f", "replay day.ndjson -f")
            .replace(" demo", " demo --demo-rate 2000")
            .replace("-c \"$SID\"", &format!("-c {DEMO_CALL}"));
        let needs_more = [
            "--tui",
            "--forward",
            "4318",
            "--metrics-listen",
            "Ctrl-C",
            "evtap serve",
            "evtap frames",
            "nats://",
            "man -l",
        ]
        .iter()
        .any(|part| line.contains(part) || example.does.contains(part));
        if needs_more {
            let words = line.split(" | ").next().expect("a command").split_whitespace();
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        } else if tools::available_for(&line) {
            // An audit that finds something exits with 7.
            run(&format!("{line} | head -n 1 || [[ $? = [78] ]]")).await;
        }
    }
}
