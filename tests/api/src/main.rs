//! Prints the public API of a crate, one item per line, from rustdoc's JSON. `.ci/api` runs it.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use public_api::PublicApi;

/// Auto traits that are left out. `Send` and `Sync` stay in.
const HIDDEN_AUTO_TRAITS: [&str; 5] = ["Freeze", "UnsafeUnpin", "Unpin", "UnwindSafe", "RefUnwindSafe"];

fn main() -> Result<(), Box<dyn Error>> {
    let json = env::args_os().nth(1).ok_or("usage: strike-api-list <rustdoc's JSON>")?;
    // Blanket impls come from the standard library, and are not part of the crate's API.
    let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let mut out = io::stdout().lock();
    for line in lines(&api) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn lines(api: &PublicApi) -> impl Iterator<Item = String> {
    let named = |line: &String| {
        let is_hidden_impl = |name: &&str| {
            line.contains(&format!("core::marker::{name} for "))
                || line.contains(&format!("core::panic::unwind_safe::{name} for "))
        };
        !(line.starts_with("impl") && HIDDEN_AUTO_TRAITS.iter().any(is_hidden_impl))
    };
    api.items().map(ToString::to_string).filter(named)
}
