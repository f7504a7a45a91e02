//! The objects of the tenant: fields, and how each is read from a row of the world. Standard objects carry the documented
//! names; the ones that end in `__gc` are what an administrator of such a tenant would have built.

mod customers;
mod history;
mod people;
mod work;

use super::value::{Kind, Val};
use crate::simulate::world::World;

/// An object of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum ObjectId {
    Company,
    Person,
    CompanyPerson,
    User,
    Timeline,
    Cta,
    Task,
    Usage,
    HealthHistory,
    Nps,
    Renewal,
    DeleteLog,
}

pub(super) const OBJECTS: usize = 12;

impl ObjectId {
    /// The first characters of its GSIDs.
    pub fn prefix(self) -> &'static str {
        [
            "1P02", "1P03", "1P04", "1P01", "1P05", "1S01", "1S02", "1C01", "1C02", "1C03", "1C04",
            "1P09",
        ][self as usize]
    }
}

type Read = for<'a> fn(&'a World, u32) -> Val<'a>;

/// A field.
pub(super) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub read: Read,
    pub required: bool,
    pub writable: bool,
}

/// An object: what it is called and how it is read.
pub(super) struct Object {
    pub id: ObjectId,
    pub name: &'static str,
    pub label: &'static str,
    pub fields: Vec<Field>,
    /// How many rows the world has for it, those included that Gainsight does not see.
    pub rows: fn(&World) -> u32,
    pub visible: fn(&World, u32) -> bool,
    /// Answers `data.records` instead of a list in `data`, as the documents show for the timeline and the delete logs.
    pub nested: bool,
    /// Rows can be written through `/v1/data/objects`.
    pub writable: bool,
}

impl Object {
    /// The place of a field. Names are compared without regard to case and to single underscores: documents and tenants
    /// write `RenewalDate`, `Renewal_Date` and `renewal_date`.
    pub fn field(&self, name: &str) -> Option<u16> {
        self.fields
            .iter()
            .position(|field| same(field.name, name))
            .map(|place| place as u16)
    }
}

fn same(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        name.bytes()
            .filter(|byte| *byte != b'_')
            .map(|byte| byte.to_ascii_lowercase())
            .collect::<Vec<u8>>()
    };
    a.eq_ignore_ascii_case(b) || plain(a) == plain(b)
}

fn field(name: &'static str, label: &'static str, kind: Kind, read: Read) -> Field {
    Field {
        name,
        label,
        kind,
        read,
        required: false,
        writable: true,
    }
}

fn fixed(name: &'static str, label: &'static str, kind: Kind, read: Read) -> Field {
    Field {
        name,
        label,
        kind,
        read,
        required: false,
        writable: false,
    }
}

fn required(name: &'static str, label: &'static str, kind: Kind, read: Read) -> Field {
    Field {
        name,
        label,
        kind,
        read,
        required: true,
        writable: true,
    }
}

fn nothing(_: &World, _: u32) -> Val<'_> {
    Val::Null
}

fn gsid(id: ObjectId) -> Field {
    // The value is the row itself; the store fills it in.
    fixed("Gsid", "GSID", Kind::Lookup(id), nothing)
}

fn user(row: u32) -> Val<'static> {
    Val::Row(ObjectId::User, row)
}

fn company(row: u32) -> Val<'static> {
    Val::Row(ObjectId::Company, row)
}

fn seen(world: &World, account: u32) -> bool {
    world
        .accounts
        .get(account as usize)
        .is_some_and(|account| account.in_gainsight)
}

/// What a row of the world says; nothing for a row that is not one of the world's.
fn of<'a, T>(rows: &'a [T], row: u32, read: impl FnOnce(&'a T) -> Val<'a>) -> Val<'a> {
    rows.get(row as usize).map_or(Val::Null, read)
}

/// All objects, in the order of [`ObjectId`].
pub(super) fn objects() -> Vec<Object> {
    vec![
        customers::company_object(),
        people::person(),
        people::company_person(),
        people::user_object(),
        work::timeline(),
        work::call_to_action(),
        work::task(),
        history::usage(),
        history::health_history(),
        history::nps(),
        customers::renewal(),
        history::delete_log(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stand_where_their_ids_say() {
        for (place, object) in objects().iter().enumerate() {
            assert_eq!(object.id as usize, place);
            assert_eq!(object.field("Gsid"), Some(0));
            assert!(object.field("ModifiedDate").is_some(), "{}", object.name);
        }
        assert_eq!(objects().len(), OBJECTS);
    }
}
