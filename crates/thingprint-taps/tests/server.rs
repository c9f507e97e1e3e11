//! A server of NATS between the two ends. The test says that it skips where there is none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thingprint_taps::{Inbox, Name, Outgoing, TransportOptions, TransportSpec};

/// How long a server has to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that is killed with the test; its streams stay on disk.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server whose messages have at most 4 KiB.
fn start(folder: &Path, port: u16) -> Option<Server> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
    let program =
        folders.iter().map(|folder| Path::new(folder).join("nats-server")).find(|path| path.exists());
    let Some(program) = program else {
        let _ = writeln!(std::io::stderr(), "skipped: no nats-server; apt-get install nats-server");
        return None;
    };
    let config = folder.join("server.conf");
    let store = folder.join("streams");
    let text = format!(
        "host: 127.0.0.1\nport: {port}\nmax_payload: 4096\njetstream {{ store_dir: \"{}\" }}\n",
        store.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    let child = command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server(child);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "the server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(server)
}

/// The next parcel, asked for again while the server comes back and while what was not acknowledged waits to come again.
fn next(inbox: &mut dyn Inbox) -> Vec<u8> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Ok(Some(arrival)) = inbox.next(Duration::from_millis(500)) {
            return arrival.bytes;
        }
        assert!(Instant::now() < end, "nothing comes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn parcels_come_once_and_in_order_through_a_server_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(server) = start(folder.path(), port) else { return };
    let spec = TransportSpec::parse(&format!("nats://127.0.0.1:{port}")).unwrap();
    let options = TransportOptions { pieces: folder.path().join("pieces"), ..TransportOptions::default() };
    let [network, attic, other]: [Name; 3] = ["home", "attic", "campus"].map(|name| name.parse().unwrap());
    // Of one message, of four, of two.
    let parcels: Vec<Vec<u8>> =
        [(1_u8, 100), (2, 10_000), (3, 5_000)].map(|(byte, length)| vec![byte; length]).into();
    let mut outbound = spec.outbound(&options).unwrap();
    let limit = Duration::from_secs(10);
    for (number, bytes) in parcels.iter().enumerate() {
        let name = format!("{number}.parcel");
        let parcel = Outgoing { network: &network, tap: &attic, name: &name, bytes };
        outbound.send(&parcel, limit).unwrap();
        // Sent again, as by a tap that was killed before it knew.
        outbound.send(&parcel, limit).unwrap();
    }
    let parcel = Outgoing { network: &other, tap: &attic, name: "x.parcel", bytes: b"of another network" };
    outbound.send(&parcel, limit).unwrap();
    let mut inbox = spec.inbox(&network, &options).unwrap();
    assert_eq!(next(&mut *inbox), parcels[0]);
    assert!(!inbox.is_drained().unwrap());
    inbox.acknowledge().unwrap();
    assert_eq!(next(&mut *inbox), parcels[1]);
    // Killed before the acknowledgement; and the collector with it.
    drop(server);
    assert!(inbox.acknowledge().is_err());
    assert!(outbound.send(&parcel, limit).is_err());
    drop(inbox);
    let server = start(folder.path(), port).unwrap();
    let mut inbox = spec.inbox(&network, &options).unwrap();
    // What was acknowledged just before the kill may come again as well, and is known by its content.
    let mut came = Vec::new();
    while came.last() != Some(&parcels[2]) {
        came.push(next(&mut *inbox));
        inbox.acknowledge().unwrap();
    }
    came.retain(|bytes| *bytes != parcels[0]);
    assert!(came == parcels[1..], "{:?}", came.iter().map(Vec::len).collect::<Vec<_>>());
    assert!(inbox.next(Duration::from_millis(200)).unwrap().is_none());
    assert!(inbox.is_drained().unwrap());
    assert_eq!(fs::read_dir(&options.pieces).unwrap().count(), 0, "no piece is left");
    outbound.send(&parcel, limit).unwrap();
    drop(server);
}
