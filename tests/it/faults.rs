//! Random faults of every kind: no event is lost without a `tap.gap`, none is delivered twice, and
//! the order is kept.

use evtap::emulator::Fault;
use evtap::error::Exit;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

use crate::tapped::{DeliveryLog, FRAME, TapOptions, tap};

/// Draws what goes wrong on one connection. Every fault ends the connection, so that the next one
/// begins.
fn fault() -> impl Strategy<Value = String> {
    let bytes = 0..30_000_usize;
    let stop = prop_oneof![
        4 => (prop::sample::select(&["cut", "end", "reset", "stall"][..]), bytes.clone()).prop_map(|(stop, at)| format!("{stop}={at}")),
        1 => (0..600_usize).prop_map(|at| format!("drip={at}")),
        4 => (prop::sample::select(&["character", "line", "fields", "line-end"][..]), bytes).prop_map(|(place, at)| format!("cut-in={place}:{at}")),
    ];
    let alteration = prop_oneof![
        3 => Just(String::new()),
        1 => (1..6_usize).prop_map(|every| format!("repeat={every}+")),
        1 => (1..6_usize).prop_map(|every| format!("strip-id={every}+")),
        1 => (1..6_usize).prop_map(|every| format!("odd-id={every}+")),
        // Less than the time that evtap asks back for at least. With more, a loss cannot always be
        // noticed.
        1 => (1..40_u64).prop_map(|back| format!("backwards={back}+")),
        1 => Just("overlap+".to_owned()),
        1 => Just("unknown+".to_owned()),
        1 => Just(format!("huge={}+", FRAME + 1)),
        1 => Just("forget+".to_owned()),
    ];
    prop_oneof![
        8 => (alteration, stop).prop_map(|(alteration, stop)| alteration + &stop),
        1 => prop::sample::select(&["status=429", "status=500", "status=503"][..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["error=stream_error", "error=stream_unavailable", "error=brand_new"][..]).prop_map(str::to_owned),
    ]
}

/// Uses the same scripts in every run. `PROPTEST_CASES` asks for that many random ones instead.
fn config() -> ProptestConfig {
    let usual = ProptestConfig { max_shrink_iters: 60, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(24), ..usual },
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn no_fault_loses_an_event_without_a_gap(seed in 0..1000_u64, faults in prop::collection::vec(fault(), 1..16)) {
        // The first connection delivers something to resume from.
        let script: Vec<Fault> = std::iter::once("cut=20000".to_owned())
            .chain(faults)
            .map(|fault| fault.parse().expect("a fault"))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let report = runtime.block_on(tap(TapOptions { seed, rate: 5000.0, faults: script, events: 1000 }));
        prop_assert!(report.is_whole(), "{report:?}");
    }
}

/// A final error is reported after any other fault, and nothing before it is lost without a gap.
#[tokio::test]
async fn a_final_error_ends_the_stream_after_any_fault() {
    let final_faults = [
        ("status=401", Exit::Credential),
        ("status=403", Exit::Credential),
        ("status=404", Exit::NotFound),
        ("status=410", Exit::NotFound),
        ("error=too_many_streams", Exit::TooManyStreams),
    ];
    for (index, (last, exit)) in final_faults.into_iter().enumerate() {
        for before in [
            "none",
            "cut=3000",
            "reset=9000",
            "status=503",
            "error=stream_error",
            "stall=5000",
            "forget+cut=4000",
        ] {
            let script = ["cut=20000", before, "cut-in=fields:2000", last];
            // `none` does not end a connection, so it cannot come before another fault.
            let faults = script
                .iter()
                .filter(|fault| **fault != "none")
                .map(|fault| fault.parse().expect("a fault"))
                .collect();
            let report =
                tap(TapOptions { seed: index as u64, rate: 5000.0, faults, events: usize::MAX })
                    .await;
            assert!(
                report.is_whole() && report.delivered > 0 && report.exit == Some(exit),
                "{before} {last}: {report:?}"
            );
        }
    }
}

#[test]
fn the_report_counts_lost_repeated_and_reordered_events() {
    let ids = [10, 10, 11, 12, 13, 9, 14];
    let report = |numbers: &[usize], gap: Option<(i64, i64)>| {
        let mut seen = DeliveryLog::default();
        for number in numbers {
            seen.line(&json!({"event_type": "x", "emulator_event": format!("№{number}")}));
        }
        if let Some((from, to)) = gap {
            let time = |at| jiff::Timestamp::from_millisecond(at).expect("a time").to_string();
            seen.line(&json!({"event_type": "tap.gap", "from": time(from), "to": time(to)}));
        }
        seen.report(&ids)
    };
    assert!(report(&[0, 1, 2, 3, 4, 5, 6], None).is_whole());
    assert_eq!(report(&[0, 1, 3, 4, 5, 6], None).lost, 1);
    assert_eq!(report(&[0, 1, 1, 2, 3, 4, 5, 6], None).repeated, 1);
    assert_eq!(report(&[0, 2, 1, 3, 4, 5, 6], None).reordered, 1);
    assert_eq!(
        (report(&[0, 4, 5, 6], Some((10, 12))).covered, report(&[0, 4, 5, 6], Some((10, 12))).lost),
        (3, 0)
    );
    assert_eq!(report(&[0, 4, 5, 6], Some((12, 12))).lost, 2);
    assert_eq!(report(&[0, 1, 2, 3, 4, 6], None).lost, 1);
}
