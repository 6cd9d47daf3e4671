//! The grammar of jq: from tokens to the syntax tree.
//!
//! The tokens and the tree are those of jaq. Its parser is not used, because it reads some programs
//! in another way than jq 1.8 (`1 < 2 < 3`, `1 + 2 as $x | …`) and others not at all (`?//`,
//! `{$a: [$b]}`, `$__loc__`).

mod object;
mod term;

use std::slice::Iter;

use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::{Cmp, Math};

use crate::query::syntax::{TermOf, calls};

/// What the grammar wants, and the token that it finds; `None` at the end of the program.
pub(super) type SyntaxError<'s> = (&'static str, Option<&'s str>);

type Parsed<'s, T> = Result<T, SyntaxError<'s>>;

/// The key that marks an object pattern whose values are the alternatives of `?//`.
pub(super) const ALTERNATIVE: &str = "evtap_alternative";

/// The words that cannot name a filter.
const KEYWORDS: &[&str] = &[
    "as", "import", "include", "module", "def", "if", "then", "else", "elif", "and", "or", "end",
    "reduce", "foreach", "try", "catch", "label", "break", "__loc__",
];

/// How an operator associates with operators of the same precedence.
#[derive(PartialEq, Eq)]
enum Associativity {
    Left,
    Right,
    /// Such operators do not follow each other.
    None,
}

/// Returns the precedence and associativity of an operator within an expression.
fn operator<'s>(symbol: &str) -> Option<(u8, Associativity, BinaryOp<&'s str>)> {
    use Associativity::{Left, None, Right};
    Some(match symbol {
        "//" => (1, Right, BinaryOp::Alt),
        "=" => (2, None, BinaryOp::Assign),
        "|=" => (2, None, BinaryOp::Update),
        "+=" => (2, None, BinaryOp::UpdateMath(Math::Add)),
        "-=" => (2, None, BinaryOp::UpdateMath(Math::Sub)),
        "*=" => (2, None, BinaryOp::UpdateMath(Math::Mul)),
        "/=" => (2, None, BinaryOp::UpdateMath(Math::Div)),
        "%=" => (2, None, BinaryOp::UpdateMath(Math::Rem)),
        "//=" => (2, None, BinaryOp::UpdateAlt),
        "or" => (3, Left, BinaryOp::Or),
        "and" => (4, Left, BinaryOp::And),
        "==" => (5, None, BinaryOp::Cmp(Cmp::Eq)),
        "!=" => (5, None, BinaryOp::Cmp(Cmp::Ne)),
        "<" => (5, None, BinaryOp::Cmp(Cmp::Lt)),
        ">" => (5, None, BinaryOp::Cmp(Cmp::Gt)),
        "<=" => (5, None, BinaryOp::Cmp(Cmp::Le)),
        ">=" => (5, None, BinaryOp::Cmp(Cmp::Ge)),
        "+" => (6, Left, BinaryOp::Math(Math::Add)),
        "-" => (6, Left, BinaryOp::Math(Math::Sub)),
        "*" => (7, Left, BinaryOp::Math(Math::Mul)),
        "/" => (7, Left, BinaryOp::Math(Math::Div)),
        "%" => (7, Left, BinaryOp::Math(Math::Rem)),
        _ => return Option::None,
    })
}

/// A parser for the tokens of a program or of a block in it.
pub(super) struct Grammar<'s, 't> {
    source: &'s str,
    tokens: Iter<'t, Token<&'s str>>,
}

