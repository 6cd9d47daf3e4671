//! The table `[tui]` of the configuration file: keys and colours of the live screen.

use std::collections::BTreeMap;

use toml_edit::{Item, Table, Value};

use super::toml_file::TomlFile;
use crate::error::{Error, Result};
use crate::query::suggest;
use crate::tui::key_map::{self, KeyChoices, KeyMap};
use crate::tui::style::{CustomTheme, Depth, Theme, ThemeEntries};
use crate::tui::theme_contrast::{FaintColour, faint_colours};

/// The name of the table.
pub(super) const TABLE: &str = "tui";

/// The settings that the table may hold, too.
pub(super) const SETTINGS: &[&str] = &["theme", "remember", "buffer", "wrap"];

/// Returns the keys of each action, with its line.
pub(super) fn keys(
    file: &TomlFile,
    table: &Table,
) -> Result<BTreeMap<String, (Vec<String>, usize)>> {
    let mut chosen = BTreeMap::new();
    for (name, item) in table {
        let line = line(file, table, name, item);
        let single = |value: &Value| value.as_str().map(str::to_owned);
        let keys = match item.as_value() {
            Some(Value::Array(array)) => array.iter().map(single).collect(),
            Some(value) => single(value).map(|key| vec![key]),
            None => None,
        };
        let keys: Vec<String> = keys.ok_or_else(|| {
            let advice = "give a key as \"x\", or several as [\"x\", \"F5\"]";
            file.wrong(line, &format!("tui.keys.{name}"), "not a key", advice)
        })?;
        if let Err((why, advice)) = key_map::choice(name, &keys) {
            return Err(file.wrong(line, &format!("tui.keys.{name}"), why, advice));
        }
        chosen.insert(name.to_owned(), (keys, line));
    }
    Ok(chosen)
}

/// Returns the colours of roles.
pub(super) fn theme(file: &TomlFile, table: &Table) -> Result<ThemeEntries> {
    let mut entries = ThemeEntries::new();
    for (name, item) in table {
        let line = line(file, table, name, item);
        let what = format!("tui.theme.{name}");
        let colour = match item.as_value() {
            Some(Value::String(text)) => Some(text.value().clone()),
            Some(Value::Integer(index)) => Some(index.value().to_string()),
            _ => None,
        };
        let colour = colour.ok_or_else(|| {
            file.wrong(line, &what, "not a colour", "write it as \"#ff8700\" or \"bright-blue\"")
        })?;
        let entry = ThemeEntries::from([(name.to_owned(), colour)]);
        if let Err((_, (why, advice))) = CustomTheme::new(&entry) {
            return Err(file.wrong(line, &what, why, advice));
        }
        entries.extend(entry);
    }
    check_contrast(file, table, &entries)?;
    Ok(entries)
}

/// Checks that each colour can be made out on a background of the theme's own. That of the terminal
/// is not known before the screen opens.
fn check_contrast(file: &TomlFile, table: &Table, entries: &ThemeEntries) -> Result<()> {
    let theme = Theme { custom: CustomTheme::new(entries).ok(), ..Theme::new(Depth::None, None) };
    let Some(faint) = faint_colours(theme).into_iter().find(FaintColour::is_illegible) else {
        return Ok(());
    };
    // A colour of the built-in theme may not suit the background.
    let entry = [faint.name, "background"].into_iter().find_map(|name| table.get_key_value(name));
    let line = entry.map_or(1, |(key, item)| file.line(key.span().or_else(|| item.span())));
    let (why, advice) = faint.explain();
    Err(file.wrong(line, &format!("tui.theme.{}", faint.name), why, advice))
}

/// Checks that no two actions have the same key. `line` returns the line of an action.
pub(super) fn check_keys(
    file: &TomlFile,
    chosen: &KeyChoices,
    line: impl Fn(&str) -> usize,
) -> Result<()> {
    KeyMap::new(chosen).map(drop).map_err(|(name, (why, advice))| {
        file.wrong(line(&name), &format!("tui.keys.{name}"), why, advice)
    })
}

/// Returns the error for an entry that the table does not have.
pub(super) fn unknown(file: &TomlFile, line: usize, name: &str) -> Error {
    let names = SETTINGS.iter().copied().chain(["keys"]);
    let advice = suggest::nearest(name, names).map_or_else(
        || format!("it has keys, {}", SETTINGS.join(", ")),
        |meant| format!("did you mean {meant}?"),
    );
    file.wrong(line, &format!("tui.{name}"), "no such setting of the live screen", advice)
}

fn line(file: &TomlFile, table: &Table, name: &str, item: &Item) -> usize {
    file.line(table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span()))
}
