//! What can be set, with the defaults.

use super::figures::{Growth, Onboarding, Quality, Voice};
use super::secret::Secret;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that `config.toml` can say. Each value that the file does not give has its default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The systems of record, in the file's order; only those that are usable.
    pub sources: Vec<SourceConfig>,
    /// Who sits here.
    pub me: Me,
    /// Which source takes which kind of write.
    pub write: WriteHomes,
    /// Days, weeks and fiscal years.
    pub calendar: Calendar,
    /// Currencies.
    pub money: MoneySettings,
    /// Conventions and targets of retention.
    pub metrics: Metrics,
    /// Probabilities of loss and what enters the queue.
    pub risk: Risk,
    /// How csops' own health score is made.
    pub health: Health,
    /// How renewals are forecast.
    pub forecast: super::Forecast,
    /// Acting on the queue.
    pub triage: Triage,
    /// Target bands per segment or touch model, by its canonical name.
    pub segments: BTreeMap<String, SegmentTarget>,
    /// Work and who does it.
    pub capacity: super::Capacity,
    /// From when on data is defective.
    pub quality: Quality,
    /// What speaks for expansion.
    pub growth: Growth,
    /// How onboarding is read from records.
    pub onboarding: Onboarding,
    /// How surveys are read.
    pub voice: Voice,
    /// Which source's value wins, best first: by field (`account.arr`), by kind (`account`), or `*`.
    pub precedence: BTreeMap<String, Vec<String>>,
    /// By what two systems' rows are the same.
    pub identity: IdentitySettings,
    /// Kinds of which only the rows of some sources count (`[read]`).
    pub read: BTreeMap<String, Vec<String>>,
    /// How the cockpit looks and is handled.
    pub interface: Interface,
    /// No write leaves this machine.
    pub read_only: bool,
    /// How much is logged.
    pub log_level: LogLevel,
}

/// By what two systems' rows are the same (`[identity]`).
#[derive(Clone, Debug, PartialEq)]
pub struct IdentitySettings {
    /// Marks of accounts, in order: `stored_id`, `external_id`, `domain`, `name`.
    pub account: Vec<&'static str>,
    /// Marks of colleagues and contacts: `stored_id`, `external_id`, `email`.
    pub person: Vec<&'static str>,
    /// Domains that say nothing about whose company it is, in small letters.
    pub shared_domains: Vec<String>,
    /// Domains that do, although csops knows them as mail hosts.
    pub own_domains: Vec<String>,
    /// E-mail addresses that several people share, in small letters.
    pub shared_emails: Vec<String>,
    /// Fields that hold the id at another system.
    pub ids: Vec<IdFieldSettings>,
}

/// A field that holds the id which another source gives the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct IdFieldSettings {
    /// The source that has the field.
    pub source: String,
    /// The field, `account.x.CRM_Id__c`.
    pub field: String,
    /// The source whose id it is.
    pub of: String,
    /// Where it stands in the file, `config.toml:12`.
    pub at: String,
}

impl Default for IdentitySettings {
    fn default() -> IdentitySettings {
        IdentitySettings {
            account: vec!["stored_id", "external_id", "domain", "name"],
            person: vec!["stored_id", "email"],
            shared_domains: Vec::new(),
            own_domains: Vec::new(),
            shared_emails: Vec::new(),
            ids: Vec::new(),
        }
    }
}

/// One system of record (`[[source]]`).
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// What people call it; unique.
    pub name: String,
    /// The connector, `salesforce`.
    pub connector: String,
    /// Where, when it is not the vendor's own address.
    pub base_url: Option<String>,
    /// How to log in.
    pub auth: AuthSettings,
    /// How often it is pulled. At least ten seconds; default 15 minutes.
    pub every: Duration,
    /// Whose accounts are pulled.
    pub scope: Scope,
    /// Our promise of requests per day.
    pub daily_requests: Option<u64>,
    /// No write goes to this source.
    pub read_only: bool,
    /// A file with a certificate authority to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// The tenant's field names: canonical (`account.health`) → theirs (`Health__c`).
    pub fields: BTreeMap<String, String>,
    /// Options of the connector, as texts.
    pub options: BTreeMap<String, String>,
    /// Secrets beside the login, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Where the source stands in the file, `config.toml:12`.
    pub at: String,
}

/// Whose accounts a source pulls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    #[default]
    All,
    /// Only those of `[me]`.
    Mine,
}

