//! Members of objects, and patterns.

use jaq_core::load::lex::{Tok, Token};
use jaq_core::load::parse::{BinaryOp, Pattern, Term};

use super::{ALTERNATIVE, Grammar, Parsed, binary, follows, text_term};
use crate::query::syntax::{PatternOf, TermOf};

impl<'s> Grammar<'s, '_> {
    /// Parses a member of an object.
    pub(super) fn entry(&mut self) -> Parsed<'s, (TermOf<'s>, Option<TermOf<'s>>)> {
        let key = match self.peek() {
            Some(Token(text, Tok::Block(tokens))) if text.starts_with('(') => {
                self.tokens.next();
                let key = self.block(tokens, Self::query)?;
                if is_wrong_key(&key) {
                    return Err(("a string as key", Some(text)));
                }
                self.expect(":")?;
                return Ok((key, Some(self.entry_value()?)));
            }
            Some(token @ Token("$__loc__", _)) => {
                self.tokens.next();
                return Ok((text_term("__loc__"), Some(self.location(token.0))));
            }
            Some(Token(name, Tok::Var)) => {
                self.tokens.next();
                Term::Var(*name)
            }
            Some(Token(name, Tok::Word)) if !name.contains("::") => {
                self.tokens.next();
                text_term(name)
            }
            _ => self.string("key")?,
        };
        let value = self.take(":").then(|| self.entry_value()).transpose()?;
        Ok((key, value))
    }

    fn entry_value(&mut self) -> Parsed<'s, TermOf<'s>> {
        let left = self.expression(0)?;
        if self.take("|") {
            return Ok(binary(left, BinaryOp::Pipe(None), self.entry_value()?));
        }
        Ok(left)
    }

    /// Parses a pattern, or several with `?//` between them.
    pub(super) fn patterns(&mut self) -> Parsed<'s, PatternOf<'s>> {
        let first = self.pattern()?;
        let mut all = vec![first];
        while let [Token(mark @ "?", _), Token(slashes @ "//", _), ..] = self.tokens.as_slice()
            && follows(mark, slashes)
        {
            self.tokens.nth(1);
            all.push(self.pattern()?);
        }
        if all.len() == 1 {
            return all.pop().ok_or(("pattern", None));
        }
        let marked = |pattern| (Term::Call(ALTERNATIVE, Vec::new()), pattern);
        Ok(Pattern::Obj(all.into_iter().map(marked).collect()))
    }

    fn pattern(&mut self) -> Parsed<'s, PatternOf<'s>> {
        match self.next("pattern")? {
            Token(name, Tok::Var) if *name != "$__loc__" => Ok(Pattern::Var(*name)),
            Token(text, Tok::Block(tokens)) if text.starts_with('[') => {
                let items = self.block(tokens, |inner| inner.separated(",", Self::pattern));
                Ok(Pattern::Arr(items.map_err(|(expected, found)| match expected {
                    "]" => ("comma or right bracket", found),
                    other => (other, found),
                })?))
            }
            Token(text, Tok::Block(tokens)) if text.starts_with('{') => {
                let entries = self.block(tokens, |inner| inner.separated(",", Self::pattern_entry));
                let entries = entries.map_err(|(expected, found)| match expected {
                    "}" => ("comma or right brace", found),
                    other => (other, found),
                })?;
                Ok(Pattern::Obj(entries.into_iter().flatten().collect()))
            }
            Token(found, _) => Err(("pattern", Some(found))),
        }
    }

    /// Parses a member of an object pattern. `$a: PATTERN` gives two.
    fn pattern_entry(&mut self) -> Parsed<'s, Vec<(TermOf<'s>, PatternOf<'s>)>> {
        let mut entries = Vec::new();
        let key = match self.peek() {
            Some(Token(name, Tok::Var)) if *name != "$__loc__" => {
                self.tokens.next();
                entries.push((text_term(&name[1..]), Pattern::Var(*name)));
                if !self.take(":") {
                    return Ok(entries);
                }
                entries.push((text_term(&name[1..]), self.pattern()?));
                return Ok(entries);
            }
            Some(Token(text, Tok::Block(tokens))) if text.starts_with('(') => {
                self.tokens.next();
                let key = self.block(tokens, Self::query)?;
                if is_wrong_key(&key) {
                    return Err(("a string as key", Some(text)));
                }
                key
            }
            Some(Token(name, Tok::Word)) if !name.contains("::") => {
                self.tokens.next();
                text_term(name)
            }
            _ => self.string("key")?,
        };
        self.expect(":")?;
        entries.push((key, self.pattern()?));
        Ok(entries)
    }
}

/// Returns whether a term is a constant that cannot be the key of an object.
fn is_wrong_key(key: &TermOf<'_>) -> bool {
    match key {
        Term::Num(_) | Term::Arr(None) => true,
        Term::Obj(entries) => entries.is_empty(),
        Term::Call(name, args) => args.is_empty() && matches!(*name, "true" | "false" | "null"),
        _ => false,
    }
}
