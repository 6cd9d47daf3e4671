//! Which events are kept: by type, by expression, by the text that is seen.
//!
//! Selecting takes place after redaction, on [`RedactedEvent`] alone: a predicate sees the mask, and is no oracle for what it covers.

pub mod check;
mod field_access;
mod named;
pub mod native;
mod patterns;
pub mod program;
mod result_cache;
pub mod suggest;
pub mod value;

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_json::Val;
use regex::{Regex, RegexBuilder};

use crate::error::{Error, Exit, Result};
use crate::json::scan;
use crate::json::string::unquote;
use crate::redact::RedactedEvent;
use crate::text::console;
pub use named::{is_name, meant, named};
use native::Native;
use program::{ParsedProgram, Program, ProgramError, StepBudget};
use result_cache::ResultCache;

/// An event under selection; its jq value is made once, if anything asks for it.
pub struct EventContext<'a> {
    /// The event.
    pub shown: &'a RedactedEvent<'a>,
    /// The number of the recording that it is from; 0 on a live stream.
    pub recording: usize,
    /// Where in it the event begins, in bytes; 0 on a live stream.
    pub offset: u64,
    value: OnceCell<Val>,
}

impl<'a> EventContext<'a> {
    /// An event to select from.
    #[must_use]
    pub const fn new(shown: &'a RedactedEvent<'a>) -> Self {
        Self { shown, recording: 0, offset: 0, value: OnceCell::new() }
    }

    /// The same event, which begins there in the recording of that number.
    #[must_use]
    pub fn at(self, recording: usize, offset: u64) -> Self {
        Self { recording, offset, ..self }
    }

    /// It as jq sees it.
    #[must_use]
    pub fn value(&self) -> Val {
        self.value.get_or_init(|| value::event(self.shown)).clone()
    }
}

/// On how many events an expression has failed. The first time is told.
#[derive(Debug, Default)]
pub struct Failures {
    count: u64,
    is_mute: bool,
}

impl Failures {
    /// None yet, and none to be told.
    #[must_use]
    pub const fn mute() -> Self {
        Self { count: 0, is_mute: true }
    }

    /// One more, told in these words if it is the first.
    pub fn tell(&mut self, words: impl FnOnce() -> String) {
        if self.count == 0 && !self.is_mute {
            console::report(&words());
        }
        self.count += 1;
    }

    /// So many more, of which none is the first.
    pub const fn add(&mut self, more: u64) {
        self.count += more;
    }

    /// How many there have been since this was asked last.
    pub const fn take(&mut self) -> u64 {
        std::mem::replace(&mut self.count, 0)
    }

    /// How many there have been.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// A jq expression that holds of an event or doesn't.
pub struct Predicate {
    option: String,
    engine: Arc<PredicateEngine>,
    parts: Option<Box<SplitPredicate>>,
    failures: Failures,
    memory: ResultCache<Result<Match, &'static str>>,
}

enum PredicateEngine {
    Native(Native),
    Program(Program),
}

/// `first and rest`. If the first doesn't hold, the whole doesn't; if it holds by its only value, the whole is as the rest is.
struct SplitPredicate {
    first: Predicate,
    rest: Predicate,
}

/// Whether an expression holds, and whether that is known to be by its only value.
#[derive(Debug, Clone, Copy)]
struct Match {
    held: bool,
    alone: bool,
}

impl Predicate {
    /// Compiles a parsed expression, for the fast path if it will do.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, Val)]) -> Result<Self> {
        Self::within(StepBudget::AMPLE, parsed, variables)
    }

