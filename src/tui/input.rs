//! What is typed and clicked, read in a thread of its own, which wakes the one that draws.
//!
//! It can be stopped at once: while the screen is not there, what is typed is for somebody else.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle, Thread};
use std::time::Duration;

use crossterm::event::{self, Event};

/// How long the rest of what has come in part is waited for.
const REST: Duration = Duration::from_millis(1);

/// A thread that reads what is typed.
pub struct InputReader {
    typed: Receiver<io::Result<Event>>,
    thread: Option<JoinHandle<()>>,
    #[cfg(unix)]
    bell: bell::Bell,
}

impl InputReader {
    /// Starts to read, and will wake the thread that calls this.
    pub fn listen() -> io::Result<Self> {
        let (send, typed) = channel();
        let sleeper = std::thread::current();
        #[cfg(unix)]
        let (bell, heard) = bell::Bell::hang()?;
        let thread = Builder::new().name("input".to_owned()).spawn(move || {
            let telling = InputState { send, sleeper };
            #[cfg(unix)]
            let read = bell::read(&telling, heard);
            #[cfg(not(unix))]
            let read = read(&telling);
            if let Err(error) = read {
                telling.tell(Err(error));
            }
        })?;
        Ok(Self {
            typed,
            thread: Some(thread),
            #[cfg(unix)]
            bell,
        })
    }

    /// What has come.
    pub fn take(&self) -> impl Iterator<Item = io::Result<Event>> {
        self.typed.try_iter()
    }
}

#[cfg(unix)]
impl Drop for InputReader {
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct InputState {
    send: Sender<io::Result<Event>>,
    sleeper: Thread,
}

impl InputState {
    /// Gives whether somebody listens.
    fn tell(&self, event: io::Result<Event>) -> bool {
        let sent = self.send.send(event).is_ok();
        self.sleeper.unpark();
        sent
    }

    /// Tells of all that is at hand.
    fn tell_all(&self) -> io::Result<bool> {
        while event::poll(REST)? {
            if !self.tell(Ok(event::read()?)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Where a console can't be waited for together with anything else.
#[cfg(not(unix))]
fn read(telling: &InputState) -> io::Result<()> {
    while telling.tell(Ok(event::read()?)) {}
    Ok(())
}

#[cfg(unix)]
mod bell {
    use std::io::{self, Read, Write};
    use std::os::unix::net::UnixStream;

    use crossterm::event::Event;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use signal_hook::SigId;
    use signal_hook::consts::SIGWINCH;
    use signal_hook::low_level::{pipe, unregister};

    use super::InputState;

    /// What ends the wait for keys: a window of another size, or the end.
    pub struct Bell {
        stream: UnixStream,
        resized: SigId,
    }

    impl Bell {
        pub fn hang() -> io::Result<(Self, UnixStream)> {
            let (stream, heard) = UnixStream::pair()?;
            heard.set_nonblocking(true)?;
            let resized = pipe::register(SIGWINCH, stream.try_clone()?)?;
            Ok((Self { stream, resized }, heard))
        }

        /// The end. A signal writes another letter.
        pub fn ring(&mut self) {
            unregister(self.resized);
            let _ = self.stream.write_all(END);
        }
    }

    const END: &[u8] = b"e";

    pub fn read(telling: &InputState, mut heard: UnixStream) -> io::Result<()> {
        let stdin = io::stdin();
        loop {
            let mut ready =
                [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&heard, PollFlags::IN)];
            match poll(&mut ready, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [typed, rung] = ready.map(|ready| ready.revents());
            if !rung.is_empty() {
                let mut letters = [0; 64];
                let number = heard.read(&mut letters).unwrap_or(0);
                if number == 0 || letters[..number].ends_with(END) {
                    return Ok(());
                }
                let (columns, rows) = crossterm::terminal::size()?;
                if !telling.tell(Ok(Event::Resize(columns, rows))) {
                    return Ok(());
                }
            }
            if typed.contains(PollFlags::IN) && !telling.tell_all()? {
                return Ok(());
            }
            if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}
