//! TLS: the handshake with its timeout, and a certificate created at the start.

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

/// How long a client may take from connecting to the end of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The first byte of every TLS connection: the record type of a handshake.
const HANDSHAKE_RECORD: u8 = 22;

/// Performs TLS handshakes with the server's certificate.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Creates an acceptor with a new certificate, and returns the certificate of its authority in PEM.
    ///
    /// The certificate is valid for the address, for this machine and for the service's host names, at all of the
    /// given moments.
    pub(crate) fn new(address: IpAddr, moments: &[UnixMillis]) -> io::Result<(Self, String)> {
        let created = certificate::create(address, moments).map_err(io::Error::other)?;
        // Names the crypto provider, since the process may have installed none or a different one.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(created.chain, created.key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Self(TlsAcceptor::from(Arc::new(config))), created.authority))
    }

    /// Performs the handshake. A client that does not start one gets a plain stream.
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
        timeout(HANDSHAKE_TIMEOUT, opened).await?
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_handshake_times_out_after_ten_seconds() {
        let (acceptor, _) = Acceptor::new(Ipv4Addr::LOCALHOST.into(), &[]).expect("a certificate");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        for sent in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
            let mut client = TcpStream::connect(address).await.expect("the server listens");
            client.write_all(sent).await.expect("the bytes are buffered");
            let (tcp, _) = listener.accept().await.expect("a client");
            let start = Instant::now();
            let error = acceptor.open(tcp).await.err().expect("no handshake");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{sent:?}");
            assert_eq!(start.elapsed().as_secs(), 10, "{sent:?}");
        }
    }
}
