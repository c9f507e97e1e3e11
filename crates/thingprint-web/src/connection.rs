use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::options::WebLimits;

/// Bytes that are read for one request: its head and a body of the greatest length.
const MOST_READ_BYTES: usize = 64 * 1024;
/// Pause after the system gave no connection, for want of file descriptors as a rule.
const PAUSE: Duration = Duration::from_millis(500);

/// Accepts so many connections at a time as are allowed; those beyond wait in the system's queue.
#[derive(Debug)]
pub(crate) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    limits: WebLimits,
}

impl Connections {
    pub(crate) fn new(listener: TcpListener, limits: WebLimits) -> Self {
        let permits = Arc::new(Semaphore::new(limits.connections));
        Self { listener, permits, limits }
    }

    async fn next(&self) -> io::Result<(Connection, SocketAddr)> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, address) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((Connection::new(stream, permit, &self.limits), address))
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.next().await {
                Ok(connection) => return connection,
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Whether the next connection may well be had at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}

/// A connection that ends when its client takes too long or sends too much, whichever way.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    budget: Budget,
    timer: Pin<Box<Sleep>>,
    /// Since the client does not take what it is sent.
    stalled: Option<Pin<Box<Sleep>>>,
    stall: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit, limits: &WebLimits) -> Self {
        let budget = Budget::new(limits.head);
        let timer = Box::pin(sleep(limits.head));
        Self { stream, budget, timer, stalled: None, stall: limits.stall, _permit: permit }
    }

    /// Fails when the time for what is under way is over.
    fn check_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some(until) = self.budget.lock().until else { return Ok(()) };
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        match self.timer.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Passes on what writing gave, and fails when the client takes nothing for too long.
    fn check_stall<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_time(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let count = buffer.filled().len().saturating_sub(before);
        self.budget.take(count)?;
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_time(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_stall(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_time(context)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.check_stall(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a connection may still take; the guard of requests gives it anew for each.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Mutex<Remaining>>);

#[derive(Debug)]
struct Remaining {
    /// When the connection ends; `None` while a stream of updates goes on.
    until: Option<Instant>,
    read_bytes: usize,
}

impl Budget {
    fn new(time: Duration) -> Self {
        Self(Arc::new(Mutex::new(Remaining { until: Some(Instant::now() + time), read_bytes: 0 })))
    }

    /// So much time from now on, and as many bytes as a request takes.
    pub(crate) fn renew(&self, time: Duration) {
        *self.lock() = Remaining { until: Some(Instant::now() + time), read_bytes: 0 };
    }

    /// No end of time: what is sent goes on.
    pub(crate) fn endless(&self) {
        self.lock().until = None;
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let mut remaining = self.lock();
        remaining.read_bytes = remaining.read_bytes.saturating_add(bytes);
        if remaining.read_bytes > MOST_READ_BYTES { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remaining> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Connections>> for Budget {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().budget.clone()
    }
}
