//! Prints what a crate makes public, one item a line, from the JSON that rustdoc made of it. `.ci/api` calls it.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use public_api::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    let json = env::args_os().nth(1).ok_or("usage: strike-api-list <rustdoc's JSON>")?;
    // Blanket impls are the standard library's, and say nothing about the crate.
    let api = Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    for missing in api.missing_item_ids() {
        return Err(format!("rustdoc's JSON names item {missing} and does not hold it").into());
    }
    write!(io::stdout().lock(), "{api}")?;
    Ok(())
}
