//! Who may publish: TLS, credentials, permissions and versions.
//!
//! `accounts/` has a server's configuration and credentials, which were made for this.

use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::lines;
use super::server::{NatsServer, is_installed};
use crate::support::{Evtap, evtap};

fn path(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/it").join(name).display().to_string()
}

#[tokio::test]
async fn tls_is_used_if_asked_for_and_the_certificate_is_checked() {
    if !is_installed() {
        return;
    }
    let pem = path("tls/good.pem");
    let server = NatsServer::start(&["--tls", "--tlscert", &pem, "--tlskey", &pem]).await;
    let (nats, ca) = (server.url("evtap"), path("tls/ca.pem"));
    let tls = nats.replace("nats://", "tls://");
    let publish = |url: &str, rest: &str| {
        evtap(&format!("replay - --create-stream --publish {url} {rest}")).stdin(lines(1)).run()
    };
    // A server that requires TLS gets it, whatever the scheme.
    for url in [&tls, &nats] {
        let ran = publish(url, &format!("--ca-cert {ca}")).await;
        ran.ended(0);
        let ran = publish(url, "").await;
        ran.ended(1);
        assert!(ran.stderr().contains("TLS: certificate not trusted"), "{}", ran.stderr());
    }
    let plain = NatsServer::start(&[]).await;
    let url = plain.url("evtap").replace("nats://", "tls://");
    let ran = publish(&url, &format!("--ca-cert {ca}")).await;
    ran.ended(1);
    assert!(ran.stderr().contains("TLS: the server speaks another protocol"), "{}", ran.stderr());
}

#[tokio::test]
async fn credentials_come_from_a_file_and_the_documented_permissions_suffice() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&["-c", &path("nats/accounts/operator.conf")]).await;
    let publish = |user: &str| -> Evtap {
        let creds = std::fs::read(path(&format!("nats/accounts/{user}.creds"))).expect("a file");
        evtap(&format!("replay - --create-stream --publish {}", server.url("evtap")))
            .file("creds", creds)
            .mode("creds", 0o600)
            .stdin(lines(1))
    };
    let ran = publish("tap").arg("--nats-creds").arg("creds").run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("1 published"), "{}", ran.stderr());
    // The tap may also read the last event, in order to compare fingerprints.
    let ran = publish("tap").arg("--exclude=x").env("EVTAP_NATS_CREDS", "creds").run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("a tap with other filters"), "{}", ran.stderr());
    let ran = publish("tap").config("[profiles.p]\nnats_creds = \"../../creds\"\n");
    ran.arg("--profile=p").run().await.ended(0);

    let ran = publish("tap").run().await;
    ran.ended(3);
    assert!(ran.stderr().contains("give valid ones with --nats-creds"), "{}", ran.stderr());
    let ran = publish("stranger").arg("--nats-creds=creds").run().await;
    ran.ended(3);
    assert!(ran.stderr().contains("refused the credentials"), "{}", ran.stderr());
    let ran = publish("tap").arg("--nats-creds=creds").mode("creds", 0o644).run().await;
    assert!(ran.stderr().contains("others may read"), "{}", ran.stderr());
}

#[tokio::test]
async fn credentials_in_the_configuration_do_not_disturb_other_runs() {
    let ran = evtap("replay - -o ndjson").config("nats_creds = \"none\"\n").stdin(lines(1)).run();
    ran.await.ended(0);
}

/// There is no package of such an old server, so this one says only how old it is.
#[tokio::test]
async fn a_server_that_is_too_old_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        let mut socket = BufReader::new(socket);
        let info = concat!(
            r#"INFO {"server_id":"N","server_name":"N","version":"2.9.10","go":"go1.19","#,
            r#""host":"127.0.0.1","port":4222,"headers":true,"max_payload":1048576,"proto":1}"#,
            "\r\n"
        );
        socket.write_all(info.as_bytes()).await.expect("the client reads");
        let mut line = String::new();
        while socket.read_line(&mut line).await.is_ok_and(|length| length > 0) {
            if line.starts_with("PING") {
                socket.write_all(b"PONG\r\n").await.expect("the client reads");
            }
            line.clear();
        }
    });
    let ran = evtap(&format!("replay - --publish nats://{address}/evtap")).stdin(lines(1)).run();
    let ran = ran.await;
    ran.ended(1);
    assert!(ran.stderr().contains("older than NATS 2.10"), "{}", ran.stderr());
}
