//! Writes the configuration file: an example to begin with, and profiles from the command line.
//!
//! Edits preserve all comments.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::ValueParser;
use clap::{Arg, Command};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::file::{File, LIMIT};
use crate::cli::settings::{SETTINGS, Setting, is_flag, is_list};
use crate::error::{Error, Exit, Result};
use crate::transport::input_file::{self, cause};
use crate::transport::private_file;

/// The maximum width of comments in the example, in columns.
const WIDTH: usize = 100;

/// Writes an example that only its owner can read. Fails if the file exists.
pub fn init(path: &Path, watch: &Command) -> Result<()> {
    let what = format!("cannot write {}", path.display());
    make_directory(path).map_err(|error| failed(path, &error))?;
    let mut file = private_file::create_new(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::usage(what, "it already exists", "edit it, or use `evtap config set-profile`")
        }
        _ => failed(path, &error),
    })?;
    file.write_all(example(watch).as_bytes()).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(
        Exit::Failure,
        format!("cannot write {}", path.display()),
        cause(error),
        "check the path and its permissions",
    )
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    path.parent().map_or(Ok(()), |parent| builder.recursive(true).create(parent))
}

/// Returns an example that lists every setting, commented out, with the help text of its option.
#[must_use]
pub fn example(watch: &Command) -> String {
    let mut text = "\
# Settings of evtap. Options and the environment take precedence over a profile, a profile over the
# top level, and the top level over the defaults. `evtap config` shows the resulting settings.
# Hidden fields can be revealed on the command line only.

# The profile to use unless --profile or EVTAP_PROFILE names another
# profile = \"staging\"
"
    .to_owned();
    let options = SETTINGS
        .iter()
        .filter_map(|setting| setting.option(watch, watch).map(|option| (setting, option)));
    for (setting, option) in options {
        text.push('\n');
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let mut column = 0;
        for word in help.split_whitespace() {
            if column == 0 || column + 1 + word.len() > WIDTH {
                text.push_str(if column == 0 { "#" } else { "\n#" });
                column = 1;
            }
            let _ = write!(text, " {word}");
            column += 1 + word.len();
        }
        let _ = writeln!(text, "\n# {} = {}", setting.name, setting.example);
    }
    text.push_str(
        "
# Named filters: evtap watch --filter @escalations
# [filters]
# escalations = '.event_type == \"call.escalated\"'

# The live screen: keys of your own, and colours. See `evtap help tui`.
# [tui.keys]
# filter = [\"F4\", \"f\"]

# [tui.theme]
# base = \"dark\"
# error = \"#ff5f5f\"

# [profiles.staging]
# base_url = \"https://staging.example.com\"
# api_key_command = \"pass show amigo/staging\"

# [profiles.staging.filters]
# long = '.event_type == \"call.ended\" and .duration_seconds > 60'
",
    );
    text
}

/// Edits a profile: `KEY=VALUE` sets a setting and `KEY=` removes it.
pub fn set_profile(path: &Path, name: &str, pairs: &[String], watch: &Command) -> Result<()> {
    // Refuse to edit a file that is already invalid.
    File::read(path, watch)?;
    let text = match input_file::read_text(path, LIMIT) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(path, &error)),
    };
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Err(Error::new(
            Exit::Failure,
            format!("cannot edit {}", path.display()),
            "another program has changed it",
            "try again",
        ));
    };
    let unfit = || {
        Error::usage(
            format!("cannot edit {}", path.display()),
            "its profiles are not tables",
            "write them as [profiles.NAME]",
        )
    };
    let implicit = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    // In a file without settings, such as the example, all comments are the trailing text of the
    // document. Move them in front of the new table, so that they stay at the top of the file.
    let comments =
        document.is_empty().then(|| document.trailing().as_str().unwrap_or_default().to_owned());
    let profiles =
        document.entry("profiles").or_insert_with(implicit).as_table_mut().ok_or_else(unfit)?;
    let profile =
        profiles.entry(name).or_insert_with(toml_edit::table).as_table_mut().ok_or_else(unfit)?;
    if let Some(comments) = &comments {
        profile
            .decor_mut()
            .set_prefix(format!("{comments}{}", if comments.is_empty() { "" } else { "\n" }));
    }
    for pair in pairs {
        let (key, text) = pair.split_once('=').ok_or_else(|| {
            Error::usage(
                "cannot set the profile",
                "an argument has no =",
                "write KEY=VALUE, such as output=ndjson",
            )
        })?;
        let (table, key, value) = match key.strip_prefix("filters.") {
            Some(filter) => (
                profile
                    .entry("filters")
                    .or_insert_with(toml_edit::table)
                    .as_table_mut()
                    .ok_or_else(unfit)?,
                filter,
                text.into(),
            ),
            None => (&mut *profile, key, value(key, text, watch)?),
        };
        match table.get_mut(key) {
            _ if text.is_empty() => drop(table.remove(key)),
            Some(Item::Value(old)) => {
                // Preserve the white space and the comment around the old value.
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            _ => drop(table.insert(key, Item::Value(value))),
        }
    }
    if comments.is_some() {
        document.set_trailing("");
    }
    let text = document.to_string();
    File::parse(path, &text, true, watch)?;
    replace(path, &text).map_err(|error| failed(path, &error))
}

/// Converts the text of a setting to the TOML type that its option expects.
fn value(key: &str, text: &str, watch: &Command) -> Result<Value> {
    let setting = Setting::lookup(key)
        .map_err(|(why, advice)| Error::usage(format!("cannot set {key}"), why, advice))?;
    let option =
        setting.option(watch, watch).expect("a test holds that all settings are options of watch");
    let number = text.parse::<i64>().ok().filter(|_| !is_text(option));
    Ok(match (text.parse::<bool>().ok().filter(|_| is_flag(option)), number) {
        (Some(flag), _) => flag.into(),
        (None, Some(number)) => number.into(),
        (None, None) if is_list(option) && text.contains(',') => {
            Value::Array(text.split(',').map(str::trim).collect::<Array>())
        }
        (None, None) => text.into(),
    })
}

fn is_text(option: &Arg) -> bool {
    option.get_value_parser().type_id() == ValueParser::string().type_id()
}

/// Replaces the file atomically with one that only its owner can read.
///
/// If the path is a symbolic link, the file that it points to is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    make_directory(path)?;
    let path: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let beside = path.with_file_name(name);
    // An earlier run that was killed may have left this file.
    let _ = fs::remove_file(&beside);
    let mut file = private_file::create_new(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &path)
}
