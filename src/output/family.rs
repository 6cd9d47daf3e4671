//! The colours of event families, declared once for every output that uses colours.

/// A colour of the palette. Each output has its own rendering of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyColour {
    Red,
    Amber,
    Green,
    Lime,
    Cyan,
    Blue,
    Sky,
}

/// The event families that have a colour.
const HUES: &[(&str, FamilyColour)] = &[
    ("tap", FamilyColour::Red),
    ("call", FamilyColour::Green),
    ("observer", FamilyColour::Cyan),
    ("operator", FamilyColour::Amber),
    ("surface", FamilyColour::Blue),
    ("review", FamilyColour::Blue),
    ("text", FamilyColour::Lime),
    ("channel", FamilyColour::Lime),
    ("pipeline", FamilyColour::Sky),
    ("trigger", FamilyColour::Sky),
];

/// Returns the colour of a family of events, if it has one.
#[must_use]
pub fn hue(family: &str) -> Option<FamilyColour> {
    HUES.iter().find(|(name, _)| *name == family).map(|(_, hue)| *hue)
}
