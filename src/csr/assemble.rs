//! Two passes over the rows of a matrix: count the entries of each, then store them where the counts say.

use super::{in_words, index};
use crate::error::{Error, Result};
use crate::memory::{self, Index};
use crate::scalar::Scalar;
use rayon::prelude::*;
use sprs::CsMatI;
use std::ops::Range;

/// Rows that one task counts or fills at a time.
const ROWS_PER_TASK: usize = 1 << 14;

/// Where the entries of some consecutive rows go.
pub(super) struct Place<'a, T, I> {
    /// Row pointers, one more than there are rows.
    pointers: &'a [I],
    pub indices: &'a mut [I],
    pub values: &'a mut [T],
}

impl<T, I: Index> Place<'_, T, I> {
    /// Where row `r`, counted from the first of this place, stores its entries.
    #[inline]
    pub(super) fn row(&self, r: usize) -> Range<usize> {
        let origin = self.pointers[0].index();
        self.pointers[r].index() - origin..self.pointers[r + 1].index() - origin
    }
}

/// Counts the entries of some rows.
type Count<'f, I> = dyn Fn(Range<usize>, &mut [I]) + Sync + 'f;

/// Stores the entries of some rows.
type Fill<'f, T, I> = dyn Fn(Range<usize>, Place<T, I>) + Sync + 'f;

/// The matrix whose rows are counted by `count(rows, counts)` and stored by `fill(rows, place)`.
///
/// `at_least` entries are known to come, so that a matrix that cannot fit is refused before anything is counted.
///
/// Memory: the matrix, and what the two functions use for themselves.
///
/// # Errors
/// [`Error::Overflow`] when an index does not fit into `I`, [`Error::Memory`] when the matrix does not fit into memory.
pub(super) fn assemble<T: Scalar, I: Index>(
    (rows, cols): (usize, usize),
    at_least: u128,
    count: &Count<I>,
    fill: &Fill<T, I>,
) -> Result<CsMatI<T, I>> {
    check_indices::<I>((rows, cols), rows.max(cols) as u128)?; // widening
    check_indices::<I>((rows, cols), at_least)?;
    let entry = (I::BYTES + size_of::<T>()) as u128; // widening, as below
    memory::check_available("the matrix", at_least * entry + (rows as u128 + 1) * I::BYTES as u128)?;
    let mut indptr: Vec<I> = memory::zeroed("the matrix", rows + 1)?;
    indptr[1..].par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(task, counts)| {
        let first = task * ROWS_PER_TASK;
        count(first..first + counts.len(), counts);
    });
    let mut nnz = 0_u64;
    for pointer in &mut indptr {
        nnz += pointer.index() as u64; // widening
        check_indices::<I>((rows, cols), nnz.into())?;
        *pointer = index(nnz as usize); // at most I::MAX
    }
    let nnz = nnz as usize;
    memory::check_available("the matrix", nnz as u128 * entry)?; // widening
    let mut indices: Vec<I> = memory::zeroed("the matrix", nnz)?;
    let mut values: Vec<T> = memory::zeroed("the matrix", nnz)?;
    let (mut i, mut v) = (&mut indices[..], &mut values[..]);
    let mut tasks = Vec::with_capacity(rows.div_ceil(ROWS_PER_TASK));
    for first in (0..rows).step_by(ROWS_PER_TASK) {
        let end = rows.min(first + ROWS_PER_TASK);
        let pointers = &indptr[first..=end];
        let len = indptr[end].index() - indptr[first].index();
        let (indices, values);
        (indices, i) = i.split_at_mut(len);
        (values, v) = v.split_at_mut(len);
        tasks.push((first..end, Place { pointers, indices, values }));
    }
    tasks.into_par_iter().for_each(|(rows, place)| fill(rows, place));
    Ok(memory::csr_from_parts((rows, cols), indptr, indices, values))
}

/// `Ok` when indices of type `I` can count to `count`.
pub(super) fn check_indices<I: Index>(shape: (usize, usize), count: u128) -> Result<()> {
    if count <= u128::from(I::MAX) {
        return Ok(());
    }
    Err(Error::Overflow {
        what: "the matrix",
        detail: format!("{}, counts up to {count} do not fit {}-bit indices", in_words(shape), 8 * I::BYTES),
        hint: "use to_csr_wide, or the matrix-free operator of to_direct",
    })
}
