//! The formats, such as `@csv`, which also apply to interpolated strings.

use std::fmt::Write as _;

use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use jaq_core::Cv;
use jaq_core::native::{bome, run, v};

use crate::query::program::engine::{JqEngine, NativeFilter};
use crate::query::value::{JqValue, ValueError, ValueResult, budget, exhausted, type_error};

/// The Base64 that jq writes, and reads with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    [
        run(("@text", v(0), |cv: Cv<'_, JqEngine>| bome(to_text(&cv.1)))),
        run(("@json", v(0), |cv| bome(cv.1.to_json().map(JqValue::text).ok_or_else(exhausted)))),
        run(("@html", v(0), |cv| bome(map_text(&cv.1, 6, to_html)))),
        run(("@uri", v(0), |cv| bome(map_text(&cv.1, 3, to_uri)))),
        run(("@urid", v(0), |cv| bome(from_uri(&cv.1)))),
        run(("@base64", v(0), |cv| bome(map_text(&cv.1, 2, |text| BASE64.encode(text))))),
        run(("@base64d", v(0), |cv| bome(from_base64(&cv.1)))),
        run(("@csv", v(0), |cv| bome(to_csv(&cv.1)))),
        run(("@tsv", v(0), |cv| bome(to_tsv(&cv.1)))),
        run(("@sh", v(0), |cv| bome(to_shell(&cv.1)))),
    ]
    .into_iter()
}

/// Maps the text of a value, as `tostring` gives it, to a text that is at most `growth` times as
/// long.
fn map_text(value: &JqValue, growth: usize, map: impl Fn(&str) -> String) -> ValueResult {
    let text = text_of(value)?;
    if !budget::has_room(text.len().saturating_mul(growth)) {
        return Err(exhausted());
    }
    Ok(JqValue::text(map(&text)))
}

fn text_of(value: &JqValue) -> Result<std::borrow::Cow<'_, str>, ValueError> {
    match value.as_text() {
        Some(text) if budget::pay(text.len() as u64) => Ok(text.into()),
        Some(_) => Err(exhausted()),
        None => value.to_json().map(Into::into).ok_or_else(exhausted),
    }
}

fn to_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '\'' => html.push_str("&apos;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}

fn to_uri(text: &str) -> String {
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn from_uri(value: &JqValue) -> ValueResult {
    let text = text_of(value)?;
    let fail = || type_error(&JqValue::text(&*text), "is not a valid uri encoding");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit().ok_or_else(fail)?, digit().ok_or_else(fail)?);
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| fail())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map(JqValue::text).map_err(|_| fail())
}

fn from_base64(value: &JqValue) -> ValueResult {
    let text = text_of(value)?;
    // What follows the padding is ignored.
    let data = text.split('=').next().unwrap_or_default();
    let bytes = BASE64.decode(data).map_err(|error| {
        type_error(
            &JqValue::text(&*text),
            match error {
                DecodeError::InvalidLength(_) => "trailing base64 byte found",
                _ => "is not valid base64 data",
            },
        )
    })?;
    Ok(JqValue::text(String::from_utf8_lossy(&bytes)))
}

pub(super) fn to_text(value: &JqValue) -> ValueResult {
    map_text(value, 1, str::to_owned)
}

pub(super) fn to_csv(value: &JqValue) -> ValueResult {
    row(value, "csv", ",", csv_cell)
}

pub(super) fn to_tsv(value: &JqValue) -> ValueResult {
    row(value, "tsv", "\t", tsv_cell)
}

/// Writes an array as a row of cells.
fn row(
    value: &JqValue,
    format: &str,
    separator: &str,
    cell: impl Fn(&JqValue, &mut String) -> bool,
) -> ValueResult {
    let problem = format!("cannot be {format}-formatted, only array");
    let cells = value.as_array().ok_or_else(|| type_error(value, &problem))?;
    if !budget::pay(value.weight()) {
        return Err(exhausted());
    }
    let mut text = String::new();
    for (index, value) in cells.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        if !budget::has_room(text.len()) {
            return Err(exhausted());
        }
        if !cell(value, &mut text) {
            // jq says the same for `@tsv`.
            return Err(type_error(value, "is not valid in a csv row"));
        }
    }
    Ok(JqValue::text(text))
}

fn csv_cell(value: &JqValue, out: &mut String) -> bool {
    match value {
        JqValue::Text(text) => {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        }
        value => return plain_cell(value, out),
    }
    true
}

fn tsv_cell(value: &JqValue, out: &mut String) -> bool {
    match value {
        JqValue::Text(text) => {
            for character in text.chars() {
                match character {
                    '\t' => out.push_str("\\t"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\\' => out.push_str("\\\\"),
                    other => out.push(other),
                }
            }
        }
        value => return plain_cell(value, out),
    }
    true
}

fn plain_cell(value: &JqValue, out: &mut String) -> bool {
    match value {
        JqValue::Null => {}
        JqValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        JqValue::Number(number) if number.is_nan() => {}
        JqValue::Number(number) => out.push_str(&number.text()),
        _ => return false,
    }
    true
}

/// Writes a value, or each item of an array, as an argument for a shell.
fn to_shell(value: &JqValue) -> ValueResult {
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    if !budget::pay(value.weight()) {
        return Err(exhausted());
    }
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        if !budget::has_room(text.len()) {
            return Err(exhausted());
        }
        match item {
            JqValue::Text(argument) => {
                text.push('\'');
                text.push_str(&argument.replace('\'', "'\\''"));
                text.push('\'');
            }
            JqValue::Array(_) | JqValue::Object(_) => {
                return Err(type_error(item, "can not be escaped for shell"));
            }
            scalar => {
                text.push_str(&scalar.to_json().ok_or_else(exhausted)?);
            }
        }
    }
    Ok(JqValue::text(text))
}
