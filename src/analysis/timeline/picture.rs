//! The picture of a call: lanes below each other with one time axis.

use std::io::{self, Write};

use super::clock;
use super::lanes::{CallLanes, LaneSpan, SpanLook, TimedTurn};
use crate::analysis::call::transcript::Speaker;
use crate::analysis::page::axis::{TimeScale, since_start};
use crate::analysis::page::chart::side;
use crate::analysis::page::escape;
use crate::analysis::page::svg::{Svg, SvgArea};
use crate::analysis::stats::text::span;
use crate::output::pretty::width_of;
use crate::text::units::counted;

/// The heights of lanes, in pixels.
const ROW: f64 = 24.0;
const CURVE: f64 = 64.0;

/// The height of a span in a lane, in pixels.
const SPAN: f64 = 16.0;

/// The width of a lane for which labels are placed, in pixels. On a wider page they have more room.
const WIDTH: f64 = 720.0;

/// The width of a character of a label, in pixels.
const CHARACTER: f64 = 6.4;

/// The number of bars that can be told apart.
const BARS: i64 = 200;

/// The number of labels of the time axis.
const TICKS: i64 = 8;

/// The meanings of patterns and marks: a class, and what it stands for.
const LEGEND: &[(&str, &str)] = &[
    ("caller", "caller"),
    ("agent", "agent"),
    ("filler", "filler"),
    ("cut", "interrupted"),
    ("toolok", "tool, ok"),
    ("toolbad", "tool, failed"),
    ("toolopen", "tool, no answer"),
    ("gap", "gap: events are missing"),
    ("silence", "no events"),
];

/// A lane under construction.
struct Lane<'a> {
    lanes: &'a CallLanes,
    svg: Svg,
}

impl<'a> Lane<'a> {
    /// Begins a lane with lines at the labels of the time axis, and with gaps and silences.
    fn new(lanes: &'a CallLanes, height: f64, label: &str) -> Self {
        let mut svg = Svg::new("lane", height, label);
        let (ticks, _) = lanes.scale.ticks(TICKS);
        for tick in ticks {
            let place = lanes.scale.place(tick);
            svg.line("grid", (place, 0.0), (place, height));
        }
        let mut lane = Self { lanes, svg };
        for silence in &lanes.silences {
            lane.rect("silence", silence, (0.0, height));
        }
        for gap in &lanes.gaps {
            let class = if gap.look == SpanLook::Bad { "gap" } else { "gap possible" };
            lane.rect(class, gap, (0.0, height));
        }
        lane
    }

    fn area(&self, span: &LaneSpan, (y, height): (f64, f64)) -> SvgArea {
        let (from, to) = (self.lanes.scale.place(span.from), self.lanes.scale.place(span.to));
        SvgArea::new(from, y, to - from, height)
    }

    fn rect(&mut self, class: &'static str, span: &LaneSpan, height: (f64, f64)) {
        let area = self.area(span, height);
        self.link(span, |svg| svg.rect(class, area, &span.title));
    }

    fn link(&mut self, span: &LaneSpan, draw: impl FnOnce(&mut Svg)) {
        match span.entry {
            Some(entry) => {
                self.svg.begin_link(entry);
                draw(&mut self.svg);
                self.svg.end_link();
            }
            None => draw(&mut self.svg),
        }
    }

    fn finish(self, page: &mut dyn Write, name: &str) -> io::Result<()> {
        write_lane(page, name, &self.svg.finish())
    }

    /// Writes the labels of spans where there is room: inside, or else after the span, or before
    /// it. The first of a span's labels that fits is taken.
    fn labels(&mut self, spans: &[LaneSpan], y: f64) {
        let mut taken = 0.0;
        for (at, span) in spans.iter().enumerate() {
            let area = self.area(span, (y, SPAN));
            let end = area.x + area.width.max(0.3);
            let next = spans.get(at + 1).map_or(100.0, |next| self.lanes.scale.place(next.from));
            let baseline = y + SPAN - 4.0;
            let tone = match span.look {
                SpanLook::Bad => ["bad outside", "bad before"],
                SpanLook::Notable => ["warn outside", "warn before"],
                _ => ["outside", "before"],
            };
            for label in span.labels.iter().filter(|label| !label.is_empty()) {
                let needed = percent(width_of(label));
                if area.width >= needed && span.look != SpanLook::Bad {
                    self.svg.clipped_text("inside", area, label);
                } else if next - end >= needed {
                    self.svg.text(tone[0], (end, baseline), 5.0, label);
                    taken = end + needed;
                    break;
                } else if area.x - taken >= needed {
                    self.svg.text(tone[1], (area.x, baseline), -5.0, label);
                } else {
                    continue;
                }
                taken = end;
                break;
            }
        }
    }
}

