//! The bands of a day in half a byte an account, so that the next start knows which band each score was in the day before.

use crate::book::derived::OwnHealth;
use crate::book::{Book, Day, Derived, LocalId};
use crate::insight::rules::Band;

/// The bands of a day by the accounts' ids, and beside each the band of the day before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bands {
    day: Day,
    model: String,
    /// Two accounts a byte, the lower half first; in each half the band and, above it, the one of the day before (see [`OwnHealth`]).
    halves: Vec<u8>,
}

/// The first byte of what is kept: another shape is another number.
const SHAPE: u8 = 1;
/// Letters of a model's version.
const VERSION: usize = 8;

impl Bands {
    /// Of a day's columns.
    pub fn of(book: &Book, derived: &Derived, today: Day) -> Bands {
        let mut halves = Vec::new();
        for a in book.accounts() {
            let half = derived.health(a.row()).bands();
            let (at, shift) = place(a.id());
            if half != 0 {
                if halves.len() <= at {
                    halves.resize(at + 1, 0);
                }
                halves[at] |= half << shift;
            }
        }
        Bands {
            day: today,
            model: derived.model().to_owned(),
            halves,
        }
    }

    /// The band of an account on the day before `today`, under the same model.
    pub fn before(&self, model: &str, today: Day, id: LocalId) -> Option<Band> {
        let (at, shift) = place(id);
        let half = self.halves.get(at)? >> shift & 15;
        let kept = OwnHealth::of_bands(half);
        let band = if self.model != model || self.day > today {
            None
        } else if self.day == today {
            kept.before()
        } else {
            kept.band()
        };
        band.and_then(Band::at)
    }

    /// As they are kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 4 + VERSION + self.halves.len());
        out.push(SHAPE);
        out.extend(self.day.0.to_le_bytes());
        out.extend(
            self.model
                .bytes()
                .chain(std::iter::repeat(b' '))
                .take(VERSION),
        );
        out.extend(&self.halves);
        out
    }

    /// From what was kept; nothing when it is of another shape.
    pub fn of_bytes(bytes: &[u8]) -> Option<Bands> {
        let (shape, rest) = bytes.split_first()?;
        let (day, rest) = rest.split_first_chunk::<4>()?;
        let (model, halves) = rest.split_first_chunk::<VERSION>()?;
        (*shape == SHAPE).then_some(())?;
        Some(Bands {
            day: Day(i32::from_le_bytes(*day)),
            model: String::from_utf8_lossy(model).trim_end().to_owned(),
            halves: halves.to_vec(),
        })
    }
}

fn place(id: LocalId) -> (usize, u32) {
    (id.0 as usize / 2, id.0 % 2 * 4)
}
