//! Everything that evtap writes to stderr: messages for people, or JSON lines for machines.
//!
//! After [`use_json`], every message is a JSON line, whoever writes it, so that a program that reads
//! stderr never meets a line of another kind.
//!
//! Each line is made safe for a terminal first. While the live screen uses the terminal, lines wait
//! here until the screen shows them or closes. The progress line, if there is one, stays the last
//! line on the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

use serde_json::{Value, json};

use super::terminal;

/// Whether messages are written as JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// The object to write at the very end, if messages are written as JSON.
static LAST: Mutex<Option<Value>> = Mutex::new(None);

/// Writes all further messages as JSON, or no longer.
pub fn use_json(is_json: bool) {
    IS_JSON.store(is_json, Ordering::Relaxed);
}

/// Returns whether messages are written as JSON.
#[must_use]
pub fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Writes a message for people: `evtap: …`. As JSON, it is a notice.
pub fn report(text: &str) {
    message("notice", text);
}

/// Writes a message about a likely mistake: `evtap: …`. As JSON, it is a warning.
pub fn warn(text: &str) {
    message("warning", text);
}

fn message(status: &str, text: &str) {
    if is_json() {
        json_line(&json!({"status": status, "reason": text}));
    } else {
        write_line(&format!("evtap: {}", terminal::visible(text)));
    }
}

/// Writes several lines for people, without a prefix. As JSON, they are one notice.
pub fn lines(text: &str) {
    if is_json() && !text.is_empty() {
        return report(text);
    }
    for line in text.lines() {
        write_line(&terminal::visible(line));
    }
}

/// Sets the JSON object that [`finish`] writes.
pub fn set_last(object: Value) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(object);
}

/// Writes the last JSON object, if one is set, with the exit status of the process.
pub fn finish(exit: u8) {
    if let Some(mut last) = LAST.lock().unwrap_or_else(PoisonError::into_inner).take() {
        last["exit"] = json!(exit);
        json_line(&last);
    }
}

/// Writes a JSON object for machines on one line.
pub fn json_line(object: &Value) {
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

/// Rings the bell, if stderr is a terminal.
pub fn ring() {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        // A closed stderr is ignored: there is nowhere left to report it.
        let _ = stderr.write_all(b"\x07").and_then(|()| stderr.flush());
    }
}

/// The control sequence that returns to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[K";

/// Lines that wait while something else uses the terminal.
#[derive(Default)]
struct WaitingLines {
    lines: Vec<String>,
    /// The thread that shows them, which is unparked for every line.
    reader: Option<Thread>,
}

/// The lines that wait while the live screen uses the terminal, and `None` otherwise.
static WAITING: Mutex<Option<WaitingLines>> = Mutex::new(None);

/// Makes all further lines wait until [`release`].
pub fn hold_back() {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
}

/// Takes the lines that wait, so that the live screen can show them. The calling thread is unparked
/// for every further line.
#[must_use]
pub fn take_waiting() -> Vec<String> {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(waiting) = waiting.as_mut() else { return Vec::new() };
    waiting.reader.get_or_insert_with(std::thread::current);
    std::mem::take(&mut waiting.lines)
}

/// Writes the lines that wait, and lets further lines through at once.
pub fn release() {
    let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).take();
    waiting.into_iter().flat_map(|waiting| waiting.lines).for_each(|line| write_line(&line));
}

/// Writes one line. A closed stderr is ignored: there is nowhere left to report it.
fn write_line(line: &str) {
    if let Some(waiting) = WAITING.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        waiting.lines.push(line.to_owned());
        return waiting.reader.iter().for_each(Thread::unpark);
    }
    let _ = match PROGRESS.lock().unwrap_or_else(PoisonError::into_inner).as_deref() {
        None => writeln!(io::stderr().lock(), "{line}"),
        Some(progress) => write!(io::stderr().lock(), "{CLEAR}{line}\n{progress}"),
    };
}
