//! Resolves the options of `alert`.

use std::sync::Arc;
use std::time::Duration;

use super::stages::stages;
use super::value::positive_duration;
use crate::analysis::alerts::{AlertStage, AlertTable, SharedAttention};
use crate::cli::args::{AlertArgs, RulesArgs};
use crate::cli::destinations::{DestinationArgs, OpenDestination};
use crate::delivery::{Destination, ExecConfig, ExecNotifier};
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;
use crate::pipeline::Stages;
use crate::transport::Heartbeat;

/// How often a live stream reports what has arrived, so that deadlines pass without events.
const COVERAGE: Duration = Duration::from_secs(1);

/// Builds the stages of `alert`. `has_several_workspaces` adds the workspace to each line.
pub fn alert_stages(args: &AlertArgs, has_several_workspaces: bool) -> Result<Stages> {
    let AlertArgs { filter, output, stop, rules, .. } = args;
    let mut stages = stages(filter, output, stop, has_several_workspaces, rules)?;
    if args.test {
        let attention = SharedAttention::default();
        let rules = stages.alerts.as_ref().map(AlertStage::rule_names).unwrap_or_default();
        if let Some(alerts) = &mut stages.alerts {
            alerts.share_attention(Arc::clone(&attention));
        }
        let table = AlertTable::new(Box::new(std::io::stdout()), rules, attention);
        stages.writer = None;
        stages.observers.push(Box::new(table));
    }
    Ok(stages)
}

/// Returns the destination that runs a command for each alert; `None` without --exec.
pub fn notifier(rules: &RulesArgs, status: StatusFormat) -> Result<Option<OpenDestination>> {
    let Some(line) = &rules.exec else { return Ok(None) };
    let wrong = |why: &str, advice: &str| {
        Err(Error::usage("cannot use --exec", why, advice).with_setting("--exec"))
    };
    let Some(words) = shlex::split(line) else {
        return wrong("a quote in it is not closed", "close it, or write \\' for a quote");
    };
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        return wrong("it is empty", "give a command such as \"notify-send 'An alert'\"");
    };
    let timeout = positive_duration("--exec-timeout", &rules.exec_timeout)?;
    let config = ExecConfig { program, arguments: words.collect(), timeout, status };
    Ok(Some(Box::new(|runtime| {
        let notifier = Box::new(ExecNotifier::new(config, runtime));
        Box::pin(async { Ok(notifier as Box<dyn Destination>) })
    })))
}

/// Returns how streams report what has arrived, if a destination or a rule needs that.
pub fn heartbeat(destinations: &DestinationArgs, rules: &RulesArgs) -> Result<Option<Heartbeat>> {
    let announced = destinations.heartbeat()?;
    let for_rules = rules.is_any().then_some(Heartbeat { tap: None, every: COVERAGE });
    Ok(announced.or(for_rules))
}
