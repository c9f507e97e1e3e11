use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use thingprint_notify::{NotifyOptions, RetrySchedule, Secret, SinkSpec};

use crate::receiver::{Answer, Web};
use crate::{FAST, PATIENCE, event, events, fast, start};

#[test]
fn an_event_is_a_post_of_its_json() {
    let web = Web::start(&[Answer::Status(204)]);
    let notifier = start(&format!("http://127.0.0.1:{}/hook?key=s3cret", web.port), fast());
    let mut hostile = event(1);
    hostile.text = "x\r\nX-Evil: 1\r\n\r\n\u{0}\u{202e}".to_owned();
    notifier.send(&[hostile.clone()]);
    let request = web.next();
    assert!(request.head.starts_with("post /hook?key=s3cret http/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-evil"), None);
    assert_eq!(request.header("thingprint-signature"), None, "there is no key");
    assert_eq!(request.json()["text"], hostile.text);
    assert!(notifier.flush(PATIENCE));
    let health = &notifier.health()[0];
    assert_eq!(health.name, format!("http://127.0.0.1:{}/...", web.port));
    assert_eq!((health.delivered, health.waiting, health.dropped), (1, 0, 0));
    assert!(health.last_delivery.is_some() && health.problem.is_none(), "{health:?}");
}

#[test]
fn an_event_is_tried_again_with_the_same_key_until_it_is_taken() {
    const ANSWERS: &[Answer] =
        &[Answer::Status(500), Answer::Close, Answer::With(429, "Retry-After: 0"), Answer::Status(200)];
    let web = Web::start(ANSWERS);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=2));
    let requests: Vec<_> = (0..5).map(|_| web.next()).collect();
    let ids: Vec<u64> = requests.iter().map(|request| request.json()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 1, 1, 1, 2]);
    let keys: Vec<&str> = requests.iter().map(|request| request.header("idempotency-key").unwrap()).collect();
    assert!(keys[..4].iter().all(|key| *key == keys[0]) && keys[4] != keys[0], "{keys:?}");
    assert!(requests[..4].iter().all(|request| request.body == requests[0].body));
    assert!(notifier.flush(PATIENCE) && web.is_quiet());
    assert_eq!(notifier.health()[0].delivered, 2);
}

#[test]
fn what_is_refused_is_left_out_and_the_next_event_says_so() {
    const ANSWERS: &[Answer] =
        &[Answer::With(307, "Location: http://127.0.0.1:1/"), Answer::Status(401), Answer::Status(200)];
    let web = Web::start(ANSWERS);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=3));
    let requests: Vec<_> = (0..3).map(|_| web.next().json()).collect();
    assert_eq!(requests[2]["id"], 3);
    assert_eq!((&requests[0]["left_out"], &requests[2]["left_out"]), (&().into(), &2.into()));
    assert!(notifier.flush(PATIENCE) && web.is_quiet());
    let health = &notifier.health()[0];
    assert_eq!((health.delivered, health.dropped), (1, 2));
}

#[test]
fn a_refusal_is_named() {
    let web = Web::start(&[Answer::With(308, "Location: http://127.0.0.1:1/")]);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=1));
    assert!(notifier.flush(PATIENCE));
    let problem = notifier.health()[0].problem.clone().unwrap();
    assert!(problem.contains("308") && problem.contains("redirects are not followed"), "{problem}");
}

#[test]
fn an_event_that_is_too_old_is_given_up() {
    let web = Web::start(&[Answer::Status(503)]);
    let schedule = RetrySchedule { give_up_after: Duration::from_millis(150), ..FAST };
    let options = NotifyOptions { schedule, ..NotifyOptions::default() };
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), options);
    notifier.send(&events(1..=1));
    assert!(notifier.flush(PATIENCE));
    let health = &notifier.health()[0];
    assert_eq!((health.delivered, health.dropped), (0, 1));
    assert!(
        health.problem.as_deref().unwrap().starts_with("gave up: the receiver answered 503"),
        "{health:?}"
    );
}

/// Checks a receiver that does not answer properly: the attempt ends, and reading goes on all the while.
fn check_silent(answers: &[Answer]) {
    let web = Web::start(answers);
    let schedule = RetrySchedule { attempt_limit: Duration::from_millis(300), ..FAST };
    let options = NotifyOptions { schedule, ..NotifyOptions::default() };
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), options);
    let begin = Instant::now();
    notifier.send(&events(1..=1));
    assert!(begin.elapsed() < Duration::from_millis(100), "sending waited: {:?}", begin.elapsed());
    web.next();
    web.next();
    assert!(notifier.health()[0].problem.is_some(), "{answers:?}");
    let begin = Instant::now();
    let health = notifier.stop(Duration::from_secs(1));
    assert!(begin.elapsed() < Duration::from_secs(2), "{answers:?}: {:?}", begin.elapsed());
    assert_eq!((health[0].delivered, health[0].waiting), (0, 1), "{answers:?}");
}

#[test]
fn a_receiver_that_never_answers_holds_nothing_up() {
    check_silent(&[Answer::After(Duration::from_mins(10))]);
}

#[test]
fn an_answer_without_end_is_an_error() {
    check_silent(&[Answer::Endless]);
}

#[test]
fn a_slow_receiver_gets_every_event() {
    let web = Web::start(&[Answer::After(Duration::from_millis(100))]);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=4));
    assert!(notifier.health()[0].waiting > 0);
    assert!(notifier.flush(PATIENCE));
    let ids: Vec<_> = (0..4).map(|_| web.next().json()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[test]
fn a_receiver_that_comes_later_gets_what_waited() {
    // A port that nobody listens at: it was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let notifier = start(&format!("http://{address}/"), fast());
    notifier.send(&events(1..=1));
    crate::wait_until("a failure", || notifier.health()[0].problem.is_some());
    assert_eq!(notifier.health()[0].waiting, 1);
    let listener = TcpListener::bind(address).unwrap();
    let (stream, _) = listener.accept().unwrap();
    drop(stream);
}

/// The receiver of docs/events.md, cut out of the page, checks what we signed.
#[test]
fn the_documented_check_accepts_our_signature_and_no_other() {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let web = Web::start(&[Answer::Status(200)]);
    let options = NotifyOptions { webhook_key: Some(Secret::new("hunter2")), ..fast() };
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), options);
    let mut event = event(1);
    event.text = "gr\u{fc}n".to_owned();
    notifier.send(&[event]);
    let request = web.next();
    let header = request.header("thingprint-signature").unwrap();
    assert!(is_accepted("hunter2", header, &request.body), "{header}");
    assert!(!is_accepted("hunter3", header, &request.body));
    assert!(!is_accepted("hunter2", header, &request.body.replace("new", "old")));
    let old = header.replacen("t=1", "t=0", 1);
    assert!(!is_accepted("hunter2", &old, &request.body));
}

fn is_accepted(key: &str, header: &str, body: &str) -> bool {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("```python\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let call =
        "import sys\nsys.exit(not is_genuine(sys.argv[1].encode(), sys.argv[2], sys.argv[3].encode()))\n";
    let script = format!("{script}\n{call}");
    let status = Command::new("python3").args(["-c", &script, key, header, body]).status().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    status.success()
}

#[test]
fn https_needs_the_feature() {
    let spec = "https://127.0.0.1:1/".parse::<SinkSpec>();
    assert_eq!(spec.is_ok(), cfg!(feature = "tls"), "{spec:?}");
}
