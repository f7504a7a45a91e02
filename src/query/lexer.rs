//! Texts into tokens, each with the bytes that it stands at.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `-` directly before a term.
    Minus,
    /// A comparison, `:`, `=`, `<=`, …
    Op(super::Op),
    /// A word.
    Word(String),
    /// A quoted text; false when the closing quote is missing.
    Quoted(String, bool),
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What.
    pub kind: Kind,
    /// Which bytes of the text.
    pub span: Range<usize>,
}

/// The tokens of a text. Never fails: what is wrong shows when they are parsed.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        at += c.len_utf8();
        // Whether the token before touches this one: `health<-5` compares with −5, ` -tag:x` excludes.
        let glued = out.last().is_some_and(|t| t.span.end == start);
        let after_op = glued && matches!(out.last().map(|t| &t.kind), Some(Kind::Op(_)));
        let kind = match c {
            c if c.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '"' => {
                let rest = &text[at..];
                let end = rest.find('"');
                let inner = &rest[..end.unwrap_or(rest.len())];
                at += inner.len() + usize::from(end.is_some());
                Kind::Quoted(inner.to_owned(), end.is_some())
            }
            ':' | '=' | '<' | '>' | '!' if c != '!' || text[at..].starts_with('=') => {
                let equals = text[at..].starts_with('=');
                let two = equals && c != ':' && c != '=';
                at += usize::from(two);
                Kind::Op(match (c, two) {
                    (':', _) => super::Op::Has,
                    ('=', _) => super::Op::Is,
                    ('!', _) => super::Op::IsNot,
                    ('<', false) => super::Op::Below,
                    ('<', true) => super::Op::AtMost,
                    ('>', false) => super::Op::Above,
                    (_, _) => {
                        if two {
                            super::Op::AtLeast
                        } else {
                            super::Op::Above
                        }
                    }
                })
            }
            '-' if !glued
                || matches!(out.last().map(|t| &t.kind), Some(Kind::Open | Kind::Minus)) =>
            {
                Kind::Minus
            }
            _ => {
                let rest = &text[start..];
                let end = rest
                    .char_indices()
                    .find(|(_, c)| {
                        c.is_whitespace()
                            || matches!(c, '(' | ')' | '"')
                            // A value may hold colons and signs (`12:30`, `a=b`); a word that may become a field may not.
                            || (!after_op && matches!(c, ':' | '=' | '<' | '>' | '!'))
                    })
                    .map_or(rest.len(), |(i, _)| i)
                    .max(c.len_utf8());
                at = start + end;
                Kind::Word(rest[..end].to_owned())
            }
        };
        out.push(Token {
            kind,
            span: start..at,
        });
    }
    out
}
