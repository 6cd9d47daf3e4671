//! Reads the configuration file and checks it against the table of settings.
//!
//! The first mistake is an error that names its line.
//!
//! The top level has the settings of every run. `[profiles.NAME]` has the settings of a profile,
//! which take precedence over the top level. `[filters]`, at the top level or in a profile, has
//! named filters. Errors never quote a value, because it may be an API key.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use toml_edit::{Document, Item, Table, Value};

use super::appearance;
use super::toml_file::TomlFile;
use crate::cli::args::Appearance;
use crate::cli::settings::{self, Role, Setting, is_flag, is_list, is_path};
use crate::error::Result;
use crate::query::is_filter_name;
use crate::transport::input_file;
use crate::tui::style::{ThemeEntries, ThemeName};

/// The maximum size of a configuration file in bytes. A larger file is something else.
pub(super) const LIMIT: u64 = 1 << 20;

/// The contents of a configuration file.
#[derive(Debug, Default)]
pub struct File {
    /// The path of the file.
    pub path: PathBuf,
    /// The profile to use unless an option or the environment chooses another.
    pub default_profile: Option<String>,
    /// The top level, which applies to every run.
    pub top: Section,
    /// The profiles by name.
    pub profiles: BTreeMap<String, Section>,
}

/// The settings and filters of the top level or of a profile.
#[derive(Debug, Default)]
pub struct Section {
    /// The settings by name.
    pub settings: BTreeMap<&'static str, FileEntry>,
    /// The expressions of the filters by name, each with its line.
    pub filters: BTreeMap<String, (String, usize)>,
    /// The keys of the live screen by the name of the action, each with its line.
    pub keys: BTreeMap<String, (Vec<String>, usize)>,
    /// The theme of the live screen: colours by the name of the role.
    pub theme: ThemeEntries,
}

/// A setting in a file. `Debug` omits its values, because they may contain an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The values in the form that the option accepts.
    pub values: Vec<String>,
    /// The line number, starting at 1.
    pub line: usize,
}

impl std::fmt::Debug for FileEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("line", &self.line).finish_non_exhaustive()
    }
}

/// Returns the default path of the file, as defined by the XDG Base Directory Specification.
#[must_use]
pub fn default_path() -> Option<PathBuf> {
    let home =
        std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(
        home.or_else(|| Some(std::env::home_dir()?.join(".config")))?
            .join("evtap")
            .join("config.toml"),
    )
}

/// Returns the directory of what evtap can compute again, as defined by the XDG Base Directory
/// Specification.
#[must_use]
pub fn cache_dir() -> Option<PathBuf> {
    let home =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(home.or_else(|| Some(std::env::home_dir()?.join(".cache")))?.join("evtap"))
}

/// Returns the names of the profiles in the file of `EVTAP_CONFIG` or in the default file.
///
/// Returns no names if the file cannot be read.
#[must_use]
pub fn profiles() -> Vec<String> {
    let path = std::env::var_os("EVTAP_CONFIG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(default_path);
    let text = path.and_then(|path| input_file::read_text(&path, LIMIT).ok()).unwrap_or_default();
    let document = Document::parse(text).ok();
    let table = document.as_ref().and_then(|document| document.get("profiles")?.as_table());
    table.into_iter().flatten().map(|(name, _)| name.to_owned()).collect()
}

impl File {
    /// Reads a configuration file. Returns `None` if it does not exist.
    pub fn read(path: &Path, watch: &Command) -> Result<Option<Self>> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        let file = TomlFile::read(path, "the configuration", LIMIT)?;
        ConfigReader { file: &file, watch }.file().map(Some)
    }

    /// Returns the keys and the theme of the live screen with that profile.
    pub fn appearance(&self, profile: Option<&Section>) -> Appearance {
        let layers: Vec<_> = std::iter::once(&self.top).chain(profile).collect();
        let keys = layers.iter().flat_map(|section| &section.keys);
        let theme = layers.iter().rev().map(|section| &section.theme);
        Appearance {
            keys: keys.map(|(name, (keys, _))| (name.clone(), keys.clone())).collect(),
            theme: theme.into_iter().find(|theme| !theme.is_empty()).cloned().unwrap_or_default(),
        }
    }

    /// Parses the text of a configuration file. `private` is whether only its owner can read it.
    pub fn parse(path: &Path, text: &str, private: bool, watch: &Command) -> Result<Self> {
        let file = TomlFile { path: path.to_owned(), text: text.to_owned(), is_private: private };
        ConfigReader { file: &file, watch }.file()
    }
}

/// Parses one configuration file.
struct ConfigReader<'a> {
    file: &'a TomlFile,
    watch: &'a Command,
}

