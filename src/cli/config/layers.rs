//! The layers of settings: the environment takes precedence over the profile, and the profile over
//! the top level of the file.
//!
//! All sources of the API key are compared as one setting, so that the key of a profile never
//! replaces `AMIGO_API_KEY`. The layers of `redact` are combined: an option that hides one field
//! must not reveal a field that the file hides.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::file::{self, File, FileEntry};
use super::origin::SettingOrigin;
use crate::cli::args::Appearance;
use crate::cli::settings::{self, Role, SETTINGS, Setting, is_explicit, is_flag};
use crate::error::{Error, Result};
use crate::query::suggest;
use crate::transport::credential;

/// The settings of the environment and of the configuration file.
#[derive(Default)]
pub struct Layers {
    /// The configuration file, if there is one.
    pub file: Option<File>,
    /// The profile in use, and the option, variable or setting that chose it.
    pub profile: Option<(String, &'static str)>,
    /// The values of each setting with their origins, highest layer first.
    values: BTreeMap<&'static str, Vec<(SettingOrigin, Vec<String>)>>,
    /// The settings that the command line overrides.
    overridden: Vec<&'static str>,
}

/// The expressions of the named filters in use, each with its origin.
pub type NamedFilters = BTreeMap<String, (String, SettingOrigin)>;

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may contain secrets.
        f.debug_struct("Layers").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Layers {
    /// Reads the environment and the file, and selects the profile.
    pub(super) fn read(typed: &ArgMatches, watch: &clap::Command) -> Result<Self> {
        let (file, profile) = select_file(typed, watch)?;
        let is_overridden = |setting: &&Setting| {
            setting.role != Role::Cumulative && is_explicit(typed, setting.name)
        };
        let overridden = SETTINGS.iter().filter(is_overridden).map(|setting| setting.name);
        let mut layers =
            Self { file, profile, values: BTreeMap::new(), overridden: overridden.collect() };
        for setting in SETTINGS {
            let option =
                setting.option(watch, watch).expect("a test holds that every setting is an option");
            let mut layered = Vec::new();
            if let Some(variable) = setting.variable(option)
                && let Some(value) = std::env::var_os(&variable)
                && !value.is_empty()
            {
                let value = value.to_string_lossy().into_owned();
                let value = if is_flag(option) && value == "1" { "true".to_owned() } else { value };
                let values = vec![value];
                setting.check(option, &values).map_err(|(why, advice)| {
                    Error::usage(format!("cannot use the environment's {variable}"), why, advice)
                })?;
                layered.push((SettingOrigin::Variable(variable), values));
            }
            layered.extend(layers.entries(setting));
            layers.values.insert(setting.name, layered);
        }
        Ok(layers)
    }

    /// Returns the values of a setting in the profile and at the top level, in this order.
    fn entries(&self, setting: &Setting) -> Vec<(SettingOrigin, Vec<String>)> {
        let Some(file) = &self.file else { return Vec::new() };
        let profile = self.profile.as_ref().and_then(|(name, _)| {
            let FileEntry { values, line } = file.profiles.get(name)?.settings.get(setting.name)?;
            Some((SettingOrigin::Profile(name.clone(), *line), values.clone()))
        });
        let top = file.top.settings.get(setting.name);
        profile
            .into_iter()
            .chain(
                top.map(|FileEntry { values, line }| (SettingOrigin::File(*line), values.clone())),
            )
            .collect()
    }

    /// Returns the value that replaces the default of the option, if a layer sets one.
    pub(super) fn effective(
        &self,
        setting: &Setting,
        typed: &ArgMatches,
    ) -> Option<&(SettingOrigin, Vec<String>)> {
        let highest = |name: &str| self.values.get(name).and_then(|values| values.first());
        let value = highest(setting.name)?;
        match setting.role {
            // The values of all layers are combined after parsing; see `redacted`.
            Role::Cumulative => None,
            Role::ApiKey => {
                let taken = std::env::var_os(credential::API_KEY_VARIABLE)
                    .is_some_and(|key| !key.is_empty())
                    || settings::by_role(Role::ApiKey).any(|key| is_explicit(typed, key.name));
                let first = settings::by_role(Role::ApiKey)
                    .filter_map(|key| highest(key.name))
                    .map(|(origin, _)| origin.rank())
                    .min()?;
                (!taken && value.0.rank() == first).then_some(value)
            }
            Role::Plain | Role::Url | Role::Proxy => Some(value),
        }
    }

    /// Returns the field names that `redact` lists in all layers.
    pub(super) fn redacted(&self) -> impl Iterator<Item = String> {
        let all = self.values.get("redact").into_iter().flatten().flat_map(|(_, values)| values);
        all.flat_map(|names| names.split(',')).map(|name| name.trim().to_owned())
    }

    /// Appends the field names of `redact` in all layers to those of the option.
    ///
    /// Replaces a default origin with that of the highest layer.
    pub fn add_cumulative(&self, names: &mut String, origin: &mut SettingOrigin) {
        for name in self.redacted() {
            *names += if names.is_empty() { "" } else { "," };
            *names += &name;
        }
        if let (SettingOrigin::Default, Some((highest, _))) =
            (&origin, self.values.get("redact").and_then(|values| values.first()))
        {
            *origin = highest.clone();
        }
    }

    /// Returns the named filters. Those of the profile take precedence over the top level.
    #[must_use]
    pub fn filters(&self) -> NamedFilters {
        let mut filters = NamedFilters::new();
        let Some(file) = &self.file else { return filters };
        for (name, (expression, line)) in &file.top.filters {
            filters.insert(name.clone(), (expression.clone(), SettingOrigin::File(*line)));
        }
        if let Some((profile, section)) =
            self.profile.as_ref().and_then(|(name, _)| Some((name, file.profiles.get(name)?)))
        {
            for (name, (expression, line)) in &section.filters {
                filters.insert(
                    name.clone(),
                    (expression.clone(), SettingOrigin::Profile(profile.clone(), *line)),
                );
            }
        }
        filters
    }

    /// Returns the keys and the theme of the live screen. Those of the profile take precedence, each
    /// key by itself and the theme as a whole.
    #[must_use]
    pub fn appearance(&self) -> Appearance {
        let Some(file) = &self.file else { return Appearance::default() };
        let profile = self.profile.as_ref().and_then(|(name, _)| file.profiles.get(name));
        file.appearance(profile)
    }

    /// Returns the origin of a setting's value. `matches` is the result of the second parse.
    #[must_use]
    pub fn origin(
        &self,
        setting: &Setting,
        option: &clap::Arg,
        matches: &ArgMatches,
    ) -> SettingOrigin {
        let is_option = matches.try_contains_id(setting.name).is_ok();
        match is_option.then(|| matches.value_source(setting.name)).flatten() {
            Some(ValueSource::CommandLine) => SettingOrigin::Option,
            Some(ValueSource::EnvVariable) => SettingOrigin::Variable(
                option.get_env().unwrap_or_default().to_string_lossy().into_owned(),
            ),
            _ => self
                .effective(setting, matches)
                .map_or(SettingOrigin::Default, |(origin, _)| origin.clone()),
        }
    }

    /// Adds the line of the file to an error about a setting from the file.
    ///
    /// Without it, the error would name only an option that is not on the command line.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        let line = error.setting().and_then(|option| self.line_in_file(option));
        match (&self.file, line) {
            (Some(file), Some((name, line))) if error.detail().is_none() => error
                .with_detail(format!("  {name} is set in {}, line {line}", file.path.display())),
            _ => error,
        }
    }

