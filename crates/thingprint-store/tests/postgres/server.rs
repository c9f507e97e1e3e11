//! A server of `PostgreSQL` in a temporary folder, run as a user without rights.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server has to begin.
const PATIENCE: Duration = Duration::from_mins(1);

/// The password of the user of the server, by TCP; by the socket, everybody of this machine is let in.
pub(crate) const PASSWORD: &str = "s3cret";

/// Runs a server until its input ends, and kills it then with its sessions: a test that ends in any way leaves none, and nobody
/// is answered by one that is killed.
const KEEPER: &str = r#"data=$1; shift; "$@" >/dev/null 2>&1 & server=$!; read -r line
    sessions=$(cat /proc/$server/task/$server/children); kill -9 $server $sessions; wait
    for session in $sessions; do while [ -e /proc/$session/exe ]; do sleep 0.05; done; done
    if [ "$line" != stay ]; then rm -rf "$data"; fi"#;

/// A server, which is killed with the process of the test.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Whether it speaks TLS, with a certificate for `localhost`.
    speaks_tls: bool,
    running: Option<(Child, ChildStdin)>,
}

impl Server {
    /// A server that runs; `None` where there is no program for it.
    pub(crate) fn new() -> Option<Self> {
        Self::of(false)
    }

    /// The same with TLS.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only tests of TLS want it"))]
    pub(crate) fn with_tls() -> Option<Self> {
        Self::of(true)
    }

    /// The certificate of the server, by which its clients know it.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only tests of TLS want it"))]
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    fn of(speaks_tls: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            let _ = writeln!(std::io::stderr(), "skipped: no PostgreSQL; apt-get install postgresql");
            return None;
        };
        let folder = tempfile::tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        if speaks_tls {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(&folder).args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
            openssl.args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
            openssl.args([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ]);
            let done = openssl.args(["-keyout", "server.key", "-out", "server.crt"]).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(&folder).status().unwrap().success());
        }
        let mut server = Self { programs, folder, port, speaks_tls, running: None };
        let mut initdb = server.command("initdb");
        initdb.args(["-U", "ann", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        initdb.arg("--pwfile").arg(server.folder.join("password")).arg(server.folder.join("data"));
        let done = initdb.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        server.start();
        Some(server)
    }

    pub(crate) fn start(&mut self) {
        let server = self.programs.join("postgres");
        let mut command = self.command("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(&self.folder).arg(server);
        command.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        if self.speaks_tls {
            for (name, file) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
                command.arg("-c").arg(format!("{name}={}", self.folder.join(file).display()));
            }
            command.args(["-c", "ssl=on"]);
        }
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        self.running = Some((child, input));
        let end = Instant::now() + PATIENCE;
        while !self.psql("postgres", "SELECT 1").status().unwrap().success() {
            assert!(Instant::now() < end, "the server does not begin");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Kills the server, as `kill -9` does; its data stay.
    pub(crate) fn kill(&mut self) {
        if let Some((mut child, mut input)) = self.running.take() {
            input.write_all(b"stay\n").unwrap();
            drop(input);
            child.wait().unwrap();
        }
    }

    /// The store in a database, by the socket.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://ann@/{database}?host={}&port={}", self.folder.display(), self.port)
    }

    /// The same by TCP, for which `who` is `ann:password` or `ann`.
    pub(crate) fn url_by_tcp(&self, who: &str, database: &str) -> String {
        format!("postgres://{who}@127.0.0.1:{}/{database}", self.port)
    }

    /// What a statement gives, as `psql` shows it.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let done = self.psql(database, statement).stderr(Stdio::piped()).output().unwrap();
        assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn psql(&self, database: &str, statement: &str) -> Command {
        let mut command = self.command("psql");
        command.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-U", "ann"]);
        command.args(["-d", database, "-X", "-q", "-t", "-A", "-c", statement]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// A program of the server. Its own ones refuse to run as root.
    fn command(&self, program: &str) -> Command {
        let found = self.programs.join(program);
        let program = if found.exists() { found } else { PathBuf::from(program) };
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut child, input)) = self.running.take() {
            drop(input);
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder with the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.push(PathBuf::from("/usr/local/bin"));
    folders
        .into_iter()
        .rev()
        .find(|folder| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists()))
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(Path::new("/proc/self")).unwrap()) == 0
}
