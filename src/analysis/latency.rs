//! Where the time of an agent's turn goes, and the components that statistics and screens show.

use crate::model::Field;
use crate::model::catalog::Latency;

/// The time that one turn took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TurnLatency {
    /// Engine time, including navigation and rendering.
    pub engine: f64,
    /// Time to choose the next action.
    pub navigation: f64,
    /// Time to word the answer.
    pub render: f64,
    /// Time from the request for speech to its first audio.
    pub speech: f64,
    /// Time from the end of the caller's turn to the first audio.
    pub first_audio: f64,
}

impl From<&Latency> for TurnLatency {
    /// Takes a missing, hidden, negative or infinite value as zero.
    fn from(event: &Latency) -> Self {
        let millis = |field: &Field<f64>| {
            field.value().copied().filter(|value| value.is_finite()).unwrap_or_default().max(0.0)
        };
        Self {
            engine: millis(&event.engine_ms),
            navigation: millis(&event.nav_ms),
            render: millis(&event.render_ms),
            speech: millis(&event.audio_ttfb_ms),
            first_audio: millis(&event.e2e_ttfb_ms),
        }
    }
}

/// One component of a turn's latency.
#[derive(Debug, Clone, Copy)]
pub struct LatencyComponent {
    /// The field of a `latency` event, and the name in statistics as JSON.
    pub field: &'static str,
    /// The name in tables that show other measurements too.
    pub label: &'static str,
    /// The name where only latency is shown.
    pub short_label: &'static str,
    /// Takes the component from one turn, in milliseconds.
    pub value: fn(&TurnLatency) -> f64,
}

/// From the end of the caller's turn to the first audio.
pub const FIRST_AUDIO: LatencyComponent = LatencyComponent {
    field: "e2e_ttfb_ms",
    label: "turn to first audio",
    short_label: "first audio",
    value: |turn| turn.first_audio,
};

/// Engine time, including navigation and rendering.
pub const ENGINE: LatencyComponent = LatencyComponent {
    field: "engine_ms",
    label: "engine",
    short_label: "engine",
    value: |turn| turn.engine,
};

/// Time to choose the next action.
pub const NAVIGATION: LatencyComponent = LatencyComponent {
    field: "nav_ms",
    label: "navigation",
    short_label: "navigation",
    value: |turn| turn.navigation,
};

/// Time to word the answer.
pub const RENDER: LatencyComponent = LatencyComponent {
    field: "render_ms",
    label: "render",
    short_label: "render",
    value: |turn| turn.render,
};

/// From the request for speech to its first audio.
pub const SPEECH: LatencyComponent = LatencyComponent {
    field: "audio_ttfb_ms",
    label: "speech",
    short_label: "speech",
    value: |turn| turn.speech,
};

/// All components, in the order in which they are shown.
pub const COMPONENTS: [LatencyComponent; 5] = [FIRST_AUDIO, ENGINE, NAVIGATION, RENDER, SPEECH];
