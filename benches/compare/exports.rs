//! What metrics and traces cost while events arrive.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::DEMO_WORKSPACE;

use super::options::Options;
use super::table;
use super::workspaces::{TICKS, processor_ticks};

/// Events per second on the stream of the workspace.
const RATE: u32 = 5000;

/// The time in which streams open.
const HEAD_START: Duration = Duration::from_secs(1);

/// The number of seconds of a measurement.
const SECONDS: u32 = 10;

/// The number of calls that are observed for traces.
const CALLS: &str = "50";

/// A process that is ended when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A clinic that publishes 5,000 events per second.
pub struct Clinic {
    evtap: PathBuf,
    url: String,
    _server: Running,
}

impl Clinic {
    /// Starts the clinic.
    pub fn start(evtap: &Path, dir: &Path) -> Self {
        let ready = dir.join("ready");
        let _ = fs::remove_file(&ready);
        let mut server = Command::new(evtap);
        server.args(["serve", "--listen", "127.0.0.1:0", "--rate", &RATE.to_string()]);
        server.arg("--ready-file").arg(&ready).stderr(Stdio::null());
        let server = Running(server.spawn().expect("evtap runs"));
        let url = loop {
            match fs::read_to_string(&ready) {
                Ok(url) if url.ends_with('\n') => break url.trim().to_owned(),
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        Self { evtap: evtap.to_owned(), url, _server: server }
    }

    /// Watches it, and returns the share of a core that this takes, in percent. Calls `each_second`
    /// with the line that says where metrics are, if there are any.
    pub fn share(&self, arguments: &[&str], each_second: impl Fn(&str)) -> f64 {
        let mut watch = Command::new(&self.evtap);
        watch.args(["watch", "-w", DEMO_WORKSPACE, "-o", "ndjson"]).args(arguments);
        watch.env("AMIGO_API_KEY", "bench").env("AMIGO_BASE_URL", &self.url);
        watch.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut watch = Running(watch.spawn().expect("evtap runs"));
        let mut stderr = BufReader::new(watch.0.stderr.take().expect("a pipe"));
        let mut first = String::new();
        if arguments.contains(&"--metrics-listen") {
            stderr.read_line(&mut first).expect("a line");
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        std::thread::sleep(HEAD_START);
        let ticks = || processor_ticks(watch.0.id()).expect("it runs") as f64;
        let (began, before) = (Instant::now(), ticks());
        for second in 1..=SECONDS {
            each_second(&first);
            let due = began + Duration::from_secs(1) * second;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        100.0 * (ticks() - before) / TICKS / began.elapsed().as_secs_f64()
    }
}

/// Measures the share of a core with and without each. Returns a table.
pub fn measured(options: &Options, evtap: &Path, dir: &Path) -> String {
    let clinic = Clinic::start(evtap, dir);
    let collector = collector();
    let rows: [(&str, Vec<&str>, Vec<&str>); 2] = [
        (
            "`--metrics-listen`, scraped each second",
            vec![],
            vec!["--metrics-listen", "127.0.0.1:0"],
        ),
        (
            "`--otlp` with `--auto-observe 50`",
            vec!["--auto-observe", CALLS],
            vec!["--auto-observe", CALLS, "--otlp", &collector],
        ),
    ];
    let mut text = String::from(
        "| 5,000 live events per second | without | with | more |\n| --- | --- | --- | --- |\n",
    );
    for (name, before, after) in rows {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds.min(3) {
            without.push(clinic.share(&before, |_| {}));
            with.push(clinic.share(&after, scrape));
        }
        let more: Vec<_> = without.iter().zip(&with).map(|(a, b)| b - a).collect();
        let [without, with, more] = [without, with, more].map(|shares| table::median(&shares));
        let _ =
            writeln!(text, "| {name} | {without:.1} % of a core | {with:.1} % | {more:+.1} % |");
    }
    text
}

/// Scrapes the metrics whose URL is in a line.
fn scrape(line: &str) {
    let Some((_, url)) = line.split_once("http://") else { return };
    let (address, path) = url.trim_end().split_once('/').expect("a path");
    let mut socket = TcpStream::connect(address).expect("a server");
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("evtap_events_total"), "{answer}");
}

/// Starts a collector that takes all spans. Returns its URL.
fn collector() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || take(BufReader::new(socket)));
        }
    });
    url
}

/// Answers the requests of a connection.
fn take(mut socket: BufReader<TcpStream>) -> std::io::Result<()> {
    loop {
        let (mut length, mut line) = (0, String::new());
        while socket.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        std::io::copy(&mut socket.by_ref().take(length), &mut std::io::sink())?;
        socket.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")?;
    }
}
