//! What goes on behind the counter: data, triggers, simulations, briefs, members, and the shifts of
//! operators.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

use super::story::Story;
use crate::emulator::cast::{Clinic, Person, measure, pick, short_id, uuid};
use crate::model::Kind;

const TRIGGERS: &[&str] =
    &["appointment-reminder", "no-show-follow-up", "lab-results-ready", "annual-check-up"];
const SYNC_ERRORS: &[&str] = &[
    "The source answered 503 three times in a row.",
    "Cursor is older than the retention of the source.",
    "Row 1184 has no patient id; contact records@example.org.",
];
const ROLES: &[&str] = &["viewer", "editor", "admin"];

/// The clinic's records are fetched.
pub fn sync(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let completed = json!({
        "data_source_id": clinic.data_source,
        "duration_ms": rng.random_range(180..4200),
        "event_count": rng.random_range(1..900),
    });
    let mut story = Story::default();
    story.tell(Kind::PipelineSyncCompleted, completed);
    if rng.random_bool(0.5) {
        story.tell(
            Kind::EncounterUpdated,
            json!({ "encounter_entity_id": uuid(rng), "session_id": uuid(rng) }),
        );
    }
    story
}

/// The records cannot be fetched, then can.
pub fn sync_fails(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    let failed = json!({ "data_source_id": clinic.data_source, "error": pick(SYNC_ERRORS, rng) });
    story.tell(Kind::PipelineError, failed);
    story.pause(5.0, 12.0, rng);
    story.steps.extend(
        sync(clinic, rng)
            .steps
            .into_iter()
            .map(|step| super::story::StoryStep { at: story.now + step.at, ..step }),
    );
    story
}

/// A trigger does its work.
pub fn trigger(_: &mut Clinic, rng: &mut StdRng) -> Story {
    fired(Kind::TriggerCompleted, "completed", rng)
}

/// A trigger tries to.
pub fn trigger_fails(_: &mut Clinic, rng: &mut StdRng) -> Story {
    fired(Kind::TriggerFailed, "failed", rng)
}

fn fired(end: Kind, status: &str, rng: &mut StdRng) -> Story {
    let (id, name) = (uuid(rng), pick(TRIGGERS, rng));
    let mut story = Story::default();
    story.tell(
        Kind::TriggerFired,
        json!({ "manual": rng.random_bool(0.2), "trigger_id": id, "trigger_name": name }),
    );
    // Some runs are over within the millisecond.
    if rng.random_bool(0.7) {
        story.pause(0.3, 3.0, rng);
    }
    story.tell(end, json!({ "status": status, "trigger_id": id, "trigger_name": name }));
    story
}

/// A conversation is simulated, turn by turn.
pub fn simulation(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    const STATES: &[&str] = &["greeting", "identify", "clarify", "resolve", "closing"];
    let (run, session, service) = (short_id("run_", rng), uuid(rng), clinic.service(rng));
    let mut story = Story::default();
    for (index, pair) in STATES.windows(2).enumerate() {
        let turn = json!({
            "is_terminal": index + 2 == STATES.len(),
            "run_id": run,
            "service_id": service,
            "session_id": session,
            "state_after": pair[1],
            "state_before": pair[0],
            "turn_index": index,
        });
        story.tell(Kind::SimulationTurnStored, turn).pause(1.0, 2.5, rng);
    }
    story
}

/// A brief on somebody is written.
pub fn brief(_: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    story.tell(
        Kind::SelfImageBriefGenerated,
        json!({
            "confidence": measure(0.5, 1.0, rng),
            "event_count": rng.random_range(4..120),
            "event_id": uuid(rng),
            "target_entity_id": uuid(rng),
            "target_entity_type": pick(&["patient", "operator"], rng),
            "version": format!("v{}", rng.random_range(1..9)),
        }),
    );
    story
}

/// A reviewer decides on many items at once, or mends one.
pub fn batch_review(_: &mut Clinic, rng: &mut StdRng) -> Story {
    let action = pick(&["batch_approve", "batch_reject", "correct"], rng);
    let mut story = Story::default();
    story.tell(
        Kind::ReviewSubmitted,
        json!({
            "action": action,
            "count": if action == "correct" { 1 } else { rng.random_range(2..20) },
            "entity_id": null,
            "entity_type": "encounter",
            "item_id": short_id("item_", rng),
        }),
    );
    story
}

/// An operator is new, comes online and goes home.
pub fn shift(_: &mut Clinic, rng: &mut StdRng) -> Story {
    let operator = Person::draw(rng);
    let id = operator.entity_id;
    let mut story = Story::default();
    story.tell(
        Kind::OperatorRegistered,
        json!({ "operator_id": id, "timestamp": null, "name": operator.name }),
    );
    let changes = json!({ "name": operator.name, "phone_number": operator.phone });
    story
        .pause(1.0, 3.0, rng)
        .tell(Kind::OperatorProfileUpdated, json!({ "operator_id": id, "changes": changes }));
    for status in ["online", "busy", "offline"] {
        story
            .pause(1.0, 8.0, rng)
            .tell(Kind::OperatorStatusChanged, json!({ "operator_id": id, "status": status }));
    }
    story
}

/// Somebody is invited, twice, joins, and is given another role.
pub fn member(_: &mut Clinic, rng: &mut StdRng) -> Story {
    let (invitation, entity, role) = (short_id("inv_", rng), uuid(rng), pick(ROLES, rng));
    let mut story = Story::default();
    story.tell(
        Kind::WorkspaceInvitationSent,
        json!({ "invitation_id": invitation, "resent": false, "role": role }),
    );
    story.pause(3.0, 6.0, rng).tell(
        Kind::WorkspaceInvitationSent,
        json!({ "invitation_id": invitation, "resent": true, "role": role }),
    );
    story
        .pause(2.0, 5.0, rng)
        .tell(Kind::WorkspaceInvitationAccepted, json!({ "entity_id": entity, "role": role }));
    story.tell(Kind::WorkspaceMemberAdded, json!({ "entity_id": entity, "role": role }));
    let changed = json!({ "entity_id": entity, "previous_role": role, "role": pick(ROLES, rng) });
    story.pause(4.0, 9.0, rng).tell(Kind::WorkspaceMemberRoleUpdated, changed);
    story
}
