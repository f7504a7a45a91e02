//! The words of a query.

use jiff::civil::Date;

use crate::simulate::salesforce::error::{Failure, malformed};
use crate::simulate::salesforce::value::{parse_date, parse_time};

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Date(Date),
    Time(i64),
    /// A sign: `( ) , . : = != < <= > >=`
    Sign(&'static str),
    End,
}

/// A word and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned {
    pub token: Token,
    pub at: usize,
    pub end: usize,
}

/// Cuts a query into words.
///
/// # Errors
/// `MALFORMED_QUERY` for what cannot be a word: an open quote, an unknown escape, a stray character.
pub fn lex(source: &str) -> Result<Vec<Spanned>, Failure> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let token = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'\'' => {
                let (text, end) = quoted(source, at)?;
                at = end;
                Token::Text(text)
            }
            b'0'..=b'9' | b'-' | b'+' => {
                let end = bytes[at..]
                    .iter()
                    .position(|byte| {
                        !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b':'))
                    })
                    .map_or(bytes.len(), |length| at + length);
                let word = &source[at..end];
                at = end;
                if let Some(date) = parse_date(word) {
                    Token::Date(date)
                } else if let Some(ms) = parse_time(word) {
                    Token::Time(ms)
                } else if word.bytes().all(|byte| {
                    byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')
                }) {
                    match word.parse() {
                        Ok(number) => Token::Number(number),
                        Err(_) => {
                            return Err(malformed(
                                source,
                                start,
                                &format!("unexpected token: '{word}'"),
                            ));
                        }
                    }
                } else if word.len() > 3
                    && word.as_bytes()[word.len() - 1].is_ascii_alphabetic()
                    && word[..word.len() - 1].parse::<f64>().is_ok()
                    && matches!(
                        word.as_bytes()[word.len() - 1],
                        b'l' | b'L' | b'd' | b'D' | b'f' | b'F'
                    )
                {
                    Token::Number(word[..word.len() - 1].parse().unwrap_or(0.0))
                } else if word.len() >= 10 && word.as_bytes()[4] == b'-' {
                    return Err(malformed(
                        source,
                        start,
                        &format!(
                            "For input string: '{word}': the date or date and time is not valid"
                        ),
                    ));
                } else {
                    return Err(malformed(
                        source,
                        start,
                        &format!("unexpected token: '{word}'"),
                    ));
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let end = bytes[at..]
                    .iter()
                    .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
                    .map_or(bytes.len(), |length| at + length);
                let word = source[at..end].to_string();
                at = end;
                Token::Word(word)
            }
            _ => {
                let two = source.get(at..at + 2).unwrap_or("");
                let sign = match (two, byte) {
                    ("!=", _) => "!=",
                    ("<>", _) => "!=",
                    ("<=", _) => "<=",
                    (">=", _) => ">=",
                    (_, b'=') => "=",
                    (_, b'<') => "<",
                    (_, b'>') => ">",
                    (_, b'(') => "(",
                    (_, b')') => ")",
                    (_, b',') => ",",
                    (_, b'.') => ".",
                    (_, b':') => ":",
                    _ => {
                        let odd = source[at..].chars().next().unwrap_or(' ');
                        return Err(malformed(
                            source,
                            at,
                            &format!("line 1:{at} no viable alternative at character '{odd}'"),
                        ));
                    }
                };
                at += if matches!(sign, "!=" | "<=" | ">=") {
                    2
                } else {
                    1
                };
                Token::Sign(sign)
            }
        };
        tokens.push(Spanned {
            token,
            at: start,
            end: at,
        });
    }
    tokens.push(Spanned {
        token: Token::End,
        at: source.len(),
        end: source.len(),
    });
    Ok(tokens)
}

/// The text of a quoted literal that begins at `from`, and the byte after it. In a pattern the escapes of `%` and `_` stay.
fn quoted(source: &str, from: usize) -> Result<(String, usize), Failure> {
    let mut text = String::new();
    let mut chars = source[from + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        let at = from + 1 + offset;
        match c {
            '\'' => return Ok((text, at + 1)),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n' | 'N') => text.push('\n'),
                Some('r' | 'R') => text.push('\r'),
                Some('t' | 'T') => text.push('\t'),
                Some('b' | 'B') => text.push('\u{8}'),
                Some('f' | 'F') => text.push('\u{c}'),
                Some('"') => text.push('"'),
                Some('\'') => text.push('\''),
                // Doubled, so that a pattern can tell an escaped sign from a plain one.
                Some('\\') => text.push_str("\\\\"),
                Some('_') => text.push_str("\\_"),
                Some('%') => text.push_str("\\%"),
                Some('u') => {
                    let digits: String = (0..4)
                        .filter_map(|_| chars.next().map(|(_, c)| c))
                        .collect();
                    match u32::from_str_radix(&digits, 16)
                        .ok()
                        .and_then(char::from_u32)
                    {
                        Some(c) if digits.len() == 4 => text.push(c),
                        _ => {
                            return Err(malformed(
                                source,
                                at,
                                "Illegal unicode escape in a string literal",
                            ));
                        }
                    }
                }
                _ => {
                    return Err(malformed(
                        source,
                        at,
                        "line 1: Illegal string literal: invalid string escape",
                    ));
                }
            },
            c => text.push(c),
        }
    }
    Err(malformed(
        source,
        from,
        "line 1: mismatched character '<EOF>' expecting '''",
    ))
}

/// What a text literal means where it is not a pattern.
pub fn plain(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or('\\')
        } else {
            c
        });
    }
    out
}
