//! A folder of its own for each story, and the command to run in it.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use thingprint_flow::{CaptureWriter, Timestamp};

/// A folder that goes away with the test.
pub(crate) struct Stage(tempfile::TempDir);

/// What a run of the command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command with these arguments, blanks between them.
    pub(crate) fn run(&self, arguments: &str) -> Said {
        self.spawn(arguments, Stdio::null())
    }

    pub(crate) fn run_with_stdin(&self, arguments: &str, file: &str) -> Said {
        self.spawn(arguments, File::open(self.path(file)).unwrap().into())
    }

    /// Runs the command, which must do its work.
    pub(crate) fn ok(&self, arguments: &str) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.status, 0, "{arguments}: {}", said.stderr);
        said
    }

    /// Runs the command, which must fail with this status, and say all of this.
    pub(crate) fn fails(&self, arguments: &str, status: i32, expected: &[&str]) {
        let said = self.run(arguments);
        assert_eq!(said.status, status, "{arguments}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments}");
        for text in expected {
            assert!(said.stderr.contains(text), "{arguments}: no '{text}' in: {}", said.stderr);
        }
    }

    /// Runs the command with a standard error that takes nothing.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_unheard(&self, arguments: &str) -> Said {
        let full = File::options().write(true).open("/dev/full").unwrap();
        text_of(self.command(arguments, Stdio::null()).stderr(full))
    }

    fn spawn(&self, arguments: &str, stdin: Stdio) -> Said {
        text_of(&mut self.command(arguments, stdin))
    }

    /// The command with these arguments, not started yet.
    pub(crate) fn command(&self, arguments: &str, stdin: Stdio) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thingprint"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).stdin(stdin);
        command
    }
}

/// A folder or file of shared captures; `None` where there are none, which is said.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "skipped: there are no shared captures of {name}");
        return None;
    }
    Some(path)
}

/// What a command says.
pub(crate) fn text_of(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An Ethernet frame with a UDP datagram from port 5000 to port 6000.
pub(crate) struct Frame {
    pub(crate) at_s: i64,
    pub(crate) from: [u8; 6],
    pub(crate) to: [u8; 6],
    pub(crate) src: [u8; 4],
    pub(crate) dst: [u8; 4],
}

/// A capture of these frames.
pub(crate) fn capture(frames: &[Frame]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for frame in frames {
        let mut bytes = [frame.to, frame.from].concat();
        bytes.extend([0x08, 0x00, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0]);
        bytes.extend([frame.src, frame.dst].concat());
        bytes.extend([0x13, 0x88, 0x17, 0x70, 0, 12, 0, 0, 1, 2, 3, 4]);
        let length = u32::try_from(bytes.len()).unwrap();
        writer.write(Timestamp::from_seconds(frame.at_s), &bytes, length).unwrap();
    }
    writer.finish().unwrap()
}

/// A pcapng capture with one beacon of IEEE 802.11 (link type 105), which cannot be decoded.
pub(crate) fn pcapng_of_802_11() -> Vec<u8> {
    let block = |kind: u32, body: &[u32]| -> Vec<u8> {
        let length = u32::try_from(4 * body.len() + 12).unwrap();
        let words = [&[kind, length], body, &[length]].concat();
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    };
    let section = block(0x0a0d_0d0a, &[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
    let interface = block(1, &[105, 0]);
    let packet = block(6, &[0, 0, 1, 4, 4, 0x80]);
    [section, interface, packet].concat()
}

/// Bytes as gzip (RFC 1952) that compresses nothing: stored blocks of at most 65,535 bytes (RFC 1951 §3.2.4).
pub(crate) fn stored_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for chunk in bytes.chunks(0xffff) {
        let length = u16::try_from(chunk.len()).unwrap();
        gzip.push(0);
        gzip.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        gzip.extend(chunk);
    }
    gzip.extend([1, 0, 0, 0xff, 0xff]);
    gzip.extend(crc32(bytes).to_le_bytes());
    gzip.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    gzip
}

fn crc32(bytes: &[u8]) -> u32 {
    let next = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    };
    !bytes.iter().fold(u32::MAX, next)
}
