//! Insight's opinion of one account, for fields that are computed when they are read.

use super::{Settings, growth, quality};
use crate::book::judge::{Judge, Words};
use crate::book::registry::Scope;

/// The names of the defects, by their bits.
const DEFECTS: [&str; quality::DEFECTS.len()] = {
    let mut names = [""; quality::DEFECTS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = quality::DEFECTS[i].name;
        i += 1;
    }
    names
};

/// The names of the signals of expansion, by their bits.
const SIGNALS: [&str; growth::signals::KINDS.len()] = {
    let mut names = [""; growth::signals::KINDS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = growth::signals::KINDS[i].1;
        i += 1;
    }
    names
};

impl Judge for Settings {
    fn defects(&self, scope: &Scope<'_>, account: u32) -> Words {
        let eye = quality::Eye::new(scope.today, &self.quality);
        Words {
            bits: quality::bits(&scope.book.account(account), &eye),
            names: &DEFECTS,
        }
    }
    fn expansion(&self, scope: &Scope<'_>, account: u32) -> Words {
        let a = scope.book.account(account);
        Words {
            bits: growth::signals::bits(&a, scope.day(), &self.growth).into(),
            names: &SIGNALS,
        }
    }
    fn opportunity(&self, scope: &Scope<'_>, account: u32) -> i64 {
        let a = scope.book.account(account);
        let ready = growth::signals::is_ready(&scope.derived.account(account));
        let bits = growth::signals::bits(&a, scope.day(), &self.growth);
        growth::signals::opportunity(bits, a.arr_reporting().map(|m| m.minor), ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::registry::find;
    use crate::book::{Account, Book, Calendar, Entity, Facts, LocalId, Money, Overlay, RowDelta};
    use crate::query::{filter, parse, sort_keys};
    use jiff::civil::date;

    #[test]
    fn accounts_are_filtered_and_sorted_by_what_insight_thinks_of_them() {
        let account = |id: u32, csm: bool, units: i64, users: u32| {
            let a = Account {
                id: LocalId(id),
                name: format!("Customer {id}"),
                csm: csm.then_some(LocalId(9)),
                arr: Money::new(units * 100, "USD"),
                health: Some(90),
                health_at: Some(date(2026, 11, 20)),
                renewal: Some(date(2027, 1, 1)),
                ..Account::default()
            };
            let usage = std::array::from_fn(|w| Some(if w < 10 { 100 } else { users }));
            let facts = Facts {
                usage,
                ..Facts::default()
            };
            (a, facts)
        };
        let delta = RowDelta {
            accounts: vec![
                account(1, true, 100, 100),
                account(2, false, 200, 150),
                account(3, true, 300, 150),
            ],
            people: vec![crate::book::Person {
                id: LocalId(9),
                name: "Dana".into(),
                ..Default::default()
            }],
            ..RowDelta::default()
        };
        let book = Book::empty().apply(delta, &Overlay::default());
        let today = date(2026, 11, 26);
        let settings = Settings::default();
        let scope = Scope {
            book: &book,
            derived: &super::super::derive(&book, today, &settings.risk),
            today,
            me: None,
            calendar: Calendar::default(),
            judge: &settings,
        };
        let ids = |query: &str| -> Vec<u32> {
            let expr = parse(query, Entity::Account).unwrap();
            let rows = filter(&scope, Entity::Account, &expr);
            rows.iter().map(|r| book.account(*r).id().0).collect()
        };
        assert_eq!(ids("defect:no_owner"), [2]);
        assert_eq!(ids("defects>0"), [2]);
        assert_eq!(ids("-defect:no_owner expansion:usage"), [3]);
        // 300 × 1 ÷ 4 = 75.
        assert_eq!(ids("opportunity>=75"), [3]);
        let mut rows = vec![0, 1, 2];
        let keys = sort_keys(Entity::Account, "-opportunity").unwrap();
        super::super::order(&scope, Entity::Account, &mut rows, &keys);
        assert_eq!(rows, [2, 1, 0]);
        // Without an opinion nothing is said.
        let mute = Scope {
            judge: &(),
            ..scope
        };
        let expr = parse("defects>0 or opportunity>0", Entity::Account).unwrap();
        assert!(filter(&mute, Entity::Account, &expr).is_empty());
    }

    #[test]
    fn the_registry_completes_the_words_that_there_are() {
        for (field, names) in [("defect", &DEFECTS[..]), ("expansion", &SIGNALS[..])] {
            let words = find(Entity::Account, field).unwrap().field.words;
            let missing: Vec<_> = words.iter().filter(|w| !names.contains(w)).collect();
            assert!(missing.is_empty(), "{field}: {missing:?}");
        }
    }

    #[test]
    fn renewals_and_tasks_ask_for_their_accounts_opinion() {
        let field = find(Entity::Renewal, "account.opportunity").unwrap();
        assert!(field.of_account);
    }
}
