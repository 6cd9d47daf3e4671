//! The styles of a line as escape sequences, which are empty where colours are disabled.

use colored::{Color, Colorize};

use super::field::{FieldRank, LineField};
use crate::model::{Kind, Severity, family};
use crate::output::family::{FamilyColour, hue};
use crate::output::style::Style;
use crate::redact::RedactedEvent;

/// The styles of a line.
pub(super) struct Styles {
    pub plain: Style,
    pub dimmed: Style,
    pub drift: Style,
    pub hidden: Style,
    pub found: Style,
    /// The styles of event types, by the colour of their family.
    families: Vec<(Color, Style)>,
    /// The index in `families` for each declared event type.
    by_kind: Vec<usize>,
}

impl Styles {
    pub(super) fn new() -> Self {
        let families = COLOURS.map(|colour| (colour, Style::new(|text| text.color(colour))));
        let mut styles = Self {
            plain: Style::new(|text| text.normal()),
            dimmed: Style::new(|text| text.dimmed()),
            drift: Style::new(|text| text.yellow().bold()),
            hidden: Style::new(|text| text.magenta()),
            found: Style::new(|text| text.black().on_yellow()),
            families: families.into(),
            by_kind: Vec::new(),
        };
        let mut kinds: Vec<_> = Kind::ALL.iter().chain(Kind::OWN).collect();
        kinds.sort_by_key(|kind| **kind as usize);
        let specs = kinds.into_iter().map(|kind| kind.spec());
        styles.by_kind = specs.map(|spec| styles.family(spec.family(), spec.severity)).collect();
        styles
    }

    /// Returns the style of the type of an event.
    pub(super) fn event_type(&self, shown: &RedactedEvent<'_>, name: &str) -> &Style {
        let known = shown.kind().and_then(|kind| self.by_kind.get(kind as usize).copied());
        let at = known.unwrap_or_else(|| self.family(family(name), shown.severity()));
        &self.families[at].1
    }

    /// Returns the style of the value of a field.
    pub(super) const fn value(&self, field: &LineField<'_>) -> &Style {
        match (field.hidden, field.rank) {
            (true, _) => &self.hidden,
            (false, FieldRank::Leading(_)) => &self.plain,
            (false, FieldRank::Other | FieldRank::Null) => &self.dimmed,
        }
    }

    fn family(&self, family: &str, severity: Severity) -> usize {
        let colour = colour(family, severity);
        self.families.iter().position(|(known, _)| *known == colour).unwrap_or_default()
    }
}

/// The colours of event types.
const COLOURS: [Color; 8] = [
    Color::White,
    Color::Red,
    Color::Green,
    Color::Cyan,
    Color::Yellow,
    Color::Blue,
    Color::BrightGreen,
    Color::BrightBlue,
];

fn colour(family: &str, severity: Severity) -> Color {
    if severity == Severity::Error {
        return Color::Red;
    }
    match hue(family) {
        Some(FamilyColour::Red) => Color::Red,
        Some(FamilyColour::Green) => Color::Green,
        Some(FamilyColour::Cyan) => Color::Cyan,
        Some(FamilyColour::Amber) => Color::Yellow,
        Some(FamilyColour::Blue) => Color::Blue,
        Some(FamilyColour::Lime) => Color::BrightGreen,
        Some(FamilyColour::Sky) => Color::BrightBlue,
        None => Color::White,
    }
}
