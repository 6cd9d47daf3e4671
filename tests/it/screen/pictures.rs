//! The pictures in the README: the live screen of the real binary as SVG.

use std::fmt::Write;
use std::path::Path;

use super::Shell;

/// The size of a cell, in pixels.
const CELL: (usize, usize) = (8, 17);

/// The sixteen terminal colours; the default background and text colours follow.
const PALETTE: [&str; 16] = [
    "#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#7f848e", "#ef8e96", "#b1d494", "#f0d399", "#84c2f5", "#d69ae6", "#7fcdd6", "#ffffff",
];
const GROUND: &str = "#16181d";
const TEXT: &str = "#c8ccd4";

/// The current attributes of text.
#[derive(Clone, Default)]
struct Pen {
    colour: Option<String>,
    ground: Option<String>,
    bold: bool,
    dim: bool,
    reversed: bool,
}

impl Pen {
    /// Applies the parameters of an SGR sequence (ECMA-48, 8.3.117).
    fn apply(&mut self, parameters: &str) {
        let numbers: Vec<usize> =
            parameters.split([';', ':']).map(|number| number.parse().unwrap_or_default()).collect();
        let mut rest = numbers.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            match first {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                7 => self.reversed = true,
                22 => (self.bold, self.dim) = (false, false),
                27 => self.reversed = false,
                30..=37 => self.colour = Some(PALETTE[first - 30].to_owned()),
                90..=97 => self.colour = Some(PALETTE[first - 82].to_owned()),
                40..=47 => self.ground = Some(PALETTE[first - 40].to_owned()),
                100..=107 => self.ground = Some(PALETTE[first - 92].to_owned()),
                39 => self.colour = None,
                49 => self.ground = None,
                38 | 48 => {
                    let (colour, after) = extended(after);
                    rest = after;
                    *(if *first == 38 { &mut self.colour } else { &mut self.ground }) = colour;
                }
                _ => {}
            }
        }
    }

    fn colours(&self) -> (String, Option<String>) {
        let colour = self.colour.clone().unwrap_or_else(|| TEXT.to_owned());
        if self.reversed {
            (self.ground.clone().unwrap_or_else(|| GROUND.to_owned()), Some(colour))
        } else {
            (colour, self.ground.clone())
        }
    }
}

/// Parses an extended colour, indexed or RGB.
fn extended(parameters: &[usize]) -> (Option<String>, &[usize]) {
    match parameters {
        [5, number @ 0..=15, rest @ ..] => (Some(PALETTE[*number].to_owned()), rest),
        [5, number @ 16..=231, rest @ ..] => {
            let level = |place: usize| [0, 95, 135, 175, 215, 255][(number - 16) / place % 6];
            (Some(format!("#{:02x}{:02x}{:02x}", level(36), level(6), level(1))), rest)
        }
        [5, number, rest @ ..] => {
            (Some(format!("#{0:02x}{0:02x}{0:02x}", 8 + number.saturating_sub(232) * 10)), rest)
        }
        [2, red, green, blue, rest @ ..] => {
            (Some(format!("#{red:02x}{green:02x}{blue:02x}")), rest)
        }
        _ => (None, &[]),
    }
}

/// Converts the output of `tmux capture-pane -e` to SVG.
fn svg(screen: &str, columns: usize, rows: usize) -> String {
    let (width, height) = (columns * CELL.0, rows * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" \
         font-size=\"13\">\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{GROUND}\"/>\n"
    );
    let mut pen = Pen::default();
    for (row, line) in screen.lines().take(rows).enumerate() {
        let mut column = 0;
        for (index, part) in line.split("\u{1b}[").enumerate() {
            let text = match part.split_once('m') {
                Some((parameters, text)) if index > 0 => {
                    pen.apply(parameters);
                    text
                }
                _ => part,
            };
            let length = text.chars().count();
            let (colour, ground) = pen.colours();
            let (x, y) = (column * CELL.0, row * CELL.1);
            if let Some(ground) = ground {
                let _ = writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{ground}\"/>",
                    length * CELL.0,
                    CELL.1
                );
            }
            if !text.trim().is_empty() {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let weight = if pen.bold { " font-weight=\"bold\"" } else { "" };
                let faint = if pen.dim { " opacity=\"0.6\"" } else { "" };
                let _ = writeln!(
                    out,
                    "<text x=\"{x}\" y=\"{}\" textLength=\"{}\" fill=\"{colour}\"{weight}{faint} xml:space=\"preserve\">{text}</text>",
                    y + 13,
                    length * CELL.0
                );
            }
            column += length;
        }
    }
    out + "</svg>\n"
}

#[test]
#[ignore = "it writes the pictures in tests/pictures anew"]
fn write_pictures_of_the_live_screen() {
    let (columns, rows) = (110, 30);
    for (name, command, key, text) in [
        (
            "now",
            "watch --workspace demo --demo-rate 40 --auto-observe 5 --tui --background dark",
            "0",
            "keeps failing",
        ),
        (
            "stream",
            "watch --workspace demo --demo-rate 40 --tui --background dark",
            "1",
            "call.ended",
        ),
        ("call", "observe --call demo --demo-rate 12 --tui --background dark", "3", "✓"),
    ] {
        let shell = Shell::open(columns, rows).expect("tmux");
        shell.start(command);
        shell.send(&[key]);
        shell.wait_for(text);
        std::thread::sleep(std::time::Duration::from_secs(4));
        let screen = shell.tmux(&["capture-pane", "-e", "-p"]);
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pictures")
            .join(format!("{name}.svg"));
        std::fs::write(
            path,
            svg(&String::from_utf8_lossy(&screen.stdout), columns.into(), rows.into()),
        )
        .expect("a picture is written");
    }
}

#[test]
fn a_picture_has_the_text_and_the_colours() {
    let picture = svg("a \u{1b}[1;38;5;196mred\u{1b}[0m <&>\n\u{1b}[7mback\u{1b}[27m\n", 20, 2);
    assert!(
        picture.contains("fill=\"#ff0000\" font-weight=\"bold\"")
            && picture.contains("> &lt;&amp;&gt;</text>"),
        "{picture}"
    );
    assert!(picture.contains(&format!("height=\"17\" fill=\"{TEXT}\"/>")), "{picture}");
}
