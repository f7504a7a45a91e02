//! The command line: its words, in one place, as clap reads them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The terminal cockpit for Customer Success.
#[derive(Debug, Parser)]
#[command(name = "csops", version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without a command the cockpit opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// The configuration file.
    #[arg(long, global = true, env = "CSOPS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database.
    #[arg(long, global = true, env = "CSOPS_DB", value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Start the clock here instead of now (2026-11-22 or 2026-11-22T09:00:00Z); it runs on from there.
    #[arg(long, global = true, env = "CSOPS_NOW", value_name = "TIME")]
    pub now: Option<String>,
    /// Where logs go instead of the state folder.
    #[arg(long, global = true, env = "CSOPS_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The theme of the cockpit.
    #[arg(long, global = true, env = "CSOPS_THEME", value_name = "NAME")]
    pub theme: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulated vendors on loopback, and the cockpit on them, through the real connectors over real HTTP.
    Demo(Demo),
    /// Write a small configuration by asking.
    Init(Init),
    /// One pull and push, with progress on stderr.
    Sync(Sync),
    /// How fresh and how complete the data is, source by source.
    Status(Status),
    /// List accounts, the queue, renewals, tasks, escalations, segments, people or sources.
    List(List),
    /// What is wrong with the data, the ARR that it hides, and what puts it right.
    Quality(Quality),
    /// Take in a file of rows (CSV or JSON lines); needs no source.
    Import(Import),
    /// What `list` shows, into a file that is safe for spreadsheets.
    Export(Export),
    /// ARR, GRR, NRR, logo churn, the ARR waterfall, the renewal forecast, and how complete they are.
    Metrics(Metrics),
    /// Which accounts would best change hands so that nobody has more than fits: shown, and done.
    Rebalance(Rebalance),
    /// A page of the metrics screen: overview, retention, forecast and so on; without a name the pages that there are.
    Page(Page),
    /// One account in full, by name, id, domain or external id.
    Show(Show),
    /// Run a cockpit command on everything that a query matches.
    Do(Do),
    /// What waits to be sent, what failed, what is in conflict.
    Outbox(Outbox),
    /// Check or show the configuration.
    Config(Config),
    /// The key bindings.
    Keys(Keys),
    /// What a source is and what it can do.
    Connect(Connect),
    /// Log in to a source, see how each one logs in, forget a login.
    Auth(Auth),
    /// The health model: who would change band under another one.
    Health(Health),
    /// What would be if a signal of an account moved, or a scenario came true; nothing is written.
    Whatif(WhatIf),
    /// Everything that could be wrong, each with its remedy.
    Doctor(Doctor),
}

/// `csops demo`.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// How many accounts.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub accounts: u32,
    /// The seed of the world.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which vendors, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub vendors: Vec<String>,
    /// Whose cockpit it is: the e-mail address or first name of one of the world's people.
    #[arg(long = "as", value_name = "USER", default_value = "dana@example.com")]
    pub as_user: String,
    /// Make the vendors slow, failing, rate-limited or cut off: latency=200ms,error=5%,rate-limit,truncate=1%.
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
    /// No live changes.
    #[arg(long)]
    pub freeze: bool,
    /// Only serve: one JSON line per vendor on stdout, then the path of a ready configuration, then run until a signal.
    #[arg(long)]
    pub serve: bool,
    /// Serve https with a self-signed certificate.
    #[arg(long)]
    pub tls: bool,
    /// Vendor number i listens on P+i.
    #[arg(long, value_name = "P")]
    pub port_base: Option<u16>,
    /// Where its configuration and database live.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Start the demo afresh.
    #[arg(long)]
    pub reset: bool,
}

/// `csops init`.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// Overwrite a configuration that exists (the old one is kept beside it).
    #[arg(long)]
    pub force: bool,
}

/// `csops sync`.
#[derive(Clone, Debug, Args)]
pub struct Sync {
    /// Only these sources.
    pub sources: Vec<String>,
    /// Go on until a signal, by the schedules.
    #[arg(long)]
    pub watch: bool,
    /// Ignore the cursors and read everything again.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops status`.
#[derive(Clone, Debug, Args)]
pub struct Status {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Exit 1 when anything is older than this or failing (30m, 2h, 1d).
    #[arg(long, value_name = "AGE")]
    pub max_age: Option<String>,
    /// Not of an earlier day: how sources went is not kept by day.
    #[arg(long, value_name = "DATE", hide = true)]
    pub as_of: Option<String>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Every account.
    Accounts,
    /// The at-risk queue.
    Queue,
    /// Renewals.
    Renewals,
    /// Tasks.
    Tasks,
    /// Risks.
    Escalations,
    /// Segments and their ratios.
    Segments,
    /// Our own people.
    People,
    /// Sources.
    Sources,
}

/// `csops list`.
#[derive(Clone, Debug, Args)]
pub struct List {
    /// What.
    pub kind: Kind,
    /// Which of them, in the query language.
    pub query: Vec<String>,
    /// One JSON document.
    #[arg(long, conflicts_with_all = ["ndjson", "csv"])]
    pub json: bool,
    /// One JSON object per line.
    #[arg(long, conflicts_with = "csv")]
    pub ndjson: bool,
    /// CSV, safe for spreadsheets.
    #[arg(long)]
    pub csv: bool,
    /// These columns, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub columns: Vec<String>,
    /// Sort by these columns; a minus sorts downwards.
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_name = "-ARR,NAME"
    )]
    pub sort: Vec<String>,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// As it was known at the end of that day (2026-11-03, -30d): accounts, queue, renewals, segments, escalations, people.
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub as_of: Option<String>,
}

