//! The operators `+`, `-`, `*`, `/`, `%` and negation.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::budget::{self, MAX_DEPTH};
use super::error::{ValueError, ValueResult, exhausted, pair_error, type_error};
use super::jq_text::JqText;
use super::jq_value::{JqObject, JqValue};

impl Add for JqValue {
    type Output = ValueResult;

    fn add(self, other: Self) -> ValueResult {
        match (self, other) {
            (Self::Null, value) | (value, Self::Null) => Ok(value),
            (Self::Number(left), Self::Number(right)) => Ok((left.float() + right.float()).into()),
            (Self::Text(mut left), Self::Text(right)) => {
                left.append(&right);
                Ok(Self::Text(left))
            }
            (Self::Array(mut left), Self::Array(right)) => {
                left.extend(&right);
                Ok(Self::Array(left))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                if !budget::pay(right.len() as u64 * size_of::<Self>() as u64) {
                    return Err(exhausted());
                }
                for (key, value) in right.iter() {
                    left.insert(key.clone(), value.clone());
                }
                Ok(Self::Object(left))
            }
            (left, right) => Err(pair_error(&left, &right, "cannot be added")),
        }
    }
}

impl Sub for JqValue {
    type Output = ValueResult;

    fn sub(self, other: Self) -> ValueResult {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Ok((left.float() - right.float()).into()),
            (Self::Array(left), Self::Array(right)) => {
                let mut kept = Vec::new();
                for item in left.iter() {
                    if !budget::pay((right.len() * size_of::<Self>()) as u64) {
                        return Err(exhausted());
                    }
                    if !right.iter().any(|removed| removed == item) {
                        kept.push(item.clone());
                    }
                }
                Ok(Self::array(kept))
            }
            (left, right) => Err(pair_error(&left, &right, "cannot be subtracted")),
        }
    }
}

impl Mul for JqValue {
    type Output = ValueResult;

    fn mul(self, other: Self) -> ValueResult {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Ok((left.float() * right.float()).into()),
            (Self::Text(text), Self::Number(number)) | (Self::Number(number), Self::Text(text)) => {
                repeat(&text, number.float())
            }
            (Self::Object(left), Self::Object(right)) => merge(left, &right, 0).map(Self::Object),
            (left, right) => Err(pair_error(&left, &right, "cannot be multiplied")),
        }
    }
}

/// Repeats a text. jq gives null for a negative number.
fn repeat(text: &JqText, count: f64) -> ValueResult {
    if count < 0.0 || count.is_nan() {
        return Ok(JqValue::Null);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let count = count.min(f64::from(i32::MAX)) as usize;
    let length = text.len().saturating_mul(count);
    if length >= i32::MAX as usize - 8 {
        return Err(ValueError::str("Repeat string result too long"));
    }
    if !budget::has_room(length) {
        return Err(exhausted());
    }
    Ok(JqValue::text(text.repeat(count)))
}

/// Merges two objects, and the objects that both contain.
fn merge(mut left: JqObject, right: &JqObject, level: u32) -> Result<JqObject, ValueError> {
    if level > MAX_DEPTH || !budget::pay(right.len() as u64 * size_of::<JqValue>() as u64) {
        return Err(exhausted());
    }
    for (key, value) in right.iter() {
        let merged = match (value, left.get(key)) {
            (JqValue::Object(inner), Some(JqValue::Object(_))) => match left.take(key) {
                Some(JqValue::Object(known)) => JqValue::Object(merge(known, inner, level + 1)?),
                _ => value.clone(),
            },
            _ => value.clone(),
        };
        left.insert(key.clone(), merged);
    }
    Ok(left)
}

impl Div for JqValue {
    type Output = ValueResult;

    fn div(self, other: Self) -> ValueResult {
        match (&self, &other) {
            (Self::Number(left), Self::Number(right)) => {
                if right.float() == 0.0 {
                    let problem = "cannot be divided because the divisor is zero";
                    return Err(pair_error(&self, &other, problem));
                }
                Ok((left.float() / right.float()).into())
            }
            (Self::Text(text), Self::Text(separator)) => split(text, separator),
            _ => Err(pair_error(&self, &other, "cannot be divided")),
        }
    }
}

/// Splits a text at every occurrence of a separator, or into characters if that is empty.
pub fn split(text: &str, separator: &str) -> ValueResult {
    if !budget::pay(text.len() as u64) {
        return Err(exhausted());
    }
    Ok(if text.is_empty() {
        JqValue::array(Vec::new())
    } else if separator.is_empty() {
        text.char_indices()
            .map(|(at, character)| JqValue::text(&text[at..at + character.len_utf8()]))
            .collect()
    } else {
        text.split(separator).map(JqValue::text).collect()
    })
}

impl Rem for JqValue {
    type Output = ValueResult;

    fn rem(self, other: Self) -> ValueResult {
        let (Self::Number(left), Self::Number(right)) = (&self, &other) else {
            return Err(pair_error(&self, &other, "cannot be divided (remainder)"));
        };
        if left.is_nan() || right.is_nan() {
            return Ok(f64::NAN.into());
        }
        #[expect(clippy::cast_possible_truncation, reason = "jq truncates, and both saturate")]
        let (left, right) = (left.float() as i64, right.float() as i64);
        if right == 0 {
            let problem = "cannot be divided (remainder) because the divisor is zero";
            return Err(pair_error(&self, &other, problem));
        }
        #[expect(clippy::cast_precision_loss, reason = "jq calculates with floats")]
        Ok((left.checked_rem(right).unwrap_or(0) as f64).into())
    }
}

impl Neg for JqValue {
    type Output = ValueResult;

    fn neg(self) -> ValueResult {
        match &self {
            Self::Number(number) => Ok(Self::Number(number.negated())),
            _ => Err(type_error(&self, "cannot be negated")),
        }
    }
}
