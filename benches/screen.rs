//! The live screen: the time of a frame at 200×60 with 100,000 events, of an added event, and the
//! longest wait of a key while a filter goes through all events or uses all of its steps on one.
//!
//! Then the real binary in a pseudo-terminal: its processor time when idle and at 5,000 and 20,000
//! events per second, its frame rate, and how soon it answers keys meanwhile.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use evtap::emulator::samples::sample;
use evtap::internals::output::stored_event::StoredEvent;
use evtap::internals::tui::buffer::BufferLimits;
use evtap::internals::tui::config::ScreenConfig;
use evtap::internals::tui::filter::FilterTask;
use evtap::internals::tui::incremental::advance;
use evtap::internals::tui::message::ScreenMessage;
use evtap::internals::tui::screen::Screen;
use evtap::internals::tui::selection::keep_visible;
use evtap::internals::tui::state::State;
use evtap::internals::tui::style::{Depth, Theme};
use evtap::internals::tui::time_slice::TimeSlice;
use evtap::internals::tui::update::{Msg, update};
use evtap::internals::tui::view;
use evtap::model::Kind;
use evtap::model::decode::Decoder;
use evtap::model::{Frame, FrameFlags, FrameFormat, Origin};
use evtap::redact::{Policy, Redactor};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Map, Value};

const EVENTS: usize = 100_000;
const FILTER: &str = r#"(.call_sid // "") | test("7$")"#;

fn setup() -> ScreenConfig {
    ScreenConfig {
        title: "bench".to_owned(),
        limits: BufferLimits { events: EVENTS, bytes: 1 << 30 },
        theme: Theme::new(Depth::TrueColour, None),
        ..ScreenConfig::default()
    }
}

/// Returns events of every type in turn.
fn events() -> Vec<StoredEvent> {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let origin = Origin::default();
    let mut stored = |kind: &Kind| {
        let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
        event.extend(sample(kind.spec(), &mut rng));
        let data = Value::from(event).to_string();
        let frame = Frame {
            origin: &origin,
            format: FrameFormat::Record,
            event: None,
            id: None,
            data: data.as_bytes(),
            text: None,
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        };
        StoredEvent::new(&redactor.redact(&decoder.decode(frame)))
    };
    Kind::ALL.iter().cycle().take(EVENTS).map(&mut stored).collect()
}

fn screen(criterion: &mut Criterion) {
    let events = events();
    let mut state = State::new(setup(), (200, 60), Timestamp::UNIX_EPOCH);
    for stored in &events {
        state.add_event(stored.clone());
    }
    keep_visible(&mut state);

    let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("memory is a terminal");
    let mut group = criterion.benchmark_group("screen");
    for screen in Screen::ALL {
        state.screen = *screen;
        group.bench_function(format!("frame of {}", screen.title()), |bencher| {
            bencher.iter(|| black_box(terminal.draw(|frame| view::draw(&state, frame)).is_ok()));
        });
    }
    state.screen = Screen::Stream;
    group.throughput(Throughput::Elements(1));
    let mut next = events.iter().cycle();
    group.bench_function("event taken", |bencher| {
        bencher.iter(|| {
            update(
                &mut state,
                Msg::Pipeline(ScreenMessage::Event(next.next().expect("there are events").clone())),
            );
        });
    });
    group.sample_size(10).throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("filter through all", |bencher| {
        bencher.iter(|| {
            state.filter = FilterTask::compile(FILTER, &setup()).ok();
            advance(&mut state, TimeSlice::with_events(EVENTS));
            black_box(state.rows().len())
        });
    });
    let up = || Msg::Input(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE)));
    group.bench_function("longest wait of a key while filtering", |bencher| {
        bencher.iter_custom(|times| {
            let mut longest = Duration::ZERO;
            for _ in 0..times {
                state.filter = FilterTask::compile(FILTER, &setup()).ok();
                while state.is_busy() {
                    let began = Instant::now();
                    let until = began + Duration::from_millis(8);
                    advance(&mut state, TimeSlice::with_events(4096).until(until));
                    update(&mut state, up());
                    black_box(terminal.draw(|frame| view::draw(&state, frame)).is_ok());
                    longest = longest.max(began.elapsed());
                }
            }
            longest * u32::try_from(times).unwrap_or(u32::MAX)
        });
    });
    let expensive = "[range(1000000)] | length > 0";
    group.bench_function("an event on which a filter uses all its steps", |bencher| {
        bencher.iter_custom(|times| {
            let mut taken = Duration::ZERO;
            for _ in 0..times {
                state.filter = FilterTask::compile(expensive, &setup()).ok();
                let began = Instant::now();
                advance(&mut state, TimeSlice::with_events(1));
                taken += began.elapsed();
                assert!(state.filter.is_none(), "it is stopped");
            }
            taken
        });
    });
    group.finish();
}

/// How long the processor time of the binary is measured.
const MEASUREMENT: Duration = Duration::from_secs(6);

/// Number of keys that are pressed and timed.
const KEYS: u32 = 20;

