//! Numbers as jq 1.8 has them: 64-bit floating point, except that a number that was read keeps its
//! decimal digits until something is calculated with it.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use super::budget::HeldBytes;

/// The most decimal digits that jq uses to convert a number to floating point.
const DOUBLE_DIGITS: usize = 17;

/// A number.
#[derive(Debug, Clone)]
pub enum Number {
    /// A calculated number.
    Float(f64),
    /// A number that was read, whose text is the one that is written for the float.
    Exact(f64),
    /// A number that was read, with more digits, or other ones, than the float has.
    Literal(Arc<Literal>),
}

/// The digits of a number that was read.
#[derive(Debug)]
pub struct Literal {
    float: f64,
    /// The canonical text, such as `1.00` or `1E+1000`.
    text: Box<str>,
    _held: HeldBytes,
}

/// A decimal number: the digits without leading zeros, and the exponent of the last one.
struct Decimal<'t> {
    is_negative: bool,
    digits: std::borrow::Cow<'t, str>,
    exponent: i64,
}

impl Number {
    /// Reads a decimal number: digits with an optional sign, point and exponent. JSON numbers are a
    /// subset. Also accepts `nan` and `infinity`, as jq does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() < 16
            && let Ok(integer) = text.parse::<i64>()
            && !text.starts_with("-0")
        {
            #[expect(clippy::cast_precision_loss, reason = "15 digits are exact")]
            return Some(Self::Exact(integer as f64));
        }
        if let Some(float) = short_decimal(text) {
            return Some(Self::Exact(float));
        }
        let Some(decimal) = Decimal::parse(text) else {
            let (sign, word) = match text.strip_prefix('-') {
                Some(word) => (-1.0, word),
                None => (1.0, text.strip_prefix('+').unwrap_or(text)),
            };
            return if word.eq_ignore_ascii_case("nan") {
                Some(Self::Float(f64::NAN))
            } else if word.eq_ignore_ascii_case("infinity") || word.eq_ignore_ascii_case("inf") {
                Some(Self::Float(f64::INFINITY * sign))
            } else {
                None
            };
        };
        let float = decimal.float();
        let canonical = decimal.text();
        let mut written = Vec::new();
        write_float(float, &mut written);
        Some(if written == canonical.as_bytes() {
            Self::Exact(float)
        } else {
            let held = HeldBytes::new(size_of::<Literal>() + canonical.len());
            Self::Literal(Arc::new(Literal { float, text: canonical.into(), _held: held }))
        })
    }

    /// Returns the nearest float.
    #[must_use]
    pub fn float(&self) -> f64 {
        match self {
            Self::Float(float) | Self::Exact(float) => *float,
            Self::Literal(literal) => literal.float,
        }
    }

    /// Returns whether it is not a number.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        self.float().is_nan()
    }

    /// Appends the number as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Float(float) | Self::Exact(float) => write_float(*float, out),
            Self::Literal(literal) => out.extend_from_slice(literal.text.as_bytes()),
        }
    }

    /// Returns the number with the other sign. Digits that were read are kept.
    #[must_use]
    pub fn negated(&self) -> Self {
        match self {
            Self::Float(float) => Self::Float(-float),
            // jq negates in decimal arithmetic, which has no negative zero.
            Self::Exact(float) => Self::Exact(if *float == 0.0 { 0.0 } else { -float }),
            Self::Literal(literal) => {
                let text = match literal.text.strip_prefix('-') {
                    Some(text) => text.to_owned(),
                    None if literal.float == 0.0
                        && !literal.text.contains(|digit: char| matches!(digit, '1'..='9')) =>
                    {
                        literal.text.to_string()
                    }
                    None => format!("-{}", literal.text),
                };
                Self::parse(&text).unwrap_or(Self::Float(-literal.float))
            }
        }
    }

    /// Returns the absolute value. Digits that were read are kept.
    #[must_use]
    pub fn abs(&self) -> Self {
        let is_negative = match self {
            Self::Float(float) => return Self::Float(float.abs()),
            Self::Exact(float) => float.is_sign_negative(),
            Self::Literal(literal) => literal.text.starts_with('-'),
        };
        if is_negative { self.negated() } else { self.clone() }
    }

    /// Returns the size in bytes, for the cost of reading it.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Float(_) | Self::Exact(_) => 8,
            Self::Literal(literal) => literal.text.len() as u64,
        }
    }

    /// Compares two numbers in the order of jq: `nan` is less than any number, itself included.
    /// Numbers that were both read are compared with all digits.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Literal(left), right @ (Self::Literal(_) | Self::Exact(_))) => {
                compare_text(&left.text, &right.text())
            }
            (left @ Self::Exact(_), Self::Literal(right)) => {
                compare_text(&left.text(), &right.text)
            }
            (left, right) => {
                let (left, right) = (left.float(), right.float());
                left.partial_cmp(&right).unwrap_or(if left.is_nan() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                })
            }
        }
    }

    /// Returns the number as JSON.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        self.write(&mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "up to 2^53 it is exact")]
        if integer.unsigned_abs() <= 1 << 53 {
            Self::Exact(integer as f64)
        } else {
            Self::parse(&integer.to_string()).unwrap_or(Self::Float(integer as f64))
        }
    }
}

