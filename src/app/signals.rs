//! Signals that ask eyas to end: SIGINT, SIGTERM, SIGHUP. The first asks politely; a second ends at once.

use eyas_pipeline::Stop;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Asks for a stop when one of them comes.
pub(crate) fn stop_on(stop: &Stop) -> std::io::Result<()> {
    let stop = stop.clone();
    on_each(move |signal| {
        if stop.asked() {
            // Somebody is impatient: end as the signal would have.
            let _ended = signal_hook::low_level::emulate_default_handler(signal);
        }
        stop.ask();
    })
}

/// Does this when one of them comes, on a thread of its own.
pub(crate) fn on_each(mut heard: impl FnMut(i32) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("eyas-signals".into()).spawn(move || {
        for signal in signals.forever() {
            heard(signal);
        }
    })?;
    Ok(())
}
