//! Text search over names: fuzzy (letters in order, scored, so that scattered letters do not count) and exact, folded of case and marks.

use crate::book::column::{CHUNK, TextChunk};
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
    /// Its rows.
    fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().enumerate().flat_map(|(n, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| n as u32 * 64 + bit)
        })
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
        let mut lower: Vec<u8> = Vec::new();
        let finder = memmem::Finder::new(self.text.as_bytes()).into_owned();
        for (n, chunk) in column.chunks().iter().enumerate() {
            let base = (n * CHUNK) as u32;
            let folded = column.folded(n);
            // A text that is not plain ASCII is searched folded, never as it is.
            let fold_of = |i: usize| match &folded {
                Some(f) if i < f.len() => f.get(i),
                _ => "",
            };
            match self.how {
                How::Fuzzy => {
                    let names: Vec<&str> = (0..chunk.len())
                        .map(|i| match fold_of(i) {
                            "" => chunk.get(i),
                            folded => folded,
                        })
                        .collect();
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
                    find_all(&finder, &lower, chunk, |i| {
                        if fold_of(i).is_empty() {
                            hits.set(base + i as u32);
                        }
                    });
                    if let Some(folded) = &folded {
                        find_all(&finder, folded.text().as_bytes(), folded, |i| {
                            hits.set(base + i as u32);
                        });
                    }
                }
            }
        }
    }
}

/// Calls `hit` for each text of a chunk that has the needle; `text` is the chunk's text, lower case.
fn find_all(
    finder: &memmem::Finder<'_>,
    text: &[u8],
    chunk: &TextChunk,
    mut hit: impl FnMut(usize),
) {
    let mut from = 0;
    while let Some(at) = finder.find(&text[from..]) {
        let at = from + at;
        let place = chunk.place(at);
        let (_, end) = chunk.range(place);
        if at + finder.needle().len() <= end {
            hit(place);
            // One hit of a text is enough.
            from = end;
        } else {
            // It reaches over into the next text.
            from = at + 1;
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
        for account in accounts.rows().map(|r| book.account(r)) {
            match entity {
                Entity::Renewal => account.renewals().for_each(|r| hits.set(r.row())),
                Entity::Task => account.tasks().for_each(|t| hits.set(t.row())),
                _ => account.risks().for_each(|e| hits.set(e.row())),
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
