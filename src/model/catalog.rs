//! Every event that the platform is known to publish, and those that evtap adds, one file per
//! family.

pub mod call;
pub mod channel;
pub mod encounter;
pub mod observer;
pub mod operator;
pub mod pipeline;
pub mod review;
pub mod self_image;
pub mod simulation;
pub mod surface;
pub mod tap;
pub mod text;
pub mod trigger;
pub mod value;
pub mod workspace;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Declared, Domain, EventSpec, FieldSpec};

/// Passes the table of event types to the macro `$with`. A new event type needs its declaration and
/// its name in this table.
macro_rules! event_types {
    ($with:ident) => {
        $with! {
            platform {
                call::{CallEnded, CallEscalated, CallStarted}
                channel::{
                    ChannelEmailBounced, ChannelEmailClicked, ChannelEmailComplained,
                    ChannelEmailDelayed, ChannelEmailDelivered, ChannelEmailOpened,
                    ChannelEmailReceived, ChannelEmailRejected, ChannelVoicemailStatus
                }
                encounter::{EncounterUpdated}
                operator::{
                    OperatorJoinedCall, OperatorLeftCall, OperatorModeChanged,
                    OperatorProfileUpdated, OperatorRegistered, OperatorStatusChanged,
                    OperatorWrapUp
                }
                pipeline::{PipelineError, PipelineSyncCompleted}
                review::{ReviewSubmitted}
                self_image::{SelfImageBriefGenerated}
                simulation::{SimulationTurnStored}
                surface::{
                    SurfaceArchived, SurfaceCreated, SurfaceDelivered, SurfaceFieldSaved,
                    SurfaceOpened, SurfacePendingReview, SurfaceReshaped, SurfaceReviewApproved,
                    SurfaceReviewRejected, SurfaceSubmitted, SurfaceUpdated
                }
                text::{TextCompleted, TextStarted}
                trigger::{TriggerCompleted, TriggerFailed, TriggerFired}
                workspace::{
                    WorkspaceInvitationAccepted, WorkspaceInvitationSent, WorkspaceMemberAdded,
                    WorkspaceMemberRoleUpdated
                }
                observer::emotion::{
                    CompoundEmotion, Emotion, EmpathyClassified, VoiceContextApplied
                }
                observer::participant::{
                    ForwardCallResolved, ParticipantJoined, ParticipantLeft, SpeakerMuted
                }
                observer::session::{SessionEnd, SessionInfo, SessionStart, StateTransition}
                observer::timing::{Latency, NavTiming}
                observer::tool::{ToolCallCompleted, ToolCallStarted}
                observer::transcript::{
                    AgentTranscript, AgentTranscriptDelta, BargeIn, UserTranscript
                }
            }
            own {
                tap::{TapAlert, TapConnected, TapEnded, TapGap, TapMalformed, TapPosition}
            }
        }
    };
}
pub(super) use event_types;

macro_rules! kinds {
    (
        platform { $($($module:ident)::+::{$($name:ident),+})+ }
        own { $($own_module:ident::{$($own:ident),+})+ }
    ) => {
        $(pub use $($module)::+::{$($name),+};)+
        $(pub use $own_module::{$($own),+};)+

        /// The type of a declared event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is documented at its struct of the same name")]
        pub enum Kind { $($($name,)+)+ $($($own,)+)+ }

        impl Kind {
            /// The platform's event types, by family.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];
            /// The event types that evtap itself adds to a stream.
            pub const OWN: &[Self] = &[$($(Self::$own,)+)+];

            /// Returns the declaration of the event type.
            #[must_use]
            pub const fn spec(self) -> &'static EventSpec {
                match self { $($(Self::$name => $name::SPEC,)+)+ $($(Self::$own => $own::SPEC,)+)+ }
            }
        }
    };
}

event_types!(kinds);

impl Kind {
    /// Returns whether an event is a notice of evtap about a stream: that it was connected, ended,
    /// is alive or has a gap. Such an event neither counts towards a limit nor shows that the stream
    /// is active.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        matches!(self, Self::TapConnected | Self::TapEnded | Self::TapPosition | Self::TapGap)
    }

    /// Returns the platform's event type with this name on the wire.
    #[must_use]
    pub fn from_name(event_type: &str) -> Option<Self> {
        let mut slot = slot(event_type);
        while let Some(kind) = SLOTS[slot] {
            if kind.spec().event_type == event_type {
                return Some(kind);
            }
            slot = (slot + 1) % SLOTS.len();
        }
        None
    }
}

/// Returns the declaration of a field with this name in any event. The meaning of a name does not
/// depend on the event.
#[must_use]
pub fn field_named(name: &str) -> Option<&'static FieldSpec> {
    static FIELDS: LazyLock<HashMap<&str, &FieldSpec>> = LazyLock::new(|| {
        let kinds = Kind::ALL.iter().chain(Kind::OWN);
        let fields = kinds.flat_map(|kind| kind.spec().fields);
        fields.map(|field| (field.name, field)).collect()
    });
    FIELDS.get(name).copied()
}

/// Returns the fields that can report an error, one of each name.
#[must_use]
pub fn error_fields() -> &'static [&'static FieldSpec] {
    static FIELDS: LazyLock<Vec<&FieldSpec>> = LazyLock::new(|| {
        let mut fields: Vec<&FieldSpec> = Vec::new();
        for field in Kind::ALL.iter().chain(Kind::OWN).flat_map(|kind| kind.spec().fields) {
            if !field.error_values.is_empty() && fields.iter().all(|known| known.name != field.name)
            {
                fields.push(field);
            }
        }
        fields
    });
    &FIELDS
}

impl Domain {
    /// Returns the domain of the field with this name, which does not depend on the event.
    #[must_use]
    pub fn for_field(field: &str) -> Self {
        field_named(field).map_or(Self::Text, |field| field.domain)
    }
}

/// A hash table of the platform's event types with [`slot`] as the hash and linear probing. More
/// than half of it stays empty.
static SLOTS: [Option<Kind>; 256] = {
    let mut slots = [None; 256];
    let mut at = 0;
    while at < Kind::ALL.len() {
        let kind = Kind::ALL[at];
        let mut slot = slot(kind.spec().event_type);
        while slots[slot].is_some() {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = Some(kind);
        at += 1;
    }
    slots
};

/// Returns the hash of a name, from its length and three of its bytes.
const fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let length = bytes.len();
    if length == 0 {
        return 0;
    }
    let mixed = length * 31
        + bytes[length - 1] as usize * 7
        + bytes[length / 2] as usize * 13
        + bytes[length / 3] as usize * 29;
    mixed % 256
}
