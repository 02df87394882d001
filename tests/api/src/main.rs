//! Prints what a crate makes public, one item a line, from the JSON that rustdoc made of it. `.ci/api` calls it.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use public_api::PublicApi;

/// Traits that the compiler decides about and no caller names. `Send` and `Sync` are not among them.
const NOBODY_NAMES: [&str; 5] = ["Freeze", "UnsafeUnpin", "Unpin", "UnwindSafe", "RefUnwindSafe"];

fn main() -> Result<(), Box<dyn Error>> {
    let json = env::args_os().nth(1).ok_or("usage: strike-api-list <rustdoc's JSON>")?;
    // Blanket impls are the standard library's, and say nothing about the crate.
    let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let mut out = io::stdout().lock();
    for line in lines(&api) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn lines(api: &PublicApi) -> impl Iterator<Item = String> {
    let named = |line: &String| {
        let of_the_compiler = |name: &&str| {
            line.contains(&format!("core::marker::{name} for "))
                || line.contains(&format!("core::panic::unwind_safe::{name} for "))
        };
        !(line.starts_with("impl") && NOBODY_NAMES.iter().any(of_the_compiler))
    };
    api.items().map(ToString::to_string).filter(named)
}
