//! Events about the latency of a turn.

crate::event! {
    /// The latency of a turn, by stage.
    "latency" Latency: Observer {
        /// The time from the speech request to its first audio, in milliseconds.
        Open audio_ttfb_ms: f64, required;
        /// Whether the turn continues the previous one.
        Open continuation: bool, required;
        /// The time from the end of the caller's turn to the first answer audio, in milliseconds.
        Open e2e_ttfb_ms: f64, required, rank(490);
        /// The time in the engine, including navigation and rendering, in milliseconds.
        Open engine_ms: f64, required, rank(500);
        /// Whether the turn is the greeting.
        Open is_greeting: bool;
        /// The time to choose the next action, in milliseconds.
        Open nav_ms: f64, required;
        /// The time to word the answer, in milliseconds.
        Open render_ms: f64, required;
    }

    /// The time that the agent took to choose and word an answer.
    "nav_timing" NavTiming: Observer {
        /// The number of input tokens of the model.
        Open input_tokens: i64, nullable;
        /// The name of the language model.
        Open model: String, nullable;
        /// The time to choose the next action, in milliseconds.
        Open nav_ms: f64, required;
        /// The number of output tokens of the model.
        Open output_tokens: i64, nullable;
        /// The time to word the answer, in milliseconds.
        Open render_ms: f64, required;
        /// The number of retries of the model.
        Open retry_attempts: i64, nullable;
        /// The action that was chosen.
        Open selected_action: String, nullable;
        /// The state that the agent is in.
        Open state: String, nullable, rank(65);
        /// The total time, in milliseconds.
        Open total_ms: f64, required, rank(510);
        /// Whether the fallback model answered.
        Open used_fallback: bool, nullable;
    }
}
