//! Sets up the terminal for the screen and restores it, however the screen ends.
//!
//! Also queries the background colour (OSC 11) and copies text to the clipboard of the terminal
//! (OSC 52).

use std::io::{self, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::style::BackgroundTone;
use crate::error::{Error, Result};
use crate::output::status;

/// How long to wait for a reply of the terminal, which may be behind a slow connection.
#[cfg(unix)]
const REPLY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);

/// Checks that a screen can be drawn on the terminal.
///
/// # Errors
/// Fails if stdout is not a terminal, if there is none to read keys from, or if the terminal cannot
/// move its cursor.
pub fn check() -> Result<()> {
    let unsuitable = |why| {
        Err(Error::usage("cannot show the live screen", why, "omit --tui to print lines instead"))
    };
    if !io::stdout().is_terminal() {
        return unsuitable("stdout is not a terminal");
    }
    if Tty::open().is_err() {
        return unsuitable("neither stdin nor /dev/tty is a terminal, so no keys can be read");
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return unsuitable("according to TERM, this terminal cannot move its cursor");
    }
    Ok(())
}

/// Returns whether the terminal has been closed.
#[must_use]
pub fn is_gone() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        // `poll` reports a hang-up slightly before `isatty` fails.
        let Ok(tty) = Tty::open() else { return true };
        let mut polled = [PollFd::new(&tty, PollFlags::empty())];
        let result = poll(&mut polled, Some(&Timespec::default()));
        if result.is_err() || !polled[0].revents().is_empty() {
            return true;
        }
    }
    !io::stdout().is_terminal() || Tty::open().is_err()
}

/// The terminal that keys are read from: stdin, or the controlling terminal if stdin is something
/// else, such as a pipe with a recording.
pub enum Tty {
    Stdin(io::Stdin),
    #[cfg(unix)]
    Controlling(std::fs::File),
}

impl Tty {
    /// Opens the terminal.
    ///
    /// # Errors
    /// Fails if stdin is not a terminal and the process has no controlling terminal.
    pub fn open() -> io::Result<Self> {
        if io::stdin().is_terminal() {
            return Ok(Self::Stdin(io::stdin()));
        }
        #[cfg(unix)]
        return std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map(Self::Controlling);
        #[cfg(not(unix))]
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Tty {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Controlling(file) => file.as_fd(),
        }
    }
}

/// A terminal that is set up for the screen, and is restored when the guard is dropped.
pub struct TerminalGuard {
    /// The terminal to draw on. It is never dropped: its destructor would show the cursor, which
    /// `leave` has done already, and would panic if neither the terminal nor stderr is writable.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl TerminalGuard {
    /// Sets up the terminal, and holds back status lines until it is restored.
    pub fn take() -> io::Result<Self> {
        status::hold_back();
        let entered = enter();
        if entered.is_err() {
            leave();
            status::release();
        }
        entered.map(|terminal| Self { terminal: ManuallyDrop::new(terminal) })
    }

    /// Restores the terminal while `meanwhile` runs.
    pub fn release_while(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        leave();
        meanwhile();
        // A new `Terminal` redraws every cell. `Terminal::clear` would query the cursor position,
        // and the input reader would receive the reply.
        self.terminal = ManuallyDrop::new(enter()?);
        Ok(())
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        leave();
        status::release();
    }
}

/// Sets up the terminal.
fn enter() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    enable_raw_mode()?;
    let mut out = io::stdout();
    execute!(
        out,
        EnterAlternateScreen,
        Clear(ClearType::All),
        EnableMouseCapture,
        EnableBracketedPaste,
        cursor::Hide
    )?;
    Terminal::new(CrosstermBackend::new(out))
}

/// Restores the terminal. Every step is tried even if an earlier one failed. Raw mode is disabled
/// first, because from then on input is meant for the next program.
fn leave() {
    let mut out = io::stdout();
    let _ = disable_raw_mode();
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, cursor::Show);
}

/// Asks the terminal for the tone of its background. Call it only while the terminal is set up and
/// nothing else reads from it.
///
/// The query (OSC 11) is followed by a request for the device attributes (DA1), which every
/// terminal answers, so that a terminal without OSC 11 causes no wait.
#[cfg(unix)]
#[must_use]
pub fn background() -> Option<BackgroundTone> {
    let mut out = io::stdout();
    out.write_all(b"\x1b]11;?\x1b\\\x1b[c").and_then(|()| out.flush()).ok()?;
    let until = std::time::Instant::now() + REPLY_TIMEOUT;
    let (tty, mut reply) = (Tty::open().ok()?, Vec::new());
    // The device attributes, `ESC [ ? … c`, come last.
    let is_complete =
        |reply: &[u8]| reply.ends_with(b"c") && reply.windows(3).any(|start| start == b"\x1b[?");
    while !is_complete(&reply) && reply.len() < 256 {
        let left = until.saturating_duration_since(std::time::Instant::now());
        let mut ready = [rustix::event::PollFd::new(&tty, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec::try_from(left).ok()?;
        if rustix::event::poll(&mut ready, Some(&timeout)).ok()? == 0 {
            break;
        }
        let mut chunk = [0; 64];
        let read = rustix::io::read(&tty, &mut chunk).ok().filter(|read| *read > 0)?;
        reply.extend_from_slice(&chunk[..read]);
    }
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let (_, colour) = reply.split_once("]11;")?;
    BackgroundTone::from_osc11_reply(colour.split(['\x07', '\x1b']).next()?)
}

/// Returns `None`, because the terminal cannot be queried on this platform.
#[cfg(not(unix))]
#[must_use]
pub fn background() -> Option<BackgroundTone> {
    None
}

/// Copies text to the clipboard of the terminal with OSC 52, which also works over SSH.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}

/// Rings the bell, and asks the terminal to show a notification (OSC 9), which some ignore. `text`
/// must not contain control characters.
pub fn notify(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    write!(out, "\x1b]9;{text}\x07\x07")?;
    out.flush()
}
