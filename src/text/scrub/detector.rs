//! The kinds of identifiers, and the form of the rules that find them.

use std::ops::Range;
use std::sync::OnceLock;

use super::pattern::RulePattern;
use super::words::Words;

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// A URL with a query, or with what looks like a secret in its path or fragment.
    Url,
    /// An email address, also one that is spoken or disguised.
    Email,
    /// The number of a payment card or of a bank account (IBAN).
    Card,
    /// A social security number, or its last four digits.
    Ssn,
    /// The number of a medical record, a member, a policy or a claim, or of an identity document.
    Record,
    /// A telephone number.
    Phone,
    /// A day.
    Date,
    /// An IP address.
    Ip,
}

impl Detector {
    /// All detectors.
    pub const ALL: &[Self] = &[
        Self::Url,
        Self::Email,
        Self::Card,
        Self::Ssn,
        Self::Record,
        Self::Phone,
        Self::Date,
        Self::Ip,
    ];

    /// Returns the name, as it appears in masks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Email => "email",
            Self::Card => "card",
            Self::Ssn => "ssn",
            Self::Record => "record",
            Self::Phone => "phone",
            Self::Date => "date",
            Self::Ip => "ip",
        }
    }
}

/// A rule that finds one form of an identifier.
pub(super) struct DetectorRule {
    pub detector: Detector,
    /// What a text must contain for the pattern to be tried.
    pub requirement: Requirement,
    /// The regular expression. Its first group, if it has one, is masked, and otherwise the match.
    pub pattern: &'static str,
    /// Whether the match must not be part of something longer, such as an id.
    pub standalone: bool,
    pub check: Check,
    /// Words of which the text must have one, which takes longer to find out than the requirement.
    pub words: Option<Words>,
    /// How the pattern is compiled.
    compile: fn(&str) -> RulePattern,
    /// The compiled pattern.
    ///
    /// The patterns are separate because the automaton of all of them exceeds its cache: a search
    /// would take ten times as long and several times the memory. Compiling one takes as long as
    /// searching some hundred texts, so it happens on first use.
    compiled: OnceLock<RulePattern>,
}

impl DetectorRule {
    /// Creates a rule whose matches are never part of something longer.
    pub const fn standalone(
        detector: Detector,
        requirement: Requirement,
        pattern: &'static str,
        check: Check,
    ) -> Self {
        Self::new((detector, requirement), pattern, true, check, RulePattern::starts)
    }

    /// Creates a rule whose pattern alone decides where a match begins and ends.
    pub const fn anywhere(
        detector: Detector,
        requirement: Requirement,
        pattern: &'static str,
        check: Check,
    ) -> Self {
        Self::new((detector, requirement), pattern, false, check, RulePattern::starts)
    }

    /// Like [`anywhere`](Self::anywhere), for a pattern that begins with a repetition without a
    /// bound, so that trying each place where a match may begin would take too long.
    pub const fn unbounded(
        detector: Detector,
        requirement: Requirement,
        pattern: &'static str,
        check: Check,
    ) -> Self {
        Self::new((detector, requirement), pattern, false, check, RulePattern::whole)
    }

    const fn new(
        (detector, requirement): (Detector, Requirement),
        pattern: &'static str,
        standalone: bool,
        check: Check,
        compile: fn(&str) -> RulePattern,
    ) -> Self {
        Self {
            detector,
            requirement,
            pattern,
            standalone,
            check,
            words: None,
            compile,
            compiled: OnceLock::new(),
        }
    }

    /// Adds words of which the text must have one.
    pub const fn with(mut self, words: Words) -> Self {
        self.words = Some(words);
        self
    }

    pub fn compiled(&self) -> &RulePattern {
        self.compiled.get_or_init(|| (self.compile)(self.pattern))
    }
}