/// `csops quality`.
#[derive(Clone, Debug, Args)]
pub struct Quality {
    /// Only these kinds of defect.
    #[arg(value_name = "DEFECT")]
    pub kind: Vec<String>,
    /// The kinds of defect, what each hides and how it is put right.
    #[arg(long)]
    pub kinds: bool,
    /// Only the accounts of [me].
    #[arg(long)]
    pub mine: bool,
    /// One JSON document.
    #[arg(long, conflicts_with_all = ["ndjson", "csv"])]
    pub json: bool,
    /// One JSON object per line.
    #[arg(long, conflicts_with = "csv")]
    pub ndjson: bool,
    /// CSV, safe for spreadsheets.
    #[arg(long)]
    pub csv: bool,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// What a file to be imported can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportKind {
    /// Customers.
    Accounts,
    /// Our own people.
    People,
    /// Subscription lines.
    Subscriptions,
    /// Movements of annual recurring revenue.
    Movements,
    /// Renewals.
    Renewals,
    /// Chances to sell more.
    Opportunities,
    /// Tasks.
    Tasks,
    /// Dated numbers: usage, health, survey answers.
    Signals,
    /// Risks.
    Escalations,
    /// Exchange rates.
    Rates,
}

impl ImportKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            ImportKind::Accounts => "accounts",
            ImportKind::People => "people",
            ImportKind::Subscriptions => "subscriptions",
            ImportKind::Movements => "movements",
            ImportKind::Renewals => "renewals",
            ImportKind::Opportunities => "opportunities",
            ImportKind::Tasks => "tasks",
            ImportKind::Signals => "signals",
            ImportKind::Escalations => "escalations",
            ImportKind::Rates => "rates",
        }
    }
}

/// `csops import`.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// The file: separated values, or .jsonl/.ndjson.
    pub file: PathBuf,
    /// What its rows are; else its map file or the beginning of its name says.
    #[arg(long)]
    pub kind: Option<ImportKind>,
    /// A map file: separator, encoding, order of days, and which column is which.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Say row by row what would happen and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The source that the rows become records of.
    #[arg(long, value_name = "NAME", default_value = "files")]
    pub source: String,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops export`.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// As in `csops list`.
    #[command(flatten)]
    pub list: List,
    /// The file; its ending says the format. Without it CSV goes to stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `csops metrics`.
#[derive(Clone, Debug, Args)]
pub struct Metrics {
    /// Conventions that are not the configured ones: window, denominator, netting, cap, late, early, reactivation, price, fx, one_off, unit.
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub policy: Vec<String>,
    /// The first day; the opening is the end of the day before.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// The last day; default today.
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// From what csops knew at the end of this day (2026-11-03, -30d).
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub as_of: Option<String>,
    /// By segment, csm, region, touch, industry, stage, cohort (start quarter), currency or product.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub by: Vec<String>,
    /// The rows from which GRR can be recomputed.
    #[arg(long)]
    pub explain: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What the table of a rebalance is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RebalanceBy {
    /// Every CSM.
    Csm,
    /// Who leads them.
    Team,
    /// Where they work.
    Region,
}

/// `csops rebalance`.
#[derive(Clone, Debug, Args)]
pub struct Rebalance {
    /// What the table before and after is by.
    #[arg(long, default_value = "csm")]
    pub by: RebalanceBy,
    /// At most so many moves.
    #[arg(long, value_name = "N")]
    pub max_moves: Option<usize>,
    /// Accounts that never move, besides the configured ones.
    #[arg(long, value_name = "QUERY")]
    pub keep: Option<String>,
    /// Give accounts without a CSM to somebody too.
    #[arg(long)]
    pub unassigned: bool,
    /// Only show it.
    #[arg(long)]
    pub dry_run: bool,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops page`.
