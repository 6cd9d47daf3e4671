//! What alerts are about.

/// What the key of a rule stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertSubject {
    /// The whole workspace: the rule has no keys.
    Workspace,
    /// A call.
    Call,
    /// A tool.
    Tool,
    /// A data source and its pipeline.
    Pipeline,
    /// Anything else.
    Other,
}

impl AlertSubject {
    /// Returns a name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Call => "call",
            Self::Tool => "tool",
            Self::Pipeline => "pipeline",
            Self::Other => "key",
        }
    }
}
