//! A server of NATS that lets in whoever has a JWT and signs with its key, as one of an operator with accounts does. The test
//! says that it skips where there is no server.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use thingprint_taps::{Name, Outgoing, TransportOptions, TransportSpec};

/// How long a server has to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that is killed with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A key with the letter that its name begins with.
struct Key {
    prefix: u8,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

const OPERATOR: u8 = 14 << 3;
const ACCOUNT: u8 = 0;
const USER: u8 = 20 << 3;

impl Key {
    fn new(prefix: u8, byte: u8) -> Self {
        let seed = [byte; 32];
        Self { prefix, seed, pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap() }
    }

    /// The name of the key: its kind, the public key, and a checksum.
    fn name(&self) -> String {
        written(&[&[self.prefix], self.pair.public_key().as_ref()].concat())
    }

    /// The seed as .creds files have it.
    fn seed(&self) -> String {
        written(&[&[(18 << 3) | (self.prefix >> 5), (self.prefix & 31) << 3], &self.seed[..]].concat())
    }

    /// A JWT of this key about another one.
    fn signed(&self, subject: &Self, name: &str, nats: &Value) -> String {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
        let claims = json!({
            "jti": name, "iat": 1_793_491_200, "iss": self.name(), "sub": subject.name(), "name": name, "nats": nats,
        });
        let text = format!("{head}.{}", encoded(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }
}

/// Bytes with a checksum in base32.
fn written(bytes: &[u8]) -> String {
    let crc = bytes.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 }
        })
    });
    let all = [bytes, &crc.to_le_bytes()].concat();
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".as_bytes();
    let bit = |at: usize| all.get(at / 8).map_or(0, |byte| usize::from((byte >> (7 - at % 8)) & 1));
    let letter = |at: usize| char::from(letters[(at..at + 5).fold(0, |value, at| (value << 1) | bit(at))]);
    let places = (0..all.len() * 8).step_by(5);
    places.map(letter).collect()
}

fn credentials(path: &Path, jwt: &str, key: &Key) {
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        key.seed()
    );
    fs::write(path, text).unwrap();
}

fn start(folder: &Path, port: u16, (operator, account): (&Key, &Key)) -> Option<Server> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
    let program =
        folders.iter().map(|folder| Path::new(folder).join("nats-server")).find(|path| path.exists());
    let Some(program) = program else {
        let _ = writeln!(std::io::stderr(), "skipped: no nats-server; apt-get install nats-server");
        return None;
    };
    let of_operator = operator.signed(operator, "campus", &json!({ "type": "operator", "version": 2 }));
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let of_account =
        operator.signed(account, "taps", &json!({ "limits": limits, "type": "account", "version": 2 }));
    // JetStream does not begin without an account of the server itself.
    let system = Key::new(ACCOUNT, 5);
    let of_system = operator.signed(
        &system,
        "system",
        &json!({ "limits": { "subs": -1, "conn": -1 }, "type": "account", "version": 2 }),
    );
    let jwt = folder.join("operator.jwt");
    fs::write(&jwt, of_operator).unwrap();
    let text = format!(
        "host: 127.0.0.1\nport: {port}\noperator: \"{}\"\nresolver: MEMORY\n\
         resolver_preload: {{ {}: \"{of_account}\", {}: \"{of_system}\" }}\nsystem_account: {}\njetstream {{ store_dir: \"{}\" }}\n",
        jwt.display(),
        account.name(),
        system.name(),
        system.name(),
        folder.join("streams").display()
    );
    let config = folder.join("server.conf");
    fs::write(&config, text).unwrap();
    let log = fs::File::create(folder.join("log")).unwrap();
    let child =
        Command::new(program).arg("-c").arg(&config).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let server = Server(child);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "no server: {}", fs::read_to_string(folder.join("log")).unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(server)
}

#[test]
fn who_signs_with_the_key_of_the_jwt_is_let_in_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (operator, account) = (Key::new(OPERATOR, 1), Key::new(ACCOUNT, 2));
    let (user, stranger) = (Key::new(USER, 3), Key::new(USER, 4));
    let Some(_server) = start(folder.path(), port, (&operator, &account)) else { return };
    let of_user =
        json!({ "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2 });
    let jwt = account.signed(&user, "attic", &of_user);
    let forged = stranger.signed(&stranger, "attic", &of_user);
    let path = |name: &str| folder.path().join(name);
    credentials(&path("good"), &jwt, &user);
    credentials(&path("other-key"), &jwt, &stranger);
    credentials(&path("forged"), &forged, &stranger);
    let spec = TransportSpec::parse(&format!("nats://127.0.0.1:{port}")).unwrap();
    let [network, attic]: [Name; 2] = ["home", "attic"].map(|name| name.parse().unwrap());
    let options = |credentials: Option<&str>| TransportOptions {
        credentials: credentials.map(path),
        pieces: path("pieces"),
        ..TransportOptions::default()
    };
    let send = |credentials: Option<&str>| {
        let parcel = Outgoing { network: &network, tap: &attic, name: "1.parcel", bytes: b"a part" };
        let mut outbound = spec.outbound(&options(credentials)).unwrap();
        outbound.send(&parcel, Duration::from_secs(10)).map_err(|error| error.to_string())
    };
    for credentials in [None, Some("other-key"), Some("forged")] {
        let error = send(credentials).unwrap_err();
        assert!(error.contains("Authorization Violation"), "{credentials:?}: {error}");
    }
    send(Some("good")).unwrap();
    let mut inbox = spec.inbox(&network, &options(Some("good"))).unwrap();
    assert_eq!(inbox.next(Duration::from_secs(10)).unwrap().unwrap().bytes, b"a part");
    inbox.acknowledge().unwrap();
}
