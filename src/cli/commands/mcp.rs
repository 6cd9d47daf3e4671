//! `evtap mcp`: offers tools that read events to an agent, over the Model Context Protocol.
//!
//! stdout carries the protocol and nothing else. The tools run the pipeline of the other commands
//! with a policy that masks hidden fields and free text, and that nothing can weaken: no option, no
//! setting and no argument of a call reveals anything. A call names one of the sources that the user
//! has named, never a path.
//!
//! Each result is bounded in bytes, and says whether it is all that there was.

mod answer;
mod arguments;
mod cursor;
mod events;
mod evidence;
mod query;
mod request;
mod run;
mod schema;
mod scope;
mod server;
mod sources;
mod stats;
mod timeline;
mod tools;

use std::io::IsTerminal as _;

use rmcp::service::{QuitReason, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::stdio;
use rmcp::{RoleServer, ServiceExt as _};

use crate::cli::args::McpArgs;
use crate::cli::resolve;
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::transport::shutdown;
use request::ToolContext;
use server::AgentServer;
use sources::AgentSources;

/// The maximum size of a message from the client, in bytes.
const MAX_MESSAGE: usize = 1 << 20;

pub(super) async fn run(args: McpArgs) -> Result<Exit> {
    let McpArgs { files, workspace, redact, scrub, connection, demo, named } = args;
    let policy = resolve::agent_policy(&redact, scrub)?;
    let sources = AgentSources::new(files, &workspace, connection, demo)?;
    let server = AgentServer::new(ToolContext { sources, policy, named });
    if std::io::stdin().is_terminal() {
        status::report("waiting for a client of the Model Context Protocol on stdin; Ctrl-D ends");
    }
    let (stdin, stdout) = stdio();
    let transport =
        AsyncRwTransport::<RoleServer, _, _>::new(stdin, stdout).with_max_line_length(MAX_MESSAGE);
    tokio::select! {
        ended = serve(server, transport) => ended,
        signal = shutdown::wait_for_signal() => Ok(signal.unwrap_or(Exit::Failure)),
    }
}

/// Serves until stdin ends.
async fn serve(
    server: AgentServer,
    transport: AsyncRwTransport<RoleServer, tokio::io::Stdin, tokio::io::Stdout>,
) -> Result<Exit> {
    let failed = |why: &str, advice: &str| {
        Err(Error::new(Exit::Failure, "cannot serve the tools", why, advice))
    };
    let running = match server.serve(transport).await {
        Ok(running) => running,
        // A client that only looks whether the program starts.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(Exit::Done),
        Err(_) => {
            let why = "the client did not begin with a valid `initialize`";
            return failed(why, "start it from a client of the Model Context Protocol");
        }
    };
    match running.waiting().await {
        Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(Exit::Done),
        _ => failed("the server panicked", "report this as a bug"),
    }
}
