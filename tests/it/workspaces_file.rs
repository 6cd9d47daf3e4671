//! `watch --workspaces-file` and `--shard`: which workspaces are watched while the file changes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use evtap::emulator::{Options, demo_workspace};
use evtap::transport::credential::Credential;
use serde_json::Value;

use crate::support::{Evtap, Running, emulator, evtap, fast};

/// Prepares `evtap watch` of the workspaces in the file `clinics.toml`, which writes no events.
fn watch_file(base: &str, text: &str, rest: &str) -> (Evtap, PathBuf) {
    let options = "--workspaces-file clinics.toml --status json -e tap.ended";
    let run = evtap(&format!("watch {options} {rest}")).file("clinics.toml", text);
    let path = run.path("clinics.toml");
    (run.env("AMIGO_BASE_URL", base), path)
}

fn list(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold(String::new(), |mut text, number| {
        let _ = write!(text, "[[workspaces]]\nid = \"{}\"\n\n", demo_workspace(number));
        text
    }) + "# the end\n"
}

/// Replaces a file as editors do.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).expect("written");
    std::fs::rename(&new, path).expect("renamed");
}

/// Reads lines of stderr up to the first one for which `is_last` holds.
async fn lines_until(run: &mut Running, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut lines = Vec::new();
    loop {
        let line = run.status_line().await;
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let is_over = is_last(&line);
        assert!(is_over || line["status"] != "done", "{lines:?} {line}");
        lines.push(line);
        if is_over {
            return lines;
        }
    }
}

/// Whether a line has a status and is about a workspace.
fn is(line: &Value, status: &str, number: u32) -> bool {
    line["status"] == status && line["workspace_id"] == demo_workspace(number)
}

fn is_version(line: &Value) -> bool {
    line["status"] == "workspaces"
}

/// The counts of a line about a version: watched, listed, added and removed.
fn counts(line: &Value) -> [u64; 4] {
    ["watched", "listed", "added", "removed"].map(|name| line[name].as_u64().expect("a count"))
}

#[tokio::test]
async fn added_workspaces_start_removed_ones_end_and_others_go_on() {
    let base = emulator(fast()).await;
    let (run, path) = watch_file(&base, &list([1, 2]), "--cursor positions");
    let cursor = run.path("positions");
    let mut run = run.env("AMIGO_API_KEY", "any").start();
    let mut begun = 0;
    while begun < 2 {
        let lines = lines_until(&mut run, |line| line["status"] == "connected").await;
        begun += 1;
        if begun == 1 {
            assert_eq!(counts(&lines[0]), [2, 2, 2, 0]);
        }
    }
    replace(&path, &list([1, 3]));
    let mut lines = lines_until(&mut run, |line| is(line, "connected", 3)).await;
    if !lines.iter().any(|line| is(line, "ended", 2)) {
        lines.extend(lines_until(&mut run, |line| is(line, "ended", 2)).await);
    }
    let version = lines.iter().find(|line| is_version(line)).expect("a version");
    assert_eq!(counts(version), [2, 2, 1, 1]);
    let of_first = |line: &&Value| line["workspace_id"] == demo_workspace(1);
    assert_eq!(lines.iter().find(of_first), None, "its stream goes on");

    replace(&path, &list([1, 2, 3]));
    let lines = lines_until(&mut run, |line| is(line, "connected", 2)).await;
    assert_eq!(counts(&lines[0]), [3, 3, 1, 0]);
    assert!(!lines.iter().any(|line| line["status"] == "gap"), "it resumes at its position");
    run.signal("INT");
    let (ran, positions) = run.end_and_read(&cursor).await;
    ran.ended(130);
    let positions: Value = serde_json::from_slice(&positions.expect("a cursor")).expect("JSON");
    let saved: BTreeSet<_> =
        positions["streams"].as_object().expect("the streams").keys().cloned().collect();
    assert_eq!(saved, (1..=3).map(demo_workspace).collect());
}

