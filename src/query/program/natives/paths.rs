//! Filters that work with paths.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the type of jaq's paths has no name"
)]

use jaq_core::box_iter::box_once;
use jaq_core::native::{bome, v};
use jaq_core::path::Opt;
use jaq_core::{Exn, Native, ValT, ValX, ValXs};

use crate::query::program::engine::{Input, JqEngine, NativeFilter, step};
use crate::query::value::{
    JqValue, ValueError, ValueResult, budget, exhausted, position, slice_bounds,
};

/// The name of the filter behind `..`.
pub(in crate::query::program) const RECURSE: &str = "evtap_recurse";

/// The longest path that jq follows.
const MAX_PATH: usize = 10_000;

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    let recurse = Native::<JqEngine>::new(|cv| {
        Box::new(descend(cv.1, (), |(), _| ()).map(|next| next.map(|(value, ())| value)))
    })
    .with_paths(|cv| Box::new(descend(cv.1.0, cv.1.1, |path, key| path.cons(key))))
    .with_update(|cv, update| box_once(update_all(cv.1, &|value| update(value))));
    let get = Native::<JqEngine>::new(|mut cv| {
        let path = cv.0.pop_var();
        bome(get_path(cv.1, &path))
    })
    .with_paths(|mut cv| {
        let path = cv.0.pop_var();
        let (value, start) = cv.1;
        let found = get_path(value, &path);
        let keys = path.as_array().unwrap_or_default();
        let end = keys.iter().cloned().fold(start, |path, key| path.cons(key));
        box_once(found.map(|value| (value, end)).map_err(Exn::from))
    })
    .with_update(|mut cv, update| {
        let path = cv.0.pop_var();
        let updated = keys_of(&path).map_err(Exn::from);
        box_once(updated.and_then(|keys| update_path(cv.1, keys, &|value| update(value))))
    });
    [
        (RECURSE, v(0), recurse),
        ("getpath", v(1), get),
        (
            "setpath",
            v(2),
            Native::new(|mut cv: Input<'_>| {
                let value = cv.0.pop_var();
                let path = cv.0.pop_var();
                box_once(
                    keys_of(&path)
                        .map_err(Exn::from)
                        .and_then(|keys| update_path(cv.1, keys, &|_| box_once(Ok(value.clone())))),
                )
            }),
        ),
        (
            "delpaths",
            v(1),
            Native::new(|mut cv: Input<'_>| {
                let paths = cv.0.pop_var();
                bome(delete_paths(cv.1, &paths))
            }),
        ),
    ]
    .into_iter()
}

/// Gives a value and everything in it, parents first, each with its path. `extend` adds a key to a
/// path.
fn descend<'a, P: Clone + 'a>(
    value: JqValue,
    path: P,
    extend: impl Fn(P, JqValue) -> P + 'a,
) -> impl Iterator<Item = ValX<'a, (JqValue, P), JqValue>> {
    let mut root = Some((value, path));
    // The containers around the current value, each with the position of its next child.
    let mut open: Vec<(JqValue, P, usize)> = Vec::new();
    let mut is_stopped = false;
    std::iter::from_fn(move || {
        if is_stopped {
            return None;
        }
        if let Err(stop) = step() {
            is_stopped = true;
            return Some(Err(stop));
        }
        let (value, path) = match root.take() {
            Some(root) => root,
            None => loop {
                let (container, path, next) = open.last_mut()?;
                let at = *next;
                *next += 1;
                let child = match container {
                    JqValue::Array(items) => items.get(at).map(|item| (at.into(), item.clone())),
                    JqValue::Object(object) => object
                        .at(at)
                        .map(|(key, value)| (JqValue::Text(key.clone()), value.clone())),
                    _ => None,
                };
                match child {
                    Some((key, child)) => break (child, extend(path.clone(), key)),
                    None => drop(open.pop()),
                }
            },
        };
        if value.depth() > 0 {
            open.push((value.clone(), path.clone(), 0));
        }
        Some(Ok((value, path)))
    })
}

/// Updates everything in a value, children first.
fn update_all<'a>(
    value: JqValue,
    update: &dyn Fn(JqValue) -> ValXs<'a, JqValue>,
) -> ValX<'a, JqValue> {
    step()?;
    let inner =
        value.map_values(Opt::Optional, |child| std::iter::once(update_all(child, update)))?;
    update(inner).next().unwrap_or(Ok(JqValue::Null))
}

pub(in crate::query::program) fn keys_of(path: &JqValue) -> Result<&[JqValue], ValueError> {
    let keys =
        path.as_array().ok_or_else(|| ValueError::str("Path must be specified as an array"))?;
    if keys.len() > MAX_PATH {
        return Err(ValueError::str("Path too deep"));
    }
    Ok(keys)
}

