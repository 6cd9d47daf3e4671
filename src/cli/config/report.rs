//! The output of `evtap config`: each setting with its value and origin. Secrets are hidden.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::Arg;
use colored::Colorize;
use serde_json::{Map, json};

use super::layers::{Layers, NamedFilters};
use super::origin::SettingOrigin;
use super::parse::{ParseError, resolve};
use crate::cli::args::{self, ConfigChoice};
use crate::cli::settings::{self, Role, SETTINGS, Setting, is_path};
use crate::cli::usage_error;
use crate::error::Result;
use crate::text::terminal;
use crate::transport::credential;

/// The variables that name a proxy for `https`, in order of precedence.
pub const PROXIES: &[&str] = &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Stands for a value that is set but not shown.
const HIDDEN: &str = "(hidden)";

/// A setting with its displayed value and its origin.
struct SettingRow {
    name: &'static str,
    role: Role,
    value: Option<String>,
    origin: SettingOrigin,
}

/// The effective settings of a `watch` command.
pub struct ResolvedConfig {
    layers: Layers,
    rows: Vec<SettingRow>,
}

impl ResolvedConfig {
    /// Resolves the settings for these options of `watch`.
    pub fn resolve(options: &[String], choice: &ConfigChoice) -> Result<Self> {
        let mut arguments: Vec<OsString> = ["evtap", "watch"].map(OsString::from).to_vec();
        for (name, value) in [
            ("config", choice.config.as_ref().map(|path| path.as_os_str().to_owned())),
            ("profile", choice.profile.clone().map(Into::into)),
        ] {
            // The parser reads the environment again, so that it knows where a value comes from.
            if let Some(value) = value.filter(|_| choice.typed.contains(&name)) {
                arguments.extend([format!("--{name}").into(), value]);
            }
        }
        arguments.extend(options.iter().map(OsString::from));
        let typed =
            |error: &clap::Error| usage_error::explain(error, &arguments, &args::definition());
        let matches =
            args::declaration().try_get_matches_from(&arguments).map_err(|error| typed(&error))?;
        let (matches, layers) = resolve(&arguments, &matches).map_err(|error| match error {
            ParseError::CommandLine(error) => typed(&error),
            ParseError::Configuration(error) => error,
        })?;
        let Some((_, matches)) = matches.subcommand() else {
            return Ok(Self { layers, rows: Vec::new() });
        };
        let watch = &settings::declaring(&args::declaration());
        let mut rows: Vec<_> = SETTINGS
            .iter()
            .filter_map(|setting| {
                let option = setting.option(watch, watch)?;
                // An option of another command is in no match.
                let value = if matches.try_contains_id(setting.name).is_ok() {
                    let values = matches.get_raw(setting.name);
                    values.map(|values| {
                        let texts: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
                        texts.join(",")
                    })
                } else {
                    layers.effective(setting, matches).map(|(_, values)| values.join(","))
                };
                let value = value.map(|text| shown(setting, option, &text));
                Some(SettingRow {
                    name: setting.name,
                    role: setting.role,
                    value,
                    origin: layers.origin(setting, option, matches),
                })
            })
            .collect();
        for row in &mut rows {
            if row.role == Role::Proxy
                && row.value.is_none()
                && let Some((variable, url)) =
                    PROXIES.iter().find_map(|name| Some((*name, std::env::var(name).ok()?)))
            {
                row.value = Some(without_login(&url));
                row.origin = SettingOrigin::Variable(variable.to_owned());
            }
        }
        // The parsed value has only the names of the option. Add those of the other layers.
        if let Some(cumulative) = rows.iter_mut().find(|row| row.role == Role::Cumulative) {
            layers.add_cumulative(cumulative.value.get_or_insert_default(), &mut cumulative.origin);
            cumulative.value.take_if(|names| names.is_empty());
        }
        let keyless = rows.iter().all(|row| row.role != Role::ApiKey || row.value.is_none());
        let key = keyless
            && std::env::var_os(credential::API_KEY_VARIABLE).is_some_and(|key| !key.is_empty());
        let origin = if key {
            SettingOrigin::Variable(credential::API_KEY_VARIABLE.to_owned())
        } else {
            SettingOrigin::Default
        };
        rows.insert(
            0,
            SettingRow {
                name: "api_key",
                role: Role::ApiKey,
                value: key.then(|| HIDDEN.to_owned()),
                origin,
            },
        );
        Ok(Self { layers, rows })
    }

