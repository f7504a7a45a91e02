//! Columns in copy-on-write chunks: cloning a Book copies pointers, changing a row copies only the chunks of the columns that really change.

use std::collections::HashMap;
use std::sync::Arc;

/// Rows per chunk. Small enough that a thousand scattered changes copy little, large enough that the pointers cost nothing.
pub const CHUNK: usize = 1024;

/// A column of plain values.
#[derive(Clone, Debug, Default)]
pub struct Col<T> {
    chunks: Vec<Arc<[T]>>,
    /// The chunk in which nothing is set: all chunks are this one until a value comes, so that an unused column takes no room.
    blank: Option<Arc<[T]>>,
}

impl<T: Copy + Default + PartialEq> Col<T> {
    /// The value of a row; the default where nothing was set.
    #[inline]
    pub fn get(&self, row: u32) -> T {
        let row = row as usize;
        self.chunks
            .get(row / CHUNK)
            .map_or_else(T::default, |c| c[row % CHUNK])
    }

    /// Sets a row, growing the column as needed. Nothing is copied when the value is the same.
    #[inline]
    pub fn set(&mut self, row: u32, value: T) {
        let (chunk, at) = (row as usize / CHUNK, row as usize % CHUNK);
        if self.chunks.len() <= chunk {
            let blank = self
                .blank
                .get_or_insert_with(|| Arc::from(vec![T::default(); CHUNK]));
            self.chunks.resize(chunk + 1, blank.clone());
        }
        if self.chunks[chunk][at] != value {
            Arc::make_mut(&mut self.chunks[chunk])[at] = value;
        }
    }

    /// The chunks in order, for passes over a whole column; the last one reaches beyond the last row with defaults.
    pub fn chunks(&self) -> impl Iterator<Item = &[T]> {
        self.chunks.iter().map(|c| &**c)
    }
}

/// From the ids of one kind to row numbers (or any other number), in pages that exist only where ids do.
#[derive(Clone, Debug, Default)]
pub struct IdMap {
    pages: Vec<Option<Arc<[u32]>>>,
}

impl IdMap {
    /// The number stored for an id.
    #[inline]
    pub fn get(&self, id: u32) -> Option<u32> {
        let id = id as usize;
        match self.pages.get(id / CHUNK)?.as_deref()?[id % CHUNK] {
            0 => None,
            n => Some(n - 1),
        }
    }

    /// Stores a number for an id, or takes it away.
    pub fn set(&mut self, id: u32, number: Option<u32>) {
        let (page, at) = (id as usize / CHUNK, id as usize % CHUNK);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Arc::from(vec![0; CHUNK]));
        let value = number.map_or(0, |n| n + 1);
        if page[at] != value {
            Arc::make_mut(page)[at] = value;
        }
    }
}

/// A column of texts: the texts of a chunk lie behind one another, so that a search runs over them in one go.
#[derive(Clone, Debug, Default)]
pub struct TextCol {
    chunks: Vec<Arc<TextChunk>>,
}

/// The texts of up to [`CHUNK`] rows.
#[derive(Clone, Debug, Default)]
pub struct TextChunk {
    text: String,
    ends: Vec<u32>,
}

impl TextChunk {
    /// All texts behind one another.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// How many texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    /// The text at a place within the chunk.
    #[inline]
    pub fn get(&self, at: usize) -> &str {
        let (start, end) = self.range(at);
        &self.text[start..end]
    }
    /// Where the text at a place begins and ends in [`text`](TextChunk::text).
    #[inline]
    pub fn range(&self, at: usize) -> (usize, usize) {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (start as usize, self.ends[at] as usize)
    }
    /// The place whose text holds a byte offset.
    pub fn place(&self, offset: usize) -> usize {
        self.ends.partition_point(|e| *e as usize <= offset)
    }
    /// The texts that are not plain ASCII folded, the others empty; `None` when all are.
    pub fn folded(&self) -> Option<TextChunk> {
        if self.text.is_ascii() {
            return None;
        }
        let mut chunk = TextChunk::default();
        for i in 0..self.len() {
            chunk.push(super::day::folded(self.get(i)).as_deref().unwrap_or(""));
        }
        Some(chunk)
    }
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        if self.ends.len() == CHUNK {
            self.text.shrink_to_fit();
        }
    }
}

impl TextCol {
    /// The text of a row; empty where nothing was set.
    #[inline]
    pub fn get(&self, row: u32) -> &str {
        let (chunk, at) = (row as usize / CHUNK, row as usize % CHUNK);
        match self.chunks.get(chunk) {
            Some(c) if at < c.len() => c.get(at),
            _ => "",
        }
    }

