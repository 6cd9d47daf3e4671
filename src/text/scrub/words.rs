//! Words of which a text must have one for some rules, which is found out before their patterns are
//! compiled or tried.

/// Words of which a rule needs one. Without it, its pattern is neither compiled nor tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words {
    /// The name of a month.
    Month,
    /// An announcement of a date of birth.
    Birth,
    /// A dot in words, or a bracket that may be around one or around an `@`.
    Dot,
    /// A provider of email.
    Provider,
}

impl Words {
    /// The number of variants.
    pub const COUNT: usize = 4;

    /// Whether a text in lower case has one of the words.
    pub fn are_in(self, text: &str) -> bool {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match self {
            Self::Month => has_month(text),
            Self::Birth => has(BIRTH),
            Self::Dot => {
                text.contains(['[', '(', '{', '<'])
                    || has(&[" dot", "-dot-", " punto", " ponto", " point", " punkt"])
            }
            Self::Provider => has(&["gmail", "yahoo", "hotmail", "protonmail"]),
        }
    }
}

/// Words that announce a date of birth. What the rules take for
/// an announcement contains one.
pub(super) const BIRTH: &[&str] = &[
    "dob",
    "d.o.b",
    "born",
    "birth",
    "bday",
    "b-day",
    "nac",
    "nasc",
    "naissance",
    "ne le",
    "nee le",
    "geb",
    "ddn",
];

/// Whether a text in lower case has the name of a month, by itself or right after the letters of an
/// ordinal.
fn has_month(text: &str) -> bool {
    let is_month = |word: &str| {
        matches!(
            word,
            "jan"
                | "january"
                | "feb"
                | "february"
                | "mar"
                | "march"
                | "apr"
                | "april"
                | "may"
                | "jun"
                | "june"
                | "jul"
                | "july"
                | "aug"
                | "august"
                | "sep"
                | "sept"
                | "september"
                | "sepember"
                | "oct"
                | "october"
                | "nov"
                | "november"
                | "dec"
                | "december"
                | "enero"
                | "febrero"
                | "marzo"
                | "abril"
                | "mayo"
                | "junio"
                | "julio"
                | "agosto"
                | "septiembre"
                | "setiembre"
                | "octubre"
                | "noviembre"
                | "diciembre"
                | "janvier"
                | "fev"
                | "fevr"
                | "fevier"
                | "fevrier"
                | "avr"
                | "avril"
                | "juin"
                | "juil"
                | "juillet"
                | "aout"
                | "septembre"
                | "octobre"
                | "novembre"
                | "decembre"
                | "januar"
                | "janner"
                | "jaenner"
                | "februar"
                | "marz"
                | "maerz"
                | "juni"
                | "juli"
                | "okt"
                | "oktober"
                | "dez"
                | "dezember"
                | "janeiro"
                | "fevereiro"
                | "marco"
                | "maio"
                | "junho"
                | "julho"
                | "setembro"
                | "outubro"
                | "novembro"
                | "dezembro"
                | "mars"
                | "mai"
                | "ene"
                | "abr"
                | "ago"
                | "dic"
                | "janv"
                | "set"
                | "out"
        )
    };
    let ordinals = ["", "st", "nd", "rd", "th", "er", "o", "a"];
    text.split(|character: char| !character.is_ascii_alphabetic()).any(|word| {
        word.len() > 2
            && ordinals.iter().any(|ordinal| word.strip_prefix(ordinal).is_some_and(is_month))
    })
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn a_word_that_begins_like_a_month_is_none() {
        for (text, expected) in [
            ("mail jane about 12 marks a decade ahead", false),
            ("3 may", true),
            ("1stmarch", true),
            ("maybe", false),
        ] {
            assert_eq!(Words::Month.are_in(text), expected, "{text}");
        }
    }
}
