//! Compressed recordings: gzip and zstd, detected by their first bytes and decompressed while read.
//!
//! Memory is bounded by the window of the format, so a small archive that expands to a very large
//! text is as harmless as the text itself. Concatenated archives are one recording.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The maximum window of zstd, in bytes: eight times what `zstd -19` needs.
const MAX_WINDOW: u64 = 64 << 20;

/// An empty last block (RFC 8878, section 3.1.1.2), followed by room for a checksum.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

/// How much is decompressed at a time, in bytes.
const DECODE_STEP: usize = 128 * 1024;

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
        let zstd = ZstdReader::new(BufReader::with_capacity(READ_BUFFER, input));
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

/// A reader of concatenated zstd frames.
struct ZstdReader<R> {
    input: R,
    decoder: FrameDecoder,
    /// A frame has begun and has not ended.
    in_frame: bool,
    /// An error to return once everything that was decoded before it has been read.
    failed: Option<io::Error>,
}

impl<R: BufRead> ZstdReader<R> {
    fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { input, decoder, in_frame: false, failed: None }
    }

    /// Begins the next frame. Returns false at the end of the input.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let skipped =
                        io::copy(&mut (&mut self.input).take(u64::from(length)), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.io_error(&error)),
            }
        }
        Ok(false)
    }

    /// Ends the current frame and verifies its checksum.
    fn end_frame(&mut self) -> io::Result<()> {
        self.in_frame = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(stored), Some(found)) if stored != found => Err(ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }

    /// Converts an error of the decoder to one without its text, which could quote the content.
    fn io_error(&mut self, error: &FrameDecoderError) -> io::Error {
        if matches!(error, FrameDecoderError::WindowSizeTooBig { .. }) {
            return ErrorKind::OutOfMemory.into();
        }
        match self.input.fill_buf() {
            Ok([]) => ErrorKind::UnexpectedEof.into(),
            Ok(_) => ErrorKind::InvalidData.into(),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.in_frame && self.decoder.is_finished() {
                self.end_frame()?;
            }
            if !self.in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            let step = BlockDecodingStrategy::UptoBytes(DECODE_STEP);
            if let Err(error) = self.decoder.decode_blocks(&mut self.input, step) {
                self.failed = Some(self.io_error(&error));
                // The decoder holds back the window until the last block. An empty last block makes
                // it release what was decoded; the checksum is not verified.
                let _ = self.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::All);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("written")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    /// Returns the decompressed text, and the error that ends it.
    fn decompress(archive: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        let (mut reader, _) = open(Cursor::new(archive.to_vec())).expect("a beginning");
        let mut text = Vec::new();
        let mut buffer = [0; 1000];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (text, None),
                Ok(read) => text.extend_from_slice(&buffer[..read]),
                Err(error) => return (text, Some(fault(&error).expect("a fault of the archive"))),
            }
        }
    }

    #[test]
    fn concatenated_archives_are_one_recording() {
        let text = b"{\"event_type\":\"call.ended\"}\n".repeat(20_000);
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        for archive in [
            gzip(&text),
            zstd(&text),
            [gzip(&text[..999]), gzip(b""), gzip(&text[999..])].concat(),
            [zstd(&text[..999]), zstd(b""), skippable, zstd(&text[999..])].concat(),
            text.clone(),
        ] {
            assert!(decompress(&archive) == (text.clone(), None), "{:x?}", &archive[..4]);
        }
        for short in [&b""[..], b"{", b"\x1f", b"(", b"(\xb5/", b"{}\n"] {
            assert_eq!(decompress(short), (short.to_vec(), None));
        }
    }

    #[test]
    fn a_truncated_archive_yields_what_precedes_the_cut_and_an_error() {
        let text: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        for archive in [gzip(&text), zstd(&text)] {
            let mut longest = 0;
            for end in (4..archive.len()).step_by(2011).chain([archive.len() - 1]) {
                let (got, fault) = decompress(&archive[..end]);
                assert_eq!(
                    fault,
                    Some("the archive is truncated"),
                    "cut at {end} of {}",
                    archive.len()
                );
                assert!(text.starts_with(&got));
                longest = longest.max(got.len());
            }
            // zstd yields complete blocks of 128 KiB.
            assert!(longest > text.len() / 2, "{longest} of {}", text.len());
        }
    }

    #[test]
    fn a_window_over_the_limit_is_refused() {
        // RFC 8878, section 3.1.1.1: no content size, a window of 2^27 bytes.
        let (text, fault) = decompress(&[ZSTD, &[0, 17 << 3, 1, 0, 0]].concat());
        assert_eq!(
            (text.len(), fault),
            (0, Some("the archive needs a window of more than 64 MiB"))
        );
    }

    #[test]
    fn damage_is_detected() {
        let text: Vec<u8> = (0..3000_u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        for archive in [gzip(&text), zstd(&text)] {
            for at in (20..archive.len()).step_by(501) {
                let mut damaged = archive.clone();
                damaged[at] ^= 0x10;
                let (got, fault) = decompress(&damaged);
                assert!(fault.is_some() || got == text, "at {at} of {}", archive.len());
            }
        }
    }
}
