//! The screens of the live view, as a table: tabs, number keys, help and tests derive from it.

/// Declares [`Screen`]: for each screen its name, which is also the title of its tab, and what the
/// help says about it. The first screen has the key `1`.
macro_rules! screens {
    ($($name:ident $description:literal;)+) => {
        /// One of the screens that share the body of the terminal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Screen {
            $(#[doc = $description] $name),+
        }

        impl Screen {
            /// All screens, in the order of their tabs and keys.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the title of the tab.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// Returns what the help says about the screen.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description),+ }
            }
        }
    };
}

screens! {
    Stream "the stream of events";
    Calls "the calls";
    Call "one call: what is said, tools, emotion, latency";
    Board "operators, surfaces, triggers, pipelines, reviews";
    Stats "numbers";
}

impl Screen {
    /// How many screens there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Returns the place of the screen in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the next screen; the first one follows the last.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::ALL[(self.index() + 1) % Self::COUNT]
    }

    /// Returns the previous screen; the last one precedes the first.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self::ALL[(self.index() + Self::COUNT - 1) % Self::COUNT]
    }
}
