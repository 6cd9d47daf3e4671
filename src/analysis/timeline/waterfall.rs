//! Where the time of each turn goes, as a waterfall with percentiles.

use std::io::{self, Write};

use super::clock;
use super::lanes::{CallLanes, TimedTurn};
use super::picture::key;
use crate::analysis::latency::TurnLatency;
use crate::analysis::page::axis::{duration, round_step};
use crate::analysis::page::chart::side;
use crate::analysis::page::svg::{Svg, SvgArea};
use crate::analysis::stats::histogram::DurationHistogram;
use crate::analysis::stats::text::span;
use crate::text::units::count;

/// The number of turns that have a row. The slowest ones are shown.
const MAX_TURNS: usize = 60;

/// The height of a row, in pixels.
const HEIGHT: f64 = 18.0;

/// A part of a turn: its class, its name, and its length in milliseconds.
type TurnPart = (&'static str, &'static str, fn(&TurnLatency) -> f64);

/// The parts in order of time. The engine's time includes navigation and rendering.
const PARTS: [TurnPart; 4] = [
    ("nav", "navigation", |turn| turn.navigation),
    ("wording", "render", |turn| turn.render),
    ("model", "model", |turn| (turn.engine - turn.navigation - turn.render).max(0.0)),
    ("tts", "speech", |turn| turn.speech),
];

/// Returns the length of the bar of a turn.
fn total(turn: &TurnLatency) -> f64 {
    PARTS.iter().map(|(.., part)| part(turn)).sum::<f64>().max(turn.first_audio)
}

fn histogram(turns: &[TimedTurn], value: impl Fn(&TurnLatency) -> f64) -> DurationHistogram {
    let mut durations = DurationHistogram::default();
    for turn in turns {
        durations.add(value(&turn.latency));
    }
    durations
}

/// Returns the percentiles of the time to first audio.
pub(super) fn first_audio(lanes: &CallLanes) -> Option<[f64; 3]> {
    histogram(&lanes.turns, |turn| turn.first_audio).percentiles()
}

/// Writes the waterfall of a call with turns.
///
/// # Errors
/// Fails if `page` does.
pub(super) fn waterfall(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let Some([p50, p95, p99]) = first_audio(lanes) else { return Ok(()) };
    let turns = slowest(&lanes.turns);
    let longest = turns.iter().map(|turn| total(&turn.latency)).fold(1.0, f64::max);
    let place = |millis: f64| millis * 100.0 / longest;
    let slowest = turns.iter().map(|turn| turn.latency.first_audio).fold(0.0, f64::max);
    page.write_all(b"<ul class=\"legend\">")?;
    for (class, name, _) in PARTS {
        let meaning = if class == "model" { "model (the rest of the engine)" } else { name };
        key(page, class, meaning)?;
    }
    page.write_all(b"</ul>\n<table class=\"waterfall\">\n<thead><tr><th scope=\"col\">Turn</th>")?;
    let mut axis = Svg::decoration("axis", 44.0);
    let step = round_step(longest, 4.0);
    let (mut at, mut number) = (0.0, 0);
    while at <= longest {
        axis.line("tick", (place(at), 39.0), (place(at), 44.0));
        axis.text(side(place(at), number), (place(at), 36.0), 0.0, &duration(at));
        at += step;
        number += 1;
    }
    for (name, millis, y) in [("p50", p50, 9.0), ("p95", p95, 21.0)] {
        let (class, shift) =
            if place(millis) > 60.0 { ("end mark", -3.0) } else { ("start mark", 3.0) };
        axis.line("percentile", (place(millis), y - 9.0), (place(millis), 44.0));
        axis.text(class, (place(millis), y), shift, &format!("{name} {}", span(millis)));
    }
    write!(
        page,
        "<td>{}</td><th scope=\"col\" class=\"number\">First audio</th></tr></thead>\n<tbody>\n",
        axis.finish()
    )?;
    for turn in &turns {
        let latency = &turn.latency;
        let parts: Vec<_> =
            PARTS.iter().map(|(_, name, part)| format!("{name} {}", span(part(latency)))).collect();
        let label = parts.join(", ");
        let mut svg = Svg::new("bar", HEIGHT, &label);
        let mut from = 0.0;
        for (class, name, part) in PARTS {
            let millis = part(latency);
            if millis > 0.0 {
                let area = SvgArea::new(place(from), 3.0, place(millis), HEIGHT - 6.0);
                svg.rect(class, area, &format!("{name} {}", span(millis)));
            }
            from += millis;
        }
        for millis in [p50, p95] {
            svg.line("percentile", (place(millis), 0.0), (place(millis), HEIGHT));
        }
        let is_slowest = turns.len() > 2 && latency.first_audio >= slowest;
        let (class, mark) = if is_slowest { (" class=\"slowest\"", "▲ ") } else { ("", "") };
        writeln!(
            page,
            "<tr{class}><th scope=\"row\">{} <span class=\"quiet\">{}</span></th><td>{}</td>\
             <td class=\"number\">{mark}{}</td></tr>",
            turn.number,
            clock(turn.at),
            svg.finish(),
            span(latency.first_audio)
        )?;
    }
    page.write_all(b"</tbody>\n</table>\n")?;
    let left_out = lanes.turns.len() - turns.len();
    if left_out > 0 {
        let left_out = count(left_out as u64);
        writeln!(page, "<p class=\"note\">{left_out} faster turns are left out.</p>")?;
    }
    percentiles(lanes, [p50, p95, p99], page)
}

/// Returns the slowest turns in order of time.
fn slowest(turns: &[TimedTurn]) -> Vec<TimedTurn> {
    let mut slowest = turns.to_vec();
    slowest.sort_by(|one, other| other.latency.first_audio.total_cmp(&one.latency.first_audio));
    slowest.truncate(MAX_TURNS);
    slowest.sort_by_key(|turn| turn.number);
    slowest
}

fn percentiles(lanes: &CallLanes, first_audio: [f64; 3], page: &mut dyn Write) -> io::Result<()> {
    page.write_all(
        b"<table class=\"percentiles\">\n<thead><tr><th scope=\"col\">Part</th>\
          <th scope=\"col\" class=\"number\">p50</th><th scope=\"col\" class=\"number\">p95</th>\
          <th scope=\"col\" class=\"number\">p99</th></tr></thead>\n<tbody>\n",
    )?;
    let mut row = |name: &str, percentiles: [f64; 3]| {
        write!(page, "<tr><th scope=\"row\">{name}</th>")?;
        for millis in percentiles {
            write!(page, "<td class=\"number\">{}</td>", span(millis))?;
        }
        page.write_all(b"</tr>\n")
    };
    row("first audio", first_audio)?;
    for (_, name, part) in PARTS {
        if let Some(percentiles) = histogram(&lanes.turns, part).percentiles() {
            row(name, percentiles)?;
        }
    }
    page.write_all(b"</tbody>\n</table>\n")
}
