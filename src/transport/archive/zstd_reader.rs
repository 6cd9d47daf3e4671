//! Decompression of zstd while reading.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, is_error_kind};

/// The binary logarithm of the maximum window, in bytes: eight times what `zstd -19` needs.
const MAX_WINDOW_LOG: u32 = 26;

/// The number of bytes that begin a frame and show the size of its header (RFC 8878, section 3.1.1).
const FRAME_START: usize = 5;

/// A reader of concatenated zstd frames.
pub(super) struct ZstdReader<R> {
    input: BufReader<R>,
    decoder: DCtx<'static>,
    /// The number of bytes that the decoder asks for; 0 between two frames.
    wanted: usize,
    /// The decoder may hold text that did not fit into the last buffer.
    has_more: bool,
    /// An error to return once everything that was decoded before it has been read.
    failed: Option<io::Error>,
}

impl<R: Read> ZstdReader<R> {
    /// Fails if there is not enough memory.
    pub fn new(input: BufReader<R>) -> io::Result<Self> {
        let mut decoder = DCtx::try_create().ok_or(ErrorKind::OutOfMemory)?;
        decoder.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)).map_err(io_error)?;
        Ok(Self { input, decoder, wanted: 0, has_more: false, failed: None })
    }

    /// Decompresses at most one block. Returns `None` at the end of the input.
    ///
    /// A decoder that fails does not say how much it has written. So it gets no more input than it
    /// asks for, and none while it holds text, and what precedes a damaged block is not lost.
    fn step(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut input = InBuffer::around(&[]);
        if !self.has_more {
            let next = self.input.fill_buf()?;
            match (next, self.wanted) {
                ([], 0) => return Ok(None),
                ([], _) => return Err(ErrorKind::UnexpectedEof.into()),
                (_, 0) => input.src = &next[..next.len().min(FRAME_START)],
                (_, wanted) => input.src = &next[..next.len().min(wanted)],
            }
        }
        let mut output = OutBuffer::around(buffer);
        self.wanted = self.decoder.decompress_stream(&mut output, &mut input).map_err(io_error)?;
        let (read, written) = (input.pos(), output.pos());
        self.input.consume(read);
        self.has_more = written == buffer.len();
        Ok(Some(written))
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut filled = 0;
        while filled < buffer.len() {
            match self.step(&mut buffer[filled..]) {
                Ok(Some(written)) => filled += written,
                Ok(None) => break,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
            // Text from a pipe is returned before more input is waited for.
            if filled > 0 && self.input.buffer().is_empty() {
                break;
            }
        }
        Ok(filled)
    }
}

/// Converts an error of the decoder to one without its text.
fn io_error(code: ErrorCode) -> io::Error {
    let is_window = is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge);
    if is_window { ErrorKind::OutOfMemory.into() } else { ErrorKind::InvalidData.into() }
}
