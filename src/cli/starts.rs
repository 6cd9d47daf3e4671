//! Where the streams of workspaces begin: at the cursor, at `--since`, or now.

use jiff::Timestamp;

use crate::cli::args::ResumeArgs;
use crate::cli::resolve;
use crate::delivery::Cursor;
use crate::error::{Error, Result};
use crate::output::status::{self, StatusFormat};
use crate::transport::sse::Start;

/// Decides where streams begin, also those that begin while others run.
pub struct Starts {
    cursor: Option<Cursor>,
    since: Option<String>,
}

impl Starts {
    /// Checks the options, opens the cursor, and warns if `--since` is in the future.
    pub fn open(resume: &ResumeArgs, format: StatusFormat) -> Result<Self> {
        let now = Timestamp::now();
        let since = resume.since.as_deref().map(|since| resolve::since(since, now)).transpose()?;
        let cursor = resume.cursor.as_deref().map(Cursor::open).transpose()?;
        if since.is_some_and(|since| since > millis(now)) {
            let why = "no event is from then yet, so evtap begins with the next one";
            let warning = Error::usage("--since is in the future", why, "check the time");
            status::warning(format, &warning);
        }
        Ok(Self { cursor, since: resume.since.clone() })
    }

    /// Returns the cursor, for the delivery that advances it.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor.clone()
    }

    /// Returns where the streams of these workspaces begin. An age in `--since` is before `now`.
    pub fn of(&self, workspaces: &[String], now: Timestamp) -> Result<Vec<Start>> {
        let since = self.since.as_deref().map(|since| resolve::since(since, now)).transpose()?;
        let begin = since.unwrap_or_else(|| millis(now));
        let positions = match &self.cursor {
            Some(cursor) => cursor.starts(workspaces, begin)?,
            None => vec![None; workspaces.len()],
        };
        let otherwise = since.map_or(Start::Now, Start::Since);
        Ok(positions.into_iter().map(|position| position.unwrap_or(otherwise)).collect())
    }
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}
