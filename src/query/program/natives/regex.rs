//! Filters with regular expressions.
//!
//! They use the `regex` crate, which has no look-around and no back-references, but takes linear
//! time for one search.

use jaq_core::box_iter::box_once;
use jaq_core::native::{run, v};
use jaq_core::{Bind, Exn, ValX, ValXs};

use super::pattern::{Groups, Matches, Pattern};
use crate::query::program::engine::{Input, NativeFilter, step};
use crate::query::value::{JqObject, JqText, JqValue, ValueError, budget, exhausted, type_error};

pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    let substitute = |flags: usize| -> Box<[Bind]> {
        let flags = std::iter::repeat_n(Bind::Var(()), flags);
        [Bind::Var(()), Bind::Fun(())].into_iter().chain(flags).collect()
    };
    [
        run(("test", v(1), |cv: Input<'_>| test(cv, false))),
        run(("test", v(2), |cv| test(cv, true))),
        run(("match", v(1), |cv| each_match(cv, false, "", describe))),
        run(("match", v(2), |cv| each_match(cv, true, "", describe))),
        run(("capture", v(1), |cv| each_match(cv, false, "", captures))),
        run(("capture", v(2), |cv| each_match(cv, true, "", captures))),
        run(("scan", v(1), |cv| each_match(cv, false, "g", scanned))),
        run(("scan", v(2), |cv| each_match(cv, true, "g", scanned))),
        run(("splits", v(1), |cv| between_matches(cv, false))),
        run(("splits", v(2), |cv| between_matches(cv, true))),
        run(("split", v(2), |cv| box_once(between_matches(cv, true).collect()))),
        run(("sub", substitute(0), |cv| replace(cv, false, ""))),
        run(("sub", substitute(1), |cv| replace(cv, true, ""))),
        run(("gsub", substitute(0), |cv| replace(cv, false, "g"))),
        run(("gsub", substitute(1), |cv| replace(cv, true, "g"))),
    ]
    .into_iter()
}

/// Returns the pattern and the flags of a filter, which may also be given as an array.
fn pattern_and_flags(
    first: JqValue,
    flags: Option<JqValue>,
) -> Result<(JqValue, JqValue), ValueError> {
    if let Some(flags) = flags {
        return Ok((first, flags));
    }
    match &first {
        JqValue::Text(_) => Ok((first, JqValue::Null)),
        JqValue::Array(items) if !items.is_empty() => {
            Ok((items[0].clone(), items.get(1).cloned().unwrap_or_default()))
        }
        _ => Err(ValueError::str(format_args!("{} not a string or array", first.type_name()))),
    }
}

fn matches_of(
    input: &JqValue,
    first: JqValue,
    flags: Option<JqValue>,
    more: &str,
) -> Result<Matches, ValueError> {
    let (source, flags) = pattern_and_flags(first, flags)?;
    let JqValue::Text(text) = input else {
        return Err(type_error(input, "cannot be matched, as it is not a string"));
    };
    Ok(Matches::new(text.clone(), Pattern::get(&source, &flags, more)?))
}

fn test(mut cv: Input<'_>, has_flags: bool) -> ValXs<'_, JqValue> {
    let flags = has_flags.then(|| cv.0.pop_var());
    let first = cv.0.pop_var();
    let tested = matches_of(&cv.1, first, flags, "")
        .and_then(|matches| matches.pattern.is_match(&matches.text));
    box_once(tested.map(JqValue::Bool).map_err(Exn::from))
}

/// Gives a value for each match.
fn each_match<'a>(
    mut cv: Input<'a>,
    has_flags: bool,
    more: &str,
    value: fn(&mut Matches, &Groups) -> JqValue,
) -> ValXs<'a, JqValue> {
    let flags = has_flags.then(|| cv.0.pop_var());
    let first = cv.0.pop_var();
    match matches_of(&cv.1, first, flags, more) {
        Ok(mut matches) => Box::new(std::iter::from_fn(move || {
            let found = matches.find().transpose()?;
            Some(found.map(|groups| value(&mut matches, &groups)).map_err(Exn::from))
        })),
        Err(error) => box_once(Err(error.into())),
    }
}

