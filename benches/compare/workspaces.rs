//! One process that watches 1,000 workspaces at once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::demo_workspace;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{process, table};

/// Number of workspaces.
const WORKSPACES: u32 = 1000;

/// Number of events of each workspace.
const EVENTS: u32 = 100;

/// Time between two events of a workspace.
pub const PAUSE: Duration = Duration::from_millis(100);

/// The id of the first event; the others follow.
const FIRST_ID: u64 = 1_700_000_000_000;

/// Number of failures that are described.
const DESCRIBED: usize = 10;

/// Time until the first events, in which the streams open.
const HEAD_START: Duration = Duration::from_secs(5);

/// Processor time is reported in this many ticks per second on every Linux.
pub const TICKS: f64 = 100.0;

/// Watches all workspaces, of which each has an event every `pause`, with further arguments. Returns
/// a table, and what went wrong.
pub fn measured(evtap: &Path, pause: Duration, arguments: &[&str]) -> (String, Vec<String>) {
    let began = Instant::now();
    let address = serve(began, pause);
    let mut command = Command::new("sh");
    // Each stream is an open file.
    command.args(["-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh"]).arg(evtap);
    command.args(["watch", "-o", "ndjson", "--duration", "120s", "-n"]);
    command.arg((WORKSPACES * EVENTS).to_string());
    for number in 0..WORKSPACES {
        command.args(["-w", &demo_workspace(number)]);
    }
    command.args(arguments);
    command.env("AMIGO_API_KEY", "bench").env("AMIGO_BASE_URL", &address);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("evtap runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let reader =
        std::thread::spawn(move || lines.map(|line| (began.elapsed(), line)).collect::<Vec<_>>());
    let (mut memory, mut ticks) = (0, 0);
    while child.try_wait().expect("a child").is_none() {
        memory = memory.max(process::memory(child.id()));
        ticks = processor_ticks(child.id()).unwrap_or(ticks);
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    let lines = reader.join().expect("it reads");
    let (mut delays, failures) = check(&lines);
    delays.sort_unstable_by(f64::total_cmp);
    let at =
        |part: f64| delays.get((delays.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    let rate = f64::from(WORKSPACES) / pause.as_secs_f64();
    let with = if arguments.contains(&"--publish") { ", publishing" } else { "" };
    let mut text = format!("| {WORKSPACES} workspaces in one process{with} | |\n| --- | --- |\n");
    let _ =
        writeln!(text, "| Events | {} per second, {} in total |", table::rate(rate), lines.len());
    let _ = writeln!(text, "| Lost, repeated or out of order | {} |", failures.len());
    let _ = writeln!(text, "| Peak memory | {:.1} MiB |", memory as f64 / 1024.0);
    let cores = ticks as f64 / TICKS / took.as_secs_f64();
    let _ = writeln!(text, "| Processor | {:.0} % of a core |", cores * 100.0);
    let _ = writeln!(text, "| Latency | median {:.1} ms, p99 {:.1} ms |", at(0.5), at(0.99));
    (text, failures.into_iter().take(DESCRIBED).collect())
}

/// Returns the delay of each event in milliseconds, and the workspaces whose events are not the
/// ones that were sent, in order.
fn check(lines: &[(Duration, String)]) -> (Vec<f64>, Vec<String>) {
    let mut next: HashMap<String, u64> = HashMap::new();
    let (mut delays, mut failures) = (Vec::new(), Vec::new());
    for (arrived, line) in lines {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let workspace = event["_tap"]["workspace_id"].as_str().unwrap_or_default().to_owned();
        let id = event["_tap"]["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        let number = id.and_then(|id| id.checked_sub(FIRST_ID));
        let (Some(number), Some(sent)) = (number, event["duration_seconds"].as_f64()) else {
            failures.push(format!("{workspace}: {}", event["event_type"]));
            continue;
        };
        let next = next.entry(workspace.clone()).or_default();
        if number != *next {
            failures.push(format!("{workspace}: event {number} in place of {next}"));
        }
        *next = number + 1;
        delays.push((arrived.as_secs_f64() - sent) * 1e3);
    }
    for number in 0..WORKSPACES {
        let workspace = demo_workspace(number);
        let events = next.get(&workspace).copied().unwrap_or(0);
        if events != u64::from(EVENTS) {
            failures.push(format!("{workspace}: {events} of {EVENTS} events"));
        }
    }
    (delays, failures)
}

/// Starts a server of streams. Each event has its number, and the time at which it is sent.
/// Returns its URL.
fn serve(began: Instant, pause: Duration) -> String {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            send.send(listener.local_addr().expect("an address")).expect("it waits");
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                tokio::spawn(stream(socket, began, pause));
            }
        });
    });
    format!("http://{}", receive.recv().expect("an address"))
}

/// Serves one stream, which stays open after the last event.
async fn stream(socket: TcpStream, began: Instant, pause: Duration) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = tokio::io::BufStream::new(socket);
    let mut line = String::new();
    while socket.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).await?;
    socket.flush().await?;
    for number in 0..EVENTS {
        let due = began + HEAD_START + pause * number;
        tokio::time::sleep_until(due.into()).await;
        let text = format!(
            "id: {}\nevent: call.ended\ndata: {{\"call_sid\":\"CA{number:032}\",\
             \"completion_reason\":\"completed\",\"direction\":\"inbound\",\
             \"duration_seconds\":{:.6},\"final_state\":\"closing\",\
             \"service_id\":\"bcfbe07f-ae17-3890-34ec-2c2920d33fd4\"}}\n\n",
            FIRST_ID + u64::from(number),
            began.elapsed().as_secs_f64(),
        );
        socket.write_all(text.as_bytes()).await?;
        socket.flush().await?;
    }
    // The client closes the connection.
    socket.read_line(&mut line).await?;
    Ok(())
}

/// Returns the processor time of a running process in ticks.
pub fn processor_ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in parentheses, may contain spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}
