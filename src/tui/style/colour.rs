//! Colours as the terminal shows them: conversion of RGB to fewer colours.

/// The levels of red, green and blue in the 6×6×6 colour cube of xterm, which starts at index 16.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Returns the index of a close colour among the 256 of xterm: in the cube, or for a grey in the
/// ramp of greys, which starts at index 232.
pub fn nearest(colour: [u8; 3]) -> u8 {
    let step = |part: u8| {
        (0..6).min_by_key(|level| LEVELS[usize::from(*level)].abs_diff(part)).unwrap_or(0)
    };
    let [red, green, blue] = colour.map(step);
    if colour[0] == colour[1] && colour[1] == colour[2] {
        return 232 + (colour[0].saturating_sub(8) / 10).min(23);
    }
    16 + 36 * red + 6 * green + blue
}

/// Returns the colour with that index among the 256 of xterm, of which the first 16 are named.
#[cfg(test)]
pub fn indexed(number: u8) -> [u8; 3] {
    if number >= 232 {
        return [8 + 10 * (number - 232); 3];
    }
    let place = number - 16;
    [place / 36, place / 6 % 6, place % 6].map(|level| LEVELS[usize::from(level)])
}

/// Returns the contrast ratio as defined by WCAG 2.1.
#[cfg(test)]
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let parts = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
