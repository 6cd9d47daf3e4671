//! Recordings to measure with, in all forms that jobs read.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use evtap::model::Kind;
use serde_json::{Map, Value};

use super::varied::{Generator, rfc3339};

/// How regular a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    Regular,
    Varied,
    Wild,
}

impl DataKind {
    pub const ALL: &[Self] = &[Self::Regular, Self::Varied, Self::Wild];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Varied => "varied",
            Self::Wild => "wild",
        }
    }

    /// Describes the recording.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Regular => "the day of the emulator's clinic",
            Self::Varied => {
                "events of every type, with optional fields missing at random, escapes and \
                 non-ASCII text"
            }
            Self::Wild => "the same, but nearly every event has a shape that was not seen before",
        }
    }
}

/// Number of lines of a recording on which tools must agree.
const HEAD: usize = 20_000;

/// Part of a recording that slow tools read, in bytes.
const PART: usize = 20_000_000;

/// Size of the small recording, in bytes.
const SMALL: usize = 1_000_000;

/// The files of a recording.
pub struct Data {
    pub kind: DataKind,
    dir: PathBuf,
    /// A call in the recording.
    pub call: String,
}

/// A form of a recording, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Whole,
    /// What fits in 20 MB.
    Part,
    /// What fits in 1 MB.
    Small,
    /// The first 20,000 lines.
    Head,
    /// The first line.
    First,
    Gzip,
    Zstd,
    /// A capture of an SSE stream.
    Sse,
}

impl Input {
    pub const fn file(self) -> &'static str {
        match self {
            Self::Whole => "day.ndjson",
            Self::Part => "part.ndjson",
            Self::Small => "small.ndjson",
            Self::Head => "head.ndjson",
            Self::First => "first.ndjson",
            Self::Gzip => "day.ndjson.gz",
            Self::Zstd => "day.ndjson.zst",
            Self::Sse => "day.sse",
        }
    }
}

impl Data {
    /// Generates a recording of about `size` bytes in `dir`.
    pub fn generate(kind: DataKind, size: usize, evtap: &Path, dir: &Path) -> Self {
        let mut lines = Vec::with_capacity(size + 4096);
        if kind == DataKind::Regular {
            emulate(evtap, size, &mut lines);
        } else {
            let mut generator = Generator::new(7, kind == DataKind::Wild);
            while lines.len() < size {
                generator.push_line(&mut lines);
            }
        }
        let call = lines
            .split(|byte| *byte == b'\n')
            .skip(200)
            .find_map(|line| {
                let event: Value = serde_json::from_slice(line).ok()?;
                Some(event.get("call_sid")?.as_str()?.to_owned())
            })
            .expect("a call");
        let data = Self { kind, dir: dir.to_owned(), call };
        data.write(Input::Whole, &lines);
        data.write(Input::Part, up_to(&lines, PART));
        data.write(Input::Small, up_to(&lines, SMALL));
        let head =
            memchr::memchr_iter(b'\n', &lines).nth(HEAD - 1).map_or(lines.len(), |end| end + 1);
        data.write(Input::Head, &lines[..head]);
        let first = memchr::memchr(b'\n', &lines).map_or(lines.len(), |end| end + 1);
        data.write(Input::First, &lines[..first]);
        data.write(Input::Sse, &capture(&lines));
        drop(lines);
        write_key(&data.path_of("key"));
        for (program, form) in [("gzip", Input::Gzip), ("zstd", Input::Zstd)] {
            let mut command = Command::new(program);
            command.arg("-c").arg(data.path(Input::Whole)).stderr(Stdio::null());
            let _ = command.stdout(File::create(data.path(form)).expect("a file")).status();
        }
        data
    }

    pub fn path(&self, input: Input) -> PathBuf {
        self.dir.join(input.file())
    }

    /// Returns the size of what a tool reads. Compressed recordings count as what they contain.
    pub fn size(&self, input: Input) -> u64 {
        let file = match input {
            Input::Gzip | Input::Zstd => Input::Whole,
            other => other,
        };
        fs::metadata(self.path(file)).expect("it is there").len()
    }

