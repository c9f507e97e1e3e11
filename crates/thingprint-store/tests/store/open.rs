//! What a store is opened in spite of, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use thingprint_store::{ExportOptions, Problem, Reader, Store, StoreError};
use thingprint_watch::{EventFilter, EventKind, Records, Update};

use crate::accounts::{Place, account, device, event, finding, hour, sighting, window, windows};

#[test]
fn a_second_writer_is_refused_with_the_first_ones_number() {
    let place = Place::new();
    let store = place.store();
    let error = Store::open(&place.path).unwrap_err();
    let expected = format!(
        "use the store {}: process {} writes it; stop that first, or name another store",
        place.path.display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(place.reader().devices().unwrap(), []);
    drop(store);
    drop(place.store());
}

#[test]
fn a_link_is_another_name_of_the_same_store() {
    let place = Place::new();
    let store = place.store();
    let folder = place.path.parent().unwrap();
    let link = folder.join("other.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let around = folder.join("..").join(folder.file_name().unwrap()).join("net.db");
    for path in [&link, &around] {
        let error = Store::open(path).unwrap_err();
        assert!(matches!(error.problem, Problem::Locked { .. }), "{error}");
    }
    drop(store);
    drop(Store::open(&link).unwrap());
}

#[test]
fn only_the_owner_reads_a_store() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(1, 0)).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mode = fs::metadata(format!("{}{suffix}", place.path.display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[test]
fn what_is_no_store_is_refused() {
    let place = Place::new();
    assert!(matches!(Reader::open(&place.path).unwrap_err().problem, Problem::Missing));
    fs::write(
        &place.path,
        "a text that is long enough to be taken for the header of a file of a database. ".repeat(9),
    )
    .unwrap();
    assert!(matches!(Store::open(&place.path).unwrap_err().problem, Problem::Foreign));
    assert!(matches!(Reader::open(&place.path).unwrap_err().problem, Problem::Foreign));
    fs::remove_file(&place.path).unwrap();
    rusqlite::Connection::open(&place.path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Store::open(&place.path).unwrap_err();
    assert!(matches!(error.problem, Problem::Foreign), "{error}");
}

#[test]
fn a_newer_schema_is_refused() {
    let place = Place::new();
    drop(place.store());
    rusqlite::Connection::open(&place.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&place.path).unwrap_err().to_string();
    assert!(error.contains("schema 99") && error.contains("up to 2"), "{error}");
    assert!(matches!(Reader::open(&place.path).unwrap_err().problem, Problem::Newer { found: 99, .. }));
}

#[test]
fn a_store_of_an_older_program_is_brought_to_the_present_form() {
    let place = Place::new();
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    connection.execute_batch(include_str!("../../src/back_ends/sqlite/schema/v1.sql")).unwrap();
    let sql = "INSERT INTO devices (device, first_seen, last_seen) VALUES (?1, 1, 2)";
    connection.execute(sql, [device(1).to_string()]).unwrap();
    connection.pragma_update(None, "application_id", 0x7468_7072).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);
    assert!(matches!(Reader::open(&place.path).unwrap_err().problem, Problem::Older { .. }));
    let mut store = place.store();
    let known = place.reader().devices().unwrap();
    assert_eq!(known.iter().map(|known| &known.sighting.identity).collect::<Vec<_>>(), [&None]);
    let seen = sighting(1, hour(1));
    store
        .write(&thingprint_watch::Account { updates: vec![Update::Device(seen.clone())], final_until: None })
        .unwrap();
    assert_eq!(place.reader().devices().unwrap()[0].sighting.identity, seen.identity);
}

#[test]
fn a_damaged_store_is_refused_and_what_can_be_read_is_read() {
    let place = Place::new();
    let mut store = place.store();
    for hours in 0..40 {
        store.write(&windows(20, hours)).unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&place.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 3 * 4096].fill(0xAA);
    fs::write(&place.path, bytes).unwrap();
    let error = Store::open(&place.path).unwrap_err();
    assert!(matches!(error.problem, Problem::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("aside"), "{error}");
    let reader = place.reader();
    assert!(!reader.check().unwrap().is_empty());
    assert_eq!(reader.devices().unwrap().len(), 20);
    let counts = reader.export(&ExportOptions::default(), &mut |_| Ok::<_, StoreError>(())).unwrap();
    assert!(counts.written > 400 && counts.unreadable > 0, "{counts:?}");
    assert_eq!(counts.written + counts.unreadable, 800);
}

#[test]
fn a_store_is_made_as_it_should_be() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(1, 0)).unwrap();
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    let number = |pragma: &str| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((number("auto_vacuum"), number("user_version")), (2, 2));
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(place.reader().final_until().unwrap(), Some(hour(1)));
}

#[test]
fn any_bytes_in_a_row_are_an_error_and_no_panic() {
    let place = Place::new();
    let mut store = place.store();
    store.write(&windows(1, 0)).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(&place.path).unwrap();
    let device = device(0);
    for instance in ["x'28b52ffd'", "x'00'", "x''", "'text'", "x'28b52ffd0001020304ffffffffffffffff'"] {
        connection.execute_batch(&format!("UPDATE windows SET instance = {instance}")).unwrap();
        assert!(place.reader().instances(device, 9).is_err(), "{instance}");
    }
    connection.execute_batch("UPDATE devices SET names = '[1'").unwrap();
    let error = place.reader().devices().unwrap_err().to_string();
    assert!(error.starts_with("failed to use the store") && error.contains('6'), "{error}");
    connection.execute_batch("UPDATE devices SET names = '[]', packets_up = -1").unwrap();
    assert!(place.reader().devices().unwrap_err().to_string().contains("-1 is not a count"));
}

/// Bytes at any place are others: whatever is said then, nothing panics or hangs.
#[test]
fn a_file_with_any_damage_is_read_or_refused() {
    let place = Place::new();
    let mut store = place.store();
    let updates = vec![
        Update::Device(sighting(1, hour(1))),
        Update::Finding(finding(1, "TLS 1.0")),
        Update::Event(event(1, EventKind::NewDevice, 1, "")),
        Update::Window(window(1, hour(1))),
    ];
    store.write(&account(updates)).unwrap();
    drop(store);
    let sound = fs::read(&place.path).unwrap();
    let (mut refused, mut read) = (0, 0);
    for (seed, add) in (0..150_usize).zip((1..=255_u8).cycle()) {
        let mut bytes = sound.clone();
        for step in 0..=(seed % 5) {
            let at = (seed * 7919 + step * 104_729 + seed * seed * 31) % bytes.len();
            bytes[at] = bytes[at].wrapping_add(add);
        }
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", place.path.display()));
        }
        fs::write(&place.path, &bytes).unwrap();
        let Ok(reader) = Reader::open(&place.path) else {
            refused += 1;
            continue;
        };
        let all = [
            reader.devices().is_ok(),
            reader.instances(device(1), 9).is_ok(),
            reader.findings(None).is_ok(),
            reader.events(&EventFilter::default()).is_ok(),
            reader.check().is_ok(),
            reader.info().is_ok(),
            Store::open(&place.path).and_then(|store| store.resume()).is_ok(),
        ];
        read += usize::from(all.iter().all(|is_ok| *is_ok));
    }
    assert!(refused > 0 && read > 0, "{refused} {read}");
}
