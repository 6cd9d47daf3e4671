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

/// What `deny.toml` demands and needs no tool: cargo deny isn't everywhere.
#[test]
fn no_dependency_is_banned_and_all_come_from_crates_io() {
    let denied: toml::Table = toml::from_str(include_str!("../../deny.toml")).expect("TOML");
    let banned: Vec<_> = denied["bans"]["deny"].as_array().expect("a list").iter().filter_map(toml::Value::as_str).collect();
    assert!(banned.contains(&"openssl-sys") && banned.contains(&"native-tls"), "{banned:?}");
    let lock: toml::Table = toml::from_str(include_str!("../../Cargo.lock")).expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        assert!(!banned.contains(&name), "{name} is banned");
        let source = package.get("source").and_then(toml::Value::as_str);
        let is_ours = source.is_none() && name == "evtap";
        assert!(is_ours || source == Some("registry+https://github.com/rust-lang/crates.io-index"), "{name}: {source:?}");
    }
    let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).expect("TOML");
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}
