//! Passwords as users of `PostgreSQL` keep them: in the address, in `PGPASSWORD`, or in a file of passwords.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::address::Address;

/// Bytes of a file of passwords that are read.
const MOST_BYTES: u64 = 1 << 20;

/// The password for a server; `None` where none is kept.
pub(super) fn password(address: &Address) -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let in_file = || in_file(&file()?, address);
    address.password.clone().or_else(|| set("PGPASSWORD")).or_else(in_file)
}

/// The text of the file of passwords. One that others may read is not used, as `psql` does.
fn file() -> Option<String> {
    let path = match std::env::var_os("PGPASSFILE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".pgpass"),
    };
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
        return None;
    }
    let mut text = String::new();
    if metadata.is_file() { file.take(MOST_BYTES).read_to_string(&mut text).ok().map(|_| text) } else { None }
}

/// The password of the first line that fits: `host:port:database:user:password`, where `*` is anything.
fn in_file(text: &str, address: &Address) -> Option<String> {
    let host = address.host_name();
    let is_socket = host.starts_with('/');
    let port = address.port.to_string();
    let wanted = [host.as_str(), &port, &address.database, &address.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let (password, place) = fields.split_last()?;
        let fits = |(found, wanted): (&String, &str)| {
            found == "*" || found == wanted || is_socket && wanted == host && found == "localhost"
        };
        (place.len() == wanted.len() && place.iter().zip(wanted).all(fits)).then(|| password.clone())
    })
}

/// The fields of a line, of which there are five; a backslash takes the meaning of what follows it.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            letter => {
                let letter = if letter == '\\' { letters.next().unwrap_or(letter) } else { letter };
                if let Some(field) = fields.last_mut() {
                    field.push(letter);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::super::address::{Address, Defaults};
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# db:5432:campus:bob:no\ndb:5433:*:*:other\ndb:*:campus:bob:a\\:b\\\\c:d\n*:*:*:*:any\n";
        let of = |rest: &str| in_file(text, &Address::parse(rest, &Defaults::default()).unwrap());
        assert_eq!(of("bob@db/campus").as_deref(), Some("a:b\\c:d"));
        assert_eq!(of("bob@db:5433/campus").as_deref(), Some("other"));
        assert_eq!(of("ann@elsewhere/x").as_deref(), Some("any"));
        let local = "localhost:*:*:bob:local\n";
        let socket = Address::parse("bob@/x?host=/run/x", &Defaults::default()).unwrap();
        assert_eq!(in_file(local, &socket).as_deref(), Some("local"));
        assert_eq!(in_file("db:5432:x\n", &socket), None);
    }
}
