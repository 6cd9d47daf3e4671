//! Filters on arrays and objects.

use jaq_core::ValT;
use jaq_core::native::{bome, run, unary, v};

use crate::query::program::engine::{Input, NativeFilter};
use crate::query::value::{
    JqArray, JqValue, ValueError, ValueResult, budget, exhausted, indices_of_part, iterate_error,
    pair_error, type_error,
};

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    [
        run(("type", v(0), |cv: Input<'_>| bome(type_of(&cv.1)))),
        run(("length", v(0), |cv| bome(length(&cv.1)))),
        run(("keys_unsorted", v(0), |cv| bome(keys_unsorted(&cv.1)))),
        run(("has", v(1), |cv| unary(cv, |value, key| has(&value, &key)))),
        run(("contains", v(1), |cv| unary(cv, |whole, part| contains(&whole, &part)))),
        run(("indices", v(1), |cv| unary(cv, |whole, part| indices(&whole, &part)))),
        run(("reverse", v(0), |cv| bome(reverse(&cv.1)))),
        run(("add", v(0), |cv| bome(add(&cv.1)))),
        run(("flatten", v(0), |cv| bome(flatten(&cv.1, f64::INFINITY)))),
        run(("flatten", v(1), |cv| unary(cv, |value, levels| flatten_levels(&value, &levels)))),
        run(("floor", v(0), |cv| bome(floor(&cv.1)))),
        run(("ceil", v(0), |cv| bome(ceil(&cv.1)))),
        run(("round", v(0), |cv| bome(round(&cv.1)))),
        run(("abs", v(0), |cv| bome(abs(&cv.1)))),
        run(("isnan", v(0), |cv| bome(Ok(is_number(&cv.1, f64::is_nan))))),
        run(("isinfinite", v(0), |cv| bome(Ok(is_number(&cv.1, f64::is_infinite))))),
        run(("isnormal", v(0), |cv| bome(Ok(is_number(&cv.1, f64::is_normal))))),
        run(("nan", v(0), |_| bome(Ok(f64::NAN.into())))),
        run(("infinite", v(0), |_| bome(Ok(f64::INFINITY.into())))),
        run(("have_literal_numbers", v(0), |_| bome(Ok(true.into())))),
        run(("have_decnum", v(0), |_| bome(Ok(true.into())))),
    ]
    .into_iter()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that filters share")]
pub(super) fn type_of(value: &JqValue) -> ValueResult {
    Ok(JqValue::text(value.type_name()))
}

pub(super) fn length(value: &JqValue) -> ValueResult {
    Ok(match value {
        JqValue::Null => 0_usize.into(),
        JqValue::Bool(_) => return Err(type_error(value, "has no length")),
        JqValue::Number(number) => JqValue::Number(number.abs()),
        JqValue::Text(text) => {
            if !budget::pay(text.len() as u64) {
                return Err(exhausted());
            }
            text.chars().count().into()
        }
        JqValue::Array(items) => items.len().into(),
        JqValue::Object(object) => object.len().into(),
    })
}

fn keys_unsorted(value: &JqValue) -> ValueResult {
    match value {
        JqValue::Object(object) => {
            Ok(object.iter().map(|(key, _)| JqValue::Text(key.clone())).collect())
        }
        JqValue::Array(items) => Ok((0..items.len()).map(JqValue::from).collect()),
        _ => Err(type_error(value, "has no keys")),
    }
}

fn has(value: &JqValue, key: &JqValue) -> ValueResult {
    Ok(JqValue::Bool(match (value, key) {
        (JqValue::Null, _) => false,
        (JqValue::Object(object), JqValue::Text(key)) => object.get(key).is_some(),
        (JqValue::Array(items), JqValue::Number(index)) => {
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            let at = usize::try_from(index.float().trunc() as i64);
            !index.is_nan() && at.is_ok_and(|at| at < items.len())
        }
        _ => {
            return Err(ValueError::str(format_args!(
                "Cannot check whether {} has a {} key",
                value.type_name(),
                key.type_name()
            )));
        }
    }))
}

fn contains(whole: &JqValue, part: &JqValue) -> ValueResult {
    let is_bool = |value: &JqValue| matches!(value, JqValue::Bool(_));
    if whole.type_name() != part.type_name() || is_bool(whole) && whole != part {
        return Err(pair_error(whole, part, "cannot have their containment checked"));
    }
    contains_part(whole, part).map(JqValue::Bool)
}

fn contains_part(whole: &JqValue, part: &JqValue) -> Result<bool, ValueError> {
    Ok(match (whole, part) {
        (JqValue::Text(whole), JqValue::Text(part)) => {
            if !budget::pay(whole.len() as u64) {
                return Err(exhausted());
            }
            whole.contains(&**part)
        }
        (JqValue::Array(whole), JqValue::Array(part)) => {
            for wanted in part.iter() {
                let mut is_contained = false;
                for item in whole.iter() {
                    if !budget::step() {
                        return Err(exhausted());
                    }
                    if contains_part(item, wanted)? {
                        is_contained = true;
                        break;
                    }
                }
                if !is_contained {
                    return Ok(false);
                }
            }
            true
        }
        (JqValue::Object(whole), JqValue::Object(part)) => {
            for (key, wanted) in part.iter() {
                if !budget::step() {
                    return Err(exhausted());
                }
                match whole.get(key) {
                    Some(value) if contains_part(value, wanted)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (whole, part) => whole == part,
    })
}

fn indices(whole: &JqValue, part: &JqValue) -> ValueResult {
    match (whole, part) {
        (JqValue::Text(whole), JqValue::Text(part)) => {
            // Finding overlapping occurrences takes as long as both texts together.
            let work = (whole.len() as u64).saturating_mul(part.len().min(64) as u64);
            if !budget::pay(work) {
                return Err(exhausted());
            }
            Ok(text_indices(whole, part))
        }
        (JqValue::Array(whole), JqValue::Array(part)) => indices_of_part(whole, part),
        (JqValue::Array(whole), part) => indices_of_part(whole, std::slice::from_ref(part)),
        (whole, part) => whole.clone().index(part),
    }
}

/// Returns the positions of a text in another, in characters.
fn text_indices(whole: &str, part: &str) -> JqValue {
    let mut found = JqArray::new(Vec::new());
    if part.is_empty() {
        return JqValue::Array(found);
    }
    let (mut at, mut characters) = (0, 0_usize);
    while let Some(offset) = whole[at..].find(part) {
        characters += whole[at..at + offset].chars().count();
        at += offset;
        found.push(characters.into());
        characters += 1;
        at += whole[at..].chars().next().map_or(1, char::len_utf8);
        if !budget::pay(part.len() as u64) {
            break;
        }
    }
    JqValue::Array(found)
}

/// Reverses an array. The errors are those of jq's definition, which indexes the value.
fn reverse(value: &JqValue) -> ValueResult {
    if let JqValue::Array(items) = value {
        return Ok(items.iter().rev().cloned().collect());
    }
    let length = number(&length(value)?)?;
    if length == 0.0 {
        return Ok(JqValue::array(Vec::new()));
    }
    value.clone().index(&(length - 1.0).into())
}

/// Adds all items of an array or all values of an object.
pub(super) fn add(value: &JqValue) -> ValueResult {
    let mut sum = JqValue::Null;
    for item in value.clone().values() {
        sum = (sum + item?)?;
        if budget::is_exhausted() {
            return Err(exhausted());
        }
    }
    Ok(sum)
}

fn flatten_levels(value: &JqValue, levels: &JqValue) -> ValueResult {
    match levels {
        JqValue::Number(levels) if levels.float() < 0.0 => {
            Err(ValueError::str("flatten depth must not be negative"))
        }
        JqValue::Number(levels) => flatten(value, levels.float()),
        _ if levels < &JqValue::from(0_usize) => {
            Err(ValueError::str("flatten depth must not be negative"))
        }
        _ => Err(pair_error(levels, &JqValue::from(1_usize), "cannot be subtracted")),
    }
}

fn flatten(value: &JqValue, levels: f64) -> ValueResult {
    let mut flat = JqArray::new(Vec::new());
    if let JqValue::Object(object) = value {
        for (_, item) in object.iter() {
            flatten_into(item, levels, &mut flat)?;
        }
    } else {
        let items = value.as_array().ok_or_else(|| iterate_error(value))?;
        for item in items {
            flatten_into(item, levels, &mut flat)?;
        }
    }
    Ok(JqValue::Array(flat))
}

fn flatten_into(item: &JqValue, levels: f64, flat: &mut JqArray) -> Result<(), ValueError> {
    if !budget::pay(512) {
        return Err(exhausted());
    }
    match item.as_array() {
        Some(items) if levels != 0.0 => {
            items.iter().try_for_each(|item| flatten_into(item, levels - 1.0, flat))
        }
        _ => {
            flat.push(item.clone());
            Ok(())
        }
    }
}

fn number(value: &JqValue) -> Result<f64, ValueError> {
    match value {
        JqValue::Number(number) => Ok(number.float()),
        _ => Err(type_error(value, "number required")),
    }
}

pub(super) fn floor(value: &JqValue) -> ValueResult {
    Ok(number(value)?.floor().into())
}

pub(super) fn ceil(value: &JqValue) -> ValueResult {
    Ok(number(value)?.ceil().into())
}

pub(super) fn round(value: &JqValue) -> ValueResult {
    Ok(number(value)?.round().into())
}

fn is_number(value: &JqValue, test: impl Fn(f64) -> bool) -> JqValue {
    JqValue::Bool(matches!(value, JqValue::Number(number) if test(number.float())))
}

pub(super) fn abs(value: &JqValue) -> ValueResult {
    match value {
        JqValue::Number(number) if number.float() < 0.0 => Ok(JqValue::Number(number.abs())),
        JqValue::Number(_) => Ok(value.clone()),
        _ if *value < JqValue::from(0_usize) => Err(type_error(value, "cannot be negated")),
        _ => Ok(value.clone()),
    }
}
