//! Tests of every built-in theme: contrast, colours of 16, and what people with other eyes see.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::colour::{contrast, indexed, linear};
use super::*;

/// Black and white, and common alternatives.
const DARK: &[[u8; 3]] = &[[0, 0, 0], [30, 30, 30], [40, 42, 54]];
const LIGHT: &[[u8; 3]] = &[[255, 255, 255], [253, 246, 227], [245, 245, 245]];
const EITHER: &[[u8; 3]] = &[[0; 3], [255; 3]];

/// A difference in CIELAB of 2.3 is just noticeable; this one is plain even between thin strokes.
const PLAIN: f64 = 20.0;

const BACKGROUNDS: [Option<BackgroundTone>; 3] =
    [None, Some(BackgroundTone::Dark), Some(BackgroundTone::Light)];

/// Returns every built-in theme on every background.
fn themes(depth: Depth) -> impl Iterator<Item = Theme> {
    let built_in = Theme::new(depth, None).names();
    built_in.flat_map(move |name| {
        BACKGROUNDS.map(|background| Theme { name, ..Theme::new(depth, background) })
    })
}

fn rgb(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index) => Some(indexed(index)),
        _ => None,
    }
}

/// Returns the backgrounds that a theme may be seen on.
fn grounds(theme: Theme) -> Vec<[u8; 3]> {
    match (rgb(theme.ground()[0]), theme.tone()) {
        (Some(own), _) => vec![own],
        (None, Some(BackgroundTone::Dark)) => DARK.to_vec(),
        (None, Some(BackgroundTone::Light)) => LIGHT.to_vec(),
        (None, None) => EITHER.to_vec(),
    }
}

#[test]
fn there_are_six_themes_besides_the_one_that_adapts() {
    let names: Vec<_> = Theme::new(Depth::None, None).names().map(ThemeName::name).collect();
    assert_eq!(names, ["auto", "dark", "light", "high-contrast", "colour-blind", "soft", "mono"]);
    for name in ThemeName::ALL {
        assert_eq!(ThemeName::find(name.name()), Some(name));
    }
    assert_eq!(ThemeName::find("color-blind"), Some(ThemeName::ColourBlind));
}

#[test]
fn every_colour_of_every_theme_has_enough_contrast_with_its_background() {
    for depth in [Depth::TrueColour, Depth::Indexed256] {
        for theme in themes(depth) {
            // No colour has a contrast above 4.58 with both black and white, and few of the 256
            // have one above 3.5.
            let least = match (theme.name, theme.tone(), depth) {
                (ThemeName::HighContrast, _, Depth::TrueColour) => 7.0,
                (ThemeName::HighContrast, ..) => 6.0,
                (_, None, Depth::Indexed256) => 3.5,
                _ => 4.5,
            };
            let roles = StyleRole::ALL.iter().map(|role| (role.name(), theme.role(*role).fg));
            let foreground = ("foreground", Some(theme.ground()[1]));
            for (name, colour) in roles.chain([foreground]) {
                let Some(colour) = colour.and_then(rgb) else { continue };
                for ground in grounds(theme) {
                    let ratio = contrast(colour, ground);
                    let what = format!("{:?} {:?}", theme.name, theme.tone());
                    assert!(ratio >= least, "{what} {name}: {colour:?} on {ground:?}: {ratio}");
                }
            }
            let alarm = theme.alarm();
            let (text, ground) = (alarm.fg.and_then(rgb), alarm.bg.and_then(rgb));
            assert!(contrast(text.expect("a colour"), ground.expect("a colour")) >= 4.5);
        }
    }
}

#[test]
fn pale_named_colours_are_not_used_on_a_light_background() {
    for theme in themes(Depth::Sixteen) {
        for role in StyleRole::ALL {
            let Some(colour) = theme.role(*role).fg else { continue };
            let is_pale =
                matches!(colour, Color::Yellow | Color::Cyan | Color::White | Color::Gray)
                    || format!("{colour:?}").starts_with("Light");
            let is_dark = matches!(colour, Color::Blue | Color::Black);
            match theme.tone() {
                Some(BackgroundTone::Dark) => assert!(!is_dark, "{:?} {role:?}", theme.name),
                // Green has a contrast of 2 to 3.4 with white in the palettes of usual terminals.
                Some(BackgroundTone::Light) => {
                    assert!(!is_pale && colour != Color::Green, "{:?} {role:?}", theme.name);
                }
                None => assert!(!is_pale && !is_dark, "{:?} {role:?}", theme.name),
            }
        }
        let [background, foreground] = theme.ground();
        assert_eq!(background == Color::Reset, foreground == Color::Reset, "{:?}", theme.name);
        assert!(background != foreground || background == Color::Reset, "{:?}", theme.name);
    }
    let theme = Theme::new(Depth::Sixteen, Some(BackgroundTone::Light));
    assert_eq!(theme.warning().fg, Some(Color::Magenta));
    assert_eq!(
        Theme { background: Some(BackgroundTone::Dark), ..theme }.warning().fg,
        Some(Color::Yellow)
    );
    assert_eq!(Theme { background: None, ..theme }.warning().fg, Some(Color::Magenta));
}

