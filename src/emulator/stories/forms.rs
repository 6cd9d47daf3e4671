//! Forms on their way to a patient, back, and past a reviewer.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::story::Story;
use crate::emulator::cast::{Clinic, Person, pick, short_id, uuid};
use crate::model::Kind;

const FIELDS: &[&str] = &[
    "date_of_birth",
    "insurance_member_id",
    "allergies",
    "medications",
    "emergency_contact",
    "consent",
];
const DELIVERY: &[&str] = &["delivered", "queued", "sent"];
const SOURCE: &[&str] = &["call", "trigger", "operator"];
const REJECTED: &[&str] = &[
    "The insurance card is out of date.",
    "Signature is missing on page two.",
    "Date of birth 03/14/1985 does not match the record.",
    "Patient asked to be called back at (503) 555-0142 about the medication list.",
];

struct SurfaceStory {
    id: String,
    template: String,
    channel: &'static str,
    source: &'static str,
    patient: Person,
}

impl SurfaceStory {
    fn draw(clinic: &Clinic, patient: Person, rng: &mut StdRng) -> Self {
        let channel = pick(&["sms", "email"], rng);
        Self {
            id: uuid(rng),
            template: clinic.template(rng),
            channel,
            source: pick(SOURCE, rng),
            patient,
        }
    }

    fn ids(&self) -> Value {
        json!({ "surface_id": self.id, "entity_id": self.patient.entity_id })
    }

    fn created(&self, story: &mut Story) {
        story.tell(
            Kind::SurfaceCreated,
            json!({
                "surface_id": self.id,
                "entity_id": self.patient.entity_id,
                "channel": self.channel,
                "fields_count": FIELDS.len(),
                "form_template_id": self.template,
                "review_required": true,
                "source": self.source,
            }),
        );
    }

    fn delivered(&self, story: &mut Story, rng: &mut StdRng) {
        let address = if self.channel == "sms" { &self.patient.phone } else { &self.patient.email };
        story.pause(0.4, 1.2, rng).tell(
            Kind::SurfaceDelivered,
            json!({
                "surface_id": self.id,
                "entity_id": self.patient.entity_id,
                "channel": self.channel,
                "channel_address": address,
                "delivery_status": pick(DELIVERY, rng),
                "message_id": short_id("SM", rng),
                "short_url": format!("https://forms.example.com/{}", short_id("", rng)),
            }),
        );
    }

    fn filled_in(&self, story: &mut Story, rng: &mut StdRng) {
        story.pause(1.0, 2.0, rng).tell(Kind::SurfaceOpened, self.ids());
        let fields = &FIELDS[..rng.random_range(3..=FIELDS.len())];
        for field in fields {
            let saved = json!({
                "surface_id": self.id,
                "entity_id": self.patient.entity_id,
                "field_key": field,
            });
            story.pause(0.5, 1.4, rng).tell(Kind::SurfaceFieldSaved, saved);
        }
        story.pause(0.4, 1.0, rng).tell(
            Kind::SurfaceSubmitted,
            json!({
                "surface_id": self.id,
                "entity_id": self.patient.entity_id,
                "submitted_at": null,
                "fields_submitted": fields,
            }),
        );
        story.tell(
            Kind::SurfacePendingReview,
            json!({
                "surface_id": self.id,
                "entity_id": self.patient.entity_id,
                "form_template_id": self.template,
                "review_required": true,
                "source": self.source,
            }),
        );
    }

    fn reviewed(&self, story: &mut Story, action: &str, rng: &mut StdRng) {
        story.pause(1.5, 3.0, rng);
        if action == "approve" {
            story.tell(Kind::SurfaceReviewApproved, json!({ "surface_id": self.id }));
        } else {
            story.tell(
                Kind::SurfaceReviewRejected,
                json!({ "surface_id": self.id, "reason": pick(REJECTED, rng) }),
            );
        }
        story.tell(
            Kind::ReviewSubmitted,
            json!({
                "action": action,
                "count": null,
                "entity_id": self.patient.entity_id,
                "entity_type": "surface",
                "item_id": self.id,
            }),
        );
    }

    fn archived(&self, story: &mut Story, rng: &mut StdRng) {
        story.pause(0.5, 2.0, rng).tell(Kind::SurfaceArchived, json!({ "surface_id": self.id }));
    }
}

/// A form comes back and is fine.
pub fn approved(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    let form = SurfaceStory::draw(clinic, Person::draw(rng), rng);
    form.created(&mut story);
    form.delivered(&mut story, rng);
    form.filled_in(&mut story, rng);
    form.reviewed(&mut story, "approve", rng);
    let encounter = json!({ "encounter_entity_id": uuid(rng), "session_id": uuid(rng) });
    story.pause(0.2, 0.8, rng).tell(Kind::EncounterUpdated, encounter);
    form.archived(&mut story, rng);
    story
}

/// A form comes back wrong; a second one, made from it, is fine.
pub fn rejected_then_approved(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    let first = SurfaceStory::draw(clinic, Person::draw(rng), rng);
    first.created(&mut story);
    first.delivered(&mut story, rng);
    first.filled_in(&mut story, rng);
    first.reviewed(&mut story, "reject", rng);
    let second = SurfaceStory {
        id: uuid(rng),
        template: first.template.clone(),
        patient: first.patient.clone(),
        ..first
    };
    let reshaped = json!({ "surface_id": second.id, "original_surface_id": first.id });
    story.pause(0.3, 0.9, rng).tell(Kind::SurfaceReshaped, reshaped);
    second.delivered(&mut story, rng);
    second.filled_in(&mut story, rng);
    second.reviewed(&mut story, "approve", rng);
    second.archived(&mut story, rng);
    story
}

/// A form is sent, changed and sent again, and nobody opens it.
pub fn ignored(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    let form = SurfaceStory::draw(clinic, Person::draw(rng), rng);
    form.created(&mut story);
    form.delivered(&mut story, rng);
    story.pause(6.0, 9.0, rng).tell(Kind::SurfaceUpdated, json!({ "surface_id": form.id }));
    form.delivered(&mut story, rng);
    story.wait(8.0);
    form.archived(&mut story, rng);
    story
}
