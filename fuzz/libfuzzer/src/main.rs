//! Runs the fuzz target named by `STRIKE_FUZZ_TARGET` under libFuzzer.
#![no_main]

use std::sync::LazyLock;

use strike_fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("STRIKE_FUZZ_TARGET").unwrap_or_default();
    strike_fuzz::target(&name).unwrap_or_else(|| panic!("STRIKE_FUZZ_TARGET={name}: unknown fuzz target"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
