//! The macro that declares events, and the specifications that it generates.
//!
//! One declaration generates the struct, its documentation, the code that reads it, and the
//! [`EventSpec`] that everything else derives from: decoding, the redaction policy, `schema`, the
//! JSON Schema and the emulator's samples.

use super::{Class, Domain, Field, Type};
use crate::json::{JsonType, string};

/// The date of the oldest snapshot of the platform's public contract.
pub const FIRST_SNAPSHOT: &str = "2026-04-24";

/// The date of the newest snapshot of the platform's public contract.
pub const LAST_SNAPSHOT: &str = "2026-05-05";

/// The stream that carries an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The SSE stream of a workspace.
    Workspace,
    /// The observer WebSocket of one call.
    Observer,
    /// Neither stream: evtap itself adds the event.
    Own,
}

impl Stream {
    /// Returns the name in `_tap.stream` and `schema`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Observer => "observer",
            Self::Own => "evtap",
        }
    }
}

/// How serious an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The event reports no problem.
    Normal,
    /// Somebody rejected something or complained.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// Returns the severity of an undeclared event, by the last word of its type.
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

/// The declaration of an event type.
#[derive(Debug)]
pub struct EventSpec {
    /// The name on the wire, such as `call.ended`.
    pub event_type: &'static str,
    /// The stream that carries it.
    pub stream: Stream,
    /// A one-sentence description.
    pub doc: &'static str,
    /// Whether the platform's documentation page shows it.
    pub documented: bool,
    /// The date of the first snapshot of the contract that has it.
    pub first_seen: &'static str,
    /// The severity of every event of this type.
    pub severity: Severity,
    /// The fields, in the order of the declaration.
    pub fields: &'static [FieldSpec],
}

impl EventSpec {
    /// Creates a specification with only the mandatory parts.
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

    /// Marks what the platform's documentation page shows.
    #[must_use]
    pub const fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// Sets the date of the first snapshot of the contract that has it.
    #[must_use]
    pub const fn since(mut self, day: &'static str) -> Self {
        self.first_seen = day;
        self
    }

    /// Marks an event that reports a rejection or a complaint.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Marks an event that reports a failure.
    #[must_use]
    pub const fn error(mut self) -> Self {
        self.severity = Severity::Error;
        self
    }

    /// Returns the field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the family: the text before the first dot, or `observer` for the events of a call.
    #[must_use]
    pub fn family(&self) -> &'static str {
        family(self.event_type)
    }
}

/// Returns the family of an event type: the text before the first dot, or `observer` if there is no
/// dot.
#[must_use]
pub fn family(event_type: &str) -> &str {
    event_type.split_once('.').map_or("observer", |(family, _)| family)
}

/// The declaration of a field of an event.
#[derive(Debug)]
pub struct FieldSpec {
    /// The key in JSON.
    pub name: &'static str,
    /// Whether the field is shown.
    pub class: Class,
    /// The JSON type.
    pub ty: Type,
    /// A one-sentence description.
    pub doc: &'static str,
    /// Whether the newest contract requires the field in every event.
    pub required: bool,
    /// Whether the value may be null.
    pub nullable: bool,
    /// Whether the platform's documentation page shows it.
    pub documented: bool,
    /// The date of the first snapshot of the contract that has it; `None` if only the documentation
    /// page shows it.
    pub first_seen: Option<&'static str>,
    /// The date of the last snapshot that has it; `None` if the newest contract has it.
    pub last_seen: Option<&'static str>,
    /// The maximum length of a string, in characters.
    pub max_length: Option<u32>,
    /// The kind of value, which a pseudonym depends on.
    pub domain: Domain,
    /// The rank among the most important fields, the lowest first; `None` for other fields.
    pub rank: Option<u16>,
    /// The values that report an error: the text of a string, or the JSON of anything else.
    pub error_values: &'static [&'static str],
}

impl FieldSpec {
    /// Creates a specification with only the mandatory parts.
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

    /// Marks a field that the contract requires in every event.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Marks a field that may be null.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Marks what the platform's documentation page shows.
    #[must_use]
    pub const fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// Marks a field that the documentation page shows but no contract has.
    #[must_use]
    pub const fn only_documented(mut self) -> Self {
        self.documented = true;
        self.nullable = true;
        self.first_seen = None;
        self
    }

    /// Sets the date of the first snapshot of the contract that has it.
    #[must_use]
    pub const fn since(mut self, day: &'static str) -> Self {
        self.first_seen = Some(day);
        self
    }

    /// Sets the date of the last snapshot of the contract that has the field. It is then optional.
    #[must_use]
    pub const fn until(mut self, day: &'static str) -> Self {
        self.last_seen = Some(day);
        self.required = false;
        self
    }

    /// Sets the maximum length of a string, in characters.
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

    /// Marks an email address, or another address that messages are sent to.
    #[must_use]
    pub const fn address(mut self) -> Self {
        self.domain = Domain::Address;
        self
    }

    /// Marks the name of a person.
    #[must_use]
    pub const fn person_name(mut self) -> Self {
        self.domain = Domain::Name;
        self
    }

    /// Sets the rank among the most important fields. Ranks are multiples of ten, which leaves room
    /// for new ones.
    #[must_use]
    pub const fn rank(mut self, rank: u16) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Sets the values that report an error.
    #[must_use]
    pub const fn error_when(mut self, values: &'static [&'static str]) -> Self {
        self.error_values = values;
        self
    }

    /// Returns whether the field holds ids that systems give out, such as a UUID or a SID.
    #[must_use]
    pub fn is_id(&self) -> bool {
        let is_named = self.name.ends_with("_id") || self.name.ends_with("_sid");
        match self.ty {
            Type::Uuid => true,
            Type::Text => is_named && self.domain == Domain::Text,
            _ => false,
        }
    }

    /// Returns whether a JSON value reports an error.
    #[must_use]
    pub fn reports_error(&self, json: &str) -> bool {
        let Some(first) = json.bytes().next() else { return false };
        let json_type = JsonType::from_first_byte(first);
        let value = string::contents(json).unwrap_or(json);
        self.ty.accepts(json_type) && self.error_values.contains(&value)
    }
}

/// The struct of a declared event type.
pub trait Declared: Sized {
    /// The declaration of the event type.
    const SPEC: &'static EventSpec;

    /// Reads the struct. `field` returns the JSON of the field with a name.
    fn read<'a>(field: impl Fn(&'static str) -> Field<&'a str>) -> Self;
}

/// Returns the key of a field: its Rust name without the prefix `r#` of a raw identifier.
#[doc(hidden)]
#[must_use]
pub const fn key(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Returns the text of a doc comment without leading and trailing white space.
#[doc(hidden)]
#[must_use]
pub const fn sentence(doc: &'static str) -> &'static str {
    doc.trim_ascii()
}

/// Declares event types.
///
/// A declaration has a one-line doc comment, the name on the wire, the name of the struct, the
/// stream, and properties, which are methods of [`EventSpec`](crate::model::EventSpec). Each field
/// has a one-line doc comment, its class, name and type, and properties, which are methods of
/// [`FieldSpec`](crate::model::FieldSpec).
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
        #[allow(missing_docs, reason = "the macro copies the doc line of each field")]
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
