//! A plausible book written straight into a new database, for benches and tests of scale: no vendor, no merge, no network.

use super::codec::{day_text, micros, usage_blob};
use super::error::{Fail, Res, StoreError};
use super::open::open_writer;
use super::types::Options;
use jiff::{Timestamp, ToSpan, civil::Date};
use rusqlite::{Connection, params};
use std::path::Path;

/// Our own people in every filled book.
pub const PEOPLE: u32 = 200;
/// The day that a filled book takes for today; its renewals and tasks lie around it.
pub const TODAY: Date = Date::constant(2026, 11, 22);

/// A small generator of repeatable numbers (splitmix64); good enough for a plausible book, and no dependency.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// One of these.
    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

const FIRST: &[&str] = &[
    "Acme",
    "Northwind",
    "Globex",
    "Initech",
    "Umbra",
    "Vertex",
    "Zürich",
    "Ångström",
    "Łódź",
    "Helios",
    "Nimbus",
    "Quanta",
    "Solis",
    "Tundra",
    "Orchid",
    "Cobalt",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Meridian",
    "Obsidian",
    "Pioneer",
    "Redwood",
    "Sierra",
    "Tidal",
    "Umber",
    "Vega",
    "Willow",
    "Xenon",
    "Yarrow",
    "Zephyr",
    "Atlas",
];
const SECOND: &[&str] = &[
    "Freight",
    "Retail",
    "Health",
    "Foods",
    "Energy",
    "Media",
    "Labs",
    "Bank",
    "Insurance",
    "Robotics",
    "Textiles",
    "Travel",
    "Logistics",
    "Pharma",
    "Steel",
    "Software",
    "Telecom",
    "Motors",
    "Shipping",
    "Optics",
    "Paper",
    "Dairy",
    "Timber",
    "Glass",
];
const FORM: &[&str] = &["Inc", "GmbH", "Ltd", "SA", "BV", "AB", "KK", "LLC"];
const SEGMENTS: &[(&str, &str)] = &[
    ("smb", "tech"),
    ("smb", "tech"),
    ("smb", "tech"),
    ("mid-market", "mid"),
    ("mid-market", "mid"),
    ("enterprise", "high"),
];

/// Makes a new database at `path` with that many accounts, an open renewal for each, three tasks for every ten, a risk for every
/// fiftieth, twelve weeks of usage, [`PEOPLE`] people and the rates of four currencies. The same seed gives the same book.
///
/// # Errors
/// Those of [`Store::open`](super::Store::open); `NotNow` when the database holds accounts already.
pub fn generate(path: &Path, accounts: u32, seed: u64) -> Result<(), StoreError> {
    let db = open_writer(path, &Options::default())?;
    write(&db, accounts, seed).map_err(|e| e.about(path))
}

fn write(db: &Connection, accounts: u32, seed: u64) -> Res<()> {
    let there: bool = db.query_row("SELECT EXISTS(SELECT 1 FROM account)", [], |r| r.get(0))?;
    if there {
        return Err(Fail::Store(StoreError::NotNow(
            "the database holds accounts already; fill a new one".into(),
        )));
    }
    // Indexes are built afterwards, in one go: many times quicker than row by row.
    let mut statement = db.prepare(
        "SELECT name,sql FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL AND tbl_name IN ('account','renewal','task','escalation')",
    )?;
    let indexes: Vec<(String, String)> = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    drop(statement);
    db.pragma_update(None, "synchronous", "OFF")?;
    // One writer of a file that nobody else knows yet: no log is needed, and none is left to be folded in.
    db.pragma_update(None, "journal_mode", "MEMORY")?;
    db.execute_batch("BEGIN IMMEDIATE")?;
    for (name, _) in &indexes {
        db.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let mut dice = Dice(seed);
    let now = TODAY
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |z| z.timestamp());
    people_and_rates(db, &mut dice)?;
    book(db, accounts, &mut dice, now)?;
    for (_, sql) in &indexes {
        db.execute_batch(sql)?;
    }
    db.execute_batch("UPDATE counter SET value=1 WHERE name='seq'; COMMIT; ANALYZE;")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    Ok(())
}

