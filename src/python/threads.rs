//! The threads that products run on.
//!
//! Not the global pool: Python may fork, and a child inherits a pool without its threads, which would wait for ever, or a
//! lock that a thread of the parent held. So every generation of processes has a place of its own for its pool, with a lock
//! that no other has touched; the interpreter says when a new one begins.

use crate::Error;
use crate::parallel;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Multiply-adds that are not worth waking a thread for.
const SMALL: usize = 1 << 16;

/// The most threads that anybody gets: more would serve no machine, and starting them would stop it.
const MOST: usize = 1 << 10;

/// The number asked for; 0 until somebody asks.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// The place of a process: its pool and the number of threads in it.
struct Place(Mutex<Option<(u32, usize, Arc<ThreadPool>)>>);

/// Children of children of children … before a place is used again.
const GENERATIONS: usize = 64;

static PLACES: [Place; GENERATIONS] = [const { Place(Mutex::new(None)) }; GENERATIONS];

/// Forks between the first process and this one.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// As many threads as were asked for, by `set_num_threads` or the environment; otherwise one per core available.
fn wanted() -> usize {
    let from_environment = || {
        let word = std::env::var("CONVMTX_NUM_THREADS").or_else(|_| std::env::var("RAYON_NUM_THREADS"));
        word.ok()?.trim().parse().ok().filter(|n| (1..=MOST).contains(n))
    };
    match WANTED.load(Ordering::Relaxed) {
        0 => {
            from_environment().unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
        }
        n => n,
    }
}

/// The pool of this process: one thread fewer than wanted, since the caller works, too.
fn helpers() -> Option<Arc<ThreadPool>> {
    let (process, threads) = (std::process::id(), wanted() - 1);
    if threads == 0 {
        return None;
    }
    let Place(place) = &PLACES[GENERATION.load(Ordering::Relaxed) % GENERATIONS];
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, pool)) = place.as_ref().filter(|(p, t, _)| (*p, *t) == (process, threads)) {
        return Some(pool.clone());
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("convmtx-{i}"));
    let pool = Arc::new(pool.build().ok()?);
    if let Some((_, _, old)) =
        place.replace((process, threads, pool.clone())).filter(|(p, _, _)| *p != process)
    {
        std::mem::forget(old); // its threads, and whoever holds its locks, are in another process
    }
    Some(pool)
}

/// Runs `f` without the interpreter's lock, with the pool to help, unless `work` multiply-adds are too few to divide.
pub fn run<R: Send>(py: Python, work: usize, f: impl FnOnce() -> R + Send) -> R {
    py.detach(|| helped(work, f))
}

/// Runs `f` on this thread, with the pool to help. A system that refuses threads gets the work done by this one.
pub fn helped<R>(work: usize, f: impl FnOnce() -> R) -> R {
    parallel::with_helpers(if work < SMALL { None } else { helpers() }, f)
}

/// Sets the number of threads for every later call; 0 for the default, one per core.
#[pyfunction]
fn set_num_threads(n: i64) -> PyResult<()> {
    match usize::try_from(n) {
        Ok(n) if n <= MOST => {
            WANTED.store(n, Ordering::Relaxed);
            Ok(())
        }
        _ => Err(Error::value("the number of threads", format!("0 (one per core) to {MOST}"), n).into()),
    }
}

/// Called by the interpreter in the child after a fork.
#[pyfunction]
fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The number of threads that products use.
#[pyfunction]
fn get_num_threads() -> usize {
    wanted()
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(get_num_threads, m)?)?;
    // `os.register_at_fork` exists where there is a fork.
    let os = m.py().import("os")?;
    if let Ok(register) = os.getattr("register_at_fork") {
        let forked = wrap_pyfunction!(forked, m)?;
        register.call((), Some(&[("after_in_child", forked)].into_py_dict(m.py())?))?;
    }
    Ok(())
}
