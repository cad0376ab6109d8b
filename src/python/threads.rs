//! The threads that products run on.
//!
//! Not the global pool: Python may fork, and a child inherits a pool without its threads, which would wait for ever. The
//! pool here belongs to a process and is made anew where the process is another.

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Multiply-adds below which the library never divides the work, so that no threads need to be woken.
const SMALL: usize = 1 << 16;

/// The number asked for; 0 until somebody asks.
static WANTED: AtomicUsize = AtomicUsize::new(0);

struct Pool {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

/// As many threads as were asked for, by `set_num_threads` or the environment; otherwise one per core available.
fn wanted() -> usize {
    let from_environment = || {
        let word = std::env::var("CONVMTX_NUM_THREADS").or_else(|_| std::env::var("RAYON_NUM_THREADS"));
        word.ok()?.trim().parse().ok().filter(|&n| n > 0)
    };
    match WANTED.load(Ordering::Relaxed) {
        0 => {
            from_environment().unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
        }
        n => n,
    }
}

fn pool() -> Option<Arc<ThreadPool>> {
    let (process, threads) = (std::process::id(), wanted());
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = slot.as_ref().filter(|p| p.process == process && p.threads == threads) {
        return Some(pool.pool.clone());
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("convmtx-{i}"))
        .build()
        .map(Arc::new)
        .ok()?;
    let old = slot.replace(Pool { process, threads, pool: pool.clone() });
    if let Some(old) = old.filter(|old| old.process != process) {
        std::mem::forget(old.pool); // its threads are in the parent; waiting for them would be for ever
    }
    Some(pool)
}

/// Runs `f` without the interpreter's lock; on the pool, unless `work` multiply-adds are too few to divide.
pub fn run<R: Send>(py: Python, work: usize, f: impl FnOnce() -> R + Send) -> R {
    py.detach(|| on_pool(work, f))
}

/// Runs `f` on the pool. A system that refuses threads gets the work done by this one.
pub fn on_pool<R: Send>(work: usize, f: impl FnOnce() -> R + Send) -> R {
    match if work < SMALL { None } else { pool() } {
        Some(pool) => pool.install(f),
        None => f(),
    }
}

/// Sets the number of threads for every later call; 0 for the default, one per core.
#[pyfunction]
fn set_num_threads(n: usize) {
    WANTED.store(n, Ordering::Relaxed);
}

/// The number of threads that products use.
#[pyfunction]
fn get_num_threads() -> usize {
    wanted()
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(get_num_threads, m)?)
}
