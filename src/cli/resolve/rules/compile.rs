//! Compiles a rule of a file: finds its form, checks its expressions against the model.

use std::sync::Arc;
use std::time::Duration;

use super::super::expression::ExpressionCompiler;
use super::pool::RulePool;
use super::table::RuleTable;
use crate::analysis::alerts::{
    AffectedStreams, AlertSubject, EventRole, Frequency, KeyedRule, Percentile, Rule,
    RuleCondition, RuleConfig, RuleExpressions, RuleForm, Silence, Wait, millis,
};
use crate::error::Result;
use crate::model::Stream;
use crate::query::check::Kinds;

/// The most events that a rule can count.
const MAX_COUNT: usize = 1 << 16;

/// A compiled rule.
pub(super) struct CompiledRule {
    pub expressions: RuleExpressions,
    pub config: RuleConfig,
}

/// Compiles rules.
pub(super) struct RuleCompiler<'a> {
    pub expressions: &'a ExpressionCompiler<'a>,
    /// The expressions of the rules before it.
    pub pool: &'a mut RulePool,
    /// The memory that the keys of the rule may use, in bytes.
    pub memory: usize,
    /// The number of rules before it.
    pub index: usize,
}

/// A form of rule: the setting that only it has, the settings that it needs, and those that it can
/// have besides.
struct FormSettings {
    sign: &'static str,
    needed: &'static [&'static str],
    optional: &'static [&'static str],
    example: &'static str,
}

const WAIT: FormSettings = FormSettings {
    sign: "want",
    needed: &["after", "want", "within"],
    optional: &["per", "unless"],
    example: "a rule with `want` needs after = \"EXPR\", want = \"EXPR\" and within = \"60s\"",
};
const FREQUENCY: FormSettings = FormSettings {
    sign: "count",
    needed: &["when", "count", "within"],
    optional: &["per"],
    example: "a rule with `count` needs when = \"EXPR\", count = 3 and within = \"5m\"",
};
const PERCENTILE: FormSettings = FormSettings {
    sign: "value",
    needed: &["when", "value", "within"],
    optional: &["per", "min_count"],
    example: "a rule with `value` needs when = \"EXPR\", value = \"EXPR\", p95_over = 1500 and \
              within = \"10m\"",
};
const SILENCE: FormSettings = FormSettings {
    sign: "silent_for",
    needed: &["after", "silent_for"],
    optional: &["per", "unless"],
    example: "a rule with `silent_for` needs after = \"EXPR\" and silent_for = \"15m\"",
};
const FORMS: &[FormSettings] = &[WAIT, FREQUENCY, PERCENTILE, SILENCE];

