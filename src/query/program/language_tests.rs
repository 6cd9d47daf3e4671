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

#[test]
fn filters_give_what_they_give_in_jq() {
    check(&[
        (".[] | join(\",\")", r#"[["a",null,1,true],[]]"#, &[r#""a,,1,true""#, r#""""#]),
        (
            "from_entries",
            r#"[{"key":"a","value":false},{"Name":"b","Value":2},{"key":null,"name":"c"}]"#,
            &[r#"{"a":false,"b":2,"c":null}"#],
        ),
        ("with_entries(.value += 1), with_entries(empty)", r#"{"a":1}"#, &[r#"{"a":2}"#, "{}"]),
        (
            "[tostream] | ., fromstream(.[])",
            r#"{"a":[1,{}]}"#,
            &[r#"[[["a",0],1],[["a",1],{}],[["a",1]],[["a"]]]"#, r#"{"a":[1,{}]}"#],
        ),
        (
            "[1 | truncate_stream([[0], 1], [[1, 0], 2], [[1, 0]], [[1]])]",
            "null",
            &["[[[0],2],[[0]]]"],
        ),
        (
            "trimstr(\"a\"), ltrimstr(\"a\"), rtrimstr(\"a\")",
            r#""aba""#,
            &[r#""b""#, r#""ba""#, r#""ab""#],
        ),
        ("pick(.a.b, .c[1])", "null", &[r#"{"a":{"b":null},"c":[null,null]}"#]),
        ("[paths], getpath([\"a\", 0]), have_decnum", "null", &["[]", "null", "true"]),
        ("[.[] | has(0), has(3)]", "[[1],null]", &["[true,false,false,false]"]),
        ("[range(0; 10; 3), range(5; 0; -2), range(0; 3; 0)]", "null", &["[0,3,6,9,5,3,1]"]),
        (
            "[JOIN({a: 1}; \"a\", \"b\"; .)], ([[1]] | JOIN({\"1\": 2}; .[0] | tostring))",
            "null",
            &[r#"[["a",1],["b",null]]"#, "[[[1],2]]"],
        ),
        (
            "[combinations], [[0, 1] | combinations(2)]",
            "[[1,2],[3]]",
            &["[[1,3],[2,3]]", "[[0,0],[0,1],[1,0],[1,1]]"],
        ),
        ("[pow(2, 3; 1, 2)], (7 | gamma == lgamma)", "null", &["[2,3,4,9]", "true"]),
        ("builtins | any(. == \"map/1\"), any(startswith(\"evtap\"))", "null", &["true", "false"]),
        ("[.[] | isempty(.[])]", "[[],[1]]", &["[true,false]"]),
        (
            "[limit(0; 1), limit(2; 1, 2, error), skip(1; 1, 2), nth(1; 1, 2, error), first(empty)]",
            "null",
            &["[1,2,2,2]"],
        ),
    ]);
}

#[test]
fn dates_are_calculated_as_in_jq() {
    check(&[
        (
            "strptime(\"%Y-%m-%dT%H:%M:%SZ\") | ., mktime",
            r#""2015-03-05T23:51:47Z""#,
            &["[2015,2,5,23,51,47,4,63]", "1425599507"],
        ),
        (
            "[.[] | mktime]",
            "[[2024,8,21],[2024,13,40],[2024,1,1,1.7,2.9,3.9],[]]",
            &["[1726876800,1741737600,1706749323,-2209075200]"],
        ),
        (
            "gmtime[5], todate, (gmtime | mktime)",
            "1425599621.5",
            &["41.5", r#""2015-03-05T23:53:41Z""#, "1425599621"],
        ),
        (
            "strftime(\"%A, %e %B %Y; %j %%c\")",
            "[2024,2,15]",
            &[r#""Friday, 15 March 2024; 075 %c""#],
        ),
        (
            "[.[] | try todate catch \"error\"]",
            "[1e18,-1e18,-1.5,\"x\"]",
            &[r#"["error","error","1969-12-31T23:59:59Z","error"]"#],
        ),
        ("[strftime(\"%c\", \"%E\", \"%\", \"%-d\")?]", "0", &["[]"]),
    ]);
}

#[test]
fn errors_have_the_texts_of_jq() {
    for (source, text) in [
        ("1 / 0", "number (1) and number (0) cannot be divided because the divisor is zero"),
        ("limit(-1; 1)", "limit doesn't support negative count"),
        ("skip(-1; 1)", "skip doesn't support negative count"),
        ("nth(-1; 1)", "nth doesn't support negative indices"),
        ("range(\"a\")", "Range bounds must be numeric"),
        ("1 | .a", "Cannot index number with string (\"a\")"),
        ("[1] | .[-2] = 1", "Out of bounds negative array index"),
        ("\"a\" | .[0:1] = \"b\"", "Cannot update string slices"),
        ("[] | .[[1]] = 1", "Cannot update field at array index of array"),
        ("[] | .[{}]", "Array/string slice indices must be integers"),
        ("{(1, \"a\" | .): 1}", "Cannot use number (1) as object key"),
        ("\"x\" | mktime", "mktime requires array inputs"),
        ("[\"a\"] | mktime", "mktime requires parsed datetime inputs"),
        ("0 | strftime([])", "strftime/1 requires a string format"),
        ("\"x\" | strptime(\"%Y\")", "date \"x\" does not match format \"%Y\""),
        ("getpath(1)", "Path must be specified as an array"),
    ] {
        let shown = outputs(&format!("try ({source}) catch ."), "null");
        assert_eq!(shown, [serde_json::Value::from(text).to_string()], "{source}");
    }
}

#[test]
fn paths_lead_to_parts_of_the_input() {
    check(&[
        (
            "[path(first(.a, .b), limit(1; .c), (.d // .e), getpath([\"f\", 0]))]",
            "null",
            &[r#"[["a"],["c"],["e"],["f",0]]"#],
        ),
        ("path(reduce (\"a\", \"b\") as $key (.; .[$key]))", "null", &["error"]),
        ("path(foreach \"a\" as $key (.; .[$key]))", "null", &["error"]),
        (".a |= empty", "null", &["null"]),
        ("[.[nan]], (.[nan] = 1)", "[1]", &["[null]", "error"]),
        ("del(.[0], .[-1]), del(.[1:]), del(.[5])", "[1,2,3]", &["[2]", "[1]", "[1,2,3]"]),
    ]);
}
