//! Waits for the terminal together with a pipe, so that the reader can be stopped.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::SigId;
use signal_hook::consts::SIGWINCH;
use signal_hook::low_level::{pipe, unregister};

use super::sender::InputSender;

/// Ends the wait for keys: when the window is resized, and at the end.
pub struct WakePipe {
    stream: UnixStream,
    resized: SigId,
}

impl WakePipe {
    pub fn open() -> io::Result<(Self, UnixStream)> {
        let (stream, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let resized = pipe::register(SIGWINCH, stream.try_clone()?)?;
        Ok((Self { stream, resized }, woken))
    }

    /// Ends the reader. A signal writes another byte.
    pub fn stop(&mut self) {
        unregister(self.resized);
        let _ = self.stream.write_all(END);
    }
}

const END: &[u8] = b"e";

/// Reads until the pipe says stop or nobody receives.
pub fn read(sender: &InputSender, mut woken: UnixStream) -> io::Result<()> {
    let stdin = io::stdin();
    loop {
        let mut ready = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [typed, wakes] = ready.map(|ready| ready.revents());
        if !wakes.is_empty() {
            let mut bytes = [0; 64];
            let number = woken.read(&mut bytes).unwrap_or(0);
            if number == 0 || bytes[..number].ends_with(END) {
                return Ok(());
            }
            let (columns, rows) = crossterm::terminal::size()?;
            if !sender.send(Ok(Event::Resize(columns, rows))) {
                return Ok(());
            }
        }
        if typed.contains(PollFlags::IN) && !sender.send_all()? {
            return Ok(());
        }
        if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
}
