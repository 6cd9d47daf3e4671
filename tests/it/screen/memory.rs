//! The memory of the live screen, while it replays hostile events and shows each of its screens.

use super::Shell;
use crate::hostile::commands::corpus;
use crate::hostile::{IN_USE, memory_in_use};

#[test]
fn the_live_screen_stays_below_the_memory_limit() {
    let Some(shell) = Shell::open(120, 30) else { return };
    let path = shell.home.path().join("day.ndjson");
    corpus(&mut std::fs::File::create(path).expect("a file"));
    for buffer in ["100000,64MiB", "1000,8MiB"] {
        let binary = env!("CARGO_BIN_EXE_evtap");
        shell.line("clear");
        shell.line(&format!(
            "sh -c 'echo $$ > pid; exec {binary} replay day.ndjson --tui --reveal all --buffer {buffer}'; echo status $?"
        ));
        shell.wait_for("■ ended");
        let screens = [("1", "below"), ("2", " ended"), ("3", "valence"), ("4", "Operators")];
        for (key, expected) in screens.into_iter().chain([("5", "Events by type")]) {
            shell.send(&["g", key]);
            shell.wait_for(expected);
        }
        let pid = std::fs::read_to_string(shell.home.path().join("pid")).expect("it has an id");
        let most = memory_in_use(&format!("/proc/{}/status", pid.trim()));
        shell.send(&["q"]);
        shell.wait_for("status 0");
        assert!(most > 1000 && most < IN_USE, "{buffer}: {most} KiB");
    }
}
