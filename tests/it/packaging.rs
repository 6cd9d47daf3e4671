//! The packages, the archives and the image agree on what they contain and where they come from.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

fn manifest() -> DocumentMut {
    include_str!("../../Cargo.toml").parse().expect("TOML")
}

fn dist() -> DocumentMut {
    include_str!("../../dist-workspace.toml").parse().expect("TOML")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(item: &Item) -> &str {
    item.as_str().expect("a text")
}

/// Returns the files that a list of sources names, some of which are `directory/*.extension`.
fn files<'a>(sources: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for source in sources {
        let Some((directory, extension)) = source.split_once("/*") else {
            files.insert(source.to_owned());
            continue;
        };
        let entries = std::fs::read_dir(root().join(directory)).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.into_string().expect("UTF-8"));
        let names: Vec<_> = names.filter(|name| name.ends_with(extension)).collect();
        assert!(!names.is_empty(), "{source} names no file");
        files.extend(names.into_iter().map(|name| format!("{directory}/{name}")));
    }
    files
}

/// The sources and the destinations of a package.
type Assets = Vec<(String, String)>;

fn deb_assets() -> Assets {
    let manifest = manifest();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().expect("a list");
    let assets = assets.iter().map(|asset| asset.as_array().expect("a list"));
    let part = |asset: &toml_edit::Array, at| {
        asset.get(at).and_then(|part| part.as_str()).expect("a text").to_owned()
    };
    assets.map(|asset| (part(asset, 0), format!("/{}", part(asset, 1)))).collect()
}

fn rpm_assets() -> Assets {
    let manifest = manifest();
    let rpm = &manifest["package"]["metadata"]["generate-rpm"];
    let assets = rpm["assets"].as_array().expect("a list").iter();
    let part = |asset: &toml_edit::Value, name| {
        let asset = asset.as_inline_table().expect("a table");
        asset.get(name).and_then(|part| part.as_str()).expect("a text").to_owned()
    };
    assets.map(|asset| (part(asset, "source"), part(asset, "dest"))).collect()
}

/// Returns a destination as the path of a file.
fn installed(source: &str, destination: &str) -> String {
    let (_, name) = source.rsplit_once('/').unwrap_or(("", source));
    if destination.ends_with('/') { format!("{destination}{name}") } else { destination.to_owned() }
}

#[test]
fn both_packages_install_the_same_files() {
    let (deb, rpm) = (deb_assets(), rpm_assets());
    let all = |assets: &Assets| files(assets.iter().map(|(source, _)| source.as_str()));
    let mut deb_files = all(&deb);
    // The Debian package makes a file `copyright` from it.
    deb_files.insert("LICENSE".to_owned());
    assert_eq!(deb_files, all(&rpm));
    // Only zsh looks elsewhere.
    for (source, destination) in &deb {
        let (_, other) = rpm.iter().find(|(other, _)| other == source).expect("in both");
        let (deb, rpm) = (installed(source, destination), installed(source, other));
        assert!(deb == rpm || source == "completions/_evtap", "{source}: {deb} and {rpm}");
    }
}

#[test]
fn packages_and_archives_contain_all_that_is_generated_and_documented() {
    let all = files(rpm_assets().iter().map(|(source, _)| source.as_str()));
    for directory in ["man", "completions", "docs"] {
        for file in files([format!("{directory}/*")].iter().map(String::as_str)) {
            // No directory of a package is searched by PowerShell.
            assert!(all.contains(&file) || file == "completions/evtap.ps1", "{file} is left out");
        }
    }
    let dist = dist();
    let include = dist["dist"]["include"].as_array().expect("a list").iter();
    let include: Vec<_> = include.map(|path| path.as_str().expect("a text")).collect();
    // `dist` adds these by itself.
    let own = ["README.md", "LICENSE", "CHANGELOG.md"];
    for file in
        all.iter().filter(|file| !file.starts_with("docs/") && *file != "target/release/evtap")
    {
        let directory = file.split('/').next().expect("a name");
        let is_included = include.contains(&directory) || own.contains(&directory);
        assert!(is_included, "{file} is in the packages, but not in the archives");
    }
    assert!(include.iter().all(|path| root().join(path).exists()), "{include:?}");
}

#[test]
fn the_workflow_builds_what_dist_and_binstall_expect() {
    let (dist, manifest) = (dist(), manifest());
    let workflow = include_str!("../../.github/workflows/release.yml");
    let targets = dist["dist"]["targets"].as_array().expect("a list").iter();
    let targets: BTreeSet<_> = targets.map(|target| target.as_str().expect("a text")).collect();
    let built = workflow.lines().filter_map(|line| line.trim().strip_prefix("- { target: "));
    let built: BTreeSet<_> = built.filter_map(|rest| rest.split(',').next()).collect();
    assert_eq!(built, targets);
    let binstall = &manifest["package"]["metadata"]["binstall"];
    assert_eq!(text(&dist["dist"]["unix-archive"]), ".tar.gz");
    assert!(text(&binstall["pkg-url"]).ends_with("/v{ version }/evtap-{ target }.tar.gz"));
    let windows = binstall["overrides"].as_table().expect("a table");
    for (target, archive) in windows {
        assert!(targets.contains(target), "{target}");
        assert!(text(&archive["pkg-url"]).ends_with("/v{ version }/evtap-{ target }.zip"));
    }
    let others = targets.iter().filter(|target| target.contains("-windows-"));
    assert!(others.clone().all(|target| windows.contains_key(target)) && others.count() > 0);
    assert!(manifest["profile"].get("dist").is_some(), "dist builds with a profile of that name");
}

#[test]
fn the_image_has_no_user_with_rights_and_no_shell() {
    let dockerfile = include_str!("../../Dockerfile");
    let (_, image) = dockerfile.split_once("FROM scratch\n").expect("the image itself");
    let lines = image.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in lines {
        let word = line.split(' ').next().expect("an instruction");
        assert!(
            ["COPY", "ENV", "WORKDIR", "USER", "ENTRYPOINT", "CMD"].contains(&word),
            "{line} needs a shell or a network"
        );
    }
    assert!(image.contains("\nUSER 65532:65532\n"), "a number that is not root's");
    assert!(image.contains("/etc/ssl/certs/ca-certificates.crt"), "rustls trusts what is there");
    // Cargo refuses a manifest that names a missing file, and the source includes others.
    let context = include_str!("../../.dockerignore");
    let named = ["tests", "benches", "examples", "Cargo.toml", "Cargo.lock"].map(str::to_owned);
    let included = included(&root().join("src"));
    assert!(included.contains("completions") && included.contains("src"), "{included:?}");
    for path in included.into_iter().chain(named) {
        assert!(context.contains(&format!("!{path}\n")), "{path} is not in the context");
    }
}

/// Returns the first component of each path that source files include.
fn included(directory: &Path) -> BTreeSet<String> {
    let include = regex::Regex::new(r#"include_str!\("([^"]+)"\)"#).expect("a regex");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(included(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            for file in include.captures_iter(&text) {
                let file = directory.join(&file[1]).canonicalize().expect("it exists");
                let file = file.strip_prefix(root().canonicalize().expect("a path"));
                let first = file.expect("in the repository").iter().next().expect("a component");
                found.insert(first.to_string_lossy().into_owned());
            }
        }
    }
    found
}
