//! Events about surfaces: forms that patients receive and submit.

use crate::model::{Unstated, Uuid};

crate::event! {
    /// A surface was archived.
    "surface.archived" SurfaceArchived: Workspace, documented {
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }

    /// A surface, such as a form, was created.
    "surface.created" SurfaceCreated: Workspace, documented {
        /// The channel to the patient, such as sms or email.
        Open channel: String, nullable, documented, rank(520);
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The number of fields of the form.
        Open fields_count: i64, nullable, documented, rank(560);
        /// Id of the template that the form was created from.
        Open form_template_id: Uuid, nullable, documented;
        /// Whether a person must review the answers.
        Open review_required: bool, nullable;
        /// The source that created the form.
        Open source: String, nullable, documented;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface was sent to its recipient.
    "surface.delivered" SurfaceDelivered: Workspace, documented {
        /// The channel to the patient, such as sms or email.
        Open channel: String, required, documented, rank(520);
        /// The telephone number or address that it was sent to.
        Phi channel_address: String, nullable, documented, address, rank(540);
        /// The delivery status that the carrier reports.
        Open delivery_status: String, nullable, documented, rank(550);
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// The carrier's id of the message.
        Open message_id: String, nullable, documented;
        /// A link that opens the patient's form.
        Sensitive short_url: String, nullable, documented;
    }

    /// A field of a form was filled in.
    "surface.field_saved" SurfaceFieldSaved: Workspace, documented {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// The key of the form field; former name of `field_key`.
        Open field_id: String, until("2026-04-24"), rank(590);
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// The key of the form field.
        Open field_key: String, required, documented, rank(580);
    }

    /// Somebody opened a surface.
    "surface.opened" SurfaceOpened: Workspace, documented {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface is waiting for review by a person.
    "surface.pending_review" SurfacePendingReview: Workspace, documented {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// Id of the template that the form was created from.
        Open form_template_id: Uuid, nullable;
        /// Whether a person must review the answers.
        Open review_required: bool, nullable;
        /// The source that created the form.
        Open source: String, nullable;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A surface was created from another one.
    "surface.reshaped" SurfaceReshaped: Workspace, documented {
        /// Id of the surface that it was created from.
        Open original_surface_id: Uuid, required;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }

    /// A reviewer approved a surface.
    "surface.review_approved" SurfaceReviewApproved: Workspace, documented {
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
    }

    /// A reviewer rejected a surface.
    "surface.review_rejected" SurfaceReviewRejected: Workspace, documented, warning {
        /// The reason, in words.
        Free reason: String, nullable, documented, rank(130);
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
    }

    /// Somebody submitted a form.
    "surface.submitted" SurfaceSubmitted: Workspace, documented {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, documented;
        /// When it was submitted.
        Open submitted_at: String, nullable, documented;
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// The form fields that were filled in.
        Open fields_submitted: Vec<String>, nullable, documented, rank(570);
    }

    /// A surface was changed.
    "surface.updated" SurfaceUpdated: Workspace, documented {
        /// Id of the surface.
        Open surface_id: Uuid, required, documented;
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Unstated, only_documented;
    }
}
