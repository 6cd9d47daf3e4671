//! One call: the conversation, and beside it how the caller sounds and where the time goes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph};

use super::text::{cell, cut, length, sides, wrap};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::{NoteLevel, Speaker, Transcript, TranscriptItem};
use crate::analysis::latency::{COMPONENTS, ENGINE, NAVIGATION, RENDER, SPEECH, TurnLatency};
use crate::text::{MASK, terminal};
use crate::tui::state::{Panel, State};

/// Draws the call that is selected on the board.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let sorted = state.calls.sorted();
    let Some((sid, call)) = sorted.get(super::calls::place(state)) else {
        return frame.render_widget(
            Paragraph::new(Line::styled("no call yet", theme.quiet()).centered()),
            area,
        );
    };
    let [mut head, mut body] = [area, area];
    head.height = head.height.min(1);
    body.y += head.height;
    body.height -= head.height;
    frame.render_widget(sides(title(state, sid, call), Vec::new(), usize::from(head.width)), head);
    let [transcript, mood, latency] = panels(state.panel, body);
    let lines = conversation(state, &call.transcript, usize::from(transcript.width));
    // Scrolled from the end, so that what is new is in sight.
    let from =
        lines.len().saturating_sub(usize::from(transcript.height)).saturating_sub(state.places[2]);
    super::scrolled(frame, transcript, lines, from);
    if mood.height > 0 {
        emotion(state, &call.transcript, frame, mood);
    }
    if latency.height > 0 {
        frame.render_widget(Paragraph::new(turns(state, &call.transcript, latency)), latency);
    }
}

/// The room for the conversation, for emotion and for latency.
fn panels(panel: Panel, body: Rect) -> [Rect; 3] {
    let none = Rect { height: 0, ..body };
    let mut transcript = body;
    let beside = match panel {
        Panel::Emotion => return [none, body, none],
        Panel::Latency => return [none, none, body],
        Panel::All if body.width >= 100 => {
            transcript.width = body.width * 3 / 5;
            Rect::new(
                transcript.right() + 1,
                body.y,
                body.width - transcript.width - 1,
                body.height,
            )
        }
        Panel::All if body.height >= 18 => {
            transcript.height = body.height / 2;
            Rect::new(body.x, transcript.bottom(), body.width, body.height - transcript.height)
        }
        // Where there is no room, Enter shows the others.
        Panel::All | Panel::Conversation => return [body, none, none],
    };
    let chart = Rect { height: (beside.height / 2).min(16), ..beside };
    [
        transcript,
        chart,
        Rect::new(beside.x, chart.bottom(), beside.width, beside.height - chart.height),
    ]
}

/// How many lines there are to scroll through.
#[must_use]
pub fn len(state: &State) -> usize {
    let sorted = state.calls.sorted();
    let Some((_, call)) = sorted.get(super::calls::place(state)) else { return 0 };
    let [transcript, _, latency] = panels(state.panel, super::areas(state).body);
    match state.panel {
        Panel::Emotion => 0,
        Panel::Latency => {
            call.transcript.turns.len() + summary(state, &call.transcript, latency.height).len()
        }
        Panel::All | Panel::Conversation => {
            conversation(state, &call.transcript, usize::from(transcript.width)).len()
        }
    }
}

fn title(state: &State, sid: &str, call: &Call) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let mut spans = vec![Span::styled(format!(" {} ", terminal::visible(sid)), theme.heading())];
    let mut part = |text: &str, style| {
        spans.push(Span::styled(format!(" {} ", terminal::visible(text)), style))
    };
    part(&length(call.length(state.moment())), Style::new());
    match &call.ended {
        None => part(call.state.as_deref().unwrap_or("on"), theme.good()),
        Some((_, reason)) => part(&format!("ended: {reason}"), theme.quiet()),
    }
    if call.escalated {
        part("ESCALATED", theme.warning());
    }
    if let Some(dominant) = &call.transcript.dominant {
        part(dominant, theme.family("observer"));
    }
    part(call.direction.as_deref().unwrap_or(""), theme.quiet());
    spans
}

/// What stands where nothing is heard.
const UNHEARD: &str =
    " nothing was said yet; what is said is heard by `evtap observe`, or with --auto-observe";

