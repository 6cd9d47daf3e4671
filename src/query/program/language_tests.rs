//! Programs that jaq reads or evaluates in another way than jq 1.8.

use super::*;

/// Returns the outputs, and `error` if the program fails after them.
fn outputs(source: &str, input: &str) -> Vec<String> {
    let (source, input) = (source.to_owned(), input.to_owned());
    let work = move || {
        let parsed = parse("--jq", &source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let program = Program::compile(&parsed, &[]).expect("compiles");
        let mut outputs = Vec::new();
        let result = program.run(value::json(&input), |output| {
            outputs.push(output.to_safe_json().expect("a short value"));
            true
        });
        outputs.extend(result.is_err().then(|| "error".to_owned()));
        outputs
    };
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK).spawn(work);
    thread.expect("a thread").join().expect("no panic")
}

#[track_caller]
fn check(cases: &[(&str, &str, &[&str])]) {
    for (source, input, expected) in cases {
        assert_eq!(outputs(source, input), *expected, "{source}");
    }
}

#[test]
fn operators_bind_as_in_jq() {
    check(&[
        ("1 + 2 as $x | $x * 10", "null", &["30"]),
        ("1, 2 as $x | $x, 3", "null", &["1", "2", "3"]),
        ("-1 as $x | [-$x]", "null", &["[1]"]),
        ("[.a += 1 // 2]", r#"{"a":1}"#, &[r#"[{"a":2}]"#]),
        ("1 - 2 - 3, 2 * 3 - 4 / 2 % 3", "null", &["-4", "4"]),
        ("null // null // 3 | . + 1", "null", &["4"]),
        ("true or false and false, (false | not)", "null", &["true", "true"]),
        ("try error(\"x\") catch . | length", "null", &["1"]),
        ("reduce .[] / .[] as $i (0; . + $i)", "[1,2]", &["4.5"]),
        ("{a: 1 | . + 1, b: 2,}", "null", &[r#"{"a":2,"b":2}"#]),
        (".a?//1, .b.c?", r#"{"a":null}"#, &["1", "null"]),
        ("def f: 1; def g: f + 1; g, f", "null", &["2", "1"]),
        (".if, {if, and: 1}", r#"{"if":2}"#, &["2", r#"{"if":2,"and":1}"#]),
        ("[.[] | select(. > .25)]", "[0.5]", &["[0.5]"]),
    ]);
    for wrong in
        ["1 < 2 < 3", "1 == 1 == 1", ".a = .b = 1", "{(0): 1}", "{(null): 1}", "{a: 1 as $x | 2}"]
    {
        assert!(parse("--jq", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn right_operands_vary_slowest() {
    check(&[
        ("[(1, 2) + (10, 20)]", "null", &["[11,12,21,22]"]),
        ("[(1, 2) < (1, 2)]", "null", &["[false,false,true,false]"]),
        (r#"["\(1, 2) \(3, 4)"]"#, "null", &[r#"["1 3","2 3","1 4","2 4"]"#]),
        (r#"["\(1, 2)\("x")\(3, 4)"]"#, "null", &[r#"["1x3","2x3","1x4","2x4"]"#]),
        ("[(.[0], .[1])[0, 1]]", "[[1,2],[3,4]]", &["[1,3,2,4]"]),
        ("[.[0, 1:3, 4] | length]", "[1,2,3,4]", &["[3,4,2,3]"]),
        ("{a: (1, 2), b: (3, 4)} | [.[]]", "null", &["[1,3]", "[1,4]", "[2,3]", "[2,4]"]),
        (r#"try (error("a") + error("b")) catch ."#, "null", &[r#""b""#]),
        (r#"try (error("a") and error("b")) catch ."#, "null", &[r#""a""#]),
        ("1 as $x | [2 as $x | (3 as $x | $x, 1) * ($x, 10)], $x", "null", &["[6,2,30,10]", "1"]),
    ]);
}

#[test]
fn an_alternative_does_not_catch_errors() {
    check(&[
        (r#"[error("x") // 1]"#, "null", &["error"]),
        (r#"(false, error("x")) // 1"#, "null", &["error"]),
        ("[(false, null, 1, 2) // 3], [empty // 3]", "null", &["[1,2]", "[3]"]),
        ("[.a? // 3]", "1", &["[3]"]),
    ]);
}

#[test]
fn folds_go_on_with_the_last_value_or_null() {
    check(&[
        ("[reduce range(5) as $x (0; empty)]", "null", &["[null]"]),
        ("reduce (1, 2) as $x (0; if $x == 1 then empty else . + 10 end)", "null", &["10"]),
        ("[reduce (1, 2) as $x (0; . + $x, . * 10)]", "null", &["[0]"]),
        ("[reduce (1, 2) as $x (0, 5; . + $x)]", "null", &["[3,8]"]),
        ("[foreach (1, 2) as $x (0; . + $x, . * 10)]", "null", &["[1,0,2,0]"]),
        (
            "[foreach (1, 2, 3) as $x (0; if $x == 2 then empty else . + $x end)]",
            "null",
            &["[1,3]"],
        ),
        (
            "[foreach (1, 2) as $x (0; . + $x, . * 10; [., $x])]",
            "null",
            &["[[1,1],[0,1],[2,2],[0,2]]"],
        ),
        ("[foreach .[] as [$a, $b] (0; . + $a; . * $b)]", "[[1,2],[3,4]]", &["[2,16]"]),
        ("[limit(3; foreach range(5) as $i (0; . + $i; ., .))]", "null", &["[0,0,1]"]),
    ]);
}

#[test]
fn patterns_can_name_what_they_take_apart() {
    check(&[
        (". as {$a, $b: [$c, $d]} | [$a, $b, $c, $d]", r#"{"a":1,"b":[2,3]}"#, &["[1,[2,3],2,3]"]),
        (
            r#". as {"a": $x, ("b", "c"): $y} | [$x, $y]"#,
            r#"{"a":1,"b":2,"c":3}"#,
            &["[1,2]", "[1,3]"],
        ),
        (". as {as: $x, @text \"b\": $y} | [$x, $y]", r#"{"as":1,"b":2}"#, &["[1,2]"]),
    ]);
}

#[test]
fn alternative_patterns_are_tried_in_turn() {
    check(&[
        (".[] as [$a] ?// {a: $a} ?// $a | [$a]", r#"[[1],"x",3]"#, &["[1]", r#"["x"]"#, "[3]"]),
        (
            ".[] as [$a] ?// [$b] | if $a then error(\"x\") else {$a, $b} end",
            "[[3]]",
            &[r#"{"a":null,"b":3}"#],
        ),
        (". as [$a] ?// $b | $a, error(\"y\")", "[1]", &["1", "null", "error"]),
        ("try (. as [$a] ?// [$a, $b] | error([$a, $b])) catch .", "[1,2]", &["[1,2]"]),
        ("1 as $x | . as [$x] ?// [[$y]] | [$x, $y]", "[2]", &["[2,null]"]),
        ("reduce .[] as {a: $a} ?// [$a, $b] (0; . + $a)", "[[1,2],[3,4]]", &["4"]),
        (
            "[foreach .[] as {a: $a} ?// [$a, $b] (0; . + $a; [., $b])]",
            "[[1,2],[3,4]]",
            &["[[1,2],[4,4]]"],
        ),
    ]);
    assert!(parse("--jq", ". as [[$a] ?// $a] | $a").is_err());
}

#[test]
fn values_of_arguments_can_be_called() {
    check(&[
        ("def f($a): a, $a; [f(1, 2)]", "null", &["[1,2,1,1,2,2]"]),
        ("def f($a; $b): [$a, $b]; f(1, 2; 3, 4)", "null", &["[1,3]", "[1,4]", "[2,3]", "[2,4]"]),
        ("def f($n): if $n > 0 then f($n - 1) else n end; f(3)", "null", &["0"]),
    ]);
}

#[test]
fn location_is_a_constant() {
    check(&[
        ("$__loc__ | .file, .line", "null", &[r#""<top-level>""#, "1"]),
        ("\n\n{$__loc__}", "null", &[r#"{"__loc__":{"file":"<top-level>","line":3}}"#]),
    ]);
    let source = format!("{}$__loc__.line", "\n".repeat(120));
    assert_eq!(outputs(&source, "null"), ["121"]);
}

#[test]
fn assignments_follow_the_paths_of_the_input() {
    check(&[
        ("(.a, .b) = (5, 6) | [.a, .b]", r#"{"a":1,"b":2}"#, &["[5,5]", "[6,6]"]),
        ("(.a, .b) |= (5, 6) | [.a, .b]", r#"{"a":1,"b":2}"#, &["[5,5]"]),
        ("(.a, .b) += (5, 6) | [.a, .b]", r#"{"a":1,"b":2}"#, &["[6,7]", "[7,8]"]),
        (".a //= (5, 6) | .a", r#"{"a":null}"#, &["5", "6"]),
        ("(.[] | select(. >= 2)) |= empty", "[1,5,3,0,7]", &["[1,0]"]),
        (".[] |= empty", r#"{"a":1,"b":2}"#, &["{}"]),
        ("first(.[][]) |= 10", "[[1,2],[3]]", &["[[10,2],[3]]"]),
        ("(try .[0] catch .) |= 9", "[1,2]", &["[9,2]"]),
        ("(label $f | .[0], break $f, .[1]) |= 9", "[1,2]", &["[9,2]"]),
        ("(if .[0] == 1 then .[1] else .[0] end) |= 9", "[1,2]", &["[1,9]"]),
        ("(.[0], .[2]) = (.[1] | . + 1)", "[1,2,3]", &["[3,2,3]"]),
        (".[1:] = (.[0:1], [9])", "[1,2,3]", &["[1,1]", "[1,9]"]),
        ("(.[] | error(\"x\")) |= 3", "[1]", &["error"]),
    ]);
}
