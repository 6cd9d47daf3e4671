//! How long the live screen takes for a frame at 200×60 with 100,000 events at hand, for an event, and for the longest that
//! a key waits while a filter goes through all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use evtap::decode::Decoder;
use evtap::emulator::samples::sample;
use evtap::event::Kind;
use evtap::redact::{Policy, Redactor};
use evtap::source::{Form, Frame, Notes, Origin};
use evtap::tui::buffer::Limits;
use evtap::tui::feed::Fed;
use evtap::tui::held::Held;
use evtap::tui::matching::Matching;
use evtap::tui::state::{Setup, State};
use evtap::tui::style::Theme;
use evtap::tui::update::{Msg, update};
use evtap::tui::view;
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Map, Value};

const EVENTS: usize = 100_000;
const FILTER: &str = r#"(.call_sid // "") | test("7$")"#;

fn setup() -> Setup {
    Setup {
        title: "bench".to_owned(),
        revealed: Vec::new(),
        policy: Policy::default(),
        variables: Vec::new(),
        limits: Limits { events: EVENTS, bytes: 1 << 30 },
        theme: Theme { colours: true },
        zone: jiff::tz::TimeZone::UTC,
        pace: None,
    }
}

/// Events of every type in turn.
fn events() -> Vec<Held> {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let origin = Origin::default();
    let mut held = |kind: &Kind| {
        let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
        event.extend(sample(kind.spec(), &mut rng));
        let data = Value::from(event).to_string();
        let frame = Frame {
            origin: &origin,
            form: Form::Record,
            event: None,
            id: None,
            data: data.as_bytes(),
            text: None,
            received_at: None,
            fault: None,
            offset: 0,
            notes: Notes::default(),
        };
        Held::of(&redactor.redact(&decoder.decode(frame)))
    };
    Kind::ALL.iter().cycle().take(EVENTS).map(&mut held).collect()
}

fn screen(criterion: &mut Criterion) {
    let events = events();
    let mut state = State::new(setup(), (200, 60), Timestamp::UNIX_EPOCH);
    for held in &events {
        state.take(held.clone());
    }
    state.settle();

    let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("memory is a terminal");
    let mut group = criterion.benchmark_group("screen");
    for (screen, name) in view::SCREENS.iter().enumerate() {
        state.screen = screen;
        group.bench_function(format!("frame of {name}"), |bencher| {
            bencher.iter(|| black_box(terminal.draw(|frame| view::draw(&state, frame)).is_ok()));
        });
    }
    state.screen = 0;
    group.throughput(Throughput::Elements(1));
    let mut next = events.iter().cycle();
    group.bench_function("event taken", |bencher| {
        bencher.iter(|| update(&mut state, Msg::Fed(Fed::Event(next.next().expect("there are events").clone()))));
    });
    group.sample_size(10).throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("filter through all", |bencher| {
        bencher.iter(|| {
            state.filter = Matching::compile(FILTER, &[], &Policy::default()).ok();
            state.work(Instant::now() + Duration::from_secs(60));
            black_box(state.rows().len())
        });
    });
    let up = || Msg::Input(Event::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE)));
    group.bench_function("longest wait of a key while filtering", |bencher| {
        bencher.iter_custom(|times| {
            let mut longest = Duration::ZERO;
            for _ in 0..times {
                state.filter = Matching::compile(FILTER, &[], &Policy::default()).ok();
                while state.is_busy() {
                    let began = Instant::now();
                    state.work(began + Duration::from_millis(8));
                    update(&mut state, up());
                    black_box(terminal.draw(|frame| view::draw(&state, frame)).is_ok());
                    longest = longest.max(began.elapsed());
                }
            }
            longest * u32::try_from(times).unwrap_or(u32::MAX)
        });
    });
    group.finish();
}

criterion_group!(benches, screen);
criterion_main!(benches);
