//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT: unfinished files are removed, and the process leaves with code 130. A limit on the
//! size of files is an error of the write that meets it.

use crate::failure::{Failure, Result};
use std::io::{IsTerminal, Write, stderr};
use std::process::exit;

/// The exit code of an interrupted process, as shells have it for Ctrl-C.
pub const INTERRUPTED: i32 = 130;

/// Installs the handler; it runs in a thread of its own, so the computation need not ask.
pub fn install() -> Result<()> {
    let leave = || {
        convmtx::io::remove_temporaries();
        // A progress bar may stand on the line. Nothing to do about a closed stderr.
        let gap = if stderr().is_terminal() { "\n" } else { "" };
        let _ = writeln!(stderr(), "{gap}convmtx: interrupted; unfinished files were removed");
        exit(INTERRUPTED);
    };
    ctrlc::set_handler(leave).map_err(|e| Failure::failed(format!("cannot listen to Ctrl-C: {e}")))?;
    #[cfg(unix)]
    others(leave).map_err(|e| Failure::failed(format!("cannot listen to signals: {e}")))?;
    Ok(())
}

/// What else would end the process in the middle of a file.
#[cfg(unix)]
fn others(leave: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::SIGQUIT;
    // Heard and forgotten: the write that met the limit then fails with an error of its own.
    signal_hook::flag::register(libc::SIGXFSZ, Default::default())?;
    let mut signals = signal_hook::iterator::Signals::new([SIGQUIT, libc::SIGXCPU])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            leave();
        }
    });
    Ok(())
}
