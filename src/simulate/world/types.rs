//! The rows of the world. Money is in minor units of its currency; instants are seconds since 1970 in UTC; days are
//! plain dates. An index of type `u32` is a place in the vector of the named table.

use jiff::civil::Date;

/// How many weeks of usage and health each account has (the last one ended before the anchor date).
pub const WEEKS: usize = 104;

/// A stored value that says "no data for this week" (the customer had not started or was gone).
pub const NO_USAGE: u16 = u16::MAX;

/// A stored value that says "no score for this week".
pub const NO_HEALTH: u8 = u8::MAX;

/// Everything that is true at the anchor date.
#[derive(Debug)]
pub struct World {
    pub seed: u64,
    /// The "today" of the generated book; nothing generated happened after its first second in UTC.
    pub anchor: Date,
    pub currencies: Vec<Currency>,
    pub users: Vec<User>,
    pub accounts: Vec<Account>,
    pub contacts: Vec<Contact>,
    pub contracts: Vec<Contract>,
    pub renewals: Vec<Renewal>,
    pub tasks: Vec<Task>,
    pub cases: Vec<Case>,
    pub risks: Vec<Risk>,
    pub touchpoints: Vec<Touchpoint>,
    pub surveys: Vec<Survey>,
    /// Weekly active users: `WEEKS` values per account, oldest first; read by [`World::usage`].
    pub(super) active_users: Vec<u16>,
    /// Weekly health, 0–100: `WEEKS` values per account, oldest first; read by [`World::health`].
    pub(super) health: Vec<u8>,
}

/// A currency of the book, with its planning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Currency {
    /// ISO 4217.
    pub code: &'static str,
    /// Digits after the point: 2, or 0 for JPY.
    pub decimals: u8,
    /// How many units of this currency are one US dollar (the corporate currency).
    pub per_usd: f64,
}

/// What a colleague does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Csm,
    Seller,
    Lead,
    Operations,
    Support,
}

