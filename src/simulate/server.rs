//! One vendor on one loopback port: plain HTTP or TLS, keep-alive, paths with and without a trailing slash, faults, and the
//! control paths for tests:
//! - `GET /__sim/faults`, `PUT /__sim/faults` (body: the text of `--faults`);
//! - `GET /__sim/journal`: the accepted writes as JSON, `[{"at", "what"}]`;
//! - `GET /__sim/requests`: how many requests came, by method and kind of path;
//! - `POST /__sim/expire`: makes all access tokens invalid.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::{Listener, ListenerExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Vendor;
use super::faults::{self, FaultHandle};
use super::journal::Journal;

/// The largest request body that is taken: Gainsight's bulk timeline call allows 80 MB.
const BODY_LIMIT: usize = 80 * 1024 * 1024;

/// Everything in front of the vendor.
pub(super) fn app(vendor: &Arc<dyn Vendor>, faults: &FaultHandle, journal: &Journal) -> Router {
    let inside = Router::new()
        .fallback_service(
            vendor
                .clone()
                .router()
                .layer(DefaultBodyLimit::max(BODY_LIMIT)),
        )
        .layer(middleware::from_fn_with_state(
            (faults.clone(), vendor.clone()),
            faults::apply,
        ))
        .layer(middleware::from_fn(without_trailing_slash));
    let (read, set, asked) = (faults.clone(), faults.clone(), faults.clone());
    let (journal, tokens) = (journal.clone(), vendor.clone());
    Router::new()
        .route(
            "/__sim/faults",
            get(async move || read.get().to_string())
                .put(async move |text: String| set_faults(&set, &text)),
        )
        .route(
            "/__sim/journal",
            get(async move || axum::Json(journal.writes())),
        )
        .route(
            "/__sim/requests",
            get(async move || axum::Json(asked.requests())),
        )
        .route("/__sim/expire", post(async move || tokens.expire_tokens()))
        .fallback_service(inside)
}

fn set_faults(handle: &FaultHandle, text: &str) -> Response {
    match text.trim().parse() {
        Ok(faults) => {
            handle.set(faults);
            (StatusCode::OK, handle.get().to_string()).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Widely used clients ask for `/query/?q=` and `/limits/`, others without the slash; the vendors take both.
async fn without_trailing_slash(mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let trimmed = path.trim_end_matches('/');
        let target = match request.uri().query() {
            Some(query) => format!("{trimmed}?{query}"),
            None => trimmed.to_owned(),
        };
        if let Ok(uri) = target.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}

/// Serves until the task is aborted.
pub(super) fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Answers are small and clients wait for them: no delay to fill packets.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let ended = match tls {
            None => axum::serve(listener, app).await,
            Some(acceptor) => axum::serve(TlsListener::new(listener, acceptor), app).await,
        };
        if let Err(error) = ended {
            tracing::error!(%error, "a simulated vendor stopped serving");
        }
    })
}

/// Hands out connections whose handshake is done; a client that never finishes its own keeps nobody waiting.
struct TlsListener {
    address: io::Result<SocketAddr>,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    task: JoinHandle<()>,
}

impl TlsListener {
    fn new<L: Listener<Io = TcpStream, Addr = SocketAddr>>(
        mut listener: L,
        acceptor: TlsAcceptor,
    ) -> Self {
        let address = listener.local_addr();
        let (done, ready) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            loop {
                let (stream, from) = listener.accept().await;
                let (acceptor, done) = (acceptor.clone(), done.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = done.send((stream, from)).await;
                    }
                });
            }
        });
        TlsListener {
            address,
            ready,
            task,
        }
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

/// A certificate for localhost and 127.0.0.1, signed by an authority made for this run, whose own certificate is written to
/// `folder/simulator-ca.pem` for clients to trust.
///
/// # Errors
/// When the file cannot be written or the certificate cannot be made.
pub(super) fn tls(folder: &Path) -> io::Result<(TlsAcceptor, PathBuf)> {
    let make =
        || -> Result<(rustls::ServerConfig, String), Box<dyn std::error::Error + Send + Sync>> {
            let mut authority = rcgen::CertificateParams::new(Vec::new())?;
            authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            authority.key_usages = vec![
                rcgen::KeyUsagePurpose::KeyCertSign,
                rcgen::KeyUsagePurpose::CrlSign,
            ];
            authority
                .distinguished_name
                .push(rcgen::DnType::CommonName, "csops simulator");
            let authority_key = rcgen::KeyPair::generate()?;
            let authority_certificate = authority.self_signed(&authority_key)?;
            let issuer = rcgen::Issuer::new(authority, authority_key);
            let mut leaf = rcgen::CertificateParams::new(vec![
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
            ])?;
            leaf.distinguished_name
                .push(rcgen::DnType::CommonName, "localhost");
            leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
            leaf.use_authority_key_identifier_extension = true;
            let key = rcgen::KeyPair::generate()?;
            let certificate = leaf.signed_by(&key, &issuer)?;
            let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())?;
            // The provider is named, so that nobody has to install one first.
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], private)?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok((config, authority_certificate.pem()))
        };
    let (config, pem) = make().map_err(io::Error::other)?;
    let path = folder.join("simulator-ca.pem");
    std::fs::write(&path, pem)?;
    Ok((TlsAcceptor::from(Arc::new(config)), path))
}
