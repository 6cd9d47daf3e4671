//! The live screen on a stream of a NATS server.

use super::Shell;
use crate::nats::reading::{bodies, filled, store};
use crate::nats::server::is_installed;

#[tokio::test]
async fn stored_events_are_shown_and_those_that_follow() {
    if !is_installed() {
        return;
    }
    let server = filled(3).await;
    let Some(shell) = Shell::open(80, 24) else { return };
    shell.start(&format!("watch --from {} --since all --tui", server.url("evtap")));
    shell.wait_for("● live");
    shell.wait_for("call.started");
    let ended = bodies(1).await[0].replace("started", "ended");
    store(&server, "call.ended", &[ended]).await;
    shell.wait_for("call.ended");
    assert!(!shell.contents().contains("Canary"), "{}", shell.contents());
    shell.send(&["q"]);
    shell.wait_for("status 0");
    shell.assert_restored();
}
