//! What the process does so that nothing it holds in memory gets out when it breaks down: panics tell the place and not the
//! text, and there are no core dumps.

use std::panic;

use crate::output::status;

/// Hardens the process. Call it once, before anything is read.
pub fn harden_process() {
    quiet_panics();
    no_core_dumps();
}

/// A panic's message can quote what it stumbled over, and a backtrace can be asked for by the environment: neither is told.
fn quiet_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        status::report(&format!(
            "panicked{place}: this is a bug; report it with this line, which contains nothing that was read"
        ));
    }));
}

/// Neither a limit nor a parent can bring them back. Where that fails, there is nobody to tell.
#[cfg(unix)]
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Where dumps are piped to a program, the limit does not count.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(not(unix))]
fn no_core_dumps() {}
