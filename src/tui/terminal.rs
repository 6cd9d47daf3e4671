//! The terminal: taken over at the start, and given back as it was, however the screen ends.

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

/// How long a terminal may take to answer; one over a slow line takes a while.
#[cfg(unix)]
const ANSWER: std::time::Duration = std::time::Duration::from_secs(1);

/// Fails where there is no terminal that a screen could be drawn on.
pub fn check() -> Result<()> {
    let unfit = |why| {
        Err(Error::usage("cannot show the live screen", why, "leave --tui out to have lines"))
    };
    if !io::stdout().is_terminal() {
        return unfit("stdout is no terminal");
    }
    if !io::stdin().is_terminal() {
        return unfit("stdin is no terminal, so there are no keys");
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return unfit("by TERM, this terminal can't move its cursor");
    }
    Ok(())
}

/// Whether there is no longer a terminal, where there was one.
#[must_use]
pub fn is_gone() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        // It is found to be hung up a little before it is none.
        let stdin = io::stdin();
        let mut stands = [PollFd::new(&stdin, PollFlags::empty())];
        let polled = poll(&mut stands, Some(&Timespec::default()));
        if polled.is_err() || !stands[0].revents().is_empty() {
            return true;
        }
    }
    !io::stdout().is_terminal() || !io::stdin().is_terminal()
}

/// A terminal that is taken over. Dropped, it is as it was before.
pub struct TerminalGuard {
    /// To draw on. It is never dropped by itself: it would show the cursor, which is shown by then, and break down where
    /// neither the terminal nor stderr takes any more.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl TerminalGuard {
    /// Takes the terminal over.
    pub fn take() -> io::Result<Self> {
        status::hold_back();
        let taken = enter();
        if taken.is_err() {
            leave();
            status::release();
        }
        taken.map(|terminal| Self { terminal: ManuallyDrop::new(terminal) })
    }

    /// Gives it back for as long as `meanwhile` takes.
    pub fn release_while(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        leave();
        meanwhile();
        // Another one, which takes nothing for drawn. To clear this one is no way: it asks the terminal for its cursor, and
        // the answer would go to whoever waits for keys.
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

/// Each step is tried, whatever became of the one before. What is typed meanwhile is for whoever comes next, so lines come
/// first.
fn leave() {
    let mut out = io::stdout();
    let _ = disable_raw_mode();
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, cursor::Show);
}

/// Asks the terminal what it writes on. It must be taken, and nobody else may read from it.
///
/// After the question it is asked what it is, which any terminal answers: so nobody waits for one that knows no colours.
#[cfg(unix)]
#[must_use]
pub fn background() -> Option<BackgroundTone> {
    let mut out = io::stdout();
    out.write_all(b"\x1b]11;?\x1b\\\x1b[c").and_then(|()| out.flush()).ok()?;
    let until = std::time::Instant::now() + ANSWER;
    let (stdin, mut answer) = (io::stdin(), Vec::new());
    // `ESC [ ? … c` is what it is, and comes last.
    let is_whole =
        |answer: &[u8]| answer.ends_with(b"c") && answer.windows(3).any(|start| start == b"\x1b[?");
    while !is_whole(&answer) && answer.len() < 256 {
        let left = until.saturating_duration_since(std::time::Instant::now());
        let mut ready = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec::try_from(left).ok()?;
        if rustix::event::poll(&mut ready, Some(&timeout)).ok()? == 0 {
            break;
        }
        let mut piece = [0; 64];
        let read = rustix::io::read(&stdin, &mut piece).ok().filter(|read| *read > 0)?;
        answer.extend_from_slice(&piece[..read]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (_, colour) = answer.split_once("]11;")?;
    BackgroundTone::by_answer(colour.split(['\x07', '\x1b']).next()?)
}

#[cfg(not(unix))]
#[must_use]
pub fn background() -> Option<BackgroundTone> {
    None
}

/// Hands text to the clipboard of whoever sits at the terminal, by OSC 52; that works through ssh too.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}
