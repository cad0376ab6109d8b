//! Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and SIGXCPU while a command runs: unfinished files are removed, and the process leaves
//! with code 130. A limit on the size of files and a reader that has left are errors of the write that meets them.

use crate::cli::failure::{Failure, Result};
use std::io::{IsTerminal, Write, stderr};

/// The exit code of an interrupted process, as shells have it for Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Listens to interrupts until the result is dropped; a thread of its own hears them, so the computation need not ask.
pub fn listen() -> Result<system::Listening> {
    system::Listening::begin().map_err(|e| Failure::failed(format!("cannot listen to signals: {e}")))
}

/// What an interrupt does before the process ends.
fn tidy() {
    crate::io::remove_temporaries();
    // A progress bar may stand on the line. Nothing to do about a closed stderr.
    let gap = if stderr().is_terminal() { "\n" } else { "" };
    let _ = writeln!(stderr(), "{gap}convmtx: interrupted; unfinished files were removed");
}

#[cfg(unix)]
mod system {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals};
    use signal_hook::{SigId, flag, low_level};
    use std::collections::BTreeSet;
    use std::io::Result;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};
    use std::thread::{JoinHandle, spawn};

    /// What would end the process in the middle of a file.
    const INTERRUPTS: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, libc::SIGXCPU];

    /// Heard and forgotten: the write that met the limit, or the closed pipe, then fails with an error of its own.
    const LIMITS: [i32; 2] = [libc::SIGXFSZ, SIGPIPE];

    /// No command runs: signals do what they did before.
    static IDLE: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

    /// Signals that have been heard at least once in this process.
    static HEARD: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

    /// The handlers of one command.
    pub struct Listening {
        interrupts: Handle,
        thread: Option<JoinHandle<()>>,
        limits: Vec<SigId>,
    }

    impl Listening {
        pub fn begin() -> Result<Self> {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let heeded = |signals: &[i32]| -> Vec<i32> {
                signals.iter().copied().filter(|&s| !is_set(&status, "SigIgn:", s)).collect()
            };
            let (interrupts, limits) = (heeded(&INTERRUPTS), heeded(&LIMITS));
            for &signal in interrupts.iter().chain(&limits) {
                keep_default(signal, &status)?;
            }
            let mut signals = Signals::new(interrupts)?;
            let handle = signals.handle();
            let thread = spawn(move || {
                if signals.forever().next().is_some() {
                    super::tidy();
                    // Without the destructors of the process, which other threads are still using.
                    low_level::exit(super::INTERRUPTED);
                }
            });
            // Whole from here on, so that an error below takes everything back.
            let mut listening = Listening { interrupts: handle, thread: Some(thread), limits: Vec::new() };
            for signal in limits {
                listening.limits.push(flag::register(signal, Arc::default())?);
            }
            IDLE.store(false, Ordering::SeqCst);
            Ok(listening)
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            IDLE.store(true, Ordering::SeqCst);
            for &id in &self.limits {
                low_level::unregister(id);
            }
            self.interrupts.close();
            if let Some(thread) = self.thread.take() {
                let _ = thread.join(); // does not return when it is ending the process
            }
        }
    }

    /// Our handlers stay installed after a command. They call the one that was there before, but where there was none
    /// they must do what the system would have done.
    fn keep_default(signal: i32, status: &str) -> Result<()> {
        let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner); // one insertion at a time
        if heard.insert(signal) && !had_handler(signal, status) {
            flag::register_conditional_default(signal, Arc::clone(&IDLE))?;
        }
        Ok(())
    }

    /// Whether the process handles a signal. Where the system does not tell: Ctrl-C may have a handler, and limits and
    /// closed pipes may be ignored, as in Python; the others are taken to have none.
    fn had_handler(signal: i32, status: &str) -> bool {
        match status {
            "" => signal == SIGINT || LIMITS.contains(&signal),
            status => is_set(status, "SigCgt:", signal),
        }
    }

    /// Whether the set of signals on this line of Linux' `/proc/self/status` contains one.
    fn is_set(status: &str, line: &str, signal: i32) -> bool {
        let set = status.lines().find_map(|l| l.strip_prefix(line));
        let set = set.and_then(|set| u128::from_str_radix(set.trim(), 16).ok());
        set.is_some_and(|set| set >> (signal - 1) & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn sets_of_signals_are_read_bit_by_bit() {
            // As `nohup` starts a program: SIGHUP is 1, SIGPIPE 13.
            let status = "Name:\tconvmtx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
            assert!(is_set(status, "SigIgn:", 1) && is_set(status, "SigIgn:", 13));
            assert!(
                !is_set(status, "SigIgn:", 2) && !is_set(status, "SigCgt:", 1) && !is_set("", "SigIgn:", 1)
            );
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{Error, Result};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A command runs.
    static RUNS: AtomicBool = AtomicBool::new(false);

    /// The handler of one command.
    pub struct Listening;

    impl Listening {
        pub fn begin() -> Result<Self> {
            let leave = || {
                if RUNS.load(Ordering::SeqCst) {
                    super::tidy();
                    std::process::exit(super::INTERRUPTED);
                }
            };
            match ctrlc::set_handler(leave) {
                Ok(()) | Err(ctrlc::Error::MultipleHandlers) => {} // the one of an earlier command
                Err(e) => return Err(Error::other(e)),
            }
            RUNS.store(true, Ordering::SeqCst);
            Ok(Listening)
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            RUNS.store(false, Ordering::SeqCst);
        }
    }
}
