//! Describes the lines that evtap writes as views of a SQL database.
//!
//! DuckDB infers one map from a recording, because its lines have many shapes. These views have a
//! column for each declared field instead. Conversion is lenient, because any field may hold a
//! stand-in for a hidden value or a value that the platform should not have sent: what does not fit
//! becomes NULL, and text stays as it is. Nothing is dropped: a line that is no event is a row of
//! `events` without a type.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::kinds::kinds;
use super::tap::TAP;
use crate::model::{EventSpec, MemberSpec, Type};

/// The view of all lines.
const EVENTS: &str = "events";

/// Makes the variable `recordings` a list, by default of the recordings in the current directory.
const RECORDINGS: &str = "\
-- They read the files that the variable `recordings` names: a path, a pattern or a list of them, such
-- as 'rec/*.ndjson.zst'. Set it before you run this, or all recordings in this directory are read.
SET VARIABLE recordings = coalesce(
  CASE json_type(to_json(getvariable('recordings')))
    WHEN 'ARRAY' THEN from_json(to_json(getvariable('recordings')), '[\"VARCHAR\"]')
    WHEN 'VARCHAR' THEN [to_json(getvariable('recordings')) ->> '$']
  END,
  (SELECT list(\"file\" ORDER BY \"file\") FROM glob('*')
    WHERE regexp_matches(\"file\", '[.]ndjson([.](gz|zst))?$')),
  ['*.ndjson']
);
";

/// The views besides those of the event types: name, comment and query.
const VIEWS: &[(&str, &str, &str)] = &[
    (
        "_tap",
        "What evtap knows about each event: the members of _tap as columns",
        "SELECT \"event_type\", \"at\", unnest(\"_tap\"), \"file\" FROM \"events\"",
    ),
    (
        "_drift",
        "How events differ from their declarations, a row for each difference",
        "SELECT \"event_type\", \"at\", unnest(\"drift\", recursive := true), \"file\" FROM \"_tap\"",
    ),
];

/// Returns statements that create the views in DuckDB.
#[must_use]
pub fn duckdb(specs: &[&EventSpec]) -> String {
    let mut sql =
        format!("-- Views of recordings for DuckDB, by evtap {}.\n", env!("CARGO_PKG_VERSION"));
    sql.push_str(RECORDINGS);
    view(&mut sql, EVENTS, "All lines; those that are no event have no type", &events());
    for (name, comment, query) in VIEWS {
        view(&mut sql, name, comment, query);
    }
    view(&mut sql, "_unknown", "Events whose type is not declared", &unknown());
    for spec in specs {
        view(&mut sql, spec.event_type, spec.doc, &event(spec));
    }
    sql
}

fn view(sql: &mut String, name: &str, comment: &str, query: &str) {
    let (name, comment) = (identifier(name), literal(comment));
    let _ = write!(
        sql,
        "\nCREATE OR REPLACE VIEW {name} AS\n{query};\nCOMMENT ON VIEW {name} IS {comment};\n"
    );
}

fn events() -> String {
    let members = [("event_type", &Type::Text), ("_tap", &Type::Record(TAP))];
    format!(
        "SELECT \"t\".\"event_type\",\n  \
         coalesce(\"t\".\"_tap\".\"time\", \"t\".\"_tap\".\"received_at\") AS \"at\",\n  \
         \"t\".\"_tap\", \"json\" AS \"event\", \"filename\" AS \"file\"\n\
         FROM (SELECT *, json_transform(\"json\",\n    {}) AS \"t\"\n  \
         FROM read_json_objects(getvariable('recordings'), format = 'newline_delimited',\n    \
         ignore_errors = true, filename = true))",
        structure(members)
    )
}

fn event(spec: &EventSpec) -> String {
    let event_type = literal(spec.event_type);
    let from = format!("FROM \"events\" WHERE \"event_type\" = {event_type}");
    if spec.fields.is_empty() {
        return format!("SELECT \"at\", \"_tap\", \"file\"\n{from}");
    }
    let fields = structure(spec.fields.iter().map(|field| (field.name, &field.ty)));
    format!(
        "SELECT \"at\", unnest(json_transform(\"event\",\n  {fields})),\n  \
         \"_tap\", \"file\" {from}"
    )
}

fn unknown() -> String {
    let known = kinds().map(|kind| literal(kind.spec().event_type));
    let known = known.collect::<Vec<_>>().join(", ");
    format!("SELECT * FROM \"events\" WHERE \"event_type\" NOT IN ({known})")
}

/// Returns the names and types of members as `json_transform` takes them.
fn structure<'a>(members: impl IntoIterator<Item = (&'a str, &'a Type)>) -> String {
    let members = members.into_iter().map(|(name, ty)| (name.to_owned(), sql_type(ty).into()));
    literal(&Value::Object(members.collect::<Map<_, _>>()).to_string())
}

fn sql_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "BOOLEAN".to_owned(),
        Type::Integer => "BIGINT".to_owned(),
        Type::Number => "DOUBLE".to_owned(),
        // An id need not be a UUID, and a choice need not be a declared one.
        Type::Text | Type::Uuid | Type::Choice(_) | Type::Unstated => "VARCHAR".to_owned(),
        Type::Time => "TIMESTAMPTZ".to_owned(),
        Type::List(item) => sql_type(item) + "[]",
        Type::Map(value) => format!("MAP(VARCHAR, {})", sql_type(value)),
        Type::Record(members) => {
            let member = |it: &MemberSpec| format!("{} {}", identifier(it.name), sql_type(&it.ty));
            format!("STRUCT({})", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Type::OneOf(_) | Type::Any => "JSON".to_owned(),
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_hides_a_column_of_every_view() {
        for kind in kinds() {
            let mut names: Vec<_> =
                kind.spec().fields.iter().map(|field| field.name.to_lowercase()).collect();
            names.extend(["at", "_tap", "file"].map(str::to_owned));
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{} names a column twice", kind.spec().event_type);
        }
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!((identifier("a\"b"), literal("it's")), ("\"a\"\"b\"".into(), "'it''s'".into()));
    }
}
