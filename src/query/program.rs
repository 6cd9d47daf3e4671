//! jq programs: parsed, checked for what they may call, compiled once, and run on one value at a time.
//!
//! A program sees its input and nothing else: no environment, no other inputs, no files, no modules, no way to print or to
//! end the process. One that would not end is stopped: each call of a definition, each number of a `range`, each value of a
//! `[]` or a `..`, and each calculation takes a step, and the steps, the stack and the size of a value are bounded.

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::Range;

use jaq_core::data::{DataT, HasLut};
use jaq_core::load::parse::{BinaryOp, Def, Parser, Term};
use jaq_core::load::{Arena, File, Loader, lex};
use jaq_core::{Bind, Compiler, Ctx, Exn, Filter, Lut, Native, Vars};
use jaq_json::Val;

use super::context::EventContext;
use super::field_access::FieldAccess;
use super::{patterns, value};
use crate::error::{Error, Result};
use crate::redact::RedactedEvent;

/// How much one event may take.
#[derive(Debug, Clone, Copy)]
pub struct StepBudget {
    /// So many steps.
    steps: u32,
    /// So many bytes of the value in hand make a step one more.
    grain: usize,
}

impl StepBudget {
    /// As much as somebody may want who waits for it.
    pub const BATCH: Self = Self { steps: 250_000, grain: usize::MAX };

    /// As little as nobody notices who types meanwhile.
    pub const INTERACTIVE: Self = Self { steps: 20_000, grain: 1024 };

