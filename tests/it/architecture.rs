//! The order of the layers: a module of `src/` imports only from modules above it in the list in
//! docs/architecture.md, and no two files import each other, directly or in a circle.
//!
//! Imports are read from the syntax tree of everything that is not test code: `use` trees and paths in
//! expressions, types and macros. A name that a module re-exports counts as an import of the file that defines
//! it; the re-export itself is no import.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemMacro, ItemMod, ItemUse, UseTree, Visibility};

/// A module's path below the crate root; empty for the root itself.
type Module = Vec<String>;

/// Where a path was written and what it names, segment by segment from the crate root.
type Reference = (Module, Vec<String>);

struct Source {
    /// Names brought into scope or defined here, and what each stands for.
    names: BTreeMap<String, Vec<String>>,
    paths: Vec<Vec<String>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of the crate by module, those that hold only tests included.
fn all_files() -> BTreeMap<Module, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let relative = path.strip_prefix(root()).expect("below src").with_extension("");
                let module: Module =
                    relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                if !["main", "lib"].contains(&module[0].as_str()) {
                    files.insert(module, fs::read_to_string(&path).expect("a source file"));
                }
            }
        }
    }
    files
}

/// The files of the crate by module, without those that hold only tests.
fn files() -> BTreeMap<Module, String> {
    let mut files = all_files();
    files.retain(|module, _| module.iter().all(|part| part != "tests"));
    files
}

fn parse(text: &str) -> File {
    syn::parse_file(text).expect("Rust")
}

fn sources() -> BTreeMap<Module, Source> {
    let files = files().into_iter();
    files
        .map(|(module, text)| {
            let source = read(&module, &parse(&text));
            (module, source)
        })
        .collect()
}

fn read(module: &Module, file: &File) -> Source {
    let mut reader = Reader { module: module.clone(), names: BTreeMap::new(), paths: Vec::new() };
    reader.visit_file(file);
    Source { names: reader.names, paths: reader.paths }
}

struct Reader {
    module: Module,
    names: BTreeMap<String, Vec<String>>,
    paths: Vec<Vec<String>>,
}

fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && {
            let condition = quote_tokens(attribute);
            condition.contains("test") && !condition.contains("not")
        }
    })
}

fn quote_tokens(attribute: &Attribute) -> String {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    }
}

impl Reader {
    /// The path from the crate root, if it names something of this crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?.as_str();
        match first {
            "crate" | "evtap" | "$crate" => Some(path[1..].to_vec()),
            "self" => Some([self.module.as_slice(), &path[1..]].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let kept = self.module.len().checked_sub(ups)?;
                Some([&self.module[..kept], &path[ups..]].concat())
            }
            _ => None,
        }
    }

    fn leaves(tree: &UseTree, prefix: &mut Vec<String>, out: &mut Vec<(Vec<String>, String)>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                Self::leaves(&path.tree, prefix, out);
                prefix.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                out.push((prefix.clone(), prefix.last().cloned().unwrap_or_default()));
            }
            UseTree::Name(name) => {
                let ident = name.ident.to_string();
                out.push(([prefix.as_slice(), std::slice::from_ref(&ident)].concat(), ident));
            }
            UseTree::Rename(rename) => {
                let ident = rename.ident.to_string();
                let path = if ident == "self" {
                    prefix.clone()
                } else {
                    [prefix.as_slice(), &[ident]].concat()
                };
                out.push((path, rename.rename.to_string()));
            }
            UseTree::Glob(_) => out.push((prefix.clone(), String::new())),
            UseTree::Group(group) => {
                for tree in &group.items {
                    Self::leaves(tree, prefix, out);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test_only(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            let name = item.ident.to_string();
            self.names.insert(name.clone(), [self.module.as_slice(), &[name]].concat());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut leaves = Vec::new();
        Self::leaves(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let is_reexport = !matches!(item.vis, Visibility::Inherited);
            let absolute = self.absolute(&path).or_else(|| {
                // `use child::Name` in the parent of `child`.
                let child = path.first().filter(|first| self.names.contains_key(*first))?;
                Some([self.names[child].as_slice(), &path[1..]].concat())
            });
            let Some(absolute) = absolute else { continue };
            if !name.is_empty() {
                self.names.insert(name, absolute.clone());
            }
            if !is_reexport {
                self.paths.push(absolute);
            }
        }
    }

    /// `pub(super)` and `pub(in …)` name a module without using it.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if let Some(absolute) = self.absolute(&parts) {
            self.paths.push(absolute);
        } else if let Some(target) = self.names.get(&parts[0]) {
            self.paths.push([target.as_slice(), &parts[1..]].concat());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        // Arguments of macros are tokens: paths in them are found as text.
        let text = mac.tokens.to_string().replace(' ', "");
        for root in ["$crate::", "crate::", "super::", "self::"] {
            for (at, _) in text.match_indices(root) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|before| before.is_alphanumeric() || "_:$".contains(before)) {
                    continue;
                }
                let path: String = text[at..]
                    .chars()
                    .take_while(|next| next.is_alphanumeric() || "_:$".contains(*next))
                    .collect();
                let parts: Vec<_> =
                    path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                self.paths.extend(self.absolute(&parts));
            }
        }
        visit::visit_macro(self, mac);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        visit::visit_item_macro(self, item);
    }
}

