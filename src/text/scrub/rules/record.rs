//! Numbers of medical records, members, policies, claims, providers and identity documents.

use super::spoken::{MIN_SPELLED, single_digits, spelled_count};
use crate::text::scrub::detector::Check::{Always, If, IfAll};
use crate::text::scrub::detector::Requirement::{After, Digits, With};
use crate::text::scrub::detector::{Detector, DetectorRule, DigitCount, RuleMatch};

/// What has a number by which a person can be found.
macro_rules! noun {
    () => {
        concat!(
            r"(?:mrn|m\.r\.n\.?|emr|ehr|(?:medical |health )?records?|chart|patient|pt|member",
            r"|subscriber|enrollee|beneficiary|recipient|insured|policy(?:holder)?|insurance|medicare",
            r"|medicaid|mbi|hicn|group|grp|rx ?grp|rx ?bin|pcn|acct|account|plan|npi|dea|claim|case",
            r"|accession|specimen|encounter|visit|admission|passport|driver'?s? licen[sc]e|licen[sc]e",
            r"|prescription|rx|(?:pre-?|prior )?auth(?:orization)?|referral|routing|aba|sort code",
            r"|student|employee|badge|device|serial|implant|pacemaker|hospital|certificate|file|folio",
            r"|imei|vin|plate|ein|tax|nhs|sin|id|cpf|cnpj|dni|nie|nif|nss|nir|curp|bsn|afiliad[oa]",
            r"|poliza|expediente|paciente|convenio|carteirinha|prontuario|dossier|assure)"
        )
    };
}

/// The words between what has a number and the number.
macro_rules! number_word {
    () => {
        r"(?:'s)?(?:[ _.'-]{0,2}(?:ids?\b|i\.d\.|number|num\b|no\b|nr\b|nbr|#|numero|nummer|code))"
    };
}

/// Words for things that have a number, or that stand for one: in English, and in Spanish, Portuguese,
/// French and German.
macro_rules! numbered {
    () => {
        concat!(
            r"(?:mrn|m\.r\.n\.?|npi|mbi|hicn|imei|vin|dni|cpf|dl ?(?:#|no\b|number)|", noun!(), number_word!(),
            r"|(?:numero|num|n?ro|n\.?(?:o|(?u:º|°)))\.? (?:de |do |da |del |du |d')?(?:la |el |l')?",
            r"(?:poliza|afiliad[oa]|afiliacion|soci[oa]|historia|expediente|paciente|seguro|asegurado",
            r"|cliente|cuenta|caso|reclamo|identidad|identificacion|pasaporte|processo|apolice",
            r"|segurado|carteira|cartao|beneficiario|prontuario|conta|dossier|securite sociale|assure",
            r"|adherent|client|compte|police|contrat|sinistre|patient)",
            r"|(?:versicherten|versicherungs|patienten|mitglieds?|kunden|konto|fall|akten|policen",
            r"|vertrags|ausweis)-?(?:nummer|nr))"
        )
    };
}

/// A part of a number: letters and digits, with at least one digit.
macro_rules! part {
    () => {
        "[A-Za-z]{0,6}[0-9][A-Za-z0-9]{0,19}"
    };
}

/// A number, in parts that are joined by hyphens, full stops or slashes.
macro_rules! value {
    () => {
        concat!(r"(?:[A-Za-z]{1,6}-)?", part!(), r"(?:[./_-][A-Za-z0-9]{1,12}){0,5}")
    };
}

/// The beginnings of the words that announce a number.
const BEGINNINGS: &[&str] = &[
    "mrn", "m.r", "emr", "ehr", "rec", "med", "hea", "cha", "pat", "mem", "sub", "enr", "ben",
    "ins", "pol", "mbi", "hic", "gro", "grp", "pcn", "acc", "pla", "npi", "dea", "cla", "cas",
    "spe", "enc", "vis", "adm", "pas", "dri", "lic", "dl ", "dl#", "dln", "pre", "pri", "aut",
    "ref", "rou", "aba", "sor", "stu", "emp", "bad", "dev", "ser", "imp", "pac", "hos", "cer",
    "fil", "fol", "ime", "vin", "ein", "tax", "nhs", "sin", "cpf", "cnp", "dni", "nie", "nif",
    "nss", "nir", "cur", "bsn", "afi", "exp", "con", "car", "pro", "dos", "ass", "num", "nro",
    "ro ", "n.o", "no ", "no.", "ver", "mit", "kun", "fal", "akt", "aus", "pt", "rx", "id", "nº",
    "n°", "his", "soc", "seg", "ase", "cli", "cue", "apo", "sec", "adh", "com",
];

