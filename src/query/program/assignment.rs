//! Filters that change values at paths.
//!
//! As in jq, an assignment takes the paths of its left side from the input, and sets the value at
//! each of them in turn.
#![expect(clippy::default_trait_access, reason = "the type of jaq's paths has no name")]

use std::cell::Cell;

use jaq_core::box_iter::box_once;
use jaq_core::native::run;
use jaq_core::{Bind, Native, ValX};

use super::desugar::{ASSIGN, LAST_OR_NULL, MODIFY, VALUE};
use super::engine::{Input, JqEngine, NativeFilter};
use super::natives::{delete_paths, get_path, keys_of, update_path};
use crate::query::value::JqValue;

/// Returns the filters.
pub(super) fn funs() -> impl Iterator<Item = NativeFilter> {
    let last_or_null = Native::<JqEngine>::new(|mut cv| {
        let (filter, context) = cv.0.pop_fun();
        box_once(filter.run((context, cv.1)).try_fold(JqValue::Null, |_, value| value))
    });
    [
        run((ASSIGN, Box::new([Bind::Fun(()), Bind::Var(())]), |cv| box_once(assign(cv)))),
        run((MODIFY, Box::new([Bind::Fun(()), Bind::Fun(())]), |cv| box_once(modify(cv)))),
        run((VALUE, Box::new([Bind::Fun(())]), |mut cv| {
            let (filter, context) = cv.0.pop_fun();
            filter.run((context, cv.1))
        })),
        (LAST_OR_NULL, Box::new([Bind::Fun(())]), last_or_null),
    ]
    .into_iter()
}

fn assign(mut cv: Input<'_>) -> ValX<'_, JqValue> {
    let value = cv.0.pop_var();
    let (paths, context) = cv.0.pop_fun();
    let mut state = cv.1.clone();
    for found in paths.paths((context, (cv.1, Default::default()))) {
        let path = in_order(found?.1.iter());
        state = update_path(state, keys_of(&path)?, &|_| box_once(Ok(value.clone())))?;
    }
    Ok(state)
}

fn modify(mut cv: Input<'_>) -> ValX<'_, JqValue> {
    let (filter, filter_context) = cv.0.pop_fun();
    let (paths, context) = cv.0.pop_fun();
    let mut state = cv.1.clone();
    let mut deleted = Vec::new();
    for found in paths.paths((context, (cv.1, Default::default()))) {
        let path = in_order(found?.1.iter());
        let keys = keys_of(&path)?;
        let run = |old| filter.run((filter_context.clone(), old)).next();
        if matches!(get_path(state.clone(), &path), Ok(JqValue::Null)) {
            // Nothing is created where the filter gives nothing.
            match run(JqValue::Null).transpose()? {
                Some(new) => state = update_path(state, keys, &|_| box_once(Ok(new.clone())))?,
                None => deleted.push(path),
            }
            continue;
        }
        let is_empty = Cell::new(false);
        state = update_path(state, keys, &|old: JqValue| {
            let first = run(old.clone());
            is_empty.set(first.is_none());
            box_once(first.unwrap_or(Ok(old)))
        })?;
        if is_empty.get() {
            deleted.push(path);
        }
    }
    Ok(delete_paths(state, &JqValue::array(deleted))?)
}

/// Returns a path whose keys come from the last to the first.
fn in_order<'v>(keys: impl Iterator<Item = &'v JqValue>) -> JqValue {
    let mut keys: Vec<_> = keys.cloned().collect();
    keys.reverse();
    JqValue::array(keys)
}
