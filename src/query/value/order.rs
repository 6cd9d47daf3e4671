//! Equality and the order of values.

use std::cmp::Ordering;

use super::budget;
use super::jq_value::JqValue;

impl JqValue {
    /// Returns the position of the type in jq's order.
    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Number(_) => 3,
            Self::Text(_) => 4,
            Self::Array(_) => 5,
            Self::Object(_) => 6,
        }
    }

    /// Compares two values in the order of jq; `nan` compares with itself as given. Objects are
    /// compared by their sorted keys first, then by their values.
    fn compare(&self, other: &Self, nan_with_nan: Ordering) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => {
                if left.is_nan() && right.is_nan() {
                    nan_with_nan
                } else {
                    left.compare(right)
                }
            }
            (Self::Text(left), Self::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Self::Array(left), Self::Array(right)) => {
                let pairs = left.iter().zip(right.iter());
                first_difference(pairs.map(|(left, right)| left.compare(right, nan_with_nan)))
                    .then_with(|| left.len().cmp(&right.len()))
            }
            (Self::Object(left), Self::Object(right)) => {
                let (left, right) = (left.sorted(), right.sorted());
                let keys = left.iter().map(|(key, _)| key.as_bytes());
                keys.cmp(right.iter().map(|(key, _)| key.as_bytes())).then_with(|| {
                    let values = left.iter().zip(&right);
                    first_difference(values.map(|((_, l), (_, r))| l.compare(r, nan_with_nan)))
                })
            }
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }

    /// Compares for sorting, with a total order. The caller pays for it.
    #[must_use]
    pub fn sort_order(&self, other: &Self) -> Ordering {
        self.compare(other, Ordering::Equal)
    }

    /// Returns whether two values are equal. The caller pays for it.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => {
                !left.is_nan() && left.compare(right).is_eq()
            }
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Array(left), Self::Array(right)) => {
                left.len() == right.len()
                    && (std::ptr::eq(&raw const **left, &raw const **right)
                        || left.iter().zip(right.iter()).all(|(left, right)| left.equals(right)))
            }
            (Self::Object(left), Self::Object(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, left)| right.get(key).is_some_and(|right| left.equals(right)))
            }
            (left, right) => left.rank() == right.rank(),
        }
    }

    /// Pays for a comparison. Returns whether the evaluation may go on.
    fn pay_to_compare(&self, other: &Self) -> bool {
        budget::pay(self.weight().min(other.weight()))
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl PartialEq for JqValue {
    fn eq(&self, other: &Self) -> bool {
        self.pay_to_compare(other) && self.equals(other)
    }
}

impl Eq for JqValue {}

#[expect(clippy::non_canonical_partial_ord_impl, reason = "jq's `<` is not a total order")]
impl PartialOrd for JqValue {
    /// Compares as jq's `<` does, for which `nan` is less than itself.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.pay_to_compare(other).then(|| self.compare(other, Ordering::Less))
    }
}

impl Ord for JqValue {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.pay_to_compare(other) { self.sort_order(other) } else { Ordering::Equal }
    }
}