/// Returns the number that a text such as `12.5` is, if its digits are the ones that are written for
/// the float.
///
/// No two decimals of up to 15 digits are the same float, so none is shorter.
fn short_decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').filter(|_| text.len() <= 16)?;
    let is_written_so = match whole.as_bytes() {
        [] => false,
        [b'0'] => !fraction.starts_with("0000"),
        [first, ..] => *first != b'0',
    };
    let has_digits_only = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_written_so || !has_digits_only || matches!(fraction.as_bytes(), [] | [.., b'0']) {
        return None;
    }
    text.parse().ok()
}

fn compare_text(left: &str, right: &str) -> Ordering {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(&right),
        _ => left.cmp(right),
    }
}

impl<'t> Decimal<'t> {
    /// Reads digits with an optional sign, point and exponent.
    fn parse(text: &'t str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let size = digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
                (mantissa, if exponent.starts_with('-') { -size } else { size })
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty()
            || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let digits = if fraction.is_empty() {
            std::borrow::Cow::Borrowed(whole.trim_start_matches('0'))
        } else {
            let all = [whole, fraction].concat();
            std::borrow::Cow::Owned(all.trim_start_matches('0').to_owned())
        };
        let exponent = exponent - fraction.len().cast_signed() as i64;
        Some(Self { is_negative, digits, exponent })
    }

    fn is_zero(&self) -> bool {
        self.digits.bytes().all(|digit| digit == b'0')
    }

    /// Returns the exponent in scientific notation.
    fn adjusted_exponent(&self) -> i64 {
        self.exponent + (self.digits.len().max(1) - 1).cast_signed() as i64
    }

    /// Returns the nearest float of the first [`DOUBLE_DIGITS`] digits, as jq does.
    fn float(&self) -> f64 {
        let (mut digits, mut exponent) = (self.digits.to_string(), self.exponent);
        if digits.len() > DOUBLE_DIGITS {
            let rest = digits.split_off(DOUBLE_DIGITS);
            exponent += rest.len().cast_signed() as i64;
            let is_odd = (digits.as_bytes()[DOUBLE_DIGITS - 1] - b'0') % 2 == 1;
            let half = rest.as_bytes()[0].cmp(&b'5').then_with(|| {
                if rest[1..].bytes().all(|digit| digit == b'0') {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                }
            });
            if half == Ordering::Greater || half == Ordering::Equal && is_odd {
                let rounded = digits.parse::<u64>().unwrap_or(0) + 1;
                digits = rounded.to_string();
            }
        }
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{digits}e{exponent}")
            .parse()
            .unwrap_or(0.0 * if self.is_negative { -1.0 } else { 1.0 })
    }

    /// Returns the canonical text, which is what jq writes.
    fn text(&self) -> String {
        let digits = if self.digits.is_empty() { "0" } else { &*self.digits };
        let mut text = String::with_capacity(digits.len() + 8);
        if self.is_negative {
            text.push('-');
        }
        let adjusted = self.exponent + (digits.len() - 1).cast_signed() as i64;
        if self.exponent <= 0 && adjusted >= -6 {
            let point = usize::try_from(-self.exponent).unwrap_or(0);
            if point == 0 {
                text.push_str(digits);
            } else if digits.len() > point {
                text.push_str(&digits[..digits.len() - point]);
                text.push('.');
                text.push_str(&digits[digits.len() - point..]);
            } else {
                text.push_str("0.");
                text.extend(std::iter::repeat_n('0', point - digits.len()));
                text.push_str(digits);
            }
        } else {
            text.push_str(&digits[..1]);
            if digits.len() > 1 {
                text.push('.');
                text.push_str(&digits[1..]);
            }
            let _ = write!(text, "E{adjusted:+}");
        }
        text
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) if other.is_negative => return Ordering::Greater,
            (true, false) => return Ordering::Less,
            (false, true) if self.is_negative => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        match (self.is_negative, other.is_negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (is_negative, _) => {
                let size =
                    self.adjusted_exponent().cmp(&other.adjusted_exponent()).then_with(|| {
                        let trimmed =
                            |decimal: &Self| decimal.digits.trim_end_matches('0').to_owned();
                        trimmed(self).cmp(&trimmed(other))
                    });
                if is_negative { size.reverse() } else { size }
            }
        }
    }
}

