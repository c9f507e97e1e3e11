use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use thingprint_endpoint::Endpoint;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::password::password;

/// The port of a server where none is given.
const PORT: u16 = 5432;

/// How long a connection says nothing before the other end is asked whether it is there, and how often then.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(20);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long one address of a server is tried, where it may have others.
const ATTEMPT: Duration = Duration::from_secs(4);

/// How long bytes that were sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(50);

/// The folders in which servers of this machine have their sockets: Debian's, and that of the sources.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Where a store is: a server, a database of it, and who we are there. Shown without the password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    /// What stands in the address; a file or the environment may have it as well.
    pub(super) password: Option<String>,
    /// What is set in the session, as `-c search_path=campus`.
    pub(super) options: Option<String>,
    /// Whether TLS is spoken.
    pub(super) tls: SslMode,
    /// Certificates that the server is checked against, in place of those that are built in.
    pub(super) root_certificates: Option<PathBuf>,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// By TCP.
    Network(Endpoint),
    /// By a socket in this folder.
    Folder(PathBuf),
}

/// What stands in place of what an address does not say.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    pub(super) user: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tls: Option<String>,
    pub(super) root_certificates: Option<String>,
}

/// The rest of an address of `PostgreSQL` behind its scheme; `None` where a name is no address of it.
pub(super) fn behind_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_ours = scheme.eq_ignore_ascii_case("postgres") || scheme.eq_ignore_ascii_case("postgresql");
    is_ours.then_some(rest)
}

impl Defaults {
    /// Those of libpq, which `psql` has as well.
    pub(super) fn of_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            host: set("PGHOST"),
            port: set("PGPORT"),
            user: set("PGUSER").or_else(|| set("USER")).or_else(|| set("LOGNAME")),
            database: set("PGDATABASE"),
            tls: set("PGSSLMODE"),
            root_certificates: set("PGSSLROOTCERT"),
        }
    }
}

impl Address {
    /// Reads what stands behind the scheme: `user:password@host:port/database?options=...`, of which all may be left out.
    pub(super) fn parse(rest: &str, defaults: &Defaults) -> Result<Self, String> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, host) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (who, None),
        };
        let (host, port) = host_and_port(host)?;
        let mut parts = Parts {
            user: decoded(user)?,
            database: decoded(database)?,
            host,
            port,
            password,
            ..Parts::default()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.set(name, decoded(value)?)?;
        }
        parts.address(defaults)
    }

    /// What a client is given, with a password where one is kept.
    pub(super) fn config(&self) -> Config {
        let Self { user, database, options, tls, .. } = self;
        let mut config = Config::new();
        config.user(user).dbname(database).application_name("thingprint").ssl_mode(*tls).port(self.port);
        // A machine that is gone is noticed within a minute, also while an answer may take as long as it takes.
        config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL).keepalives_retries(3);
        config.tcp_user_timeout(UNACKNOWLEDGED).connect_timeout(ATTEMPT);
        match &self.host {
            Host::Network(endpoint) => config.host(endpoint.host()),
            Host::Folder(folder) => config.host_path(folder),
        };
        if let Some(options) = options {
            config.options(options);
        }
        if let Some(password) = password(self) {
            config.password(password);
        }
        config
    }

    /// The host, as a file of passwords names it.
    pub(super) fn host_name(&self) -> String {
        match &self.host {
            Host::Network(endpoint) => endpoint.host().to_owned(),
            Host::Folder(folder) => folder.display().to_string(),
        }
    }
}

/// What an address says, empty where it says nothing.
#[derive(Default)]
struct Parts {
    user: String,
    database: String,
    host: String,
    port: String,
    password: Option<String>,
    options: Option<String>,
    tls: String,
    root_certificates: String,
}

impl Parts {
    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match (name, value.as_str()) {
            ("host", _) => self.host = value,
            ("port", _) => self.port = value,
            ("user", _) => self.user = value,
            ("dbname", _) => self.database = value,
            ("password", _) => self.password = Some(value),
            ("options", _) => self.options = Some(value),
            ("sslmode", _) => self.tls = value,
            ("sslrootcert", _) => self.root_certificates = value,
            _ => {
                return Err(format!(
                    "'{name}' is not known; expected host, port, user, dbname, password, options, sslmode or sslrootcert"
                ));
            }
        }
        Ok(())
    }

    fn address(self, defaults: &Defaults) -> Result<Address, String> {
        let or = |value: String, default: &Option<String>| {
            if value.is_empty() { default.clone().unwrap_or_default() } else { value }
        };
        let port = match or(self.port, &defaults.port).as_str() {
            "" => PORT,
            digits => {
                let port = digits.parse().ok().filter(|port| *port > 0);
                port.ok_or_else(|| format!("'{digits}' is not a port from 1 to 65535"))?
            }
        };
        let host = match or(self.host, &defaults.host) {
            host if host.is_empty() => Host::Folder(socket_folder(port)),
            host if host.starts_with('/') => Host::Folder(PathBuf::from(host)),
            host => {
                if host.contains('%') {
                    return Err(
                        "an address with a zone cannot be reached here; name another one of the host"
                            .to_owned(),
                    );
                }
                let bracketed = if host.contains(':') { format!("[{host}]") } else { host };
                Host::Network(Endpoint::parse(&bracketed, Some(port))?)
            }
        };
        let user = or(self.user, &defaults.user);
        if user.is_empty() {
            return Err("it names no user; write postgres://user@host/database".to_owned());
        }
        let database = or(self.database, &defaults.database);
        let database = if database.is_empty() { user.clone() } else { database };
        let tls = tls_of(&or(self.tls, &defaults.tls), &host)?;
        let root_certificates = or(self.root_certificates, &defaults.root_certificates);
        // That is how those are called that are built in.
        let root_certificates =
            Some(root_certificates).filter(|file| !matches!(file.as_str(), "" | "system"));
        let root_certificates = root_certificates.map(PathBuf::from);
        let Self { password, options, .. } = self;
        Ok(Address { host, port, user, database, password, options, tls, root_certificates })
    }
}

