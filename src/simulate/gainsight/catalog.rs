//! The objects of the tenant: fields, and how each is read from a row of the world. Standard objects carry the documented
//! names; the ones that end in `__gc` are what an administrator of such a tenant would have built.

use super::picklists::Category;
use super::value::{Kind, Val, day, owned, second, text};
use crate::simulate::world::{
    Lifecycle, Priority, RiskKind, RiskStatus, TaskStatus, TouchKind, WEEKS, World, ids,
};

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

/// Week and account of a row of the weekly objects: all accounts of the first week, then of the next.
fn weekly(world: &World, row: u32) -> (u32, usize) {
    let accounts = world.accounts.len().max(1) as u32;
    (row % accounts, (row / accounts) as usize)
}

/// All objects, in the order of [`ObjectId`].
pub(super) fn objects() -> Vec<Object> {
    vec![
        Object {
            id: ObjectId::Company,
            name: "Company",
            label: "Company",
            rows: |w| w.accounts.len() as u32,
            visible: seen,
            nested: false,
            writable: true,
            fields: vec![
                gsid(ObjectId::Company),
                required("Name", "Name", Kind::Text, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| text(a.name_in_gainsight()))
                }),
                field(
                    "SfdcAccountId",
                    "SFDC Account ID",
                    Kind::Text,
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) if a.in_salesforce && a.linked => {
                            owned(ids::salesforce_id("001", u64::from(r)))
                        }
                        _ => Val::Null,
                    },
                ),
                field("Website", "Website", Kind::Url, |w, r| {
                    match w.accounts.get(r as usize) {
                        Some(a) if a.gainsight_domain => text(&a.domain),
                        _ => Val::Null,
                    }
                }),
                field(
                    "Status",
                    "Status",
                    Kind::Pick(Category::CompanyStatus),
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) => Val::Pick(
                            Category::CompanyStatus,
                            if a.lifecycle == Lifecycle::Churned {
                                2
                            } else {
                                0
                            },
                        ),
                        None => Val::Null,
                    },
                ),
                field(
                    "Stage",
                    "Stage",
                    Kind::Pick(Category::CompanyStage),
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) => Val::Pick(Category::CompanyStage, a.lifecycle as u16),
                        None => Val::Null,
                    },
                ),
                field("Csm", "CSM", Kind::Lookup(ObjectId::User), |w, r| {
                    match w.accounts.get(r as usize) {
                        Some(a) => user(a.csm),
                        None => Val::Null,
                    }
                }),
                field(
                    "ParentCompany",
                    "Parent Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.accounts
                            .get(r as usize)
                            .and_then(|a| a.parent)
                            .filter(|parent| seen(w, *parent))
                            .map_or(Val::Null, company)
                    },
                ),
                field("Arr", "ARR", Kind::Currency, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| Val::Num(w.major(a.arr, a.currency)))
                }),
                field("Mrr", "MRR", Kind::Currency, |w, r| {
                    w.accounts.get(r as usize).map_or(Val::Null, |a| {
                        Val::Num((w.major(a.arr, a.currency) / 12.0 * 100.0).round() / 100.0)
                    })
                }),
                field("CurrencyIsoCode", "Currency", Kind::Text, |w, r| {
                    match w.accounts.get(r as usize) {
                        Some(a) => text(w.currencies[a.currency as usize].code),
                        None => Val::Null,
                    }
                }),
                field("Renewal_Date", "Renewal Date", Kind::Date, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .and_then(|a| a.renewal_date)
                        .map_or(Val::Null, day)
                }),
                field(
                    "OriginalContractDate",
                    "Original Contract Date",
                    Kind::Date,
                    |w, r| {
                        w.accounts
                            .get(r as usize)
                            .map_or(Val::Null, |a| day(a.start))
                    },
                ),
                field("Industry", "Industry", Kind::Text, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| text(a.industry))
                }),
                field("Country", "Country", Kind::Text, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| text(a.country))
                }),
                field("Employees", "Employees", Kind::Number, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| Val::Num(f64::from(a.employees)))
                }),
                field("Users", "Users", Kind::Number, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| Val::Num(f64::from(a.seats)))
                }),
                fixed("CurrentScore", "Current Score", Kind::Number, |w, r| {
                    w.health_now(r)
                        .map_or(Val::Null, |score| Val::Num(f64::from(score)))
                }),
                fixed("PreviousScore", "Previous Score", Kind::Number, |w, r| {
                    w.health(r, WEEKS - 5)
                        .map_or(Val::Null, |score| Val::Num(f64::from(score)))
                }),
                field(
                    "Segment__gc",
                    "Segment",
                    Kind::Pick(Category::Segment),
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) => Val::Pick(Category::Segment, a.segment as u16),
                        None => Val::Null,
                    },
                ),
                field(
                    "Touch_Model__gc",
                    "Touch Model",
                    Kind::Pick(Category::Touch),
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) => Val::Pick(Category::Touch, a.touch as u16),
                        None => Val::Null,
                    },
                ),
                field(
                    "CSM_Sentiment__gc",
                    "CSM Sentiment",
                    Kind::Pick(Category::Sentiment),
                    |w, r| match w.accounts.get(r as usize) {
                        Some(a) => Val::Pick(Category::Sentiment, (a.sentiment + 1) as u16),
                        None => Val::Null,
                    },
                ),
                field("Region__gc", "Region", Kind::Text, |w, r| {
                    match w.accounts.get(r as usize) {
                        Some(a) => text(["AMER", "EMEA", "APAC", "LATAM"][a.region as usize]),
                        None => Val::Null,
                    }
                }),
                field("Notice_Days__gc", "Notice Days", Kind::Number, |w, r| {
                    w.contracts_of(r)
                        .next_back()
                        .and_then(|place| w.contracts.get(place))
                        .map_or(Val::Null, |c| Val::Num(f64::from(c.notice_days)))
                }),
                field("Auto_Renew__gc", "Auto Renew", Kind::Boolean, |w, r| {
                    w.contracts_of(r)
                        .next_back()
                        .and_then(|place| w.contracts.get(place))
                        .map_or(Val::Null, |c| Val::Bool(c.auto_renew))
                }),
                fixed("NPS__gc", "Latest NPS", Kind::Number, |w, r| {
                    w.surveys_of(r)
                        .next_back()
                        .and_then(|place| w.surveys.get(place))
                        .map_or(Val::Null, |s| Val::Num(f64::from(s.score)))
                }),
                field("External_Id__gc", "External Id", Kind::Text, nothing),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| second(a.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.accounts
                        .get(r as usize)
                        .map_or(Val::Null, |a| second(a.modified))
                }),
            ],
        },
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
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| owned(format!("{} {}", c.first, c.last)))
                }),
                field("FirstName", "First Name", Kind::Text, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| text(&c.first))
                }),
                field("LastName", "Last Name", Kind::Text, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| text(&c.last))
                }),
                field("Email", "Email", Kind::Email, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| text(&c.email))
                }),
                field("ExternalId", "External ID", Kind::Text, nothing),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| second(c.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| second(c.modified))
                }),
            ],
        },
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
                    |w, r| {
                        w.contacts
                            .get(r as usize)
                            .map_or(Val::Null, |c| company(c.account))
                    },
                ),
                field(
                    "Person_ID",
                    "Person",
                    Kind::Lookup(ObjectId::Person),
                    |_, r| Val::Row(ObjectId::Person, r),
                ),
                field("Title", "Title", Kind::Text, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| text(c.title))
                }),
                field("Role", "Role", Kind::Pick(Category::Role), |w, r| {
                    match w.contacts.get(r as usize) {
                        Some(c) => Val::Pick(Category::Role, c.role as u16),
                        None => Val::Null,
                    }
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
                    |w, r| {
                        w.contacts
                            .get(r as usize)
                            .map_or(Val::Null, |c| Val::Bool(c.primary))
                    },
                ),
                field("Active", "Active", Kind::Boolean, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| Val::Bool(c.left.is_none()))
                }),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| second(c.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.contacts
                        .get(r as usize)
                        .map_or(Val::Null, |c| second(c.modified))
                }),
            ],
        },
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
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| owned(u.name()))
                }),
                field("FirstName", "First Name", Kind::Text, |w, r| {
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| text(&u.first))
                }),
                field("LastName", "Last Name", Kind::Text, |w, r| {
                    w.users.get(r as usize).map_or(Val::Null, |u| text(&u.last))
                }),
                field("Email", "Email", Kind::Email, |w, r| {
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| text(&u.email))
                }),
                field("Title", "Title", Kind::Text, |w, r| {
                    w.users.get(r as usize).map_or(Val::Null, |u| text(u.title))
                }),
                field("IsActiveUser", "Is Active User", Kind::Boolean, |w, r| {
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| Val::Bool(u.active))
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
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| second(u.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.users
                        .get(r as usize)
                        .map_or(Val::Null, |u| second(u.modified))
                }),
            ],
        },
        Object {
            id: ObjectId::Timeline,
            name: "activity_timeline",
            label: "Timeline",
            rows: |w| w.touchpoints.len() as u32,
            visible: |w, r| {
                w.touchpoints
                    .get(r as usize)
                    .is_some_and(|t| t.in_gainsight && seen(w, t.account))
            },
            nested: true,
            writable: false,
            fields: vec![
                gsid(ObjectId::Timeline),
                field("ExternalId", "External ID", Kind::Text, nothing),
                field("ContextName", "Context", Kind::Text, |_, _| text("Company")),
                field("TypeName", "Type", Kind::Text, |w, r| {
                    w.touchpoints.get(r as usize).map_or(Val::Null, |t| {
                        text(match t.kind {
                            TouchKind::Call => "Call",
                            TouchKind::Meeting | TouchKind::Review => "Meeting",
                            TouchKind::Email => "Email",
                            TouchKind::Update => "Update",
                        })
                    })
                }),
                field("Subject", "Subject", Kind::Text, |w, r| {
                    owned(w.touch_subject(r))
                }),
                field("Notes", "Notes", Kind::LongText, |w, r| {
                    owned(w.touch_notes(r))
                }),
                field("NotesPlainText", "Notes (plain)", Kind::LongText, |w, r| {
                    owned(w.touch_notes(r))
                }),
                field("ActivityDate", "Activity Date", Kind::DateTime, |w, r| {
                    w.touchpoints
                        .get(r as usize)
                        .map_or(Val::Null, |t| second(t.at))
                }),
                field("DurationInMins", "Duration", Kind::Number, |w, r| {
                    Val::Num(f64::from(w.touch_minutes(r)))
                }),
                field(
                    "GsCompanyId",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.touchpoints
                            .get(r as usize)
                            .map_or(Val::Null, |t| company(t.account))
                    },
                ),
                field(
                    "AuthorId",
                    "Author",
                    Kind::Lookup(ObjectId::User),
                    |w, r| {
                        w.touchpoints
                            .get(r as usize)
                            .map_or(Val::Null, |t| user(t.author))
                    },
                ),
                field("GsCtaId", "CTA", Kind::Lookup(ObjectId::Cta), nothing),
                field(
                    "InternalAttendees",
                    "Internal Attendees",
                    Kind::Text,
                    nothing,
                ),
                field(
                    "ExternalAttendees",
                    "External Attendees",
                    Kind::Text,
                    |w, r| {
                        let contact = w.touchpoints.get(r as usize).and_then(|t| t.contact);
                        contact
                            .and_then(|c| w.contacts.get(c as usize))
                            .map_or(Val::Null, |c| text(&c.email))
                    },
                ),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.touchpoints
                        .get(r as usize)
                        .map_or(Val::Null, |t| second(t.at + 600))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.touchpoints
                        .get(r as usize)
                        .map_or(Val::Null, |t| second(t.at + 600))
                }),
            ],
        },
        Object {
            id: ObjectId::Cta,
            name: "call_to_action",
            label: "Call To Action",
            rows: |w| w.risks.len() as u32,
            visible: |w, r| {
                w.risks
                    .get(r as usize)
                    .is_some_and(|risk| seen(w, risk.account))
            },
            nested: false,
            writable: false,
            fields: vec![
                gsid(ObjectId::Cta),
                required("Name", "Name", Kind::Text, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| text(&risk.name))
                }),
                required(
                    "CompanyId",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.risks
                            .get(r as usize)
                            .map_or(Val::Null, |risk| company(risk.account))
                    },
                ),
                required("OwnerId", "Owner", Kind::Lookup(ObjectId::User), |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| user(risk.owner))
                }),
                required("DueDate", "Due Date", Kind::Date, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| day(risk.due))
                }),
                required(
                    "TypeId",
                    "Type",
                    Kind::Pick(Category::CtaType),
                    |w, r| match w.risks.get(r as usize) {
                        Some(risk) => Val::Pick(Category::CtaType, risk.kind as u16),
                        None => Val::Null,
                    },
                ),
                required(
                    "ReasonId",
                    "Reason",
                    Kind::Pick(Category::CtaReason),
                    |w, r| match w.risks.get(r as usize) {
                        Some(risk) => Val::Pick(
                            Category::CtaReason,
                            match risk.kind {
                                RiskKind::Risk => risk.reason as u16,
                                RiskKind::Opportunity => 10,
                                RiskKind::Lifecycle => 11,
                            },
                        ),
                        None => Val::Null,
                    },
                ),
                required(
                    "StatusId",
                    "Status",
                    Kind::Pick(Category::CtaStatus),
                    |w, r| match w.risks.get(r as usize) {
                        Some(risk) => Val::Pick(
                            Category::CtaStatus,
                            match risk.status {
                                RiskStatus::New => 0,
                                RiskStatus::InProgress => 1,
                                RiskStatus::Acknowledged => 2,
                                RiskStatus::ClosedSaved => 3,
                                RiskStatus::ClosedLost => 4,
                                RiskStatus::ClosedInvalid => 5,
                            },
                        ),
                        None => Val::Null,
                    },
                ),
                required(
                    "PriorityId",
                    "Priority",
                    Kind::Pick(Category::CtaPriority),
                    |w, r| match w.risks.get(r as usize) {
                        Some(risk) => Val::Pick(
                            Category::CtaPriority,
                            match risk.priority {
                                Priority::High => 0,
                                Priority::Normal => 1,
                                Priority::Low => 2,
                            },
                        ),
                        None => Val::Null,
                    },
                ),
                fixed("IsClosed", "Is Closed", Kind::Boolean, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| Val::Bool(risk.closed.is_some()))
                }),
                field("IsImportant", "Is Important", Kind::Boolean, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| Val::Bool(risk.important))
                }),
                field("ClosedDate", "Closed Date", Kind::DateTime, |w, r| {
                    w.risks
                        .get(r as usize)
                        .and_then(|risk| risk.closed)
                        .map_or(Val::Null, second)
                }),
                field("Comments", "Comments", Kind::LongText, nothing),
                field("EntityType", "Entity Type", Kind::Text, |_, _| {
                    text("Company")
                }),
                field("Source", "Source", Kind::Text, |_, _| text("Rule")),
                field("Playbook", "Playbook", Kind::Text, nothing),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| second(risk.opened))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.risks
                        .get(r as usize)
                        .map_or(Val::Null, |risk| second(risk.modified))
                }),
            ],
        },
        Object {
            id: ObjectId::Task,
            name: "cs_task",
            label: "CS Task",
            rows: |w| w.tasks.len() as u32,
            visible: |w, r| {
                w.tasks
                    .get(r as usize)
                    .is_some_and(|task| task.risk.is_some() && seen(w, task.account))
            },
            nested: false,
            writable: false,
            fields: vec![
                gsid(ObjectId::Task),
                required("Name", "Name", Kind::Text, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .map_or(Val::Null, |task| text(&task.subject))
                }),
                required("CTAId", "CTA", Kind::Lookup(ObjectId::Cta), |w, r| {
                    w.tasks
                        .get(r as usize)
                        .and_then(|task| task.risk)
                        .map_or(Val::Null, |risk| Val::Row(ObjectId::Cta, risk))
                }),
                field(
                    "CompanyId",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.tasks
                            .get(r as usize)
                            .map_or(Val::Null, |task| company(task.account))
                    },
                ),
                field("OwnerId", "Owner", Kind::Lookup(ObjectId::User), |w, r| {
                    w.tasks
                        .get(r as usize)
                        .map_or(Val::Null, |task| user(task.owner))
                }),
                field("DueDate", "Due Date", Kind::Date, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .and_then(|task| task.due)
                        .map_or(Val::Null, day)
                }),
                field(
                    "StatusId",
                    "Status",
                    Kind::Pick(Category::TaskStatus),
                    |w, r| match w.tasks.get(r as usize) {
                        Some(task) => Val::Pick(
                            Category::TaskStatus,
                            u16::from(task.status == TaskStatus::Completed),
                        ),
                        None => Val::Null,
                    },
                ),
                field(
                    "PriorityId",
                    "Priority",
                    Kind::Pick(Category::CtaPriority),
                    |_, _| Val::Pick(Category::CtaPriority, 1),
                ),
                fixed("IsClosed", "Is Closed", Kind::Boolean, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .map_or(Val::Null, |task| Val::Bool(task.completed.is_some()))
                }),
                field("ClosedDate", "Closed Date", Kind::DateTime, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .and_then(|task| task.completed)
                        .map_or(Val::Null, second)
                }),
                field("Description", "Description", Kind::LongText, nothing),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .map_or(Val::Null, |task| second(task.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.tasks
                        .get(r as usize)
                        .map_or(Val::Null, |task| second(task.modified))
                }),
            ],
        },
        Object {
            id: ObjectId::Usage,
            name: "Usage_Weekly__gc",
            label: "Usage Weekly",
            rows: |w| (w.accounts.len() * WEEKS) as u32,
            visible: |w, r| {
                let (account, week) = weekly(w, r);
                seen(w, account) && w.usage(account, week).is_some()
            },
            nested: false,
            writable: true,
            fields: vec![
                gsid(ObjectId::Usage),
                required(
                    "Company__gc",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| company(weekly(w, r).0),
                ),
                required("Week_Start__gc", "Week Start", Kind::Date, |w, r| {
                    day(w.week_start(weekly(w, r).1))
                }),
                field("Active_Users__gc", "Active Users", Kind::Number, |w, r| {
                    let (account, week) = weekly(w, r);
                    w.usage(account, week)
                        .map_or(Val::Null, |usage| Val::Num(f64::from(usage.active_users)))
                }),
                field(
                    "Licensed_Users__gc",
                    "Licensed Users",
                    Kind::Number,
                    |w, r| {
                        let (account, week) = weekly(w, r);
                        w.usage(account, week)
                            .map_or(Val::Null, |usage| Val::Num(f64::from(usage.seats)))
                    },
                ),
                field("Logins__gc", "Logins", Kind::Number, |w, r| {
                    let (account, week) = weekly(w, r);
                    w.usage(account, week)
                        .map_or(Val::Null, |usage| Val::Num(f64::from(usage.logins)))
                }),
                field(
                    "Adoption__gc",
                    "Feature Adoption",
                    Kind::Percentage,
                    |w, r| {
                        let (account, week) = weekly(w, r);
                        w.usage(account, week)
                            .map_or(Val::Null, |usage| Val::Num(f64::from(usage.adoption)))
                    },
                ),
                fixed("CreatedDate", "Created Date", Kind::DateTime, week_end),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, week_end),
            ],
        },
        Object {
            id: ObjectId::HealthHistory,
            name: "Scorecard_History__gc",
            label: "Scorecard History",
            rows: |w| (w.accounts.len() * WEEKS) as u32,
            visible: |w, r| {
                let (account, week) = weekly(w, r);
                seen(w, account) && w.health(account, week).is_some()
            },
            nested: false,
            writable: false,
            fields: vec![
                gsid(ObjectId::HealthHistory),
                field(
                    "Company__gc",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| company(weekly(w, r).0),
                ),
                field(
                    "Snapshot_Date__gc",
                    "Snapshot Date",
                    Kind::Date,
                    |w, r| match week_end(w, r) {
                        Val::Ms(ms) => Val::Ms(ms - ms.rem_euclid(86_400_000)),
                        other => other,
                    },
                ),
                field("Score__gc", "Score", Kind::Number, |w, r| {
                    let (account, week) = weekly(w, r);
                    w.health(account, week)
                        .map_or(Val::Null, |score| Val::Num(f64::from(score)))
                }),
                fixed("CreatedDate", "Created Date", Kind::DateTime, week_end),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, week_end),
            ],
        },
        Object {
            id: ObjectId::Nps,
            name: "nps_survey_response",
            label: "NPS Survey Response",
            rows: |w| w.surveys.len() as u32,
            visible: |w, r| {
                w.surveys
                    .get(r as usize)
                    .is_some_and(|survey| seen(w, survey.account))
            },
            nested: false,
            writable: false,
            fields: vec![
                gsid(ObjectId::Nps),
                field(
                    "CompanyId",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.surveys
                            .get(r as usize)
                            .map_or(Val::Null, |s| company(s.account))
                    },
                ),
                field(
                    "PersonId",
                    "Person",
                    Kind::Lookup(ObjectId::Person),
                    |w, r| {
                        w.surveys
                            .get(r as usize)
                            .and_then(|s| s.contact)
                            .map_or(Val::Null, |contact| Val::Row(ObjectId::Person, contact))
                    },
                ),
                field("NPSScore", "NPS Score", Kind::Number, |w, r| {
                    w.surveys
                        .get(r as usize)
                        .map_or(Val::Null, |s| Val::Num(f64::from(s.score)))
                }),
                field("Comments", "Comments", Kind::LongText, |w, r| {
                    text(w.survey_comment(r))
                }),
                field("RespondedDate", "Responded Date", Kind::DateTime, |w, r| {
                    w.surveys
                        .get(r as usize)
                        .map_or(Val::Null, |s| second(s.at))
                }),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.surveys
                        .get(r as usize)
                        .map_or(Val::Null, |s| second(s.at))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.surveys
                        .get(r as usize)
                        .map_or(Val::Null, |s| second(s.at))
                }),
            ],
        },
        Object {
            id: ObjectId::Renewal,
            name: "renewal__gc",
            label: "Renewal",
            rows: |w| w.renewals.len() as u32,
            visible: |w, r| {
                w.renewals
                    .get(r as usize)
                    .is_some_and(|renewal| seen(w, renewal.account))
            },
            nested: false,
            writable: true,
            fields: vec![
                gsid(ObjectId::Renewal),
                field("Name", "Name", Kind::Text, |w, r| {
                    match w.renewals.get(r as usize) {
                        Some(renewal) => owned(format!(
                            "{} Renewal {}",
                            w.accounts
                                .get(renewal.account as usize)
                                .map_or("", |a| a.name_in_gainsight()),
                            renewal.original_due.year()
                        )),
                        None => Val::Null,
                    }
                }),
                required(
                    "Company__gc",
                    "Company",
                    Kind::Lookup(ObjectId::Company),
                    |w, r| {
                        w.renewals
                            .get(r as usize)
                            .map_or(Val::Null, |x| company(x.account))
                    },
                ),
                field("Renewal_Date__gc", "Renewal Date", Kind::Date, |w, r| {
                    w.renewals
                        .get(r as usize)
                        .and_then(|x| x.due)
                        .map_or(Val::Null, day)
                }),
                field("Amount__gc", "Amount", Kind::Currency, |w, r| {
                    w.renewals
                        .get(r as usize)
                        .map_or(Val::Null, |x| Val::Num(w.major(x.amount, x.currency)))
                }),
                field("Target__gc", "Target", Kind::Currency, |w, r| {
                    w.renewals
                        .get(r as usize)
                        .map_or(Val::Null, |x| Val::Num(w.major(x.target, x.currency)))
                }),
                field("CurrencyIsoCode", "Currency", Kind::Text, |w, r| {
                    match w.renewals.get(r as usize) {
                        Some(x) => text(w.currencies[x.currency as usize].code),
                        None => Val::Null,
                    }
                }),
                field(
                    "Stage__gc",
                    "Stage",
                    Kind::Pick(Category::RenewalStage),
                    |w, r| match w.renewals.get(r as usize) {
                        Some(x) => Val::Pick(Category::RenewalStage, x.stage as u16),
                        None => Val::Null,
                    },
                ),
                field(
                    "Forecast__gc",
                    "Forecast",
                    Kind::Pick(Category::Forecast),
                    |w, r| match w.renewals.get(r as usize) {
                        Some(x) => Val::Pick(Category::Forecast, x.forecast as u16),
                        None => Val::Null,
                    },
                ),
                field(
                    "Probability__gc",
                    "Probability",
                    Kind::Percentage,
                    |w, r| {
                        w.renewals
                            .get(r as usize)
                            .map_or(Val::Null, |x| Val::Num(f64::from(x.probability)))
                    },
                ),
                field(
                    "Owner__gc",
                    "Owner",
                    Kind::Lookup(ObjectId::User),
                    |w, r| {
                        w.renewals
                            .get(r as usize)
                            .map_or(Val::Null, |x| user(x.owner))
                    },
                ),
                fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                    w.renewals
                        .get(r as usize)
                        .map_or(Val::Null, |x| second(x.created))
                }),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                    w.renewals
                        .get(r as usize)
                        .map_or(Val::Null, |x| second(x.modified))
                }),
            ],
        },
        Object {
            id: ObjectId::DeleteLog,
            name: "record_delete_log",
            label: "Record Delete Log",
            rows: |_| 0,
            visible: |_, _| true,
            nested: true,
            writable: false,
            fields: vec![
                gsid(ObjectId::DeleteLog),
                fixed("RecordId", "Record Id", Kind::Text, nothing),
                fixed("ObjectName", "Object Name", Kind::Text, nothing),
                fixed("DeletedOn", "Deleted On", Kind::DateTime, nothing),
                fixed("CreatedDate", "Created Date", Kind::DateTime, nothing),
                fixed("ModifiedDate", "Modified Date", Kind::DateTime, nothing),
            ],
        },
    ]
}

/// A week's row is written in the night after its Sunday.
fn week_end(w: &World, r: u32) -> Val<'_> {
    match day(w.week_start(weekly(w, r).1)) {
        Val::Ms(ms) => Val::Ms(ms + 7 * 86_400_000 - 3_600_000),
        other => other,
    }
}
