/// What a pipeline hands out while it reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<R> {
    /// Rows that are final, in order.
    Rows(Vec<R>),
    /// The gateways were not those that the first frames pointed at: everything is read again, and what came so far
    /// does not count.
    Restart,
}
