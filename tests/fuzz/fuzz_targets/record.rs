#![no_main]
//! The body is shared with the property tests of stable Rust.

#[path = "../../it/fuzz/bodies.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::record(data));
