//! What a signal does to a command that is under way.

use thingprint_report::Transaction;

/// Has a signal that ends the command take away what is half-done first. The command ends by the same signal, so that shells
/// and service managers see which it was; what it ignored before, such as SIGHUP under nohup, it goes on to ignore.
#[cfg(unix)]
pub(crate) fn take_away_what_is_half_done(results: &Transaction) -> anyhow::Result<()> {
    use anyhow::Context;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGXFSZ};
    use signal_hook::iterator::Signals;

    let context = "failed to prepare for signals";
    let ignored = ignored();
    let is_ignored = |signal: i32| ignored >> (signal - 1) & 1 == 1;
    let ending = [SIGHUP, SIGINT, SIGTERM, SIGXCPU].into_iter().filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(ending).context(context)?;
    // A file that would be larger than allowed is an error like that of a full disk.
    if !is_ignored(SIGXFSZ) {
        signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default()).context(context)?;
    }
    let results = results.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                results.abandon(|| {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                });
            }
        })
        .context(context)?;
    Ok(())
}

/// Nothing is prepared where there are no such signals.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere signals may not be prepared for")]
pub(crate) fn take_away_what_is_half_done(_results: &Transaction) -> anyhow::Result<()> {
    Ok(())
}

/// The signals that whoever started the command has it ignore, as bits from that of signal 1 (`proc_pid_status(5)`); none where
/// the system does not say.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
