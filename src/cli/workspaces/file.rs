//! Reads the file of `--workspaces-file`.
//!
//! Its array `workspaces` has ids, or tables with an id and where to read the API key. The first
//! mistake is an error that names its line, and unknown names are mistakes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml_edit::{Item, TableLike, Value};

use crate::cli::config::TomlFile;
use crate::cli::shard::Shard;
use crate::error::{Error, Result};
use crate::model::is_uuid;
use crate::query::suggest;
use crate::transport::credential::KeySource;

/// The maximum size of the file, in bytes: some 100,000 workspaces.
const LIMIT: u64 = 16 << 20;

const NAME: &str = "workspaces";
const ID: &str = "id";
const KEY_FILE: &str = "api_key_file";
const KEY_COMMAND: &str = "api_key_command";

const EXAMPLE: &str = "write workspaces = [\"ID\", …], or [] for none";

/// The file and the shard of it that this process taps.
#[derive(Debug, Clone)]
pub struct WorkspacesFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The ids of workspaces that are tapped besides those of the file, with the key of the run.
    pub named: Vec<String>,
    /// The shard; `None` for all workspaces.
    pub shard: Option<Shard>,
}

/// The content of the file.
#[derive(Default)]
pub struct ListedWorkspaces {
    /// The workspaces of this process by id, each with the source of its key; `None` if it has
    /// the key of the run.
    pub own: BTreeMap<String, Option<KeySource>>,
    /// The number of workspaces in the file and of those that are named besides.
    pub listed: usize,
}

impl WorkspacesFile {
    /// Reads the file. `has_key` is whether the run has an API key, which is that of each workspace
    /// without its own.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or has a mistake.
    pub fn read(&self, has_key: bool) -> Result<ListedWorkspaces> {
        let file = TomlFile::read(&self.path, "the workspaces file", LIMIT)?;
        let mut all = WorkspacesReader { file: &file, has_key }.workspaces()?;
        for id in &self.named {
            if !has_key && !all.contains_key(id) {
                let why = "it has no API key";
                let advice = "set AMIGO_API_KEY, or list it in the file with its own";
                let what = format!("cannot watch the workspace {id}");
                return Err(Error::usage(what, why, advice).with_setting("--workspace"));
            }
            all.entry(id.clone()).or_insert(None);
        }
        let listed = all.len();
        let is_own = |id: &String| self.shard.is_none_or(|shard| shard.has(id));
        Ok(ListedWorkspaces { own: all.into_iter().filter(|(id, _)| is_own(id)).collect(), listed })
    }
}

struct WorkspacesReader<'a> {
    file: &'a TomlFile,
    has_key: bool,
}

/// The position of something in the file, in bytes.
type ItemSpan = Option<std::ops::Range<usize>>;