    /// What a step with that value in hand takes of it.
    fn cost(self, value: &Val) -> u32 {
        let bytes = match value {
            Val::TStr(text) | Val::BStr(text) => text.len(),
            Val::Arr(items) => items.len() * size_of::<Val>(),
            Val::Obj(members) => members.len() * 4 * size_of::<Val>(),
            _ => 0,
        };
        u32::try_from(bytes / self.grain).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// How much of the stack one event may take, in bytes. The thread that runs programs must have more.
const STACK: usize = 12 << 20;

/// The longest string that one event may be made into, in bytes.
const VALUE: usize = 64 << 20;

/// The stack that a thread needs to run programs.
pub const THREAD_STACK: usize = 128 << 20;

/// What jq has, and evtap has not.
const ABSENT: &[&str] = &[
    "env",
    "$ENV",
    "$__prog_args",
    "input",
    "inputs",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "input_filename",
    "input_line_number",
    "get_search_list",
    "$__loc__",
    "import",
    "include",
    "modulemeta",
    "debug_empty",
    "stderr_empty",
    "now",
    "localtime",
    "mktime",
    "strflocaltime",
];

/// What jq has, and jaq defines nowhere or in another way.
const PRELUDE: &str = r#"
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def test(re; flags): evtap_test(re; flags);
def test(re): evtap_test(re; "");
def ascii: [.] | implode;
def leaf_paths: paths(scalars);
def ltrimstr($s): if isstring and ($s | isstring) and startswith($s) then .[$s | length:] else . end;
def rtrimstr($s): if isstring and ($s | isstring) and endswith($s) and $s != "" then .[:-($s | length)] else . end;
def delpaths($paths): reduce ($paths | sort | reverse | .[]) as $path (.; getpath($path) |= empty);
def del(f): delpaths([path(f)]);
def setpath($path; $x):
  if $path == [] then $x
  else if . == null then (if $path[0] | isstring then {} else [] end) else . end | .[$path[0]] |= setpath($path[1:]; $x) end;
def @csv: map(if isstring then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" elif isarray or isobject then error("an array can't be a cell") else tostring end) | join(",");
def @tsv: map(if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r") elif . == null then "" else tostring end) | join("\t");
"#;

/// Marks the place in an expression that a message is about.
#[must_use]
pub fn point(source: &str, range: &Range<usize>) -> String {
    let start = source[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let line = source[start..].lines().next().unwrap_or_default();
    let column = source[start..range.start].chars().count();
    let width =
        source[range.clone()].chars().take_while(|character| *character != '\n').count().max(1);
    format!("  {line}\n  {}{}", " ".repeat(column), "^".repeat(width))
}

/// Where a part of an expression stands in it; at its end, if it is no part of it.
#[must_use]
pub fn place(source: &str, part: &str) -> Range<usize> {
    let within = (part.as_ptr().addr())
        .checked_sub(source.as_ptr().addr())
        .filter(|start| start + part.len() <= source.len());
    within.map_or(source.len()..source.len(), |start| start..start + part.len())
}

/// A program that has been parsed, with the option that it comes from.
pub struct ParsedProgram<'s> {
    /// The option, for messages.
    pub option: &'s str,
    /// Its text.
    pub source: &'s str,
    /// Its syntax tree, whose strings are parts of `source`.
    pub term: Term<&'s str>,
}

/// Parses a program. The error points at the place.
pub fn parse<'s>(option: &'s str, source: &'s str) -> Result<ParsedProgram<'s>> {
    let wrong = |expected: &str, found: &str| {
        let range = place(source, found);
        let what = format!("cannot read {option}");
        let place = if found.is_empty() {
            "at its end".to_owned()
        } else {
            format!("at character {}", source[..range.start].chars().count() + 1)
        };
        let range = range.start..range.start + found.chars().next().map_or(0, char::len_utf8);
        Error::usage(what, format!("{expected} is missing {place}"), advice(source, range.start))
            .with_detail(point(source, &range))
    };
    let tokens = lex::Lexer::new(source).lex().map_err(|errors| {
        errors.first().map_or_else(
            || wrong("something", ""),
            |(expected, found)| wrong(&format!("a {}", expected.as_str()), found),
        )
    })?;
    let term = Parser::new(&tokens).parse(Parser::term).map_err(|errors| {
        errors.first().map_or_else(
            || wrong("something", ""),
            |(expected, found)| {
                let expected = expected.as_str();
                wrong(
                    if expected == "nothing" { "the end" } else { expected },
                    found.map_or("", |token| token.as_str()),
                )
            },
        )
    })?;
    Ok(ParsedProgram { option, source, term })
}

/// What somebody may have had in mind who wrote what jq doesn't know.
fn advice(source: &str, at: usize) -> &'static str {
    const TAKEN: &[(&str, &str)] = &[
        ("'", "write strings between double quotes"),
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("===", "write `==`"),
        ("!", "write `… | not`"),
    ];
    let found = TAKEN.iter().find(|(text, _)| source[at..].starts_with(text));
    found.map_or("see jq's manual for the language", |(_, advice)| advice)
}

/// What programs run on.
struct JqEngine;

/// What native filters see of a run.
#[derive(Clone)]
struct RunState<'a> {
    lut: &'a Lut<JqEngine>,
    steps: &'a Cell<u32>,
    budget: StepBudget,
    stack: usize,
}

impl DataT for JqEngine {
    type V<'a> = Val;
    type Data<'a> = RunState<'a>;
}

impl<'a> HasLut<'a, JqEngine> for RunState<'a> {
    fn lut(&self) -> &'a Lut<JqEngine> {
        self.lut
    }
}

impl RunState<'_> {
    /// Takes a step with a value in hand; an exception that nothing catches if there are no more.
    fn step<'e>(&self, value: &Val) -> Result<(), Exn<'e, Val>> {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(self.budget.cost(value)));
        let huge = match value {
            Val::TStr(text) | Val::BStr(text) => text.len() > VALUE,
            Val::Arr(items) => items.len() > VALUE / 16,
            _ => false,
        };
        if left == 0 || huge || self.stack.abs_diff(stack_pointer()) > STACK {
            self.steps.set(0);
            return Err(Exn::halt(0));
        }
        Ok(())
    }
}

