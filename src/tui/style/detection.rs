//! Finds out which colours a terminal can show.

/// The number of colours that a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// No colours, or colours are disabled.
    None,
    /// The 16 named ANSI colours.
    Sixteen,
    /// The 256 colours of xterm.
    Indexed256,
    /// 24-bit colours.
    TrueColour,
}

impl Depth {
    /// Detects the colour depth from the values of `TERM` and `COLORTERM`.
    #[must_use]
    pub fn detect(term: &str, colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") || term.contains("direct") {
            Self::TrueColour
        } else if term.contains("256color") {
            Self::Indexed256
        } else {
            Self::Sixteen
        }
    }
}

/// The tone of the background of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundTone {
    Dark,
    Light,
}

impl BackgroundTone {
    /// Parses the value of `COLORFGBG`, which ends with the number of the background colour.
    #[must_use]
    pub fn from_colorfgbg(colorfgbg: &str) -> Option<Self> {
        let number: u8 = colorfgbg.rsplit(';').next()?.parse().ok()?;
        Some(if matches!(number, 7 | 9..=15) { Self::Light } else { Self::Dark })
    }

    /// Parses the reply of a terminal to OSC 11: `rgb:ffff/ffff/ffff`, with one to four hexadecimal
    /// digits for each part.
    #[must_use]
    pub fn from_osc11_reply(reply: &str) -> Option<Self> {
        let mut parts = reply.strip_prefix("rgb:")?.split('/').map(|part| {
            let digits = part.len().min(4);
            let max = (1_u32 << (4 * digits)) - 1;
            Some(u32::from_str_radix(part.get(..digits)?, 16).ok()? * 255 / max)
        });
        let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
        let part = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
        Some(Self::of([part(red), part(green), part(blue)]))
    }

    /// Returns the tone of a colour.
    #[must_use]
    pub fn of(colour: [u8; 3]) -> Self {
        let [red, green, blue] = colour.map(u32::from);
        // The luma coefficients of ITU-R BT.601.
        let luma = red * 299 + green * 587 + blue * 114;
        if luma > 127 * 1000 { Self::Light } else { Self::Dark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_the_colours_and_the_background_of_a_terminal() {
        assert_eq!(Depth::detect("xterm-256color", ""), Depth::Indexed256);
        assert_eq!(Depth::detect("xterm-256color", "truecolor"), Depth::TrueColour);
        assert_eq!(Depth::detect("linux", ""), Depth::Sixteen);
        assert_eq!(BackgroundTone::from_colorfgbg("15;0"), Some(BackgroundTone::Dark));
        assert_eq!(BackgroundTone::from_colorfgbg("0;default;15"), Some(BackgroundTone::Light));
        assert_eq!(BackgroundTone::from_colorfgbg("default"), None);
        assert_eq!(
            BackgroundTone::from_osc11_reply("rgb:ffff/fafa/e3e3"),
            Some(BackgroundTone::Light)
        );
        assert_eq!(BackgroundTone::from_osc11_reply("rgb:1e/1e/2e"), Some(BackgroundTone::Dark));
        for wrong in ["", "rgb:", "rgb:ff/ff", "rgb:xx/00/00", "#ffffff", "rgb:é/é/é"] {
            assert_eq!(BackgroundTone::from_osc11_reply(wrong), None, "{wrong}");
        }
    }
}