/// Returns the width of a label in percent of a lane.
fn percent(columns: usize) -> f64 {
    let columns = u32::try_from(columns).unwrap_or(u32::MAX);
    (f64::from(columns) * CHARACTER + 12.0) * 100.0 / WIDTH
}

fn write_lane(page: &mut dyn Write, name: &str, svg: &str) -> io::Result<()> {
    writeln!(page, "<div class=\"lane\"><span class=\"name\">{}</span>{svg}</div>", escape(name))
}

/// Writes the picture and its legend.
///
/// # Errors
/// Fails if `page` does.
pub(super) fn picture(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    // A long call gets a wide picture, which is scrolled.
    let length = match lanes.scale.length() {
        ..300_000 => "short",
        300_000..1_200_000 => "medium",
        _ => "long",
    };
    writeln!(
        page,
        "<div class=\"scroll\" role=\"region\" aria-label=\"Lanes of the call\" tabindex=\"0\">\n\
         <div class=\"lanes {length}\">"
    )?;
    axis(lanes.scale, page)?;
    if !lanes.steps.is_empty() {
        steps(lanes, page)?;
    }
    if !lanes.states.is_empty() {
        states(lanes, page)?;
    }
    let is_said = lanes.speech.iter().any(|(_, spans)| !spans.is_empty());
    for (speaker, spans) in lanes.speech.iter().filter(|_| is_said) {
        speech(lanes, *speaker, spans, page)?;
    }
    tools(lanes, page)?;
    if !lanes.emotions.is_empty() {
        emotion(lanes, page)?;
    }
    if !lanes.turns.is_empty() {
        latency(lanes, page)?;
    }
    page.write_all(b"</div>\n</div>\n")?;
    legend(lanes, page)
}

fn axis(scale: TimeScale, page: &mut dyn Write) -> io::Result<()> {
    let (ticks, step) = scale.ticks(TICKS);
    let mut svg = Svg::decoration("axis", 20.0);
    for tick in ticks {
        let place = scale.place(tick);
        svg.line("tick", (place, 15.0), (place, 20.0));
        svg.text(side(place, 0), (place, 11.0), 0.0, &since_start(tick, step));
    }
    write_lane(page, "min:s", &svg.finish())
}

fn steps(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let notable = lanes.steps.iter().filter(|step| step.look == SpanLook::Notable);
    let names: Vec<_> =
        notable.map(|step| format!("{} {}", clock(step.from), step.label())).take(10).collect();
    let label =
        format!("{}; notable: {}", counted(lanes.steps.len() as u64, "step"), names.join(", "));
    // Neighbouring labels are in two rows, so that more of them have room.
    let mut lane = Lane::new(lanes, 2.0 * ROW - 6.0, &label);
    let notable: Vec<_> =
        lanes.steps.iter().filter(|step| step.look == SpanLook::Notable).cloned().collect();
    for step in &lanes.steps {
        let row =
            notable.iter().position(|other| other.from == step.from && other.title == step.title);
        let y = if row.is_some_and(|row| row % 2 == 1) { ROW + 5.0 } else { 12.0 };
        let x = lanes.scale.place(step.from).clamp(0.6, 99.4);
        let class = if step.look == SpanLook::Notable { "notable" } else { "step" };
        let radius = if step.look == SpanLook::Notable { 4.5 } else { 3.0 };
        lane.link(step, |svg| svg.circle(class, (x, y), radius, &step.title));
    }
    for row in 0..2 {
        let own: Vec<_> = notable.iter().skip(row).step_by(2).cloned().collect();
        lane.labels(&own, if row == 0 { 4.0 } else { ROW - 3.0 });
    }
    lane.finish(page, "steps")
}

