use thingprint_flow::DeviceId;
use thingprint_watch::{Health, Records, RecordsError, Request, RequestError, Trained};

use crate::why::Why;

/// Where the page has its data from, and where requests go.
///
/// All of it is called on threads that may wait, several at a time.
pub trait Backend: Send + Sync + 'static {
    /// Access to what is kept, for one request.
    fn records(&self) -> Result<Box<dyn Records>, RecordsError>;

    /// How the reading goes. Every view asks for it, so that it should not wait.
    fn health(&self) -> Health;

    /// Carries out what a person asked for. Training gives a model beside the present one and may take minutes; at most
    /// one is under way.
    fn request(&self, request: Request) -> Result<Option<Trained>, RequestError>;

    /// What speaks for the class of a device and what against it; `None` where there is no model or no window.
    fn explain(&self, device: DeviceId) -> Result<Option<Why>, RecordsError>;

    /// The text of `/metrics`, in the format of Prometheus.
    fn metrics(&self) -> String;
}
