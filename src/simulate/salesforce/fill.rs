//! The world as the org sees it: which row of the world is which record, and what its fields say.

use std::sync::Arc;

use jiff::ToSpan;

use super::catalog::{CASE_PRIORITIES, FORECASTS, STAGES};
use super::schema::Schema;
use super::table::Source;
use super::value::{Id, Value, day_start};
use crate::simulate::world::*;

/// The queues of the org.
pub const QUEUES: &[(&str, &str)] = &[
    ("Support Queue", "Support_Queue"),
    ("CS Triage", "CS_Triage"),
];

/// How many usage snapshots an account can have: one every fourth week.
const SNAPSHOTS: u32 = 12;

/// The places of the objects in the schema.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    pub account: u16,
    pub contact: u16,
    pub opportunity: u16,
    pub stage: u16,
    pub task: u16,
    pub event: u16,
    pub case: u16,
    pub user: u16,
    pub group: u16,
    pub currency: u16,
    pub contract: u16,
    pub organization: u16,
    pub survey: u16,
    pub usage: u16,
}

impl Places {
    pub fn new(schema: &Schema) -> Places {
        let find = |name: &str| schema.find(name).unwrap_or(u16::MAX);
        Places {
            account: find("Account"),
            contact: find("Contact"),
            opportunity: find("Opportunity"),
            stage: find("OpportunityStage"),
            task: find("Task"),
            event: find("Event"),
            case: find("Case"),
            user: find("User"),
            group: find("Group"),
            currency: find("CurrencyType"),
            contract: find("Contract"),
            organization: find("Organization"),
            survey: find("Survey_Response__c"),
            usage: find("Usage_Snapshot__c"),
        }
    }
}

/// Reads records from the world.
pub struct Fill {
    pub world: Arc<World>,
    pub schema: Arc<Schema>,
    pub at: Places,
}

fn flag(value: bool) -> Value {
    Value::Bool(value)
}

fn day(date: Option<jiff::civil::Date>) -> Value {
    date.map_or(Value::Null, Value::Date)
}

/// At most `length` characters of a text.
fn cut(text: &str, length: usize) -> Value {
    Value::text(&text.chars().take(length).collect::<String>())
}

/// Green from 70, red below 40.
pub fn health_status(score: f64) -> &'static str {
    if score >= 70.0 {
        "Green"
    } else if score >= 40.0 {
        "Yellow"
    } else {
        "Red"
    }
}

