use std::io;
use std::path::Path;
use std::process::ExitStatus;

use super::lines::Lines;
use super::link_state::interfaces;
use crate::error::{LiveError, LiveErrorKind};
use crate::sources::InterfaceSpec;

/// A failure of tcpdump that is known by words of its message.
struct Known {
    words: &'static [&'static str],
    kind: LiveErrorKind,
}

/// Known failures, of libpcap 1.10 and of older ones; the first that matches counts.
const KNOWN: &[Known] = &[
    Known {
        words: &["permission to", "operation not permitted", "permission denied"],
        kind: LiveErrorKind::NoPermission,
    },
    Known {
        words: &["no such device", "interface disappeared", "interface doesn't exist"],
        kind: LiveErrorKind::NoInterface,
    },
    Known {
        words: &["is not up", "interface is down", "network is down"],
        kind: LiveErrorKind::InterfaceDown,
    },
    Known {
        words: &[
            "filter expression",
            "syntax error",
            "expression rejects",
            "unknown host",
            "unknown port",
            "illegal token",
        ],
        kind: LiveErrorKind::BadFilter,
    },
];

/// Why tcpdump could not be started.
pub(super) fn not_started(interface: &str, path: &Path, error: &io::Error) -> LiveError {
    let (reason, advice) = match error.kind() {
        io::ErrorKind::NotFound => (
            format!("tcpdump was not found ({})", path.display()),
            "install it (Debian: apt-get install tcpdump), or say where it is with --tcpdump PATH",
        ),
        io::ErrorKind::PermissionDenied => (
            format!("{} may not be executed", path.display()),
            "check its mode, or give another one with --tcpdump PATH",
        ),
        _ => {
            (format!("{} cannot be started: {error}", path.display()), "give another one with --tcpdump PATH")
        }
    };
    LiveError::new(LiveErrorKind::NoTcpdump, interface, reason).advise(advice)
}

/// There is no such interface.
pub(super) fn no_interface(spec: &InterfaceSpec, path: &Path) -> LiveError {
    let kind = LiveErrorKind::NoInterface;
    LiveError::new(kind, spec.interface(), "there is no such interface").advise(advice(kind, spec, path))
}

/// Why tcpdump ended, by what it said.
pub(super) fn ended(
    spec: &InterfaceSpec,
    lines: &Lines,
    status: Option<ExitStatus>,
    path: &Path,
) -> LiveError {
    let interface = spec.interface();
    for known in KNOWN {
        let says = |line: &&str| {
            let line = line.to_ascii_lowercase();
            known.words.iter().any(|words| line.contains(words))
        };
        if let Some(line) = lines.kept().find(says) {
            return LiveError::new(known.kind, interface, without_name(line, interface))
                .advise(advice(known.kind, spec, path));
        }
    }
    let status = status.map_or_else(|| "it was not seen how".to_owned(), |status| status.to_string());
    let reason = match lines.kept().rfind(|line| is_failure(line)) {
        Some(line) => format!("tcpdump ended ({status}): {}", without_name(line, interface)),
        None => format!("tcpdump ended ({status}) and did not say why"),
    };
    LiveError::new(LiveErrorKind::TcpdumpEnded, interface, reason)
}

/// What to do about a failure.
fn advice(kind: LiveErrorKind, spec: &InterfaceSpec, path: &Path) -> String {
    let interface = spec.interface();
    match kind {
        LiveErrorKind::NoPermission => format!(
            "capturing needs CAP_NET_RAW: run as root, give it to tcpdump (setcap cap_net_raw+ep {}), or set \
             AmbientCapabilities=CAP_NET_RAW in the systemd unit",
            path.display()
        ),
        LiveErrorKind::NoInterface => match interfaces() {
            names if names.is_empty() => "see 'ip link' for the interfaces that there are".to_owned(),
            names => format!("there are {}", names.join(", ")),
        },
        LiveErrorKind::InterfaceDown => format!("set it up: ip link set {interface} up"),
        LiveErrorKind::BadFilter => {
            format!("the filter is '{}': see 'man pcap-filter'", spec.filter().unwrap_or_default())
        }
        _ => String::new(),
    }
}

/// A line without the names in front, which the message has already.
fn without_name<'a>(line: &'a str, interface: &str) -> &'a str {
    let line = line.strip_prefix("tcpdump: ").unwrap_or(line);
    line.strip_prefix(interface).and_then(|line| line.strip_prefix(": ")).unwrap_or(line)
}

/// Whether a line is not one of those that tcpdump prints while all is well.
fn is_failure(line: &str) -> bool {
    let is_count =
        ["captured", "by filter", "by kernel", "by interface"].iter().any(|end| line.ends_with(end));
    !is_count && !line.contains("listening on ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(said: &str) -> LiveError {
        let spec = InterfaceSpec::new("eth9", Some("prot 5")).unwrap();
        let mut lines = Lines::default();
        lines.feed(said.as_bytes(), |_| {});
        ended(&spec, &lines, None, Path::new("/usr/bin/tcpdump"))
    }

    #[test]
    fn what_tcpdump_says_becomes_what_to_do() {
        let check = |said: &str, kind: LiveErrorKind, shown: &str| {
            let error = explained(said);
            assert_eq!(error.kind, kind, "{said}");
            assert!(error.to_string().contains(shown), "{error}");
        };
        check(
            "tcpdump: eth9: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n",
            LiveErrorKind::NoPermission,
            "eth9: You don't have permission to perform this capture on that device; capturing needs CAP_NET_RAW",
        );
        check(
            "tcpdump: eth9: No such device exists\n",
            LiveErrorKind::NoInterface,
            "eth9: No such device exists; ",
        );
        check(
            "tcpdump: listening on eth9, link-type EN10MB\ntcpdump: pcap_loop: The interface disappeared\n0 packets captured\n",
            LiveErrorKind::NoInterface,
            "pcap_loop: The interface disappeared",
        );
        check("tcpdump: eth9: That device is not up\n", LiveErrorKind::InterfaceDown, "ip link set eth9 up");
        check(
            "tcpdump: can't parse filter expression: syntax error\n",
            LiveErrorKind::BadFilter,
            "the filter is 'prot 5'",
        );
        check(
            "tcpdump: listening on eth9\ntcpdump: out of \x1b[1mmemory\n3 packets dropped by kernel\n",
            LiveErrorKind::TcpdumpEnded,
            "out of \u{fffd}[1mmemory",
        );
        check("3 packets captured\n", LiveErrorKind::TcpdumpEnded, "did not say why");
    }
}
