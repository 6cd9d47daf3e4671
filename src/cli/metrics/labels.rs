//! Labels whose values are bounded in number and in bytes.
//!
//! Most values are names of the model. Text from the stream becomes a value only through
//! [`LabelNames`]. Whatever is hidden, unknown or beyond the bounds counts under [`OTHER`].

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::analysis::stats::tally::Tally;
use crate::model::name::is_name;
use crate::redact::RedactedField;

/// The value that stands for all others.
pub const OTHER: &str = "other";

/// Labels whose values are names of the model.
pub type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Labels with values from the stream.
pub type OwnedLabels<const N: usize> = [(&'static str, String); N];

/// Counters by the value of a label. All of them exist from the beginning, so that the first event
/// of each is an increase.
#[derive(Debug)]
pub struct KnownCounters {
    values: &'static [&'static str],
    /// A counter for each value, and one for all others.
    counters: Vec<Counter>,
}

impl KnownCounters {
    /// Creates a counter for each value, and one for all others, in a family.
    pub fn new<const N: usize>(
        family: &Family<Labels<N>, Counter>,
        values: &'static [&'static str],
        labels: impl Fn(&'static str) -> Labels<N>,
    ) -> Self {
        let values_and_other = values.iter().copied().chain([OTHER]);
        let counters =
            values_and_other.map(|value| family.get_or_create_owned(&labels(value))).collect();
        Self { values, counters }
    }

    /// Counts an event with this value of the label.
    pub fn count(&self, value: Option<&str>) {
        let at = value.and_then(|value| self.values.iter().position(|known| *known == value));
        self.counters[at.unwrap_or(self.values.len())].inc();
    }
}

/// The names from the stream that are values of a label.
#[derive(Debug)]
pub struct LabelNames(Tally<()>);

impl LabelNames {
    /// Creates a set of at most `limit` names.
    pub const fn new(limit: usize) -> Self {
        Self(Tally::new(limit))
    }

    /// Returns the value of the label for a field. A name of at most 64 bytes that looks like an
    /// identifier of a program stands for itself.
    pub fn value(&mut self, field: Option<RedactedField<'_>>) -> String {
        let name = field.filter(|field| !field.hidden).and_then(|field| field.text());
        name.map_or_else(|| OTHER.to_owned(), |name| self.value_of(&name))
    }

    /// Returns the value of the label for a name.
    pub fn value_of(&mut self, name: &str) -> String {
        if !is_name(name) || (self.0.room() == 0 && self.0.get(name).is_none()) {
            return OTHER.to_owned();
        }
        self.0.entry(name);
        name.to_owned()
    }
}
