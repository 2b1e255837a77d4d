//! The XML of `updateinfo`, read element by element. Nothing is expanded but the five characters
//! that XML itself names; a document type is refused. What is open at once, and how large one piece
//! is, are bounded before a parser holds it.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use cleanbill_core::severity::Severity;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::errata::{Build, Errata, Erratum, time, version};
use super::super::osv::word;
use super::super::secdb::cve;
use super::super::{Tally, is_cve};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// The longest tag, text or comment, in bytes: descriptions are the longest there are.
const PIECE: u64 = 4 << 20;
/// Elements that are open at once; the form has six.
const DEPTH: usize = 16;
/// Attributes of one element; the form has six.
const ATTRIBUTES: usize = 64;
/// Bytes of a text that is kept: an id or a word.
const TEXT: usize = 256;

/// Reads one list, unpacked. An erratum that cannot be understood is counted.
///
/// # Errors
/// When it is no such list, or a limit is passed.
pub(super) fn parse(
    from: impl Read,
    limits: &Limits,
    errata: &mut Errata,
    tally: &mut Tally,
) -> Result<()> {
    let fuel = Rc::new(Cell::new(PIECE));
    let metered = Metered { from, piece: Rc::clone(&fuel), total: limits.total_bytes };
    let mut reader = Reader::from_reader(BufReader::new(metered));
    reader.config_mut().expand_empty_elements = true;
    let no_list = || Error::malformed("no list of errata (updateinfo)");
    let mut open: Vec<Part> = Vec::new();
    let (mut buffer, mut current, mut seen) = (Vec::new(), Current::default(), false);
    loop {
        buffer.clear();
        fuel.set(PIECE);
        let event = reader.read_event_into(&mut buffer).map_err(|e| {
            if let quick_xml::Error::Io(e) = &e
                && e.kind() == io::ErrorKind::FileTooLarge
            {
                return Error::new(ErrorKind::OverLimit, e.to_string());
            }
            no_list().because(e.to_string())
        })?;
        match event {
            Event::Start(element) => {
                if open.len() >= DEPTH {
                    let message = format!("more than {DEPTH} elements are open at once");
                    return Err(Error::new(ErrorKind::OverLimit, message));
                }
                let part = Part::of(element.name().as_ref(), open.last().copied());
                if open.is_empty() && part != Part::Updates {
                    return Err(no_list());
                }
                seen = true;
                if part == Part::Update {
                    current = Current::default();
                }
                current.opens(part, &element);
                open.push(part);
            }
            Event::End(_) => match open.pop() {
                Some(Part::Update) => finish(std::mem::take(&mut current), limits, errata, tally)?,
                Some(Part::Collection) => current.module = None,
                Some(_) | None => {}
            },
            Event::Text(text) => current.text(open.last().copied(), &text.into_inner()),
            Event::CData(text) => current.text(open.last().copied(), &text.into_inner()),
            // An entity in an id or a severity: neither has one, and none is expanded.
            Event::GeneralRef(name) => current.text(open.last().copied(), &format!("&{};", &*name)),
            Event::DocType(_) => return Err(Error::malformed("it has a document type")),
            // An empty element comes as its start and its end.
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() && seen => return Ok(()),
            Event::Eof => return Err(no_list().because("it ends too early")),
        }
    }
}

/// The elements that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Updates,
    Update,
    Id,
    Severity,
    Issued,
    Updated,
    Reference,
    Collection,
    Module,
    Package,
    Other,
}

impl Part {
    /// By its name, and by what it stands in, since a package or reference may hold an `id` too.
    fn of(name: &str, within: Option<Self>) -> Self {
        match (name, within) {
            ("updates", None) => Self::Updates,
            ("update", Some(Self::Updates)) => Self::Update,
            ("id", Some(Self::Update)) => Self::Id,
            ("severity", Some(Self::Update)) => Self::Severity,
            ("issued", Some(Self::Update)) => Self::Issued,
            ("updated", Some(Self::Update)) => Self::Updated,
            ("reference", _) => Self::Reference,
            ("collection", _) => Self::Collection,
            ("module", Some(Self::Collection)) => Self::Module,
            ("package", Some(Self::Collection)) => Self::Package,
            _ => Self::Other,
        }
    }
}

/// The erratum that is being read.
#[derive(Default)]
struct Current {
    erratum: Erratum,
    severity: String,
    security: bool,
    /// Taken back by its publisher.
    retracted: bool,
    /// The module stream of the collection that is open.
    module: Option<String>,
    /// What could not be understood, the first.
    wrong: Option<String>,
}

