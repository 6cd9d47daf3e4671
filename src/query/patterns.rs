//! Regular expressions in jq programs, compiled once for all events.
//!
//! The filters here replace those of jaq, which compile a pattern at every use, and use the same
//! engine (`regex-bites`). For patterns on which the faster `regex` crate agrees, `test` uses that.

use std::cell::RefCell;
use std::rc::Rc;

use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Cv, DataT, Error, ValR};
use jaq_json::{Map, Val};
use jaq_std::ValT;
use regex_bites::bytes::{Captures, Regex, RegexBuilder};

use super::native;
use super::value;

/// The number of patterns that are cached on each thread. A program that computes patterns gains
/// nothing from the cache.
const MAX_CACHED: usize = 32;

/// The filters of jaq that [`funs`] replaces.
pub(super) const NAMES: &[&str] = &["matches", "split_matches", "split_"];

thread_local! {
    static COMPILED: RefCell<Vec<Rc<CachedRegex>>> = const { RefCell::new(Vec::new()) };
}

/// A compiled pattern.
struct CachedRegex {
    source: String,
    flags: String,
    regex: Regex,
    /// The pattern for the faster engine, if both engines agree on it.
    fast: Option<regex::Regex>,
}

/// Returns the filters on which jq's definitions of `test`, `match`, `capture`, `scan`, `split`,
/// `sub` and `gsub` are based.
pub(super) fn funs<D: for<'a> DataT<V<'a> = Val>>() -> impl Iterator<Item = Fun<D>> {
    [
        run(("matches", v(2), |cv| {
            bome(with_pattern(cv, |text, pattern| Ok(pattern.parts(text, false, true))))
        })),
        run(("split_matches", v(2), |cv| {
            bome(with_pattern(cv, |text, pattern| Ok(pattern.parts(text, true, true))))
        })),
        run(("split_", v(2), |cv| {
            bome(with_pattern(cv, |text, pattern| Ok(pattern.parts(text, true, false))))
        })),
        run((TEST, v(2), |cv| {
            bome(with_pattern(cv, |text, pattern| Ok(Val::Bool(pattern.test(text)))))
        })),
    ]
    .into_iter()
}

/// The name of the filter on which `test` is based.
pub(super) const TEST: &str = "evtap_test";

/// Calls `then` with the input and the compiled pattern of a filter's arguments.
fn with_pattern<'a, D: DataT<V<'a> = Val>>(
    mut cv: Cv<'a, D>,
    then: impl FnOnce(&Val, &CachedRegex) -> ValR<Val>,
) -> ValR<Val> {
    let flags = cv.0.pop_var();
    let source = cv.0.pop_var();
    let pattern = compile_cached(text(&source)?, text(&flags)?)?;
    text(&cv.1)?;
    then(&cv.1, &pattern)
}

fn text(value: &Val) -> Result<&str, Error<Val>> {
    let bytes = value.as_utf8_bytes().ok_or_else(|| Error::typ(value.clone(), "string"))?;
    std::str::from_utf8(bytes).map_err(Error::str)
}

fn compile_cached(source: &str, flags: &str) -> Result<Rc<CachedRegex>, Error<Val>> {
    COMPILED.with_borrow_mut(|cache| {
        if let Some(known) =
            cache.iter().find(|known| known.source == source && known.flags == flags)
        {
            return Ok(Rc::clone(known));
        }
        let pattern = Rc::new(CachedRegex::compile(source, flags)?);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.push(Rc::clone(&pattern));
        Ok(pattern)
    })
}

impl CachedRegex {
    fn compile(source: &str, flags: &str) -> Result<Self, Error<Val>> {
        if let Some(unknown) = flags.chars().find(|flag| !"gnimslxp".contains(*flag)) {
            return Err(Error::str(format_args!("invalid regex flag: {unknown}")));
        }
        let has = |flag| flags.contains(flag);
        let regex = RegexBuilder::new(source)
            .case_insensitive(has('i'))
            .multi_line(has('m') || has('p'))
            .dot_matches_new_line(has('s') || has('p'))
            .swap_greed(has('l'))
            .ignore_whitespace(has('x'))
            .build()
            .map_err(|error| Error::str(format_args!("invalid regex: {error}")))?;
        Ok(Self {
            source: source.to_owned(),
            flags: flags.to_owned(),
            regex,
            fast: native::regex(source, flags),
        })
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn test(&self, value: &Val) -> bool {
        let bytes = value.as_utf8_bytes().unwrap_or_default();
        match &self.fast {
            Some(fast) => std::str::from_utf8(bytes).is_ok_and(|text| fast.is_match(text)),
            None if self.has('n') => {
                self.regex.find_iter(bytes).any(|found| !found.as_bytes().is_empty())
            }
            None => self.regex.is_match(bytes),
        }
    }

    /// Returns an array of the texts between the matches, of the matches, or of both in turn.
    fn parts(&self, value: &Val, between: bool, matches: bool) -> Val {
        let bytes = value.as_utf8_bytes().unwrap_or_default();
        let mut parts = Vec::new();
        let mut end = 0;
        let mut characters = CharCounter { bytes, at: 0, count: 0 };
        for captures in self.regex.captures_iter(bytes) {
            let Some(whole) = captures.get(0) else { continue };
            if self.has('n') && whole.as_bytes().is_empty() {
                continue;
            }
            if between {
                parts.push(value.as_sub_str(&bytes[end..whole.start()]));
                end = whole.end();
            }
            if matches {
                parts.push(self.groups(value, &captures, &mut characters));
            }
            if !self.has('g') {
                break;
            }
        }
        if between {
            parts.push(value.as_sub_str(&bytes[end..]));
        }
        parts.into_iter().collect()
    }

    /// Returns the whole match and the groups that take part in it, each as an object.
    fn groups(
        &self,
        value: &Val,
        captures: &Captures<'_>,
        characters: &mut CharCounter<'_>,
    ) -> Val {
        let groups = captures.iter().zip(self.regex.capture_names());
        groups
            .filter_map(|(group, name)| {
                let group = group?;
                let number =
                    |number: usize| Val::from(isize::try_from(number).unwrap_or(isize::MAX));
                let offset = characters.before(group.start());
                let length = String::from_utf8_lossy(group.as_bytes()).chars().count();
                let mut object = Map::default();
                object.insert(value::text("offset"), number(offset));
                object.insert(value::text("length"), number(length));
                object.insert(value::text("string"), value.as_sub_str(group.as_bytes()));
                if let Some(name) = name {
                    object.insert(value::text("name"), value::text(name));
                }
                Some(Val::obj(object))
            })
            .collect()
    }
}

/// Counts the characters before a byte offset. Increasing offsets are counted incrementally.
struct CharCounter<'t> {
    bytes: &'t [u8],
    at: usize,
    count: usize,
}

impl CharCounter<'_> {
    fn before(&mut self, byte: usize) -> usize {
        if byte < self.at {
            (self.at, self.count) = (0, 0);
        }
        self.count += String::from_utf8_lossy(&self.bytes[self.at..byte]).chars().count();
        self.at = byte;
        self.count
    }
}
