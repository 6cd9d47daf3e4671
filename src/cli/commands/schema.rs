//! `evtap schema`: describes the events, their fields and which fields are hidden.

mod json;
mod json_schema;
mod text;

use crate::cli::args::SchemaArgs;
use crate::cli::resolve;
use crate::cli::session::print;
use crate::error::{Error, Exit, Result};
use crate::model::{EventSpec, Kind};
use crate::query::suggest;

pub(super) fn run(args: &SchemaArgs) -> Result<Exit> {
    resolve::apply_color(args.color);
    let specs = select(args.event.as_deref())?;
    let text = if args.phi {
        text::hidden(&specs, args.json)
    } else if args.json {
        json::events(&specs).to_string() + "\n"
    } else if args.json_schema {
        format!("{:#}\n", json_schema::json_schema(&specs))
    } else if let ([spec], Some(_)) = (specs.as_slice(), &args.event) {
        text::detail(spec)
    } else {
        text::list(&specs)
    };
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// Returns all events, or only the one named `event`.
fn select(event: Option<&str>) -> Result<Vec<&'static EventSpec>> {
    let specs: Vec<_> = Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec()).collect();
    let Some(name) = event else { return Ok(specs) };
    specs.iter().find(|spec| spec.event_type == name).map(|spec| vec![*spec]).ok_or_else(|| {
        let advice = match suggest::nearest(name, specs.iter().map(|spec| spec.event_type)) {
            Some(meant) => format!("did you mean {meant}? `evtap schema` lists all events"),
            None => "`evtap schema` lists all events".to_owned(),
        };
        Error::usage(format!("cannot describe {name}"), "no such event", advice)
    })
}
