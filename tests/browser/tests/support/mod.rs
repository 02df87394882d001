//! Controls a browser. Without one, `Browser` returns `None`, and the test is skipped with a message.
#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod browser;
mod driver;

pub(crate) use browser::Browser;
