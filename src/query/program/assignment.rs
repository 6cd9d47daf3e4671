//! Filters that change values at paths.
//!
//! As in jq, an assignment takes the paths of its left side from the input, and sets the value at
//! each of them in turn.
#![expect(clippy::default_trait_access, reason = "the type of jaq's paths has no name")]

use std::cell::RefCell;
use std::iter::once;

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, run};
use jaq_core::path::Opt;
use jaq_core::{Bind, Cv, Error, Exn, Native, ValT as _, ValX};
use jaq_json::Val;

use super::desugar::{ASSIGN, LAST_OR_NULL, MODIFY};
use super::engine::JqEngine;

/// Returns the filters.
pub(super) fn funs() -> impl Iterator<Item = Fun<JqEngine>> {
    let last_or_null = Native::<JqEngine>::new(|mut cv| {
        let (filter, context) = cv.0.pop_fun();
        box_once(filter.run((context, cv.1)).try_fold(Val::Null, |_, value| value))
    })
    .with_paths(|mut cv| {
        let (filter, context) = cv.0.pop_fun();
        let mut outputs = filter.paths((context, cv.1));
        let last = outputs.try_fold(None, |_, value| value.map(Some));
        box_once(last.and_then(|last| last.ok_or_else(|| Exn::from(Error::path_expr(Val::Null)))))
    });
    [
        run((ASSIGN, Box::new([Bind::Fun(()), Bind::Var(())]), |cv| box_once(assign(cv)))),
        run((MODIFY, Box::new([Bind::Fun(()), Bind::Fun(())]), |cv| box_once(modify(cv)))),
        (LAST_OR_NULL, Box::new([Bind::Fun(())]), last_or_null),
    ]
    .into_iter()
}

fn assign(mut cv: Cv<'_, JqEngine>) -> ValX<'_, Val> {
    let value = cv.0.pop_var();
    let (paths, context) = cv.0.pop_fun();
    let mut state = cv.1.clone();
    for found in paths.paths((context, (cv.1, Default::default()))) {
        let path = in_order(found?.1.iter());
        state = update(state, &path, &mut |_| Ok(value.clone()))?;
    }
    Ok(state)
}

fn modify(mut cv: Cv<'_, JqEngine>) -> ValX<'_, Val> {
    let (filter, filter_context) = cv.0.pop_fun();
    let (paths, context) = cv.0.pop_fun();
    let mut state = cv.1.clone();
    let mut deleted = Vec::new();
    for found in paths.paths((context, (cv.1, Default::default()))) {
        let path = in_order(found?.1.iter());
        let mut is_empty = false;
        state = update(state, &path, &mut |old: Val| {
            let first = filter.run((filter_context.clone(), old.clone())).next();
            is_empty = first.is_none();
            first.unwrap_or(Ok(old))
        })?;
        if is_empty {
            deleted.push(path);
        }
    }
    delete(state, deleted)
}

fn in_order<'v>(keys_from_last: impl Iterator<Item = &'v Val>) -> Vec<Val> {
    let mut keys: Vec<_> = keys_from_last.cloned().collect();
    keys.reverse();
    keys
}

/// Replaces the value at a path by what `change` gives for it.
fn update<'a>(
    value: Val,
    path: &[Val],
    change: &mut dyn FnMut(Val) -> ValX<'a, Val>,
) -> ValX<'a, Val> {
    let Some((key, rest)) = path.split_first() else { return change(value) };
    let change = RefCell::new(change);
    value.map_index(key, Opt::Essential, |inner| {
        once(update(inner, rest, &mut **change.borrow_mut()))
    })
}

/// Deletes the values at the paths, the last in jq's order first.
fn delete<'a>(value: Val, mut paths: Vec<Vec<Val>>) -> ValX<'a, Val> {
    paths.sort();
    paths.iter().rev().try_fold(value, |value, path| delete_at(value, path))
}

fn delete_at<'a>(value: Val, path: &[Val]) -> ValX<'a, Val> {
    let Some((key, rest)) = path.split_first() else { return Ok(Val::Null) };
    value.map_index(key, Opt::Essential, |inner| {
        (!rest.is_empty()).then(|| delete_at(inner, rest)).into_iter()
    })
}
