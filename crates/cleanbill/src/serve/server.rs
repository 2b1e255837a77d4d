//! The listener: connections, handshakes and HTTP within bounds, and an orderly end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, Waker};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::config::Bounds;
use super::gate::Gate;
use super::live::Live;
use crate::failure::{Failure, Result};

/// A listener that runs.
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Running {
    /// Where it listens; useful when port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, lets what is under way finish, and returns when it has.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It panicked or it ended: in both cases it runs no more.
        _ = self.ended.await;
    }
}

/// Binds a port.
///
/// # Errors
/// When the address cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| {
        Failure::new(format!("cannot listen on {address}: {e}"))
            .next("choose another address or port in cleanbill.yaml")
    })
}

/// Serves the gate on `listener` until told to stop.
///
/// # Errors
/// When the listener has no address any more.
pub fn serve(
    listener: TcpListener,
    tls: Arc<Live<ServerConfig>>,
    gate: Arc<Gate>,
    bounds: Bounds,
) -> Result<Running> {
    run(listener, bounds, move |stream, stop| {
        // Taken for each connection: those that are open go on with what they began with.
        let (acceptor, gate) = (TlsAcceptor::from(tls.get()), gate.clone());
        async move {
            let handshake = tokio::time::timeout(bounds.handshake_time, acceptor.accept(stream));
            match handshake.await {
                Ok(Ok(stream)) => {
                    http(stream, bounds, stop, move |request| gate.clone().handle(request)).await;
                }
                Ok(Err(e)) => {
                    gate.metrics().handshakes_refused.fetch_add(1, Relaxed);
                    tracing::warn!(error = %e, "a handshake was refused or failed");
                }
                Err(_) => {
                    gate.metrics().handshakes_refused.fetch_add(1, Relaxed);
                    tracing::warn!("a handshake took too long");
                }
            }
        }
    })
}

/// HTTP/1.1 and HTTP/2 within the bounds.
fn builder(bounds: Bounds) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_time)
        .max_headers(bounds.headers)
        .max_buf_size(bounds.header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(u32::try_from(bounds.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// Serves HTTP on one connection to its end, or, when told to stop, to the end of what is under
/// way.
pub(super) async fn http<S, H, W>(
    stream: S,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
    handle: H,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> W + Send + 'static,
    W: Future<Output = std::result::Result<Response<Full<Bytes>>, Infallible>> + Send + 'static,
{
    let builder = builder(bounds);
    let connection = builder.serve_connection(TokioIo::new(stream), service_fn(handle));
    tokio::pin!(connection);
    let told = stop.clone();
    let mut stop = std::pin::pin!(stop.wait_for(|stop| *stop));
    let mut asked: Option<Waker> = None;
    let ended = poll_fn(|context| {
        // Errors here are peers that hang up or break the rules; hyper has told them.
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        // To wait for the end costs a lock: not with every answer, but once for each waker.
        let waits = asked.as_ref().is_some_and(|asked| asked.will_wake(context.waker()));
        if waits && told.has_changed().is_ok_and(|changed| !changed) {
            return Poll::Pending;
        }
        asked = Some(context.waker().clone());
        stop.as_mut().poll(context).map(|_| false)
    });
    if ended.await {
        return;
    }
    connection.as_mut().graceful_shutdown();
    _ = connection.await;
}

/// Accepts until told to stop, each connection on a task of its own, at most so many at a time.
pub(super) fn run<F, W>(listener: TcpListener, bounds: Bounds, each: F) -> Result<Running>
where
    F: Fn(TcpStream, watch::Receiver<bool>) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let address = listener
        .local_addr()
        .map_err(|e| Failure::new(format!("the listener has no address: {e}")))?;
    let (stop, stopped) = watch::channel(false);
    let ended = tokio::spawn(accept(listener, bounds, stopped, each));
    Ok(Running { address, stop, ended })
}

async fn accept<F, W>(
    listener: TcpListener,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
    each: F,
) where
    F: Fn(TcpStream, watch::Receiver<bool>) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(bounds.connections));
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    loop {
        // Taken before accepting: past the limit, peers wait in the kernel's queue.
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                _ = stream.set_nodelay(true);
                let served = each(stream, stopped.clone());
                tokio::spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
            Err(e) => {
                // Out of descriptors, most likely: give others the time to close some.
                tracing::warn!(error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // All slots are free when the last connection has ended.
    if tokio::time::timeout(bounds.shutdown_time, slots.acquire_many(all)).await.is_err() {
        tracing::warn!("connections were still open at the end of the time to stop");
    }
}
