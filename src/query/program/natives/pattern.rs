//! Regular expressions: compiled once on each thread, and searched for within the budget.

use std::cell::RefCell;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use crate::query::value::{JqText, JqValue, ValueError, budget, exhausted, start_of, type_error};

/// The number of patterns that are cached on each thread. A program that computes patterns gains
/// nothing from the cache.
const MAX_CACHED: usize = 8;

/// The longest pattern that is cached, in bytes.
const MAX_CACHED_SOURCE: usize = 4096;

/// The sizes to which a pattern may compile, in bytes, each with the cost of a byte of text.
const SIZES: [(usize, u64); 3] = [(32 << 10, 1), (256 << 10, 8), (2 << 20, 64)];

/// The memory for the automata that are built while searching, in bytes.
const AUTOMATON_SIZE: usize = 512 << 10;

thread_local! {
    static COMPILED: RefCell<Vec<Rc<Pattern>>> = const { RefCell::new(Vec::new()) };
}

/// A compiled pattern.
pub(super) struct Pattern {
    source: String,
    flags: String,
    pub regex: Regex,
    is_global: bool,
    skips_empty: bool,
    /// The cost of reading a byte of text.
    cost: u64,
    /// After a match is found, the search may read on to find a longer one.
    reads_on: bool,
}

impl Pattern {
    /// Returns the compiled pattern for the arguments of a filter: a pattern and flags, which may
    /// be null. `more` flags are set in any case.
    pub fn get(source: &JqValue, flags: &JqValue, more: &str) -> Result<Rc<Self>, ValueError> {
        let source = source.as_text().ok_or_else(|| type_error(source, "is not a string"))?;
        let flags = match flags {
            JqValue::Null => "",
            flags => flags.as_text().ok_or_else(|| type_error(flags, "is not a string"))?,
        };
        COMPILED.with_borrow_mut(|cache| {
            let is_known = |known: &&Rc<Self>| {
                known.source == source && known.flags.strip_prefix(more) == Some(flags)
            };
            if let Some(known) = cache.iter().find(is_known) {
                return Ok(Rc::clone(known));
            }
            let pattern = Rc::new(Self::compile(source, [more, flags].concat())?);
            if source.len() <= MAX_CACHED_SOURCE {
                if cache.len() >= MAX_CACHED {
                    cache.remove(0);
                }
                cache.push(Rc::clone(&pattern));
            }
            Ok(pattern)
        })
    }

    fn compile(source: &str, flags: String) -> Result<Self, ValueError> {
        if flags.chars().any(|flag| !"gixsnp".contains(flag)) {
            let quoted = start_of(&flags, 64);
            return Err(ValueError::str(if flags.contains('l') {
                format!("{quoted} has the flag l, which is not available")
            } else {
                format!("{quoted} is not a valid modifier string")
            }));
        }
        let has = |flag| flags.contains(flag);
        for (size, cost) in SIZES {
            if !budget::pay(size as u64 / 2 + source.len() as u64) {
                return Err(exhausted());
            }
            match build(source, has('i'), has('x'), has('p'), size) {
                Ok(regex) => {
                    let tree = regex_syntax::parse(source).ok();
                    return Ok(Self {
                        source: source.to_owned(),
                        regex,
                        is_global: has('g'),
                        skips_empty: has('n'),
                        cost,
                        reads_on: tree.is_none_or(|tree| reads_on(&tree, true)),
                        flags,
                    });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(_) => return Err(ValueError::str("Regex failure: the pattern is invalid")),
            }
        }
        Err(ValueError::str("Regex failure: the pattern is too large"))
    }

    /// Returns whether a text contains a match.
    pub fn is_match(&self, text: &str) -> Result<bool, ValueError> {
        if !budget::pay((text.len() as u64).saturating_mul(self.cost)) {
            return Err(exhausted());
        }
        Ok(if self.skips_empty {
            self.regex.find_iter(text).any(|found| !found.is_empty())
        } else {
            self.regex.is_match(text)
        })
    }
}

fn build(
    source: &str,
    ignores_case: bool,
    ignores_space: bool,
    dot_matches_newline: bool,
    size: usize,
) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source)
        .case_insensitive(ignores_case)
        .ignore_whitespace(ignores_space)
        .dot_matches_new_line(dot_matches_newline)
        .size_limit(size)
        .dfa_size_limit(AUTOMATON_SIZE)
        .nest_limit(100)
        .build()
}