fn states(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = lanes.states.iter().map(LaneSpan::label).take(20).collect();
    let mut lane = Lane::new(lanes, ROW, &format!("States: {}", names.join(", ")));
    for (at, state) in lanes.states.iter().enumerate() {
        let class = if at % 2 == 0 { "state" } else { "state odd" };
        lane.rect(class, state, (3.0, SPAN + 2.0));
        let area = lane.area(state, (3.0, SPAN + 2.0));
        lane.svg.clipped_text("inside", area, state.label());
    }
    lane.finish(page, "state")
}

fn speech(
    lanes: &CallLanes,
    speaker: Speaker,
    spans: &[LaneSpan],
    page: &mut dyn Write,
) -> io::Result<()> {
    let cut = spans.iter().filter(|said| said.look == SpanLook::Bad).count() as u64;
    let name = speaker.name();
    let interrupted = if cut > 0 { format!(", {cut} interrupted") } else { String::new() };
    let label = format!("{name}: {}{interrupted}", counted(spans.len() as u64, "utterance"));
    let mut lane = Lane::new(lanes, ROW, &label);
    for said in spans {
        let class = match (speaker, said.look) {
            (_, SpanLook::Filler) => "filler",
            (Speaker::User, _) => "caller",
            (Speaker::Agent, SpanLook::Open) => "agent unfinished",
            (Speaker::Agent, _) => "agent",
            (Speaker::Operator, _) => "operator",
        };
        lane.rect(class, said, (4.0, SPAN));
        if said.look == SpanLook::Bad {
            let end = lanes.scale.place(said.to).clamp(0.4, 99.6);
            lane.svg.line("cut", (end, 0.0), (end, ROW));
            lane.svg.text("cutmark", (end, 9.0), 3.0, "✗");
        }
    }
    lane.finish(page, name)
}

fn tools(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let (all, failed) = lanes.tool_counts;
    for (number, row) in lanes.tools.iter().enumerate() {
        let label = format!(
            "{}, {failed} failed; row {} of {}",
            counted(all, "tool call"),
            number + 1,
            lanes.tools.len()
        );
        let mut lane = Lane::new(lanes, ROW, &label);
        for tool in row {
            let class = match tool.look {
                SpanLook::Bad => "toolbad",
                SpanLook::Open => "toolopen",
                _ => "toolok",
            };
            lane.rect(class, tool, (4.0, SPAN));
        }
        lane.labels(row, 4.0);
        lane.finish(page, if number == 0 { "tools" } else { "└ within" })?;
    }
    Ok(())
}

fn emotion(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let valences = || lanes.emotions.iter().map(|(_, valence, _)| *valence);
    let (lowest, highest) = (valences().fold(1.0, f64::min), valences().fold(-1.0, f64::max));
    let label = format!(
        "Emotion of the caller: valence from {lowest:.1} to {highest:.1} on a scale from -1 to 1"
    );
    let mut lane = Lane::new(lanes, CURVE, &label);
    let y = |value: f64| 50.0 - value * 46.0;
    let place = |at: i64| lanes.scale.place(at);
    lane.svg.line("zero", (0.0, CURVE / 2.0), (100.0, CURVE / 2.0));
    let arousal: Vec<_> = lanes.emotions.iter().map(|(at, _, it)| (place(*at), y(*it))).collect();
    let valence: Vec<_> = lanes.emotions.iter().map(|(at, it, _)| (place(*at), y(*it))).collect();
    lane.svg.curve("arousal", (0.0, CURVE), &arousal);
    lane.svg.curve("valence", (0.0, CURVE), &valence);
    for (at, valence, arousal) in &lanes.emotions {
        let title = format!("{} valence {valence:+.2}, arousal {arousal:+.2}", clock(*at));
        let center = (place(*at).clamp(0.3, 99.7), y(*valence) * CURVE / 100.0);
        lane.svg.circle("point", center, 2.5, &title);
    }
    lane.svg.text("start label", (0.0, 10.0), 2.0, "+1");
    lane.svg.text("start label", (0.0, CURVE / 2.0 - 2.0), 2.0, "0");
    lane.svg.text("start label", (0.0, CURVE - 3.0), 2.0, "−1");
    lane.finish(page, "emotion")
}

