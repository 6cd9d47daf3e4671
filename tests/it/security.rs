//! SECURITY.md tells the truth: every threat has tests, and they exist.

use std::path::Path;

#[test]
fn no_threat_is_without_a_test_that_exists() {
    let text = include_str!("../../SECURITY.md");
    let table = text.split("| threat | what is done | tests |").nth(1).expect("a table");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 15, "the table is not found");
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().expect("a cell");
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            let (module, function) = name.split_once("::").expect("a path");
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
            let source = [dir.join(format!("{module}.rs")), dir.join(module).join("mod.rs")];
            let source = source.iter().find_map(|path| std::fs::read_to_string(path).ok()).expect("a module");
            assert!(source.contains(&format!("fn {function}(")), "{name} is not there");
        }
    }
}
