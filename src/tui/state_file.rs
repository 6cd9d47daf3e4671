//! The file that holds what the live screen remembers.
//!
//! Only its owner can read it. It is replaced as a whole, so that a crash leaves the old or the new
//! one, and its size is limited. A file that cannot be understood is put aside, and the screen starts
//! as if there were none.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::saved_state::{SavedState, VERSION};
use super::state::State;
use crate::transport::input_file::{self, cause};
use crate::transport::private_file;

/// The maximum size of the file, in bytes.
pub const MAX_BYTES: usize = 256 << 10;

/// The file, and what was in it at the start.
pub struct StateFile {
    path: PathBuf,
    /// What this session began with.
    before: SavedState,
    /// Whether the file may be replaced. It may not if a newer version of evtap has written it, or
    /// if it could not be read.
    is_ours: bool,
}

impl StateFile {
    /// Reads the file, and gives a new screen what it holds. A problem is reported as a notice.
    #[must_use]
    pub fn open(path: PathBuf, state: &mut State) -> Self {
        let mut file = Self { path, before: SavedState::default(), is_ours: true };
        match read(&file.path) {
            Ok(saved) => file.before = saved,
            Err(StateFileError::Missing) => {}
            Err(StateFileError::Damaged(why)) => {
                let aside = file.path.with_extension("damaged");
                let text = match fs::rename(&file.path, &aside) {
                    Ok(()) => format!("renamed it to {}", aside.display()),
                    Err(error) => {
                        file.is_ours = false;
                        format!("{}; remove it", cause(&error))
                    }
                };
                state.notify(format!(
                    "cannot use the screen's state {}: {why}; {text}",
                    file.path.display()
                ));
            }
            Err(StateFileError::Other(why)) => {
                file.is_ours = false;
                state.notify(format!(
                    "cannot use the screen's state {}: {why}; nothing will be remembered",
                    file.path.display()
                ));
            }
        }
        file.before.clone().restore(state);
        file
    }

    /// Replaces the file with what is to be remembered of a session.
    ///
    /// # Errors
    /// Fails if the file cannot be written. Returns a message.
    pub fn save(&self, state: &State) -> Result<(), String> {
        if !self.is_ours {
            return Ok(());
        }
        let mut saved = SavedState::of(state, &self.before);
        if let Ok(other) = read(&self.path)
            && other != self.before
        {
            saved.merge(&other, &self.before);
        }
        if saved == self.before {
            return Ok(());
        }
        write(&self.path, saved).map_err(|error| {
            format!(
                "cannot remember the screen's state in {}: {}; check the path, or give --remember false",
                self.path.display(),
                cause(&error)
            )
        })
    }
}

/// The reason why the file was not read.
enum StateFileError {
    Missing,
    /// It is not what evtap writes.
    Damaged(&'static str),
    /// It may be all right, but this version of evtap must not touch it.
    Other(String),
}

fn read(path: &Path) -> Result<SavedState, StateFileError> {
    // Anything but a file of this user is left alone, such as a link to somewhere else.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StateFileError::Missing);
        }
        Ok(meta) if !meta.is_file() => {
            return Err(StateFileError::Other("it is not a file".to_owned()));
        }
        _ => {}
    }
    let limit = MAX_BYTES as u64;
    let read = input_file::read(path, limit).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StateFileError::Missing,
        io::ErrorKind::PermissionDenied => StateFileError::Other(cause(&error)),
        _ => StateFileError::Damaged("it cannot be read, or it is too large"),
    })?;
    if private_file::check_owner(&read.meta).is_err() {
        return Err(StateFileError::Other("it belongs to another user".to_owned()));
    }
    let saved: SavedState = serde_json::from_slice(&read.bytes)
        .map_err(|_| StateFileError::Damaged("it is damaged"))?;
    match saved.version {
        VERSION => Ok(saved),
        0 => Err(StateFileError::Damaged("it is damaged")),
        _ => Err(StateFileError::Other("a newer version of evtap has written it".to_owned())),
    }
}

/// Writes the file under another name and renames it.
fn write(path: &Path, mut saved: SavedState) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(&saved)?;
    while text.len() > MAX_BYTES && saved.halve() {
        text = serde_json::to_vec_pretty(&saved)?;
    }
    text.push(b'\n');
    if let Some(directory) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(directory)?;
    }
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&beside);
    let mut file = private_file::create_new(&beside)?;
    let written = file.write_all(&text).and_then(|()| file.sync_all());
    let written = written.and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
