//! What this tenant has: the vendor's list of fields, held against a sample of rows and against what is read.

use super::connector::ManifestConnector;
use super::path::Path;
use super::request::Values;
use crate::book::TenantField;
use crate::connect::ConnectError;
use crate::connect::describe::{propose, says_something};

/// Fields that are asked for at once, so that an address does not grow too long.
const AT_ONCE: usize = 60;

impl ManifestConnector {
    /// Every field that the vendor lists, with how many rows of a sample fill it.
    pub(super) async fn describe_tenant(&self) -> Result<Vec<TenantField>, ConnectError> {
        let mut out = Vec::new();
        for spec in &self.m.stream {
            let Some(infos) = self.described(spec).await? else {
                continue;
            };
            let plan = self.plan(spec).await?;
            let mut filled: Vec<Option<(usize, usize)>> = vec![None; infos.len()];
            for (chunk, place) in infos.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
                let names: Vec<String> = spec
                    .extra
                    .iter()
                    .cloned()
                    .chain(chunk.iter().map(|f| f.name.clone()))
                    .collect();
                let values = Values {
                    fields: &names,
                    offset: Some(0),
                    number: Some(u64::from(spec.page.first)),
                    size: spec.page.size.map(|s| s.min(200)),
                    words: Some(&spec.words),
                    ..self.values()
                };
                let (ask, answer) = self.must(&spec.read, &values, &spec.name).await?;
                let Some(answer) = answer else { continue };
                let document = self.document(&answer, &ask, &spec.name)?;
                let rows = self.rows(document, &spec.rows, &spec.name)?;
                for (i, info) in chunk.iter().enumerate() {
                    let path = if spec.select.positional {
                        Path {
                            ways: vec![vec![super::path::Step::Index(
                                spec.select.skip + spec.extra.len() + i,
                            )]],
                        }
                    } else {
                        Path::parse(&info.name).unwrap_or_default()
                    };
                    let n = rows
                        .iter()
                        .filter(|row| {
                            let base = if spec.select.at.is_root() {
                                Some(**row)
                            } else {
                                spec.select.at.first(row)
                            };
                            base.and_then(|b| path.first(b)).is_some_and(says_something)
                        })
                        .count();
                    filled[place + i] = Some((n, rows.len()));
                }
            }
            let theirs = |canonical: &str| {
                plan.fields
                    .iter()
                    .find(|(c, _)| c == canonical)
                    .map(|(_, path)| path.clone())
            };
            let taken =
                |canonical: &str| theirs(canonical).is_some() || spec.map.contains_key(canonical);
            for (info, filled) in infos.iter().zip(filled) {
                let own = Path::parse(&info.name).unwrap_or_default();
                let mapped = plan
                    .fields
                    .iter()
                    .find(|(_, p)| *p == own)
                    .map(|(c, _)| c.clone());
                let proposed = match mapped {
                    Some(_) => None,
                    None => Some(propose(spec.entity, &info.name, &info.label, taken)),
                };
                out.push(TenantField {
                    entity: spec.entity,
                    name: info.name.clone(),
                    label: info.label.clone(),
                    kind: info.kind.clone(),
                    filled,
                    mapped,
                    proposed,
                });
            }
        }
        Ok(out)
    }
}
