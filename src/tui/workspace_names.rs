//! Short names of the workspaces that events came from.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::model::{id_prefix, is_uuid};
use crate::text::terminal;

/// The maximum number of workspaces with a short name of their own.
const MAX_WORKSPACES: usize = 256;

/// The maximum width of a short name, in characters.
pub const MAX_NAME: usize = 12;

/// The ids of the workspaces of a session, and a short name for each.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceNames {
    /// The ids and the short names, in the order in which the workspaces came.
    names: Vec<(Box<str>, String)>,
}

impl WorkspaceNames {
    /// Adds a workspace. The names of others may change, so that all of them differ.
    pub fn add(&mut self, id: &str) {
        if self.names.len() >= MAX_WORKSPACES || self.names.iter().any(|(known, _)| **known == *id)
        {
            return;
        }
        self.names.push((id.into(), String::new()));
        let names = shorten(&self.names.iter().map(|(id, _)| &**id).collect::<Vec<_>>());
        for ((_, name), new) in self.names.iter_mut().zip(names) {
            *name = new;
        }
    }

    /// Returns whether there are several workspaces, so that each row names its own.
    #[must_use]
    pub const fn are_several(&self) -> bool {
        self.names.len() > 1
    }

    /// Returns the short name of a workspace.
    #[must_use]
    pub fn name(&self, id: &str) -> Cow<'_, str> {
        let known = self.names.iter().find(|(known, _)| **known == *id);
        known.map_or_else(|| beginning(id).into(), |(_, name)| name.as_str().into())
    }

    /// Returns the width of the widest short name, in characters.
    #[must_use]
    pub fn width(&self) -> usize {
        self.names.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0)
    }
}

/// Returns names for ids that tell them apart: their beginnings, or else their ends.
#[must_use]
pub fn shorten(ids: &[&str]) -> Vec<String> {
    let forms: [fn(&str) -> String; 2] = [beginning, end];
    for form in forms {
        let names: Vec<_> = ids.iter().map(|id| form(id)).collect();
        if names.iter().collect::<BTreeSet<_>>().len() == names.len() {
            return names;
        }
    }
    let numbered = |(number, id): (usize, &&str)| {
        let kept: String = beginning(id).chars().take(MAX_NAME - 5).collect();
        format!("{kept}…{number}")
    };
    (1..).zip(ids).map(numbered).collect()
}

/// Returns the beginning of an id, or all of it if it is short.
fn beginning(id: &str) -> String {
    if is_uuid(id) {
        return id_prefix(id).to_owned();
    }
    let id = terminal::visible(id);
    if id.chars().count() <= MAX_NAME {
        return id.into_owned();
    }
    id.chars().take(MAX_NAME - 1).chain(['…']).collect()
}

/// Returns the end of an id, or all of it if it is short.
fn end(id: &str) -> String {
    let id = terminal::visible(id);
    let excess = (id.chars().count() + 1).saturating_sub(MAX_NAME);
    if excess <= 1 {
        id.into_owned()
    } else {
        ['…'].into_iter().chain(id.chars().skip(excess)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_differ() {
        let one = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        let other = "9f1c7a54-2fa1-11d2-883f-0016d3cca427";
        assert_eq!(shorten(&[one, other, "demo"]), ["1b4e28ba", "9f1c7a54", "demo"]);
        let same = "1b4e28ba-2fa1-11d2-883f-0016d3cca999";
        assert_eq!(shorten(&[one, same]), ["…016d3cca427", "…016d3cca999"]);
        assert_eq!(
            shorten(&["clinic-of-the-north", "clinic-of-the-south"]),
            ["…f-the-north", "…f-the-south"]
        );
        assert_eq!(
            shorten(&["clinic-of-the-north-1-x", "clinic-of-the-south-1-x", "x-of-the-north-1-x"]),
            ["clinic-…1", "clinic-…2", "x-of-th…3"]
        );
    }

    #[test]
    fn names_are_kept_for_a_limited_number_of_workspaces() {
        let mut names = WorkspaceNames::default();
        names.add("demo");
        names.add("demo");
        assert!(!names.are_several());
        for number in 0..1000 {
            names.add(&format!("workspace {number} \u{1b}"));
        }
        assert!(names.are_several() && names.names.len() == MAX_WORKSPACES);
        assert!(names.width() <= MAX_NAME, "{}", names.width());
        assert_eq!(names.name("another-long-workspace"), "another-lon…");
        assert!(!names.name("workspace 7 \u{1b}").contains('\u{1b}'));
    }
}