#[tokio::test]
async fn workspaces_of_the_command_line_are_watched_besides_those_of_the_file() {
    let base = emulator(fast()).await;
    let named = format!("-w {},{}", demo_workspace(2), demo_workspace(1));
    let (run, path) = watch_file(&base, &list([1]), &named);
    // One that the environment names is a default for runs without a file.
    let run = run.env("AMIGO_API_KEY", "any").env("AMIGO_WORKSPACE_ID", &demo_workspace(3));
    let mut run = run.start();
    let lines = lines_until(&mut run, |line| is(line, "connected", 2)).await;
    assert_eq!(counts(&lines[0]), [2, 2, 2, 0]);
    replace(&path, &list([4]));
    let lines = lines_until(&mut run, |line| is(line, "connected", 4)).await;
    let version = lines.iter().find(|line| is_version(line)).expect("a version");
    assert_eq!(counts(version), [3, 3, 1, 0]);
    run.signal("TERM");
    run.end().await.ended(143);

    let (run, _) = watch_file(&base, "workspaces = []", &named);
    let ran = run.run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("it has no API key"), "{}", ran.stderr());
    let (run, _) = watch_file(&base, &list([1]), "-w demo");
    let ran = run.env("AMIGO_API_KEY", "any").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("the demo can't be merged"), "{}", ran.stderr());
}

#[tokio::test]
async fn an_invalid_version_is_reported_and_the_one_before_stays_in_force() {
    let base = emulator(fast()).await;
    let (run, path) = watch_file(&base, &list([1]), "");
    let mut run = run.env("AMIGO_API_KEY", "any").start();
    lines_until(&mut run, |line| is(line, "connected", 1)).await;
    for (text, reason) in [
        (
            "workspace = []\n".to_owned(),
            "line 1 (workspace): no such name; did you mean workspaces?",
        ),
        (String::new(), "it has no workspaces; write workspaces = "),
        (list([1, 1]), "the workspace is listed twice; remove one"),
    ] {
        replace(&path, &text);
        let lines = lines_until(&mut run, |line| line["status"] == "warning").await;
        assert_eq!(lines.len(), 1, "the stream goes on: {lines:?}");
        let told = lines[0]["reason"].as_str().expect("text");
        assert!(told.contains("clinics.toml") && told.contains(reason), "{told}");
    }
    std::fs::remove_file(&path).expect("removed");
    let lines = lines_until(&mut run, |line| line["status"] == "warning").await;
    assert!(
        lines[0]["reason"].as_str().is_some_and(|told| told.contains("no such file")),
        "{lines:?}"
    );
    replace(&path, &list([1, 2]));
    let lines = lines_until(&mut run, is_version).await;
    assert_eq!(counts(&lines[0]), [2, 2, 1, 0]);
    run.signal("HUP");
    let lines = lines_until(&mut run, |line| is_version(line) && counts(line)[2] == 0).await;
    assert_eq!(counts(lines.last().expect("a line")), [2, 2, 0, 0], "SIGHUP reads the file again");
    run.signal("TERM");
    run.end().await.ended(143);
}

#[tokio::test]
async fn each_workspace_may_have_its_own_key() {
    const KEY: &str = "canary-key-of-a-clinic";
    let api_key = Some(Credential::new(KEY, "a test").expect("legal"));
    let base = emulator(Options { api_key, ..fast() }).await;
    let text = format!(
        "workspaces = [\n\
         {{ id = \"{}\", api_key_file = \"right.key\" }},\n\
         {{ id = \"{}\", api_key_command = [\"cat\", \"right.key\"] }},\n\
         {{ id = \"{}\", api_key_file = \"wrong.key\" }},\n\
         {{ id = \"{}\", api_key_command = [\"no-such-program\"] }},\n]\n",
        demo_workspace(1),
        demo_workspace(2),
        demo_workspace(3),
        demo_workspace(4),
    );
    let (run, path) = watch_file(&base, &text, "");
    let wrong = run.path("wrong.key");
    let run = run.file("right.key", KEY).file("wrong.key", "canary-wrong");
    let mut run = run.mode("right.key", 0o600).mode("wrong.key", 0o600).start();
    let mut expected = BTreeSet::from(["1 connected", "2 connected", "3 failed", "4 failed"]);
    while !expected.is_empty() {
        let line = run.status_line().await;
        assert!(!line.contains("canary"), "{line}");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let reason = line["reason"].as_str().unwrap_or_default();
        expected.retain(|outcome| {
            let (number, status) = outcome.split_once(' ').expect("two words");
            let id = demo_workspace(number.parse().expect("a number"));
            let is_about = line["workspace_id"] == id || reason.contains(&id);
            !(is_about && line["status"] == status)
        });
    }
    std::fs::write(wrong, KEY).expect("written");
    run.signal("HUP");
    lines_until(&mut run, |line| is(line, "connected", 3)).await;

    // Another source of the key for a stream that goes on does not disturb it.
    replace(&path, &text.replacen("right.key", "wrong.key", 1));
    let lines = lines_until(&mut run, is_version).await;
    assert_eq!(counts(lines.last().expect("a line")), [4, 4, 0, 0]);
    assert!(!lines.iter().any(|line| line["workspace_id"] == demo_workspace(1)), "{lines:?}");
    run.signal("INT");
    assert!(!run.end().await.all().contains("canary"));
}