    /// Returns the size of a file; zero if it could not be made.
    pub fn size_on_disk(&self, input: Input) -> u64 {
        fs::metadata(self.path(input)).map_or(0, |file| file.len())
    }

    /// Returns the path of another file in the same directory.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A file for the output of a tool.
    pub fn out(&self) -> PathBuf {
        self.path_of("out")
    }

    fn write(&self, input: Input, bytes: &[u8]) {
        fs::write(self.path(input), bytes).expect("there is space");
    }
}

/// Writes a key for pseudonyms, which only its owner may read.
fn write_key(path: &Path) {
    fs::write(path, "a key for benchmarks, which is not secret").expect("there is space");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }
}

/// Returns the whole lines in the first bytes.
fn up_to(lines: &[u8], size: usize) -> &[u8] {
    let part = &lines[..size.min(lines.len())];
    &part[..memchr::memrchr(b'\n', part).map_or(0, |end| end + 1)]
}

/// Appends what the emulator's clinic publishes, at five events per second of the recording, so
/// that the times are the same in every run.
fn emulate(evtap: &Path, size: usize, lines: &mut Vec<u8>) {
    let mut command = Command::new(evtap);
    command.args(["watch", "-w", "demo", "--demo-rate", "1000000", "--status", "none"]);
    command.args(["-o", "ndjson"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("evtap runs");
    let mut now = 1_795_932_465_062;
    let mut published = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    while lines.len() < size {
        let line = published.next().expect("a day without end").expect("text");
        let mut event: Map<String, Value> = serde_json::from_str(&line).expect("an object");
        now += 200;
        let tap = event["_tap"].as_object_mut().expect("an object");
        if tap.contains_key("id") {
            tap.insert("id".to_owned(), now.to_string().into());
            tap.insert("time".to_owned(), rfc3339(now).into());
        }
        tap.insert("received_at".to_owned(), rfc3339(now).into());
        lines.extend_from_slice(Value::from(event).to_string().as_bytes());
        lines.push(b'\n');
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Returns the events as a capture of a stream. The platform leaves the type out of the payload.
fn capture(lines: &[u8]) -> Vec<u8> {
    let (mut out, mut id) = (Vec::with_capacity(lines.len()), 1_795_932_465_062_u64);
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut event: Map<String, Value> = serde_json::from_slice(line).expect("an object");
        let event_type = event.shift_remove("event_type").expect("a type");
        event.shift_remove("_tap");
        id += 200;
        let _ = write!(
            out,
            "id: {id}\nevent: {}\ndata: {}\n\n",
            event_type.as_str().expect("a string"),
            Value::from(event)
        );
    }
    out
}

/// Writes a recording of any size, which repeats what is generated.
pub fn write_long(path: &Path, size: usize) {
    /// Largest part of a recording that is generated, in bytes; a longer one repeats it.
    const GENERATED: usize = 100_000_000;
    let (mut lines, mut generator) = (Vec::new(), Generator::new(7, false));
    while lines.len() < size.min(GENERATED) {
        generator.push_line(&mut lines);
    }
    let mut file = File::create(path).expect("a file");
    let mut left = size;
    while left > 0 {
        file.write_all(&lines).expect("there is space");
        left = left.saturating_sub(lines.len());
    }
}

/// Writes events of `each` bytes, half of them with hidden text and half with free text that is
/// searched, up to `size` bytes in total.
pub fn write_large(path: &Path, size: usize, each: usize) {
    let sentence = "The caller asks for another appointment and will call again. ";
    let mut lines = Vec::new();
    let begins = [(Kind::UserTranscript, "transcript"), (Kind::PipelineError, "error")].map(
        |(kind, field)| format!("{{\"event_type\":\"{}\",\"{field}\":\"", kind.spec().event_type),
    );
    for begin in begins.iter().cycle().take(size.div_ceil(each)) {
        let prose: String =
            sentence.chars().cycle().take(each.saturating_sub(begin.len() + 3)).collect();
        let _ = writeln!(lines, "{begin}{prose}\"}}");
    }
    fs::write(path, lines).expect("there is space");
}
