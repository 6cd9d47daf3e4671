//! Everything that evtap writes to stderr: messages for people and JSON lines for machines.
//!
//! Each line is made safe for a terminal first. While the live screen uses the terminal, lines wait
//! here until the screen shows them or closes. The progress line, if there is one, stays the last
//! line on the terminal.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::terminal;

/// Writes a message for people: `evtap: …`.
pub fn report(text: &str) {
    write_line(&format!("evtap: {}", terminal::visible(text)));
}

/// Writes several lines for people, without a prefix.
pub fn lines(text: &str) {
    for line in text.lines() {
        write_line(&terminal::visible(line));
    }
}

/// Writes a JSON object for machines on one line.
pub fn json(object: &Value) {
    let mut line = String::new();
    terminal::push_json(&object.to_string(), &mut line);
    write_line(&line);
}

/// The progress line that is on the terminal now.
static PROGRESS: Mutex<Option<String>> = Mutex::new(None);

/// Replaces the progress line, or removes it.
pub fn progress(line: Option<&str>) {
    let mut shown = PROGRESS.lock().unwrap_or_else(PoisonError::into_inner);
    *shown = line.map(|line| terminal::visible(line).into_owned());
    // A closed stderr is ignored: there is nowhere left to report it.
    let _ = write!(io::stderr().lock(), "{CLEAR}{}", shown.as_deref().unwrap_or_default());
}

/// The control sequence that returns to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[K";

/// The lines that wait while the live screen uses the terminal, and `None` otherwise.
static WAITING: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Makes all further lines wait until [`release`].
pub fn hold_back() {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
}

/// Takes the lines that wait, so that the live screen can show them.
#[must_use]
pub fn take_waiting() -> Vec<String> {
    WAITING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_mut()
        .map(std::mem::take)
        .unwrap_or_default()
}

/// Writes the lines that wait, and lets further lines through at once.
pub fn release() {
    let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).take();
    waiting.into_iter().flatten().for_each(|line| write_line(&line));
}

/// Writes one line. A closed stderr is ignored: there is nowhere left to report it.
fn write_line(line: &str) {
    if let Some(waiting) = WAITING.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        return waiting.push(line.to_owned());
    }
    let _ = match PROGRESS.lock().unwrap_or_else(PoisonError::into_inner).as_deref() {
        None => writeln!(io::stderr().lock(), "{line}"),
        Some(progress) => write!(io::stderr().lock(), "{CLEAR}{line}\n{progress}"),
    };
}