/// One of our own people.
#[derive(Debug, Clone)]
pub struct User {
    pub first: Box<str>,
    pub last: Box<str>,
    pub email: Box<str>,
    pub job: Job,
    pub title: &'static str,
    pub region: Region,
    pub manager: Option<u32>,
    /// Someone who left: rows may still name them.
    pub active: bool,
    pub created: i64,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    Amer,
    Emea,
    Apac,
    Latam,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    Enterprise,
    MidMarket,
    Smb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touch {
    High,
    Mid,
    Tech,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lifecycle {
    Onboarding,
    Adopting,
    Mature,
    Churned,
}

/// What is behind a customer's trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Driver {
    LowAdoption,
    ValueNotMet,
    ProductDefect,
    Unresponsive,
    SponsorChange,
    Budget,
    Competitor,
    Merger,
}

/// A customer.
#[derive(Debug, Clone)]
pub struct Account {
    /// As Salesforce spells it (and Gainsight, unless `gainsight_name` says otherwise).
    pub name: Box<str>,
    /// Gainsight's other spelling of the same company.
    pub gainsight_name: Option<Box<str>>,
    /// Mail domain; empty where nobody filled it in.
    pub domain: Box<str>,
    pub industry: &'static str,
    pub country: &'static str,
    pub region: Region,
    pub segment: Segment,
    pub touch: Touch,
    pub lifecycle: Lifecycle,
    /// A parent in the same table (always a smaller index).
    pub parent: Option<u32>,
    pub csm: u32,
    pub seller: u32,
    /// Place in [`World::currencies`].
    pub currency: u8,
    /// Yearly recurring revenue in minor units of `currency`; 0 when churned.
    pub arr: i64,
    pub seats: u32,
    pub employees: u32,
    /// First day as a customer. A few are impossible (year 0202, 2099).
    pub start: Date,
    /// What the systems show as the renewal date; missing for a few, impossible for a few.
    pub renewal_date: Option<Date>,
    pub in_salesforce: bool,
    pub in_gainsight: bool,
    /// Gainsight's row carries the Salesforce id.
    pub linked: bool,
    /// Gainsight's row carries the web domain.
    pub gainsight_domain: bool,
    pub trouble: Option<Driver>,
    /// A CSM's own feeling: -1, 0, 1.
    pub sentiment: i8,
    pub created: i64,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContactRole {
    Sponsor,
    Champion,
    Admin,
    User,
    Billing,
}

/// A person at a customer.
#[derive(Debug, Clone)]
pub struct Contact {
    pub account: u32,
    pub first: Box<str>,
    pub last: Box<str>,
    pub email: Box<str>,
    pub title: &'static str,
    pub role: ContactRole,
    pub primary: bool,
    /// Has left the customer.
    pub left: Option<Date>,
    pub created: i64,
    pub modified: i64,
}

/// What was signed.
#[derive(Debug, Clone)]
pub struct Contract {
    pub account: u32,
    pub start: Date,
    /// The last day that is paid.
    pub end: Date,
    pub term_months: u8,
    pub arr: i64,
    pub currency: u8,
    pub notice_days: u8,
    pub auto_renew: bool,
    pub active: bool,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    Prospecting,
    Discovery,
    Proposal,
    Negotiation,
    Verbal,
    Won,
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Forecast {
    Omitted,
    Pipeline,
    BestCase,
    Commit,
    Closed,
}

/// A renewal: past (stage `Won` or `Lost`) or open.
#[derive(Debug, Clone)]
pub struct Renewal {
    pub account: u32,
    pub contract: u32,
    /// The day after the term; missing or impossible for a few open ones.
    pub due: Option<Date>,
    pub original_due: Date,
    /// Last day on which the customer can give notice.
    pub notice_deadline: Option<Date>,
    /// What is expected (open) or was signed (won); minor units.
    pub amount: i64,
    /// What runs out: the amount that renews flat.
    pub target: i64,
    pub currency: u8,
    pub stage: Stage,
    pub forecast: Forecast,
    /// Percent.
    pub probability: u8,
    pub owner: u32,
    pub closed: Option<Date>,
    /// Why it was lost or shrank.
    pub reason: Option<Driver>,
    pub next_step: Option<&'static str>,
    pub created: i64,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    Low,
    Normal,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskStatus {
    NotStarted,
    InProgress,
    Waiting,
    Completed,
    Deferred,
}

/// Something that one of our people has to do. With `risk` it is a step of a Gainsight call to action, else a Salesforce task.
#[derive(Debug, Clone)]
pub struct Task {
    pub account: u32,
    pub risk: Option<u32>,
    pub contact: Option<u32>,
    pub subject: Box<str>,
    pub due: Option<Date>,
    pub status: TaskStatus,
    pub priority: Priority,
    pub owner: u32,
    pub completed: Option<i64>,
    pub created: i64,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseStatus {
    New,
    Working,
    Waiting,
    Escalated,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// A support case (Salesforce).
#[derive(Debug, Clone)]
pub struct Case {
    pub account: u32,
    pub contact: Option<u32>,
    /// Place in a list of subjects.
    pub(super) subject: u16,
    pub status: CaseStatus,
    pub severity: Severity,
    pub escalated: bool,
    pub origin: &'static str,
    pub owner: u32,
    pub opened: i64,
    pub closed: Option<i64>,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskStatus {
    New,
    InProgress,
    Acknowledged,
    ClosedSaved,
    ClosedLost,
    ClosedInvalid,
}

/// What kind of call to action it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskKind {
    Risk,
    Opportunity,
    Lifecycle,
}

/// A call to action (Gainsight), mostly a risk.
#[derive(Debug, Clone)]
pub struct Risk {
    pub account: u32,
    pub kind: RiskKind,
    pub reason: Driver,
    pub status: RiskStatus,
    pub priority: Priority,
    pub important: bool,
    pub owner: u32,
    pub name: Box<str>,
    pub due: Date,
    pub opened: i64,
    pub closed: Option<i64>,
    pub modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TouchKind {
    Call,
    Meeting,
    Email,
    Update,
    Review,
}

/// Something that happened between us and a customer.
#[derive(Debug, Clone)]
pub struct Touchpoint {
    pub account: u32,
    pub contact: Option<u32>,
    pub kind: TouchKind,
    pub author: u32,
    pub at: i64,
    /// Kept in Gainsight's timeline; else a Salesforce event or completed task.
    pub in_gainsight: bool,
    /// -1, 0, 1: how it went.
    pub mood: i8,
}

/// An answer to a survey (NPS 0–10).
#[derive(Debug, Clone)]
pub struct Survey {
    pub account: u32,
    pub contact: Option<u32>,
    pub score: u8,
    pub at: i64,
    /// Place in a list of comments.
    pub(super) comment: u16,
}

/// One week of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageWeek {
    /// A Monday.
    pub week: Date,
    pub active_users: u32,
    pub seats: u32,
    pub logins: u32,
    /// Share of the key features in use, percent.
    pub adoption: u8,
}

impl Account {
    /// The name that Gainsight shows.
    pub fn name_in_gainsight(&self) -> &str {
        self.gainsight_name.as_deref().unwrap_or(&self.name)
    }
}

impl User {
    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

impl Stage {
    pub fn closed(self) -> bool {
        matches!(self, Stage::Won | Stage::Lost)
    }
}
