//! The table of output formats, and the value of `-o`.

use std::str::FromStr;

use super::format::OutputFormat;
use super::{cloudevents, json, ndjson, pretty, table, template};

/// The formats that `-o` takes, in the order in which help lists them.
pub const FORMATS: &[&OutputFormat] = &[
    &pretty::FORMAT,
    &ndjson::FORMAT,
    &json::FORMAT,
    &cloudevents::FORMAT,
    &table::CSV,
    &table::TSV,
    &template::FORMAT,
];

/// Returns the formats as a phrase, such as `pretty, ndjson or template=TEXT`, with `quote` before
/// and after each.
#[must_use]
pub fn list_formats(quote: &str) -> String {
    let names: Vec<_> =
        FORMATS.iter().map(|format| format!("{quote}{}{quote}", format.usage())).collect();
    names
        .split_last()
        .map_or_else(String::new, |(last, rest)| format!("{} or {last}", rest.join(", ")))
}

/// A parsed value of `-o`.
#[derive(Debug, Clone)]
pub struct FormatChoice {
    /// The chosen format.
    pub format: &'static OutputFormat,
    /// The argument after `NAME=`; empty if the format takes none.
    pub argument: String,
}

impl FromStr for FormatChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |format: &&'static OutputFormat| {
            let rest = text.strip_prefix(format.name)?;
            let argument = match &format.argument {
                Some(_) => rest.strip_prefix('=')?,
                None if rest.is_empty() => "",
                None => return None,
            };
            Some(Self { format, argument: argument.to_owned() })
        };
        FORMATS.iter().find_map(parse).ok_or_else(|| format!("give {}", list_formats("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_selected_by_its_example() {
        for format in FORMATS {
            let choice: FormatChoice = format.example().parse().expect("a format");
            assert_eq!(choice.format.name, format.name);
        }
        for wrong in ["", "xml", "csv=", "template", "ndjson ", "JSON"] {
            let error = wrong.parse::<FormatChoice>().expect_err(wrong);
            assert!(error.starts_with("give pretty, ndjson, json, "), "{error}");
            assert!(FORMATS.iter().all(|format| error.contains(&format.usage())), "{error}");
        }
    }
}
