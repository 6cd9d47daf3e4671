//! The colours of event families, declared once for every output that paints them.

/// A colour of the palette. Each output has its own rendering of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Hue {
    Red,
    Amber,
    Green,
    Lime,
    Cyan,
    Blue,
    Sky,
}

/// The families that have a colour.
const HUES: &[(&str, Hue)] = &[
    ("tap", Hue::Red),
    ("call", Hue::Green),
    ("observer", Hue::Cyan),
    ("operator", Hue::Amber),
    ("surface", Hue::Blue),
    ("review", Hue::Blue),
    ("text", Hue::Lime),
    ("channel", Hue::Lime),
    ("pipeline", Hue::Sky),
    ("trigger", Hue::Sky),
];

/// Returns the colour of a family of events, if it has one.
#[must_use]
pub fn hue(family: &str) -> Option<Hue> {
    HUES.iter().find(|(name, _)| *name == family).map(|(_, hue)| *hue)
}
