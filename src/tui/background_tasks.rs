//! Work outside the event loop, so that no key waits for it: writing files, and passing text to the
//! clipboard tool of this machine.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use crate::output::status;
use crate::transport::private_file;
use crate::transport::recording::cause;

/// The tools that have a clipboard, each with the variable without which there is nothing for it to talk to.
const TOOLS: &[(&str, &[&str], Option<&str>)] = &[
    ("wl-copy", &[], Some("WAYLAND_DISPLAY")),
    ("xclip", &["-selection", "clipboard"], Some("DISPLAY")),
    ("xsel", &["--clipboard", "--input"], Some("DISPLAY")),
    ("pbcopy", &[], None),
];

/// Tasks on threads of their own, and what they report.
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
    /// Saves lines to a new file that nobody else can read.
    pub fn save(&mut self, path: PathBuf, lines: Vec<Arc<str>>) {
        let started = self.start("save", move || match save(&path, &lines) {
            Ok(()) => format!("saved {} events to {}", lines.len(), path.display()),
            Err(error) => {
                format!("cannot save to {}: {}; choose another name", path.display(), cause(&error))
            }
        });
        self.saving.extend(started);
    }

    /// Hands text to the clipboard of this machine; the terminal has been asked already.
    pub fn copy(&self, text: String) {
        self.start("copy", move || match copy_by_tool(&text) {
            Some(tool) => format!("copied, by {tool} and by OSC 52"),
            None => "copied; if not, this terminal doesn't take OSC 52".to_owned(),
        });
    }

    fn start(
        &self,
        name: &str,
        run: impl FnOnce() -> String + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let report = self.report.clone();
        let run = move || {
            // Nobody listens once the screen is closed.
            let _ = report.send(run());
        };
        let started = Builder::new().name(name.to_owned()).spawn(run);
        if started.is_err() {
            let _ = self
                .report
                .send(format!("cannot {name}: the machine has no thread to spare; try again"));
        }
        started.ok()
    }

    /// Returns what the finished tasks report.
    pub fn finished(&self) -> impl Iterator<Item = String> {
        self.reports.try_iter()
    }
}

/// Waits until files are written.
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

/// Gives the name of the tool that took it.
fn copy_by_tool(text: &str) -> Option<&'static str> {
    let is_set = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let fit = TOOLS.iter().filter(|(.., variable)| variable.is_none_or(is_set));
    fit.filter(|(tool, arguments, _)| run_tool(tool, arguments, text).is_ok_and(|took| took))
        .map(|(tool, ..)| *tool)
        .next()
}

/// The text goes by a pipe: arguments can be seen by others.
fn run_tool(tool: &str, arguments: &[&str], text: &str) -> io::Result<bool> {
    let mut command = Command::new(tool);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    Ok(child.wait()?.success() && written.is_ok())
}