impl Current {
    fn opens(&mut self, part: Part, element: &BytesStart<'_>) {
        let mut get = |name| {
            attribute(element, name).unwrap_or_else(|why| {
                self.wrong.get_or_insert(why);
                String::new()
            })
        };
        match part {
            Part::Update => {
                self.security = get("type") == "security";
                self.retracted = matches!(&*get("status"), "retracted" | "obsolete");
            }
            Part::Issued => self.erratum.published = time(&get("date")),
            Part::Updated => self.erratum.modified = time(&get("date")),
            Part::Reference => {
                let (kind, id) = (get("type"), get("id"));
                match cve(id.trim()) {
                    Some(cve) if is_cve(&cve) => drop(self.erratum.cves.insert(cve)),
                    Some(_) | None if kind == "cve" => {
                        self.wrong.get_or_insert_with(|| format!("{id:?} is no id of a CVE"));
                    }
                    Some(_) | None => {}
                }
            }
            Part::Module => {
                let (name, stream) = (get("name"), get("stream"));
                match name.is_empty() || stream.is_empty() {
                    true => _ = self.wrong.get_or_insert_with(|| "a module without a name".into()),
                    false => self.module = Some(format!("{name}:{stream}")),
                }
            }
            Part::Package => {
                let (name, arch) = (get("name"), get("arch"));
                let version = version(&get("epoch"), &get("version"), &get("release"));
                // Sources are not installed.
                if arch == "src" {
                    return;
                }
                if name.is_empty() || arch.is_empty() || version.is_none() {
                    let why =
                        format!("a package without a name, version or architecture: {name:?}");
                    self.wrong.get_or_insert(why);
                }
                if !name.is_empty() {
                    let build = Build { name, module: self.module.clone(), version };
                    self.erratum.builds.entry(build).or_default().insert(arch);
                }
            }
            Part::Updates | Part::Id | Part::Severity | Part::Collection | Part::Other => {}
        }
    }

    fn text(&mut self, within: Option<Part>, text: &str) {
        let into = match within {
            Some(Part::Id) => &mut self.erratum.id,
            Some(Part::Severity) => &mut self.severity,
            Some(_) | None => return,
        };
        if into.len() + text.len() > TEXT {
            self.wrong.get_or_insert_with(|| format!("an id or severity of over {TEXT} bytes"));
            return;
        }
        into.push_str(text);
    }
}

/// Adds an erratum that was read whole. One that closes no flaw is none of ours.
fn finish(current: Current, limits: &Limits, errata: &mut Errata, tally: &mut Tally) -> Result<()> {
    let Current { mut erratum, severity, security, retracted, mut wrong, .. } = current;
    if retracted || !(security || !erratum.cves.is_empty() || wrong.is_some()) {
        return Ok(());
    }
    erratum.id = erratum.id.trim().to_owned();
    erratum.severity = word(severity.trim()).unwrap_or(Severity::Unknown);
    if erratum.id.is_empty() || erratum.builds.is_empty() {
        wrong.get_or_insert_with(|| "it has no id, or names no package".to_owned());
    }
    match &wrong {
        None => tally.took(),
        Some(why) => tally.missed(|| format!("{}: {why}", erratum.id)),
    }
    // What could be read of it counts all the same.
    if erratum.id.is_empty() || erratum.builds.is_empty() {
        return Ok(());
    }
    // An architecture that is not named may be any.
    for arches in erratum.builds.values_mut() {
        if arches.contains("") {
            *arches = [String::from("noarch")].into();
        }
    }
    errata.add(erratum, limits)
}

/// The value of an attribute; empty where there is none.
pub(super) fn attribute(
    element: &BytesStart<'_>,
    name: &str,
) -> std::result::Result<String, String> {
    for (at, attribute) in element.attributes().with_checks(false).enumerate() {
        if at >= ATTRIBUTES {
            return Err(format!("an element with more than {ATTRIBUTES} attributes"));
        }
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.as_ref() == name {
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|e| e.to_string())?;
            return match value.len() > TEXT {
                true => Err(format!("a value of over {TEXT} bytes")),
                false => Ok(value.into_owned()),
            };
        }
    }
    Ok(String::new())
}

/// Passes bytes on until a piece, or the whole, has had too many.
struct Metered<R> {
    from: R,
    /// What the piece that is being read may still have; the parser's caller fills it up.
    piece: Rc<Cell<u64>>,
    total: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let over = |what| Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        if self.piece.get() == 0 {
            return over(format!("a tag or text is larger than {PIECE} bytes"));
        }
        let read = self.from.read(into)?;
        self.piece.set(self.piece.get().saturating_sub(read as u64));
        match self.total.checked_sub(read as u64) {
            Some(left) => self.total = left,
            None => return over("it is larger than it may be".to_owned()),
        }
        Ok(read)
    }
}
