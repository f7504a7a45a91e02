//! Tokens into a checked query.

use super::ast::{Expr, Op, Term};
use super::lexer::{Kind, Token, tokens};
use super::value;
use crate::book::nearest::nearest;
use crate::book::registry::{self, Type};
use crate::book::{Entity, fold};
use std::ops::Range;

/// What is wrong with a query and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {message}", self.column)]
pub struct QueryError {
    /// In words, with the nearest right name if there is one.
    pub message: String,
    /// Which bytes of the text.
    pub span: Range<usize>,
    /// The column of the first of them, in characters, from 1.
    pub column: usize,
    /// What to put there instead, if csops has a guess.
    pub suggestion: Option<String>,
}

/// Deeper nesting is refused: nobody writes it, and it would use up the stack.
const DEEPEST: usize = 64;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    entity: Entity,
    depth: usize,
}

/// Parses a query about things of a kind. An empty text selects everything.
pub fn parse(text: &str, entity: Entity) -> Result<Expr, QueryError> {
    let mut p = Parser {
        text,
        tokens: tokens(text),
        at: 0,
        entity,
        depth: 0,
    };
    if p.tokens.is_empty() {
        return Ok(Expr::All);
    }
    let expr = p.any()?;
    match p.tokens.get(p.at) {
        None => Ok(expr),
        Some(t) => Err(p.error(t.span.clone(), "this `)` closes nothing".into(), None)),
    }
}

