//! Keeps data in memory from leaking when the process crashes.
//!
//! Panics report only their location, and core dumps are disabled.

use std::panic;

use crate::output::status;

/// Hardens the process. Call it once, before any input is read.
pub fn harden_process() {
    quiet_panics();
    no_core_dumps();
}

/// Makes panics report only their location. The message may quote the data that caused the panic,
/// and the environment can request a backtrace; neither is printed.
fn quiet_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        status::warn(&format!(
            "panicked{place}: this is a bug; report it with this line, which contains nothing that was read"
        ));
    }));
}

/// Disables core dumps. The hard limit is lowered too, so that the limit cannot be raised again.
/// Errors are ignored, because the run does not depend on it.
#[cfg(unix)]
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The kernel ignores the limit if it pipes core dumps to a program: see core(5).
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(not(unix))]
fn no_core_dumps() {}
