//! Values that can't be shown as they arrived: written anew on one line, without hostile characters, with masks where nobody
//! has classed what is there, and with free text scrubbed.

use std::borrow::Cow;

use super::findings::{Reason, RedactionLog};
use super::mask::{self, Mode};
use crate::json::string::{unescape, unquote};
use crate::json::{JsonType, scan};
use crate::model::decode::shown_name;
use crate::model::{Domain, Name, Type};
use crate::text::MASK;
use crate::text::{scrub, terminal};

/// What is known of the inside of a value that is shown.
#[derive(Clone, Copy)]
pub(super) enum NestedType<'t> {
    /// All of it is shown.
    Free,
    /// What the type has is shown.
    Typed(Option<&'t Type>),
}

impl NestedType<'_> {
    /// What is known of the value of `key` in a value of this type; `None` if nobody has classed it.
    fn of(self, key: Option<&str>) -> Option<Self> {
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

    /// Whether there is anything inside of a value of that type that is shown.
    pub(super) fn has_inside(self, json: JsonType) -> bool {
        match self {
            Self::Free | Self::Typed(Some(Type::Any)) => true,
            Self::Typed(Some(Type::List(_) | Type::Map(_) | Type::Record(_))) => {
                matches!(self, Self::Typed(Some(ty)) if ty.accepts(json))
            }
            Self::Typed(_) => false,
        }
    }
}

/// Which values are searched for identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScrubScope {
    Nothing,
    /// Strings, and keys inside of the field.
    Strings,
    /// Numbers too: where prose is expected, one may be somebody's.
    Numbers,
}

impl ScrubScope {
    /// Whether a value must be written anew for it.
    pub(super) fn finds(self, json: &str) -> bool {
        match JsonType::from_first_byte(json.as_bytes()[0]) {
            JsonType::String => {
                self != Self::Nothing
                    && scrub::may_contain_identifier(&unquote(json).unwrap_or_default())
            }
            JsonType::Number => self == Self::Numbers && scrub::may_contain_identifier(json),
            JsonType::Array | JsonType::Object => self != Self::Nothing,
            JsonType::Null | JsonType::Bool => false,
        }
    }
}

/// Writes the values of one field.
pub(super) struct Rewriter<'r, 'n> {
    pub mode: &'r Mode,
    pub search: ScrubScope,
    /// The field's name, as it may be shown.
    pub field: &'r str,
    pub notes: &'r mut RedactionLog<'n>,
}

impl Rewriter<'_, '_> {
    /// Appends a value. `path` leads to it.
    pub(super) fn value(
        &mut self,
        json: &str,
        inside: NestedType<'_>,
        path: &str,
        out: &mut String,
    ) {
        let ty = JsonType::from_first_byte(json.as_bytes()[0]);
        if !ty.is_container() {
            return self.scalar(json, ty, out);
        }
        if !inside.has_inside(ty) {
            self.notes.hides(Name::Owned(path.to_owned()), json, Reason::Unknown);
            return mask::push(self.mode, || Domain::for_field(path), json, out);
        }
        let (open, close) = if ty == JsonType::Object { ('{', '}') } else { ('[', ']') };
        out.push(open);
        let mut first = true;
        for (key, value) in scan::entries(json) {
            let known = inside.of(key);
            let name = key.map(unescape);
            let name =
                name.as_deref().map(|name| if known.is_some() { name } else { shown_name(name) });
            let path = name
                .map_or_else(|| Cow::Borrowed(path), |name| Cow::Owned(format!("{path}.{name}")));
            let hidden = known.is_none() && value != "null";
            let already = hidden && self.notes.already(&path, value);
            if hidden {
                self.notes.hides(Name::Owned(path.clone().into_owned()), value, Reason::Unknown);
            }
            if hidden && matches!(self.mode, Mode::Drop) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            if let (Some(key), Some(name)) = (key, name) {
                self.key(if name == MASK { MASK } else { key }, out);
            }
            match known {
                Some(inside) => self.value(value, inside, &path, out),
                None if hidden && !already => {
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
            JsonType::String if self.search != ScrubScope::Nothing => {
                unquote(json).unwrap_or_default()
            }
            JsonType::Number if self.search == ScrubScope::Numbers => Cow::Borrowed(json),
            _ => return terminal::push_json(json, out),
        };
        match scrub::scrub(&text) {
            Some(scrubbed) => {
                self.notes.scrubs(self.field, &scrubbed);
                quote(&scrubbed.text, out);
            }
            None => terminal::push_json(json, out),
        }
    }

    /// Appends a key, given what stands between its quotes, and a colon.
    fn key(&mut self, key: &str, out: &mut String) {
        let scrubbed =
            if self.search == ScrubScope::Nothing { None } else { scrub::scrub(&unescape(key)) };
        if let Some(scrubbed) = scrubbed {
            self.notes.scrubs(self.field, &scrubbed);
            quote(&scrubbed.text, out);
        } else {
            out.push('"');
            terminal::push_json(key, out);
            out.push('"');
        }
        out.push(':');
    }
}

fn quote(text: &str, out: &mut String) {
    terminal::push_json(&serde_json::Value::from(text).to_string(), out);
}