impl Parser<'_> {
    fn error(&self, span: Range<usize>, message: String, suggestion: Option<String>) -> QueryError {
        let column = self.text.get(..span.start).unwrap_or("").chars().count() + 1;
        QueryError {
            message,
            span,
            column,
            suggestion,
        }
    }

    fn end(&self) -> Range<usize> {
        self.text.len()..self.text.len()
    }

    fn kind(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|t| &t.kind)
    }

    /// Whether the next token is that word, standing alone (not `or:…`).
    fn keyword(&self, word: &str) -> bool {
        let is = matches!(self.kind(), Some(Kind::Word(w)) if w.eq_ignore_ascii_case(word));
        is && !matches!(
            self.tokens.get(self.at + 1),
            Some(Token { kind: Kind::Op(_), span }) if span.start == self.tokens[self.at].span.end
        )
    }

    fn any(&mut self) -> Result<Expr, QueryError> {
        let mut parts = vec![self.all()?];
        while self.keyword("or") {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Expr::Or(parts),
        })
    }

    fn all(&mut self) -> Result<Expr, QueryError> {
        let mut parts = Vec::new();
        loop {
            if self.keyword("and") && !parts.is_empty() {
                self.at += 1;
                parts.push(self.one()?);
                continue;
            }
            match self.kind() {
                None | Some(Kind::Close) => break,
                _ if self.keyword("or") => break,
                _ => parts.push(self.one()?),
            }
        }
        match parts.len() {
            0 => {
                let span = self
                    .tokens
                    .get(self.at)
                    .map_or(self.end(), |t| t.span.clone());
                Err(self.error(span, "a condition is missing here".into(), None))
            }
            1 => Ok(parts.remove(0)),
            _ => Ok(Expr::And(parts)),
        }
    }

    fn one(&mut self) -> Result<Expr, QueryError> {
        self.depth += 1;
        let result = self.one_inner();
        self.depth -= 1;
        result
    }

    fn one_inner(&mut self) -> Result<Expr, QueryError> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Err(self.error(self.end(), "a condition is missing here".into(), None));
        };
        if self.depth > DEEPEST {
            return Err(self.error(token.span, "too many parentheses".into(), None));
        }
        if self.keyword("not") {
            self.at += 1;
            return Ok(Expr::Not(Box::new(self.one()?)));
        }
        self.at += 1;
        match token.kind {
            Kind::Minus => Ok(Expr::Not(Box::new(self.one()?))),
            Kind::Open => {
                let inner = self.any()?;
                if self.kind() != Some(&Kind::Close) {
                    return Err(self.error(token.span, "this `(` is never closed".into(), None));
                }
                self.at += 1;
                Ok(inner)
            }
            Kind::Close => Err(self.error(token.span, "this `)` closes nothing".into(), None)),
            Kind::Op(op) => Err(self.error(
                token.span,
                format!("a field is missing before `{}`", op.sign()),
                None,
            )),
            Kind::Quoted(text, closed) => {
                if !closed {
                    return Err(self.error(token.span, "this quote is never closed".into(), None));
                }
                Ok(Expr::Term(Term::Exact(fold(&text))))
            }
            Kind::Word(word) => match self.kind() {
                Some(Kind::Op(op)) => {
                    let op = *op;
                    self.at += 1;
                    self.field(&word, token.span, op)
                }
                _ => Ok(Expr::Term(Term::Fuzzy(fold(&word)))),
            },
        }
    }

    fn field(&mut self, name: &str, span: Range<usize>, op: Op) -> Result<Expr, QueryError> {
        let Some(field) = registry::find(self.entity, name) else {
            let suggestion = suggest(self.entity, name);
            let hint = match &suggestion {
                Some(s) => format!("; did you mean `{s}`?"),
                None => String::new(),
            };
            return Err(self.error(
                span,
                format!("{}s have no field `{name}`{hint}", self.entity),
                suggestion,
            ));
        };
        let Some(token) = self.tokens.get(self.at).cloned() else {
            let message = format!(
                "a value is missing: `{}` takes {}",
                field.field.name,
                field.field.ty.expects()
            );
            return Err(self.error(self.end(), message, None));
        };
        let (text, quoted) = match token.kind {
            Kind::Word(w) => (w, false),
            Kind::Quoted(q, true) => (q, true),
            Kind::Quoted(_, false) => {
                return Err(self.error(token.span, "this quote is never closed".into(), None));
            }
            // `trend < -20%`: a space before the sign.
            Kind::Minus if matches!(self.tokens.get(self.at + 1), Some(t) if t.span.start == token.span.end) =>
            {
                self.at += 1;
                match self.tokens.get(self.at).map(|t| &t.kind) {
                    Some(Kind::Word(w)) => (format!("-{w}"), false),
                    _ => return Err(self.missing(token.span, &field)),
                }
            }
            _ => return Err(self.missing(token.span, &field)),
        };
        self.at += 1;
        let value_span = token.span.start..self.tokens[self.at - 1].span.end;
        let value = value::read(&field, op, &text, quoted)
            .map_err(|m| self.error(value_span.clone(), m, None))?;
        // A word that a closed list does not have is a typo, not a filter that finds nothing.
        if let (Type::Word, super::ast::Value::Text(folded)) = (field.field.ty, &value)
            && CLOSED.contains(&field.field.name)
            && !field.field.words.is_empty()
            && !field
                .field
                .words
                .iter()
                .any(|w| fold(w).starts_with(folded.as_str()))
        {
            let near = nearest(&text, field.field.words.iter().copied());
            let hint = near.map_or_else(
                || format!(" (it has {})", field.field.words.join(", ")),
                |n| format!("; did you mean `{n}`?"),
            );
            return Err(self.error(
                value_span,
                format!("`{}` has no value `{text}`{hint}", field.field.name),
                near.map(str::to_owned),
            ));
        }
        Ok(Expr::Term(Term::Field { field, op, value }))
    }

    fn missing(&self, span: Range<usize>, field: &registry::FieldRef) -> QueryError {
        let message = format!(
            "a value is missing: `{}` takes {}",
            field.field.name,
            field.field.ty.expects()
        );
        self.error(span, message, None)
    }
}

/// Fields whose words are ours and complete; vendors' own words (segments, touch models) are open lists.
const CLOSED: &[&str] = &["forecast", "status", "priority", "kind", "level"];

fn suggest(entity: Entity, name: &str) -> Option<String> {
    let own = registry::fields(entity).iter();
    let account: &[registry::Field] = match entity {
        Entity::Renewal | Entity::Task | Entity::Escalation => registry::fields(Entity::Account),
        _ => &[],
    };
    let names = own
        .chain(account)
        .flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()));
    nearest(name, names).map(str::to_owned)
}
