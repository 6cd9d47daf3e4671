//! The roles of text, each of which has a colour in every theme.
//!
//! A colour never carries meaning alone: a symbol, a word, or bold, italic or reversed text says the
//! same.

use super::palette::Hue;
use crate::output::family;

/// Declares the roles: the name in the configuration, the hue in the built-in themes, and what the
/// role is for.
macro_rules! roles {
    ($($role:ident $name:literal $hue:ident $help:literal;)+) => {
        /// What a text stands for, which decides its colour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum StyleRole {
            $(#[doc = concat!("For ", $help, ".")] $role),+
        }

        impl StyleRole {
            /// All roles.
            pub const ALL: &'static [Self] = &[$(Self::$role),+];

            /// Returns the name in the configuration. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $name),+ }
            }

            /// Returns what the role is for.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$role => $help),+ }
            }

            /// Returns the hue in the built-in themes.
            #[must_use]
            pub(super) const fn hue(self) -> Hue {
                match self { $(Self::$role => Hue::$hue),+ }
            }
        }
    };
}

roles! {
    Error "error" Red "errors, failures and gaps";
    Warning "warning" Amber "warnings, and what needs attention";
    Good "good" Green "good states";
    Masked "masked" Violet "hidden values";
    Quiet "quiet" Grey "unimportant text, borders and axes";
    Key "key" Cyan "the names of keys and fields";
    Tap "tap" Red "events of evtap itself";
    Call "call" Green "events of calls, and the caller";
    Observer "observer" Cyan "events of observed calls, and the agent";
    Operator "operator" Amber "events of operators, and what they say";
    Surface "surface" Blue "events of surfaces";
    Review "review" Blue "events of reviews";
    Text "text" Lime "events of text messages";
    Channel "channel" Lime "events of channels";
    Pipeline "pipeline" Sky "events of pipelines";
    Trigger "trigger" Sky "events of triggers";
}

impl StyleRole {
    /// The number of roles.
    pub const COUNT: usize = Self::ALL.len();

    /// Returns the role of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// Returns the role of a family of events, if it has a colour.
    #[must_use]
    pub fn of_family(family: &str) -> Option<Self> {
        family::hue(family).and_then(|_| Self::find(family))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn names_are_unique_and_every_family_with_a_colour_has_a_role() {
        for role in StyleRole::ALL {
            assert_eq!(StyleRole::find(role.name()), Some(*role));
        }
        for kind in Kind::ALL.iter().chain(Kind::OWN) {
            let family = kind.spec().family();
            assert_eq!(
                StyleRole::of_family(family).map(StyleRole::name),
                family::hue(family).map(|_| family)
            );
        }
    }
}
