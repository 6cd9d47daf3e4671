//! What the tools may read: the recordings that were named, the demo, and configured workspaces.
//!
//! A call names a source and never a path, so that an agent reads nothing that it was not given.

use std::collections::HashSet;
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
    Live(Platform, String),
}

impl AgentSources {
    /// Creates the sources. A missing recording or an unusable workspace is an error.
    pub fn new(
        files: Vec<PathBuf>,
        workspaces: &[String],
        connection: ConnectionArgs,
        demo_options: DemoArgs,
    ) -> Result<Self> {
        let mut names: HashSet<String> = [RECORDINGS, resolve::DEMO].map(str::to_owned).into();
        let mut recordings = Vec::new();
        for file in files {
            if file.as_os_str() == "-" {
                let advice = "name a file or a directory";
                let why = "the protocol is spoken there";
                return Err(Error::usage("cannot read recordings from stdin", why, advice));
            }
            recording::expand(vec![file.clone()])?;
            if let Err(error) = std::fs::metadata(&file) {
                let what = format!("cannot read {}", file.display());
                return Err(Error::usage(what, error.kind().to_string(), "check the path"));
            }
            let short = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            let name = if names.contains(&short) { file.display().to_string() } else { short };
            if names.insert(name.clone()) {
                recordings.push((name, file));
            }
        }
        let workspaces: Vec<_> =
            workspaces.iter().filter(|id| !resolve::is_demo(id)).cloned().collect();
        let workspaces =
            if workspaces.is_empty() { workspaces } else { resolve::workspaces(&workspaces)?.ids };
        let (platform, demo) = (OnceCell::new(), OnceCell::new());
        Ok(Self { recordings, workspaces, connection, demo_options, platform, demo })
    }

    /// Returns the names of all sources, the default one first.
    pub fn names(&self) -> Vec<String> {
        let all = (!self.recordings.is_empty()).then_some(RECORDINGS);
        let files = self.recordings.iter().map(|(name, _)| name.as_str());
        all.into_iter()
            .chain(files)
            .chain(self.workspaces.iter().map(String::as_str))
            .chain([resolve::DEMO])
            .map(str::to_owned)
            .collect()
    }

    /// Opens a source by its name, or the default one.
    pub async fn open(&self, name: Option<&str>) -> Result<AgentSource> {
        let names = self.names();
        let name = name.or(names.first().map(String::as_str)).unwrap_or(resolve::DEMO);
        if name == RECORDINGS && !self.recordings.is_empty() {
            let paths = self.recordings.iter().map(|(_, path)| path.clone()).collect();
            return recording::expand(paths).map(AgentSource::Recordings);
        }
        if let Some((_, path)) = self.recordings.iter().find(|(known, _)| known == name) {
            return recording::expand(vec![path.clone()]).map(AgentSource::Recordings);
        }
        if name == resolve::DEMO {
            let start = || Platform::demo(&self.demo_options, limits());
            let platform = self.demo.get_or_try_init(start).await?;
            return Ok(AgentSource::Live(platform.clone(), resolve::workspace(name)?));
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
            return Ok(AgentSource::Live(platform.clone(), id.clone()));
        }
        let advice = match suggest::nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the sources are {}", names.join(", ")),
        };
        Err(Error::usage("cannot use source", "there is no such source", advice))
    }
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
