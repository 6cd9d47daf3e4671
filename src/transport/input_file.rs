//! Reads whole files that the user names, such as keys, certificates, filters and settings.
//!
//! A file may also be a pipe, for process substitution (`--api-key-file <(pass show amigo)`). The
//! size is limited, and so is the time that a pipe may take. Devices are refused: reading one may
//! have effects, or never end.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// The maximum size of a text file, such as a filter, in bytes.
pub const TEXT_LIMIT: u64 = 1 << 20;

/// How long the writer of a pipe may take. A password store may have to be unlocked first.
const PIPE_TIMEOUT: Duration = Duration::from_secs(30);

/// The contents of a file.
pub struct InputFile {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The metadata of the file that was read, whatever its path names now.
    pub meta: Metadata,
}

/// Reads a file or a pipe of at most `limit` bytes.
///
/// # Errors
///
/// Fails if the path names anything else, if it is larger, or if a pipe is not complete in time.
pub fn read(path: &Path, limit: u64) -> io::Result<InputFile> {
    read_within(path, limit, PIPE_TIMEOUT)
}

/// Reads a file or a pipe of at most `limit` bytes of UTF-8. Errors are those of [`read`].
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?.bytes).map_err(|_| refused("it is not UTF-8 text"))
}

fn read_within(path: &Path, limit: u64, timeout: Duration) -> io::Result<InputFile> {
    let mut file = open(path)?;
    let meta = file.metadata()?;
    let mut bytes = Vec::new();
    if meta.is_file() {
        (&mut file).take(limit + 1).read_to_end(&mut bytes)?;
    } else if is_pipe(&meta) {
        read_pipe(&mut file, limit, timeout, &mut bytes)?;
    } else {
        return Err(refused("it is neither a file nor a pipe"));
    }
    if bytes.len() as u64 > limit {
        return Err(refused(format!("it is larger than {}", size(limit))));
    }
    Ok(InputFile { bytes, meta })
}

/// Opens a file for reading. Does not wait for a writer if it is a pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Returns whether a file is a pipe.
#[cfg(unix)]
#[must_use]
pub fn is_pipe(meta: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&meta.file_type())
}

/// Returns whether a file is a pipe.
#[cfg(not(unix))]
#[must_use]
pub fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Reads a pipe to its end, but not much more than `limit` bytes.
#[cfg(unix)]
fn read_pipe(
    pipe: &mut File,
    limit: u64,
    timeout: Duration,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    use std::time::Instant;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let begun = Instant::now();
    let mut chunk = [0; 8192];
    while bytes.len() as u64 <= limit {
        let left = Timespec::try_from(timeout.saturating_sub(begun.elapsed()))
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&left)) {
            Ok(0) => {
                let seconds = timeout.as_secs_f64();
                return Err(refused(format!("the pipe was not complete after {seconds} s")));
            }
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn read_pipe(_: &mut File, _: u64, _: Duration, _: &mut Vec<u8>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn size(limit: u64) -> String {
    match limit {
        limit if limit >= 1 << 20 => format!("{} MiB", limit >> 20),
        limit => format!("{} KiB", limit >> 10),
    }
}

/// Why evtap itself refuses a file that the system would let it use.
#[derive(Debug)]
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Creates an error for a file that evtap refuses. `why` must not contain text from the file.
pub fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, Refusal(why.into()))
}

/// Describes why a file cannot be used, without the error number of the system.
#[must_use]
pub fn cause(error: &io::Error) -> String {
    if let Some(Refusal(why)) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return why.clone();
    }
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    fn why(path: &Path, limit: u64) -> String {
        let read = read_within(path, limit, Duration::from_millis(10));
        cause(&read.err().unwrap_or_else(|| panic!("{} was read", path.display())))
    }

    fn pipe(dir: &tempfile::TempDir) -> std::path::PathBuf {
        let path = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("a pipe");
        path
    }

    #[test]
    fn files_up_to_the_limit_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, [b'x'; 2048]).expect("a file");
        let file = read(&path, 2048).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((file.bytes.len(), file.meta.len()), (2048, 2048));
        assert_eq!(why(&path, 2047), "it is larger than 1 KiB");
        std::fs::write(&path, [b'x', 255]).expect("a file");
        let error = read_text(&path, 2048).expect_err("not text");
        assert_eq!(cause(&error), "it is not UTF-8 text");
        assert_eq!(why(&dir.path().join("none"), 1), "no such file");
    }

    #[test]
    fn devices_and_directories_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        for path in [Path::new("/dev/zero"), Path::new("/dev/null"), dir.path()] {
            assert_eq!(why(path, 1), "it is neither a file nor a pipe", "{}", path.display());
        }
    }

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = pipe(&dir);
        let (reader, writer) = (path.clone(), path.clone());
        let reading = std::thread::spawn(move || read(&reader, 100_000));
        let writing = std::thread::spawn(move || {
            // Opening waits for the reader.
            let mut pipe = OpenOptions::new().write(true).open(writer).expect("a reader");
            for _ in 0..10 {
                pipe.write_all(&[b'x'; 10_000]).expect("it reads");
            }
        });
        writing.join().expect("no panic");
        let file = reading.join().expect("no panic").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.bytes.len(), 100_000);
    }

    #[test]
    fn a_pipe_without_a_writer_an_end_or_a_limit_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = pipe(&dir);
        assert_eq!(why(&path, 100), "the pipe was not complete after 0.01 s", "no writer");
        let both = || OpenOptions::new().read(true).write(true).open(&path).expect("a pipe");
        let mut writer = both();
        writer.write_all(b"half").expect("room");
        assert_eq!(why(&path, 100), "the pipe was not complete after 0.01 s", "no end");
        writer.write_all(&[b'x'; 200]).expect("room");
        assert_eq!(why(&path, 100), "it is larger than 0 KiB", "too much");
    }
}
