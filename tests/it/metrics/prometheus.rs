//! Real Prometheus: promtool accepts the metrics, a server scrapes them, and every query of the
//! dashboard and of the alert rules runs on what it scraped.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;

use evtap::emulator;
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::{LISTEN, start};
use crate::support::{HANG, curl, emulator, endpoint, status, tools, watch};

/// A server that scrapes one target. It ends when this is dropped.
struct Prometheus {
    _process: Child,
    base: String,
    _home: TempDir,
}

impl Prometheus {
    /// Starts a server on a free port, with the alert rules of docs/.
    async fn start(target: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let rules = docs("prometheus-alerts.yml");
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: [{rules}]\n\
             scrape_configs: [{{job_name: evtap, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        let file = home.path().join("prometheus.yml");
        std::fs::write(&file, config).expect("a file");
        let mut process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", home.path().join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir(home.path())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let address = loop {
            let line = log.next_line().await.expect("a log").expect("it runs");
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                break address.to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let base = format!("http://{address}");
        while !curl(&base, "/-/ready", "", |_| false).await.0.starts_with("HTTP/1.1 200 ") {
            tokio::task::yield_now().await;
        }
        Self { _process: process, base, _home: home }
    }

    /// Returns the data of an answer of the API.
    async fn get(&self, path: &str) -> Value {
        let (_, body) =
            curl(&self.base, path, "", |body| serde_json::from_str::<Value>(body).is_ok()).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// Waits until a query has a result, and returns it.
    async fn query(&self, query: &str) -> Value {
        let mut path = "/api/v1/query?query=".to_owned();
        for byte in query.bytes() {
            let _ = write!(path, "%{byte:02x}");
        }
        let result = async {
            loop {
                let result = self.get(&path).await["result"].clone();
                if result.as_array().is_some_and(|series| !series.is_empty()) {
                    return result;
                }
                tokio::task::yield_now().await;
            }
        };
        let result = tokio::time::timeout(HANG, result).await;
        result.unwrap_or_else(|_| panic!("no result: {query}"))
    }
}

fn docs(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name).display().to_string()
}

/// Collects the queries of a dashboard.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "expr") {
                    Some(query) => found.push(query.to_owned()),
                    None => queries(value, found),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn promtool_accepts_the_metrics_and_the_rules() {
    if !tools::available(&["promtool"]) {
        return;
    }
    let base = emulator(emulator::Options { rate: 200.0, ..Default::default() }).await;
    let (url, _) = endpoint(|_| status(200, "")).await;
    let (mut run, metrics) =
        start(watch(&base, &format!("{LISTEN} --auto-observe 2 --forward {url} --builtin"))).await;
    for _ in 0..500 {
        run.line().await;
    }
    let (_, text) = curl(&metrics, "/metrics", "", |_| false).await;
    assert!(text.contains("evtap_tool_duration_seconds_count{tool="), "{text}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = promtool.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).await.expect("promtool reads");
    drop(stdin);
    let checked = promtool.wait_with_output().await.expect("promtool ends");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}");
    let rules = Command::new("promtool")
        .args(["check", "rules", "--lint=all", "--lint-fatal"])
        .arg(docs("prometheus-alerts.yml"))
        .output()
        .await
        .expect("promtool runs");
    assert!(rules.status.success(), "{}", String::from_utf8_lossy(&rules.stderr));
    let fired = Command::new("promtool")
        .args(["test", "rules"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/metrics/alert_rules.yml"))
        .output()
        .await
        .expect("promtool runs");
    let said = String::from_utf8_lossy(&fired.stdout) + String::from_utf8_lossy(&fired.stderr);
    assert!(fired.status.success(), "{said}");
}

/// Each alert rule is one of those whose firing promtool tests.
#[test]
fn every_alert_rule_has_a_test() {
    let read = |path: &str| std::fs::read_to_string(path).expect("a file");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/metrics/alert_rules.yml");
    let (rules, tests) = (read(&docs("prometheus-alerts.yml")), read(&tests.display().to_string()));
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for name in names {
        let count = tests.matches(&format!("alertname: {name}")).count();
        assert!(count >= 2, "{name} is tested {count} times");
    }
}

#[tokio::test]
async fn every_query_of_the_dashboard_and_the_rules_runs_on_what_prometheus_scraped() {
    if !tools::available(&["prometheus"]) {
        return;
    }
    let base = emulator(emulator::Options { rate: 200.0, ..Default::default() }).await;
    let (url, _) = endpoint(|_| status(200, "")).await;
    // A collector takes the spans at the same place, and the rules raise alerts.
    let options = format!("{LISTEN} --auto-observe 4 --forward {url} --otlp {url} --builtin");
    let (mut run, metrics) = start(watch(&base, &options)).await;
    let reading = tokio::spawn(async move {
        loop {
            run.line().await;
        }
    });
    let target = metrics.strip_prefix("http://").expect("plain HTTP");
    let prometheus = Prometheus::start(target).await;

    let dashboard = std::fs::read_to_string(docs("grafana-dashboard.json")).expect("a file");
    let mut all = Vec::new();
    queries(&serde_json::from_str(&dashboard).expect("JSON"), &mut all);
    assert!(all.len() > 20, "{all:?}");
    for query in &all {
        let query = query.replace("$__rate_interval", "1m");
        let query = query.replace("$job", "evtap").replace("$instance", ".*");
        assert!(!query.contains('$'), "{query}");
        prometheus.query(&query).await;
    }

    let rules = loop {
        let rules = prometheus.get("/api/v1/rules").await["groups"][0]["rules"].clone();
        let rules = rules.as_array().expect("rules").clone();
        if rules.iter().all(|rule| rule["health"] != "unknown") {
            break rules;
        }
    };
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        all.push(rule["query"].as_str().expect("a query").to_owned());
    }
    assert!(rules.len() > 5, "{rules:?}");
    // An alert has no result while all is well, so check that its metrics exist.
    let names = Regex::new(r"\bevtap_[a-z0-9_]+").expect("a regex");
    let names: BTreeSet<_> =
        all.iter().flat_map(|query| names.find_iter(query)).map(|name| name.as_str()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        prometheus.query(&format!("count({name})")).await;
    }
    reading.abort();
}
