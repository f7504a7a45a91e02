//! Text search over names: fuzzy (letters in order, scored, so that scattered letters do not count) and exact, folded of case and marks.

use crate::book::{Book, Entity, Scope, TextColumn};
use memchr::memmem;
use neo_frizbee::{CaseMatching, Config, Matcher, Scoring};

/// A set of row numbers.
#[derive(Clone, Debug, Default)]
pub struct Bits(Vec<u64>);

impl Bits {
    fn new(bound: u32) -> Bits {
        Bits(vec![0; bound as usize / 64 + 1])
    }
    fn set(&mut self, row: u32) {
        if let Some(word) = self.0.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }
    /// Whether a row is in it.
    #[inline]
    pub fn has(&self, row: u32) -> bool {
        self.0
            .get(row as usize / 64)
            .is_some_and(|w| w >> (row % 64) & 1 == 1)
    }
}

/// How a text is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its letters in order, near one another.
    Fuzzy,
    /// As it stands.
    Exact,
}

/// The part of the best possible score (every letter, none apart) that a fuzzy hit must reach.
const ENOUGH: f32 = 0.6;

/// One text, ready to be searched for.
pub struct Needle {
    text: String,
    how: How,
    matcher: Matcher,
    enough: u16,
}

impl Needle {
    /// A folded text.
    pub fn new(text: &str, how: How) -> Needle {
        // A score is about letters and the gaps between them: whether the case is the same says nothing about a folded text.
        let scoring = Scoring {
            matching_case_bonus: 0,
            ..Scoring::default()
        };
        // Beyond any name's length nothing can match, and the matcher's memory grows with the needle.
        let text: String = text.chars().take(200).collect();
        let enough = text.chars().count() as f32 * f32::from(scoring.match_score) * ENOUGH;
        let config = Config::default()
            .casing(CaseMatching::Ignore)
            .max_typos(Some(0))
            .scoring(scoring);
        Needle {
            matcher: Matcher::new(text.as_str(), &config),
            text,
            how,
            enough: enough as u16,
        }
    }

    /// Whether a text has it.
    pub fn is_in(&mut self, text: &str) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let folded = crate::book::day::folded(text);
        let text = folded.as_deref().unwrap_or(text);
        match self.how {
            How::Fuzzy => self
                .matcher
                .match_one(text, 0)
                .is_some_and(|m| m.score >= self.enough),
            How::Exact => text.to_ascii_lowercase().contains(&self.text),
        }
    }

    /// The rows whose text in a column has it.
    fn column(&mut self, column: &TextColumn<'_>, hits: &mut Bits) {
        let mut names: Vec<&str> = Vec::new();
        let mut lower: Vec<u8> = Vec::new();
        let finder = memmem::Finder::new(self.text.as_bytes()).into_owned();
        for (n, chunk) in column.chunks().iter().enumerate() {
            let base = (n * crate::book::column::CHUNK) as u32;
            match self.how {
                How::Fuzzy => {
                    names.clear();
                    let all_ascii = chunk.text().is_ascii();
                    names.extend((0..chunk.len()).map(|i| {
                        let name = chunk.get(i);
                        if all_ascii || name.is_ascii() {
                            name
                        } else {
                            column.folded(base + i as u32).unwrap_or(name)
                        }
                    }));
                    for m in self.matcher.match_list(&names) {
                        if m.score >= self.enough {
                            hits.set(base + m.index);
                        }
                    }
                }
                How::Exact => {
                    lower.clear();
                    lower.extend_from_slice(chunk.text().as_bytes());
                    lower.make_ascii_lowercase();
                    let mut from = 0;
                    while let Some(at) = finder.find(&lower[from..]) {
                        let at = from + at;
                        let place = chunk.place(at);
                        let (_, end) = chunk.range(place);
                        if at + self.text.len() <= end {
                            hits.set(base + place as u32);
                            // One hit of a name is enough.
                            from = end;
                        } else {
                            from = at + 1;
                        }
                    }
                    if !chunk.text().is_ascii() {
                        for i in (0..chunk.len()).filter(|i| !chunk.get(*i).is_ascii()) {
                            let row = base + i as u32;
                            if column.folded(row).is_some_and(|f| f.contains(&self.text)) {
                                hits.set(row);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The rows of a kind whose names (their own or their account's) have a text.
pub fn search(book: &Book, entity: Entity, needle: &mut Needle) -> Bits {
    let mut hits = Bits::new(book.bound(entity));
    if needle.text.is_empty() {
        for row in 0..book.bound(entity) {
            hits.set(row);
        }
        return hits;
    }
    for column in book.text_columns(entity) {
        needle.column(&column, &mut hits);
    }
    if matches!(entity, Entity::Renewal | Entity::Task | Entity::Escalation) {
        let mut accounts = Bits::new(book.bound(Entity::Account));
        for column in book.text_columns(Entity::Account) {
            needle.column(&column, &mut accounts);
        }
        for row in 0..book.bound(entity) {
            let account = crate::book::registry::account_row(book, entity, row);
            if account.is_some_and(|a| accounts.has(a)) {
                hits.set(row);
            }
        }
    }
    hits
}

/// Whether one row's names have a text.
pub fn row_has(scope: &Scope<'_>, entity: Entity, row: u32, needle: &mut Needle) -> bool {
    let book = scope.book;
    let own = match entity {
        Entity::Account => needle.is_in(book.account(row).name()),
        Entity::Renewal => needle.is_in(book.renewal(row).name()),
        Entity::Task => needle.is_in(book.task(row).title()),
        Entity::Escalation => needle.is_in(book.escalation(row).title()),
        Entity::Person => {
            let p = book.person(row);
            needle.is_in(p.name()) || p.email().is_some_and(|e| needle.is_in(e))
        }
        _ => false,
    };
    own || (entity != Entity::Account
        && crate::book::registry::account_row(book, entity, row)
            .is_some_and(|a| needle.is_in(book.account(a).name())))
}
