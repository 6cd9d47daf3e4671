//! Compressed recordings: gzip and zstd, detected by their first bytes and decompressed while read.
//!
//! Memory is bounded by the window of the format, so a small archive that expands to a very large
//! text is as harmless as the text itself. Concatenated archives are one recording.

mod zstd_reader;

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use zstd_reader::ZstdReader;

/// The size of the read buffer, in bytes.
const READ_BUFFER: usize = 64 * 1024;

/// The first bytes of gzip (RFC 1952, section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of zstd (RFC 8878, section 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The compression of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Returns whether these are the first bytes of a compressed file.
#[must_use]
pub fn is_compressed(first: &[u8]) -> bool {
    first.starts_with(GZIP) || first.starts_with(ZSTD)
}

/// Returns a reader of the decompressed text, and the compression.
///
/// From a pipe, it reads no more bytes than are needed to detect the compression.
pub fn open(mut reader: impl Read + 'static) -> io::Result<(Box<dyn Read>, Compression)> {
    let mut first = Vec::new();
    let may_become = |first: &[u8], magic: &[u8]| magic.starts_with(first);
    while first.len() < ZSTD.len() && (may_become(&first, GZIP) || may_become(&first, ZSTD)) {
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => first.extend_from_slice(&byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let (is_gzip, is_zstd) = (first.starts_with(GZIP), first.starts_with(ZSTD));
    let input = Cursor::new(first).chain(reader);
    Ok(if is_gzip {
        let gzip = MultiGzDecoder::new(BufReader::with_capacity(READ_BUFFER, input));
        (Box::new(gzip), Compression::Gzip)
    } else if is_zstd {
        let zstd = ZstdReader::new(BufReader::with_capacity(READ_BUFFER, input))?;
        (Box::new(zstd), Compression::Zstd)
    } else {
        (Box::new(input), Compression::None)
    })
}

/// Returns why an archive cannot be read further; `None` if the archive is not the cause.
///
/// The text of the decoder is not used, because it could quote the content.
#[must_use]
pub fn fault(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Some("the archive is truncated"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Some("the archive is damaged"),
        ErrorKind::OutOfMemory => Some("the archive needs a window of more than 64 MiB"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
