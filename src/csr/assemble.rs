//! Two passes over the rows of a matrix: count the entries of each part, then write the parts where the counts say.

use super::in_words;
use super::template::{Count, Rows, Template, Walk};
use crate::error::{Error, Result};
use crate::memory::{self, Fresh, Index, Part};
use crate::parallel;
use crate::scalar::Scalar;
use sprs::CsMatI;
use std::ops::Range;

/// The three arrays of consecutive rows, under construction.
struct Arrays<'a, T: Scalar, I: Index> {
    /// Where each row ends.
    pointers: Part<'a, I>,
    indices: Part<'a, I>,
    values: Part<'a, T>,
    /// Entries before the next row, in the whole matrix.
    next: usize,
}

impl<T: Scalar, I: Index> Rows<T, I> for Arrays<'_, T, I> {
    fn take(&mut self, template: &Template<T, I>, rows: usize, shift: usize) {
        for block in template.blocks(rows, shift) {
            let next: I = super::index(self.next);
            self.pointers.append_mapped(block.ends, |e| e + next);
            self.indices.append_mapped(block.columns, |c| c + block.shift);
            self.values.append(block.values);
            self.next += block.values.len();
        }
    }
}

/// The matrix whose rows `walk` hands out, `part` of them at a time.
///
/// `at_least` entries are known to come, so that a matrix that cannot fit is refused before anything is counted.
///
/// Memory: the matrix, and what `walk` uses for itself.
///
/// # Errors
/// [`Error::Overflow`] when an index does not fit into `I`, [`Error::Memory`] when the matrix does not fit into memory.
pub(super) fn assemble<T: Scalar, I: Index>(
    (rows, cols): (usize, usize),
    at_least: u128,
    part: usize,
    walk: &Walk<T, I>,
) -> Result<CsMatI<T, I>> {
    check_indices::<I>((rows, cols), rows.max(cols) as u128)?; // widening
    check_indices::<I>((rows, cols), at_least)?;
    let entry = (I::BYTES + size_of::<T>()) as u128; // widening, as below
    let bytes = |entries: u128| entries * entry + (rows as u128 + 1) * I::BYTES as u128;
    memory::check_available("the matrix", bytes(at_least))?;
    let mut ends = vec![0_usize; rows.div_ceil(part) + 1];
    parallel::for_each(ends[1..].iter_mut().zip(parts(rows, part)), |(entries, rows)| {
        let mut count = Count::default();
        walk(rows, &mut count);
        *entries = count.0;
    });
    let mut nnz = 0_u128;
    for end in &mut ends {
        nnz += *end as u128; // widening
        check_indices::<I>((rows, cols), nnz)?;
        *end = nnz as usize; // at most I::MAX
    }
    if nnz > at_least {
        memory::check_available("the matrix", bytes(nnz))?;
    }
    let nnz = nnz as usize; // at most I::MAX
    let mut pointers: Fresh<I> = Fresh::new("the matrix", rows + 1)?;
    let mut indices: Fresh<I> = Fresh::new("the matrix", nnz)?;
    let mut values: Fresh<T> = Fresh::new("the matrix", nnz)?;
    {
        let mut of_pointers = pointers.parts([1].into_iter().chain(parts(rows, part).map(|rows| rows.len())));
        if let Some(mut first) = of_pointers.next() {
            first.append(&[I::from_usize(0)]);
        }
        let lens = || ends.windows(2).map(|e| e[1] - e[0]);
        let arrays = of_pointers.zip(indices.parts(lens())).zip(values.parts(lens())).zip(&ends);
        let arrays =
            arrays.map(|(((pointers, indices), values), &next)| Arrays { pointers, indices, values, next });
        parallel::for_each(parts(rows, part).zip(arrays), |(rows, mut arrays)| walk(rows, &mut arrays));
    }
    Ok(memory::csr_from_parts((rows, cols), pointers.into_vec(), indices.into_vec(), values.into_vec()))
}

/// The rows of every part.
pub(super) fn parts(rows: usize, part: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(part).map(move |first| first..rows.min(first.saturating_add(part)))
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
