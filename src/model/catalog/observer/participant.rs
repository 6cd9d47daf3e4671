//! Events about the participants of the call.

use crate::model::catalog::value::ParticipantRole;
use crate::model::{Unstated, Uuid};

crate::event! {
    /// The target of a forwarded call was resolved.
    "forward_call_resolved" ForwardCallResolved: Observer, documented {
        /// The error, in words.
        Free error: String, nullable, documented, rank(190);
        /// The name of the location that the call is forwarded to.
        Open location_name: String, nullable, documented, rank(390);
        /// The result of the forwarding.
        Free result: String, nullable, documented, rank(340);
        /// The telephone number that the call is forwarded to.
        Phi target_number: String, nullable, documented, phone_number, rank(380);
    }

    /// Somebody joined the conference of the call.
    "participant_joined" ParticipantJoined: Observer {
        /// Twilio SID of the conference.
        Open conference_sid: String, required;
        /// The name shown for the participant.
        Phi display_name: String, nullable, person_name, rank(360);
        /// Id of the operator, if the participant is one.
        Open operator_entity_id: Uuid, nullable;
        /// Id of the participant.
        Open participant_id: String, required;
        /// The participant's name.
        Phi participant_name: String, nullable, person_name, rank(350);
        /// The role of the participant in the call.
        Open participant_role: ParticipantRole, required, rank(20);
        /// The participant's telephone number.
        Phi phone_number: String, nullable, phone_number, rank(370);
    }

    /// Somebody left the conference of the call.
    "participant_left" ParticipantLeft: Observer {
        /// Twilio SID of the conference.
        Open conference_sid: String, required;
        /// The name shown for the participant.
        Phi display_name: String, nullable, person_name, rank(360);
        /// Id of the operator, if the participant is one.
        Open operator_entity_id: Uuid, nullable;
        /// Id of the participant.
        Open participant_id: String, required;
        /// The role of the participant in the call.
        Open participant_role: ParticipantRole, required, rank(20);
        /// The participant's telephone number.
        Phi phone_number: String, nullable, phone_number, rank(370);
    }

    /// A speaker was muted or unmuted.
    "speaker_muted" SpeakerMuted: Observer, documented {
        /// Whether the speaker is muted now.
        Open muted: bool, required, rank(330);
        /// Id of the speaker who was muted or unmuted.
        Open speaker_id: Unstated, only_documented;
        /// The role of the speaker in the call.
        Open speaker_role: Unstated, only_documented, rank(10);
    }
}