    /// The same, where an event may take no more than that.
    pub fn within(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, Val)],
    ) -> Result<Self> {
        // Compiled in any case: what jq refuses is refused.
        let program = Program::compile(parsed, variables)?.within(budget);
        let (engine, parts) = match Native::compile(&parsed.term, variables) {
            Some(native) => (PredicateEngine::Native(native), None),
            None => (PredicateEngine::Program(program), Self::parts(budget, parsed, variables)?),
        };
        Ok(Self::of(parsed.option.to_owned(), Arc::new(engine), parts, Failures::default()))
    }

    /// Takes a part off that is for the fast path, or else one that is known by the fields that it reads.
    fn parts(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, Val)],
    ) -> Result<Option<Box<SplitPredicate>>> {
        let is_native = |term: &Term<&str>| Native::compile(term, variables).is_some();
        let Some((first, rest)) = split(&parsed.term, &is_native) else { return Ok(None) };
        let part = |term: &Term<_>| {
            Self::within(budget, &ParsedProgram { term: term.clone(), ..*parsed }, variables)
        };
        let first = part(first)?;
        let is_quick = !matches!(&*first.engine, PredicateEngine::Program(program) if !program.is_known_by_fields());
        Ok(if is_quick {
            Some(Box::new(SplitPredicate { first, rest: part(&rest)? }))
        } else {
            None
        })
    }

    fn of(
        option: String,
        engine: Arc<PredicateEngine>,
        parts: Option<Box<SplitPredicate>>,
        failures: Failures,
    ) -> Self {
        Self { option, engine, parts, failures, memory: ResultCache::new() }
    }

    /// The same for another thread. It tells nothing.
    fn fork(&self) -> Self {
        let parts = self.parts.as_ref().map(|parts| {
            Box::new(SplitPredicate { first: parts.first.fork(), rest: parts.rest.fork() })
        });
        Self::of(self.option.clone(), Arc::clone(&self.engine), parts, Failures::mute())
    }

    /// Whether it holds: one of its values is neither false nor null. Where it fails it doesn't, which is told once.
    pub fn holds(&mut self, context: &EventContext<'_>) -> Result<bool> {
        match self.ask(context) {
            Ok(said) => Ok(said.held),
            Err(ProgramError::Failed(reason)) => {
                self.failures.tell(|| {
                    let event_type = context.shown.event_type();
                    let option = &self.option;
                    format!("{option} fails on {event_type}: {reason}; such events don't count as matching (told once)")
                });
                Ok(false)
            }
            Err(ProgramError::Endless) => Err(endless(&self.option)),
        }
    }

    fn ask(&mut self, context: &EventContext<'_>) -> Result<Match, ProgramError> {
        if let Some(parts) = &mut self.parts {
            match parts.first.ask(context) {
                Ok(Match { held: true, alone: true }) => return parts.rest.ask(context),
                Ok(Match { held: true, .. }) | Err(_) => {}
                Ok(said) => return Ok(said),
            }
        }
        let Self { engine, memory, .. } = self;
        let said = |(held, alone)| Match { held, alone };
        match &**engine {
            PredicateEngine::Native(native) => match native.holds(context.shown) {
                Ok(held) => Ok(said((held, held))),
                Err(native::EvalError) => {
                    Err(ProgramError::Failed("a value is of a type that it can't use"))
                }
            },
            PredicateEngine::Program(program) => match program.looks_at(context.shown) {
                None => program.holds(context).map(|held| said((held, false))),
                Some(fields) => {
                    let remembered =
                        memory.get_or_compute(fields, || match program.holds_alone(context) {
                            Ok(known) => Ok(Ok(said(known))),
                            Err(ProgramError::Failed(reason)) => Ok(Err(reason)),
                            Err(ProgramError::Endless) => Err(ProgramError::Endless),
                        });
                    remembered.and_then(|said| said.map_err(ProgramError::Failed))
                }
            },
        }
    }

    /// On how many events it has failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures.count()
    }
}

