//! A local proxy that connects every host name to a sandbox.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use strike_test_support::{Peer, Server};

/// What the proxy does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Behavior {
    /// Opens tunnels, and forwards plain requests.
    Connects,
    /// Rejects this many connections with this status, and then works.
    Rejects(u16, usize),
}

/// Records every byte that its clients send, inside and outside of tunnels.
pub(crate) struct Proxy {
    server: Server,
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Connects port 443 of every host to `tls`, and port 80 to `plain`.
    pub(crate) fn start(behavior: Behavior, tls: SocketAddr, plain: SocketAddr) -> Self {
        let passed = Arc::new(Mutex::new(Vec::new()));
        let all = passed.clone();
        let server = Server::start(move |mut peer| {
            let Some(request) = peer.request() else { return };
            all.lock().unwrap().extend_from_slice(request.as_bytes());
            match behavior {
                Behavior::Rejects(status, times) if peer.index < times => reject(peer, status),
                _ => {
                    serve(peer, &request, [tls, plain], |bytes| all.lock().unwrap().extend_from_slice(bytes))
                }
            }
        });
        Self { server, passed }
    }

    /// The proxy's URL, with a user and a password.
    pub(crate) fn url(&self) -> String {
        format!("http://till:hunter2@{}", self.server.addr())
    }

    /// The first line of each connection.
    pub(crate) fn first_lines(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.iter().filter_map(|request| request.lines().next()).map(str::to_owned).collect()
    }

    /// Returns true if a client sent this text unencrypted.
    pub(crate) fn saw(&self, text: &str) -> bool {
        let passed = self.passed.lock().unwrap();
        passed.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

fn reject(mut peer: Peer, status: u16) {
    peer.write(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    peer.hang();
}

fn serve(mut peer: Peer, request: &str, [tls, plain]: [SocketAddr; 2], seen: impl FnMut(&[u8])) {
    match request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) {
        Some(authority) => {
            let target = if authority.ends_with(":443") { tls } else { plain };
            peer.write("HTTP/1.1 200 Connection established\r\n\r\n");
            peer.tunnel(target, seen);
        }
        // The request line holds the whole URL, which the sandbox accepts.
        None => peer.forward(request, plain, seen),
    }
}
