//! The steps that a surface takes from its creation to its submission, declared once for the
//! statistics and the live screen.

use std::sync::LazyLock;

use crate::model::Kind;

/// One step of the funnel.
#[derive(Debug, Clone, Copy)]
pub struct FunnelStep {
    /// The name in statistics.
    pub name: &'static str,
    /// The name on the live screen.
    pub label: &'static str,
    /// The events that report the step itself. Statistics count these alone.
    pub reported_by: &'static [Kind],
    /// Later events that show that the surface took this step. The live screen counts them too,
    /// because it may have started after the step was reported.
    pub implied_by: &'static [Kind],
}

/// The steps in order.
pub const FUNNEL: [FunnelStep; 5] = [
    FunnelStep {
        name: "created",
        label: "created",
        reported_by: &[Kind::SurfaceCreated, Kind::SurfaceReshaped],
        implied_by: &[],
    },
    FunnelStep {
        name: "delivered",
        label: "delivered",
        reported_by: &[Kind::SurfaceDelivered],
        implied_by: &[],
    },
    FunnelStep {
        name: "opened",
        label: "opened",
        reported_by: &[Kind::SurfaceOpened],
        implied_by: &[],
    },
    FunnelStep {
        name: "field_saved",
        label: "filling in",
        reported_by: &[Kind::SurfaceFieldSaved],
        implied_by: &[],
    },
    FunnelStep {
        name: "submitted",
        label: "submitted",
        reported_by: &[Kind::SurfaceSubmitted],
        implied_by: &[
            Kind::SurfacePendingReview,
            Kind::SurfaceReviewApproved,
            Kind::SurfaceReviewRejected,
        ],
    },
];

/// The index in [`FUNNEL`] of the step that an event reports, by `Kind as usize`.
static REPORTED: LazyLock<Vec<Option<usize>>> = LazyLock::new(|| {
    let mut steps = vec![None; Kind::ALL.len() + Kind::OWN.len()];
    for (at, step) in FUNNEL.iter().enumerate() {
        step.reported_by.iter().for_each(|kind| steps[*kind as usize] = Some(at));
    }
    steps
});

/// Returns the index in [`FUNNEL`] of the step that an event of this kind reports.
#[must_use]
pub fn reported_step(kind: Kind) -> Option<usize> {
    REPORTED[kind as usize]
}

/// Returns the index in [`FUNNEL`] of the step that an event of this kind reports or implies.
#[must_use]
pub fn reached_step(kind: Kind) -> Option<usize> {
    FUNNEL
        .iter()
        .position(|step| step.reported_by.contains(&kind) || step.implied_by.contains(&kind))
}
