//! `/crm/v3/owners`: our own people. An owner's id is not the id of the user behind it; who has left is archived.

use axum::Json;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::catalog::{owner_id, owner_row};
use super::error::Refusal;
use super::objects::paged;
use super::value::iso;
use super::{Answer, Ask, Portal};
use crate::simulate::world::{Region, User, World};

/// Owners per page, and at most.
const PAGE: usize = 100;
const MOST: usize = 500;

fn user_id(row: u32) -> u64 {
    9_401_877 + 31 * u64::from(row)
}

fn owner(row: u32, user: &User) -> Value {
    let (team, name) = match user.region {
        Region::Amer => ("41870001", "Americas"),
        Region::Emea => ("41870002", "EMEA"),
        Region::Apac => ("41870003", "Asia Pacific"),
        Region::Latam => ("41870004", "Latin America"),
    };
    let mut owner = json!({
        "id": owner_id(row).to_string(), "email": user.email, "type": "PERSON", "firstName": user.first,
        "lastName": user.last, "userId": user_id(row), "userIdIncludingInactive": user_id(row),
        "createdAt": iso(user.created * 1000), "updatedAt": iso(user.modified * 1000), "archived": !user.active,
        "teams": [{ "id": team, "name": name, "primary": true }]
    });
    if !user.active
        && let Some(map) = owner.as_object_mut()
    {
        map.insert("userId".into(), Value::Null);
        map.remove("teams");
    }
    owner
}

impl Portal {
    /// `GET /crm/v3/owners`.
    pub(super) fn owners(&self, ask: &Ask) -> Answer {
        let store = self.read();
        let world: &World = &store.world;
        let limit = ask.number("limit", PAGE)?;
        if limit == 0 || limit > MOST {
            return Err(Refusal::invalid(format!(
                "limit must be between 1 and {MOST}, it was {limit}"
            )));
        }
        let after = match ask.first("after") {
            None => 0,
            Some(after) => owner_row(world, after)
                .ok_or_else(|| Refusal::invalid("The paging cursor is not valid"))?,
        };
        let (archived, email) = (ask.flag("archived")?, ask.first("email"));
        let mut found = (0u32..).zip(&world.users).filter(|(row, user)| {
            *row >= after
                && user.active != archived
                && email.is_none_or(|email| user.email.eq_ignore_ascii_case(email))
        });
        let results = found
            .by_ref()
            .take(limit)
            .map(|(row, user)| owner(row, user))
            .collect();
        let next = found.next().map(|(row, _)| owner_id(row).to_string());
        Ok(Json(paged(results, next, self, ask)).into_response())
    }

    /// `GET /crm/v3/owners/{id}`, with `idProperty=userId` by the user's id.
    pub(super) fn owner(&self, id: &str, ask: &Ask) -> Answer {
        let store = self.read();
        let archived = ask.flag("archived")?;
        let row = match ask.first("idProperty") {
            None | Some("id") => owner_row(&store.world, id),
            Some("userId") => {
                (0..store.world.users.len() as u32).find(|row| user_id(*row).to_string() == id)
            }
            Some(other) => {
                return Err(Refusal::invalid(format!("{other} is no id of an owner")));
            }
        };
        let found = row
            .and_then(|row| Some((row, store.world.users.get(row as usize)?)))
            .filter(|(_, user)| user.active != archived)
            .ok_or_else(|| Refusal::missing(format!("Owner {id} does not exist")))?;
        Ok(Json(owner(found.0, found.1)).into_response())
    }
}
