//! People: the customers' and our own.

use super::{Object, ObjectId, company, field, fixed, gsid, nothing, of, seen, user};
use crate::simulate::gainsight::picklists::Category;
use crate::simulate::gainsight::value::{Kind, Val, owned, second, text};
use crate::simulate::world::ids;

/// The customers' people.
pub(super) fn person() -> Object {
    Object {
        id: ObjectId::Person,
        name: "Person",
        label: "Person",
        rows: |w| w.contacts.len() as u32,
        visible: |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::Person),
            field("Name", "Name", Kind::Text, |w, r| {
                of(&w.contacts, r, |c| owned(format!("{} {}", c.first, c.last)))
            }),
            field("FirstName", "First Name", Kind::Text, |w, r| {
                of(&w.contacts, r, |c| text(&c.first))
            }),
            field("LastName", "Last Name", Kind::Text, |w, r| {
                of(&w.contacts, r, |c| text(&c.last))
            }),
            field("Email", "Email", Kind::Email, |w, r| {
                of(&w.contacts, r, |c| text(&c.email))
            }),
            field("ExternalId", "External ID", Kind::Text, nothing),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.contacts, r, |c| second(c.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.contacts, r, |c| second(c.modified))
            }),
        ],
    }
}

/// Where these people work, and as what.
pub(super) fn company_person() -> Object {
    Object {
        id: ObjectId::CompanyPerson,
        name: "Company_Person",
        label: "Company Person",
        rows: |w| w.contacts.len() as u32,
        visible: |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::CompanyPerson),
            field(
                "Company_ID",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.contacts, r, |c| company(c.account)),
            ),
            field(
                "Person_ID",
                "Person",
                Kind::Lookup(ObjectId::Person),
                |_, r| Val::Row(ObjectId::Person, r),
            ),
            field("Title", "Title", Kind::Text, |w, r| {
                of(&w.contacts, r, |c| text(c.title))
            }),
            field("Role", "Role", Kind::Pick(Category::Role), |w, r| {
                of(&w.contacts, r, |c| Val::Pick(Category::Role, c.role as u16))
            }),
            field(
                "IsPrimaryCompany",
                "Is Primary Company",
                Kind::Boolean,
                |_, _| Val::Bool(true),
            ),
            field(
                "Is_Primary_Contact__gc",
                "Primary Contact",
                Kind::Boolean,
                |w, r| of(&w.contacts, r, |c| Val::Bool(c.primary)),
            ),
            field("Active", "Active", Kind::Boolean, |w, r| {
                of(&w.contacts, r, |c| Val::Bool(c.left.is_none()))
            }),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.contacts, r, |c| second(c.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.contacts, r, |c| second(c.modified))
            }),
        ],
    }
}

/// Our own people.
pub(super) fn user_object() -> Object {
    Object {
        id: ObjectId::User,
        name: "GsUser",
        label: "User",
        rows: |w| w.users.len() as u32,
        visible: |_, _| true,
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::User),
            field("Name", "Name", Kind::Text, |w, r| {
                of(&w.users, r, |u| owned(u.name()))
            }),
            field("FirstName", "First Name", Kind::Text, |w, r| {
                of(&w.users, r, |u| text(&u.first))
            }),
            field("LastName", "Last Name", Kind::Text, |w, r| {
                of(&w.users, r, |u| text(&u.last))
            }),
            field("Email", "Email", Kind::Email, |w, r| {
                of(&w.users, r, |u| text(&u.email))
            }),
            field("Title", "Title", Kind::Text, |w, r| {
                of(&w.users, r, |u| text(u.title))
            }),
            field("IsActiveUser", "Is Active User", Kind::Boolean, |w, r| {
                of(&w.users, r, |u| Val::Bool(u.active))
            }),
            field(
                "Manager",
                "Manager",
                Kind::Lookup(ObjectId::User),
                |w, r| {
                    w.users
                        .get(r as usize)
                        .and_then(|u| u.manager)
                        .map_or(Val::Null, user)
                },
            ),
            field("SfdcUserId", "SFDC User ID", Kind::Text, |_, r| {
                owned(ids::salesforce_id("005", u64::from(r)))
            }),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.users, r, |u| second(u.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.users, r, |u| second(u.modified))
            }),
        ],
    }
}
