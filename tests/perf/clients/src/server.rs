//! A loopback server that sends the same charge in response to every request, over keep-alive
//! HTTP/1.1, plain and with TLS. It runs in a process of its own, so its work is not counted.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use strike_core::machine::Operation as _;
use strike_core::{Create, NewCharge};
use strike_sandbox::Sandbox;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The last line of a certificate in PEM.
const END: &str = "-----END CERTIFICATE-----";

/// Where a server listens.
#[derive(Debug, Clone)]
pub struct Address {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    /// The certificate authority of the TLS port.
    pub authority: String,
}

/// A running server. Dropping it ends its process.
pub struct Server {
    process: Child,
    pub address: Address,
}

/// Returns the order that the server responds to.
#[must_use]
pub fn order() -> NewCharge {
    NewCharge::satoshis(4200, "a pot of tea")
}

impl Server {
    /// Starts the program `loopback_server`.
    #[must_use]
    pub fn start() -> Self {
        let program = std::env::current_exe().unwrap().with_file_name("loopback_server");
        let mut process = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let (plain, tls) = (lines.next().unwrap(), lines.next().unwrap());
        let certificate: Vec<_> = lines.take_while(|line| line != END).collect();
        let authority = format!("{}\n{END}\n", certificate.join("\n"));
        let address = Address { plain: plain.parse().unwrap(), tls: tls.parse().unwrap(), authority };
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Prints both addresses and the certificate authority. Serves until the standard input ends.
pub fn run() {
    std::thread::spawn(|| {
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response: Arc<[u8]> = response().into();
        let (authority, config) = tls();
        let [plain, tls] = [listen().await, listen().await];
        let addresses = [plain.local_addr().unwrap(), tls.local_addr().unwrap()];
        print!("{}\n{}\n{authority}", addresses[0], addresses[1]);
        io::stdout().flush().unwrap();
        tokio::spawn(accept_tls(tls, response.clone(), TlsAcceptor::from(config)));
        loop {
            let (stream, response) = (next(&plain).await, response.clone());
            tokio::spawn(async move { serve(stream, &response).await });
        }
    });
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn next(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn accept_tls(listener: TcpListener, response: Arc<[u8]>, acceptor: TlsAcceptor) {
    loop {
        let (stream, response) = (acceptor.accept(next(&listener).await), response.clone());
        tokio::spawn(async move {
            let stream = stream.await?;
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => serve_http2(stream, &response).await.map_err(io::Error::other),
                _ => serve(stream, &response).await,
            }
        });
    }
}

/// Sends the response once for each stream of the connection.
async fn serve_http2(stream: TlsStream<TcpStream>, response: &[u8]) -> Result<(), h2::Error> {
    let head = length(response).unwrap() - body_length(response);
    let body = bytes::Bytes::copy_from_slice(&response[head..]);
    let mut connection = h2::server::Builder::new().max_concurrent_streams(2_000).handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        let head = http::Response::builder().header("content-type", "application/json");
        let head = head.header("content-length", body.len()).body(()).unwrap();
        let body = body.clone();
        tokio::spawn(async move {
            let mut incoming = request.into_body();
            while let Some(data) = incoming.data().await {
                data?;
            }
            respond.send_response(head, false)?.send_data(body, true)
        });
    }
    Ok(())
}

/// Sends the response once for each request of the connection.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &[u8]) -> io::Result<()> {
    let mut requests = Vec::with_capacity(8192);
    loop {
        while let Some(length) = length(&requests) {
            requests.drain(..length);
            stream.write_all(response).await?;
        }
        if stream.read_buf(&mut requests).await? == 0 {
            return Ok(());
        }
    }
}

/// Returns the length of the first message, if it is complete.
fn length(messages: &[u8]) -> Option<usize> {
    let head = messages.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let length = head + body_length(&messages[..head]);
    (messages.len() >= length).then_some(length)
}

/// Returns the value of `Content-Length`, or 0.
fn body_length(head: &[u8]) -> usize {
    const FIELD: &[u8] = b"content-length:";
    let Some(field) = head.windows(FIELD.len()).position(|name| name.eq_ignore_ascii_case(FIELD)) else {
        return 0;
    };
    let value = head[field + FIELD.len()..].trim_ascii_start();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// Returns a response with a new charge of [`order`].
fn response() -> Vec<u8> {
    let sandbox = Sandbox::new();
    let request = Create::new(order()).request(&sandbox.endpoint().unwrap()).unwrap();
    let response = sandbox.respond(&request);
    let date = response.headers()["date"].to_str().unwrap();
    let length = response.body().len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n"
    );
    [head.as_bytes(), response.body()].concat()
}

/// Returns a certificate authority in PEM, and the configuration of a server with its certificate.
fn tls() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem().replace("\r\n", "\n");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_string()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (authority, Arc::new(config))
}
