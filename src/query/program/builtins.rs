//! The filters that programs can call.
//!
//! They are those of jq, without the ones that reach outside the event: files, the environment,
//! other inputs, the clock, output and the end of the process.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use jaq_core::load::parse::Def;
use jaq_core::native::{bome, run, v};

use super::assignment;
use super::desugar::desugar_def;
use super::engine::{NativeFilter, step_filter};
use super::natives;
use super::parse::parse_definitions;
use super::steps::RANGE;
use crate::query::value::{JqValue, ValueResult, budget, exhausted};

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
    "import",
    "include",
    "modulemeta",
    "debug_empty",
    "stderr_empty",
    "now",
];

/// The filters of jaq under other names, for the prelude to build on.
const RENAMED: &[(&str, &str)] = &[
    ("atan2", "evtap_atan2"),
    ("copysign", "evtap_copysign"),
    ("error_empty", "evtap_error"),
    ("fdim", "evtap_fdim"),
    ("first", "evtap_first"),
    ("fma", "evtap_fma"),
    ("fmax", "evtap_fmax"),
    ("fmin", "evtap_fmin"),
    ("fmod", "evtap_fmod"),
    ("gmtime", "evtap_gmtime"),
    ("hypot", "evtap_hypot"),
    ("last", "evtap_last"),
    ("ldexp", "evtap_ldexp"),
    ("limit", "evtap_limit"),
    ("localtime", "evtap_localtime"),
    ("nextafter", "evtap_nextafter"),
    ("pow", "evtap_pow"),
    ("range", RANGE),
    ("remainder", "evtap_remainder"),
    ("scalbln", "evtap_scalbln"),
    ("setpath", "evtap_setpath"),
    ("skip", "evtap_skip"),
    ("strflocaltime", "evtap_strflocaltime"),
    ("strftime", "evtap_strftime"),
    ("strptime", "evtap_strptime"),
];

/// The native filters of jaq that programs can call: those of its core that work on paths and
/// sequences, and those on numbers and dates.
const FROM_JAQ: &[&str] = &[
    "path",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "exp10",
    "exp2",
    "expm1",
    "fabs",
    "frexp",
    "fromdateiso8601",
    "ilogb",
    "j0",
    "j1",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "modf",
    "rint",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "tgamma",
    "trunc",
    "y0",
    "y1",
];

/// Returns the definitions that are written in jq.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    parse_definitions(include_str!("prelude.jq")).unwrap_or_default().into_iter().map(desugar_def)
}

/// Returns the native filters: evtap's own, and those of jaq that do not work on values of any size.
pub(super) fn native_filters() -> impl Iterator<Item = NativeFilter> {
    let own: HashSet<_> = natives::filters().map(|(name, args, _)| (name, args.len())).collect();
    let of_jaq = jaq_core::funs().chain(jaq_std::funs()).filter(move |(name, args, _)| {
        let is_offered = FROM_JAQ.contains(name) || RENAMED.iter().any(|(old, _)| old == name);
        is_offered && !own.contains(&(*name, args.len()))
    });
    let rename = |(name, args, filter)| {
        let new_name = RENAMED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new);
        (new_name.unwrap_or(name), args, filter)
    };
    natives::filters()
        .chain(of_jaq)
        .map(rename)
        .chain(assignment::funs())
        .chain([step_filter(), run(("builtins", v(0), |_| bome(signatures())))])
}

/// Returns the name and the number of arguments of each filter, such as `map/1`.
fn signatures() -> ValueResult {
    static ALL: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let defs = definitions().map(|def| (def.name, def.args.len()));
        let natives = native_filters().map(|(name, args, _)| (name, args.len()));
        let is_public = |name: &str| !name.starts_with('@') && !name.starts_with("evtap_");
        let all = defs.chain(natives).filter(|(name, _)| is_public(name));
        all.map(|(name, count)| format!("{name}/{count}")).collect()
    });
    if !budget::pay(ALL.iter().map(|signature| signature.len() as u64).sum()) {
        return Err(exhausted());
    }
    Ok(ALL.iter().map(JqValue::text).collect())
}

/// Returns the names of all filters of jq that a program can call, for suggestions.
pub(super) fn names() -> HashSet<String> {
    let defs = definitions().map(|def| def.name);
    let funs = native_filters().map(|(name, ..)| name);
    let is_public = |name: &&str| !name.starts_with("evtap_");
    defs.chain(funs).filter(is_public).map(str::to_owned).collect()
}