/// The longest `a` of `a and b` that is for the fast path, or else the shortest, and the `b`.
fn split<'t, 's>(
    term: &'t Term<&'s str>,
    is_native: &dyn Fn(&Term<&'s str>) -> bool,
) -> Option<(&'t Term<&'s str>, Term<&'s str>)> {
    let Term::BinOp(left, BinaryOp::And, right) = term else { return None };
    if is_native(left) {
        return Some((left, (**right).clone()));
    }
    Some(match split(left, is_native) {
        Some((first, rest)) => (first, Term::BinOp(Box::new(rest), BinaryOp::And, right.clone())),
        None => (left, (**right).clone()),
    })
}

/// The error for a program that was stopped.
#[must_use]
pub fn endless(option: &str) -> Error {
    Error::new(
        Exit::Usage,
        format!("stopped {option}"),
        "on one event it took more steps or space than any should",
        "look for a loop without an end in it",
    )
}

/// Event types by their names.
#[derive(Debug, Clone, Default)]
pub struct TypeFilter {
    keep: Option<GlobSet>,
    drop: Option<GlobSet>,
}

impl TypeFilter {
    /// The types that one of `keep` matches, or all if there is none, without those that one of `drop` matches.
    pub fn new(keep: &[String], drop: &[String]) -> Result<Self> {
        Ok(Self { keep: globs("--event", keep)?, drop: globs("--exclude", drop)? })
    }

    /// Whether events of that type are kept.
    #[must_use]
    pub fn has(&self, event_type: &str) -> bool {
        self.keep.as_ref().is_none_or(|globs| globs.is_match(event_type))
            && !self.drop.as_ref().is_some_and(|globs| globs.is_match(event_type))
    }
}

fn globs(option: &str, patterns: &[String]) -> Result<Option<GlobSet>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let wrong = |pattern: &str| {
        Error::usage(
            format!("cannot use {option} {pattern}"),
            "it is no glob",
            "write it like call.* or surface.{created,submitted}",
        )
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).build().map_err(|_| wrong(pattern))?);
    }
    set.build().map(Some).map_err(|_| wrong(&patterns.join(" ")))
}

/// A regular expression that is looked for in the strings that are seen.
#[derive(Debug, Clone)]
pub struct GrepFilter(Regex);

impl GrepFilter {
    /// Without capitals in it, capitals don't matter.
    pub fn new(pattern: &str) -> Result<Self> {
        let insensitive = !pattern.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(pattern).case_insensitive(insensitive).build();
        regex.map(Self).map_err(|_| {
            Error::usage(
                "cannot use --grep",
                "it is no regular expression that the regex crate knows",
                "escape what is meant literally",
            )
        })
    }

    /// Whether a string of the event matches: its type, or one in a field that isn't hidden.
    #[must_use]
    pub fn matches(&self, shown: &RedactedEvent<'_>) -> bool {
        self.0.is_match(shown.event_type())
            || shown.fields().any(|field| !field.hidden && self.in_json(field.json))
    }

    fn in_json(&self, json: &str) -> bool {
        match json.as_bytes()[0] {
            b'"' => unquote(json).is_some_and(|text| self.0.is_match(&text)),
            b'[' | b'{' => scan::entries(json).iter().any(|(_, value)| self.in_json(value)),
            _ => false,
        }
    }

    /// Where a text matches.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        self.0
            .find_iter(text)
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .collect()
    }
}

/// Everything that an event must satisfy to be kept.
#[derive(Default)]
pub struct EventFilter {
    types: TypeFilter,
    filters: Vec<Predicate>,
    grep: Option<GrepFilter>,
}

impl EventFilter {
    /// All of these must hold.
    #[must_use]
    pub const fn new(types: TypeFilter, filters: Vec<Predicate>, grep: Option<GrepFilter>) -> Self {
        Self { types, filters, grep }
    }

    /// The same for another thread. It tells nothing.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            types: self.types.clone(),
            filters: self.filters.iter().map(Predicate::fork).collect(),
            grep: self.grep.clone(),
        }
    }

    /// Whether the event is kept.
    pub fn keeps(&mut self, context: &EventContext<'_>) -> Result<bool> {
        if !self.types.has(context.shown.event_type()) {
            return Ok(false);
        }
        for filter in &mut self.filters {
            if !filter.holds(context)? {
                return Ok(false);
            }
        }
        Ok(self.grep.as_ref().is_none_or(|grep| grep.matches(context.shown)))
    }

    /// The failures of each filter.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.filters.iter_mut().map(|filter| &mut filter.failures)
    }

    /// How often a filter has failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.filters.iter().map(Predicate::failures).sum()
    }
}
