//! `evtap verify`: shows what recordings or a stream of a NATS server cover.

use std::sync::Arc;

use crate::analysis::verify::{self, VerifyCollector, VerifyReport};
use crate::cli::args::{ReportFormat, VerifyArgs};
use crate::cli::broker_input::{BrokerInput, BrokerRequest};
use crate::cli::inputs;
use crate::cli::session::{SessionBuilder, print};
use crate::error::{Exit, Result};
use crate::pipeline::Stages;
use crate::redact::Policy;
use crate::transport::SourceConfig;
use crate::transport::client::Network;
use crate::transport::progress::Progress;
use crate::transport::recording;

pub(super) async fn run(args: VerifyArgs) -> Result<Exit> {
    let network =
        Network { ca_cert: args.ca_cert, insecure_http: args.insecure_http, ..Network::default() };
    let request = BrokerRequest {
        workspaces: &args.workspaces.workspace,
        since: args.since.as_deref(),
        ends: true,
        shows_taps: true,
        ..BrokerRequest::default()
    };
    let from = args.source.from.as_deref();
    let broker = BrokerInput::resolve(from, &args.broker, &network, &request)?;
    let (collector, streams) = VerifyCollector::new();
    let session =
        SessionBuilder::new(Stages::observing(Policy::default(), vec![Box::new(collector)]));
    let limits = SourceConfig::default();
    let (names, ended) = if let Some(broker) = broker {
        (vec![broker.name()], inputs::read(session, &broker, limits, true).await?)
    } else {
        let files = recording::expand(args.files)?;
        let names = files.iter().map(|file| file.display().to_string()).collect();
        let progress = Arc::new(Progress::new(&files));
        let session = session.with_progress(&progress, true);
        (names, inputs::replay(session, files, limits.max_frame, progress).await?)
    };
    if ended != Exit::Done {
        return Ok(ended);
    }
    let report = VerifyReport::new(&verify::lock(&streams), &names);
    let text = match args.output {
        ReportFormat::Text => report.text(),
        ReportFormat::Json => report.json().to_string() + "\n",
    };
    print(text.as_bytes())?;
    Ok(if report.is_complete() { Exit::Done } else { Exit::Lost })
}
