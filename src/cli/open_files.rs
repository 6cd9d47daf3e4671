//! The limit on open files, of which each connection takes one.

/// Raises the limit of this process to the highest that it may have, because many systems begin
/// with 1,024. Errors are ignored: a connection that finds none free reports it.
#[cfg(unix)]
pub fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Does nothing, because there is no such limit.
#[cfg(not(unix))]
pub const fn raise_limit() {}
