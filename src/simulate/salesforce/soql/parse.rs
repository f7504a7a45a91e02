//! The grammar of SOQL.

use super::ast::*;
use super::lex::{Spanned, Token, lex, plain};
use crate::simulate::salesforce::error::{Failure, malformed};

/// Reads a whole query.
///
/// # Errors
/// `MALFORMED_QUERY` with the place.
pub fn parse(source: &str) -> Result<Query, Failure> {
    if source.trim().is_empty() {
        return Err(Failure::new(
            400,
            "MALFORMED_QUERY",
            "A query string has to be specified",
        ));
    }
    let mut parser = Parser {
        source,
        tokens: lex(source)?,
        next: 0,
        depth: 0,
    };
    let query = parser.query(false)?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected());
    }
    Ok(query)
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Spanned>,
    next: usize,
    depth: u32,
}

/// How deep parentheses may nest.
const DEEPEST: u32 = 100;

type Parsed<T> = Result<T, Failure>;

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn after(&self, ahead: usize) -> &Token {
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)].token
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn unexpected(&self) -> Failure {
        let token = &self.tokens[self.next];
        let text = if token.token == Token::End {
            "<EOF>"
        } else {
            &self.source[token.at..token.end]
        };
        malformed(
            self.source,
            token.at,
            &format!("unexpected token: '{}'", text.trim_matches('\'')),
        )
    }

    fn word_is(token: &Token, word: &str) -> bool {
        matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn is(&self, word: &str) -> bool {
        Self::word_is(self.peek(), word)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.advance();
        }
        found
    }

    fn need(&mut self, word: &str) -> Parsed<()> {
        if self.take(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(text) if *text == sign);
        if found {
            self.advance();
        }
        found
    }

    fn need_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Word(_) => match self.advance() {
                Token::Word(word) => Ok(word),
                _ => Err(self.unexpected()),
            },
            _ => Err(self.unexpected()),
        }
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(malformed(
                self.source,
                self.at(),
                "the query is nested too deeply",
            ))
        } else {
            Ok(())
        }
    }

    fn query(&mut self, inner: bool) -> Parsed<Query> {
        self.deeper()?;
        self.need("SELECT")?;
        let mut query = Query::default();
        loop {
            let item = self.item(inner)?;
            query.items.push(item);
            if !self.sign(",") {
                break;
            }
        }
        self.need("FROM")?;
        query.from_at = self.at();
        query.from = self.name()?;
        while self.sign(".") {
            query.from.push('.');
            query.from.push_str(&self.name()?);
        }
        const CLAUSES: &[&str] = &[
            "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL",
            "UPDATE",
        ];
        let clause = |token: &Token| CLAUSES.iter().any(|clause| Self::word_is(token, clause));
        let _ = self.take("AS");
        if matches!(self.peek(), Token::Word(_)) && !clause(self.peek()) {
            query.alias = Some(self.name()?);
        }
        if self.take("USING") {
            self.need("SCOPE")?;
            let at = self.at();
            let scope = self.name()?;
            if !scope.eq_ignore_ascii_case("everything") {
                return Err(malformed(
                    self.source,
                    at,
                    &format!("scope '{scope}' is not supported for this object"),
                ));
            }
        }
        if self.take("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.take("WITH") {
            // SECURITY_ENFORCED, USER_MODE and SYSTEM_MODE change nothing here: the simulated user may see everything.
            let at = self.at();
            let word = self.name()?.to_ascii_uppercase();
            if !matches!(
                word.as_str(),
                "SECURITY_ENFORCED" | "USER_MODE" | "SYSTEM_MODE"
            ) {
                return Err(malformed(
                    self.source,
                    at,
                    &format!("unexpected token: '{word}'"),
                ));
            }
        }
        if self.take("GROUP") {
            self.need("BY")?;
            loop {
                query.group.push(self.term()?);
                if !self.sign(",") {
                    break;
                }
            }
            if self.take("HAVING") {
                query.having = Some(self.condition()?);
            }
        }
        if self.take("ORDER") {
            self.need("BY")?;
            loop {
                let term = self.term()?;
                let descending = if self.take("DESC") {
                    true
                } else {
                    self.take("ASC");
                    false
                };
                let nulls_last = if self.take("NULLS") {
                    if self.take("LAST") {
                        true
                    } else {
                        self.need("FIRST")?;
                        false
                    }
                } else {
                    false
                };
                query.order.push(Order {
                    term,
                    descending,
                    nulls_last,
                });
                if !self.sign(",") {
                    break;
                }
            }
        }
        if self.take("LIMIT") {
            query.limit = Some(self.count("LIMIT")?);
        }
        if self.take("OFFSET") {
            query.offset = Some(self.count("OFFSET")?);
        }
        if self.take("FOR") {
            loop {
                if !(self.take("VIEW") || self.take("REFERENCE") || self.take("UPDATE")) {
                    return Err(self.unexpected());
                }
                if !self.sign(",") {
                    break;
                }
            }
        }
        if self.is("ALL") && Self::word_is(self.after(1), "ROWS") {
            self.advance();
            self.advance();
            query.all_rows = true;
        }
        if self.take("UPDATE") {
            while self.take("TRACKING") || self.take("VIEWSTAT") || self.sign(",") {}
        }
        self.depth -= 1;
        Ok(query)
    }

    fn count(&mut self, what: &str) -> Parsed<u64> {
        match *self.peek() {
            Token::Number(number) if number >= 0.0 && number.fract() == 0.0 && number < 1e15 => {
                self.advance();
                Ok(number as u64)
            }
            Token::Number(_) => Err(malformed(
                self.source,
                self.at(),
                &format!("{what} must be a whole number that is not negative"),
            )),
            _ => Err(self.unexpected()),
        }
    }

    fn item(&mut self, inner: bool) -> Parsed<Item> {
        if self.is("FROM") {
            return Err(self.unexpected());
        }
        if self.sign("(") {
            if inner {
                return Err(malformed(
                    self.source,
                    self.at(),
                    "a subquery in the select list cannot hold another one",
                ));
            }
            let query = self.query(true)?;
            self.need_sign(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if self.is("FIELDS") && matches!(self.after(1), Token::Sign("(")) {
            let at = self.at();
            self.advance();
            self.advance();
            let word = self.name()?.to_ascii_uppercase();
            self.need_sign(")")?;
            return Ok(Item::Fields(word, at));
        }
        if self.is("TYPEOF") && matches!(self.after(1), Token::Word(_)) {
            self.advance();
            return self.type_of();
        }
        let term = self.term()?;
        let alias = match self.peek() {
            Token::Word(word) if !word.eq_ignore_ascii_case("FROM") => Some(self.name()?),
            _ => None,
        };
        Ok(Item::Term { term, alias })
    }

    fn type_of(&mut self) -> Parsed<Item> {
        let path = self.path()?;
        let mut cases = Vec::new();
        while self.take("WHEN") {
            let at = self.at();
            let object = self.name()?;
            self.need("THEN")?;
            cases.push((object, at, self.paths()?));
        }
        if cases.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.take("ELSE") {
            self.paths()?
        } else {
            Vec::new()
        };
        self.need("END")?;
        Ok(Item::TypeOf {
            path,
            cases,
            otherwise,
        })
    }

    fn paths(&mut self) -> Parsed<Vec<Path>> {
        let mut paths = vec![self.path()?];
        while self.sign(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn path(&mut self) -> Parsed<Path> {
        let at = self.at();
        let mut parts = vec![self.name()?];
        while self.sign(".") {
            parts.push(self.name()?);
        }
        Ok(Path { parts, at })
    }

    fn term(&mut self) -> Parsed<Term> {
        let at = self.at();
        if matches!(self.after(1), Token::Sign("(")) && matches!(self.peek(), Token::Word(_)) {
            let name = self.name()?;
            let Some(function) = Function::named(&name) else {
                return Err(malformed(
                    self.source,
                    at,
                    &format!("unexpected token: '{name}'"),
                ));
            };
            self.need_sign("(")?;
            self.deeper()?;
            let argument = if matches!(self.peek(), Token::Sign(")")) {
                if function != Function::Count {
                    return Err(self.unexpected());
                }
                None
            } else {
                Some(Box::new(self.term()?))
            };
            self.need_sign(")")?;
            self.depth -= 1;
            return Ok(Term::Call {
                function,
                argument,
                at,
            });
        }
        Ok(Term::Path(self.path()?))
    }

    /// Salesforce refuses `a AND b OR c`: one level has one kind of joint.
    fn condition(&mut self) -> Parsed<Condition> {
        self.deeper()?;
        let first = self.simple()?;
        let joint = if self.is("AND") {
            "AND"
        } else if self.is("OR") {
            "OR"
        } else {
            self.depth -= 1;
            return Ok(first);
        };
        let mut parts = vec![first];
        while self.take(joint) {
            parts.push(self.simple()?);
        }
        if self.is("AND") || self.is("OR") {
            return Err(self.unexpected());
        }
        self.depth -= 1;
        Ok(if joint == "AND" {
            Condition::And(parts)
        } else {
            Condition::Or(parts)
        })
    }

    fn simple(&mut self) -> Parsed<Condition> {
        if self.is("NOT") {
            self.deeper()?;
            self.advance();
            let inner = self.simple()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.sign("(") {
            let inner = self.condition()?;
            self.need_sign(")")?;
            return Ok(inner);
        }
        let left = self.term()?;
        let op = match self.peek().clone() {
            Token::Sign("=") => Op::Eq,
            Token::Sign("!=") => Op::Ne,
            Token::Sign("<") => Op::Lt,
            Token::Sign("<=") => Op::Le,
            Token::Sign(">") => Op::Gt,
            Token::Sign(">=") => Op::Ge,
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "LIKE" => Op::Like,
                "IN" => Op::In,
                "INCLUDES" => Op::Includes,
                "EXCLUDES" => Op::Excludes,
                "NOT" if Self::word_is(self.after(1), "IN") => {
                    self.advance();
                    Op::NotIn
                }
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.advance();
        let right = match op {
            Op::In | Op::NotIn | Op::Includes | Op::Excludes => {
                self.need_sign("(")?;
                let right = if self.is("SELECT") && matches!(op, Op::In | Op::NotIn) {
                    Right::Rows(Box::new(self.query(true)?))
                } else {
                    let mut many = vec![self.literal()?];
                    while self.sign(",") {
                        many.push(self.literal()?);
                    }
                    Right::Many(many)
                };
                self.need_sign(")")?;
                right
            }
            Op::Like => match self.peek().clone() {
                Token::Text(text) => {
                    self.advance();
                    Right::One(Literal::Text(text))
                }
                _ => return Err(self.unexpected()),
            },
            _ => Right::One(self.literal()?),
        };
        Ok(Condition::Compare { left, op, right })
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let literal = match self.peek().clone() {
            Token::Text(text) => Literal::Text(plain(&text)),
            Token::Number(number) => Literal::Number(number),
            Token::Date(date) => Literal::Date(date),
            Token::Time(ms) => Literal::Time(ms),
            Token::Word(word) => {
                let upper = word.to_ascii_uppercase();
                match upper.as_str() {
                    "NULL" => Literal::Null,
                    "TRUE" => Literal::Bool(true),
                    "FALSE" => Literal::Bool(false),
                    _ => {
                        if let Some(takes_number) = super::dates::known(&upper) {
                            if !takes_number {
                                self.advance();
                                return Ok(Literal::Range(upper, None));
                            }
                            self.advance();
                            self.need_sign(":")?;
                            let Token::Number(number) = *self.peek() else {
                                return Err(self.unexpected());
                            };
                            if number.fract() != 0.0 || !(0.0..100_000.0).contains(&number) {
                                return Err(self.unexpected());
                            }
                            self.advance();
                            return Ok(Literal::Range(upper, Some(number as i64)));
                        }
                        let number = upper.get(3..).and_then(|rest| rest.parse::<f64>().ok());
                        match (upper.get(..3), number) {
                            (Some(code), Some(number))
                                if code.bytes().all(|byte| byte.is_ascii_uppercase()) =>
                            {
                                let code = code.to_string();
                                self.advance();
                                // `EUR10.50` comes as a word, a point and digits.
                                if self.sign(".") {
                                    if let Token::Number(fraction) = *self.peek() {
                                        let text = &self.source
                                            [self.tokens[self.next].at..self.tokens[self.next].end];
                                        let scale = 10f64.powi(text.len() as i32);
                                        self.advance();
                                        return Ok(Literal::Currency(
                                            code,
                                            number + fraction / scale,
                                        ));
                                    }
                                    return Err(self.unexpected());
                                }
                                return Ok(Literal::Currency(code, number));
                            }
                            _ => return Err(self.unexpected()),
                        }
                    }
                }
            }
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(literal)
    }
}
