//! What is asked of `JetStream`: <https://docs.nats.io/reference/reference-protocols/nats_api_reference>.

use std::time::Duration;

use serde_json::{Value, json};

use super::connection::Connection;
use super::reader::Received;
use super::{Server, subject};
use crate::error::TapsError;
use crate::name::Name;

/// Time for a question about streams and consumers.
pub(super) const ASK: Duration = Duration::from_secs(5);
/// The stream that is made where none takes the subjects of parts.
const STREAM: &str = "THINGPRINT_PARTS";
/// How long a message waits for its acknowledgement, in nanoseconds; then it is delivered again.
const ACK_WAIT_NS: u64 = 10_000_000_000;
/// How long the server knows the ids of messages, in nanoseconds.
const DUPLICATES_NS: u64 = 120_000_000_000;

/// The stream that takes the parts of a network; it is made where there is none.
pub(super) fn stream_of(
    connection: &mut Connection,
    server: &Server,
    network: &Name,
) -> Result<String, TapsError> {
    let question = json!({ "subject": subject(network, "*") });
    let answer = ask(connection, server, "STREAM.NAMES", &question)?;
    if let Some(name) = answer.pointer("/streams/0").and_then(Value::as_str) {
        return Ok(name.to_owned());
    }
    // Each part is for one collector: what it acknowledged leaves the stream. A full stream refuses parts, which wait then.
    let config = json!({
        "name": STREAM, "subjects": ["thingprint.parts.>"], "retention": "workqueue", "storage": "file",
        "discard": "new", "duplicate_window": DUPLICATES_NS,
    });
    ask(connection, server, &format!("STREAM.CREATE.{STREAM}"), &config)?;
    Ok(STREAM.to_owned())
}

/// The consumer of a network, which goes on where it was; it is made where there is none.
///
/// One message is on its way at a time, so that the parcels of a tap stay in their order whatever is delivered again.
pub(super) fn consumer_of(
    connection: &mut Connection,
    server: &Server,
    (stream, network): (&str, &Name),
) -> Result<String, TapsError> {
    let name = format!("collect-{network}");
    let config = json!({
        "stream_name": stream,
        "config": {
            "durable_name": name, "deliver_policy": "all", "ack_policy": "explicit", "ack_wait": ACK_WAIT_NS,
            "max_ack_pending": 1, "max_deliver": -1, "filter_subject": subject(network, "*"),
            "replay_policy": "instant",
        },
    });
    ask(connection, server, &format!("CONSUMER.DURABLE.CREATE.{stream}.{name}"), &config)?;
    Ok(name)
}

/// Messages of a consumer that wait, and those that were delivered and not acknowledged.
pub(super) fn outstanding(
    connection: &mut Connection,
    server: &Server,
    (stream, consumer): (&str, &str),
) -> Result<u64, TapsError> {
    let info = ask(connection, server, &format!("CONSUMER.INFO.{stream}.{consumer}"), &json!({}))?;
    let count = |name: &str| info.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(count("num_pending") + count("num_ack_pending"))
}

fn ask(
    connection: &mut Connection,
    server: &Server,
    what: &str,
    question: &Value,
) -> Result<Value, TapsError> {
    let payload = question.to_string();
    let answer = connection.ask(&format!("$JS.API.{what}"), (&[], payload.as_bytes()), ASK)?;
    answer_of(server, answer)
}

/// What `JetStream` answered, or why it did not do what was asked.
pub(super) fn answer_of(server: &Server, answer: Option<Received>) -> Result<Value, TapsError> {
    let answer = answer.ok_or_else(|| server.unreachable("the server does not answer"))?;
    if answer.status() == Some(503) {
        return Err(
            server.unreachable("no stream takes the parts, or JetStream is not enabled for this account")
        );
    }
    let value: Value = serde_json::from_slice(&answer.payload)
        .map_err(|error| server.unreachable(format!("the answer is no JSON: {error}")))?;
    match value.get("error") {
        None => Ok(value),
        Some(error) => {
            let text = error.get("description").and_then(Value::as_str).unwrap_or("no reason was given");
            Err(server.unreachable(format!("JetStream refuses: {text}")))
        }
    }
}
