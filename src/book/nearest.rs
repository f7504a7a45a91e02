//! The name that somebody probably meant.

/// The name nearest to a misspelt one, if any is near: at most a third of its letters off, two where that is less, one for names of three
/// letters and none for shorter ones; or a name that begins so. Case makes no difference.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let limit = match name.chars().count() {
        // One letter of two is half the name: a guess, not a slip.
        0..=2 => 0,
        3 => 1,
        letters => (letters / 3).max(2),
    };
    names
        .map(|n| (distance(&name, &n.to_lowercase()), n))
        .filter(|(d, n)| *d <= limit || (name.len() >= 2 && n.to_lowercase().starts_with(&name)))
        .min_by_key(|(d, _)| *d)
        .map(|(_, n)| n)
}

/// Edits between two words; a swap of neighbours is one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Long texts are no typos of a name, and the table would be large.
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut t = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in t.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in t[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            t[i][j] = (t[i - 1][j] + 1)
                .min(t[i][j - 1] + 1)
                .min(t[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                t[i][j] = t[i][j].min(t[i - 2][j - 2] + 1);
            }
        }
    }
    t[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let names = ["health", "renewal", "arr", "segment"];
        assert_eq!(nearest("helth", names.into_iter()), Some("health"));
        assert_eq!(nearest("renwal", names.into_iter()), Some("renewal"));
        assert_eq!(nearest("ar", names.into_iter()), Some("arr"));
        assert_eq!(nearest("seg", names.into_iter()), Some("segment"));
        assert_eq!(nearest("zzz", names.into_iter()), None);
        assert_eq!(nearest("L9", ["L0", "L1"].into_iter()), None);
        assert_eq!(nearest("SE", names.into_iter()), Some("segment"));
        assert_eq!(
            nearest("Negotiate", ["Closed won", "Negotiation"].into_iter()),
            Some("Negotiation")
        );
    }
}