fn latency(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let total = |turn: &TimedTurn| turn.latency.first_audio;
    let longest = lanes.turns.iter().map(total).fold(0.0, f64::max);
    let label = format!(
        "Time to first audio of {}, at most {}",
        counted(lanes.turns.len() as u64, "turn"),
        span(longest)
    );
    let mut lane = Lane::new(lanes, CURVE, &label);
    let room = CURVE - 14.0;
    let column = lanes.scale.length() / BARS + 1;
    // Of turns that would hide each other, the slowest one is drawn.
    let mut drawn: Vec<&TimedTurn> = Vec::new();
    for turn in &lanes.turns {
        match drawn.last_mut() {
            Some(last) if turn.at.div_euclid(column) == last.at.div_euclid(column) => {
                if total(turn) > total(last) {
                    *last = turn;
                }
            }
            _ => drawn.push(turn),
        }
    }
    let base = CURVE - 2.0;
    for turn in drawn {
        let height = if longest > 0.0 { (total(turn) * room / longest).max(1.0) } else { 1.0 };
        let title = format!("{} turn {}: {}", clock(turn.at), turn.number, span(total(turn)));
        let x = (lanes.scale.place(turn.at) - 0.3).max(0.0);
        lane.svg.rect("latency", SvgArea::new(x, base - height, 0.7, height), &title);
    }
    lane.svg.line("zero", (0.0, base), (100.0, base));
    lane.svg.line("grid level", (0.0, CURVE - 2.0 - room), (100.0, CURVE - 2.0 - room));
    lane.svg.text("start label", (0.0, 10.0), 2.0, &span(longest));
    lane.finish(page, "latency")
}

fn legend(lanes: &CallLanes, page: &mut dyn Write) -> io::Result<()> {
    let spoke = |look: SpanLook| {
        lanes.speech.iter().any(|(_, spans)| spans.iter().any(|said| said.look == look))
    };
    let used = |class: &str| {
        let tool = |look| lanes.tools.iter().flatten().any(|tool| tool.look == look);
        match class {
            "caller" | "agent" => lanes.speech.iter().any(|(_, spans)| !spans.is_empty()),
            "filler" => spoke(SpanLook::Filler),
            "cut" => spoke(SpanLook::Bad),
            "toolok" => tool(SpanLook::Good),
            "toolbad" => tool(SpanLook::Bad),
            "toolopen" => tool(SpanLook::Open),
            "gap" => !lanes.gaps.is_empty(),
            _ => !lanes.silences.is_empty(),
        }
    };
    page.write_all(b"<ul class=\"legend\">")?;
    for (class, meaning) in LEGEND.iter().filter(|(class, _)| used(class)) {
        key(page, class, meaning)?;
    }
    if !lanes.emotions.is_empty() {
        key(page, "valence", "valence")?;
        key(page, "arousal", "arousal")?;
    }
    page.write_all(b"</ul>\n")?;
    if lanes.is_merged {
        page.write_all(
            b"<p class=\"note\">There is more than can be told apart: neighbours are drawn as one, \
              and the text that appears when the pointer is on them says how many they are.</p>\n",
        )?;
    }
    Ok(())
}

/// Writes an entry of a legend.
///
/// # Errors
/// Fails if `page` does.
pub(super) fn key(page: &mut dyn Write, class: &str, meaning: &str) -> io::Result<()> {
    let shape = match class {
        "valence" | "arousal" => {
            format!("<line class=\"{class}\" x1=\"0\" y1=\"6\" x2=\"16\" y2=\"6\"/>")
        }
        "cut" => "<line class=\"cut\" x1=\"8\" y1=\"0\" x2=\"8\" y2=\"12\"/>".to_owned(),
        class => format!("<rect class=\"{class}\" width=\"16\" height=\"12\"/>"),
    };
    write!(
        page,
        "<li><svg width=\"16\" height=\"12\" aria-hidden=\"true\">{shape}</svg> {meaning}</li>"
    )
}