pub(in crate::query::program) fn get_path(value: JqValue, path: &JqValue) -> ValueResult {
    let keys = keys_of(path)?;
    if !budget::pay(size_of_val(keys) as u64) {
        return Err(exhausted());
    }
    keys.iter().try_fold(value, JqValue::index)
}

pub(in crate::query::program) fn update_path<'a>(
    value: JqValue,
    keys: &[JqValue],
    update: &dyn Fn(JqValue) -> ValXs<'a, JqValue>,
) -> ValX<'a, JqValue> {
    step()?;
    let Some((first, rest)) = keys.split_first() else {
        return update(value).next().unwrap_or(Ok(JqValue::Null));
    };
    if rest.is_empty() {
        return value.map_index(first, Opt::Essential, update);
    }
    value
        .map_index(first, Opt::Essential, |inner| std::iter::once(update_path(inner, rest, update)))
}

pub(in crate::query::program) fn delete_paths(value: JqValue, paths: &JqValue) -> ValueResult {
    let paths =
        paths.as_array().ok_or_else(|| ValueError::str("Paths must be specified as an array"))?;
    let weight = paths.iter().fold(0_u64, |sum, path| sum.saturating_add(path.weight() + 32));
    if !budget::pay(weight.saturating_mul(u64::from(paths.len().max(2).ilog2()) + 1)) {
        return Err(exhausted());
    }
    let mut sorted: Vec<&JqValue> = paths.iter().collect();
    sorted.sort_by(|left, right| left.sort_order(right));
    let mut keys = Vec::with_capacity(sorted.len());
    for path in sorted {
        let Some(_) = path.as_array() else {
            let kind = path.type_name();
            return Err(ValueError::str(format_args!(
                "Path must be specified as array, not {kind}"
            )));
        };
        keys.push(keys_of(path)?);
    }
    match keys.first() {
        None => Ok(value),
        Some([]) => Ok(JqValue::Null),
        Some(_) => delete_sorted(value, &keys, 0),
    }
}

/// Deletes paths that are sorted and longer than `level`, and that agree in the keys before it.
fn delete_sorted(mut value: JqValue, paths: &[&[JqValue]], level: usize) -> ValueResult {
    let mut deleted = Vec::new();
    for group in paths.chunk_by(|left, right| left[level].equals(&right[level])) {
        let key = &group[0][level];
        if !budget::step() {
            return Err(exhausted());
        }
        // A shorter path comes first, and deletes what the others lead to.
        if group[0].len() == level + 1 {
            deleted.push(key);
            continue;
        }
        if matches!(value.clone().index(key)?, JqValue::Null) {
            continue;
        }
        let update =
            |inner| std::iter::once(delete_sorted(inner, group, level + 1).map_err(Exn::from));
        value = value
            .map_index(key, Opt::Essential, update)
            .map_err(|exception: Exn<'_, _>| exception.get_err().unwrap_or_else(|_| exhausted()))?;
    }
    delete_keys(value, &deleted)
}

fn delete_keys(value: JqValue, keys: &[&JqValue]) -> ValueResult {
    match value {
        _ if keys.is_empty() => Ok(value),
        JqValue::Null => Ok(value),
        JqValue::Array(items) => {
            let mut is_kept = vec![true; items.len()];
            for key in keys {
                let range = match key {
                    JqValue::Number(number) if number.is_nan() => continue,
                    JqValue::Number(index) => match position(items.len(), index) {
                        Some(at) if at < items.len() => at..at + 1,
                        _ => continue,
                    },
                    JqValue::Object(slice) => {
                        slice_bounds(slice.get("start")..slice.get("end"), items.len())?
                    }
                    _ => {
                        return Err(ValueError::str(format_args!(
                            "Cannot delete {} element of array",
                            key.type_name()
                        )));
                    }
                };
                if !budget::pay(range.len() as u64) {
                    return Err(exhausted());
                }
                is_kept[range].fill(false);
            }
            let kept = items.iter().zip(is_kept).filter(|(_, is_kept)| *is_kept);
            Ok(kept.map(|(item, _)| item.clone()).collect())
        }
        JqValue::Object(mut object) => {
            for key in keys {
                let Some(key) = key.as_text() else {
                    return Err(ValueError::str(format_args!(
                        "Cannot delete {} field of object",
                        key.type_name()
                    )));
                };
                object.remove(key);
            }
            Ok(JqValue::Object(object))
        }
        value => {
            let kind = value.type_name();
            Err(ValueError::str(format_args!("Cannot delete fields from {kind}")))
        }
    }
}
