//! What one account asks for by what it is: hours of work, and its share of the bands that one CSM may carry.

use super::super::segments::of_account;
use super::super::{Band, Settings};
use crate::book::AccountRow;
use std::collections::HashMap;

/// Words of a lifecycle stage that mean: no longer, or not yet, a customer.
const NO_CUSTOMER: &[&str] = &[
    "churn",
    "former",
    "cancel",
    "lost",
    "offboarded",
    "prospect",
];

/// Whether a lifecycle stage says that an account is no customer, or not any more.
pub fn is_no_customer(stage: &str) -> bool {
    let stage = stage.to_lowercase();
    NO_CUSTOMER.iter().any(|w| stage.contains(w))
}

/// What is the same for all accounts of one touch model, segment and stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kind {
    /// Thousandths of an hour of work a year; nothing where neither touch model nor segment says.
    pub hours: Option<i64>,
    /// The band of a CSM who has only such accounts.
    pub band: Option<Band>,
    /// No customer (any more): no work.
    pub former: bool,
}

/// The kinds of a Book, found once each.
pub struct Kinds<'a> {
    settings: &'a Settings,
    /// By where the words lie in memory: the Book keeps each once.
    places: HashMap<[usize; 3], u32>,
    /// The kinds.
    pub all: Vec<Kind>,
}

impl<'a> Kinds<'a> {
    /// None yet.
    pub fn new(settings: &'a Settings) -> Kinds<'a> {
        Kinds {
            settings,
            places: HashMap::new(),
            all: Vec::new(),
        }
    }

    /// The place of an account's kind.
    pub fn place(&mut self, a: &AccountRow<'_>) -> u32 {
        let words = [a.touch(), a.segment(), a.stage()].map(Option::unwrap_or_default);
        let key = words.map(|w| if w.is_empty() { 0 } else { w.as_ptr() as usize });
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let [touch, segment, stage] = words;
        let hours = of_account(&self.settings.capacity.hours, touch, segment);
        self.all.push(Kind {
            hours: hours.map(|h| (h * 1000.0).round() as i64),
            band: self.settings.segments.band_of(touch, segment).cloned(),
            former: is_no_customer(stage),
        });
        let place = self.all.len() as u32 - 1;
        self.places.insert(key, place);
        place
    }
}
