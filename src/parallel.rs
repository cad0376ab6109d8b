//! Splitting results among threads: parts fixed by size, so that no result depends on the number of threads.

use crate::error::{Result, check_len};
use ndarray::{ArrayViewMut2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Multiply-adds that are worth handing to another thread: about five microseconds.
const WORK: usize = 1 << 18;

/// At most this many parts, so that scratch for every part stays small.
const PARTS: usize = 256;

/// The length of a part of `len` results that cost `work` multiply-adds each; at least 1.
pub(crate) fn part_len(len: usize, work: usize) -> usize {
    (WORK / work.max(1)).max(len.div_ceil(PARTS)).clamp(1, len.max(1))
}

/// The number of parts of unequal length that `work` multiply-adds in all are worth; at least 1.
pub(crate) fn parts(work: usize) -> usize {
    work.div_ceil(WORK).clamp(1, PARTS)
}

/// What computes some rows: `f(first, rows)`.
type Block<'a, T> = dyn Fn(usize, ArrayViewMut2<T>) -> Result<()> + Sync + 'a;

/// Calls `f(first, rows)` for `parts` blocks of rows of `out`, block p from row `begin(p)` to row `begin(p + 1)`, where
/// `begin` ascends from 0 to the number of rows. Nothing is allocated.
pub(crate) fn for_each_block<T: Send>(
    out: ArrayViewMut2<T>,
    parts: usize,
    begin: &(dyn Fn(usize) -> usize + Sync),
    f: &Block<T>,
) -> Result<()> {
    halve(out, 0..parts, begin, f)
}

fn halve<T: Send>(
    out: ArrayViewMut2<T>,
    parts: Range<usize>,
    begin: &(dyn Fn(usize) -> usize + Sync),
    f: &Block<T>,
) -> Result<()> {
    let first = begin(parts.start);
    if parts.len() <= 1 {
        return f(first, out);
    }
    let middle = parts.start.midpoint(parts.end);
    let (above, below) = out.split_at(Axis(0), begin(middle) - first);
    let (parts_above, parts_below) = (parts.start..middle, middle..parts.end);
    if rayon::current_num_threads() == 1 {
        halve(above, parts_above, begin, f)?;
        return halve(below, parts_below, begin, f);
    }
    let (above, below) =
        rayon::join(|| halve(above, parts_above, begin, f), || halve(below, parts_below, begin, f));
    above.and(below)
}

/// What computes one part: `f(start, part, scratch)`.
type Piece<'a, T, S> = dyn Fn(usize, &mut [T], &mut [S]) -> Result<()> + Sync + 'a;

/// Calls `f(start, part, scratch)` for every part of `out`, each with `per_part` elements of scratch of its own.
///
/// Every part computes its own results from shared input, so the partition changes nothing but the speed. With one
/// thread, or one part, nothing is allocated.
pub(crate) fn for_each_part<T: Send, S: Send>(
    out: &mut [T],
    part: usize,
    scratch: &mut [S],
    per_part: usize,
    f: impl Fn(usize, &mut [T], &mut [S]) -> Result<()> + Sync,
) -> Result<()> {
    share(out, part, scratch, per_part, &f)
}

/// Not generic over the work: a part is long beside a call, and the machinery of threads is compiled once instead of a
/// hundred times.
fn share<T: Send, S: Send>(
    out: &mut [T],
    part: usize,
    scratch: &mut [S],
    per_part: usize,
    f: &Piece<T, S>,
) -> Result<()> {
    if out.len() <= part || rayon::current_num_threads() == 1 {
        return out
            .chunks_mut(part)
            .enumerate()
            .try_for_each(|(c, out)| f(c * part, out, &mut scratch[..per_part]));
    }
    if per_part == 0 {
        return out.par_chunks_mut(part).enumerate().try_for_each(|(c, out)| f(c * part, out, &mut []));
    }
    let needed = out.len().div_ceil(part) * per_part;
    check_len("scratch", needed, scratch.len().min(needed))?; // a short one would drop parts in silence
    out.par_chunks_mut(part)
        .zip(scratch.par_chunks_mut(per_part))
        .enumerate()
        .try_for_each(|(c, (out, scratch))| f(c * part, out, scratch))
}