fn people_and_rates(db: &Connection, dice: &mut Dice) -> Res<()> {
    const NAMES: &[&str] = &[
        "Dana", "Omar", "Ines", "Kofi", "Mei", "Lars", "Ana", "Yuki", "Noor", "Ivo", "Zoë", "Pia",
    ];
    const FAMILY: &[&str] = &[
        "Okafor",
        "Lindqvist",
        "Marin",
        "Tanaka",
        "Dubois",
        "Haddad",
        "Novák",
        "Silva",
        "Weber",
        "Chen",
        "Iyer",
        "Kowalski",
    ];
    let mut person =
        db.prepare("INSERT INTO person(id,seq,name,email,role,active) VALUES(?1,1,?2,?3,'csm',1)")?;
    for id in 1..=PEOPLE {
        let name = format!("{} {}", dice.of(NAMES), dice.of(FAMILY));
        person.execute(params![id, name, format!("person{id}@example.com")])?;
    }
    let mut rate = db.prepare(
        "INSERT INTO rate(id,seq,\"from\",\"to\",rate,at) VALUES(?1,1,?2,'USD',?3,'2026-01-01')",
    )?;
    for (id, (code, value)) in [("USD", 1.0), ("EUR", 1.09), ("GBP", 1.27), ("JPY", 0.0067)]
        .into_iter()
        .enumerate()
    {
        rate.execute(params![id as i64 + 1, code, value])?;
    }
    counter(db, "person", PEOPLE)?;
    counter(db, "rate", 4)
}

fn counter(db: &Connection, entity: &str, used: u32) -> Res<()> {
    db.execute(
        "INSERT OR REPLACE INTO counter(name,value) VALUES('id:'||?1,?2)",
        params![entity, i64::from(used) + 1],
    )?;
    Ok(())
}

