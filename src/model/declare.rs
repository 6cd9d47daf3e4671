//! The macros that declare events, and the specifications that they leave behind.
//!
//! One declaration gives the struct, its documentation, the way to read it, and the [`EventSpec`]
//! that everything else is made from: decoding, the redaction policy, `schema`, the JSON Schema,
//! the emulator's samples.

use super::{Class, Domain, Field, Type};
use crate::json::{JsonType, string};

/// The day of the oldest dated snapshot of the platform's public contract.
pub const FIRST_SNAPSHOT: &str = "2026-04-24";

/// The day of the newest.
pub const LAST_SNAPSHOT: &str = "2026-05-05";

/// Which of the two streams carries an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The SSE stream of a workspace.
    Workspace,
    /// The observer WebSocket of one call.
    Observer,
    /// Neither: evtap adds it.
    Own,
}

impl Stream {
    /// Its name in `_tap.stream` and `schema`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Observer => "observer",
            Self::Own => "evtap",
        }
    }
}

/// How bad the news is that an event brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing went wrong.
    Normal,
    /// Somebody refused or complained.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// Judges an undeclared event by the word at the end of its type.
    #[must_use]
    pub fn of_undeclared(event_type: &str) -> Self {
        let ends_with = |words: &[&str]| words.iter().any(|word| event_type.ends_with(word));
        if ends_with(&["error", "failed", "bounced"]) {
            Self::Error
        } else if ends_with(&["rejected", "complained"]) {
            Self::Warning
        } else {
            Self::Normal
        }
    }
}

/// One event type, as declared.
#[derive(Debug)]
pub struct EventSpec {
    /// Its name on the wire, such as `call.ended`.
    pub event_type: &'static str,
    /// The stream that carries it.
    pub stream: Stream,
    /// One sentence on it.
    pub doc: &'static str,
    /// Whether the platform's documentation page shows it.
    pub documented: bool,
    /// The day of the first snapshot of the contract that has it.
    pub first_seen: &'static str,
    /// How bad the news is that it brings.
    pub severity: Severity,
    /// Its fields, in the order of the declaration.
    pub fields: &'static [FieldSpec],
}

impl EventSpec {
    /// A specification with nothing but what each event must have.
    #[must_use]
    pub const fn new(
        event_type: &'static str,
        stream: Stream,
        doc: &'static str,
        fields: &'static [FieldSpec],
    ) -> Self {
        Self {
            event_type,
            stream,
            doc,
            documented: false,
            first_seen: FIRST_SNAPSHOT,
            severity: Severity::Normal,
            fields,
        }
    }

    /// The documentation page shows it.
    #[must_use]
    pub const fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// The contract has it since that day.
    #[must_use]
    pub const fn since(mut self, day: &'static str) -> Self {
        self.first_seen = day;
        self
    }

    /// Marks an event that says that somebody refused or complained.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Marks an event that says that something failed.
    #[must_use]
    pub const fn error(mut self) -> Self {
        self.severity = Severity::Error;
        self
    }

    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What stands before the first dot, or `observer` for the events of a call.
    #[must_use]
    pub fn family(&self) -> &'static str {
        family(self.event_type)
    }
}

/// The family of an event of that name: what stands before the first dot, or `observer` where there
/// is none.
#[must_use]
pub fn family(event_type: &str) -> &str {
    event_type.split_once('.').map_or("observer", |(family, _)| family)
}

/// One field of an event, as declared.
#[derive(Debug)]
pub struct FieldSpec {
    /// Its key.
    pub name: &'static str,
    /// Who may see it.
    pub class: Class,
    /// The JSON that it holds.
    pub ty: Type,
    /// One sentence on it.
    pub doc: &'static str,
    /// Whether every event of today's contract has it.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether the platform's documentation page shows it.
    pub documented: bool,
    /// The day of the first snapshot of the contract that has it; `None` if only the documentation
    /// page does.
    pub first_seen: Option<&'static str>,
    /// The day of the last snapshot that has it, if the contract no longer does.
    pub last_seen: Option<&'static str>,
    /// The most characters that its string may have.
    pub max_length: Option<u32>,
    /// The kind of value that a pseudonym of it is made for.
    pub domain: Domain,
    /// Its place among the fields that people look for first, the lowest first; `None` for the
    /// others.
    pub rank: Option<u16>,
    /// The values that mean that something went wrong: the text of a string, or the JSON of
    /// anything else.
    pub error_values: &'static [&'static str],
}

impl FieldSpec {
    /// A specification with nothing but what each field must have.
    #[must_use]
    pub const fn new(name: &'static str, class: Class, ty: Type, doc: &'static str) -> Self {
        Self {
            name,
            class,
            ty,
            doc,
            required: false,
            nullable: false,
            documented: false,
            first_seen: Some(FIRST_SNAPSHOT),
            last_seen: None,
            max_length: None,
            domain: Domain::Text,
            rank: None,
            error_values: &[],
        }
    }

    /// Every event has it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It may be null.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The documentation page shows it.
    #[must_use]
    pub const fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// The documentation page shows it, and no contract has it.
    #[must_use]
    pub const fn only_documented(mut self) -> Self {
        self.documented = true;
        self.nullable = true;
        self.first_seen = None;
        self
    }

