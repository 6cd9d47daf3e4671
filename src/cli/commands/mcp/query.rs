//! Compiles what a call selects, and checks it against the model.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::arguments::{ToolArguments, invalid};
use crate::error::{Error, Exit, Result};
use crate::model::Kind;
use crate::query::check::{Kinds, check, hidden_reads};
use crate::query::program::{THREAD_STACK, parse};
use crate::query::{EventFilter, Predicate, TypeFilter, resolve_named_filter, suggest};
use crate::redact::Policy;

/// What a call selects, as it was given.
pub struct SelectionText {
    query: Option<String>,
    types: Vec<String>,
}

/// A filter, and what may surprise about it.
pub struct CompiledSelection {
    /// The filter.
    pub filter: EventFilter,
    /// What the caller should know about the query.
    pub notes: Vec<String>,
    /// Why its result is not complete, whatever the source has.
    pub reason: Option<String>,
}

impl SelectionText {
    /// Reads the arguments `query` and `types`.
    pub fn new(arguments: &ToolArguments) -> Result<Self> {
        let query = arguments.text("query")?.map(str::to_owned);
        Ok(Self { query, types: arguments.texts("types")? })
    }

    /// Returns the texts, for the scope of a cursor.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.query.as_deref().into_iter().chain(["types"]).chain(self.types.iter().map(|it| &**it))
    }

    /// Compiles the selection on a thread of its own, because the parser needs a large stack for an
    /// expression with many levels.
    pub async fn compile(
        self,
        policy: Policy,
        named: BTreeMap<String, String>,
    ) -> Result<CompiledSelection> {
        let (done, compiled) = oneshot::channel();
        let thread = std::thread::Builder::new().name("compile".to_owned());
        thread
            .stack_size(THREAD_STACK)
            .spawn(move || {
                // A call that was cancelled does not wait for the result.
                let _ = done.send(self.compile_here(&policy, &named));
            })
            .map_err(|error| Error::thread_failed(&error))?;
        compiled.await.unwrap_or_else(|_| {
            let why = "the compiler panicked";
            Err(Error::new(Exit::Failure, "cannot use query", why, "report this as a bug"))
        })
    }

    fn compile_here(
        &self,
        policy: &Policy,
        named: &BTreeMap<String, String>,
    ) -> Result<CompiledSelection> {
        let types = type_filter(&self.types)?;
        let kinds = Kinds::from_filter(&types);
        match &self.query {
            None => {
                let filter = EventFilter::new(types, Vec::new(), None);
                Ok(CompiledSelection { filter, notes: Vec::new(), reason: None })
            }
            Some(source) => with_query(source, types, kinds, policy, named),
        }
    }
}

/// Compiles a query for events of the types.
fn with_query(
    source: &str,
    types: TypeFilter,
    kinds: Kinds,
    policy: &Policy,
    named: &BTreeMap<String, String>,
) -> Result<CompiledSelection> {
    let named = resolve_named_filter(named, "query", source)?;
    let (label, source) = named.unwrap_or_else(|| ("query".to_owned(), source));
    let parsed = parse(&label, source)?;
    let predicate = Predicate::compile(&parsed, &[])?;
    if !predicate.ends() {
        let why = "it exceeds the limit of steps or memory on an event without fields";
        let advice = "look for an endless loop in it";
        return Err(Error::usage(format!("cannot use {label}"), why, advice));
    }
    let (satisfied, findings) = check(&parsed, kinds, policy, true);
    if let Some(finding) = findings.iter().find(|finding| finding.fatal) {
        return Err(finding.error(&parsed));
    }
    // What to do about a hidden field is of no use here, and that it is hidden is the reason below.
    let findings = findings.iter().filter(|finding| !finding.advice.contains("--reveal"));
    let notes = findings.map(|finding| format!("{}; {}", finding.why, finding.advice)).collect();
    let reason = match hidden_reads(&parsed, satisfied, policy) {
        Some(fields) if fields.is_empty() => None,
        Some(fields) => {
            let fields: Vec<_> = fields.iter().map(|name| format!("`.{name}`")).collect();
            Some(format!("the query sees only the mask of {}", fields.join(" and ")))
        }
        None => Some("the query may read hidden fields, of which it sees the masks".to_owned()),
    };
    let filter = EventFilter::new(types, vec![predicate], None);
    Ok(CompiledSelection { filter, notes, reason })
}

/// Returns the filter by event type. A pattern that matches no event of the model is an error.
fn type_filter(patterns: &[String]) -> Result<TypeFilter> {
    let malformed = |_| invalid("types", "a pattern is not a glob such as call.*".to_owned());
    for pattern in patterns {
        let alone = TypeFilter::new(std::slice::from_ref(pattern), &[]).map_err(malformed)?;
        if Kinds::from_filter(&alone).has_no_declared() {
            let names = Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec().event_type);
            let advice = match suggest::similar(pattern, names).as_slice() {
                [] => "the tool `schema` lists the types".to_owned(),
                likely => format!("did you mean {}?", likely.join(" or ")),
            };
            let why = "no event type of the model matches a pattern";
            return Err(Error::usage("cannot use types", why, advice));
        }
    }
    TypeFilter::new(patterns, &[]).map_err(malformed)
}
