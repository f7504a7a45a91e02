//! Record ids in the vendors' own forms. Both vendors need Salesforce's: a Gainsight company may carry the id of its
//! Salesforce account.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An 18-character Salesforce id: three characters of key prefix, the instance, nine base-62 digits of `number`, and the
/// three check characters that make it safe to compare without regard to case.
pub fn salesforce_id(prefix: &str, number: u64) -> String {
    let mut digits = [b'0'; 9];
    let mut rest = number;
    for place in digits.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str("Hs0");
    id.extend(digits.iter().map(|digit| char::from(*digit)));
    let check = salesforce_check(&id);
    id.push_str(&check);
    id
}

/// The three check characters of a 15-character id.
pub fn salesforce_check(id15: &str) -> String {
    const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    id15.as_bytes()
        .chunks(5)
        .take(3)
        .map(|chunk| {
            let bits = chunk
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0usize, |bits, (place, _)| bits | 1 << place);
            char::from(SUFFIX[bits & 31])
        })
        .collect()
}

/// The number in a Salesforce id of this simulation (15 or 18 characters), with its key prefix.
pub fn salesforce_number(id: &str) -> Option<(&str, u64)> {
    if !id.is_ascii() || !(id.len() == 15 || id.len() == 18) || id.get(3..6)? != "Hs0" {
        return None;
    }
    if id.len() == 18 && !salesforce_check(&id[..15]).eq_ignore_ascii_case(&id[15..]) {
        return None;
    }
    let mut number = 0u64;
    for byte in id[6..15].bytes() {
        let digit = BASE62.iter().position(|known| *known == byte)?;
        number = number * 62 + digit as u64;
    }
    Some((&id[..3], number))
}

/// A Gainsight GSID: four characters of object prefix and 32 of `0-9A-Z`. The number comes first, so that ids sort as
/// their rows do, and comes back by [`gainsight_number`]; the other digits are a hash of it, so that a mistyped id is not
/// another record.
pub fn gainsight_id(prefix: &str, number: u64) -> String {
    let mut id = String::with_capacity(36);
    id.push_str(prefix);
    base36(u128::from(number), 13, &mut id);
    base36(
        u128::from(super::rng::hash(number ^ 0x6761_696e)) * 36,
        19,
        &mut id,
    );
    id
}

/// The prefix and number of a GSID of this simulation; `None` for any other text.
pub fn gainsight_number(id: &str) -> Option<(&str, u64)> {
    if id.len() != 36 || !id.is_ascii() {
        return None;
    }
    let number = u64::from_str_radix(&id[4..17], 36).ok()?;
    gainsight_id(&id[..4], number)
        .eq(id)
        .then_some((&id[..4], number))
}

fn base36(mut value: u128, width: usize, into: &mut String) {
    let mut digits = vec![b'0'; width];
    for place in digits.iter_mut().rev() {
        *place = BASE62[(value % 36) as usize];
        value /= 36;
    }
    into.extend(digits.into_iter().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_wrong_ones_do_not() {
        for number in [0, 1, 61, 62, 99_999, 1 << 40] {
            let id = salesforce_id("001", number);
            assert_eq!(id.len(), 18);
            assert_eq!(salesforce_number(&id), Some(("001", number)));
            assert_eq!(salesforce_number(&id[..15]), Some(("001", number)));
            let gsid = gainsight_id("1P02", number);
            assert_eq!(gsid.len(), 36);
            assert_eq!(gainsight_number(&gsid), Some(("1P02", number)));
        }
        assert_eq!(salesforce_number("001xx000003DGb2AAG"), None);
        assert_eq!(
            gainsight_number("1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            None
        );
        // A published pair: the 15-character form and its 18-character form.
        assert_eq!(salesforce_check("001A0000006Vm9r"), "IAC");
    }
}
