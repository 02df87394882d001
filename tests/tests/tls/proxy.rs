//! A proxy on this machine that knows where the service's names lead: to a sandbox.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use strike_test_support::{Peer, Server};

/// What the proxy does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Opens tunnels, and hands on plain requests.
    Willing,
    /// Answers the first so many connections with this status, and is willing after that.
    Refuses(u16, usize),
}

/// It remembers every byte that its clients sent, within tunnels and before.
pub(crate) struct Proxy {
    server: Server,
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Leads every name with port 443 to `secret`, and with port 80 to `plain`.
    pub(crate) fn start(manner: Manner, secret: SocketAddr, plain: SocketAddr) -> Self {
        let passed = Arc::new(Mutex::new(Vec::new()));
        let all = passed.clone();
        let server = Server::start(move |mut peer| {
            let Some(request) = peer.request() else { return };
            all.lock().unwrap().extend_from_slice(request.as_bytes());
            match manner {
                Manner::Refuses(status, times) if peer.index < times => refuse(peer, status),
                _ => serve(peer, &request, [secret, plain], |bytes| {
                    all.lock().unwrap().extend_from_slice(bytes)
                }),
            }
        });
        Self { server, passed }
    }

    /// Its URL, with a user and a password for it.
    pub(crate) fn url(&self) -> String {
        format!("http://till:hunter2@{}", self.server.addr())
    }

    /// The first line of each connection.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.iter().filter_map(|request| request.lines().next()).map(str::to_owned).collect()
    }

    /// Whether its clients sent this, as it is.
    pub(crate) fn saw(&self, text: &str) -> bool {
        let passed = self.passed.lock().unwrap();
        passed.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

fn refuse(mut peer: Peer, status: u16) {
    peer.write(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    peer.hang();
}

fn serve(mut peer: Peer, request: &str, [secret, plain]: [SocketAddr; 2], seen: impl FnMut(&[u8])) {
    match request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) {
        Some(authority) => {
            let target = if authority.ends_with(":443") { secret } else { plain };
            peer.write("HTTP/1.1 200 Connection established\r\n\r\n");
            peer.tunnel(target, seen);
        }
        // The sandbox understands the whole URL that stands in such a request.
        None => peer.hand_on(request, plain, seen),
    }
}