fn conversation(state: &State, transcript: &Transcript, width: usize) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = Vec::new();
    if transcript.items.iter().all(|(_, item)| matches!(item, TranscriptItem::Note(..))) {
        lines.push(cut(vec![Span::styled(UNHEARD, theme.quiet())], width));
    }
    for (time, item) in &transcript.items {
        let clock = time.to_zoned(state.setup.zone.clone()).strftime("%H:%M:%S").to_string();
        match item {
            TranscriptItem::Bubble { speaker, text, marks, growing } => {
                let (side, style) = match speaker {
                    Speaker::User => (0, theme.family("call")),
                    Speaker::Agent => (width / 6, theme.family("observer")),
                    Speaker::Operator => (width / 6, theme.family("operator")),
                };
                let mut head = vec![
                    Span::raw(" ".repeat(side)),
                    Span::styled(format!(" {} ", speaker.name()), style.patch(theme.heading())),
                    Span::styled(format!("{clock} "), theme.quiet()),
                ];
                head.extend(
                    marks.iter().map(|mark| Span::styled(format!("{mark} "), theme.warning())),
                );
                if let Some(pieces) = growing {
                    head.push(Span::styled(
                        format!("… {pieces} {}", if *pieces == 1 { "piece" } else { "pieces" }),
                        theme.quiet(),
                    ));
                }
                lines.push(cut(head, width));
                let masked = if text == MASK { theme.masked() } else { Style::new() };
                let words = vec![Span::styled(terminal::visible(text).into_owned(), masked)];
                for mut line in wrap(words, (width * 5 / 6).saturating_sub(4).max(8)) {
                    line.spans.insert(0, Span::styled(format!("{} ▏ ", " ".repeat(side)), style));
                    lines.push(line);
                }
            }
            TranscriptItem::Tool { depth, name, duration, succeeded, error, .. } => {
                let (sign, style) = match succeeded {
                    None => ("…", theme.quiet()),
                    Some(true) => ("✓", theme.good()),
                    Some(false) => ("✗", theme.error()),
                };
                let branch = if *depth > 0 { "└ " } else { "" };
                let mut spans = vec![
                    Span::styled(format!("   {}{branch}{sign} ", "  ".repeat(*depth)), style),
                    Span::styled(format!("{} ", terminal::visible(name)), theme.heading()),
                ];
                if let Some(duration) = duration {
                    spans.push(Span::styled(format!("{duration:.0} ms "), theme.quiet()));
                }
                if let Some(error) = error {
                    spans.push(Span::styled(terminal::visible(error).into_owned(), style));
                }
                lines.push(cut(spans, width));
            }
            TranscriptItem::Note(mood, text) => {
                let style = match mood {
                    NoteLevel::Plain => theme.quiet(),
                    NoteLevel::State => theme.family("surface"),
                    NoteLevel::Warning => theme.warning(),
                };
                lines.push(cut(
                    vec![Span::styled(format!("   · {clock} {}", terminal::visible(text)), style)],
                    width,
                ));
            }
        }
    }
    lines
}

fn emotion(state: &State, transcript: &Transcript, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.setup.theme;
    let (Some((first, ..)), Some((last, ..))) =
        (transcript.emotions.front(), transcript.emotions.back())
    else {
        return frame.render_widget(Line::styled(" emotion: none heard yet", theme.quiet()), area);
    };
    let at = |time: &jiff::Timestamp| time.duration_since(*first).as_secs_f64();
    let valence: Vec<_> =
        transcript.emotions.iter().map(|(time, valence, _)| (at(time), *valence)).collect();
    let arousal: Vec<_> =
        transcript.emotions.iter().map(|(time, _, arousal)| (at(time), *arousal)).collect();
    let low =
        if valence.iter().chain(&arousal).any(|(_, value)| *value < 0.0) { -1.0 } else { 0.0 };
    // Two kinds of line, which can be told apart without colours.
    let line = |marker, style, data| {
        Dataset::default().marker(marker).graph_type(GraphType::Line).style(style).data(data)
    };
    let legend = Line::from(vec![
        Span::styled(" emotion  ", theme.heading()),
        Span::styled(
            format!("⠒ valence {:+.2}  ", valence.last().map_or(0.0, |(_, value)| *value)),
            theme.good(),
        ),
        Span::styled(
            format!("• arousal {:.2}", arousal.last().map_or(0.0, |(_, value)| *value)),
            theme.warning(),
        ),
    ]);
    let span = at(last).max(1.0);
    let length = length(last.as_second() - first.as_second());
    let times = if area.height >= 8 { vec!["0s".to_owned(), length] } else { Vec::new() };
    let mut below = area;
    below.y += 1;
    below.height = below.height.saturating_sub(1);
    frame.render_widget(legend, area);
    let chart = Chart::new(vec![
        line(Marker::Dot, theme.warning(), arousal.as_slice()),
        line(Marker::Braille, theme.good(), valence.as_slice()),
    ])
    .x_axis(Axis::default().bounds([0.0, span]).labels(times).style(theme.quiet()))
    .y_axis(
        Axis::default()
            .bounds([low, 1.0])
            .labels([format!("{low:.0}"), "1".to_owned()])
            .style(theme.quiet()),
    )
    .legend_position(None);
    frame.render_widget(chart, below);
}

