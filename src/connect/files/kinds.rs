//! What can stand in a file: for each kind of row its columns, what names a row, and what must be filled. Data, read by `rows`.

use crate::book::Entity;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
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

impl FileKind {
    /// All of them, in the order in which they are read: what others refer to comes first.
    pub const ALL: [FileKind; 10] = [
        FileKind::People,
        FileKind::Rates,
        FileKind::Accounts,
        FileKind::Subscriptions,
        FileKind::Movements,
        FileKind::Renewals,
        FileKind::Opportunities,
        FileKind::Tasks,
        FileKind::Escalations,
        FileKind::Signals,
    ];

    /// Its name in commands, map files and file names.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Accounts => "accounts",
            FileKind::People => "people",
            FileKind::Subscriptions => "subscriptions",
            FileKind::Movements => "movements",
            FileKind::Renewals => "renewals",
            FileKind::Opportunities => "opportunities",
            FileKind::Tasks => "tasks",
            FileKind::Signals => "signals",
            FileKind::Escalations => "escalations",
            FileKind::Rates => "rates",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The kind that a file's name begins with: `accounts-2026.csv`.
    pub fn of_file_name(name: &str) -> Option<FileKind> {
        let name = name.to_ascii_lowercase();
        FileKind::ALL
            .into_iter()
            .find(|k| name.starts_with(k.name()))
    }

    /// What its rows are.
    pub fn entity(self) -> Entity {
        match self {
            FileKind::Accounts => Entity::Account,
            FileKind::People => Entity::Person,
            FileKind::Subscriptions => Entity::Subscription,
            FileKind::Movements => Entity::Movement,
            FileKind::Renewals => Entity::Renewal,
            FileKind::Opportunities => Entity::Opportunity,
            FileKind::Tasks => Entity::Task,
            FileKind::Signals => Entity::Signal,
            FileKind::Escalations => Entity::Escalation,
            FileKind::Rates => Entity::Rate,
        }
    }

    /// Its columns and rules.
    pub(super) fn spec(self) -> &'static Spec {
        match self {
            FileKind::Accounts => &ACCOUNTS,
            FileKind::People => &PEOPLE,
            FileKind::Subscriptions => &SUBSCRIPTIONS,
            FileKind::Movements => &MOVEMENTS,
            FileKind::Renewals => &RENEWALS,
            FileKind::Opportunities => &OPPORTUNITIES,
            FileKind::Tasks => &TASKS,
            FileKind::Signals => &SIGNALS,
            FileKind::Escalations => &ESCALATIONS,
            FileKind::Rates => &RATES,
        }
    }
}

/// What a column's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// A whole number from 0 on.
    Whole,
    /// 0 to 100, or a traffic light.
    Score,
    /// Yes or no.
    Bool,
    /// An amount; in the row's currency unless it names one.
    Money,
    /// The currency of the row's amounts.
    Currency,
    /// A day.
    Date,
    /// A day, or a day and a time.
    Instant,
    /// An account, by whatever names it.
    Account,
    /// One of our people, by e-mail address or name.
    Person,
    /// Several texts.
    List,
    /// An internet domain.
    Domain,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    /// The header.
    pub(super) name: &'static str,
    /// The canonical field; empty for what only serves the others.
    pub(super) field: &'static str,
    /// What its cells are.
    pub(super) ty: Ty,
}

/// What is known of a kind of file.
#[derive(Debug)]
pub(super) struct Spec {
    /// The columns.
    pub(super) columns: &'static [Column],
    /// What names a row: the first of these whose first column the file has. A column of it that the file does not have counts as empty.
    pub(super) keys: &'static [&'static [&'static str]],
    /// Columns without which a row says nothing.
    pub(super) needs: &'static [&'static str],
}