/// Gives the texts between the matches.
fn between_matches(mut cv: Input<'_>, has_flags: bool) -> ValXs<'_, JqValue> {
    let flags = has_flags.then(|| cv.0.pop_var());
    let first = cv.0.pop_var();
    let mut matches = match matches_of(&cv.1, first, flags, "g") {
        Ok(matches) => matches,
        Err(error) => return box_once(Err(error.into())),
    };
    let mut from = Some(0);
    Box::new(std::iter::from_fn(move || {
        let start = from?;
        let found = match matches.find() {
            Ok(found) => found,
            Err(error) => {
                from = None;
                return Some(Err(error.into()));
            }
        };
        let whole = found.and_then(|groups| groups.into_iter().next().flatten());
        from = whole.as_ref().map(|whole| whole.end);
        let end = whole.map_or(matches.text.len(), |whole| whole.start);
        Some(Ok(JqValue::text(&matches.text[start..end])))
    }))
}

/// Returns the object that describes a match.
fn describe(matches: &mut Matches, groups: &Groups) -> JqValue {
    let mut object = JqObject::with_capacity(4);
    describe_group(matches, groups[0].clone(), &mut object);
    let names: Vec<Option<String>> = {
        let names = matches.pattern.regex.capture_names();
        names.map(|name| name.map(str::to_owned)).collect()
    };
    let captures = groups.iter().zip(names).skip(1).map(|(group, name)| {
        let mut capture = JqObject::with_capacity(4);
        describe_group(matches, group.clone(), &mut capture);
        capture.insert("name".into(), name.map(JqValue::text).unwrap_or_default());
        JqValue::Object(capture)
    });
    let captures = captures.collect();
    object.insert("captures".into(), captures);
    JqValue::Object(object)
}

fn describe_group(
    matches: &mut Matches,
    group: Option<std::ops::Range<usize>>,
    object: &mut JqObject,
) {
    if let Some(range) = group {
        let text = matches.text.clone();
        let text = &text[range.clone()];
        object.insert("offset".into(), matches.characters_before(range.start).into());
        object.insert("length".into(), text.chars().count().into());
        object.insert("string".into(), JqValue::text(text));
    } else {
        object.insert("offset".into(), JqValue::from(-1_isize));
        object.insert("length".into(), 0_usize.into());
        object.insert("string".into(), JqValue::Null);
    }
}

/// Returns an object with the named groups.
fn captures(matches: &mut Matches, groups: &Groups) -> JqValue {
    let mut object = JqObject::default();
    for (name, group) in matches.pattern.regex.capture_names().zip(groups) {
        if let Some(name) = name {
            object.insert(name.into(), group_text(&matches.text, group.as_ref()));
        }
    }
    JqValue::Object(object)
}

fn group_text(text: &str, group: Option<&std::ops::Range<usize>>) -> JqValue {
    group.map(|range| JqValue::text(&text[range.clone()])).unwrap_or_default()
}

/// Returns the texts of the groups, or of the whole match if the pattern has none.
fn scanned(matches: &mut Matches, groups: &Groups) -> JqValue {
    match groups.as_slice() {
        [whole] => group_text(&matches.text, whole.as_ref()),
        groups => {
            groups[1..].iter().map(|group| group_text(&matches.text, group.as_ref())).collect()
        }
    }
}

/// Replaces matches by what the filter's argument gives for their named groups. If it gives several
/// strings, there are as many results.
fn replace<'a>(mut cv: Input<'a>, has_flags: bool, more: &str) -> ValXs<'a, JqValue> {
    let flags = has_flags.then(|| cv.0.pop_var());
    let (replacement, context) = cv.0.pop_fun();
    let source = cv.0.pop_var();
    let replaced = || -> ValX<'a, Vec<JqValue>, JqValue> {
        let flags = flags.unwrap_or_default();
        let mut matches = matches_of(&cv.1, source, Some(flags), more)?;
        let mut results: Vec<JqValue> = Vec::new();
        let mut previous = 0;
        while let Some(groups) = matches.find()? {
            let whole = groups[0].clone().unwrap_or(previous..previous);
            let gap = &matches.text.clone()[previous..whole.start];
            previous = whole.end;
            let named = captures(&mut matches, &groups);
            for (index, insert) in replacement.run((context.clone(), named)).enumerate() {
                if index > 0 {
                    step()?;
                }
                let piece = (JqValue::text(gap) + insert?)?;
                if index == results.len() {
                    results.push(JqValue::text(""));
                }
                let before = std::mem::take(&mut results[index]);
                results[index] = (before + piece)?;
            }
        }
        let rest = JqText::from(&matches.text[previous..]);
        if results.is_empty() {
            return Ok(vec![cv.1.clone()]);
        }
        let finish = |result: JqValue| result + JqValue::Text(rest.clone());
        let finished: Result<Vec<_>, _> = results.into_iter().map(finish).collect();
        if budget::is_exhausted() { Err(exhausted().into()) } else { Ok(finished?) }
    };
    match replaced() {
        Ok(results) => Box::new(results.into_iter().map(Ok)),
        Err(error) => box_once(Err(error)),
    }
}