/// Whether TLS is spoken with a host. Where nothing is said, it has to be, unless nobody else can listen. A certificate is always
/// checked, with its name, so that all modes of psql that want TLS are the same here.
fn tls_of(mode: &str, host: &Host) -> Result<SslMode, String> {
    let Host::Network(endpoint) = host else { return Ok(SslMode::Disable) };
    let is_loopback = |host: &str| host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match mode {
        "disable" => Ok(SslMode::Disable),
        "" if endpoint.host() == "localhost" || is_loopback(endpoint.host()) => Ok(SslMode::Disable),
        // Who listens on the way says that there is no TLS: a preference protects from nobody.
        "" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(format!("sslmode '{mode}' is not known; expected disable, require or verify-full")),
    }
}

/// The folder that has the socket of the port; the usual one where none has.
fn socket_folder(port: u16) -> PathBuf {
    let has_socket = |folder: &&&str| PathBuf::from(folder).join(format!(".s.PGSQL.{port}")).exists();
    PathBuf::from(SOCKET_FOLDERS.iter().find(has_socket).unwrap_or(&SOCKET_FOLDERS[0]))
}

fn host_and_port(text: &str) -> Result<(String, String), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("'[' has no ']' behind it")?;
        return Ok((host.to_owned(), port.trim_start_matches(':').to_owned()));
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    if port.contains(':') {
        return Err("write an address of IPv6 as [::1]".to_owned());
    }
    Ok((decoded(host)?, port.to_owned()))
}

/// A text with `%2F` and the like as what they stand for.
fn decoded(text: &str) -> Result<String, String> {
    let bad = || "'%' is not followed by two digits of a byte; write %25 for itself".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(bad)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, .. } = self;
        match host {
            Host::Network(endpoint) => write!(f, "postgres://{user}@{endpoint}/{database}"),
            Host::Folder(folder) => {
                let folder = folder.display();
                write!(f, "postgres://{user}@/{database}?host={folder}&port={port}")
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        let defaults = Defaults { user: Some("ann".to_owned()), ..Defaults::default() };
        Address::parse(behind_scheme(text).unwrap(), &defaults).map(|address| address.to_string())
    }

    #[test]
    fn addresses_are_those_of_psql_and_show_no_password() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        check("postgres://bob:s3cret@db.example.org/campus", "postgres://bob@db.example.org:5432/campus");
        check("postgresql://db/campus", "postgres://ann@db:5432/campus");
        check("Postgres://b%40b:s%3a@[::1]:5433/x?sslmode=disable", "postgres://b@b@[::1]:5433/x");
        check("postgres://db", "postgres://ann@db:5432/ann");
        check("postgres:///campus?host=/run/x&port=7", "postgres://ann@/campus?host=/run/x&port=7");
        check("postgres://%2Frun%2Fx/campus", "postgres://ann@/campus?host=/run/x&port=5432");
        check("postgres://bob@db/c?sslmode=verify-full&sslrootcert=/ca.pem", "postgres://bob@db:5432/c");
        check("postgres://bob@db/c?password=s3cret&options=-c%20search_path=a", "postgres://bob@db:5432/c");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secret() {
        for bad in [
            "postgres://bob:s3cret@db:0/x",
            "postgres://bob:s3cret@a b/x",
            "postgres://bob:s3cret@::1/x",
            "postgres://bob:s3cret%@db/x",
            "postgres://bob:s3cret%zz@db/x",
            "postgres://bob:s3cret@db/x?sslmode=never",
            "postgres://bob:s3cret@db/x?colour=red",
            "postgres://bob:s3cret@db/x%00y",
            "postgres://bob:s3cret@[fe80::1%25eth0]/x",
        ] {
            let error = shown(bad).unwrap_err();
            assert!(!error.contains("s3cret"), "{bad}: {error}");
        }
        assert_eq!(behind_scheme("mysql://x"), None);
        assert_eq!(behind_scheme("postgres.db"), None);
    }

    #[test]
    fn tls_is_spoken_unless_nobody_can_listen_or_it_is_switched_off() {
        let mode = |rest: &str, environment: Option<&str>| {
            let user = Some("ann".to_owned());
            let defaults = Defaults { user, tls: environment.map(str::to_owned), ..Defaults::default() };
            Address::parse(rest, &defaults).unwrap().tls
        };
        assert_eq!(mode("db/x", None), SslMode::Require);
        assert_eq!(mode("db/x?sslmode=prefer", None), SslMode::Require);
        assert_eq!(mode("db/x?sslmode=disable", Some("require")), SslMode::Disable);
        assert_eq!(mode("db/x", Some("disable")), SslMode::Disable);
        for local in ["localhost/x", "127.0.0.1/x", "[::1]:7/x", "/x?host=/run/x&sslmode=require"] {
            assert_eq!(mode(local, None), SslMode::Disable, "{local}");
        }
        assert_eq!(mode("localhost/x?sslmode=verify-full", None), SslMode::Require);
        let with = |rest: &str| Address::parse(rest, &Defaults::default()).unwrap().root_certificates;
        assert_eq!(with("bob@db/x?sslrootcert=%2Fca.pem"), Some(PathBuf::from("/ca.pem")));
        assert_eq!(with("bob@db/x?sslrootcert=system"), None);
    }
}
