//! Companies, contacts, deals and tickets: which rows of the world they are and what their properties say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::catalog::{Field, Object, ObjectId, Options, field, owner_id, stamp};
use super::pipelines::{RENEWALS, SUPPORT};
use super::value::{Kind, Val, day, midnight, number, owned, text};
use crate::simulate::world::{
    Account, Case, CaseStatus, Contact, ContactRole, Driver, Forecast, Lifecycle, Renewal, Segment,
    Severity, Stage, Touch, UsageWeek, WEEKS, World, ids,
};

const MOODS: [(&str, &str); 3] = [
    ("positive", "Positive"),
    ("neutral", "Neutral"),
    ("negative", "Negative"),
];

/// The portal shows what the CRM shows.
pub(super) fn seen(world: &World, account: u32) -> bool {
    world
        .accounts
        .get(account as usize)
        .is_some_and(|account| account.in_salesforce)
}

pub(super) fn owner(user: u32) -> Val<'static> {
    owned(owner_id(user).to_string())
}

pub(super) fn mood(mood: i8) -> Val<'static> {
    text(match mood {
        1.. => "positive",
        0 => "neutral",
        _ => "negative",
    })
}

/// The pick of a mood, on companies and activities.
pub(super) fn mood_field(read: super::catalog::Reader) -> Field {
    field("sentiment", "Sentiment", Kind::Pick, read)
        .options(&MOODS)
        .custom()
}

fn account<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Account) -> Val<'a>) -> Val<'a> {
    world.accounts.get(row as usize).map_or(Val::Null, read)
}

fn usage(world: &World, row: u32, read: impl FnOnce(UsageWeek) -> u32) -> Val<'_> {
    world
        .usage(row, WEEKS - 1)
        .map_or(Val::Null, |week| number(read(week)))
}

/// The contract that runs, or the last one.
fn contract(world: &World, row: u32) -> Option<&crate::simulate::world::Contract> {
    world.contracts.get(world.contracts_of(row).next_back()?)
}

/// The value of a pick as the vendor spells values: capitals and underscores.
fn code_of(label: &str) -> String {
    label
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}

fn currencies(world: &World) -> Options {
    world
        .currencies
        .iter()
        .map(|currency| (Cow::Borrowed(currency.code), Cow::Borrowed(currency.code)))
        .collect()
}

fn code(world: &World, currency: u8) -> Val<'_> {
    world
        .currencies
        .get(usize::from(currency))
        .map_or(Val::Null, |currency| text(currency.code))
}

fn with(mut field: Field, options: Options) -> Field {
    field.options = options;
    field
}

