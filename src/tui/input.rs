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
    wake_pipe: wake::WakePipe,
}

impl InputReader {
    /// Starts to read, and will wake the thread that calls this.
    pub fn start() -> io::Result<Self> {
        let (send, typed) = channel();
        let receiver = std::thread::current();
        #[cfg(unix)]
        let (wake_pipe, woken) = wake::WakePipe::open()?;
        let thread = Builder::new().name("input".to_owned()).spawn(move || {
            let sender = InputSender { send, receiver };
            #[cfg(unix)]
            let read = wake::read(&sender, woken);
            #[cfg(not(unix))]
            let read = read(&sender);
            if let Err(error) = read {
                sender.send(Err(error));
            }
        })?;
        Ok(Self {
            typed,
            thread: Some(thread),
            #[cfg(unix)]
            wake_pipe,
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
        self.wake_pipe.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct InputSender {
    send: Sender<io::Result<Event>>,
    receiver: Thread,
}

impl InputSender {
    /// Sends an event, and wakes the receiver. Returns whether there is one.
    fn send(&self, event: io::Result<Event>) -> bool {
        let sent = self.send.send(event).is_ok();
        self.receiver.unpark();
        sent
    }

    /// Sends all events at hand. Returns whether there is a receiver.
    fn send_all(&self) -> io::Result<bool> {
        while event::poll(REST)? {
            if !self.send(Ok(event::read()?)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Where a console can't be waited for together with anything else.
#[cfg(not(unix))]
fn read(sender: &InputSender) -> io::Result<()> {
    while sender.send(Ok(event::read()?)) {}
    Ok(())
}

#[cfg(unix)]
mod wake {
    use std::io::{self, Read, Write};
    use std::os::unix::net::UnixStream;

    use crossterm::event::Event;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use signal_hook::SigId;
    use signal_hook::consts::SIGWINCH;
    use signal_hook::low_level::{pipe, unregister};

    use super::InputSender;

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

    pub fn read(sender: &InputSender, mut woken: UnixStream) -> io::Result<()> {
        let stdin = io::stdin();
        loop {
            let mut ready =
                [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
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
}