/// Appends a float as jq writes it: with the fewest digits that identify it, `nan` as null, and the
/// infinities as the largest finite numbers.
pub fn write_float(float: f64, out: &mut Vec<u8>) {
    if float.is_nan() {
        out.extend_from_slice(b"null");
        return;
    }
    let finite = float.clamp(f64::MIN, f64::MAX);
    if finite.fract() == 0.0 && finite.abs() < 1e15 {
        if finite == 0.0 && finite.is_sign_negative() {
            out.push(b'-');
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is a small integer")]
        let _ = write!(out, "{}", finite as i64);
        return;
    }
    let scientific = format!("{finite:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let length = digits.len();
    // The number is 0.DIGITS times ten to the power of `point`.
    let point = exponent + 1;
    out.extend_from_slice(sign.as_bytes());
    let past = usize::try_from(point).unwrap_or(0);
    if point <= -4 || past > length + 15 {
        out.extend_from_slice(mantissa.as_bytes());
        let _ = write!(out, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
        out.extend_from_slice(&digits);
    } else if past >= length {
        out.extend_from_slice(&digits);
        out.extend(std::iter::repeat_n(b'0', past - length));
    } else {
        out.extend_from_slice(&digits[..past]);
        out.push(b'.');
        out.extend_from_slice(&digits[past..]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        Number::parse(text).expect("a number").text()
    }

    #[test]
    fn numbers_that_were_read_keep_their_digits() {
        for (text, expected) in [
            ("1e17", "1E+17"),
            ("1e1000", "1E+1000"),
            ("-1e1000", "-1E+1000"),
            ("100e-2", "1.00"),
            ("-0", "-0"),
            ("3.0", "3.0"),
            ("1e-5", "0.00001"),
            ("1e-7", "1E-7"),
            ("12e-10", "1.2E-9"),
            ("1E2", "1E+2"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.0e-400", "1.0E-400"),
            ("0.0000", "0.0000"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+5", "5"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in ["", "-", "1e", "0x1", " 1", "1 ", "1e+-5", ".", "1.2.3", "nano", "1_000"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn calculated_numbers_have_the_fewest_digits() {
        for (float, expected) in [
            (1e17, "1e+17"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000"),
            (1e-5, "1e-05"),
            (1e-4, "0.0001"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789_012_345_680_000_000_000_000.0, "123456789012345680000000000000"),
            (12_345_678_901_234_567_000.0, "12345678901234567000"),
            (f64::INFINITY, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (-1.5, "-1.5"),
            (-0.0, "-0"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(Number::Float(float).text(), expected);
        }
    }

    proptest! {
        #[test]
        fn short_decimals_are_read_like_long_ones(text in "-?(0|[1-9][0-9]{0,8}|0[0-9]?)[.][0-9]{0,12}") {
            let decimal = Decimal::parse(&text).expect("a number");
            let number = Number::parse(&text).expect("a number");
            prop_assert_eq!(number.text(), decimal.text());
            prop_assert_eq!(number.float().to_bits(), decimal.float().to_bits());
            let written = Number::Float(number.float()).text();
            prop_assert_eq!(matches!(number, Number::Exact(_)), written == decimal.text());
        }
    }

    #[test]
    fn numbers_that_were_read_are_compared_with_all_digits() {
        let number = |text| Number::parse(text).expect("a number");
        let big = "100000000000000000000000001";
        assert_eq!(number(big).compare(&number("100000000000000000000000002")), Ordering::Less);
        assert_eq!(number("1").compare(&number("1.000")), Ordering::Equal);
        assert_eq!(number("-0").compare(&number("0")), Ordering::Equal);
        assert_eq!(number(big).compare(&Number::Float(1e26)), Ordering::Equal);
        assert_eq!(number("-1e1000").compare(&number("1e-1000")), Ordering::Less);
        assert_eq!(number(big).negated().text(), format!("-{big}"));
        assert_eq!(number("-1.50").abs().text(), "1.50");
    }
}
