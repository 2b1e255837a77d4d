//! Files that are written with gaps in them (`templates/`), and how the gaps are filled.

/// The template with each `@NAME@` replaced by its value, which must be safe where it stands: a
/// [`quoted`](super::yaml::quoted) text, a checked name, or lines of ours.
pub(super) fn fill(template: &str, gaps: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in gaps {
        text = text.replace(&format!("@{name}@"), value);
    }
    text
}
