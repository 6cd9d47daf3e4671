//! Compiled patterns.
//!
//! A scrub of the first text that needs a rule compiles its pattern, so compiling must be cheap, and
//! every thread keeps what it needs to search, so that must be small. `regex::Regex` compiles
//! several automata for each pattern, for long texts and all ways to use it. Most rules need one: it
//! runs from each place where a match may begin, which the first byte tells.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::pool::Pool;
use regex_automata::util::primitives::{NonMaxUsize, StateID};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, meta};

use super::words::Words;

/// A text to search.
pub(super) struct SearchedText<'t> {
    pub text: &'t str,
    /// The text with the letters of ASCII in lower case, as soon as a pattern needs it.
    lower: OnceCell<Cow<'t, str>>,
    words: [OnceCell<bool>; Words::COUNT],
}

impl<'t> SearchedText<'t> {
    pub const fn new(text: &'t str) -> Self {
        Self { text, lower: OnceCell::new(), words: [const { OnceCell::new() }; Words::COUNT] }
    }

    /// Whether the text has one of the words.
    pub fn has(&self, words: Words) -> bool {
        *self.words[words as usize].get_or_init(|| words.are_in(self.in_lower_case()))
    }

    fn in_lower_case(&self) -> &str {
        self.lower.get_or_init(|| {
            if self.text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Owned(self.text.to_ascii_lowercase())
            } else {
                Cow::Borrowed(self.text)
            }
        })
    }
}

/// A compiled pattern. It finds the leftmost match, and of those that begin there, the one that the
/// order of alternatives and the greediness of repetitions prefer.
#[derive(Debug)]
pub(super) struct RulePattern {
    engine: Engine,
    /// Letters of ASCII match in any case. The pattern has them in lower case, and is searched for
    /// in text in lower case: a class of two for each letter takes long to compile.
    ignores_case: bool,
}

#[derive(Debug)]
enum Engine {
    /// Searches the text as a whole.
    Whole(meta::Regex),
    /// Tries each place where a match may begin.
    Starts(Box<StartsPattern>),
}

impl RulePattern {
    /// Compiles a pattern that can be tried at each place where a match may begin, because the
    /// length of what it looks at is bounded there.
    pub fn starts(pattern: &str) -> Self {
        Self::new(pattern, |pattern| Engine::Starts(Box::new(StartsPattern::new(pattern))))
    }

    /// Compiles any pattern without groups.
    pub fn whole(pattern: &str) -> Self {
        Self::new(pattern, |pattern| {
            // Rules are only tried on texts that have what a prefilter would look for.
            let config = meta::Config::new().auto_prefilter(false).onepass(false).dfa(false);
            let regex = meta::Regex::builder().configure(config).build(pattern);
            Engine::Whole(regex.expect(INVALID))
        })
    }

    fn new(pattern: &str, compile: impl FnOnce(&str) -> Engine) -> Self {
        match pattern.strip_prefix("(?i-u)").filter(|pattern| !pattern.contains("(?-i:")) {
            Some(pattern) => {
                let pattern = format!("(?-u){}", pattern.to_ascii_lowercase());
                Self { engine: compile(&pattern), ignores_case: true }
            }
            None => Self { engine: compile(pattern), ignores_case: false },
        }
    }

    /// Returns the first group of the first match from an offset on, or the match if there is no
    /// group. What `may_begin` says cannot begin at an offset is not necessarily found there.
    pub fn find(
        &self,
        text: &SearchedText<'_>,
        at: usize,
        may_begin: impl Fn(usize) -> bool,
    ) -> Option<Range<usize>> {
        let text = if self.ignores_case { text.in_lower_case() } else { text.text };
        if at >= text.len() {
            return None;
        }
        match &self.engine {
            Engine::Whole(regex) => {
                regex.search(&Input::new(text).range(at..)).map(|found| found.range())
            }
            Engine::Starts(pattern) => pattern.find(text, at, may_begin),
        }
    }
}

const INVALID: &str = "the pattern is a regular expression";

/// A match may begin with this byte.
const FREE: u8 = 1;
/// A match may begin with this byte, which is of a word, if none of a word is before it.
const BOUNDARY: u8 = 2;

/// How much memory the automaton of a pattern may take in each thread, in bytes.
const AUTOMATON_CAPACITY: usize = 1 << 18;

/// A pattern that is tried at each place where a match may begin.
#[derive(Debug)]
struct StartsPattern {
    automaton: DFA,
    /// For each byte, whether a match may begin with it.
    first_bytes: [u8; 256],
    has_group: bool,
    /// What is returned begins where the match begins.
    begins_with_result: bool,
    caches: Pool<Caches, CreateCaches>,
}

type CreateCaches = Box<dyn Fn() -> Caches + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// What a search changes.
#[derive(Debug)]
struct Caches {
    automaton: dfa::Cache,
    groups: Option<(BoundedBacktracker, backtrack::Cache)>,
}