/// How a source logs in; secrets are fetched when it is opened.
#[derive(Clone, Debug)]
pub enum AuthSettings {
    /// OAuth 2.0 client credentials.
    ClientCredentials {
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: Secret,
        /// Token address, when it is not the vendor's usual one.
        token_url: Option<String>,
        /// Scopes to ask for, when they are not the connector's own.
        scopes: Vec<String>,
    },
    /// OAuth 2.0 refresh token.
    Refresh {
        /// Client id.
        client_id: String,
        /// Client secret, if the client has one.
        client_secret: Option<Secret>,
        /// The refresh token to start with.
        refresh_token: Secret,
        /// Token address.
        token_url: Option<String>,
        /// Where a refresh token is taken back.
        revoke_url: Option<String>,
    },
    /// OAuth 2.0 authorization code with PKCE: `csops auth login` opens the browser.
    AuthorizationCode {
        /// Client id.
        client_id: String,
        /// Client secret, if the client has one.
        client_secret: Option<Secret>,
        /// Where a person logs in.
        authorize_url: Option<String>,
        /// Token address.
        token_url: Option<String>,
        /// Where a refresh token is taken back.
        revoke_url: Option<String>,
        /// Scopes to ask for, when they are not the connector's own.
        scopes: Vec<String>,
        /// The port that the browser comes back to; none: any free one.
        redirect_port: Option<u16>,
    },
    /// JWT bearer, RS256.
    JwtBearer {
        /// Client id (issuer).
        client_id: String,
        /// User name (subject).
        username: String,
        /// Private key, PEM.
        private_key: Secret,
        /// Audience.
        audience: Option<String>,
        /// Token address.
        token_url: Option<String>,
    },
    /// A fixed token.
    Bearer(Secret),
    /// A header with a key.
    Header {
        /// Header name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// A key in the query of every address.
    Query {
        /// Parameter name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// HTTP Basic.
    Basic {
        /// User; may be the secret.
        user: Secret,
        /// Password; none: it is empty.
        password: Option<Secret>,
        /// Only the user is encoded, without a colon.
        raw: bool,
    },
    /// A login in two steps, as the connector describes it.
    Login {
        /// User, where there is one.
        user: Option<Secret>,
        /// Password or token.
        password: Secret,
    },
    /// Nothing.
    None,
}

impl AuthSettings {
    /// The kind's name in the settings file.
    pub fn kind(&self) -> &'static str {
        match self {
            AuthSettings::ClientCredentials { .. } => "client_credentials",
            AuthSettings::Refresh { .. } => "refresh",
            AuthSettings::AuthorizationCode { .. } => "authorization_code",
            AuthSettings::JwtBearer { .. } => "jwt_bearer",
            AuthSettings::Bearer(_) => "bearer",
            AuthSettings::Header { .. } => "header",
            AuthSettings::Query { .. } => "query",
            AuthSettings::Basic { .. } => "basic",
            AuthSettings::Login { .. } => "login",
            AuthSettings::None => "none",
        }
    }

    /// Its secrets, by their keys.
    pub fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let all: Vec<(&'static str, Option<&Secret>)> = match self {
            AuthSettings::ClientCredentials { client_secret, .. } => {
                vec![("client_secret", Some(client_secret))]
            }
            AuthSettings::Refresh {
                client_secret,
                refresh_token,
                ..
            } => vec![
                ("client_secret", client_secret.as_ref()),
                ("refresh_token", Some(refresh_token)),
            ],
            AuthSettings::AuthorizationCode { client_secret, .. } => {
                vec![("client_secret", client_secret.as_ref())]
            }
            AuthSettings::JwtBearer { private_key, .. } => {
                vec![("private_key", Some(private_key))]
            }
            AuthSettings::Bearer(token) => vec![("token", Some(token))],
            AuthSettings::Header { value, .. } | AuthSettings::Query { value, .. } => {
                vec![("value", Some(value))]
            }
            AuthSettings::Basic { user, password, .. } => {
                vec![("user", Some(user)), ("password", password.as_ref())]
            }
            AuthSettings::Login { user, password } => {
                vec![("user", user.as_ref()), ("password", Some(password))]
            }
            AuthSettings::None => Vec::new(),
        };
        all.into_iter().filter_map(|(k, s)| Some((k, s?))).collect()
    }
}

