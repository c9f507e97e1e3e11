use std::time::{Duration, Instant};

use crate::receiver::{Answer, Web};
use crate::{PATIENCE, event, events, fast, start};

#[test]
fn what_does_not_fit_is_counted_and_said_with_the_next_event() {
    // The first event takes a second, in which the queue fills.
    let web = Web::start(&[Answer::After(Duration::from_secs(1)), Answer::Status(200)]);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=1));
    web.next();
    let begin = Instant::now();
    notifier.send(&events(2..=1501));
    assert!(begin.elapsed() < Duration::from_millis(900), "sending waited: {:?}", begin.elapsed());
    let health = &notifier.health()[0];
    assert_eq!((health.waiting, health.dropped), (1001, 500));
    let second = web.next().json();
    assert_eq!((&second["id"], &second["left_out"]), (&2.into(), &500.into()));
    let third = web.next().json();
    assert_eq!((&third["id"], &third["left_out"]), (&3.into(), &().into()));
    assert!(notifier.flush(PATIENCE));
    let health = &notifier.health()[0];
    assert_eq!((health.delivered, health.waiting, health.dropped), (1001, 0, 500));
}

#[test]
fn an_event_is_sent_once() {
    let web = Web::start(&[Answer::Status(200)]);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    let mut again = event(1);
    again.times = 7;
    notifier.send(&[event(1), event(2)]);
    notifier.send(&[again, event(3)]);
    assert!(notifier.flush(PATIENCE));
    let ids: Vec<u64> = (0..3).map(|_| web.next().json()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert!(web.is_quiet());
}

#[test]
fn a_dead_sink_holds_no_other_up() {
    let dead = Web::start(&[Answer::After(Duration::from_mins(10))]);
    let alive = Web::start(&[Answer::Status(200)]);
    let specs = [&dead, &alive].map(|web| format!("http://127.0.0.1:{}/", web.port).parse().unwrap());
    let notifier = thingprint_notify::Notifier::start(&specs, fast()).unwrap();
    notifier.send(&events(1..=3));
    let ids: Vec<u64> = (0..3).map(|_| alive.next().json()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3]);
    let health = notifier.stop(Duration::from_millis(300));
    assert_eq!((health[0].delivered, health[0].waiting, health[1].delivered), (0, 3, 3));
}

#[test]
fn the_end_delivers_what_waits() {
    let web = Web::start(&[Answer::Status(200)]);
    let notifier = start(&format!("http://127.0.0.1:{}/", web.port), fast());
    notifier.send(&events(1..=50));
    let health = notifier.stop(PATIENCE);
    assert_eq!((health[0].delivered, health[0].waiting), (50, 0));
}
