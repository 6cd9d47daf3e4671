//! Writes the values of expressions without building them.

use super::build::push_parts;
use super::expr::{EvalError, Expr, Key, MemberExpr};
use super::json::push_text;
use super::scope::Scope;
use super::value::NativeValue;
use crate::query::value::{OutputStyle, escape_hostile};
use crate::text::terminal;

/// The kind of text that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// JSON, in which hostile characters may remain.
    Json,
    /// The text of a string.
    Text,
}

impl Expr {
    /// Appends the value, in which hostile characters may only remain where `style` allows that.
    /// Returns false if there is none.
    pub(super) fn write_output<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
        style: OutputStyle,
        out: &mut Vec<u8>,
    ) -> Result<bool, EvalError> {
        let start = out.len();
        let written = self.write(scope, input, style, out)?;
        if written == Some(Written::Json) {
            escape_hostile(out, start);
        }
        Ok(written.is_some())
    }

    fn write<'a>(
        &'a self,
        scope: &Scope<'_, 'a>,
        input: NativeValue<'a>,
        style: OutputStyle,
        out: &mut Vec<u8>,
    ) -> Result<Option<Written>, EvalError> {
        let json = |is_written: bool| is_written.then_some(Written::Json);
        match self {
            Self::Pipe(left, right) => match left.eval(scope, input)? {
                Some(middle) => right.write(scope, middle, style, out),
                None => Ok(None),
            },
            Self::Alternative(left, right) => match left.eval(scope, input.clone())? {
                Some(value) if value.is_true() => write_value(&value, scope, style, out).map(Some),
                _ => right.write(scope, input, style, out),
            },
            Self::If(branches, otherwise) => {
                for (condition, then) in branches {
                    match condition.eval(scope, input.clone())? {
                        Some(value) if value.is_true() => {
                            return then.write(scope, input, style, out);
                        }
                        Some(_) => {}
                        None => return Ok(None),
                    }
                }
                match otherwise {
                    Some(otherwise) => otherwise.write(scope, input, style, out),
                    None => write_value(&input, scope, style, out).map(Some),
                }
            }
            Self::Object(members) => write_object(members, scope, &input, out).map(json),
            Self::Array(items) => {
                let start = out.len();
                out.push(b'[');
                items.visit(scope, input, &mut |expr, input| {
                    let end = out.len();
                    if end > start + 1 {
                        out.push(b',');
                    }
                    if expr.write(scope, input, OutputStyle::Json, out)?.is_none() {
                        out.truncate(end);
                    }
                    Ok(())
                })?;
                out.push(b']');
                Ok(Some(Written::Json))
            }
            Self::Interpolated(parts) if style == OutputStyle::Json => {
                let start = out.len();
                out.push(b'"');
                let is_written = push_parts(parts, scope, &input, true, out)?;
                out.push(b'"');
                if !is_written {
                    out.truncate(start);
                }
                Ok(json(is_written))
            }
            _ => match self.eval(scope, input)? {
                Some(value) => write_value(&value, scope, style, out).map(Some),
                None => Ok(None),
            },
        }
    }
}

fn write_value(
    value: &NativeValue<'_>,
    scope: &Scope<'_, '_>,
    style: OutputStyle,
    out: &mut Vec<u8>,
) -> Result<Written, EvalError> {
    if style == OutputStyle::Json || !value.is_text() {
        value.push_json(scope.event, out)?;
        return Ok(Written::Json);
    }
    let text = value.text()?;
    if style == OutputStyle::Visible {
        out.extend_from_slice(terminal::visible(&text).as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    Ok(Written::Text)
}

/// Appends an object. Returns false if a member has no value.
fn write_object<'a>(
    members: &'a [MemberExpr],
    scope: &Scope<'_, 'a>,
    input: &NativeValue<'a>,
    out: &mut Vec<u8>,
) -> Result<bool, EvalError> {
    let start = out.len();
    let mut is_complete = true;
    out.push(b'{');
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match &member.key {
            Key::Name { token, .. } => out.extend_from_slice(token.as_bytes()),
            Key::Computed(key) => match key.eval(scope, input.clone())? {
                Some(key) => {
                    let key = key.text()?;
                    if members.iter().any(|member| member.key.is_name(&key)) {
                        return Err(EvalError);
                    }
                    push_text(&key, out);
                    out.push(b':');
                }
                None => is_complete = false,
            },
        }
        let written = member.value.write(scope, input.clone(), OutputStyle::Json, out)?;
        is_complete &= written.is_some();
    }
    out.push(b'}');
    if !is_complete {
        out.truncate(start);
    }
    Ok(is_complete)
}
