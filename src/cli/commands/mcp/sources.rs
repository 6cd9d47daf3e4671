//! What the tools may read: the recordings that were named, the demo, and configured workspaces.
//!
//! A call names a source and never a path, so that an agent reads nothing that it was not given.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use crate::cli::args::{ConnectionArgs, DemoArgs};
use crate::cli::platform::Platform;
use crate::cli::resolve::{self, Workspaces};
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;
use crate::query::suggest;
use crate::transport::{SourceConfig, recording};

/// The name of all recordings together.
const RECORDINGS: &str = "recordings";

/// How often a live source connects again before the call fails.
const MAX_RECONNECTS: u32 = 3;

/// The sources, by name.
pub struct AgentSources {
    recordings: Vec<(String, PathBuf)>,
    workspaces: Vec<String>,
    /// Further clinics of the emulator, such as `demo:2`.
    demos: Vec<String>,
    connection: ConnectionArgs,
    demo_options: DemoArgs,
    platform: OnceCell<Platform>,
    demo: OnceCell<Platform>,
}

/// A source that is ready to be read.
#[derive(Clone)]
pub enum AgentSource {
    /// Recordings, which are read one after the other.
    Recordings(Vec<PathBuf>),
    /// The stream of a workspace.
    Live(Box<Platform>, String),
}

impl AgentSources {
    /// Creates the sources. A missing recording or an unusable workspace is an error.
    pub fn new(
        files: Vec<PathBuf>,
        workspaces: &[String],
        connection: ConnectionArgs,
        demo_options: DemoArgs,
    ) -> Result<Self> {
        let mut recordings: Vec<(String, PathBuf)> = Vec::new();
        for file in files {
            check(&file)?;
            if recordings.iter().all(|(_, known)| *known != file) {
                recordings.push((unused_name(&file, &recordings), file));
            }
        }
        let (demos, workspaces): (Vec<_>, Vec<_>) =
            workspaces.iter().cloned().partition(|id| resolve::is_demo(id));
        for demo in &demos {
            resolve::workspace(demo)?;
        }
        let demos = demos.into_iter().filter(|demo| demo != resolve::DEMO).collect();
        let workspaces =
            if workspaces.is_empty() { workspaces } else { resolve::workspaces(&workspaces)?.ids };
        let (platform, demo) = (OnceCell::new(), OnceCell::new());
        Ok(Self { recordings, workspaces, demos, connection, demo_options, platform, demo })
    }

    /// Returns the names of all sources, the default one first.
    pub fn names(&self) -> Vec<String> {
        let all = (!self.recordings.is_empty()).then_some(RECORDINGS);
        let files = self.recordings.iter().map(|(name, _)| name.as_str());
        all.into_iter()
            .chain(files)
            .chain(self.workspaces.iter().map(String::as_str))
            .chain([resolve::DEMO])
            .chain(self.demos.iter().map(String::as_str))
            .map(str::to_owned)
            .collect()
    }

    /// Returns the name of the source of a call that names none.
    pub fn default_name(&self) -> String {
        self.names().into_iter().next().unwrap_or_else(|| resolve::DEMO.to_owned())
    }

    /// Opens a source by its name.
    pub async fn open(&self, name: &str) -> Result<AgentSource> {
        if name == RECORDINGS && !self.recordings.is_empty() {
            let paths = self.recordings.iter().map(|(_, path)| path.clone()).collect();
            return recording::expand(paths).map(AgentSource::Recordings);
        }
        if let Some((_, path)) = self.recordings.iter().find(|(known, _)| known == name) {
            return recording::expand(vec![path.clone()]).map(AgentSource::Recordings);
        }
        if name == resolve::DEMO || self.demos.iter().any(|demo| demo == name) {
            let start = || Platform::demo(&self.demo_options, limits());
            let platform = self.demo.get_or_try_init(start).await?;
            return Ok(AgentSource::Live(Box::new(platform.clone()), resolve::workspace(name)?));
        }
        if let Some(id) = self.workspaces.iter().find(|id| *id == name) {
            let connect = || async {
                let ids = self.workspaces.clone();
                let workspaces = Workspaces { ids, are_demo: false };
                Platform::for_workspaces(
                    workspaces,
                    &self.connection,
                    &self.demo_options,
                    limits(),
                    StatusFormat::Text,
                )
                .await
                .map(|(platform, _)| platform)
            };
            let platform = self.platform.get_or_try_init(connect).await?;
            return Ok(AgentSource::Live(Box::new(platform.clone()), id.clone()));
        }
        let names = self.names();
        let advice = match suggest::nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the sources are {}", names.join(", ")),
        };
        Err(Error::usage("cannot use source", "there is no such source", advice))
    }
}

/// Checks that a recording can be read again for each call.
fn check(file: &Path) -> Result<()> {
    let cannot =
        |why: String, advice| Error::usage(format!("cannot read {}", file.display()), why, advice);
    if file.as_os_str() == "-" {
        return Err(cannot("stdin carries the protocol".to_owned(), "name a file or a directory"));
    }
    let meta = std::fs::metadata(file)
        .map_err(|error| cannot(error.kind().to_string(), "check the path"))?;
    if !meta.is_file() && !meta.is_dir() {
        let why = "it can be read only once".to_owned();
        return Err(cannot(why, "name a file or a directory"));
    }
    recording::expand(vec![file.to_owned()]).map(drop)
}

/// Returns a name for a recording that no other source has: the name of the file, if possible.
fn unused_name(file: &Path, recordings: &[(String, PathBuf)]) -> String {
    let is_used = |name: &str| {
        name == RECORDINGS
            || resolve::is_demo(name)
            || recordings.iter().any(|(known, _)| known == name)
    };
    let short = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    if !is_used(&short) {
        return short;
    }
    let numbered = (2..).map(|number| format!("{short} ({number})"));
    [file.display().to_string()]
        .into_iter()
        .chain(numbered)
        .find(|name| !is_used(name))
        .unwrap_or(short)
}

fn limits() -> SourceConfig {
    SourceConfig { max_reconnects: Some(MAX_RECONNECTS), ..SourceConfig::default() }
}

/// Returns a text that changes when a recording is replaced by another.
pub fn identity(path: &Path) -> String {
    #[cfg(unix)]
    let number = {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).map_or(0, |meta| meta.ino())
    };
    #[cfg(not(unix))]
    let number = 0;
    format!("{} {number}", path.display())
}