impl ConfigReader<'_> {
    fn file(&self) -> Result<File> {
        let advice = "write name = \"value\"; `evtap config init` writes an example";
        let document = self.file.document(advice)?;
        let mut file = File { path: self.file.path.clone(), ..File::default() };
        for (name, item) in document.iter() {
            match name {
                "profile" => {
                    let advice = "write profile = \"staging\"";
                    let name = item.as_str().map(str::to_owned);
                    file.default_profile = Some(name.ok_or_else(|| {
                        self.file.wrong(
                            self.file.line(item.span()),
                            "profile",
                            "not a string",
                            advice,
                        )
                    })?);
                }
                "profiles" => {
                    let table = self.table(name, item)?;
                    for (name, item) in &table {
                        file.profiles
                            .insert(name.to_owned(), self.section(&self.table(name, item)?)?);
                    }
                }
                _ => self.entry(document.as_table(), name, item, &mut file.top)?,
            }
        }
        self.check_api_key(&file.top)?;
        for profile in std::iter::once(None).chain(file.profiles.values().map(Some)) {
            let of = |section: &Section, name: &str| section.keys.get(name).map(|(_, line)| *line);
            let line = |name: &str| {
                let own = profile.and_then(|profile| of(profile, name));
                own.or_else(|| of(&file.top, name)).unwrap_or(1)
            };
            appearance::check_keys(self.file, &file.appearance(profile).keys, line)?;
        }
        Ok(file)
    }

    fn section(&self, table: &Table) -> Result<Section> {
        let mut section = Section::default();
        for (name, item) in table {
            self.entry(table, name, item, &mut section)?;
        }
        self.check_api_key(&section)?;
        Ok(section)
    }

    fn table(&self, name: &str, item: &Item) -> Result<Table> {
        item.clone().into_table().map_err(|_| {
            let advice = format!("write its settings below [{name}], one per line");
            self.file.wrong(self.file.line(item.span()), name, "not a table", advice)
        })
    }

    /// Adds an entry, which is a setting or the table of filters, to a section.
    fn entry(&self, table: &Table, name: &str, item: &Item, section: &mut Section) -> Result<()> {
        let line =
            self.file.line(table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span()));
        if name == "filters" {
            for (name, item) in &self.table(name, item)? {
                section.filters.insert(name.to_owned(), self.filter(name, item)?);
            }
            return Ok(());
        }
        if name == appearance::TABLE {
            return self.appearance(&self.table(name, item)?, section);
        }
        let wrong = |(why, advice): (String, String)| self.file.wrong(line, name, why, advice);
        let setting = Setting::lookup(name).map_err(wrong)?;
        let option = setting
            .option(self.watch, self.watch)
            .expect("a test holds that every setting is an option");
        let mut values = self.values(line, name, option, item)?;
        setting.check(option, &values).map_err(wrong)?;
        if is_path(option) {
            for path in &mut values {
                *path = self.file.resolve(path).to_string_lossy().into_owned();
            }
        }
        if setting.role == Role::Proxy
            && !self.file.is_private
            && values.iter().any(|url| url.contains('@'))
        {
            let why = "it holds a password, and other users can read the file";
            return Err(self.file.wrong(line, name, why, "make the file private with `chmod 600`"));
        }
        self.insert(section, setting.name, FileEntry { values, line })
    }

    /// Adds a setting to a section. The table of the live screen may hold settings of the top level.
    fn insert(&self, section: &mut Section, name: &'static str, entry: FileEntry) -> Result<()> {
        let line = entry.line;
        if section.settings.insert(name, entry).is_some() {
            let why = "it is set twice";
            return Err(self.file.wrong(line, name, why, "remove one of the two lines"));
        }
        Ok(())
    }

    /// Adds the table of the live screen, which holds some settings, the keys and a theme.
    fn appearance(&self, table: &Table, section: &mut Section) -> Result<()> {
        for (name, item) in table {
            let line = self.file.line(item.span());
            match name {
                "keys" => {
                    section.keys = appearance::keys(self.file, &self.table("tui.keys", item)?)?;
                }
                "theme" if item.is_table_like() => {
                    let entries = self.table("tui.theme", item)?;
                    section.theme = appearance::theme(self.file, &entries)?;
                    let custom = vec![ThemeName::Custom.name().to_owned()];
                    self.insert(section, "theme", FileEntry { values: custom, line })?;
                }
                _ if appearance::SETTINGS.contains(&name) => {
                    self.entry(table, name, item, section)?;
                }
                _ => return Err(appearance::unknown(self.file, line, name)),
            }
        }
        Ok(())
    }

    fn filter(&self, name: &str, item: &Item) -> Result<(String, usize)> {
        let line = self.file.line(item.span());
        if !is_filter_name(name) {
            return Err(self.file.wrong(
                line,
                name,
                "invalid filter name",
                "use letters, digits, - and _",
            ));
        }
        item.as_str().map(|expression| (expression.to_owned(), line)).ok_or_else(|| {
            self.file.wrong(
                line,
                name,
                "not a string",
                "write name = '.event_type == \"call.ended\"'",
            )
        })
    }

    /// Converts a TOML value to the values that the option accepts.
    fn values(
        &self,
        line: usize,
        name: &str,
        option: &clap::Arg,
        item: &Item,
    ) -> Result<Vec<String>> {
        let single = |value: &Value| match value {
            Value::Boolean(value) => is_flag(option).then(|| value.value().to_string()),
            Value::String(value) => (!is_flag(option)).then(|| value.value().clone()),
            Value::Integer(value) => (!is_flag(option)).then(|| value.value().to_string()),
            Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_) => None,
        };
        let values = match item.as_value() {
            Some(Value::Array(array)) if is_list(option) => array.iter().map(single).collect(),
            Some(value) => single(value).map(|value| vec![value]),
            None => None,
        };
        values.ok_or_else(|| {
            let advice = if is_flag(option) {
                "give true or false"
            } else if is_list(option) {
                "give a string, or several as [\"one\", \"other\"]"
            } else {
                "give a string"
            };
            self.file.wrong(line, name, "wrong type", advice)
        })
    }

    /// Returns an error if a section sets more than one source of the API key.
    fn check_api_key(&self, section: &Section) -> Result<()> {
        let entries = settings::by_role(Role::ApiKey)
            .filter_map(|setting| Some((setting.name, section.settings.get(setting.name)?.line)));
        let (names, lines): (Vec<_>, Vec<_>) = entries.unzip();
        if names.len() < 2 {
            return Ok(());
        }
        let line = lines.into_iter().max().unwrap_or_default();
        let why = "only one of them can be set";
        Err(self.file.wrong(line, &names.join(", "), why, "remove one of them"))
    }
}