fn book(db: &Connection, accounts: u32, dice: &mut Dice, now: Timestamp) -> Res<()> {
    let mut account = db.prepare(
        "INSERT INTO account(id,seq,name,domain,segment,touch,csm,owner,region,industry,stage,arr,arr_currency,start,renewal,notice_days,
         auto_renew,health,health_at,nps,usage,usage_at,usage_source,health_before,health_source,open_tickets,urgent_tickets,ticket_at,
         ticket_source,last_touch,open_renewal,open_escalation,changed_at)
         VALUES(?1,1,?2,?3,?4,?5,?6,?7,?8,?9,'adopting',?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,'cs',?21,'cs',?22,?23,?24,'crm',?25,?26,?27,?28)",
    )?;
    let mut tie = db.prepare(
        "INSERT INTO tie(source,entity,external_id,local,how) VALUES('crm','account',?1,?2,'new')",
    )?;
    let mut renewal = db.prepare(
        "INSERT INTO renewal(id,seq,account,name,due,notice_deadline,amount,amount_currency,target,target_currency,stage,stage_kind,forecast,probability,owner)
         VALUES(?1,1,?1,?2,?3,?4,?5,?6,?5,?6,'Negotiation','open',?7,?8,?9)",
    )?;
    let mut task = db.prepare(
        "INSERT INTO task(id,seq,account,title,due,priority,priority_kind,owner,status,status_kind,kind)
         VALUES(?1,1,?2,?3,?4,?5,?5,?6,'Open','open','to_do')",
    )?;
    let mut risk = db.prepare(
        "INSERT INTO escalation(id,seq,account,title,reason,status,status_kind,priority,priority_kind,owner,opened)
         VALUES(?1,1,?2,'Risk: usage falls','Product usage','New','new','High','high',?3,?4)",
    )?;
    let day = |days: i64| {
        TODAY
            .checked_add(days.days())
            .map(day_text)
            .unwrap_or_default()
    };
    let (mut tasks, mut risks) = (0u32, 0u32);
    for id in 1..=accounts {
        let (segment, touch) = SEGMENTS[dice.below(SEGMENTS.len() as u64) as usize];
        let name = format!(
            "{} {} {} {id}",
            dice.of(FIRST),
            dice.of(SECOND),
            dice.of(FORM)
        );
        let size = match segment {
            "enterprise" => 200_000.0,
            "mid-market" => 40_000.0,
            _ => 6_000.0,
        };
        // Skewed, as real books are: a few accounts carry much of the revenue.
        let currency = dice.of(&["USD", "USD", "USD", "USD", "EUR", "EUR", "GBP", "JPY"]);
        let units = size * (0.3 + dice.unit().powi(4) * 8.0);
        let minor = match currency {
            "JPY" => (units * 150.0) as i64,
            _ => (units * 100.0) as i64,
        };
        let health = (dice.unit().sqrt() * 100.0) as u8;
        let due = dice.below(365) as i64 - 10;
        let notice = dice
            .of(&["0", "30", "60", "90"])
            .parse::<i64>()
            .unwrap_or(0);
        let owner = dice.below(u64::from(PEOPLE)) as u32 + 1;
        let mut users = 5.0 + dice.unit() * units / 500.0;
        let drift = 1.0 + (f64::from(health) - 60.0) / 1_000.0;
        let usage: [Option<u32>; 12] = std::array::from_fn(|_| {
            users *= drift + (dice.unit() - 0.5) * 0.08;
            Some(users.max(0.0) as u32)
        });
        let tickets = dice.below(12).saturating_sub(8) as u16;
        let urgent = u16::from(tickets > 1);
        let risky = id % 50 == 7;
        risks += u32::from(risky);
        account.execute(params![
            id,
            name,
            format!("account{id}.example"),
            segment,
            touch,
            owner,
            dice.below(u64::from(PEOPLE)) as u32 + 1,
            dice.of(&["EMEA", "AMER", "APAC"]),
            dice.of(SECOND),
            minor,
            currency,
            day(due - 365 * (1 + dice.below(4) as i64)),
            day(due),
            notice,
            id % 3 == 0,
            health,
            day(-1),
            dice.below(11) as u8,
            usage_blob(&usage),
            day(-6),
            (f64::from(health) + dice.unit() * 10.0).min(100.0) as u8,
            tickets,
            urgent,
            (tickets > 0).then(|| day(-(dice.below(40) as i64))),
            day(-(dice.below(120) as i64)),
            id,
            risky.then_some(risks),
            micros(now)
        ])?;
        // Sorted, so that the tree only ever grows at its end.
        tie.execute(params![format!("A{id:08}"), id])?;
        renewal.execute(params![
            id,
            format!("{name} renewal"),
            day(due),
            (notice > 0).then(|| day(due - notice)),
            minor,
            currency,
            dice.of(&["pipeline", "best", "most_likely", "commit", "omitted"]),
            dice.below(101) as u8,
            owner
        ])?;
        if matches!(id % 10, 1 | 4 | 8) {
            tasks += 1;
            task.execute(params![
                tasks,
                id,
                dice.of(&[
                    "Call about adoption",
                    "Prepare the review",
                    "Send the renewal quote",
                    "Ask for a reference",
                ]),
                day(dice.below(60) as i64 - 20),
                dice.of(&["p1", "p2", "p3", "p4"]),
                owner
            ])?;
        }
        if risky {
            let opened = now
                .checked_sub(jiff::SignedDuration::from_hours(24 * dice.below(60) as i64))
                .unwrap_or(now);
            risk.execute(params![risks, id, owner, micros(opened)])?;
        }
    }
    counter(db, "account", accounts)?;
    counter(db, "renewal", accounts)?;
    counter(db, "task", tasks)?;
    counter(db, "escalation", risks)
}
