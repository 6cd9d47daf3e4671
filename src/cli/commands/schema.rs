//! `evtap schema`: describes the events, their fields and which fields are hidden.

pub(super) mod json;
mod json_schema;
mod kinds;
mod sql;
mod tap;
mod text;
mod typescript;

use self::kinds::kinds;
use crate::cli::args::{SchemaArgs, SqlDialect};
use crate::cli::resolve;
use crate::cli::session::print;
use crate::error::{Error, Exit, Result};
use crate::model::{EventSpec, Kind};
use crate::output::status_lines;
use crate::query::{TypeFilter, suggest};

pub(super) fn run(args: &SchemaArgs) -> Result<Exit> {
    resolve::apply_color(args.color);
    if args.status {
        return print(format!("{:#}\n", status_lines::schema()).as_bytes()).map(|_| Exit::Done);
    }
    let specs = select(args.event.as_deref())?;
    let text = if args.phi {
        text::hidden(&specs, args.json)
    } else if args.json {
        json::events(&specs).to_string() + "\n"
    } else if args.json_schema {
        format!("{:#}\n", json_schema::json_schema(&specs))
    } else if let Some(SqlDialect::Duckdb) = args.sql {
        sql::duckdb(&specs)
    } else if args.typescript {
        typescript::typescript(&specs)
    } else if let ([spec], Some(_)) = (specs.as_slice(), &args.event) {
        text::detail(spec)
    } else {
        text::list(&specs)
    };
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// Returns all events, or those whose type matches the glob `event`.
pub(super) fn select(event: Option<&str>) -> Result<Vec<&'static EventSpec>> {
    let specs: Vec<_> = kinds().map(Kind::spec).collect();
    let Some(name) = event else { return Ok(specs) };
    let invalid = |_| {
        let advice = "write it like call.* or surface.{created,submitted}";
        Error::usage(format!("cannot describe {name}"), "invalid glob pattern", advice)
    };
    let filter = TypeFilter::new(&[name.to_owned()], &[]).map_err(invalid)?;
    let selected: Vec<_> =
        specs.iter().copied().filter(|spec| filter.matches(spec.event_type)).collect();
    if !selected.is_empty() {
        return Ok(selected);
    }
    let (why, advice) = advice(name, &specs);
    Err(Error::usage(format!("cannot describe {name}"), why, advice))
}

/// Returns why no event is selected, and what to do.
fn advice(name: &str, specs: &[&EventSpec]) -> (&'static str, String) {
    let has_field = |spec: &&&EventSpec| spec.fields.iter().any(|field| field.name == name);
    let mut with_field = specs.iter().filter(has_field).map(|spec| spec.event_type);
    if let Some(event) = with_field.next() {
        let others = match with_field.count() {
            0 => String::new(),
            1 => " and of one other event".to_owned(),
            more => format!(" and of {more} other events"),
        };
        let advice = format!("it is a field of {event}{others}: `evtap schema {event}`");
        return ("it is not an event", advice);
    }
    let is_family = |spec: &&EventSpec| {
        spec.event_type.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
    };
    let advice = if specs.iter().any(is_family) {
        format!("`evtap schema '{name}.*'` lists a family of events")
    } else {
        match suggest::nearest(name, specs.iter().map(|spec| spec.event_type)) {
            Some(meant) => format!("did you mean {meant}? `evtap schema` lists all events"),
            None => "`evtap schema` lists all events".to_owned(),
        }
    };
    ("no such event", advice)
}
