//! Which fields of an event a program can read: no others need become jq values.
//!
//! The syntax tree is followed from the input on. As soon as the event as a whole could get anywhere (`keys`, `.[]`,
//! `. as $x`), or something isn't understood, all of it is read.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

use super::native::literal;

/// What a program reads of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldAccess {
    /// The names of the fields, if they are known; all, if not.
    pub fields: Option<Vec<String>>,
    /// The event as a whole may be what comes out. Then only whether it is true tells anything.
    pub gives_event: bool,
}

impl FieldAccess {
    /// What that program reads.
    #[must_use]
    pub fn from_term(term: &Term<&str>) -> Self {
        let mut found = AccessResult::default();
        match found.follow(term, AccessValue::Event) {
            Some(value) => {
                Self { fields: Some(found.fields), gives_event: value == AccessValue::Event }
            }
            None => Self { fields: None, gives_event: true },
        }
    }
}

/// What a term can be handed, or give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessValue {
    /// The event as a whole, perhaps.
    Event,
    /// Anything but that.
    Part,
}

impl AccessValue {
    fn or(self, other: Self) -> Self {
        if self == Self::Event { self } else { other }
    }

    fn part(self) -> Option<Self> {
        (self == Self::Part).then_some(self)
    }
}

#[derive(Default)]
struct AccessResult {
    fields: Vec<String>,
}

impl AccessResult {
    /// What a term gives for that input; `None` if the event gets out of sight.
    fn follow(&mut self, term: &Term<&str>, input: AccessValue) -> Option<AccessValue> {
        // What has no event to begin with can come by none, but for definitions that are called from elsewhere.
        match term {
            Term::Id => Some(input),
            Term::Num(_) | Term::Var(_) | Term::Arr(None) | Term::Break(_) => {
                Some(AccessValue::Part)
            }
            Term::Recurse => input.part(),
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.part(term, input)?;
                    }
                }
                Some(AccessValue::Part)
            }
            Term::Arr(Some(inner)) | Term::Neg(inner) => self.part(inner, input),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match (key, value) {
                        (key, Some(value)) => {
                            self.part(key, input)?;
                            self.part(value, input)?;
                        }
                        (Term::Var(_), None) => {}
                        (Term::Str(None, parts), None) => self.read(&literal(parts)?, input),
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
                            self.read(&literal(parts)?, value)
                        }
                        _ if value == AccessValue::Event => return None,
                        Part::Index(index) => drop(self.part(index, input)?),
                        Part::Range(from, to) => {
                            for bound in from.iter().chain(to) {
                                self.part(bound, input)?;
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
                self.part(over, input)?;
                let (first, rest) = args.split_first()?;
                self.part(first, input)?;
                for term in rest {
                    self.part(term, AccessValue::Part)?;
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
                self.part(left, input)?;
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
                self.part(left, input)?;
                self.part(right, input)
            }
            _ => {
                input.part()?;
                self.part(left, input)?;
                self.part(right, input)
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
                self.part(generator, input)?;
                self.follow(condition, AccessValue::Part)?;
                Some(AccessValue::Part)
            }
            ("has", [Term::Str(None, parts)]) if input == AccessValue::Event => {
                self.read(&literal(parts)?, input);
                Some(AccessValue::Part)
            }
            // Whatever it does, and its arguments with it, it has nothing else to do it with.
            _ => {
                input.part()?;
                args.iter().try_for_each(|arg| self.part(arg, input).map(drop))?;
                Some(AccessValue::Part)
            }
        }
    }

    /// Follows a term that may not give the event.
    fn part(&mut self, term: &Term<&str>, input: AccessValue) -> Option<AccessValue> {
        self.follow(term, input)?.part()
    }

    fn read(&mut self, name: &str, of: AccessValue) {
        if of == AccessValue::Event && !self.fields.iter().any(|known| known == name) {
            self.fields.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::program::parse;

    fn reads(source: &str) -> Option<Vec<String>> {
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
            assert_eq!(reads(source), Some(expected), "{source}");
        }
    }

    #[test]
    fn where_the_event_gets_out_of_sight_all_is_read() {
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
            assert_eq!(reads(source), None, "{source}");
        }
    }

    #[test]
    fn an_event_that_comes_out_is_told_of() {
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