impl RuleCompiler<'_> {
    /// Compiles a rule of a file.
    pub fn compile(&mut self, rule: &RuleTable<'_>) -> Result<CompiledRule> {
        let Some(form) = FORMS.iter().find(|form| rule.has(form.sign)) else {
            let known: Vec<_> = FORMS
                .iter()
                .flat_map(|form| form.needed.iter().chain(form.optional).copied())
                .collect();
            rule.only(&known)?;
            let why = "it has none of want, count, value and silent_for";
            return Err(rule.incomplete(why, "see evtap help rules for the forms of a rule"));
        };
        let limit = percentile_limit(rule)?.filter(|_| form.sign == PERCENTILE.sign);
        let known: Vec<_> = form
            .needed
            .iter()
            .chain(form.optional)
            .copied()
            .chain(limit.as_ref().map(|(setting, ..)| *setting))
            .collect();
        rule.only(&known)?;
        if form.needed.iter().any(|setting| !rule.has(setting)) {
            return Err(rule.incomplete("a setting is missing", form.example));
        }
        let within = rule.duration("within")?.unwrap_or_default();
        match form.sign {
            "want" => {
                let conditions = [
                    ("after", EventRole::Trigger),
                    ("want", EventRole::Want),
                    ("unless", EventRole::Unless),
                ];
                let form = Wait { within: millis(within) };
                self.rule(rule, &conditions, &["want", "unless"], within, form)
            }
            "count" => {
                let count = rule.count("count", MAX_COUNT)?.unwrap_or(1);
                let form = Frequency { count, within: millis(within) };
                self.rule(rule, &[("when", EventRole::Trigger)], &["when"], within, form)
            }
            "value" => {
                let Some((_, percent, limit)) = limit else {
                    return Err(rule.incomplete("a setting is missing", form.example));
                };
                let min_count = rule.count("min_count", MAX_COUNT)?.unwrap_or(1);
                let form = Percentile { percent, limit, within: millis(within), min_count };
                self.rule(rule, &[("when", EventRole::Trigger)], &["when"], within, form)
            }
            _ => {
                let silent_for = rule.duration("silent_for")?.unwrap_or_default();
                let conditions = [("after", EventRole::Trigger), ("unless", EventRole::Unless)];
                let form = Silence { silent_for: millis(silent_for) };
                self.rule(rule, &conditions, &["after", "unless"], silent_for, form)
            }
        }
    }

    /// Compiles the expressions of a rule. `absent` are the conditions on which a gap has an effect,
    /// because the rule depends on what does not match them.
    pub(super) fn rule<F: RuleForm + 'static>(
        &mut self,
        rule: &RuleTable<'_>,
        conditions: &[(&'static str, EventRole)],
        absent: &[&str],
        longest: Duration,
        form: F,
    ) -> Result<CompiledRule> {
        let mut compiled = Vec::new();
        let mut relevant = Kinds::NONE;
        for (setting, role) in conditions {
            let Some(source) = rule.text(setting)? else { continue };
            let place = rule.place(setting);
            let (condition, kinds) = self.pool.condition(self.expressions, &place, source)?;
            if absent.contains(setting) {
                relevant = relevant.or(kinds);
            }
            compiled.push(RuleCondition { role: *role, condition, kinds });
        }
        // Each condition alone needs the key, or its events would never be found.
        let sets: Vec<_> = compiled.iter().map(|condition| condition.kinds).collect();
        let mut program = |setting: &str| {
            let Some(source) = rule.text(setting)? else { return Ok(None) };
            let place = rule.place(setting);
            self.pool.program(self.expressions, &place, source, &sets).map(Some)
        };
        let (key, value) = (program("per")?, program("value")?);
        let keys_are_calls = rule
            .text("per")?
            .is_some_and(|per| matches!(per.trim(), ".call_sid" | "._tap.call_sid"));
        let streams = AffectedStreams { keys_are_calls, ..streams(relevant) };
        let index = u16::try_from(self.index).unwrap_or(u16::MAX);
        let rule_state: Box<dyn Rule> = Box::new(KeyedRule::new(index, form, streams, self.memory));
        Ok(CompiledRule {
            expressions: RuleExpressions { conditions: compiled, key, value, subject: None },
            config: RuleConfig {
                name: Arc::from(rule.name()),
                fingerprint: rule.fingerprint(),
                longest,
                subject: subject(rule.text("per")?),
                is_reported: true,
                rule: rule_state,
            },
        })
    }
}

/// Returns what the keys of `per` stand for.
fn subject(per: Option<&str>) -> AlertSubject {
    let Some(per) = per else { return AlertSubject::Workspace };
    let fields = [
        ("call_sid", AlertSubject::Call),
        ("tool_name", AlertSubject::Tool),
        ("data_source_id", AlertSubject::Pipeline),
    ];
    let found = fields.iter().find(|(field, _)| per.contains(field));
    found.map_or(AlertSubject::Other, |(_, subject)| *subject)
}

/// Returns the streams that carry events.
fn streams(kinds: Kinds) -> AffectedStreams {
    let has = |stream| kinds.iter().any(|kind| kind.spec().stream == stream);
    AffectedStreams {
        workspace: kinds.unknown || has(Stream::Workspace),
        observer: kinds.unknown || has(Stream::Observer),
        keys_are_calls: false,
    }
}

/// Returns the setting such as `p95_over` of a rule, with the percentile and the limit.
fn percentile_limit<'a>(rule: &RuleTable<'a>) -> Result<Option<(&'a str, u8, f64)>> {
    for setting in rule.names() {
        let percent = setting.strip_prefix('p').and_then(|rest| rest.strip_suffix("_over"));
        let Some(percent) = percent else { continue };
        let number = percent.parse().ok().filter(|percent| (1..=99).contains(percent));
        let Some(number) = number else {
            let why = "a percentile is a whole number from 1 to 99";
            return Err(rule.wrong(setting, why, "write it like p95_over = 1500"));
        };
        if let Some(limit) = rule.number(setting)? {
            return Ok(Some((setting, number, limit)));
        }
    }
    Ok(None)
}