impl Spec {
    /// The column of that header.
    pub(super) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

const fn c(name: &'static str, ty: Ty) -> Column {
    Column {
        name,
        field: name,
        ty,
    }
}
const fn to(name: &'static str, field: &'static str, ty: Ty) -> Column {
    Column { name, field, ty }
}

static ACCOUNTS: Spec = Spec {
    columns: &[
        to("id", "", Ty::Text),
        c("name", Ty::Text),
        c("domain", Ty::Domain),
        to("external_id", super::super::IDENTIFIERS, Ty::List),
        c("parent", Ty::Account),
        c("segment", Ty::Text),
        c("touch", Ty::Text),
        c("csm", Ty::Person),
        c("owner", Ty::Person),
        c("region", Ty::Text),
        c("industry", Ty::Text),
        c("stage", Ty::Text),
        to("currency", "x.currency", Ty::Currency),
        c("start", Ty::Date),
        c("health", Ty::Score),
        c("health_at", Ty::Date),
        to("notes", "x.notes", Ty::Text),
        c("arr", Ty::Money),
        c("renewal", Ty::Date),
        c("notice_days", Ty::Whole),
        c("auto_renew", Ty::Bool),
        c("nps", Ty::Score),
    ],
    keys: &[&["id"], &["external_id"], &["domain"], &["name"]],
    needs: &[],
};

static PEOPLE: Spec = Spec {
    columns: &[
        c("email", Ty::Text),
        c("name", Ty::Text),
        c("role", Ty::Text),
        c("manager", Ty::Person),
        c("region", Ty::Text),
        c("capacity_hours", Ty::Number),
        c("start", Ty::Date),
        c("end", Ty::Date),
        c("active", Ty::Bool),
    ],
    keys: &[&["email"]],
    needs: &["email"],
};

static SUBSCRIPTIONS: Spec = Spec {
    columns: &[
        c("account", Ty::Account),
        c("line", Ty::Text),
        c("product", Ty::Text),
        c("contract", Ty::Text),
        c(
            "change",
            Ty::Word(&["new", "renewal", "amendment", "escalator", "ramp"]),
        ),
        c("start", Ty::Date),
        c("end", Ty::Date),
        c("arr", Ty::Money),
        to("currency", "", Ty::Currency),
        c("signed", Ty::Date),
        c("cancelled", Ty::Date),
        c("recurring", Ty::Bool),
        c("notice_days", Ty::Whole),
        c("auto_renew", Ty::Bool),
    ],
    keys: &[&["account", "line", "start"]],
    needs: &["account", "start", "arr"],
};

static MOVEMENTS: Spec = Spec {
    columns: &[
        c("account", Ty::Account),
        c("line", Ty::Text),
        c("date", Ty::Date),
        to(
            "type",
            "kind",
            Ty::Word(&[
                "open",
                "new",
                "expansion",
                "contraction",
                "churn",
                "reactivation",
                "price",
            ]),
        ),
        c("amount", Ty::Money),
        to("currency", "", Ty::Currency),
        c("reason", Ty::Text),
    ],
    keys: &[&["account", "line", "date", "type"]],
    needs: &["account", "date", "type", "amount"],
};

static RENEWALS: Spec = Spec {
    columns: &[
        to("id", "", Ty::Text),
        c("account", Ty::Account),
        c("name", Ty::Text),
        c("line", Ty::Text),
        c("due", Ty::Date),
        c("original_due", Ty::Date),
        c("notice_deadline", Ty::Date),
        c("amount", Ty::Money),
        c("target", Ty::Money),
        to("currency", "", Ty::Currency),
        c("stage", Ty::Text),
        c("forecast", Ty::Text),
        c("probability", Ty::Score),
        c("owner", Ty::Person),
        c("outcome", Ty::Text),
        c("closed", Ty::Date),
        c("closed_amount", Ty::Money),
        c("next_step", Ty::Text),
    ],
    keys: &[&["id"]],
    needs: &["id", "account"],
};

static OPPORTUNITIES: Spec = Spec {
    columns: &[
        to("id", "", Ty::Text),
        c("account", Ty::Account),
        c("name", Ty::Text),
        c("kind", Ty::Text),
        c("amount", Ty::Money),
        to("currency", "", Ty::Currency),
        c("stage", Ty::Text),
        c("created", Ty::Date),
        c("accepted", Ty::Date),
        c("due", Ty::Date),
        c("closed", Ty::Date),
        c("owner", Ty::Person),
        c("origin", Ty::Text),
        c("outcome", Ty::Text),
    ],
    keys: &[&["id"]],
    needs: &["id", "account"],
};

static TASKS: Spec = Spec {
    columns: &[
        to("id", "", Ty::Text),
        c("account", Ty::Account),
        c("title", Ty::Text),
        c("description", Ty::Text),
        c("due", Ty::Date),
        c("priority", Ty::Text),
        c("owner", Ty::Person),
        c("status", Ty::Text),
        c("kind", Ty::Text),
        c("class", Ty::Text),
        to("sprint", "x.sprint", Ty::Text),
    ],
    keys: &[&["id"]],
    needs: &["id", "title"],
};

static SIGNALS: Spec = Spec {
    columns: &[
        c("account", Ty::Account),
        c("kind", Ty::Text),
        c("at", Ty::Date),
        c("value", Ty::Number),
        c("unit", Ty::Text),
        c("text", Ty::Text),
    ],
    keys: &[&["account", "kind", "at"]],
    needs: &["account", "kind", "at"],
};

static ESCALATIONS: Spec = Spec {
    columns: &[
        to("id", "", Ty::Text),
        c("account", Ty::Account),
        c("title", Ty::Text),
        to("kind", "x.kind", Ty::Text),
        to("severity", "priority", Ty::Text),
        to("level", "x.level", Ty::Text),
        c("status", Ty::Text),
        c("owner", Ty::Person),
        c("opened", Ty::Instant),
        c("due", Ty::Date),
        c("closed", Ty::Instant),
        c("reason", Ty::Text),
        c("outcome", Ty::Text),
    ],
    keys: &[&["id"]],
    needs: &["id", "account"],
};

static RATES: Spec = Spec {
    columns: &[
        to("date", "at", Ty::Date),
        to("from", "from", Ty::Currency),
        to("to", "to", Ty::Currency),
        c("rate", Ty::Number),
        c("kind", Ty::Word(&["spot", "plan"])),
    ],
    keys: &[&["date", "from", "to", "kind"]],
    needs: &["date", "from", "to", "rate"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{AnyRow, LocalId, Target};

    #[test]
    fn every_key_and_need_is_a_column_and_every_field_one_of_its_kind() {
        // Kept in the record for what is to come; no row has a place for them yet.
        const KEPT: &[&str] = &["line", "closed_amount"];
        for kind in FileKind::ALL {
            assert_eq!(FileKind::parse(kind.name()), Some(kind));
            let spec = kind.spec();
            for name in spec.keys.iter().copied().flatten().chain(spec.needs) {
                assert!(spec.column(name).is_some(), "{}: {name}", kind.name());
            }
            let row = AnyRow::empty(Target {
                entity: kind.entity(),
                id: LocalId(1),
            });
            for column in spec.columns {
                let own = column.field.is_empty()
                    || column.field.starts_with("x.")
                    || column.field == crate::connect::IDENTIFIERS;
                assert!(
                    own || row.get(column.field).is_some() || KEPT.contains(&column.name),
                    "{}: {}",
                    kind.name(),
                    column.name
                );
            }
        }
    }

    #[test]
    fn a_files_name_tells_its_kind() {
        assert_eq!(
            FileKind::of_file_name("Accounts 2026.CSV"),
            Some(FileKind::Accounts)
        );
        assert_eq!(FileKind::of_file_name("notes.csv"), None);
    }
}