pub(super) fn company(world: &World) -> Object {
    let industries: BTreeSet<&'static str> =
        world.accounts.iter().map(|row| row.industry).collect();
    let industries = industries
        .into_iter()
        .map(|label| (Cow::Owned(code_of(label)), Cow::Borrowed(label)))
        .collect();
    let fields = vec![
        field("name", "Company name", Kind::Text, |w, r| {
            account(w, r, |row| text(&row.name))
        })
        .default()
        .searched(),
        field("domain", "Company Domain Name", Kind::Text, |w, r| {
            account(w, r, |row| {
                text(if row.gainsight_domain {
                    &row.domain
                } else {
                    ""
                })
            })
        })
        .default()
        .searched(),
        field("website", "Website URL", Kind::Text, |w, r| {
            account(w, r, |row| {
                if row.gainsight_domain && !row.domain.is_empty() {
                    owned(format!("https://www.{}", row.domain))
                } else {
                    Val::Null
                }
            })
        })
        .searched(),
        field("phone", "Phone Number", Kind::Text, |_, _| Val::Null).searched(),
        field("description", "Description", Kind::Text, |_, _| Val::Null),
        with(
            field("industry", "Industry", Kind::Pick, |w, r| {
                account(w, r, |row| owned(code_of(row.industry)))
            }),
            industries,
        ),
        field("country", "Country/Region", Kind::Text, |w, r| {
            account(w, r, |row| text(row.country))
        }),
        field(
            "numberofemployees",
            "Number of Employees",
            Kind::Number,
            |w, r| account(w, r, |row| number(row.employees)),
        ),
        field("hubspot_owner_id", "Company owner", Kind::Owner, |w, r| {
            account(w, r, |row| owner(row.csm))
        }),
        field("lifecyclestage", "Lifecycle Stage", Kind::Pick, |w, r| {
            account(w, r, |row| {
                text(if row.lifecycle == Lifecycle::Churned {
                    "other"
                } else {
                    "customer"
                })
            })
        })
        .options(&[
            ("subscriber", "Subscriber"),
            ("lead", "Lead"),
            ("opportunity", "Opportunity"),
            ("customer", "Customer"),
            ("other", "Other"),
        ]),
        field(
            "hs_parent_company_id",
            "Parent Company",
            Kind::Number,
            |w, r| {
                account(w, r, |row| {
                    row.parent
                        .filter(|parent| seen(w, *parent))
                        .and_then(|parent| ObjectId::Company.id(parent).parse::<f64>().ok())
                        .map_or(Val::Null, Val::Num)
                })
            },
        )
        .fixed(),
        field(
            "hs_merged_object_ids",
            "Merged record IDs",
            Kind::Text,
            |_, _| Val::Null,
        )
        .fixed(),
        // Written by the vendor's own Salesforce integration.
        field(
            "salesforceaccountid",
            "Salesforce Account ID",
            Kind::Text,
            |w, r| {
                account(w, r, |row| {
                    if row.linked {
                        owned(ids::salesforce_id("001", u64::from(r)))
                    } else {
                        Val::Null
                    }
                })
            },
        ),
        Field {
            find: Some(|w, value| {
                let row: u32 = value.strip_prefix("CUST-")?.parse().ok()?;
                (row < w.accounts.len() as u32 && seen(w, row)).then_some(row)
            }),
            ..field("customer_number", "Customer Number", Kind::Text, |_, r| {
                owned(format!("CUST-{r:06}"))
            })
            .unique()
            .custom()
        },
        field(
            "account_executive",
            "Account Executive",
            Kind::Owner,
            |w, r| account(w, r, |row| owner(row.seller)),
        )
        .custom(),
        field("segment", "Segment", Kind::Pick, |w, r| {
            account(w, r, |row| {
                text(match row.segment {
                    Segment::Enterprise => "enterprise",
                    Segment::MidMarket => "mid_market",
                    Segment::Smb => "smb",
                })
            })
        })
        .options(&[
            ("enterprise", "Enterprise"),
            ("mid_market", "Mid-Market"),
            ("smb", "SMB"),
        ])
        .custom(),
        field("touch_model", "Touch Model", Kind::Pick, |w, r| {
            account(w, r, |row| {
                text(match row.touch {
                    Touch::High => "high",
                    Touch::Mid => "mid",
                    Touch::Tech => "tech",
                })
            })
        })
        .options(&[("high", "High"), ("mid", "Mid"), ("tech", "Tech")])
        .custom(),
        field("cs_stage", "Customer Stage", Kind::Pick, |w, r| {
            account(w, r, |row| {
                text(match row.lifecycle {
                    Lifecycle::Onboarding => "onboarding",
                    Lifecycle::Adopting => "adopting",
                    Lifecycle::Mature => "mature",
                    Lifecycle::Churned => "churned",
                })
            })
        })
        .options(&[
            ("onboarding", "Onboarding"),
            ("adopting", "Adopting"),
            ("mature", "Mature"),
            ("churned", "Churned"),
        ])
        .custom(),
        field("arr", "ARR", Kind::Number, |w, r| {
            account(w, r, |row| Val::Num(w.major(row.arr, row.currency)))
        })
        .custom(),
        with(
            field("arr_currency", "ARR Currency", Kind::Pick, |w, r| {
                account(w, r, |row| code(w, row.currency))
            }),
            currencies(world),
        )
        .custom(),
        field("renewal_date", "Renewal Date", Kind::Date, |w, r| {
            account(w, r, |row| day(row.renewal_date))
        })
        .custom(),
        field("customer_since", "Customer Since", Kind::Date, |w, r| {
            account(w, r, |row| Val::Day(row.start))
        })
        .custom(),
        field("notice_days", "Notice Days", Kind::Number, |w, r| {
            contract(w, r).map_or(Val::Null, |row| number(row.notice_days))
        })
        .custom(),
        field("auto_renew", "Renews Automatically", Kind::Bool, |w, r| {
            contract(w, r).map_or(Val::Null, |row| Val::Bool(row.auto_renew))
        })
        .custom(),
        field("health_score", "Health Score", Kind::Number, |w, r| {
            w.health_now(r).map_or(Val::Null, number)
        })
        .custom(),
        mood_field(|w, r| account(w, r, |row| mood(row.sentiment))),
        field("seats", "Seats", Kind::Number, |w, r| {
            account(w, r, |row| number(row.seats))
        })
        .custom(),
        field(
            "active_users",
            "Weekly Active Users",
            Kind::Number,
            |w, r| usage(w, r, |week| week.active_users),
        )
        .custom(),
        field("weekly_logins", "Weekly Logins", Kind::Number, |w, r| {
            usage(w, r, |week| week.logins)
        })
        .custom(),
        field(
            "feature_adoption",
            "Feature Adoption %",
            Kind::Number,
            |w, r| usage(w, r, |week| u32::from(week.adoption)),
        )
        .custom(),
        field("nps_score", "Latest NPS", Kind::Number, |w, r| {
            w.surveys_of(r)
                .next_back()
                .and_then(|place| w.surveys.get(place))
                .map_or(Val::Null, |row| number(row.score))
        })
        .custom(),
    ];
    Object::new(
        ObjectId::Company,
        |w| w.accounts.len() as u32,
        seen,
        (
            |w, r| stamp(w.accounts.get(r as usize).map(|row| row.created)),
            |w, r| stamp(w.accounts.get(r as usize).map(|row| row.modified)),
        ),
        fields,
    )
}

