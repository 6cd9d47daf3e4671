//! Measures the recall and precision of scrubbing on generated text: labelled identifiers, and
//! look-alikes that must not be masked. SECURITY.md must contain the resulting table.

use std::collections::BTreeMap;
use std::fmt::Write;

use evtap::text::scrub::{Detector, scrub};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

mod hard;

const EACH: usize = 400;

/// Sentences around a value.
const AROUND: &[&str] = &[
    "{}",
    "She asked us to use {} from now on.",
    "Caller said {}, then hung up.",
    "confirmed ({})",
    "- {}",
    "note: {}; no further action",
    "Patient gave \"{}\" twice.",
    "see {}.",
    "first line\n{}\nlast line",
    "{} was on the form",
];

fn pick<'a>(choices: &[&'a str], rng: &mut StdRng) -> &'a str {
    choices.choose(rng).expect("not empty")
}

/// Fills a shape: `#` becomes a digit, `§` a digit from 2 to 9, `¶` a capital letter, `¤` a
/// hexadecimal digit.
fn fill(shape: &str, rng: &mut StdRng) -> String {
    shape
        .chars()
        .map(|character| match character {
            '#' => char::from(rng.random_range(b'0'..=b'9')),
            '§' => char::from(rng.random_range(b'2'..=b'9')),
            '¶' => char::from(rng.random_range(b'A'..=b'Z')),
            '¤' => char::from_digit(rng.random_range(0..16), 16).expect("a digit"),
            other => other,
        })
        .collect()
}

fn phone(rng: &mut StdRng) -> String {
    let shapes = [
        "+1§##§######",
        "+1 §## §## ####",
        "+1 (§##) §##-####",
        "(§##) §##-####",
        "§##-§##-####",
        "§##.§##.####",
        "§## §## ####",
        "1-§##-§##-####",
        "§##§######",
        "(§##)§##-####",
        "§##-§##-#### x###",
        "(§##) §##-#### ext. ##",
        "+44 20 #### ####",
        "+49 30 ######",
        "+33 1 ## ## ## ##",
        "0044 20 #### ####",
        "020 7### ####",
        "07### ######",
        "01 ## ## ## ##",
        "call §##-####",
        "+61 4## ### ###",
        "+81-3-####-####",
        "§##/§##-####",
        // Seven digits without a prefix cannot be told from a range. They count against the recall.
        "§##-####",
    ];
    let mut number = fill(pick(&shapes, rng), rng);
    // Skips numbers that the North American numbering plan does not assign.
    while number.len() == 10
        && number.starts_with(|digit: char| digit >= '2')
        && is_unassigned(&number)
    {
        number = fill("§##§######", rng);
    }
    number
}

/// Area codes N9X, 37X and 96X are not assigned, and N11 is neither an area code nor an exchange.
fn is_unassigned(number: &str) -> bool {
    let (area, exchange) = (&number[..3], &number[3..6]);
    area[1..].starts_with('9')
        || ["37", "96"].contains(&&area[..2])
        || [area, exchange].iter().any(|part| part.ends_with("11"))
}

fn email(rng: &mut StdRng) -> String {
    let local = ["jane.roe", "j_roe+clinic", "o'neill", "jane", "roe-1980", "jürgen"];
    let host = [
        "example.org",
        "mail.example.co.uk",
        "clinic-east.example",
        "EXAMPLE.COM",
        "xn--bcher-kva.example",
    ];
    format!("{}{}@{}", pick(&local, rng), fill("##", rng), pick(&host, rng))
}

fn luhn(prefix: &str, length: usize, rng: &mut StdRng) -> String {
    let mut digits: Vec<u32> = prefix.chars().filter_map(|digit| digit.to_digit(10)).collect();
    while digits.len() + 1 < length {
        digits.push(rng.random_range(0..10));
    }
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { doubled(*digit) } else { *digit })
        .sum();
    digits.push((10 - sum % 10) % 10);
    digits.iter().map(u32::to_string).collect()
}

fn grouped(digits: &str, groups: &[usize], between: &str) -> String {
    let mut at = 0;
    let parts: Vec<_> = groups
        .iter()
        .map(|length| {
            at += length;
            &digits[at - length..at]
        })
        .collect();
    parts.join(between)
}

fn card(rng: &mut StdRng) -> String {
    let between = pick(&["", " ", "-"], rng);
    if rng.random_bool(0.2) {
        return grouped(&luhn("37", 15, rng), &[4, 6, 5], between);
    }
    let prefix = pick(&["4", "51", "55", "2221", "6011", "65"], rng);
    grouped(&luhn(prefix, 16, rng), &[4, 4, 4, 4], between)
}

fn ssn(rng: &mut StdRng) -> String {
    let (area, group, serial) =
        (rng.random_range(1..666), rng.random_range(1..100), rng.random_range(1..10_000));
    let between = pick(&["-", "-", " "], rng);
    let plain = format!("{area:03}{group:02}{serial:04}");
    match rng.random_range(0..4) {
        0 => format!("SSN {plain}"),
        1 => format!("social security number is {area:03}{between}{group:02}{between}{serial:04}"),
        _ => format!("{area:03}{between}{group:02}{between}{serial:04}"),
    }
}

