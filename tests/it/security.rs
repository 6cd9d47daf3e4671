//! SECURITY.md is correct: every threat names tests, and they exist.

use std::path::Path;

#[test]
fn every_threat_names_tests_that_exist() {
    let text = include_str!("../../SECURITY.md");
    let table = text.split("| threat | what is done | tests |").nth(1).expect("a table");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 15, "the table is not found");
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().expect("a cell");
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            let (module, function) = name.rsplit_once("::").expect("a path");
            let module = module.replace("::", "/");
            // Unit tests are in a file of their own or at the end of the module's file.
            let places = ["tests/it/", "src/"].map(|place| format!("{place}{module}"));
            let places =
                places.iter().flat_map(|place| [place.as_str(), place.trim_end_matches("/tests")]);
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let source = places
                .map(|place| format!("{place}.rs"))
                .find_map(|place| std::fs::read_to_string(root.join(place)).ok())
                .expect("a module");
            assert!(source.contains(&format!("fn {function}(")), "{name} does not exist");
        }
    }
}

/// Checks what `deny.toml` demands without cargo-deny, which is not installed everywhere.
#[test]
fn no_dependency_is_banned_and_all_come_from_crates_io() {
    let quoted = |line: &'static str| line.split('"').skip(1).step_by(2).collect::<Vec<_>>();
    let denied = include_str!("../../deny.toml")
        .lines()
        .find(|line| line.starts_with("deny = ["))
        .expect("a list of bans");
    let banned = quoted(denied);
    assert!(banned.contains(&"openssl-sys") && banned.contains(&"native-tls"), "{banned:?}");
    let packages: Vec<_> = include_str!("../../Cargo.lock").split("[[package]]").skip(1).collect();
    assert!(packages.len() > 100);
    for package in packages {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)).map(|rest| quoted(rest)[0])
        };
        let name = value("name = ").expect("a name");
        assert!(!banned.contains(&name), "{name} is banned");
        let is_ours = name == "evtap";
        assert!(
            is_ours
                || value("source = ")
                    == Some("registry+https://github.com/rust-lang/crates.io-index"),
            "{name}"
        );
    }
    assert!(include_str!("../../Cargo.toml").contains("unsafe_code = \"forbid\""));
}
