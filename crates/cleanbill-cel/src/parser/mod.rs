//! Tokens to a tree, by the precedences of the language definition. Bounded in nesting, depth
//! and size; stops at the first thing that cannot be read, since what follows would be guesses.

mod macros;
mod primary;

use crate::ast::{Binary, Expr, ExprKind, Order};
use crate::lexer::{Placed, Token, tokens};
use crate::limits;
use crate::mistake::Found;

/// The tree of a whole source.
pub(crate) fn parse(source: &str) -> Result<Expr, Vec<Found>> {
    if source.len() > limits::SOURCE_BYTES {
        let message = format!("longer than {} bytes", limits::SOURCE_BYTES);
        return Err(vec![Found::new(0, message).hint("say it in several rules")]);
    }
    let (tokens, mut mistakes) = tokens(source);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut parser = Parser { tokens, next: 0, nesting: 0, nodes: 0 };
    let parsed = parser.expr().and_then(|expr| match parser.peek() {
        Token::End => Ok(expr),
        other => Err(Found::new(parser.at(), format!("unexpected {}", shown(other)))),
    });
    parsed.map_err(|found| {
        mistakes.push(found);
        mistakes
    })
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    nesting: usize,
    nodes: usize,
}

type Parsed = Result<Expr, Found>;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(t, _)| t)
    }

    /// The token after the next one.
    fn peek_second(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&Token::End, |(t, _)| t)
    }

    fn at(&self) -> u32 {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(_, at)| *at)
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Token::Mark(m) if *m == mark)
    }

    /// Steps over a mark if it is next.
    fn eat(&mut self, mark: &str) -> bool {
        let there = self.is(mark);
        self.next += usize::from(there);
        there
    }

    fn want(&mut self, mark: &str, what: &str) -> Result<(), Found> {
        if self.eat(mark) {
            return Ok(());
        }
        Err(Found::new(self.at(), format!("`{mark}` {what}, not {}", shown(self.peek()))))
    }

    /// A node, if the tree is neither too deep nor too large with it.
    fn node(&mut self, at: u32, below: usize, kind: ExprKind) -> Parsed {
        self.nodes += 1;
        if self.nodes > limits::NODES {
            return Err(Found::new(at, format!("more than {} parts", limits::NODES))
                .hint("say it in several rules"));
        }
        if below >= limits::DEPTH {
            let message = format!("a chain of more than {} steps", limits::DEPTH);
            return Err(Found::new(at, message).hint("use a list, or several rules"));
        }
        Ok(Expr { at, depth: below + 1, kind })
    }

    /// Any expression: the one place where nesting begins anew.
    fn expr(&mut self) -> Parsed {
        let at = self.at();
        self.nesting += 1;
        if self.nesting > limits::NESTING {
            let message = format!("nested more than {} deep", limits::NESTING);
            return Err(Found::new(at, message).hint("say it in several rules"));
        }
        let condition = self.or()?;
        let expr = if self.eat("?") {
            let yes = self.or()?;
            self.want(":", "comes between the two results of `?`")?;
            let no = self.expr()?;
            let below = condition.depth.max(yes.depth).max(no.depth);
            self.node(at, below, ExprKind::Choose(Box::new([condition, yes, no])))?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(expr)
    }

    fn or(&mut self) -> Parsed {
        self.chain("||", Self::and, ExprKind::Or)
    }

    fn and(&mut self) -> Parsed {
        self.chain("&&", Self::relation, ExprKind::And)
    }

    /// `&&` and `||` are associative, errors included, so a chain of them is one flat node.
    fn chain(
        &mut self,
        mark: &str,
        mut operand: impl FnMut(&mut Self) -> Parsed,
        kind: impl Fn(Vec<Expr>) -> ExprKind,
    ) -> Parsed {
        let at = self.at();
        let first = operand(self)?;
        if !self.is(mark) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.eat(mark) {
            operands.push(operand(self)?);
        }
        let below = operands.iter().map(|e| e.depth).max().unwrap_or(0);
        self.node(at, below, kind(operands))
    }

    fn relation(&mut self) -> Parsed {
        self.binary(0)
    }

    /// Left-associative operators of at least this precedence.
    fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = operator(self.peek()) {
            if precedence < least {
                break;
            }
            let at = self.at();
            self.next += 1;
            let right = self.binary(precedence + 1)?;
            let below = left.depth.max(right.depth);
            left = self.node(at, below, ExprKind::Binary(operator, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        let mark = match self.peek() {
            Token::Mark("!") => "!",
            Token::Mark("-") => "-",
            _ => return self.member(),
        };
        if mark == "-" && matches!(self.peek_second(), Token::Int(_) | Token::Double(_)) {
            return self.member();
        }
        let mut count = 0_usize;
        while self.is(mark) {
            if mark == "-" && matches!(self.peek_second(), Token::Int(_) | Token::Double(_)) {
                break;
            }
            self.next += 1;
            count += 1;
        }
        let mut expr = self.member()?;
        for _ in 0..count {
            let below = expr.depth;
            let kind = match mark {
                "!" => ExprKind::Not(Box::new(expr)),
                _ => ExprKind::Negate(Box::new(expr)),
            };
            expr = self.node(at, below, kind)?;
        }
        Ok(expr)
    }

    /// A primary with its `.field`, `.method()` and `[index]`.
    fn member(&mut self) -> Parsed {
        let mut expr = self.primary()?;
        loop {
            let at = self.at();
            if self.eat("[") {
                let index = self.expr()?;
                self.want("]", "closes the index")?;
                let below = expr.depth.max(index.depth);
                expr = self.node(at, below, ExprKind::Index(Box::new([expr, index])))?;
            } else if self.eat(".") {
                let name_at = self.at();
                let Token::Name(name) = self.peek().clone() else {
                    let message = format!("a name comes after `.`, not {}", shown(self.peek()));
                    return Err(Found::new(name_at, message));
                };
                self.next += 1;
                if self.eat("(") {
                    let args = self.list(")")?;
                    expr = self.method(name_at, expr, name, args)?;
                } else {
                    let below = expr.depth;
                    let kind = ExprKind::Select { of: Box::new(expr), field: name };
                    expr = self.node(name_at, below, kind)?;
                }
            } else if self.is("{") {
                return Err(Found::new(at, "messages cannot be built")
                    .hint("a map is written {'key': value}"));
            } else {
                return Ok(expr);
            }
        }
    }

    /// Expressions up to the closing mark, which is eaten; a trailing comma only in lists.
    fn list(&mut self, close: &'static str) -> Result<Vec<Expr>, Found> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(self.expr()?);
            if self.eat(close) {
                return Ok(items);
            }
            if !self.eat(",") {
                let message = format!("`,` or `{close}` comes here, not {}", shown(self.peek()));
                return Err(Found::new(self.at(), message));
            }
            if close == "]" && self.eat(close) {
                return Ok(items);
            }
        }
    }
}

/// An operator and how tightly it binds.
fn operator(token: &Token) -> Option<(Binary, u8)> {
    Some(match token {
        Token::In => (Binary::In, 1),
        Token::Mark(mark) => match *mark {
            "==" => (Binary::Equal, 1),
            "!=" => (Binary::Differ, 1),
            "<" => (Binary::Order(Order::Less), 1),
            "<=" => (Binary::Order(Order::LessOrEqual), 1),
            ">" => (Binary::Order(Order::Greater), 1),
            ">=" => (Binary::Order(Order::GreaterOrEqual), 1),
            "+" => (Binary::Add, 2),
            "-" => (Binary::Subtract, 2),
            "*" => (Binary::Multiply, 3),
            "/" => (Binary::Divide, 3),
            "%" => (Binary::Remainder, 3),
            _ => return None,
        },
        Token::Name(_)
        | Token::Int(_)
        | Token::Uint(_)
        | Token::Double(_)
        | Token::Text(_)
        | Token::True
        | Token::False
        | Token::Null
        | Token::End => return None,
    })
}

/// A token as a message names it.
fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{}`", name.chars().take(40).collect::<String>()),
        Token::Mark(mark) => format!("`{mark}`"),
        Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".into(),
        Token::Text(_) => "a text".into(),
        Token::True => "`true`".into(),
        Token::False => "`false`".into(),
        Token::Null => "`null`".into(),
        Token::In => "`in`".into(),
        Token::End => "the end".into(),
    }
}
