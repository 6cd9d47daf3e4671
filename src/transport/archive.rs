//! Compressed recordings: gzip and zstd, known by their first bytes, taken apart as they are read.
//!
//! What is held is the window of the format and no more, so that a small archive of a great deal of text is as harmless as
//! the text would be. Archives in a row are one recording, as `cat` of them makes it.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How far back zstd may refer, in bytes: what `zstd -19` needs eight times over.
const WINDOW: u64 = 64 << 20;

/// A last block without content (RFC 8878, section 3.1.1.2), and what may have to stand after it.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

/// How much is unpacked at a time, in bytes.
const STEP: usize = 128 * 1024;

/// How much is read at a time, in bytes.
const BUFFER: usize = 64 * 1024;

/// The first bytes of gzip (RFC 1952, section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of zstd (RFC 8878, section 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How a recording is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// It is text.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Whether something packed begins like that.
#[must_use]
pub fn is_packed(first: &[u8]) -> bool {
    first.starts_with(GZIP) || first.starts_with(ZSTD)
}

/// A recording as text, whichever way it is packed. From a pipe, no more is waited for than tells what it is.
pub fn open(mut reader: impl Read + 'static) -> io::Result<(Box<dyn Read>, Packing)> {
    let mut first = Vec::new();
    let begins = |first: &[u8], magic: &[u8]| magic.starts_with(first);
    while first.len() < ZSTD.len() && (begins(&first, GZIP) || begins(&first, ZSTD)) {
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => first.extend_from_slice(&byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let (is_gzip, is_zstd) = (first.starts_with(GZIP), first.starts_with(ZSTD));
    let whole = Cursor::new(first).chain(reader);
    Ok(if is_gzip {
        let gzip = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole));
        (Box::new(gzip), Packing::Gzip)
    } else if is_zstd {
        (Box::new(Zstd::new(BufReader::with_capacity(BUFFER, whole))), Packing::Zstd)
    } else {
        (Box::new(whole), Packing::Plain)
    })
}

/// Why an archive can't be read on, in words of our own; `None` if it is no fault of the archive.
#[must_use]
pub fn fault(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Some("it ends in the middle"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Some("it is damaged"),
        ErrorKind::OutOfMemory => Some("it was packed with a window of more than 64 MiB"),
        _ => None,
    }
}

/// Frames of zstd in a row.
struct Zstd<R> {
    packed: R,
    decoder: FrameDecoder,
    /// A frame is open.
    open: bool,
    /// What has ended it too early, once all before that has been handed over.
    failed: Option<io::Error>,
}

impl<R: BufRead> Zstd<R> {
    fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { packed, decoder, open: false, failed: None }
    }

    /// Opens the next frame. False at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => {
                    self.open = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let skipped =
                        io::copy(&mut (&mut self.packed).take(u64::from(length)), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(false)
    }

    /// The frame in hand is over: it is what was packed.
    fn close(&mut self) -> io::Result<()> {
        self.open = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(told), Some(found)) if told != found => Err(ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }

    /// The decoder's own words could quote what it has read.
    fn failed(&mut self, error: &FrameDecoderError) -> io::Error {
        if matches!(error, FrameDecoderError::WindowSizeTooBig { .. }) {
            return ErrorKind::OutOfMemory.into();
        }
        match self.packed.fill_buf() {
            Ok([]) => ErrorKind::UnexpectedEof.into(),
            Ok(_) => ErrorKind::InvalidData.into(),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.open && self.decoder.is_finished() {
                self.close()?;
            }
            if !self.open && !self.next_frame()? {
                return Ok(0);
            }
            if let Err(error) =
                self.decoder.decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBytes(STEP))
            {
                self.failed = Some(self.failed(&error));
                // The decoder holds back what later blocks may refer to, until there has been a last one: this is an empty
                // one, and a checksum that nobody looks at.
                let _ = self.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::All);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(text).expect("written");
        packer.finish().expect("written")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    /// What comes out, and what ends it.
    fn unpack(packed: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        let (mut reader, _) = open(Cursor::new(packed.to_vec())).expect("a beginning");
        let mut text = Vec::new();
        let mut piece = [0; 1000];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return (text, None),
                Ok(read) => text.extend_from_slice(&piece[..read]),
                Err(error) => return (text, Some(fault(&error).expect("a fault of the archive"))),
            }
        }
    }

    #[test]
    fn archives_in_a_row_are_one() {
        let text = b"{\"event_type\":\"call.ended\"}\n".repeat(20_000);
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        for packed in [
            gzip(&text),
            zstd(&text),
            [gzip(&text[..999]), gzip(b""), gzip(&text[999..])].concat(),
            [zstd(&text[..999]), zstd(b""), skippable, zstd(&text[999..])].concat(),
            text.clone(),
        ] {
            assert!(unpack(&packed) == (text.clone(), None), "{:x?}", &packed[..4]);
        }
        for short in [&b""[..], b"{", b"\x1f", b"(", b"(\xb5/", b"{}\n"] {
            assert_eq!(unpack(short), (short.to_vec(), None));
        }
    }

    #[test]
    fn wherever_it_is_cut_all_before_comes_out_and_the_end_is_told() {
        let text: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        for packed in [gzip(&text), zstd(&text)] {
            let mut longest = 0;
            for end in (4..packed.len()).step_by(2011).chain([packed.len() - 1]) {
                let (got, fault) = unpack(&packed[..end]);
                assert_eq!(
                    fault,
                    Some("it ends in the middle"),
                    "cut at {end} of {}",
                    packed.len()
                );
                assert!(text.starts_with(&got));
                longest = longest.max(got.len());
            }
            // Of zstd, what comes out are whole blocks of 128 KiB.
            assert!(longest > text.len() / 2, "{longest} of {}", text.len());
        }
    }

    #[test]
    fn a_window_is_not_as_large_as_an_archive_says() {
        // RFC 8878, section 3.1.1.1: no content size, a window of 2^27 bytes.
        let (text, fault) = unpack(&[ZSTD, &[0, 17 << 3, 1, 0, 0]].concat());
        assert_eq!(
            (text.len(), fault),
            (0, Some("it was packed with a window of more than 64 MiB"))
        );
    }

    #[test]
    fn damage_is_found() {
        let text: Vec<u8> = (0..3000_u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        for packed in [gzip(&text), zstd(&text)] {
            for at in (20..packed.len()).step_by(501) {
                let mut damaged = packed.clone();
                damaged[at] ^= 0x10;
                let (got, fault) = unpack(&damaged);
                assert!(fault.is_some() || got == text, "at {at} of {}", packed.len());
            }
        }
    }
}
