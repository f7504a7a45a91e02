//! Gainsight's envelope: `{"result","errorCode","errorDesc","data"}` around every answer, and its ways of saying "nothing".

use super::Gainsight;
use crate::connect::http::Ask;
use crate::connect::json::{Row, is_array, rows_of};
use crate::connect::{ConnectError, ErrorKind};
use bytes::Bytes;

/// An answer that the envelope calls good, or "no rows".
pub(super) struct Reply {
    /// `data` as it stands in the answer; empty when there is none.
    data: Bytes,
}

impl Reply {
    /// The rows: `data` itself, or the list inside it under whatever name.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        let Ok(data) = std::str::from_utf8(&self.data) else {
            return Vec::new();
        };
        if is_array(data) {
            return rows_of(data);
        }
        let Ok(inner) = serde_json::from_str::<Row<'_>>(data) else {
            return Vec::new();
        };
        let list = ["records", "data", "results", "list"]
            .iter()
            .find_map(|k| inner.raw(k).filter(|r| is_array(r)))
            .or_else(|| inner.iter().map(|(_, v)| v).find(|v| is_array(v)));
        list.map_or_else(Vec::new, rows_of)
    }

    /// `data` as a tree; for descriptions and write replies, not for rows.
    pub(super) fn data(&self) -> serde_json::Value {
        serde_json::from_slice(&self.data).unwrap_or_default()
    }
}

/// What the vendor says went wrong.
pub(super) struct Fault {
    /// Its code, `GSOBJ_1023`.
    pub(super) code: String,
    /// Its words; they may echo data and go to no log.
    pub(super) words: String,
    /// What it means.
    pub(super) error: ConnectError,
}

impl Gainsight {
    /// Sends and opens the envelope. "No rows" is a good answer without rows.
    pub(super) async fn call(
        &self,
        ask: &Ask,
        what: &str,
    ) -> Result<Result<Reply, Fault>, ConnectError> {
        let answer = self.http.send(ask).await?;
        if let Some(max) = answer
            .header("x-ratelimit-limit")
            .and_then(|h| h.split([',', ';']).next()?.trim().parse().ok())
            && max >= 1000
        {
            self.http.vendor_counts(self.http.budget().ours, max);
        }
        if answer.status == 401 || answer.status == 403 {
            return Err(self.http.error(
                ErrorKind::Auth,
                format!(
                    "Gainsight refuses the access key (HTTP {}); a reset makes the old key invalid: {}",
                    answer.status,
                    self.http.remedy()
                ),
            ));
        }
        let status = answer.status;
        let envelope: Row<'_> = self.http.json(&answer, ask, what)?;
        let good = envelope.bool("result").unwrap_or(status < 300);
        if good && status < 300 {
            let data = envelope.raw("data").unwrap_or_default();
            return Ok(Ok(Reply {
                data: answer.body.slice_ref(data.as_bytes()),
            }));
        }
        let code = envelope
            .filled("errorCode")
            .or_else(|| envelope.filled("title"))
            .unwrap_or_default();
        let words = ["errorDesc", "detail", "localizedErrorDesc", "message"]
            .iter()
            .find_map(|k| envelope.filled(k))
            .unwrap_or_default();
        let low = words.to_ascii_lowercase();
        if ask.read
            && (low.contains("no data found")
                || low.contains("no records")
                || matches!(code.as_str(), "GSOBJ_1XXX" | "GSOBJ_1011"))
        {
            return Ok(Ok(Reply { data: Bytes::new() }));
        }
        Ok(Err(self.fault(code, words, status, !ask.read, what)))
    }

    /// Like [`call`](Gainsight::call), for those who have no use for the vendor's reasons.
    pub(super) async fn must(&self, ask: &Ask, what: &str) -> Result<Reply, ConnectError> {
        self.call(ask, what).await?.map_err(|f| f.error)
    }

    fn fault(&self, code: String, words: String, status: u16, write: bool, what: &str) -> Fault {
        let shown: String = crate::book::text::visible(&words)
            .chars()
            .take(240)
            .collect();
        let (kind, message) = match code.as_str() {
            "GS_APIG_2401" | "GSOBJ_1024" => (
                ErrorKind::Auth,
                format!(
                    "Gainsight refuses the access key; a reset makes the old key invalid: {}",
                    self.http.remedy()
                ),
            ),
            "GU_2400" => (
                ErrorKind::Retry {
                    after: None,
                    maybe_done: false,
                },
                "Gainsight says that we ask too often; csops waits and goes on by itself"
                    .to_owned(),
            ),
            _ if write => (
                ErrorKind::Refused { field: None },
                format!("Gainsight refuses {what}: {shown} ({code})"),
            ),
            // The words may repeat rows; the code is enough to look it up.
            _ if status == 404 || code == "OBJECT_NOT_FOUND" => (
                ErrorKind::Setup,
                format!(
                    "Gainsight has no {what} ({code}, HTTP {status}); check the object's name and `base_url`"
                ),
            ),
            _ => (
                ErrorKind::Protocol,
                format!(
                    "Gainsight did not understand the question about {what} ({code}, HTTP {status})"
                ),
            ),
        };
        Fault {
            error: self.http.error(kind, message),
            code,
            words,
        }
    }
}

/// The field of a select list that the vendor's words complain about.
pub(super) fn named_in<'s>(
    select: &'s [String],
    words: &str,
    fixed: &[&str],
) -> Option<&'s String> {
    let tokens: Vec<&str> = words
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .map(|t| t.trim_matches('.'))
        .collect();
    let can_go = |s: &&String| !fixed.contains(&s.as_str());
    let hit = |s: &&String| tokens.iter().any(|t| t.eq_ignore_ascii_case(s));
    // The last name is the culprit where a sentence also names the object.
    select.iter().filter(can_go).rev().find(hit)
}
