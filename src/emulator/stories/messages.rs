//! Emails and text conversations.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::story::Story;
use crate::emulator::cast::{Clinic, Person, pick, short_id, uuid};
use crate::model::Kind;

const SUBJECT: &[&str] = &[
    "Re: Your appointment on Thursday",
    "Re: Lab results are in",
    "Re: Question about my prescription",
    "Re: Invoice 20-4417",
];

struct Email {
    id: String,
    to: Person,
    from: String,
}

impl Email {
    fn draw(clinic: &Clinic, rng: &mut StdRng) -> Self {
        Self { id: short_id("em_", rng), to: Person::draw(rng), from: clinic.mailbox.clone() }
    }

    /// What most events about an email say.
    fn envelope(&self) -> Value {
        json!({ "email_id": self.id, "from_address": self.from, "to_address": self.to.email })
    }

    /// Returns the fields that concern the reader alone.
    fn reader(&self) -> Value {
        json!({ "email_id": self.id, "to_address": self.to.email })
    }
}

/// An email is delivered, read, and answered.
pub fn email_answered(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let email = Email::draw(clinic, rng);
    let mut story = Story::default();
    story.tell(Kind::ChannelEmailDelivered, email.envelope());
    story.pause(2.0, 5.0, rng).tell(Kind::ChannelEmailOpened, email.reader());
    story.pause(0.5, 2.0, rng).tell(Kind::ChannelEmailClicked, email.reader());
    let answer = json!({
        "from_address": email.to.email,
        "in_reply_to_email_id": email.id,
        "inbound_email_id": short_id("in_", rng),
        "subject": pick(SUBJECT, rng),
        "to_address": email.from,
    });
    story.pause(4.0, 10.0, rng).tell(Kind::ChannelEmailReceived, answer);
    story
}

/// An email takes its time.
pub fn email_delayed(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let email = Email::draw(clinic, rng);
    let mut story = Story::default();
    story.tell(Kind::ChannelEmailDelayed, email.envelope());
    story.pause(8.0, 16.0, rng).tell(Kind::ChannelEmailDelivered, email.envelope());
    story
}

/// An email comes back.
pub fn email_bounced(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let email = Email::draw(clinic, rng);
    let (kind, subtype) =
        if rng.random_bool(0.7) { ("Permanent", "General") } else { ("Transient", "MailboxFull") };
    let bounced = json!({
        "bounce_subtype": subtype,
        "bounce_type": kind,
        "email_id": email.id,
        "from_address": email.from,
        "to_address": email.to.email,
    });
    let mut story = Story::default();
    story.tell(Kind::ChannelEmailBounced, bounced);
    story
}

/// An email is taken for spam.
pub fn email_complained(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let email = Email::draw(clinic, rng);
    let mut story = Story::default();
    story.tell(Kind::ChannelEmailDelivered, email.envelope());
    story.pause(4.0, 9.0, rng).tell(Kind::ChannelEmailComplained, email.envelope());
    story
}

/// An email never leaves.
pub fn email_rejected(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let mut story = Story::default();
    story.tell(Kind::ChannelEmailRejected, Email::draw(clinic, rng).envelope());
    story
}

/// Somebody writes with the agent.
pub fn text_session(clinic: &mut Clinic, rng: &mut StdRng) -> Story {
    let (session, kind) = (uuid(rng), pick(&["sms", "web", "whatsapp"], rng));
    let seconds = f64::from(rng.random_range(120..260)) / 10.0;
    let mut story = Story::default();
    story.tell(
        Kind::TextStarted,
        json!({
            "channel_kind": kind,
            "entity_id": if kind == "web" { None } else { Some(uuid(rng)) },
            "service_id": clinic.service(rng),
            "session_id": session,
        }),
    );
    story.wait(seconds).tell(
        Kind::TextCompleted,
        json!({
            "channel_kind": kind,
            "completion_reason": pick(&["completed", "idle_timeout"], rng),
            "duration_seconds": seconds,
            "final_state": pick(&["closing", "booked", "answered"], rng),
            "session_id": session,
            "turn_count": rng.random_range(3..14),
        }),
    );
    story.tell(
        Kind::EncounterUpdated,
        json!({ "encounter_entity_id": uuid(rng), "session_id": session }),
    );
    story
}