    /// Returns the settings as text for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let file = self
            .layers
            .file
            .as_ref()
            .map_or_else(|| "none".to_owned(), |file| file.path.display().to_string());
        let profile = self
            .layers
            .profile
            .as_ref()
            .map_or_else(|| "none".to_owned(), |(name, by)| format!("{name}, by {by}"));
        let _ = writeln!(
            text,
            "file     {}\nprofile  {}\n",
            terminal::visible(&file),
            terminal::visible(&profile)
        );
        let value =
            |row: &SettingRow| terminal::visible(row.value.as_deref().unwrap_or("-")).into_owned();
        let width = self
            .rows
            .iter()
            .map(|row| value(row).chars().count())
            .max()
            .unwrap_or_default()
            .min(44);
        for row in &self.rows {
            let line = format!("{:<16}  {:<width$}  ", row.name, value(row));
            let origin = row.origin.to_string();
            let _ = writeln!(
                text,
                "{line}{}",
                if row.origin == SettingOrigin::Default {
                    origin.dimmed()
                } else {
                    origin.normal()
                }
            );
        }
        let appearance = self.layers.appearance();
        let keys = appearance.keys.iter().map(|(name, keys)| (name, keys.join(" ")));
        let colours = appearance.theme.iter().map(|(name, colour)| (name, colour.clone()));
        for (heading, entries) in
            [("keys", keys.collect::<Vec<_>>()), ("theme", colours.collect::<Vec<_>>())]
        {
            if !entries.is_empty() {
                let _ = writeln!(text, "\n{heading}");
            }
            for (name, value) in entries {
                let _ = writeln!(text, "{name:<16}  {}", terminal::visible(&value));
            }
        }
        let filters = self.layers.filters();
        if !filters.is_empty() {
            text.push_str("\nfilters\n");
        }
        for (name, (expression, origin)) in filters {
            let _ = writeln!(
                text,
                "@{name}  {}  {}",
                terminal::visible(&expression),
                origin.to_string().dimmed()
            );
        }
        text
    }

    /// Returns the settings as a JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        let settings: Map<_, _> = self
            .rows
            .iter()
            .map(|row| {
                let mut object = row.origin.json();
                object["value"] = json!(row.value);
                (row.name.to_owned(), object)
            })
            .collect();
        let filters: NamedFilters = self.layers.filters();
        let filters: Map<_, _> = filters
            .into_iter()
            .map(|(name, (expression, origin))| {
                let mut object = origin.json();
                object["expression"] = json!(expression);
                (name, object)
            })
            .collect();
        let object = json!({
            "file": self.layers.file.as_ref().map(|file| file.path.display().to_string()),
            "profile": self.layers.profile.as_ref().map(|(name, _)| name),
            "profile_by": self.layers.profile.as_ref().map(|(_, by)| by),
            "settings": settings,
            "filters": filters,
            "keys": self.layers.appearance().keys,
            "theme": self.layers.appearance().theme,
        });
        let mut line = String::new();
        terminal::push_json(&object.to_string(), &mut line);
        line + "\n"
    }
}

/// Returns a value without its secrets: the login of a URL, and all of a command.
fn shown(setting: &Setting, option: &Arg, value: &str) -> String {
    match setting.role {
        Role::Url | Role::Proxy => without_login(value),
        Role::ApiKey if !is_path(option) => HIDDEN.to_owned(),
        Role::ApiKey | Role::Plain | Role::Cumulative => value.to_owned(),
    }
}

/// Replaces the user name and password of a URL with `***`.
fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => url.to_owned(),
    }
}
