//! The macros that declare the types of fields: enumerated strings and nested objects.

/// Declares a string with a fixed set of values: an enum with these variants, and `Other` for any
/// other value.
#[macro_export]
macro_rules! choice {
    ($(
        #[doc = $doc:literal]
        $name:ident { $( $(#[doc = $variant_doc:literal])? $variant:ident = $wire:literal ),+ $(,)? }
    )+) => {$(
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $( #[doc = concat!("`", $wire, "`. ", $($variant_doc)?)] $variant, )+
            /// A value that is not declared.
            Other($crate::model::Phi<String>),
        }

        impl $name {
            /// Returns the spelling on the wire; the mask if the value is unknown and does not look
            /// like a name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $wire, )+
                    Self::Other(value) => $crate::model::shown_name(value.expose()),
                }
            }

            /// Returns the spelling on the wire, even if the value is unknown.
            #[must_use]
            pub fn expose(&self) -> &str {
                match self {
                    $( Self::$variant => $wire, )+
                    Self::Other(value) => value.expose(),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $( Self::$variant => f.write_str(stringify!($variant)), )+
                    Self::Other(_) => f.debug_tuple("Other").field(&self.as_str()).finish(),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <String as serde::Deserialize>::deserialize(deserializer)?;
                Ok(match value.as_str() {
                    $( $wire => Self::$variant, )+
                    _ => Self::Other(value.into()),
                })
            }
        }

        impl $crate::model::Model for $name {
            const TYPE: $crate::model::Type = $crate::model::Type::Choice(&[$($wire),+]);
        }
    )+};
}

/// Declares an object that is nested in a field. Members that are not `required` have the type
/// `Option`.
#[macro_export]
macro_rules! record {
    ($(
        #[doc = $doc:literal]
        $name:ident {
            $( #[doc = $member_doc:literal] $member:ident : $ty:ty $(, $required:ident)? ; )+
        }
    )+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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