/// What all turns have in common: percentiles, of each part where there is room.
fn summary(state: &State, transcript: &Transcript, height: u16) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let parts = if height >= 11 { COMPONENTS.as_slice() } else { &COMPONENTS[..1] };
    let heading = vec![
        Span::styled(format!(" {}", cell("latency by turn, ms", 20)), theme.heading()),
        Span::styled(format!("{:>7}{:>7}{:>7}", "p50", "p95", "p99"), theme.quiet()),
    ];
    let mut lines = vec![Line::from(heading)];
    for component in parts {
        let Some([p50, p95, p99]) = transcript.percentiles(component) else { break };
        let name = component.short_label;
        let sign = SIGNS.iter().find(|(part, _)| *part == name).map_or("", |(_, sign)| sign);
        let name = Span::styled(format!("   {} {} ", cell(sign, 1), cell(name, 14)), theme.quiet());
        lines.push(Line::from(vec![name, Span::raw(format!("{p50:>8.0}{p95:>7.0}{p99:>7.0}"))]));
    }
    if transcript.turns.is_empty() {
        lines.push(Line::styled(" none measured yet", theme.quiet()));
    } else if parts.len() == 1 {
        let signs = SIGNS.map(|(name, sign)| format!(" {sign} {name}")).concat();
        lines.push(Line::styled(format!("  {signs}"), theme.quiet()));
    }
    lines
}

fn turns(state: &State, transcript: &Transcript, area: Rect) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = summary(state, transcript, area.height);
    let room = usize::from(area.height).saturating_sub(lines.len());
    let longest = transcript
        .turns
        .iter()
        .map(|turn| turn.first_audio.max(turn.engine + turn.speech))
        .fold(1.0, f64::max);
    let cells = usize::from(area.width).saturating_sub(13);
    let back = if state.panel == Panel::Latency { state.places[2] } else { 0 };
    let first = transcript.turns.len().saturating_sub(room).saturating_sub(back);
    for (at, turn) in transcript.turns.iter().enumerate().skip(first).take(room) {
        let label = format!(" {:>3} {:>6.0} ", at + 1, turn.first_audio);
        lines.push(Line::from(vec![
            Span::styled(label, theme.quiet()),
            Span::styled(bar(turn, longest, cells), theme.family("observer")),
        ]));
    }
    lines
}

/// What the parts of a bar are drawn with, in the order in which they take place.
const SIGNS: [(&str, &str); 4] = [
    (NAVIGATION.short_label, "█"),
    (RENDER.short_label, "▓"),
    (ENGINE.short_label, "▒"),
    (SPEECH.short_label, "░"),
];

fn bar(turn: &TurnLatency, longest: f64, cells: usize) -> String {
    let rest = (turn.engine - turn.navigation - turn.render).max(0.0);
    let mut bar = String::new();
    let (mut sum, mut filled) = (0.0, 0);
    for ((_, sign), part) in
        SIGNS.into_iter().zip([turn.navigation, turn.render, rest, turn.speech])
    {
        sum += part;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "cells are few"
        )]
        let end = ((sum / longest * cells as f64).round() as usize).min(cells);
        bar.push_str(&sign.repeat(end.saturating_sub(filled)));
        filled = filled.max(end);
    }
    cell(&bar, cells)
}
