//! `evtap schema`: the events, their fields and what is hidden.

use crate::cli::args::SchemaArgs;
use crate::cli::session::print;
use crate::cli::{resolve, schema};
use crate::error::{Exit, Result};

pub(super) fn run(args: &SchemaArgs) -> Result<Exit> {
    resolve::apply_color(args.color);
    let specs = schema::select(args.event.as_deref())?;
    let text = if args.phi {
        schema::hidden(&specs, args.json)
    } else if args.json {
        schema::json(&specs).to_string() + "\n"
    } else if args.json_schema {
        format!("{:#}\n", schema::json_schema(&specs))
    } else if let ([spec], Some(_)) = (specs.as_slice(), &args.event) {
        schema::detail(spec)
    } else {
        schema::list(&specs)
    };
    print(text.as_bytes()).map(|_| Exit::Done)
}
