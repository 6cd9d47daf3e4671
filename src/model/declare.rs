//! The macros that declare events, and the specifications that they leave behind.
//!
//! One declaration gives the struct, its documentation, the way to read it, and the [`EventSpec`] that everything else is
//! made from: decoding, the redaction policy, `schema`, the JSON Schema, the emulator's samples.

use super::{Class, Field, Type};

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
        Self { event_type, stream, doc, documented: false, first_seen: FIRST_SNAPSHOT, fields }
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

/// The family of an event of that name: what stands before the first dot, or `observer` where there is none.
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
    /// The day of the first snapshot of the contract that has it; `None` if only the documentation page does.
    pub first_seen: Option<&'static str>,
    /// The day of the last snapshot that has it, if the contract no longer does.
    pub last_seen: Option<&'static str>,
    /// The most characters that its string may have.
    pub max_length: Option<u32>,
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

/// Declares event types: doc line, wire name, struct, stream, marks, and each field with its class and type.
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
    ($(
        #[doc = $doc:literal]
        $wire:literal $name:ident : $stream:ident $(, $mark:ident $(($arg:literal))?)* {
            $(
                #[doc = $field_doc:literal]
                $class:ident $field:ident : $ty:ty $(, $field_mark:ident $(($field_arg:literal))?)* ;
            )*
        }
    )+) => {$(
        #[doc = $doc]
        #[doc = concat!("\n\nOn the wire: `", $wire, "`.")]
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(missing_docs, reason = "each field has its line; the macro carries it over")]
        pub struct $name {
            $( #[doc = $field_doc] pub $field: $crate::model::Field<$ty>, )*
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

/// Declares a string that is one of a few: an enum with these variants, and `Other` for what nobody announced.
#[macro_export]
macro_rules! choice {
    ($(
        #[doc = $doc:literal]
        $name:ident { $( $(#[doc = $variant_doc:literal])? $variant:ident = $wire:literal ),+ $(,)? }
    )+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $( #[doc = concat!("`", $wire, "`. ", $($variant_doc)?)] $variant, )+
            /// A value that the model does not have.
            Other(String),
        }

        impl $name {
            /// Its spelling on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $wire, )+
                    Self::Other(value) => value,
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <String as serde::Deserialize>::deserialize(deserializer)?;
                Ok(match value.as_str() {
                    $( $wire => Self::$variant, )+
                    _ => Self::Other(value),
                })
            }
        }

        impl $crate::model::Model for $name {
            const TYPE: $crate::model::Type = $crate::model::Type::Choice(&[$($wire),+]);
        }
    )+};
}

/// Declares an object nested in a field. Members that are not `required` are options.
#[macro_export]
macro_rules! record {
    ($(
        #[doc = $doc:literal]
        $name:ident {
            $( #[doc = $member_doc:literal] $member:ident : $ty:ty $(, $required:ident)? ; )+
        }
    )+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        pub struct $name { $( #[doc = $member_doc] pub $member: $ty, )+ }

        impl $crate::model::Model for $name {
            const TYPE: $crate::model::Type = $crate::model::Type::Record(&[$(
                $crate::model::MemberSpec {
                    name: $crate::model::declare::key(stringify!($member)),
                    ty: <$ty as $crate::model::Model>::TYPE,
                    required: $crate::record!(@ $($required)?),
                    doc: $crate::model::declare::sentence($member_doc),
                }
            ),+]);
        }
    )+};
    (@ required) => { true };
    (@) => { false };
}