fn contact_of<'a>(
    world: &'a World,
    row: u32,
    read: impl FnOnce(&'a Contact) -> Val<'a>,
) -> Val<'a> {
    world.contacts.get(row as usize).map_or(Val::Null, read)
}

pub(super) fn contact() -> Object {
    let fields = vec![
        field("email", "Email", Kind::Text, |w, r| {
            contact_of(w, r, |row| text(&row.email))
        })
        .default()
        .searched()
        .unique(),
        field("firstname", "First Name", Kind::Text, |w, r| {
            contact_of(w, r, |row| text(&row.first))
        })
        .default()
        .searched(),
        field("lastname", "Last Name", Kind::Text, |w, r| {
            contact_of(w, r, |row| text(&row.last))
        })
        .default()
        .searched(),
        field("jobtitle", "Job Title", Kind::Text, |w, r| {
            contact_of(w, r, |row| text(row.title))
        }),
        field("phone", "Phone Number", Kind::Text, |_, _| Val::Null).searched(),
        field("company", "Company Name", Kind::Text, |w, r| {
            contact_of(w, r, |row| account(w, row.account, |row| text(&row.name)))
        })
        .searched(),
        field(
            "associatedcompanyid",
            "Primary Associated Company ID",
            Kind::Number,
            |w, r| {
                contact_of(w, r, |row| {
                    ObjectId::Company
                        .id(row.account)
                        .parse()
                        .map_or(Val::Null, Val::Num)
                })
            },
        )
        .fixed(),
        field("hubspot_owner_id", "Contact owner", Kind::Owner, |w, r| {
            contact_of(w, r, |row| account(w, row.account, |row| owner(row.csm)))
        }),
        field(
            "hs_merged_object_ids",
            "Merged record IDs",
            Kind::Text,
            |_, _| Val::Null,
        )
        .fixed(),
        field("cs_role", "Role", Kind::Pick, |w, r| {
            contact_of(w, r, |row| {
                text(match row.role {
                    ContactRole::Sponsor => "sponsor",
                    ContactRole::Champion => "champion",
                    ContactRole::Admin => "admin",
                    ContactRole::User => "user",
                    ContactRole::Billing => "billing",
                })
            })
        })
        .options(&[
            ("sponsor", "Executive Sponsor"),
            ("champion", "Champion"),
            ("admin", "Admin"),
            ("user", "User"),
            ("billing", "Billing"),
        ])
        .custom(),
        field("primary_contact", "Primary Contact", Kind::Bool, |w, r| {
            contact_of(w, r, |row| Val::Bool(row.primary))
        })
        .custom(),
        field("left_company_on", "Left the Company", Kind::Date, |w, r| {
            contact_of(w, r, |row| day(row.left))
        })
        .custom(),
    ];
    Object::new(
        ObjectId::Contact,
        |w| w.contacts.len() as u32,
        |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|row| seen(w, row.account))
        },
        (
            |w, r| stamp(w.contacts.get(r as usize).map(|row| row.created)),
            |w, r| stamp(w.contacts.get(r as usize).map(|row| row.modified)),
        ),
        fields,
    )
}

