//! Filters that sort, and that find the smallest or the largest.

use std::cmp::Ordering;

use jaq_core::box_iter::box_once;
use jaq_core::native::{bome, run, unary, v};
use jaq_core::{Bind, Exn, ValX};

use crate::query::program::engine::{Input, NativeFilter, step};
use crate::query::value::{
    JqValue, ValueResult, budget, exhausted, iterate_error, pair_error, type_error,
};

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    let by = || [Bind::Fun(())].into();
    [
        run(("sort", v(0), |cv: Input<'_>| bome(own_keys(&cv.1).and_then(sort)))),
        run(("unique", v(0), |cv| bome(own_keys(&cv.1).and_then(unique)))),
        run(("min", v(0), |cv| bome(extreme_item(&cv.1, Ordering::Less)))),
        run(("max", v(0), |cv| bome(extreme_item(&cv.1, Ordering::Greater)))),
        run(("sort_by", by(), |cv| with_keys(cv, sort))),
        run(("group_by", by(), |cv| with_keys(cv, group))),
        run(("unique_by", by(), |cv| with_keys(cv, unique))),
        run(("min_by", by(), |cv| with_keys(cv, |items| extreme(items, Ordering::Less)))),
        run(("max_by", by(), |cv| with_keys(cv, |items| extreme(items, Ordering::Greater)))),
        run(("bsearch", v(1), |cv| unary(cv, |items, target| search(&items, &target)))),
        run(("keys", v(0), |cv| bome(keys(&cv.1)))),
    ]
    .into_iter()
}

/// An item and the key by which it is compared.
struct KeyedItem {
    key: JqValue,
    item: JqValue,
}

/// Uses the items of an array as their own keys.
fn own_keys(value: &JqValue) -> Result<Vec<KeyedItem>, jaq_core::Error<JqValue>> {
    let problem = "cannot be sorted, as it is not an array";
    let items = value.as_array().ok_or_else(|| type_error(value, problem))?;
    if !budget::has_room(items.len() * size_of::<KeyedItem>()) {
        return Err(exhausted());
    }
    Ok(items.iter().map(|item| KeyedItem { key: item.clone(), item: item.clone() }).collect())
}

/// Computes the keys of the items of an array with the filter's argument, and passes them on.
fn with_keys<'a>(
    mut cv: Input<'a>,
    then: impl FnOnce(Vec<KeyedItem>) -> ValueResult,
) -> jaq_core::ValXs<'a, JqValue> {
    let (key, context) = cv.0.pop_fun();
    let compute = || -> ValX<'a, JqValue> {
        let items: Vec<JqValue> = match &cv.1 {
            JqValue::Array(items) => items.to_vec(),
            JqValue::Object(object) => object.iter().map(|(_, value)| value.clone()).collect(),
            other => return Err(iterate_error(other).into()),
        };
        let mut keyed = Vec::new();
        for item in items {
            step()?;
            let keys: Result<JqValue, Exn<'a, JqValue>> =
                key.run((context.clone(), item.clone())).collect();
            if !budget::has_room(keyed.len() * size_of::<KeyedItem>()) {
                return Err(exhausted().into());
            }
            keyed.push(KeyedItem { key: keys?, item });
        }
        if matches!(cv.1, JqValue::Object(_)) {
            let keys = keyed.into_iter().map(|entry| entry.key).collect();
            let problem = "cannot be sorted, as they are not both arrays";
            return Err(pair_error(&cv.1, &keys, problem).into());
        }
        Ok(then(keyed)?)
    };
    box_once(compute())
}

/// Sorts by the keys and keeps the order of items with equal keys. Pays in advance, because the
/// order must not change while it sorts.
fn sort_by_key(keyed: &mut [KeyedItem]) -> Result<(), jaq_core::Error<JqValue>> {
    let weight = keyed.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.key.weight() + 32));
    let rounds = u64::from(keyed.len().max(2).ilog2()) + 1;
    if !budget::pay(weight.saturating_mul(rounds)) {
        return Err(exhausted());
    }
    keyed.sort_by(|left, right| left.key.sort_order(&right.key));
    Ok(())
}

fn sort(mut keyed: Vec<KeyedItem>) -> ValueResult {
    sort_by_key(&mut keyed)?;
    Ok(keyed.into_iter().map(|entry| entry.item).collect())
}

fn group(mut keyed: Vec<KeyedItem>) -> ValueResult {
    sort_by_key(&mut keyed)?;
    let groups = keyed.chunk_by(|left, right| left.key == right.key);
    Ok(groups.map(|group| group.iter().map(|entry| entry.item.clone()).collect()).collect())
}

fn unique(mut keyed: Vec<KeyedItem>) -> ValueResult {
    sort_by_key(&mut keyed)?;
    let groups = keyed.chunk_by(|left, right| left.key == right.key);
    Ok(groups.filter_map(|group| group.first()).map(|entry| entry.item.clone()).collect())
}

fn extreme_item(value: &JqValue, wanted: Ordering) -> ValueResult {
    match value {
        JqValue::Array(_) => extreme(own_keys(value)?, wanted),
        _ => Err(pair_error(value, value, "cannot be iterated over")),
    }
}

/// Returns the first item with the smallest key or the last one with the largest; null if there is
/// no item.
fn extreme(keyed: Vec<KeyedItem>, wanted: Ordering) -> ValueResult {
    let mut best: Option<KeyedItem> = None;
    for entry in keyed {
        let is_better = best.as_ref().is_none_or(|best| {
            let is_less = entry.key.partial_cmp(&best.key).is_some_and(Ordering::is_lt);
            is_less == wanted.is_lt()
        });
        if is_better {
            best = Some(entry);
        }
        if budget::is_exhausted() {
            return Err(exhausted());
        }
    }
    Ok(best.map(|entry| entry.item).unwrap_or_default())
}

/// Searches a sorted array. Gives the position, or `-1 - n` where the value would be inserted at n.
fn search(value: &JqValue, target: &JqValue) -> ValueResult {
    let items = value.as_array().ok_or_else(|| type_error(value, "cannot be searched from"))?;
    let found = items.binary_search_by(|item| {
        target.partial_cmp(item).map_or(Ordering::Equal, Ordering::reverse)
    });
    Ok(match found {
        Ok(at) => at.into(),
        Err(at) => JqValue::from(-1 - at.cast_signed()),
    })
}

pub(super) fn keys(value: &JqValue) -> ValueResult {
    match value {
        JqValue::Object(object) => {
            let rounds = u64::from(object.len().max(2).ilog2()) + 1;
            if !budget::pay((object.len() as u64).saturating_mul(32 * rounds)) {
                return Err(exhausted());
            }
            Ok(object.sorted().into_iter().map(|(key, _)| JqValue::Text(key.clone())).collect())
        }
        JqValue::Array(items) => Ok((0..items.len()).map(JqValue::from).collect()),
        _ => Err(type_error(value, "has no keys")),
    }
}
