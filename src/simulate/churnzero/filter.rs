//! `$filter`: read into an expression on the fields of a set, and evaluated row by row.
//!
//! As documented, `and` and `or` are not mixed in one filter. A literal must be of the field's type: texts in quotes,
//! instants with their time and without quotes.

use jiff::Timestamp;
use serde_json::Value;

use super::Refusal;
use super::catalog::{ACCOUNT, EVENT, EVENT_CALCULATIONS, SEGMENTS, in_segment};
use crate::simulate::overlay::{Kind, Overlay};

/// How deep brackets may lie in each other.
const DEPTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Ms(i64),
}

#[derive(Debug, Clone)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Compare(usize, Op, Literal),
    Call(Function, usize, String),
    Segment(usize),
    /// Chooses columns in the vendor's own lists, and no rows.
    ColumnSet,
}

/// A filter of one set.
pub(super) struct Filter {
    table: usize,
    root: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

fn refused(text: impl Into<String>) -> Refusal {
    Refusal::bad(format!(
        "The query specified in the URI is not valid. {}",
        text.into()
    ))
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' | '\n' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '\'' => {
                let mut value = String::new();
                loop {
                    match rest.next() {
                        None => return Err(refused("There is an unterminated string literal.")),
                        // Two quotes are one.
                        Some('\'') if rest.peek() == Some(&'\'') => {
                            rest.next();
                            value.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => value.push(other),
                    }
                }
                tokens.push(Token::Text(value));
            }
            other => {
                let mut word = String::from(other);
                while let Some(next) = rest.peek() {
                    if next.is_whitespace() || "(),'".contains(*next) {
                        break;
                    }
                    word.push(*next);
                    rest.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    rows: &'a Overlay,
    table: usize,
    tokens: std::vec::IntoIter<Token>,
    ahead: Option<Token>,
    joined: Option<bool>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        self.ahead.take().or_else(|| self.tokens.next())
    }

    fn peek(&mut self) -> Option<&Token> {
        if self.ahead.is_none() {
            self.ahead = self.tokens.next();
        }
        self.ahead.as_ref()
    }

    fn expect(&mut self, token: Token) -> Result<(), Refusal> {
        match self.next() {
            Some(found) if found == token => Ok(()),
            found => Err(refused(format!("Syntax error at {found:?}."))),
        }
    }

    fn joined(&mut self, depth: usize) -> Result<Expression, Refusal> {
        let mut parts = vec![self.factor(depth)?];
        while let Some(Token::Word(word)) = self.peek() {
            let and = match word.as_str() {
                "and" => true,
                "or" => false,
                _ => break,
            };
            if *self.joined.get_or_insert(and) != and {
                return Err(refused(
                    "The operators 'and' and 'or' cannot be combined in one filter.",
                ));
            }
            self.next();
            parts.push(self.factor(depth)?);
        }
        Ok(match (parts.len(), self.joined) {
            (1, _) => parts.swap_remove(0),
            (_, Some(true)) => Expression::And(parts),
            _ => Expression::Or(parts),
        })
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, Refusal> {
        if depth > DEPTH {
            return Err(refused("The filter is nested too deeply."));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.joined(depth + 1)?;
                self.expect(Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "not" => {
                Ok(Expression::Not(Box::new(self.factor(depth + 1)?)))
            }
            Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => self.call(&word),
            Some(Token::Word(word)) => self.comparison(&word),
            other => Err(refused(format!("Syntax error at {other:?}."))),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, Refusal> {
        let function = match name {
            "contains" => Function::Contains,
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            _ => return Err(refused(format!("An unknown function '{name}' was found."))),
        };
        // The large sets do not search in texts.
        if EVENT_CALCULATIONS.contains(&self.table) {
            return Err(refused(format!(
                "The function '{name}' is not allowed on this entity set."
            )));
        }
        self.expect(Token::Open)?;
        let Some(Token::Word(field)) = self.next() else {
            return Err(refused(format!("'{name}' takes a property and a text.")));
        };
        let place = self.field(&field)?;
        self.expect(Token::Comma)?;
        let Some(Token::Text(text)) = self.next() else {
            return Err(refused(format!("'{name}' takes a property and a text.")));
        };
        self.expect(Token::Close)?;
        if self.rows.tables[self.table].fields[place].kind != Kind::Text {
            return Err(refused(format!(
                "'{name}' takes a property that is a text."
            )));
        }
        Ok(Expression::Call(function, place, text))
    }

    fn field(&self, name: &str) -> Result<usize, Refusal> {
        let shape = &self.rows.tables[self.table];
        shape.field(name).ok_or_else(|| {
            refused(format!(
                "Could not find a property named '{name}' on type 'ChurnZero.{}'.",
                shape.name
            ))
        })
    }

    fn comparison(&mut self, name: &str) -> Result<Expression, Refusal> {
        let op = match self.next() {
            Some(Token::Word(word)) => match word.as_str() {
                "eq" => Op::Eq,
                "ne" => Op::Ne,
                "gt" => Op::Gt,
                "ge" => Op::Ge,
                "lt" => Op::Lt,
                "le" => Op::Le,
                _ => return Err(refused(format!("Syntax error at '{word}'."))),
            },
            other => return Err(refused(format!("Syntax error at {other:?}."))),
        };
        let literal = match self.next() {
            Some(Token::Text(text)) => Literal::Text(text),
            Some(Token::Word(word)) => literal(&word)?,
            other => return Err(refused(format!("Syntax error at {other:?}."))),
        };
        if let Some(used) = name.strip_prefix("Use/") {
            return self.used(used, op, &literal);
        }
        let place = self.field(name)?;
        // Accounts are not found by their id in the list; there is the address with the key for that.
        if self.table == ACCOUNT && name == "Id" {
            return Err(refused(
                "The property 'Id' cannot be used in the $filter query option.",
            ));
        }
        let kind = self.rows.tables[self.table].fields[place].kind;
        let fits = matches!(
            (kind, &literal),
            (Kind::Text, Literal::Text(_))
                | (Kind::Int | Kind::Decimal | Kind::Row(_), Literal::Number(_))
                | (Kind::Bool, Literal::Bool(_))
                | (Kind::Instant, Literal::Ms(_))
        ) || (literal == Literal::Null && kind != Kind::List);
        if !fits {
            return Err(refused(format!(
                "A binary operator with incompatible types was detected at property '{name}'."
            )));
        }
        Ok(Expression::Compare(place, op, literal))
    }

    /// `Use/SegmentId eq 3` and `Use/SegmentColumnSetId eq 1`.
    fn used(&self, what: &str, op: Op, literal: &Literal) -> Result<Expression, Refusal> {
        let Literal::Number(number) = literal else {
            return Err(refused("A segment is named by its id."));
        };
        if op != Op::Eq || self.table != ACCOUNT {
            return Err(refused("Segments are used with 'eq', and on accounts."));
        }
        match what {
            "SegmentColumnSetId" => Ok(Expression::ColumnSet),
            "SegmentId" if (1.0..=SEGMENTS.len() as f64).contains(number) => {
                Ok(Expression::Segment(*number as usize - 1))
            }
            _ => Err(refused(format!("There is no segment {number}."))),
        }
    }
}

fn literal(word: &str) -> Result<Literal, Refusal> {
    Ok(match word {
        "null" => Literal::Null,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        _ if word.contains('T') && word.starts_with(|c: char| c.is_ascii_digit()) => {
            let at = word.parse::<Timestamp>().map_err(|_| {
                refused(format!(
                    "Unrecognized 'Edm.DateTimeOffset' literal '{word}'."
                ))
            })?;
            Literal::Ms(at.as_millisecond())
        }
        _ => {
            let number: f64 = word
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| refused(format!("Unrecognized literal '{word}'.")))?;
            Literal::Number(number)
        }
    })
}

impl Filter {
    /// Reads a filter for a set; without a text everything fits.
    pub fn compile(rows: &Overlay, table: usize, text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(Filter { table, root: None });
        };
        let mut parser = Parser {
            rows,
            table,
            tokens: tokens(text)?.into_iter(),
            ahead: None,
            joined: None,
        };
        let root = parser.joined(0)?;
        if let Some(left) = parser.next() {
            return Err(refused(format!("Syntax error at {left:?}.")));
        }
        Ok(Filter {
            table,
            root: Some(root),
        })
    }

    pub fn fits(&self, rows: &Overlay, row: u32) -> bool {
        self.root
            .as_ref()
            .is_none_or(|root| evaluate(rows, self.table, row, root))
    }

    /// The one account whose rows can fit, when the filter says so: large sets are read through their accounts.
    pub fn account(&self, rows: &Overlay) -> Option<u32> {
        let parts = match self.root.as_ref()? {
            Expression::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let shape = &rows.tables[self.table];
        parts.iter().find_map(|part| match part {
            Expression::Compare(place, Op::Eq, literal) => {
                match (shape.fields[*place].name, literal) {
                    ("AccountId", Literal::Number(id)) => {
                        super::catalog::row_of(ACCOUNT, *id as i64).or(Some(u32::MAX))
                    }
                    ("AccountExternalId", Literal::Text(id)) if self.table == EVENT => {
                        super::catalog::account_by_external(rows, id).or(Some(u32::MAX))
                    }
                    _ => None,
                }
            }
            _ => None,
        })
    }
}

fn evaluate(rows: &Overlay, table: usize, row: u32, expression: &Expression) -> bool {
    match expression {
        Expression::And(parts) => parts.iter().all(|part| evaluate(rows, table, row, part)),
        Expression::Or(parts) => parts.iter().any(|part| evaluate(rows, table, row, part)),
        Expression::Not(part) => !evaluate(rows, table, row, part),
        Expression::Segment(segment) => in_segment(rows, *segment, row),
        Expression::ColumnSet => true,
        Expression::Call(function, place, wanted) => match rows.get(table, row, *place) {
            Value::String(text) => match function {
                Function::Contains => text.contains(wanted.as_str()),
                Function::StartsWith => text.starts_with(wanted.as_str()),
                Function::EndsWith => text.ends_with(wanted.as_str()),
            },
            _ => false,
        },
        Expression::Compare(place, op, literal) => compare(rows, table, row, *place, *op, literal),
    }
}

fn compare(
    rows: &Overlay,
    table: usize,
    row: u32,
    place: usize,
    op: Op,
    literal: &Literal,
) -> bool {
    use std::cmp::Ordering;
    let order = match literal {
        Literal::Ms(wanted) => rows.ms(table, row, place).map(|ms| ms.cmp(wanted)),
        Literal::Null => {
            let null = rows.get(table, row, place).is_null();
            return match op {
                Op::Eq => null,
                Op::Ne => !null,
                _ => false,
            };
        }
        Literal::Bool(wanted) => rows
            .get(table, row, place)
            .as_bool()
            .map(|value| value.cmp(wanted)),
        Literal::Number(wanted) => rows
            .get(table, row, place)
            .as_f64()
            .map(|value| value.total_cmp(wanted)),
        Literal::Text(wanted) => rows
            .get(table, row, place)
            .as_str()
            .map(|value| value.cmp(wanted.as_str())),
    };
    match (op, order) {
        (Op::Ne, None) => true,
        (_, None) => false,
        (Op::Eq, Some(order)) => order == Ordering::Equal,
        (Op::Ne, Some(order)) => order != Ordering::Equal,
        (Op::Gt, Some(order)) => order == Ordering::Greater,
        (Op::Ge, Some(order)) => order != Ordering::Less,
        (Op::Lt, Some(order)) => order == Ordering::Less,
        (Op::Le, Some(order)) => order != Ordering::Greater,
    }
}