/// About where the stack ends now.
#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// The filter that takes a step and passes its input on.
fn tick() -> (&'static str, Box<[Bind]>, Native<JqEngine>) {
    let native = Native::<JqEngine>::new(|cv| {
        Box::new(std::iter::once(cv.0.data().step(&cv.1).map(|()| cv.1)))
    })
    .with_paths(|cv| Box::new(std::iter::once(cv.0.data().step(&cv.1.0).map(|()| cv.1))))
    .with_update(|cv, update| match cv.0.data().step(&cv.1) {
        Ok(()) => update(cv.1),
        Err(stop) => Box::new(std::iter::once(Err(stop))),
    });
    (TICK, Box::new([]), native)
}

const TICK: &str = "evtap_tick";
const MAIN: &str = "evtap_main";

/// Why a program gave no (further) value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramError {
    /// It failed on this value, and why. jq's own message may quote the value and is not kept.
    Failed(&'static str),
    /// It used up its steps or the stack.
    BudgetExceeded,
}

/// A compiled program.
pub struct Program {
    filter: Filter<JqEngine>,
    variables: Vec<Val>,
    /// The fields that it reads, with their keys; `None` if it may read any.
    fields: Option<Vec<(String, Val)>>,
    /// What it gives may be the event as a whole.
    gives_event: bool,
    budget: StepBudget,
}

impl Program {
    /// Compiles a parsed program, with the variables that it may use.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, Val)]) -> Result<Self> {
        let prelude = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|def| !ABSENT.contains(&def.name));
        let own = jaq_core::load::parse(PRELUDE, |parser| parser.defs()).unwrap_or_default();
        let main = Def { name: MAIN, args: Vec::new(), body: parsed.term.clone() };
        let defs =
            prelude.chain(own).map(stepping).map(shorten).chain(std::iter::once(stepping(main)));
        let is_ours = |name| ABSENT.contains(&name) || patterns::NAMES.contains(&name);
        let funs = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|fun| !is_ours(fun.0));
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { path: (), code: MAIN })
            .map_err(|_| broken(parsed))?;
        let names: Vec<String> = variables.iter().map(|(name, _)| format!("${name}")).collect();
        let filter = Compiler::default()
            .with_funs(funs.chain(patterns::funs()).chain(std::iter::once(tick())))
            .with_global_vars(names.iter().map(String::as_str))
            .compile(modules)
            .map_err(|errors| {
                let undefined = errors.into_iter().flat_map(|(_, errors)| errors).next();
                undefined.map_or_else(
                    || broken(parsed),
                    |(name, kind)| unknown(parsed, name, kind.as_str()),
                )
            })?;
        let reads = FieldAccess::from_term(&parsed.term);
        let key = |name: &String| (name.clone(), value::text(name));
        Ok(Self {
            filter,
            variables: variables.iter().map(|(_, value)| value.clone()).collect(),
            fields: reads.fields.as_ref().map(|names| names.iter().map(key).collect()),
            gives_event: reads.gives_event,
            budget: StepBudget::BATCH,
        })
    }

    /// The same, where one event may take no more than that.
    #[must_use]
    pub fn with_budget(self, budget: StepBudget) -> Self {
        Self { budget, ..self }
    }

    /// What of an event it needs to see, if no more is asked of what it gives than whether it is true.
    #[must_use]
    pub fn condition_input(&self, context: &EventContext<'_>) -> Val {
        self.fields
            .as_ref()
            .map_or_else(|| context.value(), |fields| value::fields(context.event, fields))
    }

    /// What of an event it needs to see for all else.
    #[must_use]
    pub fn output_input(&self, context: &EventContext<'_>) -> Val {
        if self.gives_event { context.value() } else { self.condition_input(context) }
    }

    /// Whether the fields that it reads are known, and none of them is `_tap`.
    #[must_use]
    pub fn is_known_by_fields(&self) -> bool {
        self.fields.as_ref().is_some_and(|fields| fields.iter().all(|(name, _)| name != "_tap"))
    }

    /// The JSON of each field that it reads, if it is known by them.
    #[must_use]
    pub fn looks_at<'s>(
        &self,
        shown: &'s RedactedEvent<'_>,
    ) -> Option<impl Iterator<Item = Option<&'s str>>> {
        let fields = self.fields.as_ref().filter(|_| self.is_known_by_fields())?;
        Some(fields.iter().map(|(name, _)| match shown.field(name) {
            Some(field) => Some(field.json),
            None if name == "event_type" => Some(shown.event_type()),
            None => None,
        }))
    }

    /// Whether one of its values is neither false nor null.
    pub fn holds(&self, context: &EventContext<'_>) -> Result<bool, ProgramError> {
        let mut held = false;
        self.run(self.condition_input(context), |value| {
            held = value::is_true(&value);
            !held
        })?;
        Ok(held)
    }

    /// The same, and whether that value is the only one.
    pub fn holds_alone(&self, context: &EventContext<'_>) -> Result<(bool, bool), ProgramError> {
        let (mut held, mut values) = (false, 0);
        let ran = self.run(self.condition_input(context), |value| {
            values += 1;
            if held {
                return false;
            }
            held = value::is_true(&value);
            !held || values == 1
        });
        match ran {
            // It would not have been asked for more.
            Err(_) if held => Ok((true, false)),
            ran => ran.map(|()| (held, held && values == 1)),
        }
    }

    /// Runs the program on a value, and hands each output to `take` until that says no.
    pub fn run(&self, input: Val, mut take: impl FnMut(Val) -> bool) -> Result<(), ProgramError> {
        let steps = Cell::new(self.budget.steps);
        let run = RunState {
            lut: &self.filter.lut,
            steps: &steps,
            budget: self.budget,
            stack: stack_pointer(),
        };
        let context = Ctx::<JqEngine>::new(run, Vars::new(self.variables.iter().cloned()));
        for output in self.filter.id.run((context, input)) {
            match output {
                Ok(value) => {
                    if !take(value) {
                        break;
                    }
                }
                Err(exception) => {
                    return Err(exception
                        .get_err()
                        .map_or(ProgramError::BudgetExceeded, |error| {
                            ProgramError::Failed(reason(&error.to_string()))
                        }));
                }
            }
        }
        Ok(())
    }
}

