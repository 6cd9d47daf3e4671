//! The filters that programs can call.
//!
//! They are those of jq, without the ones that reach outside the event: files, the environment,
//! other inputs, the clock, output and the end of the process.

use std::collections::HashSet;

use jaq_core::load::parse::Def;
use jaq_core::native::Fun;

use super::engine::{JqEngine, step_filter};
use crate::query::patterns;

/// The filters and variables of jq that evtap does not provide, because they reach outside the
/// event.
pub(super) const UNAVAILABLE: &[&str] = &[
    "env",
    "$ENV",
    "$__prog_args",
    "input",
    "inputs",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "input_filename",
    "input_line_number",
    "get_search_list",
    "$__loc__",
    "import",
    "include",
    "modulemeta",
    "debug_empty",
    "stderr_empty",
    "now",
    "localtime",
    "mktime",
    "strflocaltime",
];

/// Definitions of jq that jaq lacks or defines differently.
pub(super) const PRELUDE: &str = r#"
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def test(re; flags): evtap_test(re; flags);
def test(re): evtap_test(re; "");
def ascii: [.] | implode;
def leaf_paths: paths(scalars);
def ltrimstr($s): if isstring and ($s | isstring) and startswith($s) then .[$s | length:] else . end;
def rtrimstr($s): if isstring and ($s | isstring) and endswith($s) and $s != "" then .[:-($s | length)] else . end;
def delpaths($paths): reduce ($paths | sort | reverse | .[]) as $path (.; getpath($path) |= empty);
def del(f): delpaths([path(f)]);
def setpath($path; $x):
  if $path == [] then $x
  else if . == null then (if $path[0] | isstring then {} else [] end) else . end | .[$path[0]] |= setpath($path[1:]; $x) end;
def @csv: map(if isstring then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" elif isarray or isobject then error("an array can't be a cell") else tostring end) | join(",");
def @tsv: map(if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r") elif . == null then "" else tostring end) | join("\t");
"#;

/// Returns the definitions that are written in jq.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let own = jaq_core::load::parse(PRELUDE, |parser| parser.defs()).unwrap_or_default();
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .filter(|def| !UNAVAILABLE.contains(&def.name))
        .chain(own)
}

/// Returns the native filters: jaq's, except for those that [`patterns`] replaces, and evtap's own.
pub(super) fn native_filters() -> impl Iterator<Item = Fun<JqEngine>> {
    let is_left_out = |name| UNAVAILABLE.contains(&name) || patterns::NAMES.contains(&name);
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(move |fun: &Fun<JqEngine>| !is_left_out(fun.0))
        .chain(patterns::funs())
        .chain(std::iter::once(step_filter()))
}

/// Returns the names of all filters of jq that a program can call, for suggestions.
pub(super) fn names() -> HashSet<String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).map(|def| def.name);
    let funs = jaq_core::funs::<JqEngine>()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .map(|fun| fun.0);
    defs.chain(funs).filter(|name| !UNAVAILABLE.contains(name)).map(str::to_owned).collect()
}
