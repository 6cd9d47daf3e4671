//! The jq language: evtap and the installed jq run the programs of the jq manual and must give the
//! same.

use evtap::query::program::{self, Program};
use evtap::query::value;

use crate::predicates::on_stack;
use crate::support::tools;

/// Programs of the jq manual that apply to one value, each with an input.
const MANUAL: &[(&str, &str)] = &[
    (".", "\"Hello\""),
    (".[] as [$a] ?// $a | $a", "[[1],2]"),
    (".foo", r#"{"foo":42,"bar":"less"}"#),
    (".foo", r#"{"notfoo":true}"#),
    (".[\"foo\"]", r#"{"foo":42}"#),
    (".foo?", r#"{"foo":42}"#),
    (".[] as [$a] ?// $a | $a", "[[1],2]"),
    (".[] | (1 / .)?", "[1,0,-1]"),
    ("[.foo?]", "[1,2]"),
    (".[0]", r#"[{"a":1},{"b":2}]"#),
    (".[2]", r#"[{"a":1},{"b":2}]"#),
    (".[-2]", "[1,2,3]"),
    (".[2:4]", r#"["a","b","c","d","e"]"#),
    (".[2:4]", "\"abcdefghi\""),
    (".[:3]", r#"["a","b","c","d","e"]"#),
    (".[-2:]", r#"["a","b","c","d","e"]"#),
    (".[]", r#"[{"a":1},{"b":2}]"#),
    (".[]", r#"{"a":1,"b":1}"#),
    (".foo, .bar", r#"{"foo":42,"bar":"x","baz":true}"#),
    (".user, .projects[]", r#"{"user":"s","projects":["jq","w"]}"#),
    (".[] | .name", r#"[{"name":"JSON"},{"name":"XML"}]"#),
    ("(. + 2) * 5", "1"),
    ("[.user, .projects[]]", r#"{"user":"s","projects":["jq","w"]}"#),
    ("[ .[] | . * 2]", "[1,2,3]"),
    ("{user, title: .titles[]}", r#"{"user":"s","titles":["a","b"]}"#),
    ("{(.user): .titles}", r#"{"user":"s","titles":["a","b"]}"#),
    (".. | .a?", r#"[[{"a":1}]]"#),
    (".a + 1", r#"{"a":7}"#),
    (".a + .b", r#"{"a":[1,2],"b":[3,4]}"#),
    (".a + null", r#"{"a":1}"#),
    ("{a: 1} + {b: 2} + {c: 3} + {a: 42}", "null"),
    ("4 - .a", r#"{"a":3}"#),
    (". - [\"xml\", \"yaml\"]", r#"["xml","yaml","json"]"#),
    ("10 / . * 3", "5"),
    (". / \", \"", "\"a, b,c,d, e\""),
    ("{\"k\": {\"a\": 1, \"b\": 2}} * {\"k\": {\"a\": 0, \"c\": 3}}", "null"),
    ("map(length)", r#"[[1,2],"string",{"a":2},null]"#),
    ("keys", r#"{"abc":1,"abcd":2,"Foo":3}"#),
    ("keys", "[42,3,35]"),
    ("map(has(\"foo\"))", r#"[{"foo":42},{}]"#),
    ("map(has(2))", r#"[[0,1],["a","b","c"]]"#),
    (".[] | in({\"foo\": 42})", r#"["foo","bar"]"#),
    ("map(. + 1)", "[1,2,3]"),
    ("map_values(. + 1)", r#"{"a":1,"b":2,"c":3}"#),
    ("[paths]", "[1,[[],{\"a\":2}]]"),
    ("add", r#"["a","b","c"]"#),
    ("add", "[1,2,3]"),
    ("add", "[]"),
    ("any", "[true,false]"),
    ("all", "[true,true]"),
    ("any", "[]"),
    ("all", "[]"),
    ("flatten", "[1,[2],[[3]]]"),
    ("flatten(1)", "[1,[2],[[3]]]"),
    ("flatten", r#"[{"foo":"bar"},[{"foo":"baz"}]]"#),
    ("[range(2; 4)]", "null"),
    ("[range(0; 10; 3)]", "null"),
    ("[range(0; -5; -1)]", "null"),
    ("floor", "3.14159"),
    ("sqrt", "9"),
    ("tostring", "[1,\"1\"]"),
    (".[] | tostring", r#"[1,"1",[1]]"#),
    (".[] | tonumber", r#"[1,"1"]"#),
    ("map(type)", r#"[0,false,[],{},null,"hello"]"#),
    ("sort", "[8,3,null,6]"),
    ("sort_by(.foo)", r#"[{"foo":4,"bar":10},{"foo":3,"bar":100},{"foo":2,"bar":1}]"#),
    ("group_by(.foo)", r#"[{"foo":1,"bar":10},{"foo":3,"bar":100},{"foo":1,"bar":1}]"#),
    ("min", "[5,4,2,7]"),
    ("max_by(.foo)", r#"[{"foo":1,"bar":14},{"foo":2,"bar":3}]"#),
    ("unique", "[1,2,5,3,5,3,1,3]"),
    ("unique_by(.foo)", r#"[{"foo":1,"bar":2},{"foo":1,"bar":3},{"foo":4,"bar":5}]"#),
    ("reverse", "[1,2,3,4]"),
    ("contains(\"bar\")", "\"foobar\""),
    ("contains([\"baz\", \"bar\"])", r#"["foobar","foobaz","blarp"]"#),
    ("contains({foo: 12, bar: [{barp: 12}]})", r#"{"foo":12,"bar":[1,2,{"barp":12,"blip":13}]}"#),
    ("indices(\", \")", "\"a,b, cd, efg, hijk\""),
    ("indices(1)", "[0,1,2,1,3,1,4]"),
    ("index(\", \")", "\"a,b, cd, efg\""),
    ("inside(\"foobar\")", "\"bar\""),
    ("[.[] | startswith(\"foo\")]", r#"["fo","foo","barfoo","foobar"]"#),
    ("[.[] | endswith(\"foo\")]", r#"["foobar","barfoo"]"#),
    ("explode", "\"foobar\""),
    ("implode", "[65,66,67]"),
    ("[.[] | ltrimstr(\"foo\")]", r#"["fo","foo","barfoo","foobar"]"#),
    ("[.[] | rtrimstr(\"foo\")]", r#"["fo","foo","barfoo","foobar"]"#),
    ("split(\", \")", "\"a, b,c,d, e\""),
    ("join(\", \")", r#"["a","b,c,d","e"]"#),
    ("ascii_downcase, ascii_upcase", "\"Hello\""),
    ("[recurse(if . < 3 then . + 1 else empty end)]", "0"),
    ("transpose", "[[1],[2,3]]"),
    ("\"The input was \\(.), which is one less than \\(. + 1)\"", "42"),
    ("[.[] | tojson | fromjson]", r#"["foo",1,["a",1,"b",2,{"foo":"bar"}]]"#),
    ("@html", "\"This works if x < y\""),
    ("@sh \"echo \\(.)\"", "\"O'Hara's Ale\""),
    ("@base64", "\"This is a message\""),
    ("@base64d", "\"VGhpcyBpcyBhIG1lc3NhZ2U=\""),
    ("@csv", r#"[1,"a\"b",null,true]"#),
    ("@tsv", r#"[1,"a\tb",null,true]"#),
    ("@uri", "\"a b&c\""),
    ("fromdate", "\"2015-03-05T23:51:47Z\""),
    ("todate", "1425599621"),
    (".[] == 1", "[1,1.0,\"1\",\"banana\"]"),
    ("if . == 0 then \"zero\" elif . == 1 then \"one\" else \"many\" end", "2"),
    (". < 5", "2"),
    ("[true, false | (true, false) or .]", "null"),
    ("[true, true and false]", "null"),
    ("[true, false | not]", "null"),
    (".foo // 42", r#"{"foo":19}"#),
    (".foo // 42", "{}"),
    ("(false, null, 1) // 42", "null"),
    ("[.[] | try error catch .]", "[1,\"x\"]"),
    ("try error(\"some exception\") catch .", "true"),
    ("[.[] | .a?]", r#"[{},true,{"a":1}]"#),
    ("test(\"foo\")", "\"foo\""),
    (".[] | test(\"a b c # spaces are ignored\"; \"ix\")", r#"["xabcd","ABC"]"#),
    ("[match(\"foo\"; \"g\") | .offset]", "\"foo bar foo\""),
    ("capture(\"(?<a>[a-z]+)-(?<n>[0-9]+)\")", "\"xyzzy-14\""),
    ("[scan(\"c\")]", "\"abcdefabc\""),
    ("split(\", *\"; null)", "\"ab,cd, ef\""),
    ("gsub(\"p\"; \"a\")", "\"p1p2\""),
    ("ascii_downcase | test(\"refill\")", "\"My REFILL\""),
    (". as [$a, $b, {c: $c}] | $a + $b + $c", r#"[2,3,{"c":4}]"#),
    ("def addvalue(f): . + [f]; map(addvalue(.[0]))", "[[1,2],[10,20]]"),
    ("reduce .[] as $item (0; . + $item)", "[10,2,5,3]"),
    ("[foreach .[] as $item (0; . + $item; [$item, . * 2])]", "[1,2,3]"),
    ("[limit(3; .[])]", "[0,1,2,3,4,5]"),
    ("[first(range(.)), last(range(.)), nth(5; range(.))]", "10"),
    ("[while(. < 100; . * 2)]", "1"),
    ("[.[] | [., 1] | until(.[0] < 1; [.[0] - 1, .[1] * .[0]]) | .[1]]", "[1,2,3,4,5]"),
    ("[repeat(. * 2; 10)] | length", "1"),
    (".. |= (if type == \"number\" then . + 1 else . end)", "[[1,2],[3]]"),
    ("(.. | select(type == \"boolean\")) |= not", "[true,[false]]"),
    (".foo |= . + 1", r#"{"foo":41}"#),
    (".foo += 1", r#"{"foo":42}"#),
    (".a = .b", r#"{"a":{"b":10},"b":20}"#),
    (".[0].a |= \"x\"", r#"[{"a":1}]"#),
    ("del(.foo)", r#"{"foo":42,"bar":9001}"#),
    ("del(.[1, 2])", r#"["foo","bar","baz"]"#),
    ("to_entries", r#"{"a":1,"b":2}"#),
    ("from_entries", r#"[{"key":"a","value":1},{"key":"b","value":2}]"#),
    ("with_entries(.key |= \"KEY_\" + .)", r#"{"a":1,"b":2}"#),
    ("[splits(\", *\")]", "\"ab,cd, ef\""),
    ("walk(if type == \"array\" then sort else . end)", "[[4,1,7],[8,5,2]]"),
    ("[combinations]", "[[1,2],[3,4]]"),
    ("getpath([\"a\", \"b\"])", "null"),
    ("[getpath([\"a\", \"b\"], [\"a\", \"c\"])]", r#"{"a":{"b":0,"c":1}}"#),
    ("setpath([\"a\", \"b\"]; 1)", "null"),
    ("delpaths([[\"a\", \"b\"]])", r#"{"a":{"b":1},"x":{"y":2}}"#),
    ("[leaf_paths]", r#"{"a":[1]}"#),
    ("[.[] | select(. >= 2)]", "[1,5,3,0,7]"),
    (".[] | select(.id == \"second\")", r#"[{"id":"first","val":1},{"id":"second","val":2}]"#),
    ("empty", "null"),
    ("[1, empty, 2]", "null"),
    ("tojson", "[1,1.5,\"x\"]"),
    ("infinite > 1", "null"),
    ("[.[] | isvalid(tonumber)]", "[\"1\"]"),
    ("splits(\"a\")", "\"bab\""),
    ("min_by(.a), max_by(.a)", r#"[{"a":1},{"a":2}]"#),
    ("ascii", "65"),
    ("IN(1, 2)", "2"),
    ("INDEX(.id)", r#"[{"id":1},{"id":2}]"#),
    (
        "label $out | foreach .[] as $item (3; . - 1; if . < 1 then $item, break $out else $item end)",
        "[11,22,33]",
    ),
];

/// Returns the outputs of the installed jq; `None` if it refuses the program or fails.
fn by_installed_jq(source: &str, input: &str) -> Option<Vec<serde_json::Value>> {
    use std::io::Write;
    let mut jq = std::process::Command::new("jq")
        .args(["-c", source])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .ok()?;
    jq.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let output = jq.wait_with_output().ok()?;
    output.status.success().then(|| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    })
}

#[test]
fn the_programs_of_the_jq_manual_give_the_same_as_jq() {
    if !tools::available(&["jq"]) {
        return;
    }
    let by_evtap = |source: &str, input: &str| {
        on_stack(|| {
            let program = Program::compile(&program::parse("--jq", source).ok()?, &[]).ok()?;
            let mut outputs = Vec::new();
            let end = program.run(value::json(input), |value| {
                let json = value.to_safe_json().expect("a short value");
                outputs.push(
                    serde_json::from_str::<serde_json::Value>(&json)
                        .unwrap_or_else(|_| panic!("{source} gives no JSON: {json}")),
                );
                true
            });
            end.ok().map(|()| outputs)
        })
    };
    let mut compared = 0;
    let mut differing = Vec::new();
    for (source, input) in MANUAL {
        let Some(expected) = by_installed_jq(source, input) else { continue };
        compared += 1;
        let given = by_evtap(source, input);
        if given.as_ref() != Some(&expected) {
            differing.push(format!("{source} on {input}: jq gives {expected:?}, evtap {given:?}"));
        }
    }
    assert!(compared > 150, "only {compared} programs were compared");
    assert!(differing.is_empty(), "{compared} compared, these differ:\n{}", differing.join("\n"));
}
