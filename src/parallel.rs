//! Splitting results among threads: parts fixed by size, so that no result depends on the number of threads.
//!
//! The thread that asks computes parts like all others, beside the threads of rayon's current pool, instead of waiting for the
//! pool: a product wakes one thread fewer, and on a machine of two cores two threads never meet on one of them while the
//! other belongs to a thread that waits. The only place that knows how threads share work.

use crate::error::{Error, Result, check_len};
use ndarray::{ArrayViewMut2, Axis};
use rayon::{Scope, ThreadPool};
use std::cell::RefCell;
use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Multiply-adds that are worth handing to another thread: about five microseconds.
const WORK: usize = 1 << 18;

/// At most this many parts, so that scratch for every part stays small.
const PARTS: usize = 256;

/// Pauses of a few nanoseconds that a thread without work spends on waiting for the others: some ten microseconds.
const PATIENCE: usize = 1000;

/// Who helps a thread; nobody is `None`.
type Helpers = Option<Arc<ThreadPool>>;

thread_local! {
    /// Whom a caller chose to help this thread; by default rayon's current pool.
    static CHOSEN: RefCell<Option<Helpers>> = const { RefCell::new(None) };
}

/// Runs `f` on this thread alone: for parts of work that is shared already.
#[cfg(feature = "fft")]
pub(crate) fn alone<R>(f: impl FnOnce() -> R) -> R {
    with_helpers(None, f)
}

/// Runs `f` on this thread with `helpers` instead of rayon's current pool.
#[cfg(any(feature = "fft", feature = "python", test))]
pub(crate) fn with_helpers<R>(helpers: Helpers, f: impl FnOnce() -> R) -> R {
    /// Restores what was chosen before, whether `f` returns or panics.
    struct Before(Option<Helpers>);
    impl Drop for Before {
        fn drop(&mut self) {
            CHOSEN.set(self.0.take());
        }
    }
    let _before = Before(CHOSEN.replace(Some(helpers)));
    f()
}

/// The number of threads that share work which this thread asks for, itself included.
pub(crate) fn threads() -> usize {
    CHOSEN.with_borrow(|chosen| match chosen {
        Some(helpers) => 1 + helpers.as_ref().map_or(0, |pool| pool.current_num_threads()),
        None => rayon::current_num_threads(),
    })
}

/// The length of a part of `len` results that cost `work` multiply-adds each; at least 1.
pub(crate) fn part_len(len: usize, work: usize) -> usize {
    (WORK / work.max(1)).max(len.div_ceil(PARTS)).clamp(1, len.max(1))
}

/// The number of parts of unequal length that `work` multiply-adds in all are worth; at least 1.
pub(crate) fn parts(work: usize) -> usize {
    work.div_ceil(WORK).clamp(1, PARTS)
}

/// As many threads as can have an item; at least this one.
fn threads_for(items: &impl Iterator) -> usize {
    threads().min(items.size_hint().1.unwrap_or(usize::MAX)).max(1)
}

/// Calls `f` for each of the items, handed out in order to all threads. With one thread, or one item, nothing is allocated.
pub(crate) fn for_each<I>(items: I, f: impl Fn(I::Item) + Sync)
where
    I: Iterator + Send,
{
    let threads = threads_for(&items);
    if threads == 1 {
        return items.for_each(f);
    }
    let items = Mutex::new(items);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    together(threads, &|| {
        while let Some(item) = next() {
            f(item);
        }
    });
}

/// The same for work that can fail: what is not yet begun when something fails stays undone. The error is that of the first
/// item that fails, for any number of threads.
pub(crate) fn try_for_each<I>(mut items: I, f: impl Fn(I::Item) -> Result<()> + Sync) -> Result<()>
where
    I: Iterator + Send,
{
    if threads_for(&items) == 1 {
        return items.try_for_each(f);
    }
    // Items are handed out in order, so whatever comes before one that fails has begun, and tells.
    let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let known = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    for_each(items.enumerate(), |(i, item)| {
        if known().is_some() {
            return;
        }
        if let Err(error) = f(item) {
            let mut known = known();
            if known.as_ref().is_none_or(|(first, _)| i < *first) {
                *known = Some((i, error));
            }
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, error)| Err(error))
}

/// Calls `work` on this thread and on as many others as make `threads`.
fn together(threads: usize, work: &(dyn Fn() + Sync)) {
    let busy = AtomicUsize::new(threads - 1);
    let others = || {
        work();
        busy.fetch_sub(1, Ordering::Release);
    };
    beside(threads - 1, &others, &|| {
        work();
        // The others end about now, sooner than this thread would fall asleep and be woken.
        (0..PATIENCE).take_while(|_| busy.load(Ordering::Acquire) > 0).for_each(|_| hint::spin_loop());
    });
}

/// Calls `here` on this thread and `there` on so many helpers. Not generic over the work: the machinery of threads is compiled
/// once.
fn beside<'w>(helpers: usize, there: &'w (dyn Fn() + Sync), here: &dyn Fn()) {
    let all = |scope: &Scope<'w>| {
        (0..helpers).for_each(|_| scope.spawn(|_| there()));
        here();
    };
    match CHOSEN.with_borrow(|chosen| chosen.clone().flatten()) {
        Some(pool) => pool.in_place_scope(all),
        None => rayon::in_place_scope(all),
    }
}

