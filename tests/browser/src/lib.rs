//! An empty library: the tests of the sandbox's page and of the coffee shop in a browser are in `tests/`.