#[derive(Clone, Debug, Args)]
pub struct Page {
    /// Which page.
    pub name: Option<String>,
    /// Only the book of [me].
    #[arg(long)]
    pub mine: bool,
    /// As it was known at the end of that day (2026-11-03, -30d).
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub as_of: Option<String>,
    /// Another value for a switch of the page; may be given several times.
    #[arg(long, value_name = "SWITCH=VALUE")]
    pub set: Vec<String>,
    /// Say of each figure its definition, arithmetic, rows in and out, coverage, age and source.
    #[arg(long)]
    pub explain: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops show`.
#[derive(Clone, Debug, Args)]
pub struct Show {
    /// Name, id, domain or external id.
    #[arg(required = true)]
    pub account: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops do`.
#[derive(Clone, Debug, Args)]
pub struct Do {
    /// The command, as in the palette: 'snooze +7d'.
    pub command: String,
    /// On what, in the query language.
    #[arg(long, value_name = "QUERY")]
    pub on: String,
    /// What the query is about.
    #[arg(long, default_value = "queue")]
    pub kind: Kind,
    /// Say what would happen and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// `csops outbox`.
#[derive(Clone, Debug, Args)]
pub struct Outbox {
    /// What to do.
    #[arg(default_value = "list")]
    pub verb: OutboxVerb,
    /// The item (its first letters are enough).
    pub id: Option<String>,
    /// Keep the vendor's value.
    #[arg(long, conflicts_with = "mine")]
    pub theirs: bool,
    /// Keep ours.
    #[arg(long)]
    pub mine: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// What to do with the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutboxVerb {
    /// Show it.
    List,
    /// Try again now.
    Retry,
    /// Forget it.
    Drop,
    /// Decide a conflict.
    Resolve,
}

/// `csops config`.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

/// What to do with the configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigVerb {
    /// Read everything and report what is wrong, with file, line and column.
    Check {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print what is in force.
    Show {
        /// Say where each value comes from.
        #[arg(long)]
        origin: bool,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print where the files lie.
    Path {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

/// `csops keys`.
#[derive(Clone, Debug, Args)]
pub struct Keys {
    /// What to show.
    #[command(subcommand)]
    pub verb: KeysVerb,
}

/// What to show of the keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysVerb {
    /// Every binding.
    List,
    /// Bindings that stand in each other's way, and commands that do not exist.
    Conflicts,
    /// What a key or a sequence does.
    Describe {
        /// The keys, `g g`.
        keys: Vec<String>,
    },
}

/// `csops connect`.
#[derive(Clone, Debug, Args)]
pub struct Connect {
    /// What to do.
    #[command(subcommand)]
    pub verb: ConnectVerb,
}

/// What to do with a source.
#[derive(Clone, Debug, Subcommand)]
pub enum ConnectVerb {
    /// The sources, and the connectors that there are.
    List,
    /// Connector manifests.
    Manifest {
        /// What to do.
        #[command(subcommand)]
        verb: ManifestVerb,
    },
    /// Log in and prove it.
    Check {
        /// The source.
        source: String,
    },
    /// What it can write, and what each action writes.
    Describe {
        /// The source.
        source: String,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

/// `csops auth`.
#[derive(Clone, Debug, Args)]
pub struct Auth {
    /// What to do.
    #[command(subcommand)]
    pub verb: AuthVerb,
}

/// What to do with a login.
#[derive(Clone, Debug, Subcommand)]
pub enum AuthVerb {
    /// Log in: in the browser where the vendor has that, else by typing the secret, which is kept in the keyring or in a file of mode 0600.
    Login {
        /// The source.
        source: String,
        /// The browser is on another machine: paste the address that it ends at.
        #[arg(long)]
        paste: bool,
    },
    /// How each source logs in, where its secrets come from, and whether they can be had. Shows no secret.
    Status {
        /// Only this source.
        source: Option<String>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Forget what csops keeps of a login, and tell the vendor where that is possible.
    Logout {
        /// The source.
        source: String,
    },
}

/// `csops connect manifest`.
#[derive(Clone, Debug, Subcommand)]
pub enum ManifestVerb {
    /// Checks a manifest and prints the requests that it would make, secrets masked; nothing is sent.
    Check {
        /// The file.
        file: std::path::PathBuf,
    },
}

/// `csops health`.
#[derive(Clone, Debug, Args)]
pub struct Health {
    /// What to do.
    #[command(subcommand)]
    pub verb: HealthVerb,
}

/// What to do with the health model.
#[derive(Clone, Debug, Subcommand)]
pub enum HealthVerb {
    /// Compare two models over all accounts: who would change band, with scores and ARR.
    Diff {
        /// The model as it is: a file with [health], or with its keys alone.
        before: PathBuf,
        /// The model as it would be.
        after: PathBuf,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// At most so many accounts.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

/// `csops whatif`.
#[derive(Clone, Debug, Args)]
pub struct WhatIf {
    /// The account (name, id, domain or external id) and what is moved of it: usage.trend=0 tickets=closed health+=10. Or a scenario:
    /// slip-commits, lose-top-3.
    #[arg(value_name = "ACCOUNT SIGNAL=VALUE")]
    pub words: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `csops doctor`.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Do not ask the vendors.
    #[arg(long)]
    pub offline: bool,
}