const MONTHS: &[&str] = &[
    "January", "Feb", "March", "Apr.", "May", "June", "Jul", "August", "Sept", "October", "Nov",
    "December",
];

fn date(rng: &mut StdRng) -> String {
    let (day, month, year) =
        (rng.random_range(1..29), rng.random_range(1..13), rng.random_range(1920..2026));
    let (name, short) = (MONTHS[month - 1], year % 100);
    match rng.random_range(0..11) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{month}/{day}/{year}"),
        2 => format!("{month:02}/{day:02}/{short:02}"),
        3 => format!("{day:02}.{month:02}.{year}"),
        4 => format!("{name} {day}, {year}"),
        5 => format!("{day} {name} {year}"),
        6 => format!("{name} {day}th"),
        7 => format!("DOB {year}{month:02}{day:02}"),
        8 => format!("{day}-{month}-{year}"),
        9 => format!("the {day}th of {name}"),
        _ => format!("born {month:02}{day:02}{short:02}"),
    }
}

fn ip(rng: &mut StdRng) -> String {
    let mut octet = || rng.random_range(1..255);
    let v4 = format!("{}.{}.{}.{}", octet(), octet(), octet(), octet());
    match rng.random_range(0..4) {
        0 => fill("2001:db8:¤¤¤¤:¤¤¤¤:¤¤¤¤:¤¤¤¤:¤¤¤¤:1¤¤¤", rng),
        1 => fill("fe80::1¤¤¤:¤¤¤¤", rng),
        2 => format!("{v4}:{}", rng.random_range(1024..65_000)),
        _ => v4,
    }
}

fn url(rng: &mut StdRng) -> String {
    let shapes = [
        "https://a.example/form?patient=#####",
        "http://x.example/?q=¤¤¤¤¤¤¤¤&n=##",
        "www.clinic.example/r?t=¤¤¤¤¤¤",
    ];
    fill(pick(&shapes, rng), rng)
}

fn record(rng: &mut StdRng) -> String {
    let shapes = [
        "MRN ########",
        "MRN: ¶-######",
        "mrn#######",
        "medical record number ######",
        "member ID is ¶¶¶######",
        "member number #####-##",
        "Policy no. ¶¶-####-####",
        "patient id 1#####",
        "Subscriber ID: ¶¶¶#########",
        "group number 5####",
        "chart #######",
        "account number 9########",
    ];
    fill(pick(&shapes, rng), rng)
}

/// The words that announce a value stay: this is the value.
fn value<'t>(detector: Detector, text: &'t str) -> &'t str {
    let digits = |text: &'t str| {
        &text[text.find(|character: char| character.is_ascii_digit()).unwrap_or(0)..]
    };
    match detector {
        Detector::Phone if text.starts_with("call ") => &text[5..],
        Detector::Ssn | Detector::Date
            if text.starts_with(['s', 'S', 'D', 'b']) && !text.starts_with("Sept") =>
        {
            let announced =
                ["SSN", "social", "DOB", "born"].iter().any(|word| text.starts_with(word));
            if announced { digits(text) } else { text }
        }
        Detector::Date => text.strip_prefix("the ").unwrap_or(text),
        Detector::Record => {
            let last = text.rsplit([' ', ':']).next().unwrap_or(text);
            last.strip_prefix("mrn").unwrap_or(last)
        }
        _ => text,
    }
}

fn positive(detector: Detector, rng: &mut StdRng) -> String {
    match detector {
        Detector::Phone => phone(rng),
        Detector::Email => email(rng),
        Detector::Card => card(rng),
        Detector::Ssn => ssn(rng),
        Detector::Date => date(rng),
        Detector::Ip => ip(rng),
        Detector::Url => url(rng),
        Detector::Record => record(rng),
    }
}

