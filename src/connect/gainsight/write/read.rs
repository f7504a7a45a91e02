//! Reading one thing back: before it is changed, and to find out whether a create whose answer was lost arrived.

use super::super::Gainsight;
use super::super::api::Reply;
use super::super::cockpit::{CTA, any, empty_page, gsid};
use super::create::parent;
use crate::book::{Entity, Record};
use crate::connect::http::Ask;
use crate::connect::manifest::object::ObjectSpec;
use crate::connect::{ConnectError, Page, Write, canon};
use serde_json::json;

impl Gainsight {
    /// One row as it is now. A task below a call to action is found among those of its account.
    pub(in crate::connect::gainsight) async fn read_row(
        &self,
        entity: Entity,
        id: &str,
        account: Option<&str>,
    ) -> Result<Option<Record>, ConnectError> {
        match entity {
            Entity::Escalation => self.read_cta(id, entity).await,
            Entity::Task => match id.strip_prefix(CTA) {
                Some(cta) => self.read_cta(cta, entity).await,
                None => match account {
                    Some(account) => self.read_task(id, account).await,
                    None => Ok(None),
                },
            },
            _ => match self.m.object_of(entity) {
                Some(spec) => self.read_object(spec, "Gsid", id).await,
                None => Ok(None),
            },
        }
    }

    pub(super) async fn read_object(
        &self,
        spec: &ObjectSpec,
        field: &str,
        value: &str,
    ) -> Result<Option<Record>, ConnectError> {
        let plan = self.plan(spec).await?;
        let body = json!({
            "select": plan.select,
            "where": {"conditions": [{"name": field, "alias": "A", "operator": "EQ", "value": [value]}], "expression": "A"},
            "limit": 1, "offset": 0,
        });
        let ask = Ask::query(format!("/v1/data/objects/query/{}", spec.name), &body);
        let reply = self.must(&ask, &spec.name).await?;
        let mut page = empty_page();
        if let Some(row) = reply.rows().first() {
            self.map_row(spec, &plan, row, &mut page);
        }
        Ok(page.records.pop())
    }

    pub(super) async fn read_cta(
        &self,
        id: &str,
        entity: Entity,
    ) -> Result<Option<Record>, ConnectError> {
        let mut page = empty_page();
        let reply = self.ctas_where("Gsid", id, 10, &mut page).await?;
        for row in reply
            .rows()
            .iter()
            .filter(|r| gsid(r).as_deref() == Some(id))
        {
            self.map_cta(row, &mut page);
        }
        Ok(page.records.into_iter().find(|r| r.entity == entity))
    }

    /// The first page of calls to action of which a field is a value.
    async fn ctas_where(
        &self,
        field: &str,
        value: &str,
        size: usize,
        page: &mut Page,
    ) -> Result<Reply, ConnectError> {
        let is = json!({"fieldName": field, "value": [value], "alias": "A", "operator": "EQ"});
        let filter = Some((vec![is], "A"));
        let select = &mut self.cta.likeliest();
        self.cta_list(select, filter, size, 1, &mut page.problems)
            .await
    }

    pub(super) async fn read_task(
        &self,
        id: &str,
        account: &str,
    ) -> Result<Option<Record>, ConnectError> {
        for (cta, risk) in self.ctas_of(account).await? {
            for record in self.tasks_of(&cta, account, risk).await? {
                if record.external_id == id {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    pub(super) async fn ctas_of(&self, account: &str) -> Result<Vec<(String, bool)>, ConnectError> {
        let mut page = empty_page();
        let reply = self
            .ctas_where("CompanyId", account, 1000, &mut page)
            .await?;
        for row in &reply.rows() {
            self.map_cta(row, &mut page);
        }
        Ok(page
            .records
            .into_iter()
            .map(|r| {
                let risk = r.entity == Entity::Escalation;
                (r.external_id.trim_start_matches(CTA).to_owned(), risk)
            })
            .collect())
    }

    /// Whether a create arrived.
    pub(in crate::connect::gainsight) async fn find_created(
        &self,
        write: &Write,
    ) -> Result<Option<Record>, ConnectError> {
        let mark = canon::marker(&write.marker);
        match write.entity {
            Entity::Touchpoint => match self.m.object_of(Entity::Touchpoint) {
                Some(spec) => self.read_object(spec, "ExternalId", &write.marker).await,
                None => Ok(None),
            },
            Entity::Task if parent(write).is_some() => {
                let (Some(cta), Some(account)) = (parent(write), write.account.as_deref()) else {
                    return Ok(None);
                };
                let rows = self.marked_tasks(cta, &mark).await?;
                let Some(id) = rows.first() else {
                    return Ok(None);
                };
                let all = self.tasks_of(cta, account, true).await?;
                Ok(all.into_iter().find(|r| r.external_id == *id))
            }
            Entity::Escalation | Entity::Task => {
                let comments = self.key(Entity::Escalation, "comments");
                let mut conditions = vec![
                    json!({"fieldName": comments, "value": [mark], "alias": "A", "operator": "CONTAINS"}),
                ];
                let mut expression = "A";
                if let Some(account) = &write.account {
                    conditions.push(json!({"fieldName": "CompanyId", "value": [account], "alias": "B", "operator": "EQ"}));
                    expression = "A AND B";
                }
                let mut page = empty_page();
                let reply = self
                    .cta_list(
                        &mut self.cta.likeliest(),
                        Some((conditions, expression)),
                        10,
                        1,
                        &mut page.problems,
                    )
                    .await?;
                for row in &reply.rows() {
                    // A tenant that ignores the condition must not make us take somebody else's for ours.
                    if any(row, self.cta.names("comments")).is_some_and(|c| c.contains(&mark)) {
                        self.map_cta(row, &mut page);
                    }
                }
                Ok(page.records.into_iter().find(|r| r.entity == write.entity))
            }
            _ => Ok(None),
        }
    }
}
