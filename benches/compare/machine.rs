//! Describes the machine and the versions of the tools.

use std::collections::BTreeSet;
use std::fs;

use super::process::version;
use super::rows::{Tool, rows};

/// Returns a line about the machine, and one about the tools.
pub fn describe() -> String {
    let value = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim_start_matches([' ', '\t', ':']).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut processor = value("/proc/cpuinfo", "model name");
    if processor.is_empty() {
        std::env::consts::ARCH.clone_into(&mut processor);
    }
    let kilobytes: u64 =
        value("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let (system, release) = (std::env::consts::OS, value("/proc/sys/kernel/osrelease", ""));
    let memory = kilobytes.div_ceil(1 << 20);
    let tools = rows().into_iter().filter(|row| row.tool != Tool::Evtap);
    let versions: BTreeSet<_> = tools.filter_map(|row| version(row.tool)).collect();
    let versions = versions.into_iter().collect::<Vec<_>>().join("; ");
    format!(
        "{processor}, {cores} cores, {memory} GiB of memory, {system} {release}. Tools: {versions}.\n"
    )
}
