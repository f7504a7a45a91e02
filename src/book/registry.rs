//! The field registry: one table of fields per kind of thing, with name, type, unit and how to read them, shared by the query language,
//! list columns, sorting, CSV and JSON.

mod tables;

use super::judge::{Judge, Words};
use super::views::PersonRow;
use super::{Book, Calendar, Day, Derived, Entity, LocalId, Money};
use jiff::{Timestamp, civil::Date};
use tables::{ACCOUNT, ESCALATION, PERSON, RENEWAL, TASK};

/// What values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Free text; `:` means contains.
    Text,
    /// One of a few words; `:` means equals, or begins with.
    Word,
    /// A number.
    Number,
    /// A fraction that people write as a percentage.
    Percent,
    /// An amount; compared in the reporting currency.
    Money,
    /// A calendar day.
    Date,
    /// An instant; compared by its day.
    Instant,
    /// Yes or no.
    Bool,
    /// Several words; `:` means has.
    List,
    /// One of our people; `:` means their name contains, their e-mail is, or `me`.
    Person,
}

impl Type {
    /// What a person writes behind the colon, in words.
    pub fn expects(self) -> &'static str {
        match self {
            Type::Text => "a text",
            Type::Word => "a word",
            Type::Number => "a number",
            Type::Percent => "a percentage such as 20%",
            Type::Money => "an amount such as 100k",
            Type::Date | Type::Instant => "a date such as 2026-12-31, today, eoq, +30d or 60d",
            Type::Bool => "yes or no",
            Type::List => "a word",
            Type::Person => "a name, an e-mail address or me",
        }
    }
    /// Whether `<` and `>` make sense.
    pub fn is_ordered(self) -> bool {
        !matches!(
            self,
            Type::Text | Type::Word | Type::Bool | Type::List | Type::Person
        )
    }
}

/// Whether a date lies ahead of us by nature or behind us: decides what `<60d` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// Not a date.
    None,
    /// `<60d`: within 60 days from now, overdue included.
    Ahead,
    /// `<60d`: less than 60 days ago.
    Behind,
}

/// One value of one field of one row.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// No value.
    None,
    /// A text or word.
    Text(&'a str),
    /// A number or fraction.
    Number(f64),
    /// An amount in its own currency, and in minor units of the reporting currency if there is a rate.
    Money(Money, Option<i64>),
    /// A day.
    Day(Day),
    /// An instant.
    Instant(Timestamp),
    /// Yes or no.
    Bool(bool),
    /// Several words.
    List(&'a [String]),
    /// Several of a fixed list of words.
    Words(Words),
    /// One of our people.
    Person(PersonRow<'a>),
}

impl Cell<'_> {
    /// Whether there is no value.
    pub fn is_none(&self) -> bool {
        match self {
            Cell::None => true,
            Cell::Day(d) => *d == Day::NONE,
            Cell::List(l) => l.is_empty(),
            Cell::Words(w) => w.bits == 0,
            _ => false,
        }
    }
}

/// What reading a field needs besides the row.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The book.
    pub book: &'a Book,
    /// Its derived columns.
    pub derived: &'a Derived,
    /// The day in the calendar's zone.
    pub today: Date,
    /// The person who asks, for `me`.
    pub me: Option<LocalId>,
    /// Quarters and weeks.
    pub calendar: Calendar,
    /// What insight thinks of an account.
    pub judge: &'a dyn Judge,
}

impl<'a> Scope<'a> {
    /// Today as a [`Day`].
    pub fn day(&self) -> Day {
        Day::of(Some(self.today))
    }
}

/// A field of a kind of thing.
pub struct Field {
    /// Its name in queries, columns, CSV and JSON.
    pub name: &'static str,
    /// Other names in queries.
    pub aliases: &'static [&'static str],
    /// The heading of its column.
    pub title: &'static str,
    /// Its type.
    pub ty: Type,
    /// Its unit, empty if none.
    pub unit: &'static str,
    /// For dates.
    pub tense: Tense,
    /// The words that it usually has, for completion; the book's own words are offered as well.
    pub words: &'static [&'static str],
    /// One line of help.
    pub help: &'static str,
    /// Reads it: of what, which row.
    pub read: for<'a> fn(&Scope<'a>, u32) -> Cell<'a>,
}

