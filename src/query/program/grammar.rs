//! The grammar of jq: from tokens to the syntax tree.
//!
//! The tokens and the tree are those of jaq. Its parser is not used, because it reads some programs
//! in another way than jq 1.8 (`1 < 2 < 3`, `1 + 2 as $x | …`) and others not at all (`?//`,
//! `{$a: [$b]}`, `$__loc__`).

use std::slice::Iter;

use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::{Opt, Part, Path};

/// What the grammar wants, and the token that it finds; `None` at the end of the program.
pub(super) type SyntaxError<'s> = (&'static str, Option<&'s str>);

type Parsed<'s, T> = Result<T, SyntaxError<'s>>;
type TermOf<'s> = Term<&'s str>;
type PatternOf<'s> = Pattern<&'s str>;

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

    /// Parses a term with the keys, indices and `?` after it.
    fn postfix(&mut self) -> Parsed<'s, TermOf<'s>> {
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

    fn term(&mut self) -> Parsed<'s, TermOf<'s>> {
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
    fn location(&self, token: &'s str) -> TermOf<'s> {
        let end = token.as_ptr().addr() - self.source.as_ptr().addr();
        let line = 1 + self.source[..end].matches('\n').count();
        Term::Obj(vec![
            (text_term("file"), Some(text_term("<top-level>"))),
            (text_term("line"), Some(number_term(line))),
        ])
    }

    fn string(&mut self, expected: &'static str) -> Parsed<'s, TermOf<'s>> {
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

    /// Parses a member of an object.
    fn entry(&mut self) -> Parsed<'s, (TermOf<'s>, Option<TermOf<'s>>)> {
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
    fn patterns(&mut self) -> Parsed<'s, PatternOf<'s>> {
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

fn binary<'s>(left: TermOf<'s>, op: BinaryOp<&'s str>, right: TermOf<'s>) -> TermOf<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

fn text_term(text: &str) -> TermOf<'_> {
    Term::Str(None, vec![StrPart::Str(text)])
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

/// Returns whether the second token begins where the first ends.
fn follows(first: &str, second: &str) -> bool {
    first.as_ptr().addr() + first.len() == second.as_ptr().addr()
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
    let is_called = |arg: &str| arg.starts_with('$') && super::desugar::calls(&body, &arg[1..]);
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
