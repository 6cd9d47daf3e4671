//! Surfaces: forms that are sent to patients and come back.

use crate::model::{Unstated, Uuid};

crate::event! {
    /// A surface was put away.
    "surface.archived" SurfaceArchived: Workspace, documented {
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }

    /// A surface, such as a form, was made for somebody.
    "surface.created" SurfaceCreated: Workspace, documented {
        /// How it reaches the patient, such as sms or email.
        Open channel: String, nullable, documented, rank(520);
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// How many fields the form has.
        Open fields_count: i64, nullable, documented, rank(560);
        /// The template that the form was made from.
        Open form_template_id: Uuid, nullable, documented;
        /// Whether a person must review the answers.
        Open review_required: bool, nullable;
        /// What made the form.
        Open source: String, nullable, documented;
        /// The surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface was sent to somebody.
    "surface.delivered" SurfaceDelivered: Workspace, documented {
        /// How it reaches the patient, such as sms or email.
        Open channel: String, required, documented, rank(520);
        /// The number or address it was sent to.
        Phi channel_address: String, nullable, documented, address, rank(540);
        /// What the carrier says of the delivery.
        Open delivery_status: String, nullable, documented, rank(550);
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The carrier's id of the message.
        Open message_id: String, nullable, documented;
        /// A link that opens the patient's form.
        Sensitive short_url: String, nullable, documented;
    }

    /// A field of a form was filled in.
    "surface.field_saved" SurfaceFieldSaved: Workspace, documented {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The form field, by its former name.
        Open field_id: String, until("2026-04-24"), rank(590);
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The form field.
        Open field_key: String, required, documented, rank(580);
    }

    /// Somebody opened a surface.
    "surface.opened" SurfaceOpened: Workspace, documented {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface waits for a person to review it.
    "surface.pending_review" SurfacePendingReview: Workspace, documented {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The template that the form was made from.
        Open form_template_id: Uuid, nullable;
        /// Whether a person must review the answers.
        Open review_required: bool, nullable;
        /// What made the form.
        Open source: String, nullable;
        /// The surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface was made anew from another.
    "surface.reshaped" SurfaceReshaped: Workspace, documented {
        /// The surface that it was made from.
        Open original_surface_id: Uuid, required;
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }

    /// A reviewer accepted a surface.
    "surface.review_approved" SurfaceReviewApproved: Workspace, documented {
        /// The surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A reviewer sent a surface back.
    "surface.review_rejected" SurfaceReviewRejected: Workspace, documented, warning {
        /// Why, in words.
        Free reason: String, nullable, documented, rank(130);
        /// The surface.
        Open surface_id: Uuid, required, documented;
    }

    /// Somebody sent a form in.
    "surface.submitted" SurfaceSubmitted: Workspace, documented {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// When it was submitted.
        Open submitted_at: String, nullable, documented;
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The form fields that were filled in.
        Open fields_submitted: Vec<String>, nullable, documented, rank(570);
    }

    /// A surface was changed.
    "surface.updated" SurfaceUpdated: Workspace, documented {
        /// The surface.
        Open surface_id: Uuid, required, documented;
        /// The patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }
}
