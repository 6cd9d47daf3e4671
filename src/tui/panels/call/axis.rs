//! The axis of time that everything in the picture of a call shares.

use jiff::Timestamp;

use crate::analysis::call::Call;
use crate::tui::state::State;

/// How long before its first event a call may claim to have started, in milliseconds: a day.
const MAX_LEAD: i64 = 86_400_000;

/// The shortest time that is shown, in milliseconds.
const MIN_SPAN: i64 = 1000;

/// The farthest cell that a line is drawn from or to.
const FARTHEST: i64 = 1 << 40;

/// The fewest cells from one label to the next.
const LABEL_CELLS: i64 = 11;

/// The steps between labels, in seconds. Each divides the next, so that a coarser axis has no label
/// that a finer one lacks.
const STEPS: [i64; 10] = [1, 5, 15, 30, 60, 300, 900, 3600, 21_600, 86_400];

/// The times that an axis shows, in milliseconds of Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeAxis {
    /// The start of the call, from which times are counted.
    pub origin: i64,
    /// The first time.
    start: i64,
    /// The time after the last one.
    end: i64,
    /// The number of cells.
    pub cells: u16,
}

/// Returns the start of a call and the end of its picture, in milliseconds of Unix time. The picture
/// of an ongoing call has some room at its end, so that it does not change all the time.
#[must_use]
pub fn whole_call(state: &State, call: &Call) -> (i64, i64) {
    let transcript = &call.transcript;
    let items = transcript.items.iter().map(|(time, _)| *time);
    let turns = transcript.turns.iter().map(|turn| turn.time);
    let emotions = transcript.emotions.iter().map(|(time, ..)| *time);
    let ended = call.ended.as_ref().map(|(end, _)| *end);
    let all = items.chain(turns).chain(emotions).chain(ended).map(Timestamp::as_millisecond);
    let (first, last) =
        all.fold((i64::MAX, i64::MIN), |(first, last), at| (first.min(at), last.max(at)));
    let began = call.began.map_or(first, Timestamp::as_millisecond);
    if first > last {
        return (began, began.saturating_add(MIN_SPAN));
    }
    let is_plausible = (0..MAX_LEAD).contains(&first.saturating_sub(began));
    let began = if is_plausible { began } else { first };
    if ended.is_some() {
        return (began, last.max(began.saturating_add(MIN_SPAN)));
    }
    let now = state.reference_time().as_millisecond().max(last);
    let step = match now.saturating_sub(began) {
        ..60_000 => 15_000,
        60_000..180_000 => 30_000,
        180_000..600_000 => 60_000,
        600_000..3_600_000 => 300_000,
        3_600_000.. => 1_800_000,
    };
    (began, began.saturating_add((now.saturating_sub(began) / step + 1) * step))
}

impl TimeAxis {
    /// Creates an axis of that many cells. Each step of `zoom` halves the time that is visible, with
    /// `cursor` in the middle.
    #[must_use]
    pub fn new((began, end): (i64, i64), cells: u16, zoom: u32, cursor: Option<Timestamp>) -> Self {
        let whole = (end - began).max(MIN_SPAN);
        let span = (whole >> zoom).max(MIN_SPAN);
        let middle = cursor.map_or(end, Timestamp::as_millisecond);
        let start = (middle - span / 2).clamp(began, began + whole - span);
        Self { origin: began, start, end: start + span, cells: cells.max(1) }
    }

    /// Returns the cell of a time before, on or after the axis.
    fn cell_of(&self, millis: i64) -> i64 {
        // The last time is in the last cell.
        let last = i64::from(self.cells) - 1;
        let offset = i128::from(millis - self.start) * i128::from(last.max(1));
        let cell = offset.div_euclid(i128::from(self.end - self.start));
        i64::try_from(cell).unwrap_or(i64::MAX)
    }

    /// Returns the cell of a time, if it is visible.
    #[must_use]
    pub fn cell(&self, time: Timestamp) -> Option<u16> {
        let cell = u16::try_from(self.cell_of(time.as_millisecond())).ok()?;
        (cell < self.cells).then_some(cell)
    }

    /// Returns the half cell of a time, which may be before or after the axis.
    #[must_use]
    pub fn half_cell(&self, time: Timestamp) -> i64 {
        self.cell_of(time.as_millisecond()).clamp(-FARTHEST, FARTHEST) * 2
    }

