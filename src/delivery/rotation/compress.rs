//! Compresses the older files of a record with zstd.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::pattern::RecordPattern;
use crate::transport::{archive, private_file};

/// The size of the buffers, in bytes.
const BUFFER: usize = 128 << 10;

/// The level of zstd, which costs about as much time as writing the record.
const LEVEL: i32 = 3;

/// Compresses all files before the current one and the one before it, if the pattern asks for it.
pub(super) fn compress_before(pattern: &RecordPattern, current: &str) -> io::Result<()> {
    if !pattern.is_compressed {
        return Ok(());
    }
    let mut names = pattern.plain_names()?;
    names.retain(|name| name.as_str() < current);
    names.pop();
    names.iter().try_for_each(|name| compress(&pattern.path(name), &pattern.compressed_path(name)))
}

/// Compresses a file. The compressed file appears as a whole before the plain one is removed, so a
/// crash loses nothing. If it is there already, an earlier run may have been killed before it removed
/// the plain one, which is removed only if both are equal.
fn compress(plain: &Path, compressed: &Path) -> io::Result<()> {
    if !compressed.try_exists()? {
        let mut name = compressed.as_os_str().to_owned();
        name.push(".tmp");
        let temporary = Path::new(&name);
        // An earlier run was killed while it wrote.
        let _ = std::fs::remove_file(temporary);
        let mut out = private_file::create_new(temporary)?;
        let written = File::open(plain)
            .and_then(|mut input| copy(&mut input, &mut out))
            .and_then(|()| out.sync_all());
        if let Err(error) = written {
            let _ = std::fs::remove_file(temporary);
            return Err(error);
        }
        std::fs::rename(temporary, compressed)?;
    } else if !is_equal(plain, compressed)? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::remove_file(plain)
}

/// Returns whether a plain and a compressed file have the same content.
fn is_equal(plain: &Path, compressed: &Path) -> io::Result<bool> {
    let mut plain = BufReader::new(File::open(plain)?);
    let mut other = BufReader::new(archive::open(File::open(compressed)?)?.0);
    loop {
        let (one, two) = (plain.fill_buf()?, other.fill_buf()?);
        let length = one.len().min(two.len());
        if length == 0 || one[..length] != two[..length] {
            return Ok(one.is_empty() && two.is_empty());
        }
        plain.consume(length);
        other.consume(length);
    }
}

fn copy(input: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
    let failed = |_| io::Error::from(io::ErrorKind::OutOfMemory);
    let mut encoder = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
    encoder.set_parameter(CParameter::CompressionLevel(LEVEL)).map_err(failed)?;
    encoder.set_parameter(CParameter::ChecksumFlag(true)).map_err(failed)?;
    let (mut text, mut bytes) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let read = input.read(&mut text)?;
        let end = match read {
            0 => ZSTD_EndDirective::ZSTD_e_end,
            _ => ZSTD_EndDirective::ZSTD_e_continue,
        };
        let mut chunk = InBuffer::around(&text[..read]);
        loop {
            let mut buffer = OutBuffer::around(&mut bytes[..]);
            let left = encoder.compress_stream2(&mut buffer, &mut chunk, end).map_err(failed)?;
            let length = buffer.pos();
            out.write_all(&bytes[..length])?;
            let is_done = if read == 0 { left == 0 } else { chunk.pos() == read };
            if is_done {
                break;
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}
