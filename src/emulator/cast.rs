//! The people and things of the emulated clinic: patients, services, operators, forms. All are
//! drawn from the seed.
//!
//! Everybody is fictional: telephone numbers are from 555-0100 to 555-0199, which are reserved for
//! fiction, email domains are example.com and example.org (RFC 2606), and the names are invented.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

pub const GIVEN: &[&str] = &[
    "Wrenna", "Teodric", "Ondine", "Jasko", "Brindle", "Isaura", "Torvin", "Calloway", "Maribeth",
    "Odalric", "Sunniva", "Perrin",
];
pub const FAMILY: &[&str] = &[
    "Fennimoor",
    "Oakhallow",
    "Brackenfield",
    "Quillsby",
    "Larkmere",
    "Thistledown",
    "Averdeen",
    "Sandmarsh",
    "Pellworth",
    "Duskwell",
    "Hollinbrook",
    "Marrowby",
];
const AREA: &[&str] = &["212", "303", "312", "415", "503", "602", "617", "720", "804", "919"];
const MAIL: &[&str] = &["example.com", "example.org"];
const SERVICES: usize = 4;
const OPERATORS: usize = 24;

/// A fictional person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Given and family name.
    pub name: String,
    /// A telephone number that is reserved for fiction.
    pub phone: String,
    /// An email address in a domain that is reserved for examples.
    pub email: String,
    /// The id of the person as an entity.
    pub entity_id: String,
}

impl Person {
    /// Draws a person.
    pub fn draw(rng: &mut StdRng) -> Self {
        let (given, family) = (pick(GIVEN, rng), pick(FAMILY, rng));
        let email =
            format!("{}.{}@{}", given.to_lowercase(), family.to_lowercase(), pick(MAIL, rng));
        Self { name: format!("{given} {family}"), phone: phone(rng), email, entity_id: uuid(rng) }
    }
}

/// The clinic that all stories of a day share.
#[derive(Debug)]
pub struct Clinic {
    services: Vec<String>,
    operators: Vec<Person>,
    shift: usize,
    templates: Vec<String>,
    /// The data source that feeds the clinic's records.
    pub data_source: String,
    /// The address that the clinic sends from.
    pub mailbox: String,
}

impl Clinic {
    /// Draws a clinic.
    pub fn draw(rng: &mut StdRng) -> Self {
        Self {
            services: (0..SERVICES).map(|_| uuid(rng)).collect(),
            operators: (0..OPERATORS).map(|_| Person::draw(rng)).collect(),
            shift: 0,
            templates: (0..SERVICES).map(|_| uuid(rng)).collect(),
            data_source: uuid(rng),
            mailbox: "frontdesk@example.org".into(),
        }
    }

    /// Draws one of the services.
    pub fn service(&self, rng: &mut StdRng) -> String {
        drawn(&self.services, rng)
    }

    /// Draws one of the form templates.
    pub fn template(&self, rng: &mut StdRng) -> String {
        drawn(&self.templates, rng)
    }

    /// Returns the next operator. Operators take turns, so that none is in two calls at a time.
    pub fn next_operator(&mut self) -> Person {
        self.shift = (self.shift + 1) % self.operators.len();
        self.operators[self.shift].clone()
    }
}

/// Draws one of several words.
pub fn pick(from: &[&'static str], rng: &mut StdRng) -> &'static str {
    from.choose(rng).copied().unwrap_or_default()
}

/// Draws a telephone number that is reserved for fiction.
pub fn phone(rng: &mut StdRng) -> String {
    format!("+1{}55501{:02}", pick(AREA, rng), rng.random_range(0..100))
}

/// Draws a random UUID (version 4, RFC 9562).
pub fn uuid(rng: &mut StdRng) -> String {
    let bits = rng.random::<u128>() & !(0xf << 76) & !(0x3 << 62) | (4 << 76) | (2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Draws a SID: two letters and 32 hexadecimal digits.
pub fn sid(prefix: &str, rng: &mut StdRng) -> String {
    format!("{prefix}{:032x}", rng.random::<u128>())
}

/// Draws an id of another system: a prefix and eight hexadecimal digits.
pub fn short_id(prefix: &str, rng: &mut StdRng) -> String {
    format!("{prefix}{:08x}", rng.next_u32())
}

/// Draws a measurement: a number with at most two decimals.
pub fn measure(low: f64, high: f64, rng: &mut StdRng) -> f64 {
    (rng.random_range(low..high) * 100.0).round() / 100.0
}

fn drawn(from: &[String], rng: &mut StdRng) -> String {
    from.choose(rng).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::model::is_uuid;

    #[test]
    fn ids_have_their_shape() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..200 {
            let uuid = uuid(&mut rng);
            assert!(is_uuid(&uuid), "{uuid}");
            assert_eq!(&uuid[14..15], "4");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
            assert_eq!(sid("CA", &mut rng).len(), 34);
        }
        assert!(!is_uuid("demo") && !is_uuid("00000000-0000-4000-8000_000000000000"));
    }

    #[test]
    fn nobody_can_be_called_or_written_to() {
        let mut rng = StdRng::seed_from_u64(2);
        for _ in 0..200 {
            let person = Person::draw(&mut rng);
            assert_eq!(person.phone.len(), 12);
            assert_eq!(&person.phone[5..10], "55501");
            assert!(MAIL.iter().any(|domain| person.email.ends_with(&format!("@{domain}"))));
        }
    }
}