    /// The contract has it since that day.
    #[must_use]
    pub const fn since(mut self, day: &'static str) -> Self {
        self.first_seen = Some(day);
        self
    }

    /// The contract had it until that day; nothing is missing where it is not.
    #[must_use]
    pub const fn until(mut self, day: &'static str) -> Self {
        self.last_seen = Some(day);
        self.required = false;
        self
    }

    /// Its string has at most that many characters.
    #[must_use]
    pub const fn max_length(mut self, characters: u32) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// Marks a telephone number.
    #[must_use]
    pub const fn phone_number(mut self) -> Self {
        self.domain = Domain::Phone;
        self
    }

    /// Marks an email address, or whatever else a message is sent to.
    #[must_use]
    pub const fn address(mut self) -> Self {
        self.domain = Domain::Address;
        self
    }

    /// Marks somebody's name.
    #[must_use]
    pub const fn person_name(mut self) -> Self {
        self.domain = Domain::Name;
        self
    }

    /// Sets its place among the fields that people look for first. Ranks are counted in tens, so
    /// that there is room.
    #[must_use]
    pub const fn rank(mut self, rank: u16) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Sets the values that mean that something went wrong.
    #[must_use]
    pub const fn error_when(mut self, values: &'static [&'static str]) -> Self {
        self.error_values = values;
        self
    }

    /// Whether a value, given as JSON, means that something went wrong.
    #[must_use]
    pub fn tells_of_error(&self, json: &str) -> bool {
        let Some(first) = json.bytes().next() else { return false };
        let json_type = JsonType::from_first_byte(first);
        let value = string::contents(json).unwrap_or(json);
        self.ty.accepts(json_type) && self.error_values.contains(&value)
    }
}

/// A struct that was declared as an event.
pub trait Declared: Sized {
    /// Its declaration.
    const SPEC: &'static EventSpec;

    /// Reads it, given a way to look a field's JSON up by name.
    fn read<'a>(field: impl Fn(&'static str) -> Field<&'a str>) -> Self;
}

/// A field's key: the Rust name, without the mark of a raw identifier.
#[doc(hidden)]
#[must_use]
pub const fn key(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// The first line of a doc comment, without the space that it begins with.
#[doc(hidden)]
#[must_use]
pub const fn sentence(doc: &'static str) -> &'static str {
    doc.trim_ascii()
}

/// Declares event types: doc line, wire name, struct, stream, marks, and each field with its class
/// and type.
///
/// ```
/// use evtap::model::{Class, Declared};
///
/// evtap::event! {
///     /// Somebody rang the bell.
///     "bell.rung" BellRung: Workspace, documented {
///         /// Who rang.
///         Phi visitor: String, nullable;
///         /// How often.
///         Open times: i64, required;
///     }
/// }
/// assert_eq!(BellRung::SPEC.field("visitor").map(|field| field.class), Some(Class::Phi));
/// ```
///
/// A field without a class does not compile:
///
/// ```compile_fail
/// evtap::event! {
///     /// Somebody rang the bell.
///     "bell.rung" BellRung: Workspace {
///         /// Who rang.
///         visitor: String;
///     }
/// }
/// ```
#[macro_export]
macro_rules! event {
    // The Rust type of a field, by its class.
    (@field Phi $ty:ty) => { $crate::model::Phi<$ty> };
    (@field Sensitive $ty:ty) => { $crate::model::Phi<$ty> };
    (@field Free $ty:ty) => { $crate::model::FreeText<$ty> };
    (@field Open $ty:ty) => { $ty };
    ($(
        #[doc = $doc:literal]
        $wire:literal $name:ident : $stream:ident $(, $mark:ident $(($arg:expr))?)* {
            $(
                #[doc = $field_doc:literal]
                $class:ident $field:ident : $ty:ty $(, $field_mark:ident $(($field_arg:expr))?)* ;
            )*
        }
    )+) => {$(
        #[doc = $doc]
        #[doc = concat!("\n\nOn the wire: `", $wire, "`.")]
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(missing_docs, reason = "each field has its line; the macro carries it over")]
        pub struct $name {
            $( #[doc = $field_doc] pub $field: $crate::model::Field<$crate::event!(@field $class $ty)>, )*
        }

        impl $crate::model::Declared for $name {
            const SPEC: &'static $crate::model::EventSpec = &$crate::model::EventSpec::new(
                $wire,
                $crate::model::Stream::$stream,
                $crate::model::declare::sentence($doc),
                &[$(
                    $crate::model::FieldSpec::new(
                        $crate::model::declare::key(stringify!($field)),
                        $crate::model::Class::$class,
                        <$ty as $crate::model::Model>::TYPE,
                        $crate::model::declare::sentence($field_doc),
                    )$(.$field_mark($($field_arg)?))*
                ),*],
            )$(.$mark($($arg)?))*;

            fn read<'a>(field: impl Fn(&'static str) -> $crate::model::Field<&'a str>) -> Self {
                // An event may have no fields.
                let _ = &field;
                Self { $( $field: field($crate::model::declare::key(stringify!($field))).typed(), )* }
            }
        }
    )+};
}
