//! An empty library: the tests of the sandbox's page in a browser are in `tests/`.