/// Who sits here (`[me]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Me {
    /// E-mail, lower case: `owner:me`, and the author of what is written.
    pub email: Option<String>,
    /// What they are called, for messages; default: as the systems of record say.
    pub name: Option<String>,
}

/// The one home of each kind of write (`[write]`): a source, or `local`: kept here, unless a source that can be written holds the thing already. A
/// kind without a home goes to the only source that can take it, and is kept here where the file names no source at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteHomes {
    /// Risks: ack, claim, assign, escalate, resolve.
    pub risk: Option<String>,
    /// Notes and logged calls.
    pub note: Option<String>,
    /// Tasks.
    pub task: Option<String>,
    /// Renewals.
    pub renewal: Option<String>,
    /// The account's CSM.
    pub csm: Option<String>,
}

/// Days, weeks and fiscal years (`[calendar]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// In which days begin and end; default: the machine's.
    pub time_zone: TimeZone,
    /// First month (1–12) and day of the fiscal year; default 1 January.
    pub fiscal_year_start: (i8, i8),
    /// First day of the week.
    pub week_start: Weekday,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar {
            time_zone: TimeZone::system(),
            fiscal_year_start: (1, 1),
            week_start: Weekday::Monday,
        }
    }
}

/// Currencies (`[money]`).
#[derive(Clone, Debug, PartialEq)]
pub struct MoneySettings {
    /// In which totals are shown (ISO 4217); default USD.
    pub reporting_currency: String,
    /// Own rates. One without a day stands in for all of the vendors' for its currency; one with a day wins over theirs of that day.
    pub rates: Vec<ConfiguredRate>,
}

/// An own rate of exchange (`[money.rates]`, `[money.plan_rates]`).
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredRate {
    /// One unit of this currency …
    pub currency: String,
    /// … is this many of the reporting currency.
    pub rate: f64,
    /// From this day on; nothing: always.
    pub at: Option<Date>,
    /// A rate that a plan is made with, and no amount of today is converted by.
    pub plan: bool,
}

/// Retention (`[metrics]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Switches of the policy that are set, with their values as written.
    pub policy: BTreeMap<String, String>,
    /// Accounts with rows in several currencies count, each row at its own rate; else they are left out.
    pub convert_mixed: bool,
    /// The gross retention that is wanted, as a fraction.
    pub grr_target: Option<f64>,
    /// The net retention that is wanted.
    pub nrr_target: Option<f64>,
    /// The share of customers lost that is not to be exceeded.
    pub logo_churn_target: Option<f64>,
}

impl Default for MoneySettings {
    fn default() -> Self {
        MoneySettings {
            reporting_currency: "USD".to_owned(),
            rates: Vec::new(),
        }
    }
}

/// Probabilities of loss until they are learnt (`[risk]`): placeholders, shown as such.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Health from here on is good.
    pub good: u8,
    /// Health from here on (and under `good`) is to be watched; under it, bad.
    pub watch: u8,
    /// Probability of loss, 0 to 1: good health; watch; bad; bad with an open risk. An open risk raises the others by one step.
    pub probabilities: [f64; 4],
    /// An account whose probability is above this enters the queue.
    pub threshold: f64,
    /// The chance to save an account by the days left: the most there is, the day at which half of it is left, how many days it takes to
    /// fall: most / (1 + e^(−(d − half)/days)).
    pub save_curve: [f64; 3],
}

impl Default for Risk {
    fn default() -> Self {
        Risk {
            good: 70,
            watch: 40,
            probabilities: [0.05, 0.25, 0.55, 0.85],
            threshold: 0.25,
            save_curve: [0.65, 60.0, 20.0],
        }
    }
}

/// How csops' own health score is made (`[health]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Whose score the probability of loss goes by, where the vendor and csops both have one.
    pub drive: HealthDrive,
    /// What becomes of the weight of signals that are missing or old.
    pub missing: HealthMissing,
    /// The least share of the weight, 0 to 1, with which there is a band.
    pub coverage: f64,
    /// How many points beyond an edge a score must be to leave its band.
    pub hysteresis: u8,
    /// A score from here on is good; default: as `[risk]`.
    pub good: Option<u8>,
    /// A score under this is bad; default: as `[risk]`.
    pub watch: Option<u8>,
    /// The signals in the file's order; none: the built-in ones.
    pub signals: Vec<HealthSignal>,
    /// What holds otherwise for some accounts.
    pub when: Vec<HealthWhen>,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            drive: HealthDrive::Vendor,
            missing: HealthMissing::Drop,
            coverage: 0.6,
            hysteresis: 3,
            good: None,
            watch: None,
            signals: Vec::new(),
            when: Vec::new(),
        }
    }
}

