//! The values that fields of several events share: strings that are one of a few, and nested records.

crate::choice! {
    /// Which way a conversation goes, or what stands in for one.
    Direction { Inbound = "inbound", Outbound = "outbound", Playground = "playground", Simulated = "simulated", Test = "test" }

    /// Why a call ended. The last eight values were announced for a few days and withdrawn; they arrive all the same.
    CompletionReason {
        Completed = "completed", Abandoned = "abandoned", Escalated = "escalated", Transferred = "transferred",
        Timeout = "timeout", Error = "error", Voicemail = "voicemail", NoAnswer = "no_answer",
        CallerHangup = "caller_hangup", Forwarded = "forwarded", TerminalState = "terminal_state",
        WarmTransferCompleted = "warm_transfer_completed", NoInboundAudio = "no_inbound_audio", Cancelled = "cancelled",
        MaxDuration = "max_duration", IdleTimeout = "idle_timeout", ClientStop = "client_stop",
        TransportError = "transport_error", Disconnected = "disconnected", TransportClosed = "transport_closed",
        Unknown = "unknown", ConferenceEnded = "conference_ended",
    }

    /// Who asked for a person.
    EscalationTrigger { Caller = "caller", Ai = "ai", Operator = "operator" }

    /// How an operator takes part in a call.
    OperatorMode { Listen = "listen", Takeover = "takeover" }

    /// Whether an operator can take calls.
    OperatorStatus { Online = "online", Busy = "busy", Offline = "offline" }

    /// What became of a voicemail.
    VoicemailStatus { Delivered = "delivered", Skipped = "skipped", Failed = "failed", NotDelivered = "not_delivered" }

    /// What a reviewer decided.
    ReviewAction {
        Approve = "approve", Reject = "reject", Correct = "correct", BatchApprove = "batch_approve", BatchReject = "batch_reject",
    }

    /// What a filler is said for.
    FillerType { Empathy = "empathy", Receipt = "receipt", Working = "working" }

    /// How much empathy a turn calls for.
    EmpathyTier {
        Functional = "FUNCTIONAL", LightTouch = "LIGHT_TOUCH", FullEmpathy = "FULL_EMPATHY", HoldSpace = "HOLD_SPACE",
    }

    /// What a participant is in a call.
    ParticipantRole { Caller = "caller", Agent = "agent", Operator = "operator" }

    /// Where an emotion is heading.
    Trend { Improving = "improving", Stable = "stable", Deteriorating = "deteriorating" }

    /// Why something that arrived is no event.
    Malformation {
        Empty = "empty", NotUtf8 = "not_utf8", Truncated = "truncated", NotJson = "not_json", LoneSurrogate = "lone_surrogate",
        TooDeep = "too_deep", NotAnObject = "not_an_object", NoEventType = "no_event_type", TooLarge = "too_large",
    }

    /// How a hole in a stream came about.
    GapReason {
        /// The stream was away for longer than the server keeps events.
        AwayTooLong = "away_too_long",
        /// The server's replay begins later than asked.
        ReplayLate = "replay_late",
        /// The stream was asked to begin before what the server keeps.
        BeyondBuffer = "beyond_buffer",
        /// There was no id to resume from.
        NoPosition = "no_position",
        /// The ids went back while the stream was away, and further than it was asked back.
        IdsWentBack = "ids_went_back",
        /// So many connections broke within the replay that less of it was asked for.
        ReplayBroken = "replay_broken",
        /// The observer was not connected, and its events are not kept.
        ObserverDown = "observer_down",
    }

    /// Where the energy of a voice is heading.
    EnergyTrend { Rising = "rising", Falling = "falling", Stable = "stable" }
}

crate::record! {
    /// An emotion and how strongly it is heard.
    EmotionScore {
        /// The emotion.
        name: String, required;
        /// How strong it is, 0 to 1.
        score: f64, required;
    }

    /// A vocal burst, such as laughter.
    VocalBurst {
        /// Which kind it is.
        r#type: String, required;
        /// How clear it is, 0 to 1.
        score: f64, required;
    }

    /// How a voice differs from the speaker's usual one.
    SpeakerVoice {
        /// The change in energy.
        energy_delta: Option<f64>;
        /// Where the energy is heading.
        energy_trend: Option<EnergyTrend>;
        /// Whether the values are relative to the speaker's own baseline.
        normalized: Option<bool>;
        /// The change in pitch.
        pitch_delta: Option<f64>;
        /// The change in the rate of zero crossings.
        zcr_delta: Option<f64>;
    }
}