impl<'s, 't> Grammar<'s, 't> {
    /// Parses the tokens of `source`.
    pub(super) fn parse(
        source: &'s str,
        tokens: &'t [Token<&'s str>],
    ) -> Result<TermOf<'s>, SyntaxError<'s>> {
        Self { source, tokens: tokens.iter() }.whole(Self::query)
    }

    /// Parses the tokens of definitions.
    pub(super) fn parse_definitions(
        source: &'s str,
        tokens: &'t [Token<&'s str>],
    ) -> Result<Vec<Def<&'s str>>, SyntaxError<'s>> {
        Self { source, tokens: tokens.iter() }.whole(Self::definitions)
    }

    fn whole<T>(mut self, parse: impl FnOnce(&mut Self) -> Parsed<'s, T>) -> Parsed<'s, T> {
        let parsed = parse(&mut self)?;
        match self.tokens.next() {
            None => Ok(parsed),
            Some(token) => Err(("the end", Some(token.0))),
        }
    }

    /// Parses the content of a block, without its closing token.
    fn block<T>(
        &self,
        tokens: &'t [Token<&'s str>],
        parse: impl FnOnce(&mut Self) -> Parsed<'s, T>,
    ) -> Parsed<'s, T> {
        let (last, content) = tokens.split_last().ok_or(("term", None))?;
        let mut inner = Self { source: self.source, tokens: content.iter() };
        let at_end = |(expected, found): SyntaxError<'s>| (expected, found.or(Some(last.0)));
        let parsed = parse(&mut inner).map_err(at_end)?;
        match inner.tokens.next() {
            None => Ok(parsed),
            Some(token) => Err((closing(last.0), Some(token.0))),
        }
    }

    fn peek(&self) -> Option<&'t Token<&'s str>> {
        self.tokens.as_slice().first()
    }

    fn peek_text(&self) -> &'s str {
        self.peek().map_or("", |token| token.0)
    }

    fn next(&mut self, expected: &'static str) -> Parsed<'s, &'t Token<&'s str>> {
        self.tokens.next().ok_or((expected, None))
    }

    /// Takes the next token if it has this text.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.0 == text);
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    fn expect(&mut self, text: &'static str) -> Parsed<'s, ()> {
        if self.take(text) { Ok(()) } else { self.missing(text) }
    }

    fn missing<T>(&self, expected: &'static str) -> Parsed<'s, T> {
        Err((expected, self.peek().map(|token| token.0)))
    }

    fn variable(&mut self) -> Parsed<'s, &'s str> {
        match self.next("variable")? {
            Token(name, Tok::Var) if *name != "$__loc__" => Ok(name),
            Token(found, _) => Err(("variable", Some(found))),
        }
    }

    fn query(&mut self) -> Parsed<'s, TermOf<'s>> {
        let mut left = self.query_item()?;
        while self.take(",") {
            left = binary(left, BinaryOp::Comma, self.query_item()?);
        }
        if self.take("|") {
            return Ok(binary(left, BinaryOp::Pipe(None), self.query()?));
        }
        Ok(left)
    }

    /// Parses an operand of `,` and `|`. Definitions, labels and bindings extend as far as possible.
    fn query_item(&mut self) -> Parsed<'s, TermOf<'s>> {
        match self.peek_text() {
            "def" => {
                let definitions = self.definitions()?;
                Ok(Term::Def(definitions, Box::new(self.query()?)))
            }
            "label" => {
                self.tokens.next();
                let label = self.variable()?;
                self.expect("|")?;
                Ok(Term::Label(label, Box::new(self.query()?)))
            }
            _ => {
                let value = self.expression(0)?;
                if !self.take("as") {
                    return Ok(value);
                }
                let pattern = self.patterns()?;
                self.expect("|")?;
                Ok(binary(value, BinaryOp::Pipe(Some(pattern)), self.query()?))
            }
        }
    }

    fn definitions(&mut self) -> Parsed<'s, Vec<Def<&'s str>>> {
        let mut definitions = Vec::new();
        while self.take("def") {
            definitions.push(self.definition()?);
        }
        Ok(definitions)
    }

    fn definition(&mut self) -> Parsed<'s, Def<&'s str>> {
        let name = match self.next("identifier")? {
            Token(name, Tok::Word) if !KEYWORDS.contains(name) && !name.contains("::") => *name,
            // Formats are defined in the prelude.
            Token(name, Tok::Fmt) => *name,
            Token(found, _) => return Err(("identifier", Some(found))),
        };
        let args = self.arguments(|inner| match inner.next("argument")? {
            Token(name, Tok::Word) if !KEYWORDS.contains(name) => Ok(*name),
            Token(name, Tok::Var) if *name != "$__loc__" => Ok(*name),
            Token(found, _) => Err(("argument", Some(found))),
        })?;
        self.expect(":")?;
        let body = self.query()?;
        self.expect(";")?;
        Ok(with_value_arguments(name, args, body))
    }

    /// Parses the block of arguments that may follow a name.
    fn arguments<T>(
        &mut self,
        mut parse: impl FnMut(&mut Self) -> Parsed<'s, T>,
    ) -> Parsed<'s, Vec<T>> {
        let Some(Token(text, Tok::Block(tokens))) = self.peek() else { return Ok(Vec::new()) };
        if !text.starts_with('(') {
            return Ok(Vec::new());
        }
        self.tokens.next();
        self.block(tokens, |inner| inner.separated(";", &mut parse)).map_err(|(expected, found)| {
            match expected {
                ")" => ("semicolon or right parenthesis", found),
                other => (other, found),
            }
        })
    }

    fn separated<T>(
        &mut self,
        separator: &str,
        mut parse: impl FnMut(&mut Self) -> Parsed<'s, T>,
    ) -> Parsed<'s, Vec<T>> {
        let mut all = vec![parse(self)?];
        while self.take(separator) {
            all.push(parse(self)?);
        }
        Ok(all)
    }

    /// Parses terms between operators of at least `lowest` precedence.
    fn expression(&mut self, lowest: u8) -> Parsed<'s, TermOf<'s>> {
        let mut left = self.postfix()?;
        let mut last_without_order = 0;
        while let Some(Token(symbol, Tok::Sym | Tok::Word)) = self.peek() {
            let Some((precedence, associativity, op)) = operator(symbol) else { break };
            if precedence < lowest {
                break;
            }
            if precedence == last_without_order {
                return self.missing("the end");
            }
            self.tokens.next();
            let right_lowest = precedence + u8::from(associativity != Associativity::Right);
            let right = self.expression(right_lowest)?;
            last_without_order = if associativity == Associativity::None { precedence } else { 0 };
            left = binary(left, op, right);
        }
        Ok(left)
    }
}

