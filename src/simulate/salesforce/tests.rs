//! The org under its tests, by requests without a network.

mod bulk;
mod login;
mod queries;
mod writes;

use std::sync::Arc;

use jiff::{Timestamp, civil::date};
use serde_json::{Value as Json, json};

use super::http::{Reply, Request};
use super::{CLIENT_ID, CLIENT_SECRET, Org};
use crate::simulate::clock::SimClock;
use crate::simulate::journal::{Entry, Journal};
use crate::simulate::world::{Change, World, WorldEvent};
use crate::simulate::{Limits, Vendor, VendorContext};

const DATA: &str = "/services/data/v62.0";

struct Client {
    org: Org,
    token: String,
}

fn org(journal: Journal, replay: Vec<Entry>) -> Org {
    let anchor = date(2026, 3, 2);
    let world = Arc::new(World::generate(7, anchor, 120));
    let start: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap_or_default();
    let context = VendorContext {
        world,
        clock: SimClock::new(Arc::new(move || start)),
        journal,
        replay,
        base_url: "http://127.0.0.1:1".into(),
        limits: Limits::default(),
    };
    Org::new(context).unwrap_or_else(|error| panic!("{error}"))
}

impl Client {
    fn new() -> Client {
        Client::on(org(Journal::in_memory(), Vec::new()))
    }

    fn on(org: Org) -> Client {
        let mut client = Client {
            org,
            token: String::new(),
        };
        let reply = client.form(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ]);
        client.token = body(&reply)["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        client
    }

    fn form(&self, fields: &[(&str, &str)]) -> Reply {
        let mut request = Request::new("POST", "/services/oauth2/token");
        request.body = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect::<Vec<_>>()
            .join("&")
            .into();
        self.org.answer(&request)
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], payload: &Json) -> Reply {
        let mut request = Request::new(method, target);
        request
            .headers
            .insert("authorization".into(), format!("Bearer {}", self.token));
        for (name, value) in headers {
            request.headers.insert((*name).into(), (*value).into());
        }
        if !payload.is_null() {
            request.body = payload.to_string().into();
        }
        self.org.answer(&request)
    }

    fn get(&self, target: &str) -> Reply {
        self.send("GET", &format!("{DATA}{target}"), &[], &Json::Null)
    }

    fn post(&self, target: &str, payload: Json) -> Reply {
        self.send("POST", &format!("{DATA}{target}"), &[], &payload)
    }

    fn patch(&self, target: &str, payload: Json) -> Reply {
        self.send("PATCH", &format!("{DATA}{target}"), &[], &payload)
    }

    /// The answer of a query that must be accepted.
    fn query(&self, soql: &str) -> Json {
        let reply = self.get(&format!("/query?q={}", escape(soql)));
        assert_eq!(reply.status, 200, "{soql}: {}", reply.body);
        body(&reply)
    }

    fn records(&self, soql: &str) -> Vec<Json> {
        self.query(soql)["records"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    fn count(&self, soql: &str) -> u64 {
        self.query(soql)["totalSize"].as_u64().unwrap_or(u64::MAX)
    }

    /// The code and message of a query that must be refused.
    fn refused(&self, soql: &str) -> (String, String) {
        let reply = self.get(&format!("/query?q={}", escape(soql)));
        assert_eq!(reply.status, 400, "{soql}: {}", reply.body);
        let error = body(&reply)[0].clone();
        (
            error["errorCode"].as_str().unwrap_or_default().to_string(),
            error["message"].as_str().unwrap_or_default().to_string(),
        )
    }

    fn first_id(&self, object: &str) -> String {
        self.records(&format!("SELECT Id FROM {object} ORDER BY Id LIMIT 1"))[0]["Id"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    }
}

fn body(reply: &Reply) -> Json {
    serde_json::from_str(&reply.body).unwrap_or(Json::Null)
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn code(reply: &Reply) -> String {
    body(reply)[0]["errorCode"]
        .as_str()
        .unwrap_or_default()
        .to_string()
}
