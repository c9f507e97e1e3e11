//! Clients that are slow, many, or never read; networks that are large.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "measured times are for people")]

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use thingprint_web::{Web, WebLimits, WebOptions};

use client::{Stream, connect, get, raw, read_answer, start, start_with};
use fake::Fake;

mod client;
mod fake;

/// Short times, so that a test need not wait for what takes a minute.
fn hasty(limits: WebLimits) -> WebOptions {
    WebOptions { limits, ..WebOptions::default() }
}

fn short() -> WebLimits {
    let moment = Duration::from_millis(300);
    WebLimits { head: moment, request: moment, response: moment, stall: moment, ..WebLimits::default() }
}

/// How long the server leaves a connection open on which this is sent, byte after byte.
fn survives(web: &Web, bytes: &[u8], pause: Duration) -> Duration {
    let (mut stream, begin) = (connect(web), Instant::now());
    for byte in bytes {
        sleep(pause);
        if stream.write_all(&[*byte]).is_err() {
            return begin.elapsed();
        }
    }
    let _ = stream.read_to_end(&mut Vec::new());
    begin.elapsed()
}

#[test]
fn nobody_holds_a_connection_by_sending_slowly() {
    let web = start_with(hasty(short()), Fake::with_devices(3));
    let most = Duration::from_secs(5);
    let silent = survives(&web, b"", Duration::ZERO);
    assert!(silent < most && silent > Duration::from_millis(250), "{silent:?}");
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(1_000));
    let slow = survives(&web, endless.as_bytes(), Duration::from_millis(20));
    assert!(slow < most, "{slow:?}");
    // A body that never comes gets an answer, and the connection ends.
    let head = format!("POST /requests HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\n", web.address());
    let head = head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n";
    let begin = Instant::now();
    assert_eq!(raw(&web, &head).status, 503);
    assert!(begin.elapsed() < most);
    assert_eq!(get(&web, "/").status, 200);
}

#[test]
fn a_connection_that_stays_open_ends_after_a_while() {
    let web = start_with(hasty(short()), Fake::with_devices(3));
    let mut stream = connect(&web);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", web.address());
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).unwrap();
        sleep(Duration::from_millis(100));
    }
    let begin = Instant::now();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200").count(), 3);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_head_without_an_end_is_cut() {
    let web = start(Fake::with_devices(3));
    let (mut stream, begin) = (connect(&web), Instant::now());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
    // Somewhat more than a request may have; it is cut before the time for its head is over.
    let _ = stream.write_all(&vec![b'x'; 80 * 1024]);
    let _ = stream.read_to_end(&mut Vec::new());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(get(&web, "/").status, 200);
}

#[test]
fn two_hundred_clients_follow_and_the_next_is_refused_in_words() {
    let fake = Fake::with_devices(12);
    let web = start(fake.clone());
    let mut streams: Vec<Stream> = (0..200).map(|_| Stream::open(&web).unwrap()).collect();
    let refused = get(&web, "/api/v1/updates");
    assert_eq!(refused.status, 503);
    assert!(refused.json()["error"].as_str().unwrap().contains("200 clients follow the updates already"));
    let begin = Instant::now();
    web.publish(&fake.appear("kettle"));
    assert!(begin.elapsed() < Duration::from_secs(1), "publishing waits for nobody");
    for stream in &mut streams {
        assert_eq!(stream.next().0, "device");
        let (event, data) = stream.next();
        assert_eq!((event.as_str(), &data["kind"]), ("event", &json!("new-device")));
    }
    println!("200 clients had both messages after {:?}", begin.elapsed());
    assert_eq!(get(&web, "/").status, 200);
    drop(streams);
    let is_free = (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        web.publish(&fake.appear("radio"));
        Stream::open(&web).is_ok()
    });
    assert!(is_free, "a client that left gives its place back");
}

#[test]
fn a_client_that_never_reads_delays_nobody_and_is_cut() {
    let limits = WebLimits { stall: Duration::from_millis(500), streams: 1, ..WebLimits::default() };
    let fake = Fake::with_devices(12);
    let web = start_with(hasty(limits), fake.clone());
    let _deaf = Stream::open(&web).unwrap();
    let updates = fake.appear(&"x".repeat(250));
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    // Far more than the buffers of the system and of the page hold.
    for round in 0..60_000 {
        let before = Instant::now();
        web.publish(&updates);
        longest = longest.max(before.elapsed());
        if round % 1_000 == 0 {
            sleep(Duration::from_millis(10));
        }
    }
    println!("60,000 updates in {:?}, the longest call {longest:?}", begin.elapsed());
    assert_eq!(get(&web, "/").status, 200);
    let is_free = (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        Stream::open(&web).is_ok()
    });
    assert!(is_free, "the client that never read has lost its place");
}

#[test]
fn a_client_that_lags_is_told_to_load_again() {
    let fake = Fake::with_devices(12);
    let web = start(fake.clone());
    let mut stream = Stream::open(&web).unwrap();
    let updates = fake.appear(&"x".repeat(250));
    for _ in 0..60_000 {
        web.publish(&updates);
    }
    let is_told = (0..200_000).any(|_| stream.next().0 == "resync");
    assert!(is_told, "updates were lost in silence");
}

#[test]
fn more_connections_than_allowed_wait_and_are_served() {
    let limits = WebLimits { connections: 4, head: Duration::from_millis(300), ..WebLimits::default() };
    let web = start_with(hasty(limits), Fake::with_devices(3));
    let idle: Vec<_> = (0..10).map(|_| connect(&web)).collect();
    let begin = Instant::now();
    assert_eq!(get(&web, "/healthz").status, 200);
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    drop(idle);
}

#[test]
fn ten_thousand_devices_are_shown_page_by_page() {
    let web = start(Fake::with_devices(10_000));
    for path in ["/", "/?sort=-last_seen&page=50", "/?q=osprel&show=unknown", "/changes?since=all", "/model"]
    {
        let begin = Instant::now();
        let page = get(&web, path);
        let time = begin.elapsed();
        println!("10,000 devices, {path}: {time:?}, {} kB", page.body.len() / 1_000);
        assert_eq!(page.status, 200);
        assert!(page.body.matches("<tr data-key").count() <= 200, "{path}");
        assert!(time < Duration::from_secs(5), "{path} took {time:?}");
    }
    assert!(get(&web, "/").body.contains("page 1 of 50"));
    assert!(get(&web, "/?page=9999").body.contains("page 50 of 50"));
}

#[test]
fn a_backend_that_is_slow_costs_an_answer_and_not_the_page() {
    let fake = Fake::with_devices(3);
    fake.world().delay = Duration::from_millis(800);
    let web = start_with(hasty(WebLimits { request: Duration::from_millis(200), ..short() }), fake.clone());
    let late = get(&web, "/api/v1/labels");
    assert_eq!(late.status, 503);
    assert!(late.json()["error"].as_str().unwrap().contains("took too long"));
    assert_eq!(get(&web, "/healthz").status, 200);
}

#[test]
fn the_page_stops_though_clients_follow() {
    let fake = Fake::with_devices(3);
    let web = start(fake);
    let (address, stream) = (web.address(), Stream::open(&web).unwrap());
    let begin = Instant::now();
    web.stop();
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert!(std::net::TcpListener::bind(address).is_ok(), "the port is free again");
    drop(stream);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let web = start(Fake::with_devices(3));
    let one = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", web.address());
    let last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let mut stream = connect(&web);
    stream.write_all(format!("{one}{last}").as_bytes()).unwrap();
    assert_eq!(read_answer(stream).body.matches("ok\n").count(), 2);
}
