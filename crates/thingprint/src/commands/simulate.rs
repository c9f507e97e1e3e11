use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use thingprint_flow::WindowLength;
use thingprint_report::Transaction;
use thingprint_sim::{
    CaptureReader, Home, LabelledDevice, SimError, Simulation, SimulationOptions, Source, home, unsafe_home,
    unsw28,
};
use thingprint_table::csv_text;

use crate::args::GlobalArgs;
use crate::destinations::Destinations;
use crate::exit::{Outcome, Usage};
use crate::files::write_file;
use crate::messages::Messages;
use crate::named_writer::NamedWriter;
use crate::progress::Progress;
use crate::small_file::{MOST_WRITTEN_BYTES, read_text};
use crate::standard_output::{StandardOutput, is_standard_output};
use crate::terminal;

/// Makes a home.
type MakeHome = fn() -> Result<Home, SimError>;

/// The homes that come with the program, by name.
const HOMES: [(&str, MakeHome); 3] = [("default", home), ("unsafe", unsafe_home), ("unsw28", unsw28)];

/// Write a capture of a simulated home.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Duration: 2d, 12h, 90m ...
    #[arg(long, value_name = "LENGTH", default_value = "2d", value_parser = parse_duration)]
    duration: u64,

    /// Start time in UTC [default: start of the home's trace, else 2024-06-03T00:00:00Z]
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    start: Option<i64>,

    /// Bytes captured of each frame; original lengths are kept [default: all]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    snaplen: Option<u32>,

    /// The home: default (eight kinds of devices and a laptop), unsafe (each device breaks a rule of the audit), unsw28
    /// (the classification paper's testbed of 28 devices and its computers), or a folder with dataset.toml and
    /// devices/*.toml
    #[arg(long, value_name = "NAME|FOLDER", default_value = "default")]
    home: PathBuf,

    /// Write the labels of the devices
    #[arg(short, long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

impl SimulateArgs {
    pub(super) fn run(&self, global: &GlobalArgs) -> anyhow::Result<Outcome> {
        let messages = global.messages();
        if global.format.is_some() {
            return Err(Usage(
                "--format: unsupported by simulate, which writes a capture; use -o FILE alone".to_owned(),
            )
            .into());
        }
        let home = self.home()?;
        let defaults = SimulationOptions::default();
        let options = SimulationOptions {
            start_s: self.start.or(home.trace.map(|trace| trace.start_s)).unwrap_or(defaults.start_s),
            duration_s: self.duration,
            seed: global.seed,
            snaplen: self.snaplen,
        };
        let path = global.output.as_deref().filter(|path| !is_standard_output(path));
        if path.is_none() && terminal::is_shown() {
            return Err(
                Usage("a capture cannot be written to a terminal; use -o FILE or a pipe".to_owned()).into()
            );
        }
        Destinations::of(&global.results)
            .add("--output", path)
            .add("--labels", self.labels.as_deref())
            .check(None)?;
        if let Some(path) = &self.labels {
            write_file(&global.results, path, label_file(&home).as_bytes())?;
        }
        let frames = write_capture(&home, options, path, (&global.results, messages))?;
        let devices = home.labels().len();
        messages.note(format!("{frames} simulated frames of {devices} devices, seed {}", global.seed));
        Ok(Outcome::Done)
    }

    fn home(&self) -> anyhow::Result<Home> {
        match HOMES.iter().find(|(name, _)| self.home.as_path() == Path::new(name)) {
            Some((name, make)) => make().with_context(|| format!("failed to read the built-in home {name}")),
            None => read_home(&self.home),
        }
    }
}

/// Writes a simulated capture to a file, or to standard output, and says how many frames there were.
fn write_capture(
    home: &Home,
    options: SimulationOptions,
    path: Option<&Path>,
    (results, messages): (&Transaction, Messages),
) -> anyhow::Result<u64> {
    let Some(path) = path else {
        return write_frames(home, options, &mut StandardOutput::bytes(results)?, messages);
    };
    let mut file = NamedWriter::new(results.file(path).context("failed to write the capture")?);
    let frames = write_frames(home, options, &mut file, messages);
    let frames = file.named(frames, &path.display().to_string())?;
    file.into_inner().finish().context("failed to write the capture")?;
    Ok(frames)
}

/// Writes a simulated capture, and says how many frames there were.
pub(super) fn write_frames(
    home: &Home,
    options: SimulationOptions,
    out: &mut dyn Write,
    messages: Messages,
) -> anyhow::Result<u64> {
    let simulation = Simulation::new(home, options).context("failed to simulate")?;
    let mut capture = CaptureReader::new(simulation);
    let progress = Progress::bytes("simulating", None, messages);
    copy(&mut capture, out, (&progress, messages))?;
    progress.finish();
    Ok(capture.frames())
}

fn copy(
    from: &mut CaptureReader,
    to: &mut dyn Write,
    (progress, messages): (&Progress, Messages),
) -> anyhow::Result<()> {
    let mut block = vec![0; 1 << 18];
    let mut done = 0;
    loop {
        let length = from.read(&mut block)?;
        let Some(read) = block.get(..length).filter(|read| !read.is_empty()) else { break };
        to.write_all(read).context("failed to write the capture")?;
        done += length as u64;
        progress.set(done);
        messages.check_wanted()?;
    }
    to.flush().context("failed to write the capture")
}

/// The label file of a home.
pub(super) fn label_file(home: &Home) -> String {
    let mut text = String::from("mac,label,kind\n");
    let rows = home.labels().into_iter();
    let line = |device: LabelledDevice| {
        format!("{},{},{}\n", device.mac, csv_text::cell(&device.label), device.kind)
    };
    text.extend(rows.map(line));
    text
}

fn read_home(folder: &Path) -> anyhow::Result<Home> {
    if !folder.exists() {
        let names = HOMES.map(|(name, _)| name).join(", ");
        bail!("unknown home '{}': expected one of {names}, or a folder with dataset.toml", folder.display());
    }
    let read = |path: PathBuf| -> anyhow::Result<(String, String)> {
        let name = path.display().to_string();
        let text = read_text(&path, MOST_WRITTEN_BYTES).with_context(|| format!("failed to read {name}"))?;
        Ok((name, text))
    };
    let dataset = read(folder.join("dataset.toml"))?;
    let devices = folder.join("devices");
    let entries = std::fs::read_dir(&devices)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("failed to read {}", devices.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.into_iter().filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    if paths.is_empty() {
        bail!("failed to read {}: no device profile (*.toml) in this folder", devices.display());
    }
    let texts = paths.into_iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let sources: Vec<Source<'_>> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    Home::from_toml(&Source { file: &dataset.0, text: &dataset.1 }, &sources)
        .context("failed to read the home")
}

fn parse_duration(text: &str) -> Result<u64, String> {
    match text.parse::<WindowLength>() {
        Ok(WindowLength::Span(nanos)) if nanos >= 1_000_000_000 => Ok(nanos / 1_000_000_000),
        _ => Err(format!("invalid duration '{text}': expected a length such as 2d, 12h or 90m")),
    }
}

fn parse_start(text: &str) -> Result<i64, String> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| format!("invalid time '{text}': expected a time such as 2024-06-03T00:00:00Z"))?;
    Ok(time.as_second())
}
