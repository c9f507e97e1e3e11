//! What several processes do with one store, and what goes wrong with a server.

use thingprint_store::{Problem, Reader, Shelf, Store};
use thingprint_watch::{EventFilter, Records, Update};

use crate::accounts::{account, device, finding, hour, sighting, window, windows};
use crate::server::{PASSWORD, Server};

fn store_problem(url: &str) -> Problem {
    Store::open(url.as_ref()).unwrap_err().problem
}

#[test]
fn one_writes_and_takes_over_from_another_that_ends() {
    let Some(server) = Server::new() else { return };
    let url = server.url("postgres");
    assert!(matches!(Reader::open(url.as_ref()).unwrap_err().problem, Problem::Missing));
    let mut store = Store::open(url.as_ref()).unwrap();
    store.write(&windows(2, 0)).unwrap();
    assert!(matches!(store_problem(&url), Problem::Locked { pid: None }));
    // Others read and use the shelf meanwhile.
    let mut shelf = Shelf::of(url.as_ref()).unwrap();
    shelf.put("a.parcel", b"\0\xff").unwrap();
    shelf.put("a.parcel", b"other").unwrap();
    assert_eq!(shelf.get("a.parcel").unwrap().as_deref(), Some(&b"\0\xff"[..]));
    assert_eq!(Reader::open(url.as_ref()).unwrap().info().unwrap().windows, 2);
    drop(store);
    let mut store = reopened(&url);
    store.write(&windows(2, 1)).unwrap();
    assert_eq!(shelf.names().unwrap(), ["a.parcel"]);
    shelf.remove("a.parcel").unwrap();
    assert_eq!(shelf.get("a.parcel").unwrap(), None);
    assert_eq!(server.sql("postgres", "SELECT count(*), bool_or(is_cut) FROM windows"), "4|f");
    assert_eq!(server.sql("postgres", "SELECT windows FROM device_list LIMIT 1"), "2");
}

#[test]
fn schemas_of_one_database_are_stores_of_their_own_and_many_make_tables_at_once() {
    let Some(server) = Server::new() else { return };
    server.sql("postgres", "CREATE SCHEMA campus; CREATE SCHEMA office");
    let url = |schema: &str| format!("{}&options=-csearch_path%3D{schema}", server.url("postgres"));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let url = url("campus");
            scope.spawn(move || Shelf::of(url.as_ref()).unwrap().names().unwrap());
        }
    });
    let mut campus = Store::open(url("campus").as_ref()).unwrap();
    let mut office = Store::open(url("office").as_ref()).unwrap();
    campus.write(&windows(3, 0)).unwrap();
    office.write(&windows(1, 0)).unwrap();
    let count = |schema: &str| Reader::open(url(schema).as_ref()).unwrap().info().unwrap().windows;
    assert_eq!((count("campus"), count("office")), (3, 1));
    let error = store_problem(&url("nowhere")).to_string();
    assert!(error.contains("CREATE SCHEMA"), "{error}");
    server.sql("postgres", "UPDATE campus.thingprint SET version = 99");
    drop(campus);
    assert!(matches!(store_problem(&url("campus")), Problem::Newer { found: 99, known: 1 }));
    server.sql("postgres", "CREATE TABLE public.devices (x integer)");
    assert!(matches!(store_problem(&url("public")), Problem::Foreign));
}

#[test]
fn who_is_not_let_in_is_told_why_and_no_password_is_shown() {
    let Some(server) = Server::new() else { return };
    assert!(Store::open(server.url_by_tcp(&format!("ann:{PASSWORD}"), "postgres").as_ref()).is_ok());
    let check = |who: &str, database: &str, expected: &str| {
        let error = Store::open(server.url_by_tcp(who, database).as_ref()).unwrap_err();
        let (shown, told) = (error.to_string(), format!("{error:?}"));
        assert!(shown.contains(expected), "{shown}");
        assert!(shown.contains("postgres://ann@127.0.0.1:"), "{shown}");
        assert!(!shown.contains("gue55") && !told.contains("gue55") && !told.contains(PASSWORD), "{told}");
        assert!(!error.problem.may_pass(), "{shown}");
    };
    check("ann:gue55", "postgres", "password authentication failed");
    check("ann:gue55", "postgres", "PGPASSWORD");
    check("ann", "postgres", "wants a password");
    check(&format!("ann:{PASSWORD}"), "nowhere", "createdb");
}

