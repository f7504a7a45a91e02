//! What a tenant has: each object's metadata, held against a sample of rows.

use super::{Gainsight, is_query};
use crate::book::TenantField;
use crate::connect::ConnectError;
use crate::connect::describe::{propose, says_something};
use crate::connect::http::Ask;
use serde_json::json;

/// Fields that are asked for at once.
const AT_ONCE: usize = 60;

impl Gainsight {
    /// Every field of the objects that are read, with how many rows of a sample fill it.
    pub(super) async fn describe_tenant(&self) -> Result<Vec<TenantField>, ConnectError> {
        let mut out = Vec::new();
        for spec in self
            .m
            .object
            .iter()
            .filter(|o| is_query(o) && !o.is_found())
        {
            let Some(info) = self.describe(&spec.name).await? else {
                continue;
            };
            let plan = self.plan(spec).await?;
            for chunk in info.fields.chunks(AT_ONCE) {
                let names: Vec<&str> = chunk.iter().map(|f| f.name.as_str()).collect();
                let body = json!({"select": names, "limit": 200, "offset": 0});
                let ask = Ask::query(format!("/v1/data/objects/query/{}", spec.name), &body);
                let reply = self.call(&ask, &spec.name).await?.ok();
                let rows = reply
                    .as_ref()
                    .map(super::api::Reply::rows)
                    .unwrap_or_default();
                for field in chunk {
                    let n = rows
                        .iter()
                        .filter(|r| r.raw(&field.name).is_some_and(says_something))
                        .count();
                    let mapped = plan
                        .map
                        .iter()
                        .find(|(_, t)| *t == field.name)
                        .map(|(c, _)| c.clone());
                    let own = field.name.ends_with("__gc");
                    out.push(TenantField {
                        entity: spec.entity,
                        name: field.name.clone(),
                        label: String::new(),
                        kind: field.kind.clone(),
                        filled: reply.as_ref().map(|_| (n, rows.len())),
                        proposed: match mapped {
                            Some(_) => None,
                            None => own.then(|| {
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
