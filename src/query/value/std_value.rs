//! What jaq's standard library needs to know about values. evtap uses its mathematical functions and
//! its functions for dates.

use super::jq_value::JqValue;

impl jaq_std::ValT for JqValue {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::Array(items) => Ok(items.iter().cloned().collect()),
            value => Err(value),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Self::Number(number) if number.float().fract() == 0.0)
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "it is an integer, and saturates")]
            Self::Number(number) if number.float().fract() == 0.0 => Some(number.float() as isize),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.float()),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.as_text().map(str::as_bytes)
    }

    fn as_sub_str(&self, sub: &[u8]) -> Self {
        Self::text(String::from_utf8_lossy(sub))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(String::from_utf8_lossy(bytes.as_ref()))
    }
}