fn renewal<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Renewal) -> Val<'a>) -> Val<'a> {
    world.renewals.get(row as usize).map_or(Val::Null, read)
}

/// The place of a stage of the world in the pipeline of renewals.
pub(super) fn stage_place(stage: Stage) -> usize {
    match stage {
        Stage::Prospecting => 0,
        Stage::Discovery => 1,
        Stage::Proposal => 2,
        Stage::Negotiation => 3,
        Stage::Verbal => 4,
        Stage::Won => 5,
        Stage::Lost => 6,
    }
}

const REASONS: [(&str, Driver); 8] = [
    ("low_adoption", Driver::LowAdoption),
    ("value_not_met", Driver::ValueNotMet),
    ("product_defect", Driver::ProductDefect),
    ("unresponsive", Driver::Unresponsive),
    ("sponsor_change", Driver::SponsorChange),
    ("budget", Driver::Budget),
    ("competitor", Driver::Competitor),
    ("merger", Driver::Merger),
];

pub(super) fn deal(world: &World) -> Object {
    let [pipelines, stages] = super::pipelines::options(ObjectId::Deal);
    let reasons: Vec<(&'static str, &'static str)> = REASONS
        .iter()
        .map(|(value, driver)| (*value, driver.label()))
        .collect();
    let fields = vec![
        field("dealname", "Deal Name", Kind::Text, |w, r| {
            renewal(w, r, |row| {
                account(w, row.account, |account| {
                    owned(format!(
                        "{} - Renewal {}",
                        account.name,
                        row.original_due.year()
                    ))
                })
            })
        })
        .default()
        .searched(),
        field("amount", "Amount", Kind::Number, |w, r| {
            renewal(w, r, |row| Val::Num(w.major(row.amount, row.currency)))
        })
        .default(),
        field("closedate", "Close Date", Kind::DateTime, |w, r| {
            renewal(w, r, |row| midnight(row.closed.or(row.due)))
        })
        .default(),
        field("dealstage", "Deal Stage", Kind::Pick, |w, r| {
            renewal(w, r, |row| text(RENEWALS.stages[stage_place(row.stage)].id))
        })
        .options(&stages)
        .default(),
        field("pipeline", "Pipeline", Kind::Pick, |_, _| text(RENEWALS.id))
            .options(&pipelines)
            .default(),
        with(
            field("deal_currency_code", "Currency", Kind::Pick, |w, r| {
                renewal(w, r, |row| code(w, row.currency))
            }),
            currencies(world),
        ),
        field(
            "amount_in_home_currency",
            "Amount in company currency",
            Kind::Number,
            |w, r| {
                renewal(w, r, |row| {
                    Val::Num((w.usd(row.amount, row.currency) * 100.0).round() / 100.0)
                })
            },
        )
        .fixed(),
        field("hubspot_owner_id", "Deal owner", Kind::Owner, |w, r| {
            renewal(w, r, |row| owner(row.owner))
        }),
        field("dealtype", "Deal Type", Kind::Pick, |_, _| {
            text("existingbusiness")
        })
        .options(&[
            ("newbusiness", "New Business"),
            ("existingbusiness", "Existing Business"),
        ]),
        // The values are unverified.
        field(
            "hs_manual_forecast_category",
            "Forecast category",
            Kind::Pick,
            |w, r| {
                renewal(w, r, |row| {
                    text(match row.forecast {
                        Forecast::Omitted => "OMIT",
                        Forecast::Pipeline => "PIPELINE",
                        Forecast::BestCase => "BEST_CASE",
                        Forecast::Commit => "COMMIT",
                        Forecast::Closed => "CLOSED",
                    })
                })
            },
        )
        .options(&[
            ("OMIT", "Not forecasted"),
            ("PIPELINE", "Pipeline"),
            ("BEST_CASE", "Best case"),
            ("COMMIT", "Commit"),
            ("CLOSED", "Closed won"),
        ]),
        field(
            "hs_deal_stage_probability",
            "Deal probability",
            Kind::Number,
            |w, r| {
                renewal(w, r, |row| {
                    Val::Num(RENEWALS.stages[stage_place(row.stage)].probability)
                })
            },
        )
        .fixed(),
        field("hs_is_closed", "Is Deal Closed?", Kind::Bool, |w, r| {
            renewal(w, r, |row| Val::Bool(row.stage.closed()))
        })
        .fixed(),
        field("hs_is_closed_won", "Is Closed Won", Kind::Bool, |w, r| {
            renewal(w, r, |row| Val::Bool(row.stage == Stage::Won))
        })
        .fixed(),
        field("hs_next_step", "Next step", Kind::Text, |w, r| {
            renewal(w, r, |row| text(row.next_step.unwrap_or("")))
        }),
        field(
            "hs_merged_object_ids",
            "Merged record IDs",
            Kind::Text,
            |_, _| Val::Null,
        )
        .fixed(),
        field(
            "closed_lost_reason",
            "Closed Lost Reason",
            Kind::Text,
            |w, r| {
                renewal(w, r, |row| {
                    text(match (row.stage, row.reason) {
                        (Stage::Lost, Some(reason)) => reason.label(),
                        _ => "",
                    })
                })
            },
        ),
        field("churn_reason", "Churn Reason", Kind::Pick, |w, r| {
            renewal(w, r, |row| {
                let found = REASONS
                    .iter()
                    .find(|(_, driver)| Some(*driver) == row.reason);
                text(found.map_or("", |(value, _)| value))
            })
        })
        .options(&reasons)
        .custom(),
        field("renewal_target", "Renewal Target", Kind::Number, |w, r| {
            renewal(w, r, |row| Val::Num(w.major(row.target, row.currency)))
        })
        .custom(),
        field(
            "original_close_date",
            "Original Close Date",
            Kind::Date,
            |w, r| renewal(w, r, |row| Val::Day(row.original_due)),
        )
        .custom(),
        field("notice_deadline", "Notice Deadline", Kind::Date, |w, r| {
            renewal(w, r, |row| day(row.notice_deadline))
        })
        .custom(),
        field("contract_end", "Contract End", Kind::Date, |w, r| {
            renewal(w, r, |row| {
                day(w.contracts.get(row.contract as usize).map(|row| row.end))
            })
        })
        .custom(),
        field("term_months", "Term in Months", Kind::Number, |w, r| {
            renewal(w, r, |row| {
                w.contracts
                    .get(row.contract as usize)
                    .map_or(Val::Null, |row| number(row.term_months))
            })
        })
        .custom(),
    ];
    Object::new(
        ObjectId::Deal,
        |w| w.renewals.len() as u32,
        |w, r| {
            w.renewals
                .get(r as usize)
                .is_some_and(|row| seen(w, row.account))
        },
        (
            |w, r| stamp(w.renewals.get(r as usize).map(|row| row.created)),
            |w, r| stamp(w.renewals.get(r as usize).map(|row| row.modified)),
        ),
        fields,
    )
}