pub(super) static RULES: [DetectorRule; 8] = [
    // Announced by a word for a number: other words may come between.
    DetectorRule::anywhere(
        Detector::Record,
        After(DigitCount::any(3), BEGINNINGS),
        concat!(
            r"(?i-u)(?:\b|_)",
            numbered!(),
            r"\.?[a-z '\x22,:=#(>-]{0,40}?[ '\x22:=#(>]",
            r"((?:[A-Z] |(?-i:[A-Z]{2,5}) )?",
            value!(),
            r"(?:[ ]{1,2}(?:[A-Z]{0,3}[0-9][A-Z0-9]{0,11})){0,11})",
        ),
        If(|candidate| is_record(candidate.matched())),
    ),
    // Announced by what has the number alone.
    DetectorRule::anywhere(
        Detector::Record,
        After(DigitCount::any(3), BEGINNINGS),
        concat!(
            r"(?i-u)(?:\b|_)",
            noun!(),
            number_word!(),
            r"?\.?(?: is| was| es)?[ :#='\x22>]{0,4}(",
            value!(),
            ")",
        ),
        If(|candidate| is_record(candidate.matched())),
    ),
    // Announced afterwards.
    DetectorRule::standalone(
        Detector::Record,
        With(DigitCount::any(5), BEGINNINGS),
        concat!(
            r"(?i-u)\b(",
            value!(),
            r")(?:,? {1,2}(?:that's|that is|this is|it's|is|was|=|for|as|on)|,)",
            r"(?: (?:my|the|her|his|their|our|your|a|an))?(?: [a-z]{2,12}){0,2}?",
            r" (?:mrn|records?|chart|member|subscriber|policy|insurance|medicare|medicaid|account",
            r"|acct|claim|case|npi|passport|licen[sc]e|patient|id|group)\b",
        ),
        If(|candidate| candidate.digit_count() >= 5 && is_record(candidate.matched())),
    ),
    // Digit by digit.
    DetectorRule::standalone(
        Detector::Record,
        Digits(DigitCount::single(MIN_SPELLED)),
        single_digits!(),
        IfAll(|candidate| matches!(spelled_count(candidate), 8 | 12..)),
    ),
    // Forms that are unmistakable: a Medicare beneficiary identifier, and the tax numbers of Brazil,
    // Spain and Italy.
    DetectorRule::standalone(
        Detector::Record,
        Digits(DigitCount::any(5)),
        concat!(
            r"(?i-u)[1-9][AC-HJ-NP-RT-Y][0-9AC-HJ-NP-RT-Y][0-9][ -]?[AC-HJ-NP-RT-Y]",
            r"[0-9AC-HJ-NP-RT-Y][0-9][ -]?[AC-HJ-NP-RT-Y]{2}[0-9]{2}",
        ),
        Always,
    ),
    DetectorRule::standalone(
        Detector::Record,
        With(DigitCount::close(11), &["."]),
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-/][0-9]{2}",
        Always,
    ),
    DetectorRule::standalone(
        Detector::Record,
        Digits(DigitCount::close(8)),
        r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ -]?[A-HJ-NP-TV-Z]",
        If(has_dni_letter),
    ),
    DetectorRule::standalone(
        Detector::Record,
        Digits(DigitCount::any(7)),
        r"(?i-u)[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",
        Always,
    ),
];

/// Whether a match is a record number: at least four digits, or three beside letters, and no year,
/// quantity or ordinal.
fn is_record(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or(text);
    let is_year = first.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    let letters = first.trim_start_matches(|character: char| character.is_ascii_digit());
    let is_quantity = letters.len() < first.len()
        && (1..=4).contains(&letters.len())
        && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    !is_year
        && ((digits >= 4 && !(is_quantity && digits < 6))
            || (digits == 3 && text.len() > 4 && !is_quantity))
}

/// Whether the letter of a Spanish tax number (DNI) is the check letter of its digits.
fn has_dni_letter(candidate: &RuleMatch<'_>) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let number =
        candidate.digits().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    candidate.matched().bytes().next_back() == Some(LETTERS[number % LETTERS.len()])
}