/// What is none of it, and looks like it.
const LOOK_ALIKES: &[(&str, &[&str])] = &[
    (
        "sid",
        &[
            "CA¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤",
            "CA################################",
            "CF¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤",
        ],
    ),
    ("uuid", &["¤¤¤¤¤¤¤¤-¤¤¤¤-4¤¤¤-8¤¤¤-¤¤¤¤¤¤¤¤¤¤¤¤", "########-####-4###-8###-############"]),
    (
        "time",
        &[
            "17########",
            "17###########",
            "2026-05-0#T1#:2#:3#Z",
            "2026-05-0#T1#:2#:3#.###+00:00",
            "2026-05-0# 1#:2#:3#",
            "1#:2#:3#.###",
        ],
    ),
    (
        "version",
        &[
            "v1.2#.#",
            "2.#.1#",
            "1.0.##-rc.1",
            "v2026.1#.#",
            "1#.0.190##.1",
            "rustc 1.95.#",
            "serde@1.0.2##",
            "version 1#.#.#.#",
        ],
    ),
    (
        "id",
        &[
            "id_¤¤¤¤¤¤",
            "order #######",
            "ticket-#####",
            "evt_##########",
            "row ####",
            "#########",
            "1§##§######",
            "§##§######",
            "node-10-0-#-##",
        ],
    ),
    (
        "duration",
        &["##.#s", "took #### ms", "#h1#m", "300-1200 ms", "1#:##", "### of ####", "p99=####.##ms"],
    ),
    (
        "prose",
        &[
            "room ###",
            "pages §##-§##",
            "#### dollars",
            "$#,###.##",
            "##%",
            "ICD J##.#",
            "member of staff",
            "patient is ##",
            "call back at 1#",
            "50 mg 3/day",
            "ratio 1/2",
            "the 3rd time",
            "may ## people",
            "policy 2024",
            "https://a.example/docs/##",
        ],
    ),
    (
        "code",
        &[
            "std::fmt",
            "a@b",
            "user@host",
            "#.###,##",
            "0x¤¤¤¤¤¤¤¤",
            "sha256:¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤",
            "¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤¤",
            "/v1/calls/##########",
            "error_##",
            "HTTP 50#",
            "c0ff::x",
        ],
    ),
];

/// Returns a share, rounded down, so that 100 % means all of them.
fn percent(part: usize, whole: usize) -> String {
    format!("{}.{} %", part * 100 / whole, part * 1000 / whole % 10)
}

/// How many identifiers of each kind were found, and how many masks were mistaken, when this was
/// measured beside the hard set for the first time.
const FIRST_RUN: &[(&str, usize, usize)] = &[
    ("card", 400, 0),
    ("date", 398, 0),
    ("email", 400, 0),
    ("ip", 400, 53),
    ("phone", 384, 80),
    ("record", 400, 0),
    ("ssn", 400, 0),
    ("url", 400, 0),
];

#[derive(Default)]
struct Score {
    positives: usize,
    caught: usize,
    mistaken: usize,
}

#[test]
fn recall_and_precision_on_a_labelled_set() {
    let mut rng = StdRng::seed_from_u64(20_260_505);
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let (mut negatives, mut spoiled, mut examples) =
        (0, BTreeMap::<&str, usize>::new(), String::new());
    for detector in Detector::ALL {
        for _ in 0..EACH {
            let text = positive(*detector, &mut rng);
            let around = pick(AROUND, &mut rng).replace("{}", &text);
            let secret = value(*detector, &text);
            let found = scrub(&around);
            let score = scores.entry(detector.name()).or_default();
            score.positives += 1;
            // A value counts as caught only if every character of it is masked.
            let expected = around.replacen(secret, &format!("[{}]", detector.name()), 1);
            let caught = found.as_ref().is_some_and(|found| found.text == expected);
            score.caught += usize::from(caught);
            if !caught && examples.len() < 4000 {
                let _ = writeln!(
                    examples,
                    "missed {}: {around:?} -> {:?}",
                    detector.name(),
                    found.as_ref().map(|found| &found.text)
                );
            }
            for other in
                found.iter().flat_map(|found| &found.detectors).filter(|other| *other != detector)
            {
                scores.entry(other.name()).or_default().mistaken += 1;
            }
        }
    }
    for (kind, shapes) in LOOK_ALIKES {
        for _ in 0..EACH {
            let text = fill(pick(shapes, &mut rng), &mut rng);
            let around = pick(AROUND, &mut rng).replace("{}", &text);
            negatives += 1;
            for detector in scrub(&around).into_iter().flat_map(|found| found.detectors) {
                scores.entry(detector.name()).or_default().mistaken += 1;
                *spoiled.entry(kind).or_default() += 1;
                if examples.len() < 8000 {
                    let _ =
                        writeln!(examples, "mistook {kind} for {}: {around:?}", detector.name());
                }
            }
        }
    }
    let mut table = concat!(
        "| kind | positives | recall, first run | recall, now ",
        "| precision, first run | precision, now |\n",
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    .to_owned();
    for (kind, score) in &scores {
        let (_, caught, mistaken) =
            FIRST_RUN.iter().find(|(name, ..)| name == kind).expect("every kind has a first run");
        let _ = writeln!(
            table,
            "| {kind} | {} | {} | {} | {} | {} |",
            score.positives,
            percent(*caught, score.positives),
            percent(score.caught, score.positives),
            percent(*caught, caught + mistaken),
            percent(score.caught, score.caught + score.mistaken)
        );
    }
    std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("{examples}\n{table}\n{spoiled:?} of {negatives}\n").as_bytes(),
    )
    .expect("stderr takes it");
    assert!(
        include_str!("../../SECURITY.md").contains(&table),
        "SECURITY.md has other figures than\n{table}"
    );
    assert!(
        scores.values().map(|score| score.positives).sum::<usize>() >= 2000 && negatives >= 2000
    );
}
