//! jq's own tests, and the ways in which evtap differs from jq.
//!
//! The tests of jq 1.8.2 are not part of this project. If `EVTAP_JQ_TESTS` names the directory that
//! contains them, each must pass or be listed here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use evtap::query::program::{Program, ProgramError, THREAD_STACK, parse};
use evtap::query::value;

use crate::support::tools;

/// The files, each with the number of tests that count and of those that must pass.
const FILES: &[(&str, usize, usize)] = &[("jq", 531, 511), ("man", 229, 229), ("onig", 47, 46)];

/// A way in which evtap differs from jq.
struct Difference {
    /// The first column of the table in docs/jq.md.
    name: &'static str,
    /// The tests of jq that show it: file and line.
    tests: &'static [(&'static str, usize)],
    /// A program that shows it, its input, and what evtap gives.
    example: (&'static str, &'static str, &'static str),
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "Look-around in patterns",
        tests: &[("onig", 128)],
        example: (r#"test("a(?=b)")"#, r#""ab""#, "failed"),
    },
    Difference {
        name: "Paths to values that are not in the input",
        tests: &[
            ("jq", 1123),
            ("jq", 1127),
            ("jq", 1131),
            ("jq", 1135),
            ("jq", 1290),
            ("jq", 1294),
            ("jq", 1302),
        ],
        example: ("path(.a | tostring)", r#"{"a":1}"#, "failed"),
    },
    Difference {
        name: "Texts of some errors",
        tests: &[("jq", 2324), ("jq", 2498)],
        example: ("[fromjson?]", r#""{'a':1}""#, "[]"),
    },
    Difference {
        name: "Limits of one event",
        tests: &[("jq", 1895), ("jq", 2573)],
        example: ("[range(1e9)]", "null", "limit"),
    },
    Difference {
        name: "Nesting of more than 10,000 levels",
        tests: &[
            ("jq", 2602),
            ("jq", 2611),
            ("jq", 2616),
            ("jq", 2621),
            ("jq", 2625),
            ("jq", 2629),
            ("jq", 2633),
        ],
        example: ("reduce range(10001) as $_ ([]; [.]) | [., .] | sort | length", "null", "2"),
    },
    Difference {
        name: "Filters that jq uses internally",
        tests: &[("jq", 1553), ("jq", 1557)],
        example: (r#"_strindices("a")"#, r#""a""#, "rejected"),
    },
    Difference {
        name: "Conversions of dates",
        tests: &[],
        example: (r#"strftime("%c")"#, "0", "failed"),
    },
    Difference {
        name: "`foreach` with several states",
        tests: &[],
        example: ("[limit(1; foreach 1 as $x (0; 1, error))]", "null", "failed"),
    },
    Difference {
        name: "Numbers and characters in programs",
        tests: &[],
        example: (r#""\ud83d\ude00""#, "null", "rejected"),
    },
    Difference { name: "Unknown formats", tests: &[], example: ("@base32", r#""a""#, "rejected") },
    Difference {
        name: "Bytes that are not UTF-8",
        tests: &[],
        example: ("@base64d | length", "null", "3"),
    },
    Difference {
        name: "Accuracy of mathematical functions",
        tests: &[],
        example: ("exp10", "8", "100000000"),
    },
    Difference {
        name: "More than jq has",
        tests: &[],
        example: ("[.[] | .a?//1], [leaf_paths]", r#"[{"a":2},3]"#, "[2,1] [[0,\"a\"],[1]]"),
    },
];

/// What a program does.
#[derive(Debug, PartialEq)]
enum Run {
    /// It is rejected before it runs.
    Rejected,
    /// It gives these outputs, and then ends or fails.
    Outputs(Vec<String>, Option<&'static str>),
}

fn run(source: &str, input: &str) -> Run {
    let Ok(parsed) = parse("--jq", source) else { return Run::Rejected };
    let Ok(program) = Program::compile(&parsed, &[]) else { return Run::Rejected };
    let Ok(input) = value::read(input) else { return Run::Rejected };
    let mut outputs = Vec::new();
    let result = program.run(input, |output| {
        outputs.push(output.to_json().expect("it fits"));
        true
    });
    let error = result.err().map(|error| match error {
        ProgramError::Failed(_) => "failed",
        ProgramError::BudgetExceeded => "limit",
    });
    Run::Outputs(outputs, error)
}

/// Calls `work` on a thread that has the stack of those that run programs.
fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("no panic")
    })
}

#[test]
fn differences_from_jq_are_as_documented() {
    let page = std::fs::read_to_string("docs/jq.md").expect("the page");
    let documented: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .map(|(name, _)| name)
        .filter(|name| !matches!(*name, "difference" | "---"))
        .collect();
    let listed: Vec<_> = DIFFERENCES.iter().map(|difference| difference.name).collect();
    assert_eq!(documented, listed);
    for Difference { name, example: (source, input, expected), .. } in DIFFERENCES {
        let shown = match with_large_stack(|| run(source, input)) {
            Run::Rejected => "rejected".to_owned(),
            Run::Outputs(mut outputs, error) => {
                outputs.extend(error.map(str::to_owned));
                outputs.join(" ")
            }
        };
        assert_eq!(shown, *expected, "{name}: {source}");
    }
}

/// A test of jq.
struct JqTest<'t> {
    line: usize,
    program: &'t str,
    /// `None` if jq must reject the program.
    input: Option<&'t str>,
    outputs: Vec<&'t str>,
}

/// Reads a file of tests: groups of lines between empty lines and comments.
fn tests(text: &str) -> Vec<JqTest<'_>> {
    let mut tests = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let must_fail = line.starts_with("%%FAIL");
        let (at, program) = if must_fail { lines.next().expect("a program") } else { (at, line) };
        let input = (!must_fail).then(|| lines.next().expect("an input").1);
        let mut outputs = Vec::new();
        while let Some((_, output)) = lines
            .next_if(|(_, line)| !line.trim().is_empty() && (must_fail || !line.starts_with('#')))
        {
            outputs.push(output);
        }
        tests.push(JqTest { line: at + 1, program, input, outputs });
    }
    tests
}

/// Returns whether a program uses a filter that evtap does not have on purpose.
fn reaches_outside(program: &str) -> bool {
    const NAMES: &[&str] = &[
        "env",
        "$ENV",
        "$__prog_args",
        "input",
        "inputs",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "input_line_number",
        "input_filename",
        "get_search_list",
        "import",
        "include",
        "modulemeta",
    ];
    // Words in strings and keys of objects do not count.
    let code: String = program.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let is_part = |character: char| character.is_alphanumeric() || "_$.".contains(character);
    let mut words = code.split(|character| !is_part(character));
    // `.input` is a field; `$ENV.PATH` is not.
    !program.starts_with("{if:0")
        && words.any(|word| NAMES.contains(&word.split('.').next().unwrap_or_default()))
}

fn passes(test: &JqTest<'_>) -> bool {
    let Some(input) = test.input else { return run(test.program, "null") == Run::Rejected };
    let parse = |text: &str| value::read(text.trim_start_matches('\u{feff}')).ok();
    match run(test.program, input.trim_start_matches('\u{feff}')) {
        // Some of the tests end in an error after the outputs, which jq's test runner accepts.
        Run::Outputs(outputs, _) => {
            let given: Vec<_> = outputs.iter().map(|output| parse(output)).collect();
            let wanted: Vec<_> = test
                .outputs
                .iter()
                // What jq writes for `nan` is null.
                .map(|output| parse(if *output == "nan" { "null" } else { output }))
                .collect();
            given == wanted && !given.contains(&None)
        }
        Run::Rejected => false,
    }
}

#[test]
fn passes_jqs_own_tests() {
    let Some(directory) = tools::jq_tests() else { return };
    let mut report = String::new();
    let mut listed: BTreeMap<(&str, usize), &str> = BTreeMap::new();
    for Difference { name, tests, .. } in DIFFERENCES {
        listed.extend(tests.iter().map(|test| (*test, *name)));
    }
    for (name, count, minimum) in FILES {
        let path = Path::new(&directory).join(format!("{name}.test"));
        let text = std::fs::read_to_string(&path).expect("a file of jq's tests");
        let counted: Vec<_> =
            tests(&text).into_iter().filter(|test| !reaches_outside(test.program)).collect();
        if counted.len() != *count {
            let _ =
                writeln!(report, "{name}.test is not that of jq 1.8.2: {} count", counted.len());
        }
        let mut passed = 0;
        for test in &counted {
            let is_listed = listed.remove(&(*name, test.line)).is_some();
            let is_passed = with_large_stack(|| passes(test));
            passed += usize::from(is_passed);
            if is_passed == is_listed {
                let problem = if is_passed { "passes but is listed" } else { "fails" };
                let _ = writeln!(report, "{name}.test:{} {problem}: {}", test.line, test.program);
            }
        }
        let _ = writeln!(std::io::stderr(), "{name}.test: {passed} of {count} pass");
        if passed < *minimum {
            let _ = writeln!(report, "{name}.test: only {passed} of {count} pass");
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(listed.is_empty(), "not in jq's tests: {listed:?}");
    let page = std::fs::read_to_string("docs/jq.md").expect("the page");
    let [passed, count] =
        [FILES.iter().map(|file| file.2).sum::<usize>(), FILES.iter().map(|file| file.1).sum()];
    assert!(page.contains(&format!("{passed} of {count}")), "{passed} of {count} pass");
}
