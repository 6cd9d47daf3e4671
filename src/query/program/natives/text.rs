//! Filters on strings.

use jaq_core::native::{bome, run, unary, v};
use jaq_core::{Cv, ValT};

use crate::query::program::engine::{JqEngine, NativeFilter};
use crate::query::value::{
    JqText, JqValue, Number, ReadError, ValueError, ValueResult, budget, exhausted, read, split,
    start_of, type_error,
};

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    [
        run(("tojson", v(0), |cv: Cv<'_, JqEngine>| bome(to_json(&cv.1)))),
        run(("fromjson", v(0), |cv| bome(from_json(&cv.1)))),
        run(("tostring", v(0), |cv| bome(to_text(cv.1)))),
        run(("tonumber", v(0), |cv| bome(to_number(&cv.1)))),
        run(("toboolean", v(0), |cv| bome(to_boolean(&cv.1)))),
        run(("utf8bytelength", v(0), |cv| bome(byte_length(&cv.1)))),
        run(("explode", v(0), |cv| bome(explode(&cv.1)))),
        run(("implode", v(0), |cv| bome(implode(&cv.1)))),
        run(("ascii_downcase", v(0), |cv| {
            bome(map_text(&cv.1, "explode input must be a string", str::to_ascii_lowercase))
        })),
        run(("ascii_upcase", v(0), |cv| bome(to_upper_case(&cv.1)))),
        run(("trim", v(0), |cv| bome(trim(&cv.1, str::trim)))),
        run(("ltrim", v(0), |cv| bome(trim(&cv.1, str::trim_start)))),
        run(("rtrim", v(0), |cv| bome(trim(&cv.1, str::trim_end)))),
        run(("startswith", v(1), |cv| {
            unary(cv, |text, prefix| {
                let (text, prefix) = two_texts(&text, &prefix, STARTSWITH)?;
                Ok(text.starts_with(&**prefix).into())
            })
        })),
        run(("endswith", v(1), |cv| {
            unary(cv, |text, suffix| {
                let (text, suffix) = two_texts(&text, &suffix, ENDSWITH)?;
                Ok(text.ends_with(&**suffix).into())
            })
        })),
        run(("ltrimstr", v(1), |cv| {
            unary(cv, |text, prefix| {
                let (whole, prefix) = two_texts(&text, &prefix, STARTSWITH)?;
                Ok(whole.strip_prefix(&**prefix).map_or_else(|| text.clone(), JqValue::text))
            })
        })),
        run(("rtrimstr", v(1), |cv| {
            unary(cv, |text, suffix| {
                let (whole, suffix) = two_texts(&text, &suffix, ENDSWITH)?;
                Ok(whole.strip_suffix(&**suffix).map_or_else(|| text.clone(), JqValue::text))
            })
        })),
        run(("split", v(1), |cv| {
            unary(cv, |text, separator| {
                let problem = "split input and separator must be strings";
                let (text, separator) = two_texts(&text, &separator, problem)?;
                split(text, separator)
            })
        })),
        run(("join", v(1), |cv| unary(cv, |items, separator| join(items, &separator)))),
    ]
    .into_iter()
}

const STARTSWITH: &str = "startswith() requires string inputs";
const ENDSWITH: &str = "endswith() requires string inputs";

fn two_texts<'v>(
    left: &'v JqValue,
    right: &'v JqValue,
    problem: &str,
) -> Result<(&'v JqText, &'v JqText), ValueError> {
    let (JqValue::Text(left), JqValue::Text(right)) = (left, right) else {
        return Err(ValueError::str(problem));
    };
    if budget::pay(right.len() as u64) { Ok((left, right)) } else { Err(exhausted()) }
}

fn map_text(value: &JqValue, problem: &str, map: impl Fn(&str) -> String) -> ValueResult {
    let text = value.as_text().ok_or_else(|| ValueError::str(problem))?;
    if !budget::has_room(text.len()) {
        return Err(exhausted());
    }
    Ok(JqValue::text(map(text)))
}

