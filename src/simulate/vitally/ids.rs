//! Ids in the vendor's form: UUIDs. A row's number is in its id, and comes back out of it; a mistyped id is no other record.

use crate::simulate::world::rng::hash;

/// Keeps small numbers from showing.
const MASK: u32 = 0x5a3c_91e7;

/// The UUID of row `row` of table `table`.
pub(super) fn id(table: u8, row: u32) -> String {
    let mix = hash((u64::from(row) << 8 | u64::from(table)) ^ 0x7669_7461);
    let hidden = row ^ MASK;
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{hidden:08x}",
        mix >> 32,
        mix & 0xffff,
        mix >> 20 & 0xfff,
        0x8000 | u16::from(table),
        mix >> 16 & 0xffff
    )
}

/// The row of table `table` that has this id.
pub(super) fn row(table: u8, text: &str) -> Option<u32> {
    let tail = text.get(28..36).filter(|_| text.len() == 36)?;
    let row = u32::from_str_radix(tail, 16).ok()? ^ MASK;
    (id(table, row) == text.to_ascii_lowercase()).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_wrong_ones_do_not() {
        for number in [0, 1, 77, 99_999, 1 << 29, (1 << 30) + 5] {
            let text = id(3, number);
            assert_eq!(text.len(), 36);
            assert_eq!(row(3, &text), Some(number));
            assert_eq!(row(4, &text), None);
            assert_ne!(id(4, number), text);
        }
        assert_eq!(row(3, "00000000-0000-4000-8000-000000000000"), None);
        assert_eq!(row(3, "ünïcödé-ünïcödé-ünïcödé-ünïcödé!"), None);
    }
}
