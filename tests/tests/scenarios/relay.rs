//! A relay between a client and a started sandbox, which loses answers as the scenario says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use strike_core::TransportErrorKind;
use strike_tests::Loopback;

use crate::scenario::Fault;

pub fn to(upstream: SocketAddr, faults: Vec<(usize, Fault)>) -> Loopback {
    Loopback::serve(move |number, request| {
        let fault = faults.iter().find(|(which, _)| *which == number);
        Some(match fault {
            None => forward(upstream, request),
            // It arrives, and is answered; but the answer is lost, whole or but for its last byte.
            Some((_, Fault::Fails(TransportErrorKind::Cut, _))) => {
                let answer = forward(upstream, request);
                answer[..answer.len() - 1].to_vec()
            }
            Some((_, Fault::Fails(..))) => {
                let _lost = forward(upstream, request);
                Vec::new()
            }
            Some((_, Fault::Instead { status, header: (name, value), body })) => {
                let length = body.len();
                format!("HTTP/1.1 {status} Instead\r\n{name}: {value}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    .into_bytes()
            }
        })
    })
    .unwrap()
}

/// Sends the request on, asking that the connection be closed afterwards, so that the answer ends where the bytes do.
fn forward(upstream: SocketAddr, request: &[u8]) -> Vec<u8> {
    let first_line = request.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    let mut stream = TcpStream::connect(upstream).unwrap();
    let whole = [&request[..first_line], b"connection: close\r\n", &request[first_line..]].concat();
    stream.write_all(&whole).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
