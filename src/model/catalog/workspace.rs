//! Events about members of the workspace.

use crate::model::Uuid;

crate::event! {
    /// Somebody accepted an invitation to the workspace.
    "workspace.invitation_accepted" WorkspaceInvitationAccepted: Workspace, since("2026-04-27") {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-04-27");
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// Somebody was invited to the workspace.
    "workspace.invitation_sent" WorkspaceInvitationSent: Workspace, since("2026-04-27") {
        /// Id of the invitation.
        Open invitation_id: String, required, since("2026-04-27");
        /// Whether the invitation was sent again.
        Open resent: bool, since("2026-04-27"), rank(670);
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// Somebody became a member of the workspace.
    "workspace.member_added" WorkspaceMemberAdded: Workspace, since("2026-04-27") {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-04-27");
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// The role of a member of the workspace changed.
    "workspace.member_role_updated" WorkspaceMemberRoleUpdated: Workspace, since("2026-05-01") {
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-05-01");
        /// The previous role in the workspace.
        Open previous_role: String, required, since("2026-05-01"), rank(660);
        /// The role in the workspace.
        Open role: String, required, since("2026-05-01"), rank(650);
    }
}
