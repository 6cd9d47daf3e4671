//! What is seen on the live screen of the real binary stays in place, and failures stay visible.

use std::net::TcpListener;

use super::{DEMO, Shell};

/// Returns a line of the screen, counted from 0.
fn line(shell: &Shell, number: usize) -> String {
    shell.contents().lines().nth(number).unwrap_or_default().to_owned()
}

#[test]
fn a_refused_connection_stays_on_the_screen_with_its_remedy() {
    let Some(shell) = Shell::open(100, 30) else { return };
    let port = {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
        closed.local_addr().expect("an address").port()
    };
    std::fs::write(shell.home.path().join("key"), "key-of-a-test\n").expect("a key is written");
    shell.line("chmod 600 key");
    shell.start(&format!(
        "watch --workspace 1b4e28ba-2fa1-11d2-883f-0016d3cca427 --tui --api-key-file key \
         --base-url http://127.0.0.1:{port} --max-reconnects 0"
    ));
    shell.wait_for("■ failed");
    shell.wait_for("✗ ");
    let seen = shell.contents();
    for key in ["2", "3", "4", "5"] {
        shell.send(&[key]);
        shell.wait("failure", |shell| line(shell, 2).starts_with(" ✗ "));
    }
    shell.send(&["q"]);
    // The command line that ran it is on the screen, too.
    shell.wait("end", |shell| shell.contents().lines().any(|line| line.starts_with("status ")));
    let failure: Vec<_> = seen.lines().skip(2).take(2).flat_map(str::split_whitespace).collect();
    let printed = shell.contents();
    let printed: Vec<_> = printed.split_whitespace().collect();
    let matching = failure.iter().skip(1).filter(|word| printed.contains(word)).count();
    assert!(matching > 5, "the same message is printed at the end: {failure:?}\n{printed:?}");
}

#[test]
fn an_open_detail_does_not_change_while_events_arrive() {
    let Some(shell) = Shell::open(120, 40) else { return };
    shell.start(DEMO);
    shell.wait_for("● live");
    shell.wait("a full list", |shell| line(shell, 30).contains(':'));
    shell.send(&["Enter", "Enter", "j"]);
    shell.wait_for("+ to filter");
    let detail = |shell: &Shell| {
        let seen = shell.contents();
        let lines = seen.lines().skip(2).take(10);
        lines.map(|line| line.chars().skip(61).collect()).collect::<Vec<String>>()
    };
    let (opened, counted) = (detail(&shell), line(&shell, 0));
    shell.wait("more events", |shell| line(shell, 0) != counted);
    shell.wait_for("below");
    assert_eq!(opened, detail(&shell));
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn a_pause_keeps_its_events_and_says_what_it_dropped() {
    let Some(shell) = Shell::open(80, 24) else { return };
    shell.start("watch --workspace demo --tui --demo-rate 500 --buffer 1000");
    shell.wait("a full list", |shell| line(shell, 20).contains(':'));
    shell.send(&["k", "k", "m", "Space"]);
    shell.wait_for("PAUSED");
    let rows = |shell: &Shell| {
        shell.contents().lines().skip(2).take(20).map(str::to_owned).collect::<Vec<_>>()
    };
    let paused = rows(&shell);
    shell.wait_for("not kept");
    assert_eq!(paused, rows(&shell));
    assert!(paused.iter().any(|row| row.starts_with('◆')), "{paused:?}");
    shell.send(&["4"]);
    shell.wait("no pause", |shell| !shell.contents().contains("PAUSED"));
    shell.send(&["?", "q"]);
    shell.wait("the board", |shell| line(shell, 1).contains("4 Board") && shell.modes() == "0 1 1");
    shell.send(&["q"]);
    shell.wait_for("status 0");
}
