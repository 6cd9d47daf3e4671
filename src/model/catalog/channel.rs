//! Messages to and from patients by email and voicemail.

use crate::model::Uuid;
use crate::model::catalog::value::VoicemailStatus;

crate::event! {
    /// An email came back.
    "channel.email_bounced" ChannelEmailBounced: Workspace, since("2026-04-27"), error {
        /// The mail provider's finer reason.
        Open bounce_subtype: String, nullable, since("2026-04-27");
        /// The mail provider's reason, such as permanent or transient.
        Open bounce_type: String, nullable, since("2026-04-27"), rank(640);
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// A link in an email was followed.
    "channel.email_clicked" ChannelEmailClicked: Workspace, since("2026-04-27") {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was marked as spam.
    "channel.email_complained" ChannelEmailComplained: Workspace, since("2026-04-27"), warning {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email is on its way for longer than it should be.
    "channel.email_delayed" ChannelEmailDelayed: Workspace, since("2026-04-27") {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was delivered.
    "channel.email_delivered" ChannelEmailDelivered: Workspace, since("2026-04-27") {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// An email was opened.
    "channel.email_opened" ChannelEmailOpened: Workspace, since("2026-04-27") {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// Somebody wrote an email to the workspace.
    "channel.email_received" ChannelEmailReceived: Workspace, since("2026-04-28") {
        /// The address of the person who wrote.
        Phi from_address: String, required, since("2026-04-28"), address, rank(610);
        /// Id of the message that this one answers.
        Open in_reply_to_email_id: String, required, since("2026-04-28");
        /// Id of the received message.
        Open inbound_email_id: String, required, since("2026-04-28");
        /// The subject line that somebody wrote.
        Sensitive subject: String, required, since("2026-04-28"), rank(600);
        /// The address that it was written to.
        Phi to_address: String, required, since("2026-04-28"), address, rank(620);
    }

    /// An email was refused by the mail provider.
    "channel.email_rejected" ChannelEmailRejected: Workspace, since("2026-04-27"), warning {
        /// Id of the message.
        Open email_id: String, required, since("2026-04-27");
        /// The address that the workspace sends from.
        Open from_address: String, required, since("2026-04-27"), address, rank(610);
        /// The address that it was sent to.
        Phi to_address: String, required, since("2026-04-27"), address, rank(620);
    }

    /// A voicemail was left, or was not.
    "channel.voicemail_status" ChannelVoicemailStatus: Workspace, since("2026-04-28") {
        /// The number that was called.
        Phi recipient_phone_number: String, required, since("2026-04-28"), phone_number, rank(630);
        /// What became of the voicemail.
        Open status: VoicemailStatus, required, since("2026-04-28"), rank(220),
            error_when(&["failed", "error"]);
        /// The voicemail.
        Open voicemail_id: Uuid, required, since("2026-04-28");
    }
}
