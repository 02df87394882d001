//! Nothing but tests, which are in `tests/`: the sandbox's page in a real browser.