/// The file that defines what a path names, re-exports followed.
fn definition(sources: &BTreeMap<Module, Source>, path: &[String]) -> Option<Module> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let length =
            (1..=path.len()).rev().find(|length| sources.contains_key(&path[..*length]))?;
        let module = path[..length].to_vec();
        let Some(name) = path.get(length) else { return Some(module) };
        match sources[&module].names.get(name) {
            Some(target) if *target != path[..=length] => {
                path = [target.as_slice(), &path[length + 1..]].concat();
            }
            _ => return Some(module),
        }
    }
    None
}

/// Which file imports from which.
fn imports(sources: &BTreeMap<Module, Source>) -> BTreeMap<Module, BTreeSet<Module>> {
    let references: Vec<Reference> = sources
        .iter()
        .flat_map(|(module, source)| source.paths.iter().map(|path| (module.clone(), path.clone())))
        .collect();
    let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, path) in references {
        if let Some(to) = definition(sources, &path).filter(|to| *to != from) {
            imports.entry(from).or_default().insert(to);
        }
    }
    imports
}

/// The modules in the order that docs/architecture.md gives.
fn layers() -> Vec<String> {
    let page = include_str!("../../docs/architecture.md");
    let section = page.split("## Layers").nth(1).expect("the section");
    let block = section.split("```").nth(1).expect("the list");
    block.lines().filter_map(|line| Some(line.split_once('/')?.0.to_owned())).collect()
}

/// The modules that `lib.rs` declares.
fn declared() -> Vec<String> {
    let text = fs::read_to_string(root().join("lib.rs")).expect("lib.rs");
    let file = syn::parse_file(&text).expect("Rust");
    let modules = file.items.into_iter().filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    });
    modules.collect()
}

fn name(module: &[String]) -> String {
    format!("src/{}.rs", module.join("/"))
}

#[test]
fn modules_import_only_from_modules_above_them() {
    let layers = layers();
    assert!(layers.len() <= 14, "{} modules are too many to keep in mind", layers.len());
    let (documented, declared): (BTreeSet<_>, BTreeSet<_>) =
        (layers.iter().cloned().collect(), declared().into_iter().collect());
    assert_eq!(documented, declared, "docs/architecture.md and src/lib.rs");
    let rank = |module: &Module| layers.iter().position(|layer| *layer == module[0]);
    let sources = sources();
    let imports = imports(&sources);
    assert!(imports.len() > 100, "the imports are not found");
    let wrong: Vec<_> = imports
        .iter()
        .flat_map(|(from, all)| all.iter().map(move |to| (from, to)))
        .filter(|(from, to)| rank(from) < rank(to))
        .map(|(from, to)| format!("{} imports from {}", name(from), name(to)))
        .collect();
    assert!(wrong.is_empty(), "against the order of docs/architecture.md:\n{}", wrong.join("\n"));
}

/// Tarjan's algorithm, without recursion limits to fear at this size.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    struct Search<'a> {
        imports: &'a BTreeMap<Module, BTreeSet<Module>>,
        index: BTreeMap<&'a Module, usize>,
        low: BTreeMap<&'a Module, usize>,
        stack: Vec<&'a Module>,
        found: Vec<Vec<Module>>,
    }
    impl<'a> Search<'a> {
        fn visit(&mut self, module: &'a Module) {
            let number = self.index.len();
            self.index.insert(module, number);
            self.low.insert(module, number);
            self.stack.push(module);
            for next in self.imports.get(module).into_iter().flatten() {
                if !self.index.contains_key(next) {
                    self.visit(next);
                    let low = self.low[module].min(self.low[next]);
                    self.low.insert(module, low);
                } else if self.stack.contains(&next) {
                    let low = self.low[module].min(self.index[next]);
                    self.low.insert(module, low);
                }
            }
            if self.low[module] == self.index[module] {
                let at = self.stack.iter().position(|on| *on == module).expect("on the stack");
                let circle: Vec<_> = self.stack.split_off(at).into_iter().cloned().collect();
                if circle.len() > 1 {
                    self.found.push(circle);
                }
            }
        }
    }
    let mut search = Search {
        imports,
        index: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for module in imports.keys() {
        if !search.index.contains_key(module) {
            search.visit(module);
        }
    }
    search.found
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports(&sources());
    let mut report = String::new();
    for circle in circles(&imports) {
        report.push_str("a circle:\n");
        for from in &circle {
            for to in imports[from].iter().filter(|to| circle.contains(to)) {
                let _ = writeln!(report, "  {} imports from {}", name(from), name(to));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

fn is_catalog(module: &[String]) -> bool {
    module.starts_with(&["model".to_owned(), "catalog".to_owned()])
}

#[test]
fn no_two_types_have_one_name() {
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, text) in files() {
        if is_catalog(&module) {
            continue;
        }
        for item in parse(&text).items {
            let ident = match item {
                Item::Struct(item) => item.ident,
                Item::Enum(item) => item.ident,
                Item::Trait(item) => item.ident,
                Item::Type(item) => item.ident,
                _ => continue,
            };
            homes.entry(ident.to_string()).or_default().push(name(&module));
        }
    }
    assert!(homes.len() > 200, "the types are not found");
    homes.retain(|_, homes| homes.len() > 1);
    assert!(homes.is_empty(), "one name for several types: {homes:#?}");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let files = all_files().into_iter().filter(|(module, _)| !is_catalog(module));
    let long: Vec<_> = files
        .map(|(module, text)| (name(&module), text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "split these files: {long:?}");
}
