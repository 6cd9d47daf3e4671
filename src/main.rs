//! The `evtap` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    evtap::main()
}
