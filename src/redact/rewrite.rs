//! Rewrites a value that cannot be shown as it arrived.
//!
//! The result is JSON on one line without hostile characters, with undeclared nested values masked
//! and identifiers in text scrubbed. [`FieldRedactor`](super::redactor) decides which values need
//! this and passes the field's declaration; this module applies it at every depth.

use std::borrow::Cow;

use super::findings::{Reason, RedactionLog};
use super::mask::{self, Mode};
use crate::json::string::{unescape, unquote};
use crate::json::{JsonType, scan};
use crate::model::decode::shown_name;
use crate::model::{Domain, Name, Type, is_opaque_id};
use crate::text::MASK;
use crate::text::{scrub, terminal};

/// The declared type of a nested value that is shown, as far as one is declared.
#[derive(Clone, Copy)]
pub(super) enum NestedType<'t> {
    /// Everything inside is shown.
    Free,
    /// What the type declares is shown; `None` declares nothing.
    Typed(Option<&'t Type>),
}

impl NestedType<'_> {
    /// Returns the type of the item or member `key` of a value of this type; `None` if it is not
    /// declared.
    fn nested(self, key: Option<&str>) -> Option<Self> {
        match self {
            Self::Free | Self::Typed(Some(Type::Any)) => Some(Self::Free),
            Self::Typed(Some(Type::List(item) | Type::Map(item))) => Some(Self::Typed(Some(item))),
            Self::Typed(Some(Type::Record(members))) => {
                let key = unescape(key?);
                members
                    .iter()
                    .find(|member| member.name == key)
                    .map(|member| Self::Typed(Some(&member.ty)))
            }
            Self::Typed(_) => None,
        }
    }

    /// Returns whether anything inside a value of the given JSON type may be shown.
    pub(super) fn allows_nested(self, json: JsonType) -> bool {
        match self {
            Self::Free | Self::Typed(Some(Type::Any)) => true,
            Self::Typed(Some(ty @ (Type::List(_) | Type::Map(_) | Type::Record(_)))) => {
                ty.accepts(json)
            }
            Self::Typed(_) => false,
        }
    }
}

/// Which values of a field are searched for identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScrubScope {
    Nothing,
    /// Strings without the form of an id, for a field that holds ids: a detector takes the digits of
    /// some for a record number.
    StringsBesidesIds,
    /// Strings, and keys inside the field.
    Strings,
    /// Numbers too: in a field of prose, a bare number may be a telephone number.
    StringsAndNumbers,
}

impl ScrubScope {
    /// Returns whether a value must be rewritten because it holds an identifier or, for an array
    /// or object, may hold one.
    pub(super) fn finds(self, json: &str) -> bool {
        match JsonType::from_first_byte(json.as_bytes()[0]) {
            JsonType::String => {
                self != Self::Nothing && {
                    let text = unquote(json).unwrap_or_default();
                    !self.skips(&text) && scrub::may_contain_identifier(&text)
                }
            }
            JsonType::Number => {
                self == Self::StringsAndNumbers && scrub::may_contain_identifier(json)
            }
            JsonType::Array | JsonType::Object => self != Self::Nothing,
            JsonType::Null | JsonType::Bool => false,
        }
    }

    /// Returns whether a string is an id in a field that holds ids.
    fn skips(self, text: &str) -> bool {
        self == Self::StringsBesidesIds && is_opaque_id(text)
    }
}

/// Rewrites the value of one field.
pub(super) struct Rewriter<'r, 'n> {
    pub mode: &'r Mode,
    pub scrub: ScrubScope,
    /// The field's name, safe to show.
    pub field: &'r str,
    pub log: &'r mut RedactionLog<'n>,
}

impl Rewriter<'_, '_> {
    /// Appends a value to `out`. `path` is the dotted path of the value, safe to show.
    pub(super) fn value(
        &mut self,
        json: &str,
        declared: NestedType<'_>,
        path: &str,
        out: &mut String,
    ) {
        let ty = JsonType::from_first_byte(json.as_bytes()[0]);
        if !ty.is_container() {
            return self.scalar(json, ty, out);
        }
        if !declared.allows_nested(ty) {
            self.log.record_hidden(Name::Owned(path.to_owned()), json, Reason::Unknown);
            return mask::push(self.mode, || Domain::for_field(path), json, out);
        }
        let (open, close) = if ty == JsonType::Object { ('{', '}') } else { ('[', ']') };
        out.push(open);
        let mut is_first = true;
        for (key, value) in scan::entries(json) {
            let nested = declared.nested(key);
            let name = key.map(unescape);
            // An undeclared key is shown only if it looks like a name.
            let name =
                name.as_deref().map(|name| if nested.is_some() { name } else { shown_name(name) });
            let path = name
                .map_or_else(|| Cow::Borrowed(path), |name| Cow::Owned(format!("{path}.{name}")));
            let is_hidden = nested.is_none() && value != "null";
            let is_already_hidden = is_hidden && self.log.is_already_hidden(&path, value);
            if is_hidden {
                let path = Name::Owned(path.clone().into_owned());
                self.log.record_hidden(path, value, Reason::Unknown);
            }
            if is_hidden && matches!(self.mode, Mode::Drop) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.push(',');
            }
            if let (Some(key), Some(name)) = (key, name) {
                self.key(if name == MASK { MASK } else { key }, out);
            }
            match nested {
                Some(nested) => self.value(value, nested, &path, out),
                None if is_hidden && !is_already_hidden => {
                    let domain = || Domain::for_field(name.unwrap_or_default());
                    mask::push(self.mode, domain, value, out);
                }
                None => out.push_str(value),
            }
        }
        out.push(close);
    }

    fn scalar(&mut self, json: &str, ty: JsonType, out: &mut String) {
        let text = match ty {
            JsonType::String if self.scrub != ScrubScope::Nothing => {
                unquote(json).unwrap_or_default()
            }
            JsonType::Number if self.scrub == ScrubScope::StringsAndNumbers => Cow::Borrowed(json),
            _ => return terminal::push_json(json, out),
        };
        let found = if self.scrub.skips(&text) { None } else { scrub::scrub(&text) };
        match found {
            Some(scrubbed) => {
                self.log.record_scrubbed(self.field, &scrubbed);
                push_quoted(&scrubbed.text, out);
            }
            None => terminal::push_json(json, out),
        }
    }

    /// Appends a key and a colon; `key` is the text between the quotes, escapes included.
    fn key(&mut self, key: &str, out: &mut String) {
        let scrubbed =
            if self.scrub == ScrubScope::Nothing { None } else { scrub::scrub(&unescape(key)) };
        if let Some(scrubbed) = scrubbed {
            self.log.record_scrubbed(self.field, &scrubbed);
            push_quoted(&scrubbed.text, out);
        } else {
            out.push('"');
            terminal::push_json(key, out);
            out.push('"');
        }
        out.push(':');
    }
}

fn push_quoted(text: &str, out: &mut String) {
    terminal::push_json(&serde_json::Value::from(text).to_string(), out);
}