pub(super) fn to_upper_case(value: &JqValue) -> ValueResult {
    map_text(value, "explode input must be a string", str::to_ascii_uppercase)
}

fn trim(value: &JqValue, trim: impl Fn(&str) -> &str) -> ValueResult {
    map_text(value, "trim input must be a string", |text| trim(text).to_owned())
}

pub(super) fn to_json(value: &JqValue) -> ValueResult {
    value.to_json().map(JqValue::text).ok_or_else(exhausted)
}

fn to_text(value: JqValue) -> ValueResult {
    match value {
        JqValue::Text(_) => Ok(value),
        value => to_json(&value),
    }
}

fn from_json(value: &JqValue) -> ValueResult {
    let text = value.as_text().ok_or_else(|| type_error(value, "only strings can be parsed"))?;
    if !budget::pay(text.len() as u64) {
        return Err(exhausted());
    }
    read(text).map_err(|ReadError { reason, offset }| {
        let before = start_of(text, offset);
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let quoted = JqValue::text(text);
        ValueError::str(format_args!(
            "{reason} at line {line}, column {column} (while parsing {quoted})"
        ))
    })
}

pub(super) fn to_number(value: &JqValue) -> ValueResult {
    match value {
        JqValue::Number(_) => Ok(value.clone()),
        _ => value
            .as_text()
            .filter(|text| budget::pay(text.len() as u64))
            .and_then(Number::parse)
            .map(JqValue::Number)
            .ok_or_else(|| type_error(value, "cannot be parsed as a number")),
    }
}

fn to_boolean(value: &JqValue) -> ValueResult {
    match (value, value.as_text()) {
        (JqValue::Bool(_), _) => Ok(value.clone()),
        (_, Some("true")) => Ok(true.into()),
        (_, Some("false")) => Ok(false.into()),
        _ => Err(type_error(value, "cannot be parsed as a boolean")),
    }
}

fn byte_length(value: &JqValue) -> ValueResult {
    let problem = "only strings have UTF-8 byte length";
    value.as_text().map(|text| text.len().into()).ok_or_else(|| type_error(value, problem))
}

fn explode(value: &JqValue) -> ValueResult {
    let text = value.as_text().ok_or_else(|| ValueError::str("explode input must be a string"))?;
    Ok(text.chars().map(|character| JqValue::from(u32::from(character) as usize)).collect())
}

fn implode(value: &JqValue) -> ValueResult {
    let items =
        value.as_array().ok_or_else(|| ValueError::str("implode input must be an array"))?;
    if !budget::pay(size_of_val(items) as u64) || !budget::has_room(items.len() * 4) {
        return Err(exhausted());
    }
    let mut text = String::with_capacity(items.len());
    for item in items {
        let code = match item {
            JqValue::Number(number) if !number.is_nan() => number.float(),
            _ => {
                let problem = "can't be imploded, unicode codepoint needs to be numeric";
                return Err(type_error(item, problem));
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        let code = u32::try_from(code as i64).ok().and_then(char::from_u32);
        text.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(JqValue::text(text))
}

/// Joins strings, numbers, booleans and nulls, which count as empty strings.
fn join(items: JqValue, separator: &JqValue) -> ValueResult {
    let mut joined = JqValue::Null;
    for item in items.values() {
        let item = match item? {
            scalar @ (JqValue::Bool(_) | JqValue::Number(_)) => scalar.into_string(),
            JqValue::Null => JqValue::text(""),
            item => item,
        };
        let before = match joined {
            JqValue::Null => JqValue::text(""),
            joined => (joined + separator.clone())?,
        };
        joined = (before + item)?;
        if !budget::step() {
            return Err(exhausted());
        }
    }
    Ok(if matches!(joined, JqValue::Null) { JqValue::text("") } else { joined })
}
