//! What an organisation has: each object's own description, held against a sample of rows.

use super::Salesforce;
use crate::book::TenantField;
use crate::connect::ConnectError;
use crate::connect::describe::{propose, says_something};
use crate::connect::http::{Ask, encode};
use crate::connect::json::Row;

/// Fields that are asked for at once.
const AT_ONCE: usize = 60;

impl Salesforce {
    /// Every field of the objects that are read, with how many rows of a sample fill it.
    pub(super) async fn describe_tenant(&self) -> Result<Vec<TenantField>, ConnectError> {
        let mut out = Vec::new();
        for spec in self.m.object.iter().filter(|o| !o.is_found()) {
            let Some(info) = self.describe(&spec.name).await? else {
                continue;
            };
            let plan = self.plan(spec).await?;
            let simple: Vec<_> = info
                .fields
                .iter()
                .filter(|f| !matches!(f.kind.as_str(), "address" | "location" | "complexvalue"))
                .collect();
            for chunk in simple.chunks(AT_ONCE) {
                let names: Vec<&str> = chunk.iter().map(|f| f.name.as_str()).collect();
                let soql = format!("SELECT {} FROM {} LIMIT 200", names.join(", "), spec.name);
                let ask = Ask::get(format!("{}/query?q={}", self.data(), encode(&soql)));
                let answer = self.http.send(&ask).await?;
                self.limits(&answer);
                let page: Row<'_> = if answer.ok() {
                    self.http.json(&answer, &ask, &spec.name)?
                } else {
                    Row::default()
                };
                let rows = page.rows("records");
                for field in chunk {
                    let n = rows
                        .iter()
                        .filter(|r| r.raw(&field.name).is_some_and(says_something))
                        .count();
                    let mapped = plan
                        .map
                        .iter()
                        .find(|(_, t)| t.eq_ignore_ascii_case(&field.name))
                        .map(|(c, _)| c.clone());
                    out.push(TenantField {
                        entity: spec.entity,
                        name: field.name.clone(),
                        label: String::new(),
                        kind: field.kind.clone(),
                        filled: answer.ok().then_some((n, rows.len())),
                        proposed: match mapped {
                            Some(_) => None,
                            None => field.custom.then(|| {
                                propose(spec.entity, &field.name, "", |c| plan.theirs(c).is_some())
                            }),
                        },
                        mapped,
                    });
                }
            }
        }
        Ok(out)
    }
}
