//! The parts without operators: names, literals, calls, lists, maps and brackets.

use super::{Parsed, Parser, shown};
use crate::ast::ExprKind;
use crate::lexer::Token;
use crate::literal::Text;
use crate::mistake::Found;
use crate::value::Value;

/// Words that the definition keeps for host languages; they name no variable or function.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl Parser {
    pub(super) fn primary(&mut self) -> Parsed {
        let at = self.at();
        let token = self.peek().clone();
        self.next += 1;
        let value = match token {
            Token::Name(name) => return self.name(at, name, false),
            Token::Mark("(") => {
                let inside = self.expr()?;
                self.want(")", "closes the bracket")?;
                return Ok(inside);
            }
            Token::Mark("[") => {
                let items = self.list("]")?;
                let below = items.iter().map(|e| e.depth).max().unwrap_or(0);
                return self.node(at, below, ExprKind::List(items));
            }
            Token::Mark("{") => return self.map(at),
            Token::Mark(".") => {
                let Token::Name(name) = self.peek().clone() else {
                    return Err(Found::new(at, "a name comes after a leading `.`"));
                };
                self.next += 1;
                return self.name(at, name, true);
            }
            Token::Mark("-") => match self.negative(at)? {
                Some(value) => value,
                None => return Err(Found::new(at, "unexpected `-`")),
            },
            Token::Int(n) => match i64::try_from(n) {
                Ok(n) => Value::Int(n),
                Err(_) => return Err(Found::new(at, "this number is out of the range of int")),
            },
            Token::Uint(n) => Value::Uint(n),
            Token::Double(n) => Value::Double(n),
            Token::Text(Text::String(text)) => Value::String(text.into()),
            Token::Text(Text::Bytes(octets)) => Value::Bytes(octets.into()),
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            Token::In | Token::Mark(_) | Token::End => {
                let message = format!("an expression comes here, not {}", shown(&token));
                return Err(Found::new(at, message));
            }
        };
        self.node(at, 0, ExprKind::Literal(value))
    }

    /// A number behind a minus is a literal, so that the smallest `int` can be written.
    fn negative(&mut self, at: u32) -> Result<Option<Value>, Found> {
        let value = match self.peek() {
            Token::Int(n) => match 0_i64.checked_sub_unsigned(*n) {
                Some(n) => Value::Int(n),
                None => return Err(Found::new(at, "this number is out of the range of int")),
            },
            Token::Double(n) => Value::Double(-n),
            _ => return Ok(None),
        };
        self.next += 1;
        Ok(Some(value))
    }

    /// A variable, or a call of a function.
    fn name(&mut self, at: u32, name: String, rooted: bool) -> Parsed {
        if RESERVED.contains(&name.as_str()) {
            return Err(Found::new(at, format!("`{name}` is a reserved word")));
        }
        if !self.eat("(") {
            return self.node(at, 0, ExprKind::Name { name, rooted });
        }
        let args = self.list(")")?;
        if name == "has" {
            return self.has(at, args);
        }
        let below = args.iter().map(|e| e.depth).max().unwrap_or(0);
        self.node(at, below, ExprKind::Call { name, args })
    }

    /// The entries of a map whose `{` was eaten.
    fn map(&mut self, at: u32) -> Parsed {
        let mut entries = Vec::new();
        let mut below = 0;
        while !self.eat("}") {
            if !entries.is_empty() {
                self.want(",", "or `}` comes after an entry")?;
                if self.eat("}") {
                    break;
                }
            }
            let key = self.expr()?;
            self.want(":", "comes between a key and its value")?;
            let value = self.expr()?;
            below = below.max(key.depth).max(value.depth);
            entries.push([key, value]);
        }
        self.node(at, below, ExprKind::Map(entries))
    }
}
