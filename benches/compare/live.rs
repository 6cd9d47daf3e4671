//! Live streams, compared with `curl -N`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::DEMO_WORKSPACE;

use super::table;

/// Number of events that are sent as fast as possible.
const EVENTS: usize = 200_000;

/// Number of events, a millisecond apart, whose latency is measured.
pub const PACED: u32 = 3000;

/// Starts a server that sends events of 300 bytes, each with the time at which it is sent. Returns
/// its URL.
pub fn serve(events: usize, pause: Duration, began: Instant) -> String {
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

pub fn watch(evtap: &Path, address: &str, events: u32) -> Command {
    let mut command = Command::new(evtap);
    command.args(["watch", "--workspace", DEMO_WORKSPACE, "-o", "ndjson"]);
    command.args(["-n", &events.to_string()]);
    command.env("AMIGO_API_KEY", "bench").env("AMIGO_BASE_URL", address);
    command
}

/// Measures events per second, and the delay between the server's write and the printed line.
pub fn measured(evtap: &Path, dir: &Path, rounds: usize) -> String {
    let out = dir.join("out");
    let rate = |mut command: Command| {
        command.stdout(File::create(&out).expect("a file")).stderr(Stdio::null());
        let began = Instant::now();
        assert!(command.status().expect("it runs").success(), "it fails");
        EVENTS as f64 / began.elapsed().as_secs_f64()
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_delays, mut their_delays) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let address = || serve(EVENTS, Duration::ZERO, Instant::now());
        ours.push(rate(watch(evtap, &address(), EVENTS as u32)));
        let mut shell = Command::new("sh");
        let pipe = format!("curl -sN {} | sed -un 's/^data: //p' | jq -c .", address());
        shell.args(["-c", &pipe]);
        theirs.push(rate(shell));
        our_delays.push(delays(|address| watch(evtap, address, PACED)));
        their_delays.push(delays(|address| {
            let mut curl = Command::new("curl");
            curl.args(["-sN", address]);
            curl
        }));
    }
    let mut text = String::from("| measurement | evtap | peer |\n| --- | --- | --- |\n");
    let [ours, theirs] = [ours, theirs].map(|rates| table::rate(table::median(&rates)));
    let _ = writeln!(
        text,
        "| {EVENTS} live events | {ours} per second | `curl -N … \\| jq`: {theirs} per second |"
    );
    for (name, part) in [("median", 0.5), ("p99", 0.99)] {
        let [ours, theirs] = [&our_delays, &their_delays].map(|rounds| {
            let of = |round: &Vec<f64>| round[(round.len() as f64 * part) as usize];
            table::median(&rounds.iter().map(of).collect::<Vec<_>>())
        });
        let _ = writeln!(
            text,
            "| Latency at 1,000 events per second, {name} | {ours:.2} ms | `curl -N`: {theirs:.2} ms |"
        );
    }
    text
}

/// Returns how many milliseconds after it was sent each line was read, in ascending order.
pub fn delays(client: impl Fn(&str) -> Command) -> Vec<f64> {
    let (began, head_start) = (Instant::now(), Duration::from_millis(300));
    let address = serve(PACED as usize, Duration::from_millis(1), began + head_start);
    let mut command = client(&address);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut delays: Vec<f64> = lines
        .filter_map(|line| {
            let arrived = began.elapsed().saturating_sub(head_start);
            let (_, rest) = line.split_once("\"duration_seconds\":")?;
            let sent: u64 = rest.split(',').next()?.parse().ok()?;
            Some(arrived.saturating_sub(Duration::from_nanos(sent)).as_secs_f64() * 1e3)
        })
        .collect();
    child.wait().expect("it ends");
    assert_eq!(delays.len(), PACED as usize, "each event is printed");
    delays.sort_unstable_by(f64::total_cmp);
    delays
}