    /// Returns the first and last visible cell of a period.
    #[must_use]
    pub fn period(&self, from: Timestamp, to: Timestamp) -> Option<(u16, u16)> {
        let last = i64::from(self.cells) - 1;
        let (from, to) = (self.cell_of(from.as_millisecond()), self.cell_of(to.as_millisecond()));
        let to = to.max(from);
        let cell = |at: i64| u16::try_from(at.clamp(0, last)).unwrap_or(0);
        (to >= 0 && from <= last).then(|| (cell(from), cell(to)))
    }

    /// Returns the time that a cell stands for.
    #[must_use]
    pub fn time(&self, cell: u16) -> Option<Timestamp> {
        let last = i64::from(self.cells.max(2)) - 1;
        let millis = i64::from(cell).min(last) * (self.end - self.start) / last;
        // A cell stands for its end, so that what begins in it has begun.
        let width = (self.end - self.start) / last;
        let millis = (self.start + millis + (width - 1).max(0)).min(self.end);
        Timestamp::from_millisecond(millis).ok()
    }

    /// Returns the cells of the labels and the times since the start of the call that they name.
    #[must_use]
    pub fn ticks(&self) -> Vec<(u16, String)> {
        let cells = i64::from(self.cells);
        let span = self.end - self.start;
        let step = STEPS
            .into_iter()
            .map(|seconds| seconds * 1000)
            .find(|step| step.saturating_mul(cells) / span >= LABEL_CELLS)
            .unwrap_or(STEPS[STEPS.len() - 1] * 1000);
        let first = (self.start - self.origin).div_euclid(step);
        let ticks = (first..).map(|number| number * step);
        let ticks =
            ticks.take_while(|tick| self.origin + tick <= self.end).take(usize::from(self.cells));
        ticks
            .filter_map(|tick| {
                let cell = u16::try_from(self.cell_of(self.origin + tick)).ok()?;
                (cell < self.cells).then(|| (cell, clock(tick)))
            })
            .collect()
    }

    /// Returns the time since the start of the call, such as `1:02`.
    #[must_use]
    pub fn label(&self, time: Timestamp) -> String {
        clock(time.as_millisecond() - self.origin)
    }
}

/// Formats milliseconds since the start of a call, such as `1:02`.
#[must_use]
pub fn clock(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let seconds = millis.unsigned_abs() / 1000;
    if seconds < 3600 {
        return format!("{sign}{}:{:02}", seconds / 60, seconds % 60);
    }
    format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_778_000_000_000 + millis).expect("a time")
    }

    fn axis(millis: i64, cells: u16) -> TimeAxis {
        let began = at(0).as_millisecond();
        TimeAxis::new((began, began + millis), cells, 0, None)
    }

    #[test]
    fn the_first_and_last_moment_are_in_the_first_and_last_cell() {
        let axis = axis(75_000, 70);
        assert_eq!((axis.cell(at(0)), axis.cell(at(75_000))), (Some(0), Some(69)));
        assert_eq!((axis.cell(at(-2000)), axis.cell(at(80_000))), (None, None));
        assert_eq!(axis.period(at(-5000), at(80_000)), Some((0, 69)));
        assert_eq!(axis.period(at(-5000), at(-3000)), None);
        for cell in 0..70 {
            assert_eq!(axis.cell(axis.time(cell).expect("a time")).unwrap_or(69), cell);
        }
    }

    #[test]
    fn labels_do_not_touch_and_a_wider_axis_has_those_of_a_narrow_one() {
        for millis in [1000, 9000, 75_000, 1_300_000, 86_400_000 * 3] {
            let wide: Vec<_> =
                axis(millis, 480).ticks().into_iter().map(|(_, text)| text).collect();
            for cells in 60..200 {
                let ticks = axis(millis, cells).ticks();
                assert!(ticks.iter().all(|(_, text)| wide.contains(text)), "{millis} {cells}");
                let gaps = ticks.windows(2).map(|pair| pair[1].0 - pair[0].0);
                assert!(gaps.min().is_none_or(|gap| gap > 8), "{millis} {cells}: {ticks:?}");
            }
        }
    }

    #[test]
    fn a_closer_view_keeps_the_cursor_and_stays_within_the_call() {
        let began = at(0).as_millisecond();
        for (cursor, from, to) in
            [(0, 0, 20_000), (40_000, 30_000, 50_000), (80_000, 60_000, 80_000)]
        {
            let axis = TimeAxis::new((began, began + 80_000), 80, 2, Some(at(cursor)));
            assert_eq!((axis.start - began, axis.end - began), (from, to));
            assert!(axis.cell(at(cursor)).is_some());
        }
    }
}
