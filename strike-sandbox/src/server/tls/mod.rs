//! HTTPS: the handshake, held to a time limit, and a certificate made for one run.

mod certificate;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use strike_core::UnixMillis;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::stream::Stream;

/// How long a client may take from the connection to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The first byte of every TLS connection: a record with a part of the handshake.
const HANDSHAKE_RECORD: u8 = 22;

/// Takes connections into TLS, with one certificate.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// An acceptor with a certificate of its own, and in PEM the authority that a client must trust.
    ///
    /// The certificate is good for the address, on this machine, and for the service's names, at all of these
    /// moments.
    pub(crate) fn new(address: IpAddr, moments: &[UnixMillis]) -> io::Result<(Self, String)> {
        let made = certificate::make(address, moments).map_err(io::Error::other)?;
        // The provider is named, since a process may have installed none, or another.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(made.chain, made.key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Self(TlsAcceptor::from(Arc::new(config))), made.authority))
    }

    /// Shakes hands, unless the client speaks plain HTTP.
    pub(super) async fn open(&self, tcp: TcpStream) -> io::Result<Stream> {
        let opened = async {
            let mut first = [0];
            if tcp.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first != [HANDSHAKE_RECORD] {
                return Ok(Stream::Plain(tcp));
            }
            Ok(Stream::Tls(Box::new(self.0.accept(tcp).await?)))
        };
        timeout(HANDSHAKE, opened).await?
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    /// The clock is paused and jumps to the next timer, so the test does not wait.
    #[tokio::test(start_paused = true)]
    async fn tls_handshake_times_out_after_ten_seconds() {
        let (acceptor, _) = Acceptor::new(Ipv4Addr::LOCALHOST.into(), &[]).expect("a certificate");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a local address");
        for sent in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
            let mut client = TcpStream::connect(address).await.expect("the server is listening");
            client.write_all(sent).await.expect("the bytes can be sent");
            let (tcp, _) = listener.accept().await.expect("a TLS client");
            let began = Instant::now();
            let error = acceptor.open(tcp).await.err().expect("a failed handshake");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{sent:?}");
            assert_eq!(began.elapsed().as_secs(), 10, "{sent:?}");
        }
    }
}
