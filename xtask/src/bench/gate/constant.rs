//! What the gate is compared with: the same TLS and HTTP, a question that is read to its end, and
//! an answer that is always the same.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use cleanbill::serve::config::Bounds;
use cleanbill::serve::tls::Material;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::Result;

/// Serves the answer that is in `folder`, with the certificates there, until it is ended.
///
/// # Errors
/// When something cannot be read, or the port cannot be had.
pub fn serve(folder: &Path, port: u16) -> Result<()> {
    let name = vec!["kube-apiserver".to_owned()];
    let file = |name: &str| folder.join(name);
    let tls = Material::read(&file("server.crt"), &file("server.key"), &file("ca.crt"), name)?;
    let acceptor = TlsAcceptor::from(Arc::new(tls.config()?));
    let answer = Bytes::from(std::fs::read(file("answer.json"))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let each = move |request| say(request, answer.clone());
                let builder = builder();
                // A client that hangs up has ended its measurement.
                _ = builder.serve_connection(TokioIo::new(stream), service_fn(each)).await;
            });
        }
    })
}

async fn say(
    request: Request<Incoming>,
    answer: Bytes,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// As the gate's.
fn builder() -> auto::Builder<TokioExecutor> {
    let bounds = Bounds::default();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_time)
        .max_headers(bounds.headers)
        .max_buf_size(bounds.header_bytes);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(bounds.streams);
    builder
}
