//! A relay between a client and a started sandbox. It injects the scenario's faults.

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
            // The sandbox gets the request and responds. The relay withholds the last byte, or all
            // bytes.
            Some((_, Fault::Fails(TransportErrorKind::Cut, _))) => {
                let response = forward(upstream, request);
                response[..response.len() - 1].to_vec()
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

/// Forwards the request with `connection: close`, so that the end of the response is the end of the
/// stream.
fn forward(upstream: SocketAddr, request: &[u8]) -> Vec<u8> {
    let first_line = request.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    let mut stream = TcpStream::connect(upstream).unwrap();
    let whole = [&request[..first_line], b"connection: close\r\n", &request[first_line..]].concat();
    stream.write_all(&whole).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    response
}
