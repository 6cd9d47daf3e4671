//! Work that runs outside the event loop, so that no key waits for it: writing files, and passing
//! text to a clipboard tool.
//!
//! Each task runs on a thread of its own and reports its outcome as a line of text. Dropping
//! [`BackgroundTasks`] waits until all files are written; a copy may be abandoned.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use crate::output::status;
use crate::text::units::counted;
use crate::transport::input_file::cause;
use crate::transport::private_file;

/// Clipboard tools: name, arguments, and the environment variable that the tool requires.
const CLIPBOARD_TOOLS: &[(&str, &[&str], Option<&str>)] = &[
    ("wl-copy", &[], Some("WAYLAND_DISPLAY")),
    ("xclip", &["-selection", "clipboard"], Some("DISPLAY")),
    ("xsel", &["--clipboard", "--input"], Some("DISPLAY")),
    ("pbcopy", &[], None),
];

/// Starts tasks on their own threads and collects their reports. Each report unparks the thread that
/// started its task.
pub struct BackgroundTasks {
    report: Sender<String>,
    reports: Receiver<String>,
    saving: Vec<JoinHandle<()>>,
}

impl Default for BackgroundTasks {
    fn default() -> Self {
        let (report, reports) = channel();
        Self { report, reports, saving: Vec::new() }
    }
}

impl BackgroundTasks {
    /// Saves lines to a new file with mode 0600.
    pub fn save(&mut self, path: PathBuf, lines: Vec<Arc<str>>) {
        let started = self.start("save", move || match save(&path, &lines) {
            Ok(()) => {
                format!("saved {} to {}", counted(lines.len() as u64, "event"), path.display())
            }
            Err(error) => {
                format!("cannot save to {}: {}; choose another name", path.display(), cause(&error))
            }
        });
        self.saving.extend(started);
    }

    /// Copies text with a clipboard tool of this machine. The caller has sent OSC 52 already.
    pub fn copy(&self, text: String) {
        self.start("copy", move || match copy_by_tool(&text) {
            Some(tool) => format!("copied with {tool} and OSC 52"),
            None => "copied with OSC 52, if the terminal supports it".to_owned(),
        });
    }

    fn start(
        &self,
        name: &str,
        run: impl FnOnce() -> String + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let (report, receiver) = (self.report.clone(), std::thread::current());
        let run = move || {
            // The receiver is gone once the screen is closed.
            let _ = report.send(run());
            receiver.unpark();
        };
        let started = Builder::new().name(name.to_owned()).spawn(run);
        if started.is_err() {
            let _ =
                self.report.send(format!("cannot {name}: no thread could be started; try again"));
        }
        started.ok()
    }

    /// Returns the reports of the tasks that finished since the last call.
    pub fn finished(&self) -> impl Iterator<Item = String> {
        self.reports.try_iter()
    }
}

/// Waits until files are written, and prints the remaining reports.
impl Drop for BackgroundTasks {
    fn drop(&mut self) {
        for saving in self.saving.drain(..) {
            let _ = saving.join();
        }
        self.reports.try_iter().for_each(|report| status::report(&report));
    }
}

fn save(path: &Path, lines: &[Arc<str>]) -> io::Result<()> {
    let mut file = io::BufWriter::new(private_file::create_new(path)?);
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// Copies text with the first tool that accepts it, and returns the name of that tool.
fn copy_by_tool(text: &str) -> Option<&'static str> {
    let is_set = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let usable = CLIPBOARD_TOOLS.iter().filter(|(.., variable)| variable.is_none_or(is_set));
    usable
        .filter(|(tool, arguments, _)| run_tool(tool, arguments, text).is_ok_and(|copied| copied))
        .map(|(tool, ..)| *tool)
        .next()
}

/// Passes text to a tool on stdin, because other users can see the arguments of a process. Returns
/// whether the tool succeeded.
fn run_tool(tool: &str, arguments: &[&str], text: &str) -> io::Result<bool> {
    let mut command = Command::new(tool);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    Ok(child.wait()?.success() && written.is_ok())
}