/// Returns whether a program can use a pattern.
#[must_use]
pub fn is_valid_pattern(source: &str) -> bool {
    search_pattern(source, "").is_some()
}

/// Compiles a pattern that is only tested for; `None` if it is invalid or the flags are not simple.
#[must_use]
pub fn search_pattern(source: &str, flags: &str) -> Option<Regex> {
    if !matches!(flags, "" | "i") {
        return None;
    }
    let (size, _) = SIZES.last()?;
    build(source, flags == "i", false, false, *size).ok()
}

/// Returns whether an unlimited repetition is followed by something. Then the search may have to
/// read far beyond a match.
fn reads_on(tree: &Hir, is_last: bool) -> bool {
    match tree.kind() {
        HirKind::Repetition(repetition) => {
            repetition.max.is_none() && !is_last
                || reads_on(&repetition.sub, repetition.max == Some(1) && is_last)
        }
        HirKind::Capture(capture) => reads_on(&capture.sub, is_last),
        HirKind::Concat(parts) => parts
            .iter()
            .enumerate()
            .any(|(index, part)| reads_on(part, is_last && index + 1 == parts.len())),
        HirKind::Alternation(parts) => parts.iter().any(|part| reads_on(part, is_last)),
        _ => false,
    }
}

/// Finds the matches of a pattern in a text, one at a time.
pub(super) struct Matches {
    pub text: JqText,
    pub pattern: Rc<Pattern>,
    at: usize,
    is_done: bool,
    /// The offset up to which the characters were counted, and their number.
    counted: (usize, usize),
}

/// The groups of a match, with the whole match first. A group that takes no part is `None`.
pub(super) type Groups = Vec<Option<std::ops::Range<usize>>>;

impl Matches {
    pub fn new(text: JqText, pattern: Rc<Pattern>) -> Self {
        Self { text, pattern, at: 0, is_done: false, counted: (0, 0) }
    }

    /// Finds the next match.
    pub fn find(&mut self) -> Result<Option<Groups>, ValueError> {
        while !self.is_done && self.at <= self.text.len() {
            let found = self.pattern.regex.captures_at(&self.text, self.at);
            let end = found.as_ref().map_or(self.text.len(), |found| found.get_match().end());
            let beyond = if self.pattern.reads_on { (self.text.len() - end) / 32 } else { 0 };
            // A match costs as much as a few hundred bytes of text.
            let read = (end - self.at + beyond + 256) as u64;
            if !budget::pay(read.saturating_mul(self.pattern.cost)) {
                return Err(exhausted());
            }
            let Some(found) = found else { break };
            let whole = found.get_match();
            self.at = if whole.is_empty() {
                end + self.text[end..].chars().next().map_or(1, char::len_utf8)
            } else {
                end
            };
            if whole.is_empty() && self.pattern.skips_empty {
                continue;
            }
            self.is_done = !self.pattern.is_global;
            return Ok(Some(found.iter().map(|group| group.map(|group| group.range())).collect()));
        }
        self.is_done = true;
        Ok(None)
    }

    /// Counts the characters before an offset. Increasing offsets are counted incrementally.
    pub fn characters_before(&mut self, offset: usize) -> usize {
        let (from, count) = if offset < self.counted.0 { (0, 0) } else { self.counted };
        self.counted = (offset, count + self.text[from..offset].chars().count());
        self.counted.1
    }
}