impl Field {
    /// Whether it goes by that name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({})", self.name)
    }
}

/// The fields of a kind of thing, in the order of their columns; empty for kinds that the Book does not list.
pub fn fields(entity: Entity) -> &'static [Field] {
    match entity {
        Entity::Account => ACCOUNT,
        Entity::Renewal => RENEWAL,
        Entity::Task => TASK,
        Entity::Escalation => ESCALATION,
        Entity::Person => PERSON,
        _ => &[],
    }
}

/// A field as a kind of thing knows it: its own, or its account's.
#[derive(Clone, Copy, Debug)]
pub struct FieldRef {
    /// The field.
    pub field: &'static Field,
    /// The kind of row that is asked.
    pub entity: Entity,
    /// The field is the account's.
    pub of_account: bool,
}

impl FieldRef {
    /// Reads it of a row of its kind.
    #[inline]
    pub fn read<'a>(&self, scope: &Scope<'a>, row: u32) -> Cell<'a> {
        if !self.of_account {
            return (self.field.read)(scope, row);
        }
        let account = account_row(scope.book, self.entity, row);
        account.map_or(Cell::None, |a| (self.field.read)(scope, a))
    }
}

/// The row of the account that a row belongs to.
pub fn account_row(book: &Book, entity: Entity, row: u32) -> Option<u32> {
    let id = match entity {
        Entity::Account => return Some(row),
        Entity::Renewal => book.renewal(row).account_id(),
        Entity::Task => book.task(row).account_id(),
        Entity::Escalation => book.escalation(row).account_id(),
        _ => return None,
    };
    book.row_of(Entity::Account, id)
}

/// The field of that name: the kind's own, else its account's (also as `account.NAME`). Case does not matter.
pub fn find(entity: Entity, name: &str) -> Option<FieldRef> {
    let name = name.to_ascii_lowercase();
    let own = fields(entity).iter().find(|f| f.is_called(&name));
    if let Some(field) = own {
        return Some(FieldRef {
            field,
            entity,
            of_account: false,
        });
    }
    let plain = name.strip_prefix("account.").unwrap_or(&name);
    if entity == Entity::Account {
        let field = fields(entity).iter().find(|f| f.is_called(plain))?;
        return Some(FieldRef {
            field,
            entity,
            of_account: false,
        });
    }
    if !matches!(entity, Entity::Renewal | Entity::Task | Entity::Escalation) {
        return None;
    }
    let field = ACCOUNT.iter().find(|f| f.is_called(plain))?;
    Some(FieldRef {
        field,
        entity,
        of_account: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_within_a_kind_and_have_help() {
        for entity in Entity::ALL {
            let mut seen = std::collections::HashSet::new();
            for f in fields(entity) {
                for name in std::iter::once(&f.name).chain(f.aliases) {
                    assert!(seen.insert(*name), "{entity}: {name} twice");
                }
                assert!(!f.help.is_empty() && !f.title.is_empty());
                assert_eq!(
                    f.tense != Tense::None,
                    matches!(f.ty, Type::Date | Type::Instant),
                    "{}",
                    f.name
                );
            }
        }
    }

    #[test]
    fn a_renewal_knows_its_accounts_fields_but_its_own_come_first() {
        assert!(!find(Entity::Renewal, "owner").unwrap().of_account);
        assert!(find(Entity::Renewal, "health").unwrap().of_account);
        assert!(find(Entity::Renewal, "account.stage").unwrap().of_account);
        assert!(!find(Entity::Renewal, "stage").unwrap().of_account);
        assert_eq!(find(Entity::Account, "OWNER").unwrap().field.name, "csm");
        assert!(find(Entity::Person, "health").is_none());
    }
}
