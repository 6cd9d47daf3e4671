//! Events about messages to and from patients by email and voicemail.

use crate::model::Uuid;
use crate::model::catalog::value::VoicemailStatus;

crate::event! {
    /// An email bounced.
    "channel.email_bounced" ChannelEmailBounced: Workspace, since("2026-04-27"), error {
        /// The mail provider's detailed bounce reason.
        Open bounce_subtype: String, nullable, since("2026-04-27");
        /// The mail provider's bounce reason, such as permanent or transient.
        Open bounce_type: String, nullable, since("2026-04-27"), rank(640);
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// A link in an email was clicked.
    "channel.email_clicked" ChannelEmailClicked: Workspace, since("2026-04-27") {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was marked as spam.
    "channel.email_complained" ChannelEmailComplained: Workspace, since("2026-04-27"), warning {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// The delivery of an email is delayed.
    "channel.email_delayed" ChannelEmailDelayed: Workspace, since("2026-04-27") {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was delivered.
    "channel.email_delivered" ChannelEmailDelivered: Workspace, since("2026-04-27") {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was opened.
    "channel.email_opened" ChannelEmailOpened: Workspace, since("2026-04-27") {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// The workspace received an email.
    "channel.email_received" ChannelEmailReceived: Workspace, since("2026-04-28") {
        /// The address of the sender.
        Phi from_address: String, required, since("2026-04-28"), address, rank(610);
        /// Id of the email that this one replies to.
        Open in_reply_to_email_id: String, required, since("2026-04-28");
        /// Id of the received email.
        Open inbound_email_id: String, required, since("2026-04-28");
        /// The subject line of the email.
        Sensitive subject: String, required, since("2026-04-28"), rank(600);
        /// The address that it was written to.
        Phi to_address: String, required, since("2026-04-28"), address, rank(620);
    }

    /// The mail provider rejected an email.
    "channel.email_rejected" ChannelEmailRejected: Workspace, since("2026-04-27"), warning {
        /// Id of the email.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// A voicemail was left, or could not be left.
    "channel.voicemail_status" ChannelVoicemailStatus: Workspace, since("2026-04-28") {
        /// The telephone number that was called.
        Phi recipient_phone_number: String, required, since("2026-04-28"), phone_number, rank(630);
        /// The outcome of the voicemail.
        Open status: VoicemailStatus, required, since("2026-04-28"), rank(220),
            error_when(&["failed", "error"]);
        /// Id of the voicemail.
        Open voicemail_id: Uuid, required, since("2026-04-28");
    }
}