    /// Sets the text of a row, growing the column as needed.
    pub fn set(&mut self, row: u32, text: &str) {
        let (chunk, at) = (row as usize / CHUNK, row as usize % CHUNK);
        while self.chunks.len() <= chunk {
            if let Some(last) = self.chunks.last_mut() {
                let last = Arc::make_mut(last);
                while last.len() < CHUNK {
                    last.push("");
                }
            }
            self.chunks.push(Arc::default());
        }
        let slot = &mut self.chunks[chunk];
        if at < slot.len() {
            if slot.get(at) == text {
                return;
            }
            let mut fresh = TextChunk {
                text: String::with_capacity(slot.text.len() + text.len()),
                ends: Vec::with_capacity(slot.len()),
            };
            for i in 0..slot.len() {
                fresh.push(if i == at { text } else { slot.get(i) });
            }
            *slot = Arc::new(fresh);
        } else {
            let slot = Arc::make_mut(slot);
            while slot.len() < at {
                slot.push("");
            }
            slot.push(text);
        }
    }

    /// The chunks in order.
    pub fn chunks(&self) -> &[Arc<TextChunk>] {
        &self.chunks
    }
}

/// A column in which few rows have a value.
#[derive(Clone, Debug)]
pub struct Sparse<T> {
    chunks: Vec<Option<Arc<HashMap<u16, T>>>>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Sparse { chunks: Vec::new() }
    }
}

impl<T: Clone + PartialEq> Sparse<T> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: u32) -> Option<&T> {
        self.chunks
            .get(row as usize / CHUNK)?
            .as_deref()?
            .get(&((row as usize % CHUNK) as u16))
    }

    /// Sets a row's value or takes it away.
    pub fn set(&mut self, row: u32, value: Option<T>) {
        if self.get(row) == value.as_ref() {
            return;
        }
        let (chunk, at) = (row as usize / CHUNK, (row as usize % CHUNK) as u16);
        if self.chunks.len() <= chunk {
            self.chunks.resize(chunk + 1, None);
        }
        let map = Arc::make_mut(self.chunks[chunk].get_or_insert_with(Arc::default));
        match value {
            Some(v) => {
                map.insert(at, v);
            }
            None => {
                map.remove(&at);
            }
        }
    }
}

/// Short texts that repeat (segments, stages, statuses), each kept once.
#[derive(Clone, Debug)]
pub struct Symbols {
    list: Vec<Arc<str>>,
    map: HashMap<Arc<str>, u32>,
}

impl Default for Symbols {
    fn default() -> Self {
        Symbols {
            list: vec![Arc::from("")],
            map: HashMap::from([(Arc::from(""), 0)]),
        }
    }
}

impl Symbols {
    /// The number of a text, 0 for the empty one.
    pub fn intern(self: &mut Arc<Self>, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(n) = self.map.get(text) {
            return *n;
        }
        let this = Arc::make_mut(self);
        let text: Arc<str> = Arc::from(text);
        let n = this.list.len() as u32;
        this.list.push(text.clone());
        this.map.insert(text, n);
        n
    }
    /// The text of a number.
    #[inline]
    pub fn get(&self, symbol: u32) -> &str {
        self.list.get(symbol as usize).map_or("", |s| s)
    }
    /// The number of a text that is already known.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.map.get(text).copied()
    }
    /// Every text, by number.
    pub fn all(&self) -> &[Arc<str>] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_every_chunk_until_one_is_changed() {
        let mut a: Col<i32> = Col::default();
        for row in 0..5000 {
            a.set(row, row as i32);
        }
        let mut b = a.clone();
        b.set(4000, 7);
        b.set(1, 1); // the same value: nothing is copied
        assert_eq!((a.get(4000), b.get(4000)), (4000, 7));
        let shared = a
            .chunks
            .iter()
            .zip(&b.chunks)
            .filter(|(x, y)| Arc::ptr_eq(x, y))
            .count();
        assert_eq!(shared, 4);
    }

    #[test]
    fn texts_are_found_by_row_and_by_offset_after_changes() {
        let mut t = TextCol::default();
        for row in 0..3000 {
            t.set(row, &format!("name {row}"));
        }
        t.set(1500, "株式会社");
        t.set(4500, "far");
        assert_eq!(t.get(1500), "株式会社");
        assert_eq!(t.get(1501), "name 1501");
        assert_eq!((t.get(3500), t.get(4500), t.get(9999)), ("", "far", ""));
        let c = &t.chunks()[1];
        let offset = c.text().find("name 1501").unwrap();
        assert_eq!(c.place(offset), 1501 - CHUNK);
    }

    #[test]
    fn ids_may_lie_far_apart() {
        let mut m = IdMap::default();
        m.set(3_000_000, Some(0));
        assert_eq!((m.get(3_000_000), m.get(2)), (Some(0), None));
        m.set(3_000_000, None);
        assert_eq!(m.get(3_000_000), None);
    }
}