/// Whether the text that a pattern matches is such an identifier.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    Always,
    If(fn(&RuleMatch<'_>) -> bool),
    /// Like `If`, and no part of a match that is rejected is tried.
    IfAll(fn(&RuleMatch<'_>) -> bool),
    /// Returns how much of the match belongs to the identifier.
    Length(fn(&RuleMatch<'_>) -> Option<usize>),
}

impl Check {
    /// Returns the length of the identifier at the beginning of a match.
    pub fn length(self, candidate: &RuleMatch<'_>) -> Option<usize> {
        match self {
            Self::Always => Some(candidate.span.len()),
            Self::If(accepts) | Self::IfAll(accepts) => {
                accepts(candidate).then_some(candidate.span.len())
            }
            Self::Length(length) => length(candidate),
        }
    }
}

/// A match of a pattern, in its text.
#[derive(Debug)]
pub(super) struct RuleMatch<'t> {
    pub text: &'t str,
    pub span: Range<usize>,
}

impl<'t> RuleMatch<'t> {
    pub fn matched(&self) -> &'t str {
        &self.text[self.span.clone()]
    }

    /// Returns the digits of the match.
    pub fn digits(&self) -> impl DoubleEndedIterator<Item = u8> + 't {
        self.matched().bytes().filter(u8::is_ascii_digit)
    }

    pub fn digit_count(&self) -> usize {
        self.digits().count()
    }

    /// Returns up to `length` bytes of the text before the match.
    pub fn before(&self, length: usize) -> &'t str {
        let start = floor_boundary(self.text, self.span.start.saturating_sub(length));
        &self.text[start..self.span.start]
    }

    /// Returns the match with up to `length` bytes of the text on each side.
    pub fn around(&self, length: usize) -> &'t str {
        let start = floor_boundary(self.text, self.span.start.saturating_sub(length));
        &self.text[start..floor_boundary(self.text, self.span.end.saturating_add(length))]
    }
}

/// Returns the last boundary between characters that is not beyond `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What a text must contain for a rule to match in it. It is quick to check.
#[derive(Debug, Clone, Copy)]
pub(super) enum Requirement {
    /// Digits.
    Digits(DigitCount),
    /// Digits, and one of these texts in lower case: a character right before a digit, or two or
    /// three bytes anywhere, such as the beginning of a word; [`ZERO`] is a word.
    With(DigitCount, &'static [&'static str]),
    /// Digits, and, not far before a digit, one of these texts of two or three bytes in lower case.
    After(DigitCount, &'static [&'static str]),
    /// A digit and a colon.
    Colon,
    /// An `@`.
    At,
    /// A `?` with a character right after it that is not white space, unlike in prose.
    Query,
    /// A `/` in a text that has a host name or a scheme.
    Path,
    /// The words or brackets of an address that is spoken or disguised, or an `@`.
    Spoken,
}

/// A text that [`Requirement::With`] takes for the word for a zero: `o` or `oh`.
pub(super) const ZERO: &str = "oh";

/// How many digits a text must contain, and what can be between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct DigitCount {
    pub min: usize,
    pub gap: DigitGap,
}

/// What can be between the digits of a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum DigitGap {
    /// Anything.
    Any,
    /// Punctuation and words, but no letter right before a digit.
    Words,
    /// Punctuation, and the letters that stand for digits.
    Close,
    /// Anything, but there is something between any two digits.
    Single,
}

impl DigitGap {
    /// The number of variants.
    pub const COUNT: usize = 4;
}

impl DigitCount {
    /// At least `min` digits.
    pub const fn any(min: usize) -> Self {
        Self { min, gap: DigitGap::Any }
    }

    /// At least `min` digits that only punctuation and words separate.
    pub const fn words(min: usize) -> Self {
        Self { min, gap: DigitGap::Words }
    }

    /// At least `min` digits that only punctuation, and letters in place of digits, separate.
    pub const fn close(min: usize) -> Self {
        Self { min, gap: DigitGap::Close }
    }

    /// At least `min` digits without another digit beside them.
    pub const fn single(min: usize) -> Self {
        Self { min, gap: DigitGap::Single }
    }
}
