//! The server that the clients are measured with.

fn main() {
    strike_perf_clients::server::run();
}