/// Words of the help.
const HELP: [&str; 5] = ["closes)", "Movement", "move down", "go to the oldest", "Screens"];

/// The binary in a pseudo-terminal. A separate thread reads its output.
struct RealScreen {
    child: Child,
    keyboard: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl RealScreen {
    fn start(arguments: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).expect("it is ours");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave =
            File::from(rustix::fs::open(name, flags, Mode::empty()).expect("its other end"));
        tcsetwinsize(&master, Winsize { ws_row: 60, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        let mut command = Command::new(env!("CARGO_BIN_EXE_evtap"));
        command.args(arguments.split(' ')).env("TERM", "xterm-256color").env("COLORFGBG", "15;0");
        command
            .stdin(slave.try_clone().expect("a copy"))
            .stdout(slave.try_clone().expect("a copy"))
            .stderr(slave);
        let child = command.spawn().expect("it starts");
        let keyboard = File::from(master);
        let (mut output, seen) =
            (keyboard.try_clone().expect("a copy"), Arc::<Mutex<Vec<u8>>>::default());
        let output_so_far = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            while let Ok(read @ 1..) = output.read(&mut chunk) {
                output_so_far.lock().expect("nobody broke it").extend_from_slice(&chunk[..read]);
            }
        });
        Self { child, keyboard, seen }
    }

    /// Takes the output since the last call.
    fn take_output(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.seen.lock().expect("nobody broke it")))
            .into_owned()
    }

    /// Presses a key and waits until one of the answers is on the screen. Returns the output
    /// meanwhile. A letter that was in the same place before is not written again.
    fn press(&mut self, key: &[u8], answers: &[&str]) -> String {
        self.keyboard.write_all(key).expect("it reads");
        let (began, mut seen) = (Instant::now(), String::new());
        while !answers.iter().any(|answer| seen.contains(answer)) {
            assert!(began.elapsed() < Duration::from_secs(10), "no answer to a key");
            std::thread::sleep(Duration::from_micros(500));
            seen += &self.take_output();
        }
        seen
    }

    /// Returns the processor time that it has used.
    fn processor(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        let ticks: u64 = [11, 12].map(|at| fields[at].parse::<u64>().expect("ticks")).iter().sum();
        Duration::from_millis(ticks * 10)
    }
}

/// Prints the processor time, the frame rate and the response times of the binary.
fn real(_: &mut Criterion) {
    let day = std::env::temp_dir().join(format!("evtap-bench-{}.ndjson", std::process::id()));
    std::fs::write(&day, "{\"event_type\":\"call.started\"}\n").expect("a recording");
    let idle = format!("replay {} --tui", day.display());
    for (name, arguments) in [
        ("idle", idle.as_str()),
        ("5,000 events/s", "watch --workspace demo --demo-rate 5000 --tui"),
        ("20,000 events/s", "watch --workspace demo --demo-rate 20000 --tui"),
        ("calls, 20,000 events/s", "watch --workspace demo --demo-rate 20000 --tui"),
    ] {
        let mut real = RealScreen::start(arguments);
        std::thread::sleep(Duration::from_secs(2));
        if name.starts_with("calls") {
            real.press(b"2", &["Calls"]);
        }
        real.take_output();
        let (began, before) = (Instant::now(), real.processor());
        std::thread::sleep(MEASUREMENT);
        let (processor, wall) = (real.processor().saturating_sub(before), began.elapsed());
        // A frame begins by hiding the cursor.
        let frames =
            u32::try_from(real.take_output().matches("\u{1b}[?25l").count()).unwrap_or(u32::MAX);
        let mut waits: Vec<_> = (0..KEYS)
            .map(|_| {
                let pressed = Instant::now();
                real.press(b"?", &HELP);
                let waited = pressed.elapsed();
                real.press(b"\x1b", &["REDACTED"]);
                waited
            })
            .collect();
        waits.sort_unstable();
        let ended = Instant::now();
        let end = real.press(b"q", &[" event"]);
        real.child.wait().expect("it ends");
        std::thread::sleep(Duration::from_millis(50));
        let end = end + &real.take_output();
        let events = end.split("\u{1b}[?25h").last().and_then(|rest| {
            rest.split(" event").next()?.split_whitespace().last()?.parse::<f64>().ok()
        });
        let seconds = (ended - began).as_secs_f64() + 2.0;
        let share = processor.as_secs_f64() / wall.as_secs_f64() * 100.0;
        let _ = writeln!(
            std::io::stdout(),
            "screen/real, {name}: {:.0} events/s, {share:.1} % of a processor, {:.1} frames/s, keys answered after {:?} (median), {:?} (longest of {KEYS})",
            events.unwrap_or_default() / seconds,
            f64::from(frames) / wall.as_secs_f64(),
            waits[waits.len() / 2],
            waits[waits.len() - 1],
        );
    }
    let _ = std::fs::remove_file(day);
}

criterion_group!(benches, screen, real);
criterion_main!(benches);
