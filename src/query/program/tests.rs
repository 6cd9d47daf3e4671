//! What programs can do, and what stops them.

use super::*;

fn run(source: &str, input: &str) -> Result<Vec<String>, ProgramError> {
    let source = source.to_owned();
    let input = input.to_owned();
    let work = move || {
        let program =
            Program::compile(&parse("--jq", &source).expect("parses"), &[]).expect("compiles");
        let mut outputs = Vec::new();
        program.run(value::json(&input), |value| {
            outputs.push(value.to_json().expect("a short value"));
            true
        })?;
        Ok(outputs)
    };
    std::thread::Builder::new()
        .stack_size(THREAD_STACK)
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("no panic")
}

/// Returns the error for a program, or `none`.
fn error_of(source: &str) -> String {
    let parsed = match parse("--filter", source) {
        Ok(parsed) => parsed,
        Err(error) => return error.to_string(),
    };
    Program::compile(&parsed, &[])
        .err()
        .map_or_else(|| "none".to_owned(), |error| error.to_string())
}

#[test]
fn runs_jq() {
    assert_eq!(
        run(".a | map(. + 1), length", r#"{"a":[1,2.50]}"#),
        Ok(vec!["[2,3.50]".replace("3.50", "3.5"), "2".to_owned()])
    );
    assert_eq!(
        run(".a, .b", r#"{"a":1.10,"b":12345678901234567890123}"#),
        Ok(vec!["1.10".to_owned(), "12345678901234567890123".to_owned()])
    );
    assert_eq!(run("[paths]", r#"{"a":[1]}"#), Ok(vec![r#"[["a"],["a",0]]"#.to_owned()]));
    assert_eq!(
        run(".a |= map(select(. > 1)) | del(.b)", r#"{"a":[1,2],"b":3}"#),
        Ok(vec![r#"{"a":[2]}"#.to_owned()])
    );
    assert_eq!(
        run("[limit(3; repeat(1))], ([range(5)] | add), IN(1, 2)", "2"),
        Ok(vec!["[1,1,1]".to_owned(), "10".to_owned(), "true".to_owned()])
    );
    assert_eq!(run("try error(\"x\") catch .", "null"), Ok(vec!["\"x\"".to_owned()]));
}

#[test]
fn regular_expressions_work_as_in_jq() {
    for (source, expected) in [
        (r#""aXbXc" | [match("x"; "gi") | .offset, .length, .string]"#, r#"[1,1,"X",3,1,"X"]"#),
        (r#""foo bar" | capture("(?<a>[a-z]+) (?<b>[a-z]+)")"#, r#"{"a":"foo","b":"bar"}"#),
        (r#""abc" | sub("(?<x>b)"; "[\(.x)]")"#, r#""a[b]c""#),
        (r#""aéb" | [match("b").offset]"#, "[2]"),
        (r#""abab" | gsub("a"; "x")"#, r#""xbxb""#),
        (r#""a1b22" | [scan("[0-9]+")]"#, r#"["1","22"]"#),
        (r#""a1b22" | [scan("([a-z])([0-9]+)")]"#, r#"[["a","1"],["b","22"]]"#),
        (r#""a, b,c" | [splits(", *")]"#, r#"["a","b","c"]"#),
        (r#""xay" | split("a"; "g")"#, r#"["x","y"]"#),
        (r#""ab" | test(""; "n")"#, "false"),
        (r#"["A" | test("a"; "", "i")]"#, "[false,true]"),
        (r#""é" | [test("^.$"), test("\\w")]"#, "[true,true]"),
    ] {
        assert_eq!(run(source, "null"), Ok(vec![expected.to_owned()]), "{source}");
        // The second use takes the pattern from the cache.
        assert_eq!(
            run(&format!("[({source}), ({source})] | .[1]"), "null"),
            Ok(vec![expected.to_owned()]),
            "{source}"
        );
    }
    assert_eq!(
        run(r#""a" | test("(")"#, "null"),
        Err(ProgramError::Failed("its regular expression is invalid"))
    );
    assert_eq!(
        run("1 | test(\"a\")", "null"),
        Err(ProgramError::Failed("it needs a string where there is none"))
    );
}

#[test]
fn stops_endless_programs() {
    for endless in [
        "def f: f; f",
        "def f: 1 + f; f",
        "[repeat(1)]",
        "[range(infinite)]",
        "last(range(0; 1; 1e-20))",
        "until(false; .)",
        "[recurse]",
        "def f: try error catch f; f",
        "def f: (try f catch .) | f; f",
        "[while(true; .)]",
        "reduce range(1e12) as $x (0; .)",
        ". as $x | def f(g): f(g | g); f(.)",
        "path(repeat(.a))",
        r#"reduce range(1000) as $x ("x"; . + .)"#,
        "label $out | foreach repeat(1) as $x (0; . + $x)",
        "[range(200)] as $r | [$r[] | $r[] | $r[]] | length",
        "[range(200)] as $r | [$r | .. | $r | .. | $r | ..] | length",
        "[range(200)] as $r | [$r[] as $a | $r[] as $b | $r[] as $c | 1] | length",
    ] {
        let stop = run(endless, "null");
        assert!(
            stop == Err(ProgramError::BudgetExceeded) || endless == "[recurse]",
            "{endless}: {stop:?}"
        );
    }
}

#[test]
fn the_interactive_budget_is_smaller_and_charges_for_large_values() {
    let run_interactive = |source: &str| {
        let program = Program::compile(&parse("--jq", source).expect("parses"), &[])
            .expect("compiles")
            .with_budget(StepBudget::INTERACTIVE);
        program.run(JqValue::Null, |_| true)
    };
    for usual in [
        "[range(1000)] | length",
        r#""x" * 100000 | test("y")"#,
        r#"[range(100) | "x" * 1000] | add | length"#,
    ] {
        assert_eq!(run_interactive(usual), Ok(()), "{usual}");
    }
    for long in [
        "[range(30000)]",
        r#"last(range(1000) | "x" * 100000) | length"#,
        r#""x" * 30000000 | test("y")"#,
    ] {
        assert!(run(long, "null").is_ok(), "{long}");
        assert_eq!(run_interactive(long), Err(ProgramError::BudgetExceeded), "{long}");
    }
}

#[test]
fn steps_keep_paths_assignable() {
    assert_eq!(
        run("[paths(.[]?)] | length, (.[] |= 1 | length)", "[[1],2]").map(|all| all.len()),
        Ok(2)
    );
    assert_eq!(run(".a[] |= . + 1 | .a", r#"{"a":[1,2]}"#), Ok(vec!["[2,3]".to_owned()]));
    assert_eq!(run("[path(..)] | length", "[1,[2]]"), Ok(vec!["4".to_owned()]));
    assert_eq!(run("del(.[] | select(. == 2))", "[1,2,3]"), Ok(vec!["[1,3]".to_owned()]));
    assert_eq!(run("first(.[])", "[1,2,3]"), Ok(vec!["1".to_owned()]));
}

#[test]
fn sees_nothing_but_its_input() {
    for outside in [
        "env",
        "$ENV",
        "env.PATH",
        "input",
        "[inputs]",
        "debug",
        "debug(1)",
        "stderr",
        "halt",
        "halt(1)",
        "halt_error",
        "input_filename",
        "input_line_number",
        "get_search_list",
    ] {
        let error = error_of(outside);
        assert!(error.contains("sees one event and nothing else"), "{outside}: {error}");
    }
    assert!(error_of("import \"a\" as a; .").contains("cannot read"));
    assert!(error_of("include \"a\"; .").contains("cannot read"));
}

#[test]
fn errors_show_the_place_in_the_source() {
    let error = parse("--filter", ".a == ").err().expect("an error");
    assert_eq!(
        error.to_string(),
        "cannot read --filter: term is missing at its end; see jq's manual for the language"
    );
    assert_eq!(error.detail(), Some("  .a == \n        ^"));
    let error = parse("--filter", ".a = = 1").err().expect("an error");
    assert_eq!(error.detail(), Some("  .a = = 1\n       ^"));
    assert!(error_of(".a | startwith(\"x\")").contains("did you mean `startswith`?"));
    assert!(error_of(".call_sid == $sid").contains("give it with --arg sid VALUE"));
}

mod limits;
mod random;
