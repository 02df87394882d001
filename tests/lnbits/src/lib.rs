//! An empty library: the tests against a real LNbits are in `tests/`.
