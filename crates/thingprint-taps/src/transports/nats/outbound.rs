use std::time::{Duration, Instant};

use super::connection::Connection;
use super::jetstream::{ASK, answer_of, stream_of};
use super::{Server, subject};
use crate::error::TapsError;
use crate::transports::{Outbound, Outgoing};

/// A connection that was not used for so long is opened anew: the server may have given it up.
const IDLE: Duration = Duration::from_secs(30);

/// The end of a tap at a server.
#[derive(Debug)]
pub(super) struct NatsOutbound {
    server: Server,
    connection: Option<Connection>,
}

impl NatsOutbound {
    pub(super) const fn new(server: Server) -> Self {
        Self { server, connection: None }
    }

    fn connect(&self, parcel: &Outgoing<'_>) -> Result<Connection, TapsError> {
        let mut connection = Connection::open(&self.server, ASK)?;
        stream_of(&mut connection, &self.server, parcel.network)?;
        Ok(connection)
    }

    fn try_send(
        &self,
        connection: &mut Connection,
        parcel: &Outgoing<'_>,
        end: Instant,
    ) -> Result<(), TapsError> {
        let subject = subject(parcel.network, parcel.tap.as_str());
        let size = connection.most_piece_bytes().max(1);
        let pieces = parcel.bytes.len().div_ceil(size).max(1);
        for (number, piece) in parcel.bytes.chunks(size).enumerate() {
            let id = format!("{}/{}/{number}", parcel.tap, parcel.name);
            let place = format!("{number}/{pieces}");
            let headers = [
                ("Nats-Msg-Id", id.as_str()),
                ("Thingprint-Piece", place.as_str()),
                ("Thingprint-Parcel", parcel.name),
            ];
            let limit = end.saturating_duration_since(Instant::now()).clamp(Duration::from_secs(1), ASK);
            let answer = connection.ask(&subject, (&headers, piece), limit)?;
            answer_of(&self.server, answer)?;
        }
        Ok(())
    }
}

impl Outbound for NatsOutbound {
    fn send(&mut self, parcel: &Outgoing<'_>, limit: Duration) -> Result<(), TapsError> {
        let end = Instant::now() + limit;
        let known = self.connection.take().filter(|connection| connection.idle() < IDLE);
        let mut connection = known.map_or_else(|| self.connect(parcel), Ok)?;
        // One that failed is not used again.
        self.try_send(&mut connection, parcel, end)?;
        self.connection = Some(connection);
        Ok(())
    }
}
