//! Terms, with what may follow them.

use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Opt, Part, Path};

use super::{Grammar, KEYWORDS, Parsed, binary, follows, text_term};
use crate::query::syntax::TermOf;

impl<'s, 't> Grammar<'s, 't> {
    /// Parses a term with the keys, indices and `?` after it.
    pub(super) fn postfix(&mut self) -> Parsed<'s, TermOf<'s>> {
        let mut term = self.term()?;
        loop {
            let part = match self.peek() {
                Some(Token(text, Tok::Block(_))) if text.starts_with('[') => self.bracket()?,
                Some(Token(text, Tok::Sym)) if is_field(text) => {
                    self.tokens.next();
                    Part::Index(text_term(&text[1..]))
                }
                Some(Token(".", _)) => {
                    self.tokens.next();
                    match self.peek() {
                        Some(Token(text, Tok::Block(_))) if text.starts_with('[') => {
                            self.bracket()?
                        }
                        _ => Part::Index(self.string("key")?),
                    }
                }
                Some(Token("?", _)) => {
                    self.tokens.next();
                    term = Term::TryCatch(Box::new(term), None);
                    continue;
                }
                _ => return Ok(term),
            };
            term = self.with_part(term, part);
        }
    }

    /// Adds a part of a path, with the `?` that may follow it.
    fn with_part(&mut self, term: TermOf<'s>, part: Part<TermOf<'s>>) -> TermOf<'s> {
        // jq takes `.a?//1` for a mistake, because `?//` is a token. Here it means `.a? // 1`.
        let part = (part, if self.take("?") { Opt::Optional } else { Opt::Essential });
        match term {
            Term::Path(base, Path(mut parts)) => {
                parts.push(part);
                Term::Path(base, Path(parts))
            }
            term => Term::Path(Box::new(term), Path(vec![part])),
        }
    }

    fn bracket(&mut self) -> Parsed<'s, Part<TermOf<'s>>> {
        let Token(_, Tok::Block(tokens)) = self.next("[")? else { return self.missing("[") };
        if tokens.len() == 1 {
            return Ok(Part::Range(None, None));
        }
        self.block(tokens, |inner| {
            if inner.take(":") {
                return Ok(Part::Range(None, Some(inner.query()?)));
            }
            let from = inner.query()?;
            if !inner.take(":") {
                return Ok(Part::Index(from));
            }
            let to = inner.peek().is_some().then(|| inner.query()).transpose()?;
            Ok(Part::Range(Some(from), to))
        })
    }

    pub(super) fn term(&mut self) -> Parsed<'s, TermOf<'s>> {
        let token = self.next("term")?;
        match token {
            Token("..", _) => Ok(Term::Recurse),
            Token("-", _) => Ok(Term::Neg(Box::new(self.postfix()?))),
            Token(".", _) => self.after_dot(token.0),
            Token(text, Tok::Sym) if is_field(text) => {
                Ok(self.with_part(Term::Id, Part::Index(text_term(&text[1..]))))
            }
            Token(number, Tok::Num) => Ok(Term::Num(number)),
            Token("$__loc__", _) => Ok(self.location(token.0)),
            Token(name, Tok::Var) => Ok(Term::Var(name)),
            Token(_, Tok::Str(parts)) => Ok(Term::Str(None, self.parts(parts)?)),
            Token(format, Tok::Fmt) => match self.peek() {
                Some(Token(_, Tok::Str(parts))) => {
                    self.tokens.next();
                    Ok(Term::Str(Some(format), self.parts(parts)?))
                }
                _ => Ok(Term::Call(format, Vec::new())),
            },
            Token(text, Tok::Block(tokens)) => match &text[..1] {
                "(" => self.block(tokens, Self::query),
                "[" if tokens.len() == 1 => Ok(Term::Arr(None)),
                "[" => Ok(Term::Arr(Some(Box::new(self.block(tokens, Self::query)?)))),
                _ => Ok(Term::Obj(self.block(tokens, |inner| {
                    let mut entries = Vec::new();
                    while inner.peek().is_some() {
                        entries.push(inner.entry()?);
                        if inner.peek().is_some() && !inner.take(",") {
                            return inner.missing("comma or right brace");
                        }
                    }
                    Ok(entries)
                })?)),
            },
            Token("if", Tok::Word) => self.condition(),
            Token("try", Tok::Word) => {
                let body = Box::new(self.postfix()?);
                let catch = self.take("catch").then(|| self.postfix()).transpose()?;
                Ok(Term::TryCatch(body, catch.map(Box::new)))
            }
            Token(name @ ("reduce" | "foreach"), Tok::Word) => self.fold(name),
            Token("break", Tok::Word) => Ok(Term::Break(self.variable()?)),
            Token(name, Tok::Word) if !KEYWORDS.contains(name) => {
                Ok(Term::Call(name, self.arguments(Self::query)?))
            }
            Token(found, _) => Err(("term", Some(found))),
        }
    }

    /// Parses what follows a dot at the start of a term.
    fn after_dot(&mut self, dot: &'s str) -> Parsed<'s, TermOf<'s>> {
        match self.peek() {
            Some(Token(digits, Tok::Num)) if follows(dot, digits) => {
                self.tokens.next();
                let start = digits.as_ptr().addr() - self.source.as_ptr().addr() - 1;
                Ok(Term::Num(&self.source[start..=start + digits.len()]))
            }
            Some(Token(_, Tok::Str(_) | Tok::Fmt)) => {
                let key = self.string("key")?;
                Ok(self.with_part(Term::Id, Part::Index(key)))
            }
            _ => Ok(Term::Id),
        }
    }

    fn condition(&mut self) -> Parsed<'s, TermOf<'s>> {
        let mut branches = Vec::new();
        loop {
            let condition = self.query()?;
            self.expect("then")?;
            branches.push((condition, self.query()?));
            if self.take("elif") {
                continue;
            }
            let last = self.take("else").then(|| self.query()).transpose()?;
            return match self.take("end") {
                true => Ok(Term::IfThenElse(branches, last.map(Box::new))),
                false if last.is_some() => self.missing("end"),
                false => self.missing("else or end"),
            };
        }
    }

    fn fold(&mut self, name: &'s str) -> Parsed<'s, TermOf<'s>> {
        let over = Box::new(self.expression(0)?);
        self.expect("as")?;
        let pattern = self.patterns()?;
        let args = self.arguments(Self::query)?;
        match (name, args.len()) {
            ("reduce", 2) | ("foreach", 2 | 3) => Ok(Term::Fold(name, over, pattern, args)),
            (_, 0) => self.missing("("),
            (_, 1) => Err(("a second argument", Some(name))),
            _ => Err(("fewer arguments", Some(name))),
        }
    }

    /// Returns the object `{file, line}` for `$__loc__`.
    pub(super) fn location(&self, token: &'s str) -> TermOf<'s> {
        let end = token.as_ptr().addr() - self.source.as_ptr().addr();
        let line = 1 + self.source[..end].matches('\n').count();
        Term::Obj(vec![
            (text_term("file"), Some(text_term("<top-level>"))),
            (text_term("line"), Some(number_term(line))),
        ])
    }

    pub(super) fn string(&mut self, expected: &'static str) -> Parsed<'s, TermOf<'s>> {
        let format = match self.peek() {
            Some(Token(format, Tok::Fmt)) => {
                self.tokens.next();
                Some(*format)
            }
            _ => None,
        };
        match self.next(expected)? {
            Token(_, Tok::Str(parts)) => Ok(Term::Str(format, self.parts(parts)?)),
            Token(found, _) => Err((expected, Some(found))),
        }
    }

    fn parts(
        &self,
        parts: &'t [StrPart<&'s str, Token<&'s str>>],
    ) -> Parsed<'s, Vec<StrPart<&'s str, TermOf<'s>>>> {
        let part = |part: &'t StrPart<_, _>| match part {
            StrPart::Str(text) => Ok(StrPart::Str(*text)),
            StrPart::Char(character) => Ok(StrPart::Char(*character)),
            StrPart::Term(Token(_, Tok::Block(tokens))) => {
                Ok(StrPart::Term(self.block(tokens, Self::query)?))
            }
            StrPart::Term(Token(found, _)) => Err(("term", Some(*found))),
        };
        parts.iter().map(part).collect()
    }
}

/// Returns a term for a number that is not part of the source, calculated from its digits.
fn number_term<'s>(number: usize) -> TermOf<'s> {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let digit = Term::Num(DIGITS[number % 10]);
    if number < 10 {
        return digit;
    }
    let tens = binary(number_term(number / 10), BinaryOp::Math(Math::Mul), Term::Num("10"));
    binary(tens, BinaryOp::Math(Math::Add), digit)
}

/// Returns whether a symbol is a dot with a name.
fn is_field(symbol: &str) -> bool {
    symbol.starts_with('.') && symbol.len() > 1 && symbol != ".."
}
