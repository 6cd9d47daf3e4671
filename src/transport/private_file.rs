//! Files with private content: those that evtap writes, and the keys that it reads.
//!
//! A file that evtap creates is accessible to its owner only, whatever the umask. The last
//! component of its path is never followed if it is a symbolic link: otherwise anybody who may
//! write to the directory could redirect the events.
//!
//! Where evtap cannot keep this promise, which is so on Windows, it creates no such file.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::error::{Error, Exit, Result};
use crate::transport::input_file::{self, InputFile, cause, refused};

/// Creates a file. Fails if the path already exists.
pub fn create_new(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().write(true).create_new(true), path)
}

/// Opens a file for writing with the given options, and removes the permissions of others.
///
/// Fails if the path is a symbolic link, or if others could read the file all the same: if it is
/// owned by another user or has several names, or if the system is not a Unix.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
        const OWNER_ONLY: u32 = 0o600;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let file = options.mode(OWNER_ONLY).custom_flags(flags).open(path).map_err(|error| {
            let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
            if is_link { refused("it is a symbolic link") } else { error }
        })?;
        let meta = file.metadata()?;
        check_owner(&meta)?;
        if meta.is_file() && meta.mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(OWNER_ONLY))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    {
        // The access control lists of Windows cannot be set without unsafe code.
        let _ = (options, path);
        Err(refused("only on Unix can evtap keep others from reading a file that it writes"))
    }
}

/// Refuses a file that is owned by another user or, if it is a regular file, has several names.
///
/// Another user may have created it at a path that evtap is going to use.
pub fn check_owner(meta: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused("it is owned by another user"));
        }
        if meta.is_file() && meta.nlink() > 1 {
            return Err(refused("it has several names (hard links)"));
        }
    }
    #[cfg(not(unix))]
    let _ = meta;
    Ok(())
}

/// Locks a file until it is closed, which the end of the process also does. The lock is advisory: it
/// keeps only other runs of evtap away. A file system without locks is not an error.
///
/// # Errors
///
/// Fails if another process has locked the file.
pub fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Returns whether a path still leads to an open file, which another process may have replaced.
pub fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (open, found) = (file.metadata()?, std::fs::symlink_metadata(path)?);
        Ok((open.dev(), open.ino()) == (found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        Ok(true)
    }
}

/// Creates the error for a file that is locked.
#[must_use]
pub fn in_use(what: String) -> Error {
    let why = "another process or option is using it";
    Error::new(Exit::Failure, what, why, "end that process first, or name another file")
}

/// Returns the permission bits of a file; those of a private file on systems without permissions.
#[must_use]
pub fn permissions(meta: &Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(meta) & 0o777;
    #[cfg(not(unix))]
    {
        let _ = meta;
        0o600
    }
}

/// Returns whether only its owner may access a file.
#[must_use]
pub fn is_private(meta: &Metadata) -> bool {
    permissions(meta).trailing_zeros() >= 6
}

/// The maximum size of a key file, in bytes.
const KEY_LIMIT: u64 = 64 * 1024;

/// Reads a file that holds a secret, such as a key. `option` is the option that named the file.
///
/// # Errors
///
/// Fails unless it is a file or a pipe of at most 64 KiB that only its owner may access.
pub fn read_secret(option: &str, path: &Path) -> Result<Vec<u8>> {
    let what = || format!("cannot use {option} {}", path.display());
    let InputFile { bytes, meta } = input_file::read(path, KEY_LIMIT)
        .map_err(|error| Error::usage(what(), cause(&error), "check the path"))?;
    if !is_private(&meta) {
        return Err(Error::usage(
            what(),
            "others may read or write it",
            "make it private with `chmod 600`",
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
        std::fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
    }

    #[test]
    fn created_and_existing_files_become_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        for text in ["x", "y"] {
            open(&mut append(), &path)
                .expect("it opens")
                .write_all(text.as_bytes())
                .expect("it is written");
            assert_eq!(mode(&path), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))
                .expect("the owner may");
        }
        assert_eq!(std::fs::read(&path).expect("it exists"), b"xy");
        assert!(open(OpenOptions::new().write(true).create_new(true), &path).is_err());
    }

    #[test]
    fn symbolic_links_are_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (target, link, dangling) =
            (dir.path().join("target"), dir.path().join("link"), dir.path().join("dangling"));
        std::fs::write(&target, "").expect("a file");
        symlink(&target, &link).expect("a link");
        symlink(dir.path().join("none"), &dangling).expect("a link");
        for path in [&link, &dangling] {
            let error = open(&mut append(), path).expect_err("a link");
            assert_eq!(cause(&error), "it is a symbolic link");
        }
        assert!(!dir.path().join("none").exists());
    }

    #[test]
    fn files_of_others_and_files_with_several_names_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, link) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&path, "").expect("a file");
        std::fs::hard_link(&path, &link).expect("a link");
        for path in [&path, &link] {
            let error = open(&mut append(), path).expect_err("two names");
            assert_eq!(cause(&error), "it has several names (hard links)");
        }
        std::fs::remove_file(&link).expect("a link");
        assert!(open(&mut append(), &path).is_ok());
        // Only root may give a file away. Otherwise a file of root is one of another user.
        let theirs = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12_345), None).expect("root may");
            path
        } else {
            "/etc/passwd".into()
        };
        let meta = std::fs::metadata(theirs).expect("a file");
        let error = check_owner(&meta).expect_err("of another user");
        assert_eq!(cause(&error), "it is owned by another user");
    }

    #[test]
    fn a_secret_file_that_others_may_access_is_refused() {
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
