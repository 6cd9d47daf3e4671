//! Members of the workspace.

use crate::model::Uuid;

crate::event! {
    /// Somebody accepted an invitation to the workspace.
    "workspace.invitation_accepted" WorkspaceInvitationAccepted: Workspace, since("2026-04-27") {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-04-27");
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// Somebody was invited to the workspace.
    "workspace.invitation_sent" WorkspaceInvitationSent: Workspace, since("2026-04-27") {
        /// The invitation.
        Open invitation_id: String, required, since("2026-04-27");
        /// Whether it was sent before.
        Open resent: bool, since("2026-04-27"), rank(670);
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// Somebody became a member of the workspace.
    "workspace.member_added" WorkspaceMemberAdded: Workspace, since("2026-04-27") {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-04-27");
        /// The role in the workspace.
        Open role: String, required, since("2026-04-27"), rank(650);
    }

    /// A member of the workspace has another role.
    "workspace.member_role_updated" WorkspaceMemberRoleUpdated: Workspace, since("2026-05-01") {
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, required, since("2026-05-01");
        /// The role before.
        Open previous_role: String, required, since("2026-05-01"), rank(660);
        /// The role in the workspace.
        Open role: String, required, since("2026-05-01"), rank(650);
    }
}
