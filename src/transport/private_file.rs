//! Files that hold what must stay private: what evtap writes, and the keys that it reads.
//!
//! A file that evtap makes is for its owner alone, whatever the umask says, and the last part of its path is never followed
//! if it is a link: whoever may write to the directory could otherwise send the events elsewhere.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::transport::recording::cause;

/// Makes a file that is not there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().write(true).create_new(true), path)
}

/// Opens a file to write to as the options say. One that others may read is closed to them; a link in its place is an error.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
        const OWNER_ONLY: u32 = 0o600;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let file = options.mode(OWNER_ONLY).custom_flags(flags).open(path).map_err(|error| {
            let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
            if is_link {
                io::Error::new(io::ErrorKind::InvalidInput, "it is a link")
            } else {
                error
            }
        })?;
        let meta = file.metadata()?;
        if meta.is_file() && meta.mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(OWNER_ONLY))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// The permissions of a file; those of a private one, on systems that have none.
#[must_use]
pub fn permissions(meta: &Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(meta) & 0o777;
    #[cfg(not(unix))]
    return 0o600;
}

/// Whether nobody but its owner may read or write a file.
#[must_use]
pub fn is_private(meta: &Metadata) -> bool {
    permissions(meta).trailing_zeros() >= 6
}

/// The most bytes of a key file: more is something else.
const KEY_LIMIT: u64 = 64 * 1024;

/// Reads a file that holds a secret. It must be a regular file that nobody but its owner may read or write.
pub fn read_secret(option: &str, path: &Path) -> Result<Vec<u8>> {
    let what = || format!("cannot use {option} {}", path.display());
    let failed = |error: &io::Error| Error::usage(what(), cause(error), "check the path");
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let meta = file.metadata().map_err(|error| failed(&error))?;
    if !meta.is_file() {
        return Err(Error::usage(what(), "it is no regular file", "give a file"));
    }
    if !is_private(&meta) {
        return Err(Error::usage(
            what(),
            "others may read or write it",
            "make it private with `chmod 600`",
        ));
    }
    let mut bytes = Vec::new();
    (&mut file).take(KEY_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > KEY_LIMIT {
        return Err(Error::usage(
            what(),
            "it is too large for a key",
            "give a file of random bytes, such as 32 of them",
        ));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn append() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        options
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    #[test]
    fn what_it_makes_or_finds_is_its_owners_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        for text in ["x", "y"] {
            open(&mut append(), &path)
                .expect("it opens")
                .write_all(text.as_bytes())
                .expect("it is written");
            assert_eq!(mode(&path), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))
                .expect("its owner may");
        }
        assert_eq!(std::fs::read(&path).expect("it is there"), b"xy");
        assert!(open(OpenOptions::new().write(true).create_new(true), &path).is_err());
    }

    #[test]
    fn no_link_is_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (target, link, dangling) =
            (dir.path().join("target"), dir.path().join("link"), dir.path().join("dangling"));
        std::fs::write(&target, "").expect("a file");
        symlink(&target, &link).expect("a link");
        symlink(dir.path().join("none"), &dangling).expect("a link");
        for path in [&link, &dangling] {
            assert_eq!(open(&mut append(), path).expect_err("a link").to_string(), "it is a link");
        }
        assert!(!dir.path().join("none").exists());
    }

    #[test]
    fn a_secret_that_others_could_read_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        std::fs::write(&path, [7; 40]).expect("a file");
        for mode in [0o644, 0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                .expect("its owner may");
            assert!(
                read_secret("--phi-key-file", &path)
                    .expect_err("refused")
                    .to_string()
                    .contains("others may"),
                "{mode:o}"
            );
        }
        for mode in [0o600, 0o400] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                .expect("its owner may");
            assert_eq!(read_secret("--phi-key-file", &path), Ok(vec![7; 40]));
        }
        assert!(read_secret("--phi-key-file", dir.path()).is_err());
        assert!(read_secret("--phi-key-file", &dir.path().join("none")).is_err());
    }
}
