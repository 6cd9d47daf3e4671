//! What can happen in the clinic. A plot draws one story: a few events in order, with the pauses
//! between them.
//!
//! The plots of [`OPENING`] contain every type of workspace event, so that all types appear early.

pub mod call;
pub mod call_story;
pub mod dialogue;
pub mod forms;
pub mod messages;
pub mod office;
pub mod script;
pub mod session_info;
mod story;
pub mod unscripted;

use rand::rngs::StdRng;

use super::cast::Clinic;
pub use story::{Story, StoryStep};

/// Draws one story.
pub type Plot = fn(&mut Clinic, &mut StdRng) -> Story;

/// The plots with which each day begins: first a call, and short stories among the long ones, so
/// that events appear at once.
pub const OPENING: &[Plot] = &[
    call::resolved,
    office::trigger,
    office::sync,
    forms::rejected_then_approved,
    messages::email_bounced,
    office::brief,
    call::escalated,
    office::simulation,
    office::batch_review,
    messages::email_rejected,
    call::abandoned,
    messages::email_answered,
    forms::approved,
    office::trigger_fails,
    messages::text_session,
    call::forwarded,
    office::shift,
    forms::ignored,
    office::member,
    office::sync_fails,
    messages::email_complained,
    call::voicemail,
    messages::email_delayed,
    call::escalated,
];

/// The plots of the rest of the day, with their relative frequencies.
pub const USUAL: &[(u32, Plot)] = &[
    (12, call::resolved),
    (5, call::escalated),
    (2, call::forwarded),
    (3, call::abandoned),
    (3, call::voicemail),
    (6, forms::approved),
    (2, forms::rejected_then_approved),
    (2, forms::ignored),
    (6, messages::text_session),
    (4, messages::email_answered),
    (2, messages::email_delayed),
    (2, messages::email_bounced),
    (1, messages::email_complained),
    (1, messages::email_rejected),
    (4, office::sync),
    (1, office::sync_fails),
    (4, office::trigger),
    (1, office::trigger_fails),
    (2, office::simulation),
    (4, office::brief),
    (2, office::shift),
    (1, office::member),
    (2, office::batch_review),
];
