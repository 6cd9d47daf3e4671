//! Resolves the steps of `expect`: from `--then`, from a file with a step per line, or from TOML.

use std::path::Path;

use toml_edit::{Item, TableLike, Value};

use super::expression::read_source;
use crate::cli::args::ExpectArgs;
use crate::cli::config::TomlFile;
use crate::error::{Error, Result};
use crate::pipeline::stop::expect::StepSpec;
use crate::query::suggest;
use crate::text::units::{DurationError, parse_duration};

const STEPS: &str = "steps";
const ORDER: &str = "order";
const NAME: &str = "name";
const EXPRESSION: &str = "expect";
const NEVER: &str = "never";
const WITHIN: &str = "within";
const TIMES: &str = "times";

const EXAMPLE: &str = "write [[steps]] with expect = '.event_type == \"call.ended\"'";

/// The steps, and whether they may be met in any order.
pub struct Steps {
    pub specs: Vec<StepSpec>,
    pub any_order: bool,
}

/// Reads the steps that the options name.
pub fn steps(options: &ExpectArgs) -> Result<Steps> {
    if let Some(path) = &options.steps {
        let mut steps = read_toml(path)?;
        steps.any_order |= options.any_order;
        return Ok(steps);
    }
    let specs = match &options.file {
        Some(path) => read_lines(&path.display().to_string(), &read_source(path)?)?,
        None => options
            .then
            .iter()
            .map(|step| StepSpec::parse("--then", step))
            .collect::<Result<_>>()?,
    };
    Ok(Steps { specs, any_order: options.any_order })
}

/// Parses the steps in the `text` of the file `name`: one per line, ignoring blank lines and
/// comments (`#`).
fn read_lines(name: &str, text: &str) -> Result<Vec<StepSpec>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let steps: Vec<_> = lines
        .map(|(at, line)| {
            let spec = StepSpec::parse(&format!("line {} of {name}", at + 1), line)?;
            Ok(StepSpec { place: Some((name.to_owned(), at + 1)), ..spec })
        })
        .collect::<Result<_>>()?;
    if steps.is_empty() {
        return Err(Error::usage(
            format!("cannot use the steps in {name}"),
            "the file has no steps",
            "write a line like: within 30s .event_type == \"call.ended\"",
        ));
    }
    Ok(steps)
}

fn read_toml(path: &Path) -> Result<Steps> {
    let text = read_source(path)?;
    StepsReader { file: &TomlFile { path: path.to_owned(), text, is_private: false } }.steps()
}

struct StepsReader<'a> {
    file: &'a TomlFile,
}

/// The position of something in the file, in bytes.
type StepSpan = Option<std::ops::Range<usize>>;

impl StepsReader<'_> {
    fn wrong(&self, span: StepSpan, what: &str, why: &str, advice: &str) -> Error {
        self.file.wrong(self.file.line(span), what, why, advice)
    }

    fn steps(&self) -> Result<Steps> {
        let document = self.file.document(EXAMPLE)?;
        let mut steps = Steps { specs: Vec::new(), any_order: false };
        for (name, item) in document.iter() {
            match (name, item) {
                (STEPS, Item::ArrayOfTables(tables)) => {
                    for table in tables {
                        steps.specs.push(self.step(table.span(), table)?);
                    }
                }
                (STEPS, Item::Value(Value::Array(array))) => {
                    for value in array {
                        let table = value.as_inline_table().ok_or_else(|| {
                            self.wrong(value.span(), STEPS, "not a table", EXAMPLE)
                        })?;
                        steps.specs.push(self.step(value.span(), table)?);
                    }
                }
                (STEPS, _) => return Err(self.wrong(item.span(), STEPS, "not an array", EXAMPLE)),
                (ORDER, _) => match item.as_str() {
                    Some("any") => steps.any_order = true,
                    Some("sequence") => steps.any_order = false,
                    _ => {
                        let advice = "write order = \"any\" or order = \"sequence\"";
                        return Err(self.wrong(item.span(), ORDER, "no such order", advice));
                    }
                },
                _ => return Err(self.unknown(item.span(), name, &[ORDER, STEPS])),
            }
        }
        if steps.specs.is_empty() {
            return Err(self.wrong(None, "", "it has no steps", EXAMPLE));
        }
        Ok(steps)
    }

    fn step(&self, span: StepSpan, table: &dyn TableLike) -> Result<StepSpec> {
        let line = self.file.line(span.clone());
        let mut spec = StepSpec {
            name: String::new(),
            expression: String::new(),
            within: None,
            times: 1,
            is_never: false,
            place: Some((self.file.path.display().to_string(), line)),
        };
        let text = |item: &Item, name, advice| {
            let text = item.as_str().map(str::to_owned);
            text.ok_or_else(|| self.wrong(item.span(), name, "not a string", advice))
        };
        for (name, item) in table.iter() {
            match name {
                NAME => spec.name = text(item, NAME, "write name = \"the call ends\"")?,
                EXPRESSION | NEVER if spec.expression.is_empty() => {
                    spec.expression = text(item, name, EXAMPLE)?;
                    spec.is_never = name == NEVER;
                }
                EXPRESSION | NEVER => {
                    let advice = "write one step for each";
                    return Err(self.wrong(
                        item.span(),
                        name,
                        "expect and never exclude each other",
                        advice,
                    ));
                }
                WITHIN => {
                    let duration = text(item, WITHIN, DurationError::ADVICE)?;
                    let within = parse_duration(&duration).map_err(|error| {
                        self.wrong(item.span(), WITHIN, &error.to_string(), DurationError::ADVICE)
                    })?;
                    spec.within = Some(within);
                }
                TIMES => {
                    let times = item.as_integer().and_then(|times| u64::try_from(times).ok());
                    spec.times = times.filter(|times| *times > 0).ok_or_else(|| {
                        let advice = "write times = 3, or never in place of expect";
                        self.wrong(item.span(), TIMES, "not a number from 1", advice)
                    })?;
                }
                _ => {
                    let known = [NAME, EXPRESSION, NEVER, WITHIN, TIMES];
                    return Err(self.unknown(item.span(), name, &known));
                }
            }
        }
        if spec.expression.is_empty() {
            return Err(self.wrong(span, STEPS, "the step has no expression", EXAMPLE));
        }
        if spec.is_never && (spec.within.is_some() || spec.times > 1) {
            let advice = "leave out within and times";
            return Err(self.wrong(span, NEVER, "no event may match at any time", advice));
        }
        if spec.name.is_empty() {
            let never = if spec.is_never { "never " } else { "" };
            spec.name = format!("{never}{}", spec.expression);
        }
        Ok(spec)
    }

    fn unknown(&self, span: StepSpan, name: &str, known: &[&str]) -> Error {
        let advice = suggest::nearest(name, known.iter().copied()).map_or_else(
            || format!("give {}", known.join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        self.wrong(span, name, "no such name", &advice)
    }
}
