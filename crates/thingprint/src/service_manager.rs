use std::ffi::OsString;

/// The longest text that is shown as the state of the service.
const MAX_STATUS_CHARS: usize = 200;

/// The program that started this one as a service and would like to know how it goes: systemd with `Type=notify`
/// (`sd_notify(3)`). Nothing happens where there is none.
#[derive(Debug, Default)]
pub(crate) struct ServiceManager {
    socket: Option<OsString>,
}

impl ServiceManager {
    /// The one that the environment names.
    pub(crate) fn from_environment() -> Self {
        Self { socket: std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) }
    }

    /// The service has begun, or has read its configuration again: it does its work.
    pub(crate) fn ready(&self) {
        self.send("READY=1");
    }

    /// The service reads its configuration again; [`ready`](Self::ready) follows.
    pub(crate) fn reloading(&self) {
        self.send("RELOADING=1");
    }

    /// The service ends.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// A line for `systemctl status`.
    pub(crate) fn status(&self, text: &str) {
        let line: String = text.chars().filter(|c| !c.is_control()).take(MAX_STATUS_CHARS).collect();
        self.send(&format!("STATUS={line}"));
    }

    /// The service is alive; a unit with `WatchdogSec=` starts it again where this is not said in time.
    pub(crate) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Nobody is there to be told of a failure, and the work does not depend on it.
    fn send(&self, message: &str) {
        if let Some(socket) = &self.socket {
            let _ = send(socket, message.as_bytes());
        }
    }
}

/// A name that begins with `@` is one without a file (an abstract socket of Linux).
#[cfg(target_os = "linux")]
fn send(socket: &std::ffi::OsStr, message: &[u8]) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let from = UnixDatagram::unbound()?;
    // A manager that hangs must not hold us up.
    from.set_nonblocking(true)?;
    from.send_to_addr(message, &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send(_socket: &std::ffi::OsStr, _message: &[u8]) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::Duration;

    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut bytes = [0; 1024];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    fn at(socket: impl Into<OsString>) -> ServiceManager {
        ServiceManager { socket: Some(socket.into()) }
    }

    #[test]
    fn a_manager_hears_how_the_service_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let manager = at(path);
        manager.ready();
        manager.reloading();
        manager.status("42 devices\nREADY=1\u{7}");
        manager.alive();
        manager.stopping();
        let messages = [(); 5].map(|()| heard(&socket));
        let expected = ["READY=1", "RELOADING=1", "STATUS=42 devicesREADY=1", "WATCHDOG=1", "STOPPING=1"];
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_socket_may_have_a_name_and_no_file() {
        let name = format!("thingprint-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        at(format!("@{name}")).ready();
        assert_eq!(heard(&socket), "READY=1");
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        ServiceManager::default().ready();
        at("/nowhere/at/all").ready();
    }
}
