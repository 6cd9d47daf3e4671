//! Suggestions for misspelt names ("did you mean …?").

/// The Jaro–Winkler similarity above which [`nearest`] suggests a name.
const NEAREST_THRESHOLD: f64 = 0.8;

/// The similarity above which [`similar`] suggests a name. It is higher, as several are offered.
const SIMILAR_THRESHOLD: f64 = 0.82;

/// How far below the best similarity another suggestion of [`similar`] may be.
const SIMILAR_SPREAD: f64 = 0.07;

/// The largest number of suggestions that [`similar`] returns.
const MAX_SIMILAR: usize = 3;

/// Returns the name most similar to `typed`, if one is similar enough to suggest.
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > NEAREST_THRESHOLD)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Returns up to three names similar to `typed`, best first, or none if nothing is similar enough.
#[must_use]
pub fn similar<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > SIMILAR_THRESHOLD)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.dedup_by_key(|(_, name)| *name);
    let best = near.first().map_or(0.0, |(likeness, _)| *likeness);
    near.into_iter()
        .take(MAX_SIMILAR)
        .filter(|(likeness, _)| *likeness > best - SIMILAR_SPREAD)
        .map(|(_, name)| name)
        .collect()
}

/// Returns the advice for a `name` that the configuration does not define: the name that was
/// probably meant, or else the names that exist. `kind` says what is named, such as `filter`.
pub fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone, kind: &str) -> String {
    if let Some(likely) = nearest(name, names.clone()) {
        return format!("did you mean {likely}?");
    }
    match names.collect::<Vec<_>>().as_slice() {
        [] => format!("there is no {kind} in it; `evtap config init` writes an example"),
        names => format!("it has {}", names.join(", ")),
    }
}
