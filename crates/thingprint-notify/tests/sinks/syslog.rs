use std::io::Read;
use std::net::{TcpListener, UdpSocket};

use thingprint_notify::NotifyOptions;

use crate::{PATIENCE, event, events, fast, start};

fn options() -> NotifyOptions {
    NotifyOptions { host_name: Some("attic".to_owned()), ..fast() }
}

/// An event whose texts try to be further messages.
fn hostile() -> thingprint_watch::Event {
    let text = "x\n27 <0>1 - forged - - - - x".to_owned();
    let subject = "\"] forged\n<0>1 - forged - - - - x".to_owned();
    thingprint_watch::Event { text, subject, ..event(1) }
}

#[test]
fn a_datagram_is_a_message() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let notifier = start(&format!("syslog://{}", socket.local_addr().unwrap()), options());
    let mut long = event(2);
    long.text = "y".repeat(10_000);
    notifier.send(&[hostile(), long]);
    let receive = || {
        let mut bytes = vec![0; 65_535];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let first = receive();
    assert!(first.starts_with("<28>1 2023-11-14T22:13:20Z attic thingprint "), "{first}");
    assert!(first.contains(" new-device [thingprint@32473 id=\"1\" severity=\"warning\" device="), "{first}");
    assert!(!first.contains('\n') && first.contains("\\\"\\] forged\\\\n<0>1"), "{first}");
    let second = receive();
    assert_eq!(second.len(), 2048);
    assert!(second.contains(" cut=\"1\"]"), "{second}");
}

#[test]
fn a_stream_has_the_length_before_each_message() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let notifier = start(&format!("syslog+tcp://{}", listener.local_addr().unwrap()), options());
    notifier.send(&[hostile(), event(2)]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut read = || {
        let mut length = Vec::new();
        let mut byte = [0];
        while byte != *b" " {
            length.extend(byte.iter().filter(|byte| **byte != 0));
            stream.read_exact(&mut byte).unwrap();
        }
        let length: usize = String::from_utf8(length).unwrap().parse().unwrap();
        let mut message = vec![0; length];
        stream.read_exact(&mut message).unwrap();
        String::from_utf8(message).unwrap()
    };
    let messages = [read(), read()];
    assert!(messages.iter().all(|message| message.starts_with("<28>1 ") && !message.contains('\n')));
    assert!(messages[1].contains(" id=\"2\" "), "{messages:?}");
}

#[test]
fn a_stream_that_was_closed_is_opened_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let notifier = start(&format!("syslog+tcp://{}", listener.local_addr().unwrap()), options());
    notifier.send(&events(1..=1));
    let (stream, _) = listener.accept().unwrap();
    assert!(notifier.flush(PATIENCE));
    drop(stream);
    notifier.send(&events(2..=2));
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(notifier.flush(PATIENCE));
    drop(notifier.stop(PATIENCE));
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains(" id=\"2\" ") && !text.contains(" id=\"1\" "), "{text}");
}

#[cfg(unix)]
#[test]
fn a_socket_of_this_machine_gets_messages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let notifier = start(&format!("syslog:{}", path.display()), options());
    notifier.send(&events(1..=1));
    crate::wait_until("a failure", || notifier.health()[0].problem.is_some());
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = [0; 8192];
    let length = socket.recv(&mut bytes).unwrap();
    assert!(bytes[..length].starts_with(b"<28>1 "));
}
