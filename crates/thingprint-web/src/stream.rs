//! Live updates as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::problem::Problem;
use crate::site::Site;
use crate::update::Message;

/// Answers with a stream of updates, or says that there are too many of them.
pub(crate) async fn updates(State(site): State<Arc<Site>>) -> Response {
    let Ok(permit) = Arc::clone(&site.streams).try_acquire_owned() else {
        let most = site.options.limits.streams;
        let text = format!(
            "{most} clients follow the updates already, which is the limit. Close a page, or load this one by hand."
        );
        return Problem::busy(&text).json();
    };
    let alive = KeepAlive::new().interval(site.options.limits.keep_alive);
    Sse::new(Updates::new(site.updates.subscribe(), permit)).keep_alive(alive).into_response()
}

/// What a client is told. One that lags loses the oldest messages, and is told to load its view again.
struct Updates {
    next: Pin<Box<dyn Future<Output = Next> + Send>>,
    _permit: OwnedSemaphorePermit,
}

/// A message, with the receiver that waits for the next one.
type Next = (Result<Message, RecvError>, Receiver<Message>);

impl Updates {
    fn new(receiver: Receiver<Message>, permit: OwnedSemaphorePermit) -> Self {
        Self { next: Box::pin(next(receiver)), _permit: permit }
    }
}

impl Stream for Updates {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready((result, receiver)) = self.next.as_mut().poll(context) else { return Poll::Pending };
        self.next = Box::pin(next(receiver));
        let message = match result {
            Ok(message) => message,
            Err(RecvError::Lagged(_)) => Message::resync(),
            Err(RecvError::Closed) => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Event::default().event(message.event).data(&message.data))))
    }
}

async fn next(mut receiver: Receiver<Message>) -> Next {
    (receiver.recv().await, receiver)
}
