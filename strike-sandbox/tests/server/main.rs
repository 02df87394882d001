//! The service on a socket: the server in this process, and the program in another.

mod program;
mod socket;
mod wire;