/// What computes some rows: `f(first, rows)`.
type Block<'a, T> = dyn Fn(usize, ArrayViewMut2<T>) -> Result<()> + Sync + 'a;

/// Calls `f(first, rows)` for `parts` blocks of rows of `out`, block p from row `begin(p)` to row `begin(p + 1)`, where
/// `begin` ascends from 0 to the number of rows.
pub(crate) fn for_each_block<T: Send>(
    out: ArrayViewMut2<T>,
    parts: usize,
    begin: &(dyn Fn(usize) -> usize + Sync),
    f: &Block<T>,
) -> Result<()> {
    let mut rest = Some(out);
    let blocks = (0..parts).map(|part| {
        let first = begin(part);
        let (block, below) = rest.take().expect("put back below").split_at(Axis(0), begin(part + 1) - first);
        rest = Some(below);
        (first, block)
    });
    try_for_each(blocks, |(first, block)| f(first, block))
}

/// What computes one part: `f(start, part, scratch)`.
type Piece<'a, T, S> = dyn Fn(usize, &mut [T], &mut [S]) -> Result<()> + Sync + 'a;

/// Calls `f(start, part, scratch)` for every part of `out`, each with `per_part` elements of scratch of its own.
///
/// Every part computes its own results from shared input, so the partition changes nothing but the speed.
pub(crate) fn for_each_part<T: Send, S: Send>(
    out: &mut [T],
    part: usize,
    scratch: &mut [S],
    per_part: usize,
    f: impl Fn(usize, &mut [T], &mut [S]) -> Result<()> + Sync,
) -> Result<()> {
    share(out, part, scratch, per_part, &f)
}

/// Not generic over the work: a part is long beside a call.
fn share<T: Send, S: Send>(
    out: &mut [T],
    part: usize,
    scratch: &mut [S],
    per_part: usize,
    f: &Piece<T, S>,
) -> Result<()> {
    let parts = out.len().div_ceil(part);
    let mut pieces = out.chunks_mut(part).enumerate();
    if parts <= 1 || threads() == 1 {
        return pieces.try_for_each(|(p, out)| f(p * part, out, &mut scratch[..per_part]));
    }
    if per_part == 0 {
        return try_for_each(pieces, |(p, out)| f(p * part, out, &mut []));
    }
    check_len("scratch", parts * per_part, scratch.len().min(parts * per_part))?; // a short one would drop parts in silence
    try_for_each(pieces.zip(scratch.chunks_mut(per_part)), |((p, out), scratch)| f(p * part, out, scratch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::ThreadPoolBuilder;
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread;

    fn pool(threads: usize) -> Arc<ThreadPool> {
        Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
    }

    #[test]
    fn the_caller_works_beside_its_helpers() {
        with_helpers(Some(pool(2)), || {
            assert_eq!(threads(), 3);
            // Nobody passes the barrier before three threads have an item each, and this one is among them.
            let (barrier, seen) = (Barrier::new(3), Mutex::new(HashSet::new()));
            for_each(0..3, |_| {
                barrier.wait();
                seen.lock().unwrap().insert(thread::current().id());
            });
            let seen = seen.into_inner().unwrap();
            assert!(seen.len() == 3 && seen.contains(&thread::current().id()));
        });
        with_helpers(None, || {
            assert_eq!(threads(), 1);
            let here = thread::current().id();
            for_each(0..100, |_| assert_eq!(thread::current().id(), here));
        });
        pool(5).install(|| assert_eq!(threads(), 5));
    }

    #[test]
    fn every_item_once_and_the_error_of_one() {
        pool(3).install(|| {
            let sum = Mutex::new(0);
            try_for_each(0..1000_usize, |i| {
                *sum.lock().unwrap() += i;
                Ok(())
            })
            .unwrap();
            assert_eq!(sum.into_inner().unwrap(), 499_500);
            let failing = |i| if i >= 700 { check_len("an item", 0, i) } else { Ok(()) };
            assert!(try_for_each(0..1000_usize, failing).unwrap_err().to_string().contains("700"));
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_choice_ends() {
        let caught = std::panic::catch_unwind(|| {
            with_helpers(Some(pool(1)), || for_each(0..10, |i| assert!(i != 7, "seven")));
        });
        assert!(caught.is_err());
        assert!(CHOSEN.with_borrow(Option::is_none));
    }
}
