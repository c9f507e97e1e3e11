use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use thingprint_watch::Update;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::address::encoded;
use crate::backend::Backend;
use crate::connection::{Budget, Connections};
use crate::error::WebError;
use crate::options::WebOptions;
use crate::routes::routes;
use crate::site::{Site, WORKERS};
use crate::update::messages;

/// Time for requests under way when the page stops.
const STOP: Duration = Duration::from_secs(2);

/// The page, served until it is stopped or dropped.
pub struct Web {
    site: Arc<Site>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Listens, and serves in a thread of its own. Fails for an address that cannot be had or that strangers could
    /// reach, and says which and why.
    pub fn start(options: WebOptions, backend: Arc<dyn Backend>) -> Result<Self, WebError> {
        options.check()?;
        let listen = |source| WebError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let site = Arc::new(Site::new(backend, options, address.port()));
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(WORKERS)
            .thread_name("web-worker")
            .build()
            .map_err(WebError::Start)?;
        let (stop, stopped) = oneshot::channel();
        let own = Arc::clone(&site);
        let serve = move || run(runtime, listener, own, stopped);
        let thread =
            std::thread::Builder::new().name("web".to_owned()).spawn(serve).map_err(WebError::Start)?;
        Ok(Self { site, address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a person types into a browser, with the token where there is one.
    pub fn url(&self) -> String {
        let token = self.site.options.token.as_deref();
        let query = token.map(|token| format!("?token={}", encoded(token))).unwrap_or_default();
        let ip = self.address.ip();
        let host = match self.address {
            _ if ip.is_unspecified() => "localhost".to_owned(),
            SocketAddr::V4(_) => ip.to_string(),
            SocketAddr::V6(_) => format!("[{ip}]"),
        };
        format!("http://{host}:{}/{query}", self.address.port())
    }

    /// Passes updates on to whoever looks. It never waits: slow clients lose updates and load their view again.
    pub fn publish(&self, updates: &[Update]) {
        if self.site.updates.receiver_count() == 0 {
            return;
        }
        for message in messages(updates) {
            self.site.say(message);
        }
    }

    /// Stops serving. Requests under way have two seconds.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Serves until the other end of the channel is gone.
fn run(runtime: Runtime, listener: TcpListener, site: Arc<Site>, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        // It is in non-blocking mode, which is all that this asks for.
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let connections = Connections::new(listener, site.options.limits.clone());
        let service = routes(site).into_make_service_with_connect_info::<Budget>();
        let serving = tokio::spawn(async move { axum::serve(connections, service).await });
        let _ = stopped.await;
        serving.abort();
    });
    runtime.shutdown_timeout(STOP);
}