impl StartsPattern {
    fn new(pattern: &str) -> Self {
        let hir = syntax::parse(pattern).expect(INVALID);
        let has_group = hir.properties().explicit_captures_len() > 0;
        let captures = if has_group { WhichCaptures::All } else { WhichCaptures::Implicit };
        let nfa = NFA::compiler()
            .configure(NFA::config().which_captures(captures))
            .build_from_hir(&hir)
            .expect(INVALID);
        let first_bytes = first_bytes(&nfa);
        let config = DFA::config()
            .cache_capacity(AUTOMATON_CAPACITY)
            .skip_cache_capacity_check(true)
            .unicode_word_boundary(true);
        let automaton = DFA::builder().configure(config).build_from_nfa(nfa).expect(INVALID);
        let begin = pattern.trim_start_matches("(?-u)").trim_start_matches(r"\b");
        let begins_with_result = !has_group || (begin.starts_with('(') && !begin.starts_with("(?"));
        let for_cache = automaton.clone();
        let create: CreateCaches =
            Box::new(move || Caches { automaton: for_cache.create_cache(), groups: None });
        Self { automaton, first_bytes, has_group, begins_with_result, caches: Pool::new(create) }
    }

    fn find(
        &self,
        text: &str,
        at: usize,
        may_begin: impl Fn(usize) -> bool,
    ) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut caches = None;
        for start in at..bytes.len() {
            let first = self.first_bytes[usize::from(bytes[start])];
            if first == 0
                || (first == BOUNDARY && start > 0 && is_word(bytes[start - 1]))
                || (self.begins_with_result && !may_begin(start))
            {
                continue;
            }
            let caches = caches.get_or_insert_with(|| self.caches.get());
            if let Some(found) = self.match_at(text, start, caches) {
                return Some(found);
            }
        }
        None
    }

    /// Returns the first group of the match that begins at an offset.
    fn match_at(&self, text: &str, start: usize, caches: &mut Caches) -> Option<Range<usize>> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let end = match self.automaton.try_search_fwd(&mut caches.automaton, &input) {
            Ok(found) => Some(found?.offset()),
            // Beside characters other than ASCII, the automaton does not know where words end.
            Err(_) => None,
        };
        match end {
            Some(end) if !self.has_group => Some(start..end),
            _ => self.groups(&input.range(start..end.unwrap_or(text.len())), caches),
        }
    }

    /// Returns the first group of the match that begins at the start of the input.
    fn groups(&self, input: &Input<'_>, caches: &mut Caches) -> Option<Range<usize>> {
        let nfa = self.automaton.get_nfa();
        let (backtracker, cache) = caches.groups.get_or_insert_with(|| {
            let backtracker = BoundedBacktracker::new_from_nfa(nfa.clone()).expect(INVALID);
            let cache = backtracker.create_cache();
            (backtracker, cache)
        });
        let mut slots: [Option<NonMaxUsize>; 4] = [None; 4];
        let slots_in_use = if self.has_group { &mut slots[..] } else { &mut slots[..2] };
        let found = backtracker.try_search_slots(cache, input, slots_in_use);
        // The text can be too long to remember what was tried.
        found.unwrap_or_else(|_| {
            let machine = PikeVM::new_from_nfa(nfa.clone()).expect(INVALID);
            machine.search_slots(&mut machine.create_cache(), input, slots_in_use)
        })?;
        let range = |slots: &[Option<NonMaxUsize>]| Some(slots[0]?.get()..slots[1]?.get());
        range(&slots[2..]).or_else(|| range(&slots[..2]))
    }
}

/// Returns whether a match may begin with each byte.
fn first_bytes(nfa: &NFA) -> [u8; 256] {
    let mut first_bytes = [0; 256];
    let mut add = |bytes: std::ops::RangeInclusive<u8>, how: u8| {
        for byte in bytes {
            let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
            first_bytes[usize::from(byte)] |= if is_word { how } else { FREE };
        }
    };
    let mut seen = vec![0; nfa.states().len()];
    let mut states = vec![(nfa.start_anchored(), FREE)];
    while let Some((state, how)) = states.pop() {
        let seen = &mut seen[state.as_usize()];
        if *seen & how != 0 {
            continue;
        }
        *seen |= how;
        match nfa.state(state) {
            State::ByteRange { trans } => add(trans.start..=trans.end, how),
            State::Sparse(sparse) => {
                sparse.transitions.iter().for_each(|trans| add(trans.start..=trans.end, how));
            }
            State::Dense(dense) => {
                for (byte, _) in (0..=u8::MAX)
                    .zip(&dense.transitions)
                    .filter(|(_, next)| **next != StateID::ZERO)
                {
                    add(byte..=byte, how);
                }
            }
            State::Look { look: Look::WordAscii, next } => states.push((*next, BOUNDARY)),
            State::Look { next, .. } | State::Capture { next, .. } => states.push((*next, how)),
            State::Union { alternates } => {
                states.extend(alternates.iter().map(|next| (*next, how)));
            }
            State::BinaryUnion { alt1, alt2 } => states.extend([(*alt1, how), (*alt2, how)]),
            State::Fail | State::Match { .. } => {}
        }
    }
    first_bytes
}
