//! Finds the fields of an event that a program can read, so that only those become jq values.
//!
//! The analysis follows the event through the syntax tree. If the whole event can escape (`keys`,
//! `.[]`, `. as $x`), or a construct is not understood, the program is taken to read everything.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

use super::syntax::literal;

/// The parts of its input that a program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldAccess {
    /// The names of the fields that it can read; `None` if it may read any field.
    pub fields: Option<Vec<String>>,
    /// An output may be the whole event. With only `fields` as input, such an output has the right
    /// truth value but lacks content.
    pub gives_event: bool,
}

impl FieldAccess {
    /// Analyses a program.
    #[must_use]
    pub fn from_term(term: &Term<&str>) -> Self {
        let mut analysis = Analysis::default();
        match analysis.follow(term, AccessValue::Event) {
            Some(value) => {
                Self { fields: Some(analysis.fields), gives_event: value == AccessValue::Event }
            }
            None => Self { fields: None, gives_event: true },
        }
    }
}

/// What a term can receive or give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessValue {
    /// Possibly the whole event.
    Event,
    /// Never the whole event.
    Part,
}

impl AccessValue {
    fn or(self, other: Self) -> Self {
        if self == Self::Event { self } else { other }
    }

    /// Returns the value if it is a part; `None` if the whole event would escape.
    fn require_part(self) -> Option<Self> {
        (self == Self::Part).then_some(self)
    }
}

/// The state of the analysis: the fields found so far.
#[derive(Default)]
struct Analysis {
    fields: Vec<String>,
}

