//! Waits for the terminal together with a pipe, so that the input thread can be stopped and notices
//! signals: changes of the window size, and those that stop and continue the process.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGTSTP, SIGWINCH};
use signal_hook::low_level::{pipe, unregister};

use super::sender::InputSender;
use crate::tui::terminal::Tty;

/// The signals that wake the event loop. After each of them, the window may have another size.
const SIGNALS: [i32; 3] = [SIGWINCH, SIGTSTP, SIGCONT];

/// The writing end of the pipe. It interrupts the wait for input when a signal arrives and when the
/// reader has to stop.
pub struct WakePipe {
    stream: UnixStream,
    signals: Vec<SigId>,
}

impl WakePipe {
    /// Opens the pipe and registers it for signals. Returns both ends.
    pub fn open() -> io::Result<(Self, UnixStream)> {
        let (stream, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let mut opened = Self { stream, signals: Vec::new() };
        for signal in SIGNALS {
            opened.signals.push(pipe::register(signal, opened.stream.try_clone()?)?);
        }
        Ok((opened, woken))
    }

    /// Stops the reader.
    pub fn stop(&mut self) {
        for signal in self.signals.drain(..) {
            unregister(signal);
        }
        let _ = self.stream.write_all(END);
    }
}

/// The byte that stops the reader. A signal writes a different one.
const END: &[u8] = b"e";

/// Reads input until the pipe requests a stop or the receiver is dropped.
///
/// # Errors
/// Fails if the terminal cannot be read or was closed.
pub fn read(sender: &InputSender, mut woken: UnixStream) -> io::Result<()> {
    let tty = Tty::open()?;
    loop {
        let mut ready = [PollFd::new(&tty, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [input, wakes] = ready.map(|ready| ready.revents());
        if !wakes.is_empty() {
            let mut bytes = [0; 64];
            let length = woken.read(&mut bytes).unwrap_or(0);
            if length == 0 || bytes[..length].ends_with(END) {
                return Ok(());
            }
            let (columns, rows) = crossterm::terminal::size()?;
            if !sender.send(Ok(Event::Resize(columns, rows))) {
                return Ok(());
            }
        }
        if input.contains(PollFlags::IN) && !sender.send_all()? {
            return Ok(());
        }
        if input.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
}
