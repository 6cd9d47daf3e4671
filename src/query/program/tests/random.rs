//! Random programs on random JSON: none panics, and every output is JSON.

use proptest::prelude::*;

use super::*;

fn json() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.50",
        "1e300",
        "123456789012345678901",
        "\"\"",
        "\"a,b\"",
        "\"é\\u0000\"",
        "\"[1,{}]\"",
        "\"1999999999\"",
        "[]",
        "{}",
    ]);
    scalar.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "key"]), inner), 0..3)
                .prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
        ]
    })
}

fn program() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        ".",
        ".a",
        ".[0]",
        ".[-1]",
        ".[1:]",
        ".[]?",
        "..",
        "1",
        "-2.5",
        "1e9",
        "null",
        "\"x\"",
        "[]",
        "{}",
        "nan",
        "keys",
        "length",
        "add",
        "sort",
        "unique",
        "reverse",
        "flatten",
        "min",
        "max",
        "tojson",
        "fromjson",
        "tostring",
        "tonumber",
        "explode",
        "implode",
        "to_entries",
        "paths",
        "@csv",
        "@base64",
        "@base64d",
        "@uri",
        "@html",
        "@sh",
        "@tsv",
        "floor",
        "abs",
        "type",
        "ascii_downcase",
        "trim",
        "transpose",
        "first",
        "last",
        "any",
        "all",
        "not",
        "leaf_paths",
        "[paths]",
        "combinations",
        "indices(1)",
        "split(\",\")",
        "test(\"a\")",
        "[match(\"\"; \"g\")]",
        "gsub(\"\"; \"-\")",
        "[splits(\"a\")]",
        "range(5)",
        "recurse",
        "empty",
        "error",
        "infinite",
        "walk(.)",
        "del(.[0])",
        "del(.. )",
        "pick(.a)",
        "bsearch(1)",
        "has(0)",
        "contains(\"a\")",
        "group_by(.)",
        "sort_by(.a)",
        "getpath([\"a\", 0])",
        "with_entries(.)",
        "map_values(empty)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 24, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let operator = prop::sample::select(vec![
            "|", ",", "+", "-", "*", "/", "%", "//", "==", "<", "and", "or", "=", "|=", "+=", "*=",
        ]);
        prop_oneof![
            (pair.clone(), operator)
                .prop_map(|((left, right), op)| format!("(({left}) {op} ({right}))")),
            inner.clone().prop_map(|inner| format!("[{inner}]")),
            inner.clone().prop_map(|inner| format!("try ({inner}) catch .")),
            inner.clone().prop_map(|inner| format!("path({inner})")),
            inner.clone().prop_map(|inner| format!("[limit(3; {inner})]")),
            inner.clone().prop_map(|inner| format!("reduce range(40) as $x (.; {inner})")),
            inner.clone().prop_map(|inner| format!("[foreach .[]? as $x (.; {inner})]")),
            inner.clone().prop_map(|inner| format!("[recurse({inner})]")),
            inner.clone().prop_map(|inner| format!("until({inner}; [., .])")),
            pair.clone().prop_map(|(key, value)| format!("{{({key}): {value}}}")),
            pair.clone().prop_map(|(path, value)| format!("setpath([{path}]; {value})")),
            pair.prop_map(|(whole, part)| format!("(({whole}) | .[{part}])")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_program_panics_or_gives_anything_but_json(source in program(), input in json()) {
        let Ok(parsed) = parse("--jq", &source) else { return Ok(()) };
        let Ok(compiled) = Program::compile(&parsed, &[]) else { return Ok(()) };
        let compiled = compiled.with_budget(StepBudget::INTERACTIVE);
        let outputs = std::thread::scope(|scope| {
            let run = || {
                let mut outputs = Vec::new();
                let _ = compiled.run(value::json(&input), |output| {
                    outputs.extend(output.to_safe_json());
                    outputs.len() < 1000
                });
                outputs
            };
            let thread = std::thread::Builder::new().stack_size(THREAD_STACK);
            thread.spawn_scoped(scope, run).expect("a thread").join().expect("no panic")
        });
        for output in outputs {
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&output).is_ok();
            prop_assert!(is_json, "{} gives {}", source, output);
        }
    }
}