fn binary<'s>(left: TermOf<'s>, op: BinaryOp<&'s str>, right: TermOf<'s>) -> TermOf<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

fn text_term(text: &str) -> TermOf<'_> {
    Term::Str(None, vec![StrPart::Str(text)])
}

/// Returns whether the second token begins where the first ends.
fn follows(first: &str, second: &str) -> bool {
    first.as_ptr().addr() + first.len() == second.as_ptr().addr()
}

fn closing(token: &str) -> &'static str {
    match token {
        ")" => ")",
        "]" => "]",
        _ => "}",
    }
}

/// Returns a definition. An argument `$a` can also be called as `a`, which gives all its values: in
/// this case it becomes `def f(a): a as $a | …`.
fn with_value_arguments<'s>(name: &'s str, args: Vec<&'s str>, body: TermOf<'s>) -> Def<&'s str> {
    let is_called = |arg: &str| arg.starts_with('$') && calls(&body, &arg[1..]);
    if !args.iter().any(|arg| is_called(arg)) {
        return Def { name, args, body };
    }
    let plain = args.iter().map(|arg| arg.trim_start_matches('$')).collect();
    let body = args.iter().rev().filter(|arg| arg.starts_with('$')).fold(body, |body, arg| {
        let value = Term::Call(&arg[1..], Vec::new());
        binary(value, BinaryOp::Pipe(Some(Pattern::Var(*arg))), body)
    });
    Def { name, args: plain, body }
}
