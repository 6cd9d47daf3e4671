use std::io::Write;

use flate2::write::GzEncoder;
use zstd_safe::{CCtx, CParameter};

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("written");
    encoder.finish().expect("written")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd_with(&[], text)
}

/// Compresses with these parameters and a checksum.
fn zstd_with(parameters: &[CParameter], text: &[u8]) -> Vec<u8> {
    let mut encoder = CCtx::create();
    for parameter in parameters.iter().chain(&[CParameter::ChecksumFlag(true)]) {
        encoder.set_parameter(*parameter).expect("a valid parameter");
    }
    let mut archive = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    encoder.compress2(&mut archive, text).expect("there is room");
    archive
}

/// Returns lines that hardly repeat.
fn lines(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

/// Returns the decompressed text, and the error that ends it.
fn decompress(archive: &[u8]) -> (Vec<u8>, Option<&'static str>) {
    decompress_by(1000, archive)
}

/// Decompresses into a buffer of this size.
fn decompress_by(size: usize, archive: &[u8]) -> (Vec<u8>, Option<&'static str>) {
    let (mut reader, _) = open(Cursor::new(archive.to_vec())).expect("a beginning");
    let mut text = Vec::new();
    let mut buffer = vec![0; size];
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
    let text = lines(20_000);
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
    assert_eq!((text.len(), fault), (0, Some("the archive needs a window of more than 64 MiB")));
}

#[test]
fn damage_is_detected() {
    let text = lines(3000);
    for archive in [gzip(&text), zstd(&text)] {
        for at in (20..archive.len()).step_by(501) {
            let mut damaged = archive.clone();
            damaged[at] ^= 0x10;
            let (got, fault) = decompress(&damaged);
            assert!(fault.is_some() || got == text, "at {at} of {}", archive.len());
        }
    }
}

#[test]
fn every_kind_of_zstd_frame_is_read() {
    use CParameter::{CompressionLevel, ContentSizeFlag, EnableLongDistanceMatching, WindowLog};
    // Half of it repeats after more than the window of the low levels.
    let text = lines(120_000).repeat(2);
    let long = [CompressionLevel(19), EnableLongDistanceMatching(true), WindowLog(26)];
    for parameters in [
        &[CompressionLevel(-5)][..],
        &[CompressionLevel(1), ContentSizeFlag(false)],
        &[WindowLog(10)],
        &long,
    ] {
        let archive = zstd_with(parameters, &text);
        for size in [1, 1000, 100_000, 1 << 18] {
            assert!(
                decompress_by(size, &archive) == (text.clone(), None),
                "{parameters:?}, {size}"
            );
        }
    }
}

#[test]
fn what_precedes_damage_is_returned() {
    let text = lines(60_000);
    let archive = zstd(&text);
    let mut longest = 0;
    for end in (20..archive.len()).step_by(4999) {
        let (expected, _) = decompress(&archive[..end]);
        // A block of a reserved type, at the latest after the current one.
        let damaged = [&archive[..end], &vec![0xff; 300_000]].concat();
        for size in [1000, 100_000, 1 << 18] {
            let (got, fault) = decompress_by(size, &damaged);
            assert_eq!(fault, Some("the archive is damaged"), "at {end}, by {size}");
            assert!(got.starts_with(&expected), "at {end}, by {size}");
            longest = longest.max(got.len());
        }
    }
    assert!(longest > text.len() / 2, "{longest} of {}", text.len());
}

#[test]
fn text_from_a_pipe_is_returned_before_more_input_arrives() {
    /// A pipe that has nothing more to give after the first read.
    struct Pipe(Vec<u8>);
    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!self.0.is_empty(), "the reader waits");
            let length = self.0.len().min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }
    // Without the checksum, the frame has not ended.
    let archive = zstd(b"{}\n");
    let (mut reader, _) = open(Pipe(archive[..archive.len() - 4].to_vec())).expect("a beginning");
    let mut buffer = [0; 1000];
    assert_eq!(reader.read(&mut buffer).expect("text"), 3);
}
