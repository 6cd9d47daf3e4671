//! How jaq reads and changes parts of values: with keys, positions and slices.

use std::ops::Range;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::{ValT, ValX};

use super::budget;
use super::error::{ValueError, ValueResult, exhausted, index_error, iterate_error};
use super::jq_text::JqText;
use super::jq_value::{JqArray, JqObject, JqValue};
use super::number::Number;

/// The largest index at which jq sets an item.
const MAX_INDEX: usize = 536_870_911;

impl ValT for JqValue {
    fn from_num(text: &str) -> ValueResult {
        Number::parse(text)
            .map(Self::Number)
            .ok_or_else(|| ValueError::str("a number in the program cannot be read"))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValueResult {
        let mut object = JqObject::default();
        for (key, value) in members {
            let Self::Text(key) = key else {
                return Err(ValueError::str(format_args!(
                    "Cannot use {} ({key}) as object key",
                    key.type_name()
                )));
            };
            object.insert(key, value);
        }
        Ok(Self::Object(object))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), ValueError>> {
        match self {
            Self::Array(items) => Box::new(
                (0..items.len())
                    .map(move |at| Ok((at.into(), items.get(at).cloned().unwrap_or_default()))),
            ),
            Self::Object(object) => Box::new((0..object.len()).map(move |at| {
                let (key, value) = object.at(at).ok_or_else(exhausted)?;
                Ok((Self::Text(key.clone()), value.clone()))
            })),
            value => box_once(Err(iterate_error(&value))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValueResult>> {
        match self {
            Self::Array(items) => Box::new(
                (0..items.len()).map(move |at| Ok(items.get(at).cloned().unwrap_or_default())),
            ),
            Self::Object(object) => Box::new((0..object.len()).map(move |at| {
                Ok(object.at(at).map(|(_, value)| value.clone()).unwrap_or_default())
            })),
            value => box_once(Err(iterate_error(&value))),
        }
    }

    fn index(self, key: &Self) -> ValueResult {
        match (&self, key) {
            (Self::Object(object), Self::Text(key)) => {
                Ok(object.get(key).cloned().unwrap_or_default())
            }
            (Self::Array(items), Self::Number(index)) => {
                let at = position(items.len(), index);
                Ok(at.and_then(|at| items.get(at)).cloned().unwrap_or_default())
            }
            (Self::Null, Self::Text(_) | Self::Number(_) | Self::Object(_)) => Ok(Self::Null),
            (Self::Array(_) | Self::Text(_), Self::Object(slice)) => {
                let (Some(start), Some(end)) = (slice.get("start"), slice.get("end")) else {
                    return Err(ValueError::str("Array/string slice indices must be integers"));
                };
                self.slice(Some(start)..Some(end))
            }
            (Self::Array(items), Self::Array(part)) => indices_of_part(items, part),
            _ => Err(index_error(&self, key)),
        }
    }

    fn range(self, range: Range<Option<&Self>>) -> ValueResult {
        match self {
            Self::Null | Self::Array(_) | Self::Text(_) => self.slice(range),
            value => Err(index_error(&value, &slice_object(range))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::Array(items) => {
                let mut updated = Vec::new();
                for item in items.iter() {
                    if let Some(item) = update(item.clone()).next() {
                        updated.push(item?);
                    }
                }
                Ok(Self::array(updated))
            }
            Self::Object(object) => {
                let mut updated = JqObject::with_capacity(object.len());
                for (key, value) in object.iter() {
                    if let Some(value) = update(value.clone()).next() {
                        updated.insert(key.clone(), value?);
                    }
                }
                Ok(Self::Object(updated))
            }
            value => Ok(opt.fail(value, |value| iterate_error(&value))?),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        key: &Self,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, key) {
            (Self::Object(object), Self::Text(key)) => update_member(object, key, update),
            (Self::Null, Self::Text(key)) => match update(Self::Null).next().transpose()? {
                Some(value) => Ok(Self::from_map([(Self::Text(key.clone()), value)])?),
                None => Ok(Self::Null),
            },
            (Self::Array(items), Self::Number(index)) => {
                match update_item(items.clone(), index, opt, update)? {
                    Some(updated) => Ok(updated),
                    None => Ok(Self::Array(items)),
                }
            }
            (Self::Null, Self::Number(index)) => {
                let updated = update_item(JqArray::new(Vec::new()), index, opt, update)?;
                Ok(updated.filter(|value| value.as_array() != Some(&[])).unwrap_or_default())
            }
            (value @ (Self::Null | Self::Array(_) | Self::Text(_)), Self::Object(slice)) => {
                value.map_range(slice.get("start")..slice.get("end"), opt, update)
            }
            (value @ Self::Array(_), Self::Array(_)) => {
                let fail = |_| ValueError::str("Cannot update field at array index of array");
                Ok(opt.fail(value, fail)?)
            }
            (value, key) => Ok(opt.fail(value, |value| index_error(&value, key))?),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<Option<&Self>>,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let items = match self {
            Self::Array(items) => items,
            Self::Null => {
                let updated = update(Self::Null).next().transpose()?;
                return match updated {
                    None | Some(Self::Array(_)) => Ok(updated.unwrap_or_default()),
                    Some(_) => Err(not_an_array().into()),
                };
            }
            Self::Text(_) => {
                let fail = |_| ValueError::str("Cannot update string slices");
                return Ok(opt.fail(self, fail)?);
            }
            value => {
                let slice = slice_object(range);
                return Ok(opt.fail(value, |value| index_error(&value, &slice))?);
            }
        };
        let found = match slice_bounds(range, items.len()) {
            Ok(found) => found,
            Err(error) => return Ok(opt.fail(Self::Array(items), |_| error)?),
        };
        let part = Self::array(items[found.clone()].to_vec());
        let replacement = match update(part).next().transpose()? {
            Some(Self::Array(replacement)) => replacement,
            None => JqArray::new(Vec::new()),
            Some(_) => return Err(not_an_array().into()),
        };
        let mut whole = JqArray::new(items[..found.start].to_vec());
        whole.extend(&replacement);
        whole.extend(&items[found.end..]);
        Ok(Self::Array(whole))
    }

    fn as_bool(&self) -> bool {
        self.is_true()
    }

    fn into_string(self) -> Self {
        match self {
            Self::Text(_) => self,
            value => value.to_json().map(Self::text).unwrap_or_default(),
        }
    }
}

fn not_an_array() -> ValueError {
    ValueError::str("A slice of an array can only be assigned another array")
}

/// Updates a member in place if nothing else shares the object.
fn update_member<'a, I: Iterator<Item = ValX<'a, JqValue>>>(
    mut object: JqObject,
    key: &JqText,
    update: impl Fn(JqValue) -> I,
) -> ValX<'a, JqValue> {
    let known = object.take(key);
    let is_known = known.is_some();
    match update(known.unwrap_or_default()).next().transpose()? {
        Some(value) => object.insert(key.clone(), value),
        None if is_known => object.remove(key),
        None => {}
    }
    Ok(JqValue::Object(object))
}

/// Updates an item in place if nothing else shares the array. Returns `None` if the index is
/// invalid and `opt` allows that.
fn update_item<'a, I: Iterator<Item = ValX<'a, JqValue>>>(
    mut items: JqArray,
    index: &Number,
    opt: Opt,
    update: impl Fn(JqValue) -> I,
) -> Result<Option<JqValue>, jaq_core::Exn<'a, JqValue>> {
    let fail = |reason: &str| opt.fail(None, |_: Option<JqValue>| ValueError::str(reason).into());
    if index.is_nan() {
        return fail("Cannot set array element at NaN index");
    }
    let length = items.len();
    let at = position(length, index);
    let taken = at.map(|at| items.take(at)).unwrap_or_default();
    match (update(taken).next().transpose()?, at) {
        (Some(_), None) => return fail("Out of bounds negative array index"),
        (Some(_), Some(at)) if at > MAX_INDEX => return fail("Array index too large"),
        (Some(value), Some(at)) => items.set(at, value),
        (None, Some(at)) if at < length => items.remove(at),
        (None, _) => {}
    }
    Ok(Some(JqValue::Array(items)))
}

/// Returns the position of an index, which counts from the end if it is negative; `None` if it is
/// before the start or not a number.
#[must_use]
pub fn position(length: usize, index: &Number) -> Option<usize> {
    if index.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let index = index.float().clamp(f64::from(i32::MIN), f64::from(i32::MAX)).trunc() as i64;
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

impl JqValue {
    /// Returns a slice of an array or, by characters, of a string.
    fn slice(self, range: Range<Option<&Self>>) -> ValueResult {
        match &self {
            Self::Array(items) => {
                let found = slice_bounds(range, items.len())?;
                Ok(if found.len() == items.len() {
                    self
                } else {
                    if !budget::has_room(found.len() * size_of::<Self>()) {
                        return Err(exhausted());
                    }
                    Self::array(items[found].to_vec())
                })
            }
            Self::Text(text) => {
                if !budget::pay(text.len() as u64) {
                    return Err(exhausted());
                }
                let found = slice_bounds(range, text.chars().count())?;
                let offset = |character| {
                    text.char_indices().nth(character).map_or(text.len(), |(offset, _)| offset)
                };
                Ok(Self::text(&text[offset(found.start)..offset(found.end)]))
            }
            _ => Ok(Self::Null),
        }
    }
}

/// Returns the positions that a slice covers: its start is rounded down, its end up.
pub fn slice_bounds(
    range: Range<Option<&JqValue>>,
    length: usize,
) -> Result<Range<usize>, ValueError> {
    let bound = |value: Option<&JqValue>, default: f64| match value {
        None | Some(JqValue::Null) => Ok(default),
        Some(JqValue::Number(number)) => Ok(number.float()),
        Some(_) => Err(ValueError::str("Array/string slice indices must be integers")),
    };
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    let whole = length as f64;
    let (start, end) = (bound(range.start, 0.0)?, bound(range.end, whole)?);
    let from_end = |bound: f64| if bound < 0.0 { bound + whole } else { bound };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
    let clamp = |bound: f64| bound.clamp(0.0, whole) as usize;
    let start = if start.is_nan() { 0 } else { clamp(from_end(start).floor()) };
    let end = if end.is_nan() { length } else { clamp(from_end(end).ceil()) };
    Ok(start..end.max(start))
}

/// Returns the object that stands for a slice in a path.
fn slice_object(range: Range<Option<&JqValue>>) -> JqValue {
    JqValue::from(range.start.cloned()..range.end.cloned())
}

/// Returns the positions at which an array contains another as a part.
pub fn indices_of_part(items: &[JqValue], part: &[JqValue]) -> ValueResult {
    if part.is_empty() {
        return Ok(JqValue::array(Vec::new()));
    }
    let work = (size_of_val(part) as u64).saturating_mul(items.len() as u64);
    if !budget::pay(work) {
        return Err(exhausted());
    }
    let mut found = Vec::new();
    for (at, window) in items.windows(part.len()).enumerate() {
        if window.iter().zip(part).all(|(left, right)| left == right) {
            found.push(at.into());
        }
    }
    Ok(JqValue::array(found))
}