    /// Returns the setting of an option and its line if the effective value comes from the file.
    fn line_in_file(&self, option: &str) -> Option<(&'static str, usize)> {
        let name = option.trim_start_matches('-').replace('-', "_");
        let (name, values) = self.values.get_key_value(name.as_str())?;
        match values.first()? {
            (SettingOrigin::Profile(_, line) | SettingOrigin::File(line), _) => {
                (!self.overridden.contains(name)).then_some((*name, *line))
            }
            _ => None,
        }
    }
}

/// The configuration file, and the profile in use with what chose it.
type Selection = (Option<File>, Option<(String, &'static str)>);

fn select_file(typed: &ArgMatches, watch: &clap::Command) -> Result<Selection> {
    let path =
        typed.get_one::<PathBuf>("config").filter(|path| !path.as_os_str().is_empty()).cloned();
    let file = match path.clone().or_else(file::default_path) {
        Some(path) => File::read(&path, watch)?,
        None => None,
    };
    if let (Some(path), None) = (&path, &file) {
        let advice = "check the path of --config; `evtap config init` writes an example";
        return Err(Error::usage(
            format!("cannot use the configuration {}", path.display()),
            "no such file",
            advice,
        ));
    }
    let by = if typed.value_source("profile") == Some(ValueSource::EnvVariable) {
        "EVTAP_PROFILE"
    } else {
        "--profile"
    };
    let named = typed
        .get_one::<String>("profile")
        .filter(|name| !name.is_empty())
        .map(|name| (name.clone(), by));
    let profile = named.or_else(|| Some((file.as_ref()?.default_profile.clone()?, "profile")));
    let Some((name, by)) = profile else { return Ok((file, None)) };
    let Some(known) = &file else {
        let what = format!("cannot use the profile {name}");
        return Err(Error::usage(
            what,
            "no configuration file",
            "create one with `evtap config init`",
        ));
    };
    if !known.profiles.contains_key(&name) {
        let why = format!("{} has no such profile", known.path.display());
        let advice = suggest::advice(&name, known.profiles.keys().map(String::as_str), "profile");
        return Err(Error::usage(format!("cannot use the profile {name}"), why, advice));
    }
    Ok((file, Some((name, by))))
}
