//! Limits of one evaluation: input from the wire cannot make a program overflow the stack, hold much
//! memory or take unlimited time.

use super::*;

/// Runs a program on a large input and returns the number of outputs.
fn outputs_on(source: &str, input: &str) -> Result<usize, ProgramError> {
    run(source, input).map(|outputs| outputs.len())
}

const EXCEEDED: Result<usize, ProgramError> = Err(ProgramError::BudgetExceeded);

#[test]
fn deep_nesting_overflows_no_stack() {
    let text = |levels: usize| format!("\"{}{}\"", "[".repeat(levels), "]".repeat(levels));
    let unfinished = format!("\"{}\"", "[".repeat(1_000_000));
    assert_eq!(
        outputs_on("fromjson", &unfinished),
        Err(ProgramError::Failed("a string cannot be parsed"))
    );
    assert_eq!(outputs_on("fromjson | tojson", &text(9_000)), Ok(1));
    for source in [
        "fromjson | [paths]",
        "fromjson | [..] | length",
        "fromjson | flatten",
        "fromjson | walk(.)",
        "fromjson | (.. |= .)",
        "fromjson | [leaf_paths]",
        "fromjson | . == . and . <= .",
        "fromjson | [., .] | sort | unique | group_by(.)",
        "fromjson | contains(.)",
        "fromjson | getpath([range(9000) | 0])",
        "fromjson | setpath([range(9000) | 0]; 1)",
        "fromjson | delpaths([[range(9000) | 0]])",
        "fromjson | [.] - [.]",
        "fromjson | {a: .} * {a: {b: .}}",
        "fromjson | tojson | fromjson | tojson | length",
    ] {
        let outcome = outputs_on(source, &text(9_000));
        assert!(matches!(outcome, Ok(_) | EXCEEDED), "{source}: {outcome:?}");
    }
    assert_eq!(outputs_on("reduce range(100000) as $x (null; [.]) | 1", "null"), EXCEEDED);
    assert_eq!(outputs_on("reduce range(100000) as $x (null; {a: .}) | 1", "null"), EXCEEDED);
}

#[test]
fn large_numbers_make_no_large_values() {
    for source in [
        "\"#\" * .",
        ". * \"#\"",
        "[limit(.; repeat(\"x\"))]",
        "[range(.)]",
        "[range(0; .; 0.001)] | length",
        "[][.] = 1",
        "[1] | .[100000000] = 1",
        "null | setpath([100000000]; 1)",
        "(\"x\" * 40000000) | explode",
        "(\"x\" * 40000000) | [., ., .] | add",
        "(\"x\" * 40000000) | [., .] | join(\",\")",
        "(\"x\" * 40000000) | @base64",
        "(\"x\" * 40000000) | @uri",
        "(\"\\u0001\" * 40000000) | tojson",
        "(\"<\" * 40000000) | @html",
        "(\"x\" * 40000000) / \"\"",
        "(\"x\" * 40000000) | [splits(\"\")]",
        "(\"x\" * 40000000) | gsub(\"\"; \"y\")",
        "(\"x\" * 40000000) | [match(\"\"; \"g\")]",
        "(\"x\" * 40000000) | ascii_downcase | ascii_upcase",
        "[range(100) | \"x\" * 60000000]",
        "[range(100000)] | [combinations(3)]",
        "[range(1000)] | [., .] | [combinations]",
        "[range(3000)] | [.[] as $x | index($x)] | length",
        "[range(5000)] | . - .",
        "reduce range(60) as $x ([1]; [., .]) | tojson",
        "reduce range(60) as $x ([1]; [., .]) | flatten",
        "reduce range(60) as $x ([1]; [., .]) | . == [.[0], .[1]]",
        "reduce range(60) as $x ([1]; [., .]) | [..] | length",
        "reduce range(60) as $x (\"x\"; . + .)",
        "reduce range(60) as $x ([1]; . + .)",
        "reduce range(60) as $x ({}; . * {\"\\($x)\": .})  | tojson",
        "[range(200000) | {}] | length | . as $n | [range($n) | {a: 1}]",
        "def f: [., .]; [0] | last(limit(100; repeat(f))) | f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|f|tojson",
        "((.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)|(.,.)) | empty",
        "first(range(.; infinite; 1e-300))  | [limit(1e12; repeat(1))]",
    ] {
        let outcome = outputs_on(source, "99999999999");
        let is_jq_error =
            source.starts_with("\"#\"") || source.starts_with(". *") || source.starts_with("[][.]");
        if is_jq_error {
            assert!(matches!(outcome, Err(ProgramError::Failed(_))), "{source}: {outcome:?}");
        } else {
            assert_eq!(outcome, EXCEEDED, "{source}");
        }
    }
}

#[test]
fn nothing_catches_an_exhausted_budget() {
    for source in [
        "try (\"x\" * 100000000) catch 1",
        "(\"x\" * 100000000)? // 2",
        "[.[]?, (try (\"x\" * 100000000) catch .)] | length",
        "first(try error(\"x\" * 100000000) catch .)",
        "label $out | (try (\"x\" * 100000000) catch break $out)",
        "try ([range(100000000)] | length) catch 1",
        "isempty(\"x\" * 100000000)",
    ] {
        assert_eq!(outputs_on(source, "null"), EXCEEDED, "{source}");
    }
}

#[test]
fn a_megabyte_of_text_is_ordinary_input() {
    let text = format!("\"{}\"", "words and spaces ".repeat(60_000));
    for source in [
        "gsub(\" \"; \"_\") | length",
        "[splits(\" \")] | length",
        "split(\" \") | join(\"_\") | length",
        "test(\"nothing\"), (ascii_downcase | ltrimstr(\"words\") | length)",
        "[scan(\"[a-z]+\")] | length",
        "tojson | fromjson | @base64 | @base64d | length",
        "explode | implode | utf8bytelength",
        "[match(\"spaces\"; \"g\").offset] | length",
    ] {
        assert!(run(source, &text).is_ok(), "{source}: {:?}", run(source, &text));
    }
}
