//! The simulated vendors, served by the program itself in a process of its own, and plain HTTP to ask them what arrived.

use super::csops;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

/// The vendors' process.
pub struct Vendors {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    /// One line per vendor, as printed.
    pub lines: Vec<Value>,
    /// The configuration that they wrote.
    pub config: PathBuf,
}

impl Vendors {
    /// Starts `csops demo --serve` and reads what it prints.
    pub fn start(home: &Path, args: &[&str]) -> Vendors {
        let dir = home.join("demo");
        let mut child = csops(home)
            .args(["demo", "--serve", "--dir"])
            .arg(&dir)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let mut lines = Vec::new();
        let config = loop {
            let mut line = String::new();
            assert!(
                stdout.read_line(&mut line).expect("a line") > 0,
                "the vendors ended early"
            );
            let value: Value = serde_json::from_str(&line).expect("a JSON line");
            if let Some(path) = value.get("config").and_then(Value::as_str) {
                break PathBuf::from(path);
            }
            lines.push(value);
        };
        Vendors {
            child,
            _stdout: stdout,
            lines,
            config,
        }
    }

    /// What one vendor's line says.
    pub fn line(&self, connector: &str) -> &Value {
        self.lines
            .iter()
            .find(|l| l["connector"] == connector)
            .unwrap_or_else(|| panic!("no vendor {connector} in {:?}", self.lines))
    }

    /// Where a vendor listens.
    pub fn base(&self, connector: &str) -> String {
        self.line(connector)["base_url"]
            .as_str()
            .expect("a base_url")
            .to_owned()
    }

    /// What the vendors do wrong from now on, `error=20%,latency=50ms`, or nothing.
    pub fn faults(&self, spec: &str) {
        for line in &self.lines {
            let base = line["base_url"].as_str().expect("a base_url");
            let answer = block(
                client()
                    .put(format!("{base}/__sim/faults"))
                    .body(spec.to_owned())
                    .send(),
            );
            assert!(
                answer.status().is_success(),
                "the faults were not taken: {}",
                answer.status()
            );
        }
    }

    /// The writes that a vendor accepted so far.
    pub fn journal(&self, connector: &str) -> Vec<Value> {
        let journal: Value = body(client().get(format!("{}/__sim/journal", self.base(connector))));
        journal
            .as_array()
            .or(journal["writes"].as_array())
            .unwrap_or_else(|| panic!("no journal: {journal}"))
            .clone()
    }

    /// Asks Salesforce with its own query language, as any other client would.
    pub fn soql(&self, query: &str) -> Vec<Value> {
        let base = self.base("salesforce");
        let auth = &self.line("salesforce")["auth"];
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", auth["client_id"].as_str().expect("client_id")),
            (
                "client_secret",
                auth["client_secret"].as_str().expect("client_secret"),
            ),
        ];
        let token_url = auth["token_url"].as_str().expect("token_url");
        let token: Value = body(client().post(token_url).form(&form));
        let bearer = token["access_token"].as_str().expect("a token");
        let answer: Value = body(
            client()
                .get(format!("{base}/services/data/v60.0/queryAll"))
                .query(&[("q", query)])
                .bearer_auth(bearer),
        );
        answer["records"]
            .as_array()
            .unwrap_or_else(|| panic!("no records: {answer}"))
            .clone()
    }

    /// Asks Gainsight, as any other client would.
    pub fn gainsight(&self, path: &str, request: &Value) -> Value {
        let base = self.base("gainsight");
        let auth = &self.line("gainsight")["auth"];
        body(
            client()
                .post(format!("{base}{path}"))
                .header(
                    auth["name"].as_str().expect("name"),
                    auth["value"].as_str().expect("value"),
                )
                .json(request),
        )
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only(Vec::<reqwest::Certificate>::new())
        .build()
        .expect("a client")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn block(answer: impl Future<Output = reqwest::Result<reqwest::Response>>) -> reqwest::Response {
    runtime().block_on(answer).expect("an answer")
}

/// The JSON body of an answer. The vendors may be told to fail, so a probe asks again until one good answer has come.
fn body(request: reqwest::RequestBuilder) -> Value {
    runtime().block_on(async {
        let mut last = String::new();
        for _ in 0..50 {
            let attempt = request
                .try_clone()
                .expect("a request that can be repeated")
                .send()
                .await;
            match attempt {
                Ok(answer) => match answer.text().await.map(|t| (serde_json::from_str(&t), t)) {
                    Ok((Ok(value), _)) => return value,
                    Ok((Err(_), text)) => last = text,
                    Err(e) => last = e.to_string(),
                },
                Err(e) => last = e.to_string(),
            }
        }
        panic!("the vendor never answered well: {last}")
    })
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
