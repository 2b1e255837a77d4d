//! Expressions within the YAML: their mistakes at their places in the file.

use cleanbill_core::policy::Expression;
use serde_saphyr::Location;

use super::Problem;
use super::node::Placed;
use super::read::Reader;

/// What a mistake without a hint of its own is told with.
const HINT: &str = "docs/policy.md says what an expression sees";

impl Reader<'_> {
    pub(super) fn expression(&mut self, key: &str, node: &Placed) -> Option<Expression> {
        let source = self.text(key, node)?;
        let mistakes = match Expression::new(&source) {
            Ok(expression) => return Some(expression),
            Err(mistakes) => mistakes,
        };
        for mistake in mistakes {
            let inside = (mistake.line, mistake.column);
            let (line, column) = place(self.text, node.referenced, &source, inside);
            let hint = mistake.hint.unwrap_or_else(|| HINT.to_owned());
            let file = self.file.to_owned();
            self.problems.push(Problem { file, line, column, message: mistake.message, hint });
        }
        None
    }
}

/// Where in the file a place of a text is that begins at `at`: exactly where the text stands
/// there as it is, otherwise (folded, escaped) where it begins.
fn place(file: &str, at: Location, source: &str, inside: (usize, usize)) -> (u64, u64) {
    let begin = (at.line().max(1), at.column().max(1));
    let found = exact(file, begin, source, inside);
    found.unwrap_or(begin)
}

fn exact(
    file: &str,
    begin: (u64, u64),
    source: &str,
    inside: (usize, usize),
) -> Option<(u64, u64)> {
    let row = usize::try_from(begin.0).ok()?.checked_sub(1)?;
    let column = usize::try_from(begin.1).ok()?.checked_sub(1)?;
    let wanted = source.lines().nth(inside.0.checked_sub(1)?)?;
    let head = file.lines().nth(row)?.chars().nth(column)?;
    let (line, skip) = match head {
        // A block: its lines follow, all indented alike.
        '|' => {
            let first = source.lines().position(|l| !l.trim().is_empty())?;
            let mut rows = file.lines().enumerate().skip(row.checked_add(1)?);
            let (shown, text) = rows.find(|(_, l)| !l.trim().is_empty())?;
            let own = source.lines().nth(first)?;
            let indent = text.chars().count().checked_sub(own.chars().count())?;
            (shown.checked_add(inside.0)?.checked_sub(first.checked_add(1)?)?, indent)
        }
        '"' | '\'' => (row.checked_add(inside.0)?.checked_sub(1)?, column.checked_add(1)?),
        // As it is; a block's text may be said to begin at its first line that is not empty.
        _ => {
            let empty = source.lines().take_while(|l| l.trim().is_empty()).count();
            (row.checked_add(inside.0)?.checked_sub(empty.checked_add(1)?)?, column)
        }
    };
    let column = skip.checked_add(inside.1)?;
    // Only if the line up to there is the expression's own.
    let upto = inside.1;
    let there: String = file.lines().nth(line)?.chars().skip(skip).take(upto).collect();
    let own: String = wanted.chars().take(upto).collect();
    (there == own).then_some(())?;
    Some((u64::try_from(line.checked_add(1)?).ok()?, u64::try_from(column).ok()?))
}
