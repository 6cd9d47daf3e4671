//! A client that speaks the protocol in plain JSON.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

use crate::support::{Evtap, RunOutput, Running};

/// A session with a server.
pub struct Session {
    pub running: Running,
    stdin: ChildStdin,
    last_id: u64,
    /// Everything that the server has written.
    pub seen: String,
}

impl Session {
    /// Starts a server and opens a session.
    pub async fn start(evtap: Evtap) -> Self {
        let (running, stdin) = evtap.start_with_stdin();
        let mut session = Self { running, stdin, last_id: 0, seen: String::new() };
        let client = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1"},
        });
        let opened = session.request("initialize", client).await;
        assert_eq!(opened["result"]["serverInfo"]["name"], "evtap", "{opened}");
        session.notify("notifications/initialized", json!({})).await;
        session
    }

    /// Writes a line, whatever it is.
    pub async fn write(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.write(&message.to_string()).await;
    }

    /// Sends a request and returns its id.
    pub async fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(&message.to_string()).await;
        id
    }

    /// Sends the call of a tool and returns its id.
    pub async fn send_call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.send("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Returns the next message of the server.
    pub async fn next(&mut self) -> Value {
        let line = self.running.line().await;
        self.seen.push_str(&line);
        let message: Value = serde_json::from_str(&line).expect("only the protocol is on stdout");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    /// Sends a request and returns the response.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        let response = self.next().await;
        assert_eq!(response["id"], id, "{response}");
        response
    }

    /// Calls a tool and returns the result.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let mut response = self.request("tools/call", params).await;
        let result = response["result"].take();
        assert!(result.is_object(), "{response}");
        assert_eq!(result["structuredContent"].is_object(), !is_error(&result), "{result}");
        result
    }

    /// Sends the server a signal and waits for its end.
    pub async fn signal(self, name: &str) -> RunOutput {
        self.running.signal(name);
        let ran = self.running.end().await;
        drop(self.stdin);
        ran
    }

    /// Closes stdin and waits for the end of the server.
    pub async fn end(self) -> RunOutput {
        drop(self.stdin);
        self.running.end().await
    }

    /// Closes stdin. The server then ends without an error and without having anything to say.
    pub async fn ends_well(self) {
        let ran = self.end().await;
        assert_eq!((ran.ended(0).as_str(), ran.stderr().as_str()), ("", ""));
    }
}

/// Returns whether a result reports a failure.
pub fn is_error(result: &Value) -> bool {
    result["isError"] == true
}

/// Returns the text of a result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text")
}

/// Returns the events of a result.
pub fn lines(result: &Value) -> Vec<Value> {
    assert!(!is_error(result), "{result}");
    result["structuredContent"]["events"].as_array().expect("events").clone()
}

/// Returns why a result is not complete.
pub fn reasons(result: &Value) -> String {
    result["structuredContent"]["why_incomplete"].to_string()
}
