//! The subjects of selected events, by which the broker filters for a reader.
//!
//! The subjects match at least all selected events. What they match beyond that is left to the
//! filter by type, which sees the events later.

use super::stream::covers;
use super::subject::{MAX_TOKENS, SubjectPrefix, push_token, push_type};

/// The maximum number of subjects of a reader. More would be slow for the broker, which compares
/// them one by one, so a longer list is replaced by fewer and broader subjects.
const MAX_SUBJECTS: usize = 64;

/// The maximum number of patterns that the alternatives in braces may expand to.
const MAX_PATTERNS: usize = 256;

/// The characters of a glob that are not literal.
const SPECIAL: [char; 6] = ['*', '?', '[', '{', '}', '\\'];

/// Which events are selected. An empty list selects all.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventSelection<'s> {
    /// The ids of workspaces.
    pub workspaces: &'s [String],
    /// The SIDs of calls, whose observers' events are selected.
    pub calls: &'s [String],
    /// Globs of event types.
    pub types: &'s [String],
}

/// Returns subjects that match all selected events, and the gaps in their streams. No two of them
/// overlap.
#[must_use]
pub fn subjects(prefix: &SubjectPrefix, selection: EventSelection<'_>) -> Vec<String> {
    let EventSelection { workspaces, calls, types } = selection;
    let types = type_tokens(types);
    let found = combine(prefix, workspaces, calls, types.as_deref());
    if found.len() <= MAX_SUBJECTS {
        return found;
    }
    let found = combine(prefix, workspaces, calls, None);
    if found.len() <= MAX_SUBJECTS { found } else { vec![prefix.all()] }
}

fn combine(
    prefix: &SubjectPrefix,
    workspaces: &[String],
    calls: &[String],
    types: Option<&[String]>,
) -> Vec<String> {
    if workspaces.is_empty() && calls.is_empty() && types.is_none() {
        return vec![prefix.all()];
    }
    let any = [String::new()];
    let mut found: Vec<String> = Vec::new();
    for workspace in if workspaces.is_empty() { &any } else { workspaces } {
        let mut scope = prefix.0.clone();
        push_token_or_any(&mut scope, workspace);
        let scopes: Vec<_> = match (calls, types) {
            ([], None) => vec![scope],
            ([], Some(_)) => vec![scope.clone() + ".observer.*", scope],
            (calls, _) => calls
                .iter()
                .map(|call| {
                    let mut scope = scope.clone() + ".observer";
                    push_token(&mut scope, call);
                    scope
                })
                .collect(),
        };
        for scope in scopes {
            match types {
                None => found.push(scope + ".>"),
                Some(types) => found.extend(types.iter().map(|tokens| scope.clone() + tokens)),
            }
        }
    }
    let mut distinct: Vec<String> = Vec::new();
    for subject in found {
        if !distinct.iter().any(|other| covers(other, &subject)) {
            distinct.retain(|other| !covers(&subject, other));
            distinct.push(subject);
        }
    }
    distinct
}

fn push_token_or_any(subject: &mut String, token: &str) {
    if token.is_empty() {
        subject.push_str(".*");
    } else {
        push_token(subject, token);
    }
}

/// Returns the tokens that match all types that match one of the globs, or `None` if only `>` does.
fn type_tokens(globs: &[String]) -> Option<Vec<String>> {
    let mut patterns = Vec::new();
    for glob in globs {
        expand(glob, &mut patterns)?;
    }
    // Whatever is selected, gaps are reported. The subjects of what taps say of themselves end with
    // the name of the tap.
    let names_taps = patterns.iter().any(|pattern| pattern.starts_with("tap."));
    let mut tokens = vec![if names_taps { ".tap.>" } else { ".tap.gap.>" }.to_owned()];
    for pattern in &patterns {
        tokens.push(tokens_of(pattern)?);
    }
    (!patterns.is_empty()).then_some(tokens)
}

