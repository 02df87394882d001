//! The rows of the table of strike-core. Each has a function that does its work `times` times.

mod parsing;
mod requests;
mod watching;

/// A row of the table.
pub struct Workload {
    pub name: &'static str,
    /// What one unit of work is.
    pub unit: &'static str,
    pub run: fn(usize),
    /// Units of work in one call.
    pub units: usize,
    /// The most instructions and allocations that a unit should need.
    pub bars: (&'static str, &'static str),
}

/// Returns all rows, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Workload> {
    [requests::ROWS, parsing::ROWS, watching::ROWS].into_iter().flatten()
}