pub fn stage_place(stage: Stage) -> usize {
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

impl Fill {
    /// The user in whose name programs sign in.
    pub fn integration_user(&self) -> Id {
        Id {
            object: self.at.user,
            row: self.world.users.len() as u32,
        }
    }

    fn user_id(&self, row: u32) -> Value {
        Value::Id(Id {
            object: self.at.user,
            row,
        })
    }

    fn account_id(&self, row: u32) -> Value {
        Value::Id(Id {
            object: self.at.account,
            row,
        })
    }

    fn contact_id(&self, row: Option<u32>) -> Value {
        row.map_or(Value::Null, |row| {
            Value::Id(Id {
                object: self.at.contact,
                row,
            })
        })
    }

    fn code(&self, currency: u8) -> Value {
        Value::text(
            self.world
                .currencies
                .get(usize::from(currency))
                .map_or("USD", |currency| currency.code),
        )
    }

    fn money(&self, minor: i64, currency: u8) -> Value {
        Value::Num(self.world.major(minor, currency))
    }

    fn sees(&self, account: u32) -> bool {
        self.world
            .accounts
            .get(account as usize)
            .is_some_and(|account| account.in_salesforce)
    }

    fn account_code(&self, account: u32) -> Value {
        self.world
            .accounts
            .get(account as usize)
            .map_or(Value::Null, |account| self.code(account.currency))
    }

    fn account(&self, row: u32, name: &str) -> Value {
        let Some(account) = self.world.accounts.get(row as usize) else {
            return Value::Null;
        };
        match name {
            "CreatedDate" => Value::seconds(account.created),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(account.modified),
            "CreatedById" | "OwnerId" => self.user_id(account.seller),
            "LastModifiedById" => self.user_id(account.csm),
            "Name" => cut(&account.name, 255),
            "Type" => Value::text(if account.lifecycle == Lifecycle::Churned {
                "Former Customer"
            } else {
                "Customer - Direct"
            }),
            "ParentId" => account
                .parent
                .filter(|parent| self.sees(*parent))
                .map_or(Value::Null, |parent| self.account_id(parent)),
            "BillingCountry" => Value::text(account.country),
            "Website" if !account.domain.is_empty() => {
                Value::text(&format!("https://www.{}", account.domain))
            }
            "Industry" => Value::text(account.industry),
            "NumberOfEmployees" => Value::Int(i64::from(account.employees)),
            "CurrencyIsoCode" => self.code(account.currency),
            "CSM__c" => self.user_id(account.csm),
            "Segment__c" => Value::text(match account.segment {
                Segment::Enterprise => "Enterprise",
                Segment::MidMarket => "Mid-Market",
                Segment::Smb => "SMB",
            }),
            "Touch__c" => Value::text(match account.touch {
                Touch::High => "High",
                Touch::Mid => "Mid",
                Touch::Tech => "Tech",
            }),
            "Lifecycle_Stage__c" => Value::text(match account.lifecycle {
                Lifecycle::Onboarding => "Onboarding",
                Lifecycle::Adopting => "Adopting",
                Lifecycle::Mature => "Mature",
                Lifecycle::Churned => "Churned",
            }),
            "Region__c" => Value::text(match account.region {
                Region::Amer => "AMER",
                Region::Emea => "EMEA",
                Region::Apac => "APAC",
                Region::Latam => "LATAM",
            }),
            "ARR__c" => self.money(account.arr, account.currency),
            "Renewal_Date__c" => day(account.renewal_date),
            "Customer_Since__c" => Value::Date(account.start),
            "Health__c" => self
                .world
                .health_now(row)
                .map_or(Value::Null, |score| Value::Num(f64::from(score))),
            "Health_Status__c" => self.world.health_now(row).map_or(Value::Null, |score| {
                Value::text(health_status(f64::from(score)))
            }),
            "Sentiment__c" => Value::text(match account.sentiment {
                1.. => "Positive",
                0 => "Neutral",
                _ => "Negative",
            }),
            "Seats__c" => Value::Int(i64::from(account.seats)),
            "Products__c" => Value::text(
                ["Core", "Core;Analytics", "Core;Automation;Integrations"][row as usize % 3],
            ),
            "External_Id__c" => Value::text(&format!("CUST-{row:06}")),
            _ => Value::Null,
        }
    }

    fn contact(&self, row: u32, name: &str) -> Value {
        let Some(contact) = self.world.contacts.get(row as usize) else {
            return Value::Null;
        };
        let owner = || {
            self.world
                .accounts
                .get(contact.account as usize)
                .map_or(Value::Null, |account| self.user_id(account.csm))
        };
        match name {
            "CreatedDate" => Value::seconds(contact.created),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(contact.modified),
            "CreatedById" | "LastModifiedById" | "OwnerId" => owner(),
            "Name" => cut(format!("{} {}", contact.first, contact.last).trim(), 121),
            "FirstName" => cut(&contact.first, 40),
            "LastName" => cut(&contact.last, 80),
            "AccountId" => self.account_id(contact.account),
            "Title" => Value::text(contact.title),
            "Email" => Value::text(&contact.email),
            "CurrencyIsoCode" => self.account_code(contact.account),
            "HasOptedOutOfEmail" => flag(false),
            "Role__c" => Value::text(match contact.role {
                ContactRole::Sponsor => "Executive Sponsor",
                ContactRole::Champion => "Champion",
                ContactRole::Admin => "Admin",
                ContactRole::User => "User",
                ContactRole::Billing => "Billing",
            }),
            "Primary__c" => flag(contact.primary),
            "Left_Company_On__c" => day(contact.left),
            _ => Value::Null,
        }
    }

    fn opportunity(&self, row: u32, name: &str) -> Value {
        let Some(renewal) = self.world.renewals.get(row as usize) else {
            return Value::Null;
        };
        let stage = &STAGES[stage_place(renewal.stage)];
        // The vendor insists on a close date: where the true one is not known, people leave the first that they had.
        let close = || {
            renewal
                .closed
                .or(renewal.due)
                .unwrap_or(renewal.original_due)
        };
        let forecast = match renewal.forecast {
            Forecast::Omitted => 0,
            Forecast::Pipeline => 1,
            Forecast::BestCase => 2,
            Forecast::Commit => 3,
            Forecast::Closed => 4,
        };
        match name {
            "CreatedDate" => Value::seconds(renewal.created),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(renewal.modified),
            "CreatedById" | "LastModifiedById" | "OwnerId" => self.user_id(renewal.owner),
            "Name" => {
                let account = self
                    .world
                    .accounts
                    .get(renewal.account as usize)
                    .map_or("", |account| &*account.name);
                let tail = format!(" - Renewal {}", renewal.original_due.year());
                let head: String = account.chars().take(120 - tail.len()).collect();
                Value::text(&format!("{head}{tail}"))
            }
            "AccountId" => self.account_id(renewal.account),
            "StageName" => Value::text(stage.0),
            "Amount" => self.money(renewal.amount, renewal.currency),
            "Probability" => Value::Num(f64::from(renewal.probability)),
            "ExpectedRevenue" => Value::Num(
                (self.world.major(renewal.amount, renewal.currency)
                    * f64::from(renewal.probability))
                .round()
                    / 100.0,
            ),
            "CloseDate" => Value::Date(close()),
            "Type" => Value::text("Renewal"),
            "NextStep" => Value::text(renewal.next_step.unwrap_or("")),
            "IsClosed" => flag(stage.3),
            "IsWon" => flag(stage.4),
            "ForecastCategory" => Value::text(FORECASTS[forecast].1),
            "ForecastCategoryName" => Value::text(FORECASTS[forecast].0),
            "CurrencyIsoCode" => self.code(renewal.currency),
            "FiscalQuarter" => Value::Int(i64::from(close().month() - 1) / 3 + 1),
            "FiscalYear" => Value::Int(i64::from(close().year())),
            "Fiscal" => Value::text(&format!(
                "{} {}",
                close().year(),
                (close().month() - 1) / 3 + 1
            )),
            "ContractId" => Value::Id(Id {
                object: self.at.contract,
                row: renewal.contract,
            }),
            "LastStageChangeDate" => Value::seconds(renewal.modified),
            "Renewal_Target__c" => self.money(renewal.target, renewal.currency),
            "Original_Close_Date__c" => Value::Date(renewal.original_due),
            "Notice_Date__c" => day(renewal.notice_deadline),
            "Closed_On__c" => day(renewal.closed),
            "Loss_Reason__c" => renewal
                .reason
                .map_or(Value::Null, |reason| Value::text(reason.label())),
            _ => Value::Null,
        }
    }

    fn task(&self, row: u32, name: &str) -> Value {
        let Some(task) = self.world.tasks.get(row as usize) else {
            return self.logged(row, row - self.world.tasks.len() as u32, name);
        };
        match name {
            "CreatedDate" => Value::seconds(task.created),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(task.modified),
            "CreatedById" | "LastModifiedById" | "OwnerId" => self.user_id(task.owner),
            "WhoId" => self.contact_id(task.contact),
            "WhatId" | "AccountId" => self.account_id(task.account),
            "Subject" => cut(&task.subject, 255),
            "ActivityDate" => day(task.due),
            "Status" => Value::text(match task.status {
                TaskStatus::NotStarted => "Not Started",
                TaskStatus::InProgress => "In Progress",
                TaskStatus::Waiting => "Waiting on someone else",
                TaskStatus::Completed => "Completed",
                TaskStatus::Deferred => "Deferred",
            }),
            "Priority" => Value::text(match task.priority {
                Priority::Low => "Low",
                Priority::Normal => "Normal",
                Priority::High => "High",
            }),
            "IsHighPriority" => flag(task.priority == Priority::High),
            "IsClosed" => flag(task.status == TaskStatus::Completed),
            "CompletedDateTime" if task.status == TaskStatus::Completed => {
                task.completed.map_or(Value::Null, Value::seconds)
            }
            "CurrencyIsoCode" => self.account_code(task.account),
            "IsArchived" | "IsReminderSet" => flag(false),
            "TaskSubtype" => Value::text("Task"),
            _ => Value::Null,
        }
    }

    /// A touchpoint that somebody logged as a completed task.
    fn logged(&self, _row: u32, place: u32, name: &str) -> Value {
        let Some(touch) = self.world.touchpoints.get(place as usize) else {
            return Value::Null;
        };
        match name {
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" | "CompletedDateTime" => {
                Value::seconds(touch.at)
            }
            "CreatedById" | "LastModifiedById" | "OwnerId" => self.user_id(touch.author),
            "WhoId" => self.contact_id(touch.contact),
            "WhatId" | "AccountId" => self.account_id(touch.account),
            "Subject" => cut(&self.world.touch_subject(place), 255),
            "Description" => Value::text(&self.world.touch_notes(place)),
            "ActivityDate" => Value::Date(super::value::zoned(touch.at * 1000).date()),
            "Status" => Value::text("Completed"),
            "Priority" => Value::text("Normal"),
            "IsHighPriority" | "IsArchived" | "IsReminderSet" => flag(false),
            "IsClosed" => flag(true),
            "CurrencyIsoCode" => self.account_code(touch.account),
            "Type" => Value::text(match touch.kind {
                TouchKind::Call => "Call",
                TouchKind::Email => "Email",
                _ => "Other",
            }),
            "TaskSubtype" => Value::text(match touch.kind {
                TouchKind::Call => "Call",
                TouchKind::Email => "Email",
                _ => "Task",
            }),
            "CallDurationInSeconds" if touch.kind == TouchKind::Call => {
                Value::Int(i64::from(self.world.touch_minutes(place)) * 60)
            }
            "CallType" if touch.kind == TouchKind::Call => Value::text("Outbound"),
            _ => Value::Null,
        }
    }

    fn event(&self, row: u32, name: &str) -> Value {
        let Some(touch) = self.world.touchpoints.get(row as usize) else {
            return Value::Null;
        };
        let minutes = i64::from(self.world.touch_minutes(row));
        match name {
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" | "StartDateTime"
            | "ActivityDateTime" => Value::seconds(touch.at),
            "EndDateTime" => Value::seconds(touch.at + minutes * 60),
            "DurationInMinutes" => Value::Int(minutes),
            "CreatedById" | "LastModifiedById" | "OwnerId" => self.user_id(touch.author),
            "WhoId" => self.contact_id(touch.contact),
            "WhatId" | "AccountId" => self.account_id(touch.account),
            "Subject" => cut(&self.world.touch_subject(row), 255),
            "Description" => Value::text(&self.world.touch_notes(row)),
            "ActivityDate" => Value::Date(super::value::zoned(touch.at * 1000).date()),
            "IsAllDayEvent" | "IsPrivate" => flag(false),
            "ShowAs" => Value::text("Busy"),
            "EventSubtype" => Value::text("Event"),
            "Type" => Value::text(if touch.kind == TouchKind::Review {
                "Review"
            } else {
                "Meeting"
            }),
            "CurrencyIsoCode" => self.account_code(touch.account),
            _ => Value::Null,
        }
    }

    fn case(&self, row: u32, name: &str) -> Value {
        let Some(case) = self.world.cases.get(row as usize) else {
            return Value::Null;
        };
        match name {
            "CreatedDate" => Value::seconds(case.opened),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(case.modified),
            "CreatedById" | "LastModifiedById" | "OwnerId" => self.user_id(case.owner),
            "CaseNumber" => Value::text(&format!("{:08}", row + 1001)),
            "ContactId" => self.contact_id(case.contact),
            "AccountId" => self.account_id(case.account),
            "Status" => Value::text(match case.status {
                CaseStatus::New => "New",
                CaseStatus::Working => "Working",
                CaseStatus::Waiting => "Waiting on Customer",
                CaseStatus::Escalated => "Escalated",
                CaseStatus::Closed => "Closed",
            }),
            "Type" => Value::text("Problem"),
            "Origin" => Value::text(case.origin),
            "Subject" => Value::text(self.world.case_subject(row)),
            "Priority" => Value::text(match case.severity {
                Severity::Low => CASE_PRIORITIES[0],
                Severity::Medium => CASE_PRIORITIES[1],
                Severity::High => CASE_PRIORITIES[2],
                Severity::Critical => CASE_PRIORITIES[3],
            }),
            "IsClosed" => flag(case.status == CaseStatus::Closed),
            "ClosedDate" => case.closed.map_or(Value::Null, Value::seconds),
            "IsEscalated" => flag(case.escalated),
            "CurrencyIsoCode" => self.account_code(case.account),
            _ => Value::Null,
        }
    }

    fn user(&self, row: u32, name: &str) -> Value {
        let anchor = self.world.anchor_second();
        let Some(user) = self.world.users.get(row as usize) else {
            return match name {
                "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => {
                    Value::seconds(anchor - 900 * 86_400)
                }
                "CreatedById" | "LastModifiedById" => self.user_id(row),
                "Username" | "Email" => Value::text("integration@example.com"),
                "LastName" => Value::text("User"),
                "FirstName" => Value::text("Integration"),
                "Name" => Value::text("Integration User"),
                "Alias" => Value::text("integ"),
                "IsActive" => flag(true),
                "UserType" => Value::text("Standard"),
                "TimeZoneSidKey" => Value::text("GMT"),
                "LocaleSidKey" | "LanguageLocaleKey" => Value::text("en_US"),
                "DefaultCurrencyIsoCode" => Value::text("USD"),
                _ => Value::Null,
            };
        };
        match name {
            "CreatedDate" => Value::seconds(user.created),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(user.modified),
            "CreatedById" | "LastModifiedById" => Value::Id(self.integration_user()),
            "Username" | "Email" => Value::text(&user.email),
            "LastName" => cut(&user.last, 80),
            "FirstName" => cut(&user.first, 40),
            "Name" => cut(&user.name(), 121),
            "CompanyName" => Value::text("Example Inc."),
            "Title" => Value::text(user.title),
            "Department" => Value::text(match user.job {
                Job::Csm | Job::Lead => "Customer Success",
                Job::Seller => "Sales",
                Job::Operations => "Operations",
                Job::Support => "Support",
            }),
            "Alias" => cut(
                &format!("{}{}", user.first.chars().next().unwrap_or('x'), user.last)
                    .to_lowercase(),
                8,
            ),
            "IsActive" => flag(user.active),
            "UserType" => Value::text("Standard"),
            "TimeZoneSidKey" => Value::text("GMT"),
            "LocaleSidKey" | "LanguageLocaleKey" => Value::text("en_US"),
            "ManagerId" => user
                .manager
                .map_or(Value::Null, |manager| self.user_id(manager)),
            "DefaultCurrencyIsoCode" => Value::text("USD"),
            "Region__c" => Value::text(match user.region {
                Region::Amer => "AMER",
                Region::Emea => "EMEA",
                Region::Apac => "APAC",
                Region::Latam => "LATAM",
            }),
            _ => Value::Null,
        }
    }

    fn contract(&self, row: u32, name: &str) -> Value {
        let Some(contract) = self.world.contracts.get(row as usize) else {
            return Value::Null;
        };
        let seller = || {
            self.world
                .accounts
                .get(contract.account as usize)
                .map_or(Value::Null, |account| self.user_id(account.seller))
        };
        match name {
            "CreatedDate" => Value::Time(day_start(contract.start).min(contract.modified * 1000)),
            "LastModifiedDate" | "SystemModstamp" => Value::seconds(contract.modified),
            "CreatedById" | "LastModifiedById" | "OwnerId" => seller(),
            "AccountId" => self.account_id(contract.account),
            "ContractNumber" => Value::text(&format!("{:08}", row + 101)),
            "Status" => Value::text("Activated"),
            "StartDate" => Value::Date(contract.start),
            "EndDate" => Value::Date(contract.end),
            "ContractTerm" => Value::Int(i64::from(contract.term_months)),
            "OwnerExpirationNotice" => Value::text(&contract.notice_days.to_string()),
            "CurrencyIsoCode" => self.code(contract.currency),
            "Annual_Value__c" => self.money(contract.arr, contract.currency),
            "Auto_Renew__c" => flag(contract.auto_renew),
            "Notice_Days__c" => Value::Int(i64::from(contract.notice_days)),
            _ => Value::Null,
        }
    }

    fn survey(&self, row: u32, name: &str) -> Value {
        let Some(survey) = self.world.surveys.get(row as usize) else {
            return Value::Null;
        };
        match name {
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" | "Responded_At__c" => {
                Value::seconds(survey.at)
            }
            "CreatedById" | "LastModifiedById" | "OwnerId" => Value::Id(self.integration_user()),
            "Name" => Value::text(&format!("SR-{row:06}")),
            "Account__c" => self.account_id(survey.account),
            "Contact__c" => self.contact_id(survey.contact),
            "Score__c" => Value::Num(f64::from(survey.score)),
            "Comment__c" => Value::text(self.world.survey_comment(row)),
            "CurrencyIsoCode" => self.account_code(survey.account),
            _ => Value::Null,
        }
    }

    fn snapshot_place(row: u32) -> (u32, usize) {
        (
            row / SNAPSHOTS,
            WEEKS - 1 - 4 * (SNAPSHOTS - 1 - row % SNAPSHOTS) as usize,
        )
    }

    fn snapshot(&self, row: u32, name: &str) -> Value {
        let (account, week) = Self::snapshot_place(row);
        let usage = || self.world.usage(account, week);
        let int = |number: Option<u32>| {
            number.map_or(Value::Null, |number| Value::Int(i64::from(number)))
        };
        match name {
            // Known when the week is over.
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => Value::Time(
                day_start(self.world.week_start(week).saturating_add(7.days()))
                    + i64::from(account % 3600) * 1000,
            ),
            "CreatedById" | "LastModifiedById" | "OwnerId" => Value::Id(self.integration_user()),
            "Name" => Value::text(&format!("US-{row:07}")),
            "Account__c" => self.account_id(account),
            "Week__c" => Value::Date(self.world.week_start(week)),
            "Active_Users__c" => int(usage().map(|usage| usage.active_users)),
            "Seats__c" => int(usage().map(|usage| usage.seats)),
            "Logins__c" => int(usage().map(|usage| usage.logins)),
            "Adoption__c" => {
                usage().map_or(Value::Null, |usage| Value::Num(f64::from(usage.adoption)))
            }
            "Health_Score__c" => self
                .world
                .health(account, week)
                .map_or(Value::Null, |score| Value::Num(f64::from(score))),
            "CurrencyIsoCode" => self.account_code(account),
            _ => Value::Null,
        }
    }

    /// The small tables of the org's own set-up.
    fn setup(&self, object: u16, row: u32, name: &str) -> Value {
        let place = row as usize;
        match name {
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => {
                return Value::seconds(self.world.anchor_second() - 1000 * 86_400);
            }
            "CreatedById" | "LastModifiedById" => return Value::Id(self.integration_user()),
            _ => {}
        }
        if object == self.at.stage {
            let stage = &STAGES[place % STAGES.len()];
            return match name {
                "MasterLabel" | "ApiName" => Value::text(stage.0),
                "IsActive" => flag(true),
                "SortOrder" => Value::Int(i64::from(row) + 1),
                "IsClosed" => flag(stage.3),
                "IsWon" => flag(stage.4),
                "ForecastCategory" => FORECASTS
                    .iter()
                    .find(|forecast| forecast.0 == stage.2)
                    .map_or(Value::Null, |forecast| Value::text(forecast.1)),
                "ForecastCategoryName" => Value::text(stage.2),
                "DefaultProbability" => Value::Num(f64::from(stage.1)),
                _ => Value::Null,
            };
        }
        if object == self.at.currency {
            let Some(currency) = self.world.currencies.get(place) else {
                return Value::Null;
            };
            return match name {
                "IsoCode" => Value::text(currency.code),
                "ConversionRate" => Value::Num(currency.per_usd),
                "DecimalPlaces" => Value::Int(i64::from(currency.decimals)),
                "IsActive" => flag(true),
                "IsCorporate" => flag(currency.code == "USD"),
                _ => Value::Null,
            };
        }
        if object == self.at.group {
            return match name {
                "Name" => Value::text(QUEUES[place % QUEUES.len()].0),
                "DeveloperName" => Value::text(QUEUES[place % QUEUES.len()].1),
                "Type" => Value::text("Queue"),
                _ => Value::Null,
            };
        }
        match name {
            "Name" => Value::text("Example Inc."),
            "InstanceName" => Value::text("CS1"),
            "OrganizationType" => Value::text("Enterprise Edition"),
            "IsSandbox" => flag(false),
            "TimeZoneSidKey" => Value::text("GMT"),
            "DefaultLocaleSidKey" | "LanguageLocaleKey" => Value::text("en_US"),
            "FiscalYearStartMonth" => Value::Int(1),
            "Country" => Value::text("US"),
            _ => Value::Null,
        }
    }
}

