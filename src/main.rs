//! The `evtap` command.

use std::process::ExitCode;

/// The allocator of musl has one lock, for which the threads of a pipeline wait.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evtap::main()
}