#[test]
fn a_server_that_is_killed_keeps_what_was_written_and_is_reached_again() {
    let Some(mut server) = Server::new() else { return };
    let url = server.url("postgres");
    let mut store = Store::open(url.as_ref()).unwrap();
    let mut shelf = Shelf::of(url.as_ref()).unwrap();
    store.write(&windows(2, 0)).unwrap();
    shelf.put("a", b"1").unwrap();
    server.kill();
    let error = store.write(&windows(2, 1)).unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable(_)) && error.problem.may_pass(), "{error}");
    assert!(shelf.put("b", b"2").unwrap_err().problem.may_pass());
    assert!(store_problem(&url).may_pass());
    server.start();
    // A store is opened anew; a shelf connects by itself.
    assert!(store.write(&windows(2, 1)).is_err());
    shelf.put("b", b"2").unwrap();
    assert_eq!(shelf.names().unwrap(), ["a", "b"]);
    drop(store);
    let mut store = reopened(&url);
    assert_eq!(store.write(&windows(2, 0)).unwrap().known_windows, 2);
    assert_eq!(store.write(&windows(2, 1)).unwrap().windows, 2);
}

#[test]
fn a_value_that_is_refused_leaves_the_others_and_zero_bytes_are_replaced() {
    let Some(server) = Server::new() else { return };
    let mut store = Store::open(server.url("postgres").as_ref()).unwrap();
    let mut bad = window(0, hour(0));
    bad.window_s = f64::NAN;
    let mut named = sighting(1, hour(1));
    named.host_name = Some("cam\0era".to_owned());
    let updates = vec![
        Update::Window(bad),
        Update::Window(window(0, hour(1))),
        Update::Device(named),
        Update::Finding(finding(1, "TLS 1.0")),
    ];
    let written = store.write(&account(updates)).unwrap();
    assert_eq!((written.windows, written.refused), (1, 1));
    let reader = Reader::open(server.url("postgres").as_ref()).unwrap();
    let device = reader.device(device(1)).unwrap().unwrap();
    assert_eq!(device.sighting.host_name.as_deref(), Some("cam\u{fffd}era"));
    assert_eq!(reader.findings(None).unwrap().len(), 1);
    assert_eq!(reader.events(&EventFilter::default()).unwrap(), []);
}

#[test]
fn a_device_is_forgotten_there_as_well() {
    let Some(server) = Server::new() else { return };
    let url = server.url("postgres");
    let mut store = Store::open(url.as_ref()).unwrap();
    store.write(&windows(3, 0)).unwrap();
    store
        .write(&account(vec![Update::Device(sighting(0, hour(1))), Update::Finding(finding(0, "TLS 1.0"))]))
        .unwrap();
    assert!(store.forget(device(0)).unwrap().rows >= 3);
    assert!(matches!(store.forget(device(0)).unwrap_err().problem, Problem::NoDevice(_)));
    let reader = Reader::open(url.as_ref()).unwrap();
    assert!(reader.device(device(0)).unwrap().is_none());
    assert_eq!(reader.info().unwrap().windows, 2);
    assert_eq!(reader.check().unwrap(), [""; 0]);
}

#[cfg(feature = "tls")]
#[test]
fn a_server_proves_by_tls_who_it_is() {
    let Some(server) = Server::with_tls() else { return };
    let url = |host: &str, rest: &str| {
        let url = server.url_by_tcp(&format!("ann:{PASSWORD}"), "postgres").replace("127.0.0.1", host);
        format!("{url}?{rest}")
    };
    let trusted = format!("sslrootcert={}", server.certificate().display());
    let store = Store::open(url("localhost", &format!("sslmode=verify-full&{trusted}")).as_ref()).unwrap();
    let sessions = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'thingprint'";
    assert_eq!(server.sql("postgres", sessions), "t");
    drop(store);
    let check = |url: &str, expected: &str| {
        let problem = store_problem(url);
        let shown = problem.to_string();
        assert!(shown.contains(expected) && shown.contains("sslrootcert"), "{shown}");
        assert!(!problem.may_pass() && !shown.contains(PASSWORD), "{shown}");
    };
    check(&url("localhost", "sslmode=require"), "UnknownIssuer");
    check(&url("127.0.0.1", &format!("sslmode=require&{trusted}")), "not valid for name");
    check(&url("localhost", "sslmode=require&sslrootcert=/nowhere.pem"), "/nowhere.pem");
}

#[test]
fn what_is_to_be_secret_is_not_said_in_the_clear() {
    let Some(server) = Server::new() else { return };
    let url = format!("{}?sslmode=require", server.url_by_tcp(&format!("ann:{PASSWORD}"), "postgres"));
    let problem = store_problem(&url);
    let expected = if cfg!(feature = "tls") { "does not support TLS" } else { "--features tls" };
    assert!(problem.to_string().contains(expected) && !problem.may_pass(), "{problem}");
}

/// A store that was open a moment ago: the server gives the lock back once it has noticed that its session ended.
fn reopened(url: &str) -> Store {
    for _ in 0..500 {
        match Store::open(url.as_ref()) {
            Err(error) if matches!(error.problem, Problem::Locked { .. }) => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the lock of {url} is never given back");
}
