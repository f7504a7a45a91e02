//! What a field asks of insight when it is read: too dear to hold for every row, and asked for seldom.

use super::registry::Scope;

/// Some of a fixed list of words.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Which: the bit of each word's place.
    pub bits: u16,
    /// All of them.
    pub names: &'static [&'static str],
}

impl Words {
    /// None of none.
    pub const NONE: Words = Words {
        bits: 0,
        names: &[],
    };
    /// Those that are set, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        let set = self.names.iter().enumerate();
        set.filter(move |(i, _)| self.bits & (1 << i) != 0)
            .map(|(_, name)| *name)
    }
}

/// Insight's opinion of one account of a Book.
pub trait Judge: Sync {
    /// What is wrong with its data, as far as its own rows show it.
    fn defects(&self, scope: &Scope<'_>, account: u32) -> Words;
    /// What speaks for expansion.
    fn expansion(&self, scope: &Scope<'_>, account: u32) -> Words;
    /// The order of opportunity, minor units of the reporting currency.
    fn opportunity(&self, scope: &Scope<'_>, account: u32) -> i64;
}

/// No opinion.
impl Judge for () {
    fn defects(&self, _: &Scope<'_>, _: u32) -> Words {
        Words::NONE
    }
    fn expansion(&self, _: &Scope<'_>, _: u32) -> Words {
        Words::NONE
    }
    fn opportunity(&self, _: &Scope<'_>, _: u32) -> i64 {
        0
    }
}
