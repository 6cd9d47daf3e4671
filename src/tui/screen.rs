//! The screens as one table, from which tabs, number keys, help and tests are derived.

/// Declares [`Screen`]: for each screen its name, which is also the title of its tab, and its
/// description in the help. The first screen has the key `0`.
macro_rules! screens {
    ($($name:ident $description:literal;)+) => {
        /// One of the screens that share the body of the terminal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Screen {
            $(#[doc = concat!("Shows ", $description, ".")] $name),+
        }

        impl Screen {
            /// All screens, in the order of their tabs and keys.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the title of the tab.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// Returns the description of the screen in the help.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description),+ }
            }
        }
    };
}

screens! {
    Now "what needs attention, calls, outcomes, latency, operators, surfaces";
    Stream "the stream of events";
    Calls "all calls";
    Call "one call: conversation, tools, emotion, latency";
    Board "operators, surfaces, triggers, pipelines, reviews";
    Stats "counts, rates and percentiles";
}

impl Screen {
    /// The number of screens.
    pub const COUNT: usize = Self::ALL.len();

    /// Returns the index of the screen in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the next screen, wrapping around.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::ALL[(self.index() + 1) % Self::COUNT]
    }

    /// Returns the previous screen, wrapping around.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self::ALL[(self.index() + Self::COUNT - 1) % Self::COUNT]
    }
}
