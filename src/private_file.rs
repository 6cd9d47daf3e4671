//! Files that hold what must stay private: what evtap writes, and the keys that it reads.
//!
//! A file that evtap makes is for its owner alone, whatever the umask says, and the last part of its path is never followed
//! if it is a link: whoever may write to the directory could otherwise send the events elsewhere.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::source::replay::cause;

/// The permissions of a private file, on systems that have them.
#[cfg(unix)]
const OWNER_ONLY: u32 = 0o600;

/// Opens a file for appending, and makes it if it is not there. One that others may read is refused, so that nobody's events
/// are added to it.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    open(&mut options, path)
}

/// Makes a file that is not there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    open(&mut options, path)
}

/// Opens a file for reading and writing, and makes it if it is not there.
pub fn update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open(&mut options, path)
}

#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = options.mode(OWNER_ONLY).custom_flags(no_follow()).open(path).map_err(|error| {
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            io::Error::new(io::ErrorKind::InvalidInput, "it is a link")
        } else {
            error
        }
    })?;
    let meta = file.metadata()?;
    if meta.is_file() && !is_private(&meta) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may read it"));
    }
    Ok(file)
}

#[cfg(unix)]
fn no_follow() -> i32 {
    i32::try_from((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC).bits()).unwrap_or_default()
}

#[cfg(not(unix))]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
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
        return Err(Error::usage(what(), "others may read or write it", "make it private with `chmod 600`"));
    }
    let mut bytes = Vec::new();
    (&mut file).take(KEY_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > KEY_LIMIT {
        return Err(Error::usage(what(), "it is too large for a key", "give a file of random bytes, such as 32 of them"));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_it_makes_is_its_owners_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, open) in [("a", append as fn(&Path) -> io::Result<File>), ("b", create_new), ("c", update)] {
            let path = dir.path().join(name);
            let mut file = open(&path).expect("it is made");
            file.write_all(b"x").expect("it is written");
            assert_eq!(file.metadata().expect("it is there").mode() & 0o7777, OWNER_ONLY, "{name}");
        }
        append(&dir.path().join("a")).expect("again").write_all(b"y").expect("it is written");
        assert_eq!(std::fs::read(dir.path().join("a")).expect("it is there"), b"xy");
        assert!(create_new(&dir.path().join("a")).is_err());
    }

    #[test]
    fn no_link_is_followed_and_nothing_is_added_to_what_others_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let (target, link, dangling) = (dir.path().join("target"), dir.path().join("link"), dir.path().join("dangling"));
        std::fs::write(&target, "").expect("a file");
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).expect("its owner may");
        symlink(&target, &link).expect("a link");
        symlink(dir.path().join("none"), &dangling).expect("a link");
        for open in [append as fn(&Path) -> io::Result<File>, create_new, update] {
            assert!(open(&link).is_err() && open(&dangling).is_err());
        }
        assert!(!dir.path().join("none").exists());
        assert!(append(&target).is_ok());
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).expect("its owner may");
        assert!(append(&target).is_err() && update(&target).is_err());
    }

    #[test]
    fn a_secret_that_others_could_read_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        std::fs::write(&path, [7; 40]).expect("a file");
        for mode in [0o644, 0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its owner may");
            assert!(read_secret("--phi-key-file", &path).expect_err("refused").to_string().contains("others may"), "{mode:o}");
        }
        for mode in [0o600, 0o400] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its owner may");
            assert_eq!(read_secret("--phi-key-file", &path), Ok(vec![7; 40]));
        }
        assert!(read_secret("--phi-key-file", dir.path()).is_err());
        assert!(read_secret("--phi-key-file", &dir.path().join("none")).is_err());
    }
}