/// Returns a colour in CIELAB as people see it who lack the cones of one kind, according to Machado,
/// Oliveira and Fernandes (2009).
fn simulated(colour: [u8; 3], matrix: [[f64; 3]; 3]) -> [f64; 3] {
    let seen = linear(colour);
    let [red, green, blue] = matrix.map(|row| {
        let sum: f64 = row.iter().zip(seen).map(|(one, other)| one * other).sum();
        sum.clamp(0.0, 1.0)
    });
    // From linear sRGB to XYZ, relative to the white of D65.
    let xyz = [
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.0888,
    ];
    let [x, y, z] =
        xyz.map(|part| if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn the_colour_blind_theme_tells_states_apart_for_everybody() {
    let protanopia = [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ];
    let deuteranopia = [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ];
    let tritanopia = [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.303_900],
    ];
    let least = |theme: Theme| {
        let states = [StyleRole::Error, StyleRole::Warning, StyleRole::Good, StyleRole::Masked];
        let colours = states.map(|role| theme.role(role).fg.and_then(rgb).expect("a colour"));
        let mut least = f64::INFINITY;
        for matrix in [protanopia, deuteranopia, tritanopia] {
            for (place, one) in colours.iter().enumerate() {
                for other in &colours[..place] {
                    let (one, other) = (simulated(*one, matrix), simulated(*other, matrix));
                    let squares = one.iter().zip(other).map(|(one, other)| (one - other).powi(2));
                    least = least.min(squares.sum::<f64>().sqrt());
                }
            }
        }
        least
    };
    for depth in [Depth::TrueColour, Depth::Indexed256] {
        for background in BACKGROUNDS {
            let theme = Theme::new(depth, background);
            let safe = least(Theme { name: ThemeName::ColourBlind, ..theme });
            assert!(safe >= PLAIN, "{depth:?} {background:?}: {safe}");
        }
    }
    let usual = least(Theme::new(Depth::TrueColour, Some(BackgroundTone::Dark)));
    assert!(usual < PLAIN, "the simulation finds colours that are hard to tell apart: {usual}");
}

/// Without hue, states differ from usual text all the same.
#[test]
fn meaning_is_never_in_the_hue_alone() {
    for theme in themes(Depth::None).chain(themes(Depth::Sixteen)).chain(themes(Depth::TrueColour))
    {
        assert!(theme.error().add_modifier.contains(Modifier::BOLD), "{:?}", theme.name);
        assert!(theme.warning().add_modifier.contains(Modifier::BOLD), "{:?}", theme.name);
        assert!(theme.masked().add_modifier.contains(Modifier::ITALIC), "{:?}", theme.name);
        assert!(theme.found().add_modifier.contains(Modifier::REVERSED), "{:?}", theme.name);
        assert!(theme.alarm() != theme.error() && theme.quiet() != Style::new());
    }
    for theme in themes(Depth::None) {
        assert!(StyleRole::ALL.iter().all(|role| theme.role(*role) == Style::new()));
        assert_eq!(theme.ground(), [Color::Reset; 2], "no colours at all: {:?}", theme.name);
        assert!(theme.alarm().add_modifier.contains(Modifier::REVERSED));
    }
}

#[test]
fn only_cells_without_colours_are_painted() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
    buffer.content[0].set_fg(Color::Red).set_bg(Color::Green);
    let before = buffer.clone();
    Theme::new(Depth::TrueColour, None).paint(&mut buffer);
    assert_eq!(buffer, before, "the theme has no background");
    let light = Theme { name: ThemeName::Light, ..Theme::new(Depth::TrueColour, None) };
    light.paint(&mut buffer);
    assert_eq!((buffer.content[0].fg, buffer.content[0].bg), (Color::Red, Color::Green));
    assert_eq!(buffer.content[1].bg, Color::Rgb(250, 250, 250));
}

#[test]
fn a_custom_theme_replaces_only_what_it_names() {
    let entries = [("base", "soft"), ("error", "#ff0000"), ("background", "#ffffff")];
    let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let custom = Some(CustomTheme::new(&entries).expect("a theme"));
    let soft = Theme { name: ThemeName::Soft, custom, ..Theme::new(Depth::TrueColour, None) };
    let theme = Theme { name: ThemeName::Custom, ..soft };
    assert_eq!(theme.names().last(), Some(ThemeName::Custom));
    assert_eq!(theme.error().fg, Some(Color::Rgb(255, 0, 0)));
    assert_eq!(theme.tone(), Some(BackgroundTone::Light), "its background is light");
    let on_light = Theme { background: Some(BackgroundTone::Light), ..soft };
    assert_eq!(theme.good(), on_light.good());
    assert_ne!(soft.error(), theme.error(), "only the chosen theme has its colours");
    assert_eq!(Theme { depth: Depth::Sixteen, ..theme }.error().fg, Some(Color::LightRed));
    assert_eq!(Theme { depth: Depth::None, ..theme }.error().fg, None);
}
