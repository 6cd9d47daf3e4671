//! Minimal HTTP/1.1 requests: one that opens a tunnel through a proxy, and one for a server's date.

use std::io;

use hyper_util::client::proxy::matcher::Intercept;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Maximum size of a response head, in bytes.
const HEAD: usize = 16 << 10;

/// Asks a proxy for a tunnel (RFC 9110, section 9.3.6) and returns the status of the response.
pub(super) async fn tunnel(
    socket: &mut TcpStream,
    host: &str,
    port: u16,
    proxy: &Intercept,
) -> io::Result<u16> {
    let mut request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(login) = proxy.basic_auth() {
        request.extend([b"Proxy-Authorization: ", login.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    socket.write_all(&request).await?;
    Ok(read_head(socket).await?.0)
}

/// Sends a HEAD request without the key and returns the `Date` of the response.
pub(super) async fn request_date<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
) -> io::Result<Option<Timestamp>> {
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: evtap/{version}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(read_head(stream).await?.1)
}

/// Reads the head of a response and returns its status and date.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u16, Option<Timestamp>)> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let (mut head, mut chunk) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if head.len() > HEAD => return Err(io::ErrorKind::InvalidData.into()),
            read => head.extend(&chunk[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let date = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| DATES.parse_timestamp(value.trim()).ok())?
    });
    status.map(|status| (status, date)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_head_a_status_and_a_date_are_read() {
        let head = async |mut text: &[u8]| read_head(&mut text).await.ok();
        let date = Some("2026-05-05T10:00:00Z".parse().expect("a time"));
        assert_eq!(
            head(b"HTTP/1.1 404 x\r\nDATE: Tue, 05 May 2026 10:00:00 GMT\r\n\r\n").await,
            Some((404, date))
        );
        assert_eq!(head(b"HTTP/1.0 200 x\r\nDate: canary\r\n\r\n").await, Some((200, None)));
        for junk in [
            "",
            "HTTP/1.1 200 x\r\n",
            "canary\r\n\r\n",
            "HTTP/1.1 \u{e9}\u{e9}x\r\n\r\n",
            &"x".repeat(HEAD * 2),
        ] {
            assert_eq!(head(junk.as_bytes()).await, None);
        }
    }
}