#[tokio::test]
async fn the_run_ends_if_no_stream_is_left_and_at_once_if_the_file_is_invalid() {
    let api_key = Some(Credential::new("right", "a test").expect("legal"));
    let base = emulator(Options { api_key, ..fast() }).await;
    let (run, _) = watch_file(&base, &list([1, 2]), "");
    let ran = run.env("AMIGO_API_KEY", "wrong").run().await;
    assert_eq!(ran.ended(3), "");
    for (text, reason) in [
        (list([1]), "line 2 (id): the workspace has no API key; give the workspace"),
        ("workspaces = [1]".to_owned(), "line 1 (workspaces): wrong type"),
    ] {
        let (run, _) = watch_file(&base, &text, "");
        let ran = run.run().await;
        assert_eq!(ran.ended(2), "");
        assert!(ran.stderr().contains(reason), "{}", ran.stderr());
    }
    let (run, _) = watch_file(&base, &list([1]), "");
    let ran = run.env("AMIGO_API_KEY", "right").mode("clinics.toml", 0o666).run().await;
    assert_eq!(ran.ended(2), "");
    assert!(ran.stderr().contains("other users can write it"), "{}", ran.stderr());
}

#[tokio::test]
async fn the_shards_share_the_workspaces() {
    let base = emulator(fast()).await;
    let mut all = BTreeSet::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (run, _) = watch_file(&base, &list(1..=9), &format!("--shard {shard}"));
        let mut run = run.env("AMIGO_API_KEY", "any").start();
        let lines = lines_until(&mut run, is_version).await;
        let [watched, listed, added, _] = counts(&lines[0]);
        assert_eq!((listed, added, lines[0]["shard"].as_str()), (9, watched, Some(shard)));
        let mut own = BTreeSet::new();
        while own.len() < usize::try_from(watched).expect("few") {
            let lines = lines_until(&mut run, |line| line["status"] == "connected").await;
            own.insert(lines.last().expect("a line")["workspace_id"].to_string());
        }
        // Repeated `-w` gives the same ones.
        let given: Vec<_> = (1..=9).map(demo_workspace).collect();
        let given = given.join(",");
        let line = format!("watch --shard {shard} --status json -e tap.ended -w {given}");
        let mut same = evtap(&line).at(&base).start();
        let mut connected = BTreeSet::new();
        while connected.len() < own.len() {
            let lines = lines_until(&mut same, |line| line["status"] == "connected").await;
            connected.insert(lines.last().expect("a line")["workspace_id"].to_string());
        }
        assert_eq!(connected, own);
        assert!(own.iter().all(|id| all.insert(id.clone())), "{shard} has a workspace of another");
    }
    assert_eq!(all.len(), 9);
}

#[tokio::test]
async fn a_shard_without_workspaces_waits_for_some() {
    let base = emulator(fast()).await;
    let (run, path) = watch_file(&base, &list([1]), "--shard 2/2 --status text");
    let of_first = (1..100).find(|number| weight(*number, 1) > weight(*number, 2)).expect("one");
    replace(&path, &list([of_first]));
    let mut run = run.env("AMIGO_API_KEY", "any").start();
    let told = run.status_line().await;
    assert!(
        told.ends_with(
            "watching 0 of 1 workspaces in clinics.toml (shard 2/2): 0 added, 0 removed; waiting for the file to change\n"
        ),
        "{told}"
    );
    replace(&path, &list(1..=9));
    let told = run.status_line().await;
    assert!(told.contains(" of 9 workspaces in clinics.toml (shard 2/2): "), "{told}");
    assert!(run.status_line().await.contains("connected to workspace "));
    run.signal("INT");
    run.end().await.ended(130);

    let line = format!("watch --shard 2/2 -w {}", demo_workspace(of_first));
    let ran = evtap(&line).at(&base).run().await;
    ran.ended(2);
    assert!(
        ran.stderr().contains("no workspace belongs to shard 2/2; use fewer"),
        "{}",
        ran.stderr()
    );
}

/// Returns the weight of a shard for a demo workspace, as docs/scale.md defines it.
fn weight(workspace: u32, shard: u32) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{}/{shard}", demo_workspace(workspace)));
    u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"))
}
