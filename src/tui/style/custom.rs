//! The theme of the configuration: a built-in theme, in which some roles have other colours.

use std::collections::BTreeMap;

use super::colour::ThemeColour;
use super::name::ThemeName;
use super::role::StyleRole;
use crate::query::suggest;

/// The entry that names the built-in theme.
const BASE: &str = "base";
/// The entry that is the background of the whole screen.
const BACKGROUND: &str = "background";
/// The entry that is the colour of usual text.
const FOREGROUND: &str = "foreground";

/// The entries of a theme in the configuration, by name.
pub type ThemeEntries = BTreeMap<String, String>;

/// A theme of the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomTheme {
    /// The theme that has all other colours.
    pub(super) base: ThemeName,
    /// The background of the whole screen, if it has one.
    pub(super) background: Option<ThemeColour>,
    /// The colour of usual text, if it has one.
    pub(super) foreground: Option<ThemeColour>,
    /// The colours of roles.
    pub(super) roles: [Option<ThemeColour>; StyleRole::COUNT],
}

impl CustomTheme {
    /// Creates a theme from its entries: `base`, `background`, `foreground`, and roles.
    ///
    /// # Errors
    /// Fails if a role, a colour or the base does not exist. Returns the name of the entry, the
    /// reason, and what to do instead.
    pub fn new(entries: &ThemeEntries) -> Result<Self, (String, (String, String))> {
        let mut theme = Self::default();
        for (name, value) in entries {
            let fail = |error| (name.clone(), error);
            if name == BASE {
                theme.base = base(value).map_err(fail)?;
                continue;
            }
            let place = match name.as_str() {
                BACKGROUND => &mut theme.background,
                FOREGROUND => &mut theme.foreground,
                _ => &mut theme.roles[role(name).map_err(fail)? as usize],
            };
            *place = Some(ThemeColour::parse(value).map_err(fail)?);
        }
        Ok(theme)
    }

    /// Returns whether the colour of a role, or what is behind it, is one of this theme.
    #[must_use]
    pub const fn affects(&self, role: StyleRole) -> bool {
        self.background.is_some() || self.roles[role as usize].is_some()
    }
}

fn base(name: &str) -> Result<ThemeName, (String, String)> {
    let found = ThemeName::find(name).filter(|theme| *theme != ThemeName::Custom);
    found.ok_or_else(|| {
        let names = ThemeName::ALL.into_iter().filter(|theme| *theme != ThemeName::Custom);
        let names: Vec<_> = names.map(ThemeName::name).collect();
        let advice = match suggest::nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("give one of {}", names.join(", ")),
        };
        ("no such theme".to_owned(), advice)
    })
}

fn role(name: &str) -> Result<StyleRole, (String, String)> {
    StyleRole::find(name).ok_or_else(|| {
        let names = StyleRole::ALL.iter().map(|role| role.name());
        let names = names.chain([BASE, BACKGROUND, FOREGROUND]);
        let advice = match suggest::nearest(name, names) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "docs/tui.md lists the roles, such as error".to_owned(),
        };
        ("no such role".to_owned(), advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(entries: &[(&str, &str)]) -> Result<CustomTheme, (String, (String, String))> {
        let owned = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        CustomTheme::new(&owned.collect())
    }

    #[test]
    fn a_theme_has_a_base_and_colours_of_roles() {
        let theme =
            theme(&[("base", "soft"), ("error", "#ff0000"), ("background", "0")]).expect("a theme");
        assert_eq!(theme.base, ThemeName::Soft);
        assert_eq!(theme.roles[StyleRole::Error as usize], Some(ThemeColour::Rgb([255, 0, 0])));
        assert_eq!(theme.background, Some(ThemeColour::Indexed(0)));
        assert_eq!(theme.roles[StyleRole::Warning as usize], None);
    }

    #[test]
    fn misspelt_entries_are_refused_with_a_suggestion() {
        for (name, value, why, advice) in [
            ("eror", "red", "no such role", "did you mean error?"),
            ("backgruond", "red", "no such role", "did you mean background?"),
            ("q", "red", "no such role", "docs/tui.md lists"),
            ("error", "yelow", "no such colour", "did you mean yellow?"),
            ("base", "drak", "no such theme", "did you mean dark?"),
            ("base", "custom", "no such theme", "give one of auto, dark"),
        ] {
            let (entry, (reason, given)) = theme(&[(name, value)]).expect_err(name);
            assert_eq!((entry.as_str(), reason.as_str()), (name, why));
            assert!(given.starts_with(advice), "{name}: {given}");
        }
    }
}
