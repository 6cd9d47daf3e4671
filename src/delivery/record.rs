//! The record: what is shown, appended to a file as NDJSON, redacted exactly as shown.
//!
//! Mode 0600, whatever it was before. A last line that a crash has torn is taken off when the file is opened. The end of
//! the file is read once: what stands there and is sent again, since the cursor had not moved yet, is not written twice.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::cursor::{DeliveryCounts, take};
use super::destination::Destination;
use super::key::DeliveryKey;
use crate::error::{Error, Exit};
use crate::model::decode::Decoder;
use crate::output::ndjson::object;
use crate::output::{LineBuffer, OutputError};
use crate::redact::{Policy, RedactedEvent, Redactor, identity};
use crate::transport::{self, private_file};

/// How much of its end is read, in bytes: far more than is written between two moves of the cursor.
const TAIL: u64 = 16 << 20;

/// How each line begins.
const BEGINNING: &[u8] = b"{\"event_type\":";

/// A file to which what is shown is appended.
pub struct Recorder {
    lines: LineBuffer,
    file: File,
    /// What stands at its end and may be sent again.
    tail: DeliveryCounts,
}

impl Recorder {
    /// Opens a file to append to, and mends its end.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let what = || format!("cannot record to {}", path.display());
        let failed = |error: io::Error| {
            Error::new(
                Exit::Failure,
                what(),
                transport::recording::cause(&error),
                "check the path of --record, and the space there",
            )
        };
        if let Some(packed) = path
            .extension()
            .and_then(|name| name.to_str())
            .filter(|name| ["gz", "zst"].contains(name))
        {
            let why = format!("a record is plain NDJSON, which is no {packed}");
            let advice =
                "name it without, and pack it when it is complete: replay reads it packed too";
            return Err(Error::usage(what(), why, advice));
        }
        match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => {
                return Err(Error::usage(what(), "it is no regular file", "name another file"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut file =
            private_file::open(fs::OpenOptions::new().read(true).append(true).create(true), path)
                .map_err(failed)?;
        let (tail, torn) = read_tail(&mut file).map_err(failed)?;
        if torn.is_some_and(|(_, is_ours)| !is_ours) {
            return Err(Error::usage(
                what(),
                "it does not end with a line of evtap's",
                "name another file",
            ));
        }
        if let Some((at, _)) = torn {
            file.set_len(at).map_err(failed)?;
        }
        let out = file.try_clone().map_err(failed)?;
        Ok(Self { lines: LineBuffer::new(Box::new(out)), file, tail })
    }
}

impl Destination for Recorder {
    fn skip_delivered(&mut self, delivered: &[(DeliveryKey, u32)]) {
        for (key, count) in delivered {
            for _ in 0..*count {
                take(&mut self.tail, *key);
            }
        }
    }

    fn clear_tail(&mut self) {
        self.tail.clear();
    }

    fn event(&mut self, event: &RedactedEvent<'_>) -> Result<(), OutputError> {
        if !self.tail.is_empty() && key(event).is_some_and(|key| take(&mut self.tail, key)) {
            return Ok(());
        }
        Ok(self.lines.line(|out| object(event, out))?)
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.lines.flush()?)
    }

    fn sync(&mut self) -> Result<(), OutputError> {
        Ok(self.file.sync_data()?)
    }
}

/// What an event in the record is known by. The id tells streams apart well enough.
fn key(shown: &RedactedEvent<'_>) -> Option<DeliveryKey> {
    Some((shown.tap().id.as_ref()?.parse().ok()?, identity(shown)))
}

/// Reads the end of a record: the events in it, and where a torn line begins, if there is one, and whether that is ours.
fn read_tail(file: &mut File) -> io::Result<(DeliveryCounts, Option<(u64, bool)>)> {
    let length = file.seek(SeekFrom::End(0))?;
    let begin = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
    let rest = &bytes[whole..];
    let torn = (!rest.is_empty()).then(|| {
        let common = rest.len().min(BEGINNING.len());
        (begin + whole as u64, rest[..common] == BEGINNING[..common])
    });
    // The first line may be cut off.
    let first = if begin == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(0, |end| end + 1) };
    let lines = transport::LineChunk {
        bytes: bytes::Bytes::copy_from_slice(bytes.get(first..whole).unwrap_or_default()),
        offset: 0,
        limit: usize::MAX,
    };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let mut tail = DeliveryCounts::new();
    let origin = crate::model::Origin::default();
    for frame in lines.frames(&origin) {
        let event = decoder.decode(frame);
        if let Some(key) = key(&redactor.redact(&event)) {
            *tail.entry(key).or_default() += 1;
        }
    }
    Ok((tail, torn))
}
