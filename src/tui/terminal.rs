//! The terminal: taken over at the start, and given back as it was, however the screen ends.

use std::io::{self, IsTerminal, Stdout, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::error::{Error, Result};
use crate::status;

/// Fails where there is no terminal that a screen could be drawn on.
pub fn check() -> Result<()> {
    let unfit = |why| Err(Error::usage("cannot show the live screen", why, "leave --tui out to have lines"));
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

/// A terminal that is taken over. Dropped, it is as it was before.
pub struct Taken {
    /// To draw on.
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    /// Takes the terminal over.
    pub fn take() -> io::Result<Self> {
        status::hold_back();
        let taken = enter().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        if taken.is_err() {
            leave();
            status::release();
        }
        taken.map(|terminal| Self { terminal })
    }

    /// Gives it back for as long as `meanwhile` takes.
    pub fn lend(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        leave();
        meanwhile();
        enter()?;
        self.terminal.clear()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        leave();
        status::release();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, cursor::Hide)
}

/// Each step is tried, whatever became of the one before.
fn leave() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, cursor::Show);
    let _ = disable_raw_mode();
}

/// Hands text to the clipboard of whoever sits at the terminal, by OSC 52; that works through ssh too.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}