/// Appends the patterns that the alternatives in braces stand for; `None` if there are too many.
fn expand(glob: &str, patterns: &mut Vec<String>) -> Option<()> {
    if patterns.len() >= MAX_PATTERNS {
        return None;
    }
    let special = glob.find(SPECIAL).filter(|at| glob[*at..].starts_with('{'));
    let alternatives = special.and_then(|at| {
        let end = at + glob[at..].find('}')?;
        let inner = &glob[at + 1..end];
        (!inner.contains(SPECIAL)).then_some((&glob[..at], inner, &glob[end + 1..]))
    });
    let Some((before, inner, after)) = alternatives else {
        patterns.push(glob.to_owned());
        return Some(());
    };
    inner
        .split(',')
        .try_for_each(|alternative| expand(&format!("{before}{alternative}{after}"), patterns))
}

/// Returns the tokens of a pattern without alternatives; `None` if they would match any type.
fn tokens_of(pattern: &str) -> Option<String> {
    let mut tokens = String::new();
    match pattern.find(SPECIAL) {
        None => push_type(&mut tokens, pattern),
        Some(end) => {
            let family = &pattern[..pattern[..end].rfind('.')?];
            if family.split('.').count() >= MAX_TOKENS - 1 {
                return None;
            }
            push_type(&mut tokens, family);
            tokens.push_str(".>");
        }
    }
    // Such a type could not be told from an observer's.
    let is_ambiguous = tokens.starts_with(".observer.") || tokens == ".observer";
    (!is_ambiguous).then_some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(workspaces: &[&str], calls: &[&str], types: &[&str]) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let (workspaces, calls, types): (Vec<_>, Vec<_>, Vec<_>) =
            (owned(workspaces), owned(calls), owned(types));
        let selection = EventSelection { workspaces: &workspaces, calls: &calls, types: &types };
        subjects(&SubjectPrefix::default(), selection)
    }

    #[test]
    fn subjects_follow_from_types_workspaces_and_calls() {
        assert_eq!(select(&[], &[], &[]), ["evtap.>"]);
        assert_eq!(select(&["a", "b"], &[], &[]), ["evtap.a.>", "evtap.b.>"]);
        assert_eq!(select(&[], &["CA1"], &[]), ["evtap.*.observer.CA1.>"]);
        assert_eq!(
            select(&["a"], &[], &["call.*"]),
            [
                "evtap.a.observer.*.tap.gap.>",
                "evtap.a.observer.*.call.>",
                "evtap.a.tap.gap.>",
                "evtap.a.call.>",
            ]
        );
        assert_eq!(
            select(&["a"], &["CA1"], &["surface.{created,submitted}"]),
            [
                "evtap.a.observer.CA1.tap.gap.>",
                "evtap.a.observer.CA1.surface.created",
                "evtap.a.observer.CA1.surface.submitted",
            ]
        );
    }

    #[test]
    fn no_two_subjects_overlap() {
        let types = ["call.*", "call.ended", "{call.started,tap.gap}"];
        let found = select(&["a"], &["CA1"], &types);
        assert_eq!(found, ["evtap.a.observer.CA1.tap.>", "evtap.a.observer.CA1.call.>"]);
    }

    #[test]
    fn what_taps_say_of_themselves_is_selected_by_type_too() {
        let all = ["evtap.a.observer.CA1.tap.>"];
        assert_eq!(select(&["a"], &["CA1"], &["tap.connected"]), all);
        assert_eq!(select(&["a"], &["CA1"], &["tap.*"]), all);
    }

    #[test]
    fn globs_that_say_nothing_about_the_family_select_everything() {
        for glob in
            ["*", "call*", "{a,b*}", "?", "[a-c].x", "observer.*", "a\\.b", "a.b.c.d.e.f.g.*"]
        {
            assert_eq!(select(&["a"], &[], &["x.y", glob]), ["evtap.a.>"], "{glob}");
        }
    }

    #[test]
    fn long_lists_are_replaced_by_broader_subjects() {
        let types: Vec<_> = (0..40).map(|n| format!("family{n}.*")).collect();
        let types: Vec<_> = types.iter().map(String::as_str).collect();
        assert_eq!(select(&["a", "b"], &[], &types), ["evtap.a.>", "evtap.b.>"]);
        let many: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(select(&many, &[], &types), ["evtap.>"]);
        let braces = "{a,b}".repeat(20) + ".x";
        assert_eq!(select(&["a"], &[], &[&braces]), ["evtap.a.>"]);
    }
}
