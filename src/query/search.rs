//! Text search over names: fuzzy (letters in order, scored, so that scattered letters do not count) and exact, folded of case and marks.

use crate::book::column::{CHUNK, TextChunk};
use crate::book::registry::account_row;
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
    /// How many bits are set in the words of one chunk.
    fn word_sum(&self, first: usize) -> u32 {
        let words = self.0.iter().skip(first).take(WORDS);
        words.map(|w| w.count_ones()).sum()
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

/// Words of bits per chunk of rows.
const WORDS: usize = CHUNK / 64;
/// Fewer chunks than this are not worth a thread.
const FEW_CHUNKS: usize = 48;

/// A score is about letters and the gaps between them: whether the case is the same says nothing about a folded text.
fn config() -> Config {
    let scoring = Scoring {
        matching_case_bonus: 0,
        ..Scoring::default()
    };
    Config::default()
        .casing(CaseMatching::Ignore)
        .max_typos(Some(0))
        .scoring(scoring)
}

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
        // Beyond any name's length nothing can match, and the matcher's memory grows with the needle.
        let text: String = text.chars().take(200).collect();
        let enough =
            text.chars().count() as f32 * f32::from(Scoring::default().match_score) * ENOUGH;
        Needle {
            matcher: Matcher::new(text.as_str(), &config()),
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

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            text: &self.text,
            how: self.how,
            enough: self.enough,
        }
    }
}

/// What is searched for, as every thread needs it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    text: &'a str,
    how: How,
    enough: u16,
}

impl Wanted<'_> {
    /// Adds the rows whose text in a column has it, of all or of those `within`. Many texts are searched by as many threads as there are
    /// processors: each has chunks of its own.
    fn column(self, column: &TextColumn<'_>, hits: &mut Bits, within: Option<&Bits>) {
        let chunks = column.chunks().len();
        let threads = match chunks {
            0..FEW_CHUNKS => 1,
            _ => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
        };
        let share = chunks.div_ceil(threads).max(1);
        let parts = hits.0.chunks_mut(share * WORDS).enumerate();
        if threads == 1 {
            for (n, words) in parts {
                self.part(column, n * share, share, words, within);
            }
            return;
        }
        std::thread::scope(|s| {
            for (n, words) in parts {
                s.spawn(move || self.part(column, n * share, share, words, within));
            }
        });
    }

    /// Some chunks of a column; `words` are their rows' bits.
    fn part(
        self,
        column: &TextColumn<'_>,
        first: usize,
        count: usize,
        words: &mut [u64],
        within: Option<&Bits>,
    ) {
        let mut matcher = Matcher::new(self.text, &config());
        let mut lower: Vec<u8> = Vec::new();
        let mut places: Vec<u32> = Vec::with_capacity(CHUNK);
        let finder = memmem::Finder::new(self.text.as_bytes());
        let chunks = column.chunks().iter().enumerate().skip(first).take(count);
        for (n, chunk) in chunks {
            let base = n * CHUNK;
            let asked = |i: usize| within.is_none_or(|w| w.has((base + i) as u32));
            let at = (n - first) * WORDS;
            if within.is_some_and(|w| w.word_sum(n * WORDS) == 0) {
                continue;
            }
            let mut hit = |i: usize| {
                if let Some(word) = words.get_mut(at + i / 64) {
                    *word |= 1 << (i % 64);
                }
            };
            let folded = column.folded(n);
            // A text that is not plain ASCII is searched folded, never as it is.
            let fold_of = |i: usize| match &folded {
                Some(f) if i < f.len() => f.get(i),
                _ => "",
            };
            match self.how {
                How::Fuzzy => {
                    let mut names: Vec<&str> = Vec::with_capacity(chunk.len());
                    places.clear();
                    for i in (0..chunk.len()).filter(|i| asked(*i)) {
                        places.push(i as u32);
                        names.push(match fold_of(i) {
                            "" => chunk.get(i),
                            folded => folded,
                        });
                    }
                    for m in matcher.match_list(&names) {
                        if m.score >= self.enough {
                            hit(places[m.index as usize] as usize);
                        }
                    }
                }
                How::Exact => {
                    lower.clear();
                    lower.extend_from_slice(chunk.text().as_bytes());
                    lower.make_ascii_lowercase();
                    find_all(&finder, &lower, chunk, |i| {
                        if fold_of(i).is_empty() && asked(i) {
                            hit(i);
                        }
                    });
                    if let Some(folded) = &folded {
                        find_all(&finder, folded.text().as_bytes(), folded, |i| {
                            if asked(i) {
                                hit(i);
                            }
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

/// The rows of a kind whose names (their own or their account's) have a text, of all or of those `within`.
pub fn search(book: &Book, entity: Entity, needle: &Needle, within: Option<&Bits>) -> Bits {
    let mut hits = Bits::new(book.bound(entity));
    if needle.text.is_empty() {
        for row in 0..book.bound(entity) {
            hits.set(row);
        }
        return hits;
    }
    for column in book.text_columns(entity) {
        needle.wanted().column(&column, &mut hits, within);
    }
    if matches!(entity, Entity::Renewal | Entity::Task | Entity::Escalation) {
        let mut accounts = Bits::new(book.bound(Entity::Account));
        let asked = within.map(|rows| {
            let mut asked = Bits::new(book.bound(Entity::Account));
            for row in rows.rows() {
                if let Some(account) = account_row(book, entity, row) {
                    asked.set(account);
                }
            }
            asked
        });
        for column in book.text_columns(Entity::Account) {
            needle
                .wanted()
                .column(&column, &mut accounts, asked.as_ref());
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