impl WorkspacesReader<'_> {
    fn wrong(&self, span: ItemSpan, what: &str, why: impl Into<String>, advice: &str) -> Error {
        self.file.wrong(self.file.line(span), what, why, advice)
    }

    fn workspaces(&self) -> Result<BTreeMap<String, Option<KeySource>>> {
        let document = self.file.document(EXAMPLE)?;
        if let Some((name, item)) = document.iter().find(|(name, _)| *name != NAME) {
            let span = document.as_table().key(name).and_then(toml_edit::Key::span);
            return Err(self.unknown(span.or_else(|| item.span()), name, &[NAME]));
        }
        let Some(item) = document.get(NAME) else {
            return Err(self.wrong(None, "", "it has no workspaces", EXAMPLE));
        };
        let mut workspaces = BTreeMap::new();
        match item {
            Item::Value(Value::Array(array)) => {
                for value in array {
                    match value {
                        Value::String(id) => {
                            self.add(&mut workspaces, value.span(), id.value(), None)?;
                        }
                        Value::InlineTable(table) => {
                            self.add_table(&mut workspaces, value.span(), table)?;
                        }
                        _ => return Err(self.wrong(value.span(), NAME, "wrong type", EXAMPLE)),
                    }
                }
            }
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    self.add_table(&mut workspaces, table.span(), table)?;
                }
            }
            _ => return Err(self.wrong(item.span(), NAME, "not an array", EXAMPLE)),
        }
        Ok(workspaces)
    }

    fn unknown(&self, span: ItemSpan, name: &str, known: &[&str]) -> Error {
        let advice = suggest::nearest(name, known.iter().copied()).map_or_else(
            || format!("give {}", known.join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        self.wrong(span, name, "no such name", &advice)
    }

    fn add_table(
        &self,
        workspaces: &mut BTreeMap<String, Option<KeySource>>,
        span: ItemSpan,
        table: &dyn TableLike,
    ) -> Result<()> {
        let (mut id, mut key) = (None, None);
        for (name, item) in table.iter() {
            let span = item.span();
            let source = match name {
                ID => {
                    let advice = "write id = \"ID\"";
                    let text = item.as_str();
                    let text =
                        text.ok_or_else(|| self.wrong(span.clone(), ID, "not a string", advice))?;
                    id = Some((text, span));
                    continue;
                }
                KEY_FILE => {
                    let path = item.as_str().ok_or_else(|| {
                        self.wrong(span.clone(), KEY_FILE, "not a string", "give a path")
                    })?;
                    KeySource::File(self.file.resolve(path))
                }
                KEY_COMMAND => KeySource::Program(self.program(item)?),
                _ => return Err(self.unknown(span, name, &[ID, KEY_FILE, KEY_COMMAND])),
            };
            if key.replace(source).is_some() {
                let names = format!("{KEY_FILE}, {KEY_COMMAND}");
                let why = "only one of them can be set";
                return Err(self.wrong(span, &names, why, "remove one of them"));
            }
        }
        let Some((id, span)) = id else {
            return Err(self.wrong(span, NAME, "a workspace without id", "write id = \"ID\""));
        };
        self.add(workspaces, span, id, key)
    }

    /// Returns the program and its arguments. They are not a line for the shell, so that nothing in
    /// them needs quoting.
    fn program(&self, item: &Item) -> Result<Vec<String>> {
        let words = item.as_array().map(|array| {
            array.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        words.flatten().filter(|words| !words.is_empty()).ok_or_else(|| {
            let why = "not a program with its arguments";
            let advice = "write them as an array, such as [\"pass\", \"show\", \"amigo\"]; no shell reads them";
            self.wrong(item.span(), KEY_COMMAND, why, advice)
        })
    }

    fn add(
        &self,
        workspaces: &mut BTreeMap<String, Option<KeySource>>,
        span: ItemSpan,
        id: &str,
        key: Option<KeySource>,
    ) -> Result<()> {
        if !is_uuid(id) {
            let advice = "copy it from the platform's settings";
            return Err(self.wrong(span, ID, "it is not a UUID", advice));
        }
        if key.is_none() && !self.has_key {
            let advice = "give the workspace an api_key_file or api_key_command, or set AMIGO_API_KEY for all";
            return Err(self.wrong(span, ID, "the workspace has no API key", advice));
        }
        if workspaces.insert(id.to_ascii_lowercase(), key).is_some() {
            return Err(self.wrong(span, ID, "the workspace is listed twice", "remove one"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
    const B: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca428";

    fn read(text: &str, has_key: bool) -> Result<BTreeMap<String, Option<KeySource>>> {
        let file = TomlFile {
            path: PathBuf::from("/etc/evtap/clinics.toml"),
            text: text.to_owned(),
            is_private: true,
        };
        WorkspacesReader { file: &file, has_key }.workspaces()
    }

    #[test]
    fn ids_and_keys_are_read_from_both_forms() {
        let forms = [
            format!(
                "workspaces = [\n  \"{}\",\n  {{ id = \"{B}\", api_key_file = \"b.key\" }},\n]\n",
                A.to_ascii_uppercase()
            ),
            format!(
                "[[workspaces]]\nid = \"{A}\"\n[[workspaces]]\napi_key_file = \"b.key\"\nid = \"{B}\"\n"
            ),
        ];
        for text in forms {
            let read = read(&text, true).unwrap_or_else(|error| panic!("{error}"));
            assert!(read[A].is_none());
            let path = PathBuf::from("/etc/evtap/b.key");
            assert!(read[B] == Some(KeySource::File(path)));
        }
        let text =
            format!("workspaces = [{{ id = \"{A}\", api_key_command = [\"pass\", \"a b\"] }}]");
        let read = read(&text, false).unwrap_or_else(|error| panic!("{error}"));
        assert!(read[A] == Some(KeySource::Program(vec!["pass".to_owned(), "a b".to_owned()])));
    }

    #[test]
    fn a_file_may_have_no_workspaces_but_must_say_so() {
        assert!(read("workspaces = []", true).is_ok_and(|read| read.is_empty()));
        let error = read("", true).err().expect("an error");
        assert!(error.to_string().contains("it has no workspaces; write workspaces = "), "{error}");
    }

    #[test]
    fn a_mistake_names_its_line_and_what_to_do_but_no_value() {
        for (text, expected) in [
            ("workspaces = [\"canary\"]".to_owned(), "line 1 (id): it is not a UUID"),
            ("\nworkspaces = [1]".to_owned(), "line 2 (workspaces): wrong type"),
            ("workspaces = \"canary\"".to_owned(), "line 1 (workspaces): not an array"),
            ("workspaces = [".to_owned(), "invalid TOML"),
            (
                "workspace = []".to_owned(),
                "line 1 (workspace): no such name; did you mean workspaces?",
            ),
            (
                format!("workspaces = [\n{{ id = \"{A}\", api_key_fil = \"canary\" }}]"),
                "line 2 (api_key_fil): no such name; did you mean api_key_file?",
            ),
            (
                format!("workspaces = [{{ id = \"{A}\", api_key_command = \"canary\" }}]"),
                "(api_key_command): not a program with its arguments; write them as an array",
            ),
            (
                format!("workspaces = [{{ id = \"{A}\", api_key_command = [] }}]"),
                "(api_key_command): not a program",
            ),
            (
                format!(
                    "workspaces = [{{ id = \"{A}\", api_key_command = [\"canary\"], api_key_file = \"canary\" }}]"
                ),
                "(api_key_file, api_key_command): only one of them can be set",
            ),
            ("workspaces = [{ api_key_file = \"canary\" }]".to_owned(), "a workspace without id"),
            (
                format!("workspaces = [\"{A}\",\n\n\"{}\"]", A.to_ascii_uppercase()),
                "line 3 (id): the workspace is listed twice",
            ),
        ] {
            let error = read(&text, true).err().expect("an error").to_string();
            assert!(error.contains(expected) && !error.contains("canary"), "{error}");
        }
        let error = read(&format!("workspaces = [\"{A}\"]"), false).err().expect("an error");
        assert!(error.to_string().contains("the workspace has no API key"), "{error}");
    }
}
