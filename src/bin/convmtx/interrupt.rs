//! Ctrl-C, SIGTERM and SIGHUP: unfinished files are removed, and the process leaves with code 130.

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
    ctrlc::set_handler(leave).map_err(|e| Failure::failed(format!("cannot listen to Ctrl-C: {e}")))
}
