//! The types that fields of several events share: enumerated strings and nested records.

crate::choice! {
    /// The direction of a conversation, or the kind of a test conversation.
    Direction {
        Inbound = "inbound", Outbound = "outbound", Playground = "playground",
        Simulated = "simulated", Test = "test",
    }

    /// Why a call ended. The last eight values were in the contract only briefly, but still arrive.
    CompletionReason {
        Completed = "completed", Abandoned = "abandoned", Escalated = "escalated",
        Transferred = "transferred",
        Timeout = "timeout", Error = "error", Voicemail = "voicemail", NoAnswer = "no_answer",
        CallerHangup = "caller_hangup", Forwarded = "forwarded", TerminalState = "terminal_state",
        WarmTransferCompleted = "warm_transfer_completed", NoInboundAudio = "no_inbound_audio",
        Cancelled = "cancelled",
        MaxDuration = "max_duration", IdleTimeout = "idle_timeout", ClientStop = "client_stop",
        TransportError = "transport_error", Disconnected = "disconnected",
        TransportClosed = "transport_closed",
        Unknown = "unknown", ConferenceEnded = "conference_ended",
    }

    /// Who asked for a person.
    EscalationTrigger { Caller = "caller", Ai = "ai", Operator = "operator" }

    /// How an operator takes part in a call.
    OperatorMode { Listen = "listen", Takeover = "takeover" }

    /// Whether an operator can take calls.
    OperatorStatus { Online = "online", Busy = "busy", Offline = "offline" }

    /// The outcome of a voicemail.
    VoicemailStatus {
        Delivered = "delivered", Skipped = "skipped", Failed = "failed",
        NotDelivered = "not_delivered",
    }

    /// The decision of a reviewer.
    ReviewAction {
        Approve = "approve", Reject = "reject", Correct = "correct",
        BatchApprove = "batch_approve", BatchReject = "batch_reject",
    }

    /// The purpose of a filler.
    FillerType { Empathy = "empathy", Receipt = "receipt", Working = "working" }

    /// The empathy that a turn needs.
    EmpathyTier {
        Functional = "FUNCTIONAL", LightTouch = "LIGHT_TOUCH", FullEmpathy = "FULL_EMPATHY",
        HoldSpace = "HOLD_SPACE",
    }

    /// The role of a participant in a call.
    ParticipantRole { Caller = "caller", Agent = "agent", Operator = "operator" }

    /// The trend of an emotion.
    Trend { Improving = "improving", Stable = "stable", Deteriorating = "deteriorating" }

    /// Why a frame is not an event.
    Malformation {
        Empty = "empty", NotUtf8 = "not_utf8", Truncated = "truncated", NotJson = "not_json",
        LoneSurrogate = "lone_surrogate",
        TooDeep = "too_deep", NotAnObject = "not_an_object", NoEventType = "no_event_type",
        TooLarge = "too_large",
    }

    /// The cause of a gap in a stream.
    GapReason {
        /// The stream was disconnected for longer than the server keeps events.
        AwayTooLong = "away_too_long",
        /// The server's replay begins later than requested.
        ReplayLate = "replay_late",
        /// The requested start is older than the events that the server keeps.
        BeyondBuffer = "beyond_buffer",
        /// There was no id to resume from.
        NoPosition = "no_position",
        /// The ids went back while the stream was disconnected, further than the requested replay.
        IdsWentBack = "ids_went_back",
        /// Repeated disconnects during the replay shortened the requested replay.
        ReplayBroken = "replay_broken",
        /// The broker removed the events before they were read.
        Removed = "removed",
        /// The observer was not connected, and its events are not kept.
        ObserverDown = "observer_down",
    }

    /// Why a stream ended.
    EndReason {
        /// The run of evtap ended.
        RunEnded = "run_ended",
        /// The call is over.
        CallEnded = "call_ended",
        /// Another tap has taken the call over.
        TakenOver = "taken_over",
        /// The workspace was removed from the workspaces file.
        Removed = "removed",
        /// Everything that the broker had stored has been read.
        AllRead = "all_read",
        /// The platform ended the stream, in a captured one.
        ServerEnded = "server_ended",
    }

    /// What a rule knows about a key.
    AlertState {
        /// What the rule looks for is the case.
        Raised = "raised",
        /// It is the case no longer.
        Resolved = "resolved",
        /// It cannot be known, because events are missing.
        Unknown = "unknown",
        /// The input ended before it could be known.
        Pending = "pending",
    }

    /// Why the state of an alert changed.
    AlertReason {
        /// The event that should follow did not arrive in time.
        NotFollowed = "not_followed",
        /// The event that should follow arrived late.
        Followed = "followed",
        /// An event arrived after which none needs to follow.
        Excused = "excused",
        /// Too many events matched within the time.
        TooMany = "too_many",
        /// Fewer events match again.
        FewerAgain = "fewer_again",
        /// The percentile exceeds the limit.
        OverLimit = "over_limit",
        /// The percentile is within the limit again.
        WithinLimit = "within_limit",
        /// No event arrived for too long.
        Silent = "silent",
        /// No event arrived for much longer than usual.
        Late = "late",
        /// Events arrive again.
        Heard = "heard",
        /// No operator is available.
        NoOperator = "no_operator",
        /// An operator is available again.
        OperatorBack = "operator_back",
        /// Events are missing in the time that matters.
        Gap = "gap",
        /// The rule has too many keys to remember this one.
        Evicted = "evicted",
        /// The input ended.
        InputEnded = "input_ended",
    }

    /// The trend of the energy of a voice.
    EnergyTrend { Rising = "rising", Falling = "falling", Stable = "stable" }
}

crate::record! {
    /// An emotion and its strength.
    EmotionScore {
        /// The name of the emotion.
        name: String, required;
        /// The strength of the emotion, from 0 to 1.
        score: f64, required;
    }

    /// A vocal burst, such as laughter.
    VocalBurst {
        /// The kind of burst.
        r#type: String, required;
        /// The clarity of the burst, from 0 to 1.
        score: f64, required;
    }

    /// How a voice differs from the speaker's usual one.
    SpeakerVoice {
        /// The change in energy.
        energy_delta: Option<f64>;
        /// The trend of the energy.
        energy_trend: Option<EnergyTrend>;
        /// Whether the values are relative to the speaker's own baseline.
        normalized: Option<bool>;
        /// The change in pitch.
        pitch_delta: Option<f64>;
        /// The change in the rate of zero crossings.
        zcr_delta: Option<f64>;
    }
}