/// What kind of message it is, without what it quotes.
fn reason(message: &str) -> &'static str {
    const KINDS: &[(&str, &str, &str)] = &[
        ("cannot use ", " as string", "it needs a string where there is none"),
        ("cannot use ", " as number", "it needs a number where there is none"),
        ("cannot use ", "", "a value is of a type that it can't use"),
        ("cannot index ", "", "a value has no inside of that kind"),
        ("cannot calculate ", "", "values are of types that it can't calculate with"),
        ("cannot iterate ", "", "a value has nothing to iterate over"),
        ("cannot parse ", "", "a string can't be parsed"),
        ("invalid regex", "", "its regular expression is invalid"),
    ];
    // jaq shows a message of its own as the JSON string that it is.
    let message = message.trim_start_matches('"');
    let kind =
        KINDS.iter().find(|(start, end, _)| message.starts_with(start) && message.ends_with(end));
    kind.map_or("it ends in an error", |(_, _, reason)| reason)
}

fn broken(parsed: &ParsedProgram<'_>) -> Error {
    Error::usage(
        format!("cannot compile {}", parsed.option),
        "the compiler refuses it",
        "write it in another way",
    )
}

fn unknown(parsed: &ParsedProgram<'_>, name: &str, kind: &str) -> Error {
    let what = format!("cannot compile {}", parsed.option);
    let error = if ABSENT.contains(&name) {
        Error::usage(
            what,
            format!("there is no `{name}` here"),
            "an expression sees one event and nothing else",
        )
    } else {
        let known = known();
        let (why, advice) =
            match crate::query::suggest::nearest(name, known.iter().map(String::as_str)) {
                _ if kind == "variable" => (
                    format!("`{name}` has no value"),
                    format!("give it with --arg {} VALUE", name.trim_start_matches('$')),
                ),
                Some(meant) if meant == name => (
                    format!("`{name}` doesn't take that many arguments"),
                    "see jq's manual for how many it takes".to_owned(),
                ),
                Some(meant) => {
                    (format!("there is no {kind} `{name}`"), format!("did you mean `{meant}`?"))
                }
                None => (
                    format!("there is no {kind} `{name}`"),
                    "see jq's manual for what there is".to_owned(),
                ),
            };
        Error::usage(what, why, advice)
    };
    let range = place(parsed.source, name);
    if range.is_empty() { error } else { error.with_detail(point(parsed.source, &range)) }
}

