//! Where the time of a turn goes.

crate::event! {
    /// How long a turn took, stage by stage.
    "latency" Latency: Observer {
        /// Milliseconds from the request for speech to its first audio.
        Open audio_ttfb_ms: f64, required;
        /// Whether the turn continues the one before.
        Open continuation: bool, required;
        /// Milliseconds from the end of the caller's turn to the first audio of the answer.
        Open e2e_ttfb_ms: f64, required, rank(490);
        /// Milliseconds in the engine.
        Open engine_ms: f64, required, rank(500);
        /// Whether it is the greeting.
        Open is_greeting: bool;
        /// Milliseconds spent choosing the next action.
        Open nav_ms: f64, required;
        /// Milliseconds spent wording the answer.
        Open render_ms: f64, required;
    }

    /// How long the agent took to choose and to word an answer.
    "nav_timing" NavTiming: Observer {
        /// Tokens that the model read.
        Open input_tokens: i64, nullable;
        /// The language model.
        Open model: String, nullable;
        /// Milliseconds spent choosing the next action.
        Open nav_ms: f64, required;
        /// Tokens that the model wrote.
        Open output_tokens: i64, nullable;
        /// Milliseconds spent wording the answer.
        Open render_ms: f64, required;
        /// How often the model was asked again.
        Open retry_attempts: i64, nullable;
        /// The action that was chosen.
        Open selected_action: String, nullable;
        /// The state that the agent is in.
        Open state: String, nullable;
        /// Milliseconds in all.
        Open total_ms: f64, required, rank(510);
        /// Whether the fallback model answered.
        Open used_fallback: bool, nullable;
    }
}
