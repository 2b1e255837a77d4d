//! What differs between two texts, as a unified diff for people.

/// Lines of context around a difference.
const CONTEXT: usize = 3;

/// One line of the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Same,
    Gone,
    New,
}

/// The unified diff; empty where nothing differs. For files of some hundred lines: it takes the
/// product of both lengths.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let marks = compare(&a, &b);
    if marks.iter().all(|(mark, _)| *mark == Mark::Same) {
        return String::new();
    }
    let mut text = format!("--- {name}\n+++ {name}\n");
    let mut at = 0;
    while let Some(first) = (at..marks.len()).find(|i| differs(&marks, *i)) {
        let begin = first.saturating_sub(CONTEXT).max(at);
        // The hunk goes on while the next difference is near.
        let mut last = first;
        while let Some(next) =
            (last + 1..marks.len().min(last + 2 * CONTEXT + 2)).find(|i| differs(&marks, *i))
        {
            last = next;
        }
        let end = (last + CONTEXT + 1).min(marks.len());
        let count =
            |part: &[(Mark, &str)], but: Mark| part.iter().filter(|(m, _)| *m != but).count();
        let (head, hunk) = (marks.get(..begin), marks.get(begin..end));
        let (head, hunk) = (head.unwrap_or_default(), hunk.unwrap_or_default());
        text.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            count(head, Mark::New) + 1,
            count(hunk, Mark::New),
            count(head, Mark::Gone) + 1,
            count(hunk, Mark::Gone),
        ));
        for (mark, line) in hunk {
            let sign = match mark {
                Mark::Same => ' ',
                Mark::Gone => '-',
                Mark::New => '+',
            };
            text.push_str(&format!("{sign}{line}\n"));
        }
        at = end;
    }
    text
}

fn differs(marks: &[(Mark, &str)], at: usize) -> bool {
    marks.get(at).is_some_and(|(mark, _)| *mark != Mark::Same)
}

/// The longest common subsequence, from the end.
fn compare<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<(Mark, &'t str)> {
    let width = b.len() + 1;
    let mut table = vec![0_usize; (a.len() + 1) * width];
    let get = |table: &[usize], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, old) in a.iter().enumerate().rev() {
        for (j, new) in b.iter().enumerate().rev() {
            let best = if old == new {
                get(&table, i + 1, j + 1) + 1
            } else {
                get(&table, i + 1, j).max(get(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut marks = Vec::new();
    loop {
        match (a.get(i), b.get(j)) {
            (None, None) => return marks,
            (Some(old), Some(new)) if old == new => {
                marks.push((Mark::Same, *old));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || get(&table, i + 1, j) >= get(&table, i, j + 1) => {
                marks.push((Mark::Gone, *old));
                i += 1;
            }
            (_, Some(new)) => {
                marks.push((Mark::New, *new));
                j += 1;
            }
            (Some(old), None) => {
                marks.push((Mark::Gone, *old));
                i += 1;
            }
        }
    }
}