/// The names of all filters.
fn known() -> HashSet<String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).map(|def| def.name);
    let funs = jaq_core::funs::<JqEngine>()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .map(|fun| fun.0);
    defs.chain(funs).filter(|name| !ABSENT.contains(name)).map(str::to_owned).collect()
}

type DefOf<'s> = Def<&'s str, Term<&'s str>>;

/// Lets a definition, and all inside, take a step at each call.
fn stepping(def: DefOf<'_>) -> DefOf<'_> {
    Def { body: then(call(TICK), walk(def.body)), ..def }
}

/// The prelude lives for ever; the program doesn't.
const fn shorten<'s>(def: DefOf<'static>) -> DefOf<'s> {
    def
}

fn call(name: &str) -> Term<&str> {
    Term::Call(name, Vec::new())
}

fn then<'s>(first: Term<&'s str>, second: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(second))
}

/// Lets every local definition, every number of a `range` and every value that a `[]` or a `..` gives take a step.
fn walk(term: Term<&str>) -> Term<&str> {
    let boxed = |term: Box<Term<_>>| Box::new(walk(*term));
    match term {
        Term::Def(defs, rest) => Term::Def(defs.into_iter().map(stepping).collect(), boxed(rest)),
        Term::Call(name @ "range", args) => {
            then(Term::Call(name, args.into_iter().map(walk).collect()), call(TICK))
        }
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(walk).collect()),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(entries) => Term::Obj(
            entries.into_iter().map(|(key, value)| (walk(key), value.map(walk))).collect(),
        ),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, op @ (BinaryOp::Math(_) | BinaryOp::UpdateMath(_)), right) => {
            then(Term::BinOp(boxed(left), op, boxed(right)), call(TICK))
        }
        // jaq lets an error on the left of `//` through; jq doesn't.
        Term::BinOp(left, BinaryOp::Alt, right) => {
            Term::BinOp(Box::new(Term::TryCatch(boxed(left), None)), BinaryOp::Alt, boxed(right))
        }
        Term::BinOp(left, op, right) => Term::BinOp(boxed(left), op, boxed(right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, over, pattern, args) => {
            Term::Fold(name, boxed(over), pattern, args.into_iter().map(walk).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(branches, last) => Term::IfThenElse(
            branches.into_iter().map(|(condition, then)| (walk(condition), walk(then))).collect(),
            last.map(boxed),
        ),
        Term::Path(inner, path) => {
            let gives_many = path
                .0
                .iter()
                .any(|(part, _)| matches!(part, jaq_core::path::Part::Range(None, None)));
            let path = jaq_core::path::Path(
                path.0.into_iter().map(|(part, opt)| (part_of(part), opt)).collect(),
            );
            let term = Term::Path(boxed(inner), path);
            if gives_many { then(term, call(TICK)) } else { term }
        }
        Term::Str(format, parts) => Term::Str(
            format,
            parts
                .into_iter()
                .map(|part| match part {
                    lex::StrPart::Term(term) => lex::StrPart::Term(walk(term)),
                    other => other,
                })
                .collect(),
        ),
        Term::Recurse => then(Term::Recurse, call(TICK)),
        Term::Id | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
    }
}

fn part_of(part: jaq_core::path::Part<Term<&str>>) -> jaq_core::path::Part<Term<&str>> {
    use jaq_core::path::Part;
    match part {
        Part::Index(index) => Part::Index(walk(index)),
        Part::Range(from, to) => Part::Range(from.map(walk), to.map(walk)),
    }
}

#[cfg(test)]
mod tests;