/// Whose score drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthDrive {
    /// The vendor's where it has one.
    Vendor,
    /// csops' where it is sufficient.
    Csops,
}

/// What becomes of missing weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthMissing {
    /// The rest counts for all.
    Drop,
    /// It counts as 50 points.
    Neutral,
    /// It counts as 0 points.
    Bad,
}

/// A signal of the model (`[health.signals.NAME]`), or what is otherwise about it in a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthSignal {
    /// Its name.
    pub name: String,
    /// What is measured; empty in a case.
    pub measure: String,
    /// Its weight; default 1.
    pub weight: Option<f64>,
    /// How a value becomes points.
    pub scale: Option<HealthScale>,
    /// After so many days half of its weight is left; none: it does not fade.
    pub half_life: Option<f64>,
}

/// How a value becomes points.
#[derive(Clone, Debug, PartialEq)]
pub enum HealthScale {
    /// On a straight line.
    Linear {
        /// The value of 0 points.
        worst: f64,
        /// The value of 100 points.
        best: f64,
    },
    /// From each value on so many points.
    Steps(Vec<(f64, f64)>),
}

/// What holds otherwise for some accounts (`[[health.when]]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthWhen {
    /// Only this segment.
    pub segment: Option<String>,
    /// Only this touch model.
    pub touch: Option<String>,
    /// Only this lifecycle stage.
    pub stage: Option<String>,
    /// Only customers of at least so many months.
    pub from_month: Option<u16>,
    /// Only customers of less than so many months.
    pub to_month: Option<u16>,
    /// Good from here on.
    pub good: Option<u8>,
    /// Bad under this.
    pub watch: Option<u8>,
    /// Other weights, scales and half-lives.
    pub signals: Vec<HealthSignal>,
}

impl HealthWhen {
    /// So many cases count.
    pub const MOST: usize = 32;
}

/// Acting on the queue (`[triage]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Triage {
    /// How long an action can be taken back before it is sent; 0 to 5 minutes, default 5 seconds.
    pub grace: Duration,
    /// How long `s` snoozes when no date is given; days, default 7.
    pub snooze_days: u16,
    /// Escalation levels, lowest first.
    pub levels: Vec<String>,
    /// Reasons offered for an escalation.
    pub reasons: Vec<String>,
    /// Outcomes offered for a resolve: canonical names.
    pub outcomes: Vec<String>,
}

impl Default for Triage {
    fn default() -> Self {
        let texts = |t: &[&str]| t.iter().map(|s| (*s).to_owned()).collect();
        Triage {
            grace: Duration::from_secs(5),
            snooze_days: 7,
            levels: texts(&["L0", "L1", "L2", "L3"]),
            reasons: texts(&[
                "lack of adoption",
                "value not met",
                "product defect",
                "unresponsive",
                "sponsor change",
                "negative sentiment",
                "budget",
                "competitor",
                "merger or acquisition",
            ]),
            outcomes: texts(&["saved", "reduced", "lost", "false_alarm"]),
        }
    }
}

/// What one CSM should carry in a segment or touch model (`[segments.NAME]`). Nothing given: the built-in rules of thumb.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentTarget {
    /// Accounts per CSM, from and to.
    pub accounts_per_csm: Option<(f64, f64)>,
    /// ARR per CSM in the reporting currency's units, from and to.
    pub arr_per_csm: Option<(f64, f64)>,
}

/// How the cockpit looks and is handled (`[interface]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// The theme's name (a file in `themes/`, or a built-in one).
    pub theme: String,
    /// Mouse: select, scroll, click.
    pub mouse: bool,
    /// Ask the terminal for its extended keyboard protocol (tells ctrl-i from tab).
    pub extended_keys: bool,
    /// The screen that opens first, 0 to 5.
    pub screen: u8,
    /// Start with everybody's book instead of mine.
    pub everybody: bool,
}

impl Default for Interface {
    fn default() -> Self {
        Interface {
            theme: "dark".to_owned(),
            mouse: true,
            extended_keys: true,
            screen: 0,
            everybody: false,
        }
    }
}

/// How much is logged (`[log] level`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// And what may fail.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And how.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name, as `tracing` takes it.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}