fn case<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Case) -> Val<'a>) -> Val<'a> {
    world.cases.get(row as usize).map_or(Val::Null, read)
}

/// The priorities of a ticket, by severity.
pub(super) const PRIORITIES: [(&str, &str); 4] = [
    ("LOW", "Low"),
    ("MEDIUM", "Medium"),
    ("HIGH", "High"),
    ("URGENT", "Urgent"),
];

pub(super) fn ticket() -> Object {
    let [pipelines, stages] = super::pipelines::options(ObjectId::Ticket);
    let fields = vec![
        field("subject", "Ticket name", Kind::Text, |w, r| {
            text(w.case_subject(r))
        })
        .default()
        .searched(),
        field("content", "Ticket description", Kind::Text, |_, _| {
            Val::Null
        })
        .default()
        .searched(),
        field("hs_pipeline", "Pipeline", Kind::Pick, |_, _| {
            text(SUPPORT.id)
        })
        .options(&pipelines)
        .default(),
        field("hs_pipeline_stage", "Ticket status", Kind::Pick, |w, r| {
            case(w, r, |row| {
                text(
                    SUPPORT.stages[match row.status {
                        CaseStatus::New => 0,
                        CaseStatus::Waiting => 1,
                        CaseStatus::Working => 2,
                        CaseStatus::Closed => 3,
                        CaseStatus::Escalated => 4,
                    }]
                    .id,
                )
            })
        })
        .options(&stages)
        .default(),
        field("hs_ticket_priority", "Priority", Kind::Pick, |w, r| {
            case(w, r, |row| {
                text(
                    PRIORITIES[match row.severity {
                        Severity::Low => 0,
                        Severity::Medium => 1,
                        Severity::High => 2,
                        Severity::Critical => 3,
                    }]
                    .0,
                )
            })
        })
        .options(&PRIORITIES)
        .default(),
        field("hs_ticket_category", "Category", Kind::Pick, |_, _| {
            Val::Null
        })
        .options(&[
            ("PRODUCT_ISSUE", "Product Issue"),
            ("BILLING_ISSUE", "Billing Issue"),
            ("FEATURE_REQUEST", "Feature Request"),
            ("GENERAL_INQUIRY", "General Inquiry"),
        ])
        .default(),
        field("source_type", "Source", Kind::Pick, |w, r| {
            case(w, r, |row| {
                text(match row.origin {
                    "Web" => "FORM",
                    "Phone" => "PHONE",
                    _ => "EMAIL",
                })
            })
        })
        .options(&[
            ("EMAIL", "Email"),
            ("FORM", "Form"),
            ("PHONE", "Phone"),
            ("CHAT", "Chat"),
        ]),
        field("hubspot_owner_id", "Ticket owner", Kind::Owner, |w, r| {
            case(w, r, |row| owner(row.owner))
        }),
        field("closed_date", "Close date", Kind::DateTime, |w, r| {
            case(w, r, |row| stamp(row.closed))
        }),
        field(
            "hs_merged_object_ids",
            "Merged record IDs",
            Kind::Text,
            |_, _| Val::Null,
        )
        .fixed(),
        field("escalated", "Escalated", Kind::Bool, |w, r| {
            case(w, r, |row| Val::Bool(row.escalated))
        })
        .custom(),
    ];
    Object::new(
        ObjectId::Ticket,
        |w| w.cases.len() as u32,
        |w, r| {
            w.cases
                .get(r as usize)
                .is_some_and(|row| seen(w, row.account))
        },
        (
            |w, r| stamp(w.cases.get(r as usize).map(|row| row.opened)),
            |w, r| stamp(w.cases.get(r as usize).map(|row| row.modified)),
        ),
        fields,
    )
}