impl Source for Fill {
    fn len(&self, object: u16) -> u32 {
        let world = &self.world;
        let at = &self.at;
        let length = match object {
            o if o == at.account => world.accounts.len(),
            o if o == at.contact => world.contacts.len(),
            o if o == at.opportunity => world.renewals.len(),
            o if o == at.task => world.tasks.len() + world.touchpoints.len(),
            o if o == at.event => world.touchpoints.len(),
            o if o == at.case => world.cases.len(),
            o if o == at.user => world.users.len() + 1,
            o if o == at.contract => world.contracts.len(),
            o if o == at.survey => world.surveys.len(),
            o if o == at.usage => world.accounts.len() * SNAPSHOTS as usize,
            o if o == at.stage => STAGES.len(),
            o if o == at.currency => world.currencies.len(),
            o if o == at.group => QUEUES.len(),
            o if o == at.organization => 1,
            _ => 0,
        };
        length as u32
    }

    fn present(&self, object: u16, row: u32) -> bool {
        let world = &self.world;
        let at = &self.at;
        let place = row as usize;
        let touch = |place: usize, event: bool| {
            world.touchpoints.get(place).is_some_and(|touch| {
                !touch.in_gainsight
                    && self.sees(touch.account)
                    && event == matches!(touch.kind, TouchKind::Meeting | TouchKind::Review)
            })
        };
        match object {
            o if o == at.account => self.sees(row),
            o if o == at.contact => world
                .contacts
                .get(place)
                .is_some_and(|row| self.sees(row.account)),
            o if o == at.opportunity => world
                .renewals
                .get(place)
                .is_some_and(|row| self.sees(row.account)),
            o if o == at.task => match world.tasks.get(place) {
                Some(task) => task.risk.is_none() && self.sees(task.account),
                None => touch(place - world.tasks.len(), false),
            },
            o if o == at.event => touch(place, true),
            o if o == at.case => world
                .cases
                .get(place)
                .is_some_and(|row| self.sees(row.account)),
            o if o == at.contract => world
                .contracts
                .get(place)
                .is_some_and(|row| self.sees(row.account)),
            o if o == at.survey => world
                .surveys
                .get(place)
                .is_some_and(|row| self.sees(row.account)),
            o if o == at.usage => {
                let (account, week) = Self::snapshot_place(row);
                self.sees(account) && world.usage(account, week).is_some()
            }
            _ => row < self.len(object),
        }
    }

    fn get(&self, object: u16, row: u32, field: usize) -> Value {
        let definition = &self.schema.object(object).fields[field];
        if definition.hidden {
            return Value::Null;
        }
        let name = definition.name;
        if name == "IsDeleted" {
            return flag(false);
        }
        let at = &self.at;
        let value = match object {
            o if o == at.account => self.account(row, name),
            o if o == at.contact => self.contact(row, name),
            o if o == at.opportunity => self.opportunity(row, name),
            o if o == at.task => self.task(row, name),
            o if o == at.event => self.event(row, name),
            o if o == at.case => self.case(row, name),
            o if o == at.user => self.user(row, name),
            o if o == at.contract => self.contract(row, name),
            o if o == at.survey => self.survey(row, name),
            o if o == at.usage => self.snapshot(row, name),
            _ => self.setup(object, row, name),
        };
        // A check box is never empty.
        if value.is_null() && definition.kind == super::schema::Kind::Bool {
            flag(false)
        } else {
            value
        }
    }
}
