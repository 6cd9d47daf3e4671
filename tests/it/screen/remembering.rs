//! What the screen remembers, its keys and its colours, with the real binary.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Shell;

const WORKSPACE: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

/// Opens a shell with a recording of three events.
fn shell() -> Option<Shell> {
    let shell = Shell::open(110, 24)?;
    let mut day = String::new();
    for number in 1..=3 {
        let _ = writeln!(
            day,
            "{{\"event_type\":\"call.started\",\"call_sid\":\"CA{number:032x}\",\"_tap\":{{\"id\":\"177800000{number}000\",\"workspace_id\":\"{WORKSPACE}\"}}}}"
        );
    }
    fs::write(shell.home.path().join("day.ndjson"), day).expect("a recording is written");
    Some(shell)
}

fn configure(shell: &Shell, text: &str) {
    let path = shell.home.path().join(".config/evtap/config.toml");
    fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
    fs::write(&path, text).expect("it is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its owner may");
}

fn quit(shell: &Shell) {
    shell.send(&["q"]);
    shell.wait("end", |shell| shell.modes() == "1 0 0");
    shell.line("clear");
}

#[test]
fn marks_and_the_layout_outlast_the_process() {
    let Some(shell) = shell() else { return };
    shell.start("replay day.ndjson --tui");
    shell.wait_for("complete");
    shell.send(&["-l", "gjM"]);
    shell.send(&["-l", "ask again"]);
    shell.send(&["Enter"]);
    shell.send(&["-l", "t"]);
    shell.wait_for("◆");
    quit(&shell);
    let path = shell.home.path().join(".local/state/evtap/screen.json");
    let mode = fs::metadata(&path).expect("it is written").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let saved = fs::read_to_string(&path).expect("text");
    assert!(saved.contains("ask again") && !saved.contains("call.started"), "{saved}");

    shell.start("replay day.ndjson --tui");
    shell.wait_for("◆");
    shell.send(&["'"]);
    shell.wait_for("ask again");
    shell.send(&["-l", "m"]);
    shell.wait("no mark", |shell| !shell.contents().contains("◆"));
    // The end of the process by a signal counts as well.
    shell.kill("TERM");
    shell.wait_for("status 143");
    let saved = fs::read_to_string(&path).expect("text");
    assert!(!saved.contains("ask again") && saved.contains("utc"), "{saved}");
}

#[test]
fn nothing_is_remembered_unless_it_is_wanted() {
    let Some(shell) = shell() else { return };
    for (variable, option) in [("", "--remember false"), ("EVTAP_REMEMBER=false", "")] {
        shell.line(&format!("export {variable}"));
        shell.start(&format!("replay day.ndjson --tui {option}"));
        shell.wait_for("complete");
        shell.send(&["-l", "gm"]);
        shell.wait_for("◆");
        quit(&shell);
        assert!(!shell.home.path().join(".local").exists(), "{variable} {option}");
    }
}

#[test]
fn a_damaged_state_does_not_keep_the_screen_from_starting() {
    let Some(shell) = shell() else { return };
    let directory = shell.home.path().join(".local/state/evtap");
    fs::create_dir_all(&directory).expect("it is made");
    fs::write(directory.join("screen.json"), "{\"version\": 1, \"marks\": 7").expect("a file");
    // A key would end the notice.
    shell.open_screen("replay day.ndjson --tui");
    shell.wait_for("it is damaged");
    shell.send(&["1"]);
    shell.wait_for("call.started");
    quit(&shell);
    assert!(directory.join("screen.damaged").exists() && directory.join("screen.json").exists());
}

#[test]
fn keys_and_colours_of_the_configuration_are_used_and_shown() {
    let Some(shell) = shell() else { return };
    configure(
        &shell,
        "[tui.keys]\nfilter = [\"F4\"]\npause = \"f\"\n[tui.theme]\nbase = \"light\"\ncall = \"#123456\"\n",
    );
    shell.line("export COLORTERM=truecolor");
    shell.start("replay day.ndjson --tui");
    shell.wait_for("complete");
    shell.wait_for("F4 filter");
    let colours =
        String::from_utf8_lossy(&shell.tmux(&["capture-pane", "-e", "-p"]).stdout).into_owned();
    assert!(
        colours.contains("48;2;250;250;250") && colours.contains("38;2;18;52;86"),
        "{colours:?}"
    );
    shell.send(&["f"]);
    shell.wait_for("PAUSED");
    shell.send(&["F4"]);
    shell.wait_for("Enter accept");
    // A key right after Escape would count as one with Alt.
    shell.send(&["Escape"]);
    shell.wait("end of the prompt", |shell| !shell.contents().contains("Enter accept"));
    // A theme can be tried on the screen.
    shell.send(&["-l", ":theme high"]);
    shell.send(&["Tab"]);
    shell.send(&["Enter"]);
    shell.wait("another background", |shell| {
        let seen = shell.tmux(&["capture-pane", "-e", "-p"]).stdout;
        !String::from_utf8_lossy(&seen).contains("48;2;250;250;250")
    });
    shell.send(&["?"]);
    shell.wait_for("more lines: j or f");
    shell.send(&["f"]);
    shell.wait_for("F4         edit the filter");
    shell.send(&["Escape"]);
    shell.wait("end of the help", |shell| !shell.contents().contains("Esc closes)"));
    quit(&shell);

    shell.line("export NO_COLOR=1");
    shell.start("replay day.ndjson --tui --theme light");
    shell.wait_for("complete");
    let seen =
        String::from_utf8_lossy(&shell.tmux(&["capture-pane", "-e", "-p"]).stdout).into_owned();
    // Only the colours of the terminal itself, which have the numbers 39 and 49.
    let colours = (0..=8).flat_map(|colour| [30, 40, 90, 100].map(|first| first + colour));
    for colour in colours {
        let is_used =
            [format!("[{colour}m"), format!("[{colour};")].iter().any(|code| seen.contains(code));
        assert!(!is_used, "{colour}: {seen:?}");
    }
    quit(&shell);
}
