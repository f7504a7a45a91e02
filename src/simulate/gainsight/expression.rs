//! The expression over the aliases of conditions.

use std::collections::HashMap;

use super::envelope::Refusal;
use super::query::Dialect;

/// What must hold: places of conditions, joined.
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Is(usize),
}

/// `A AND (B OR C)`; AND binds before OR.
pub(super) struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    depth: usize,
    aliases: &'a HashMap<String, usize>,
    text: &'a str,
    dialect: Dialect,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str, aliases: &'a HashMap<String, usize>, dialect: Dialect) -> Self {
        let spaced = text
            .replace('(', " ( ")
            .replace(')', " ) ")
            .to_ascii_uppercase();
        Parser {
            tokens: spaced.split_whitespace().map(str::to_owned).collect(),
            at: 0,
            depth: 0,
            aliases,
            text,
            dialect,
        }
    }

    /// Reads all of it.
    pub fn parse(mut self) -> Result<Node, Refusal> {
        let node = self.any()?;
        if self.at == self.tokens.len() {
            Ok(node)
        } else {
            Err(self.bad())
        }
    }

    fn bad(&self) -> Refusal {
        Refusal::new(
            self.dialect.bad_where,
            format!("Invalid expression in where clause - {}", self.text),
        )
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token == word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Node, Refusal> {
        let mut nodes = vec![self.all()?];
        while self.take("OR") {
            nodes.push(self.all()?);
        }
        Ok(Node::Any(nodes))
    }

    fn all(&mut self) -> Result<Node, Refusal> {
        let mut nodes = vec![self.one()?];
        while self.take("AND") {
            nodes.push(self.one()?);
        }
        Ok(Node::All(nodes))
    }

    fn one(&mut self) -> Result<Node, Refusal> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > 50 {
                return Err(self.bad());
            }
            let node = self.any()?;
            self.depth -= 1;
            return if self.take(")") {
                Ok(node)
            } else {
                Err(self.bad())
            };
        }
        let place = self
            .tokens
            .get(self.at)
            .and_then(|token| self.aliases.get(token))
            .copied();
        self.at += 1;
        place.map(Node::Is).ok_or_else(|| self.bad())
    }
}