impl Analysis {
    /// Returns what a term gives for an input; `None` if the whole event can escape.
    fn follow(&mut self, term: &Term<&str>, input: AccessValue) -> Option<AccessValue> {
        match term {
            Term::Id => Some(input),
            Term::Num(_) | Term::Var(_) | Term::Arr(None) | Term::Break(_) => {
                Some(AccessValue::Part)
            }
            Term::Recurse => input.require_part(),
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.follow_part(term, input)?;
                    }
                }
                Some(AccessValue::Part)
            }
            Term::Arr(Some(inner)) | Term::Neg(inner) => self.follow_part(inner, input),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match (key, value) {
                        (key, Some(value)) => {
                            self.follow_part(key, input)?;
                            self.follow_part(value, input)?;
                        }
                        (Term::Var(_), None) => {}
                        (Term::Str(None, parts), None) => self.add_field(&literal(parts)?, input),
                        _ => return None,
                    }
                }
                Some(AccessValue::Part)
            }
            Term::Path(base, path) => {
                let mut value = self.follow(base, input)?;
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(Term::Str(None, parts)) if value == AccessValue::Event => {
                            self.add_field(&literal(parts)?, value);
                        }
                        _ if value == AccessValue::Event => return None,
                        Part::Index(index) => drop(self.follow_part(index, input)?),
                        Part::Range(from, to) => {
                            for bound in from.iter().chain(to) {
                                self.follow_part(bound, input)?;
                            }
                        }
                    }
                    value = AccessValue::Part;
                }
                Some(value)
            }
            Term::BinOp(left, op, right) => self.operation(left, op, right, input),
            Term::Label(_, inner) => self.follow(inner, input),
            Term::TryCatch(inner, catch) => {
                let tried = self.follow(inner, input)?;
                let caught = catch.as_ref().map_or(Some(AccessValue::Part), |catch| {
                    self.follow(catch, AccessValue::Part)
                })?;
                Some(tried.or(caught))
            }
            Term::IfThenElse(branches, last) => {
                let mut value =
                    last.as_ref().map_or(Some(input), |last| self.follow(last, input))?;
                for (condition, then) in branches {
                    self.follow(condition, input)?;
                    value = value.or(self.follow(then, input)?);
                }
                Some(value)
            }
            Term::Fold(_, over, Pattern::Var(_), args) => {
                self.follow_part(over, input)?;
                let (first, rest) = args.split_first()?;
                self.follow_part(first, input)?;
                for term in rest {
                    self.follow_part(term, AccessValue::Part)?;
                }
                Some(AccessValue::Part)
            }
            Term::Call(name, args) => self.call(name, args, input),
            Term::Fold(..) | Term::Def(..) => None,
        }
    }

    fn operation(
        &mut self,
        left: &Term<&str>,
        op: &BinaryOp<&str>,
        right: &Term<&str>,
        input: AccessValue,
    ) -> Option<AccessValue> {
        match op {
            BinaryOp::Pipe(None) => {
                let middle = self.follow(left, input)?;
                self.follow(right, middle)
            }
            BinaryOp::Pipe(Some(Pattern::Var(_))) => {
                self.follow_part(left, input)?;
                self.follow(right, input)
            }
            BinaryOp::Comma | BinaryOp::Alt => {
                Some(self.follow(left, input)?.or(self.follow(right, input)?))
            }
            BinaryOp::And | BinaryOp::Or => {
                self.follow(left, input)?;
                self.follow(right, input)?;
                Some(AccessValue::Part)
            }
            BinaryOp::Math(_) | BinaryOp::Cmp(_) => {
                self.follow_part(left, input)?;
                self.follow_part(right, input)
            }
            _ => {
                input.require_part()?;
                self.follow_part(left, input)?;
                self.follow_part(right, input)
            }
        }
    }

    fn call(&mut self, name: &str, args: &[Term<&str>], input: AccessValue) -> Option<AccessValue> {
        match (name, args) {
            ("select", [condition]) => {
                self.follow(condition, input)?;
                Some(input)
            }
            ("not" | "empty" | "true" | "false" | "null", []) => Some(AccessValue::Part),
            ("first" | "last", [inner]) => self.follow(inner, input),
            ("any" | "all", [generator, condition]) => {
                self.follow_part(generator, input)?;
                self.follow(condition, AccessValue::Part)?;
                Some(AccessValue::Part)
            }
            ("has", [Term::Str(None, parts)]) if input == AccessValue::Event => {
                self.add_field(&literal(parts)?, input);
                Some(AccessValue::Part)
            }
            // Any other filter reads only what its arguments read, unless its input is the event.
            _ => {
                input.require_part()?;
                args.iter().try_for_each(|arg| self.follow_part(arg, input).map(drop))?;
                Some(AccessValue::Part)
            }
        }
    }

    /// Follows a term that must not give the whole event.
    fn follow_part(&mut self, term: &Term<&str>, input: AccessValue) -> Option<AccessValue> {
        self.follow(term, input)?.require_part()
    }

    /// Adds a field that is read from `of`, if that is the event.
    fn add_field(&mut self, name: &str, of: AccessValue) {
        if of == AccessValue::Event && !self.fields.iter().any(|known| known == name) {
            self.fields.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::program::parse;

    fn fields_read(source: &str) -> Option<Vec<String>> {
        FieldAccess::from_term(&parse("--jq", source).expect("parses").term).fields
    }

    #[test]
    fn finds_the_fields_that_can_be_read() {
        for (source, fields) in [
            (".a", "a"),
            (".a.b | .c", "a"),
            (".a + .b | . * 2", "a b"),
            (".a[.b:.c]", "a b c"),
            ("{a, b: .c, \"\\(.d)\": $e}", "a c d"),
            ("select(.a > 1) | .b", "a b"),
            ("select(.a) | select(.b == (.c // \"x\"))", "a b c"),
            ("if .a then .b elif .c then .d else .e end", "e a b c d"),
            ("try .a catch .b", "a"),
            ("(.a // \"\") | ascii_downcase | test(\"x\"; .b)", "a"),
            (".a as $x | .b + $x", "a b"),
            ("reduce .a[] as $x (.b; . + $x)", "a b"),
            ("[.a | keys[], to_entries]", "a"),
            ("has(\"a\") and (.b | not)", "a b"),
            ("\"\\(.a) \\(.b | @json)\"", "a b"),
            ("first(.a, .b), ([.c[]] | length)", "a b c"),
            ("._tap.time, .event_type", "_tap event_type"),
            ("any(.a[]; . > 1)", "a"),
            ("1", ""),
        ] {
            let expected: Vec<_> = fields.split_whitespace().map(str::to_owned).collect();
            assert_eq!(fields_read(source), Some(expected), "{source}");
        }
    }

    #[test]
    fn reads_everything_if_the_event_can_escape() {
        for source in [
            "keys",
            ".[]",
            "..",
            ". as $x | $x.a",
            "to_entries",
            "[.]",
            "{a: .}",
            "tojson",
            "\"\\(.)\"",
            ".a = 1",
            ".a |= 1",
            "del(.a)",
            "with_entries(.)",
            "def f: .; f | keys",
            ". == {}",
            ". + {}",
            "map_values(.)",
            "getpath([\"a\"])",
            ".[.a]",
            "reduce .a[] as $x (.; . + $x)",
            "select(.a) | length",
            "error",
            "path(.a)",
            "limit(1; .a)",
            ".a as [$x] | $x",
            "(.a, .) | length",
        ] {
            assert_eq!(fields_read(source), None, "{source}");
        }
    }

    #[test]
    fn detects_programs_that_output_the_event() {
        for (source, gives_event) in [
            ("select(.a)", true),
            (".", true),
            (".a // .", true),
            (".a", false),
            ("select(.a) | .b", false),
        ] {
            assert_eq!(
                FieldAccess::from_term(&parse("--jq", source).expect("parses").term).gives_event,
                gives_event,
                "{source}"
            );
        }
    }
}
