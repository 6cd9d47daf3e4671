//! Live streams, compared with `curl -N`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::DEMO_WORKSPACE;

use crate::{EVTAP, Run, measure};

/// Starts a server that sends events of 300 bytes, each with the time at which it is sent. Returns
/// its URL.
fn serve(events: usize, pause: Duration, began: Instant) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        request(&mut socket);
        socket.set_nodelay(true).expect("a socket");
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        socket.write_all(head.as_bytes()).expect("somebody reads");
        let mut batch = String::new();
        for event in 0..events {
            if !pause.is_zero() {
                let due = began + pause * u32::try_from(event).expect("few");
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let sent = began.elapsed().as_nanos();
            let text = format!(
                "id: {}\nevent: call.ended\ndata: {{\"call_sid\":\"CA{:032}\",\"completion_reason\":\"completed\",\"direction\":\"inbound\",\"duration_seconds\":{sent},\"turn_count\":12,\"final_state\":\"closing\",\"service_id\":\"bcfbe07f-ae17-3890-34ec-2c2920d33fd4\"}}\n\n",
                1_700_000_000_000 + event,
                event
            );
            batch.push_str(&text);
            if !pause.is_zero() || batch.len() > 60_000 || event + 1 == events {
                // A client that has enough closes the connection.
                if socket.write_all(batch.as_bytes()).is_err() {
                    return;
                }
                batch.clear();
            }
        }
    });
    address
}

fn request(socket: &mut TcpStream) {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    while reader.read_line(&mut line).expect("a request") > 2 {
        line.clear();
    }
}

fn watch(address: &str, events: usize) -> Command {
    let mut command = Command::new(EVTAP);
    command.args([
        "watch",
        "--workspace",
        DEMO_WORKSPACE,
        "-o",
        "ndjson",
        "-n",
        &events.to_string(),
    ]);
    command.env("AMIGO_API_KEY", "bench").env("AMIGO_BASE_URL", address);
    command
}

/// Measures events per second, and the delay between the server's write and the printed line.
pub fn measured(dir: &Path, rounds: usize, table: &mut String) {
    const EVENTS: usize = 200_000;
    let out: PathBuf = dir.join("out");
    let timed = |mut command: Command| {
        command.stdout(File::create(&out).expect("a file")).stderr(Stdio::null());
        let began = Instant::now();
        assert!(command.status().expect("it runs").success(), "it fails");
        began.elapsed()
    };
    let ours = || timed(watch(&serve(EVENTS, Duration::ZERO, Instant::now()), EVENTS));
    let theirs = || {
        let address = serve(EVENTS, Duration::ZERO, Instant::now());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("curl -sN {address} | sed -un 's/^data: //p' | jq -c .")]);
        timed(shell)
    };
    let size = EVENTS as u64 * 300;
    let runs: [Run<'_>; 2] =
        [("evtap watch", size, Box::new(ours)), ("curl -N | jq", size, Box::new(theirs))];
    measure("F 200,000 live events", rounds, table, &runs);
    for (name, is_ours) in [("evtap", true), ("curl -N", false)] {
        let began = Instant::now();
        let events = 3000;
        let address = serve(events, Duration::from_millis(1), began + Duration::from_millis(300));
        let mut command = if is_ours {
            watch(&address, events)
        } else {
            let mut curl = Command::new("curl");
            curl.args(["-sN", &address]);
            curl
        };
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let lines =
            BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut late: Vec<Duration> = lines
            .filter_map(|line| {
                let arrived = began.elapsed();
                let (_, rest) = line.split_once("\"duration_seconds\":")?;
                let sent: u64 = rest.split(',').next()?.parse().ok()?;
                Some(
                    arrived
                        .saturating_sub(Duration::from_millis(300))
                        .saturating_sub(Duration::from_nanos(sent)),
                )
            })
            .collect();
        child.wait().expect("it ends");
        late.sort_unstable();
        let at = |part: f64| late[(late.len() as f64 * part) as usize].as_secs_f64() * 1e3;
        let _ = writeln!(
            table,
            "  {name:20} later than sent: p50 {:.2} ms, p99 {:.2} ms",
            at(0.5),
            at(0.99)
        );
    }
}
