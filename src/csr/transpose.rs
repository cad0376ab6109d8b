//! The adjoint of a matrix, stored: what makes a transposed product as fast as a product.

use super::index;
use crate::error::Result;
use crate::memory::{self, Index};
use crate::parallel;
use crate::scalar::Scalar;
use sprs::CsMatI;
use std::ops::Range;

/// Entries below which threads are not worth their waking.
const ALONE: usize = 1 << 16;

/// Some columns of the matrix while they are filled: these are rows of the adjoint.
struct Part<'a, T, I> {
    columns: Range<usize>,
    /// For each column where its next entry goes, counted from the beginning of the part.
    next: &'a mut [I],
    indices: &'a mut [I],
    values: &'a mut [T],
}

/// Aᴴ in compressed rows, of a matrix in compressed rows whose columns ascend. O(nnz) time; memory: Aᴴ and one index per
/// column. Every thread fills columns of its own, so that nothing is written concurrently.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory) when the adjoint does not fit.
pub(super) fn adjoint<T: Scalar, I: Index>(a: &CsMatI<T, I>) -> Result<CsMatI<T, I>> {
    const WHAT: &str = "the adjoint of the matrix";
    let (rows, cols) = a.shape();
    memory::check_available(WHAT, a.nnz() as u128 * (I::BYTES + size_of::<T>()) as u128)?; // widening
    let threads = if a.nnz() < ALONE { 1 } else { parallel::threads() };
    let mut indptr: Vec<I> = memory::zeroed(WHAT, cols + 1)?;
    let per_part = cols.div_ceil(threads).max(1);
    parallel::for_each(indptr[1..].chunks_mut(per_part).enumerate(), |(part, counts)| {
        let first = part * per_part;
        for_each_entry(a, first..first + counts.len(), |_, c, _| counts[c] = index(counts[c].index() + 1));
    });
    let mut nnz = 0;
    for pointer in &mut indptr {
        nnz += pointer.index();
        *pointer = index(nnz);
    }
    let (mut indices, mut values): (Vec<I>, Vec<T>) =
        (memory::zeroed(WHAT, nnz)?, memory::zeroed(WHAT, nnz)?);
    let mut next: Vec<I> = memory::zeroed("scratch", cols)?;
    let mut parts = Vec::with_capacity(threads);
    let (mut n, mut i, mut v) = (&mut next[..], &mut indices[..], &mut values[..]);
    let mut first = 0;
    while first < cols {
        // As many entries for every thread, as far as whole columns allow.
        let goal = nnz * (parts.len() + 1) / threads;
        let end = if parts.len() + 1 == threads {
            cols
        } else {
            indptr[..=cols].partition_point(|p| p.index() < goal).clamp(first + 1, cols)
        };
        let origin = indptr[first].index();
        let (next, indices, values);
        (next, n) = n.split_at_mut(end - first);
        (indices, i) = i.split_at_mut(indptr[end].index() - origin);
        (values, v) = v.split_at_mut(indices.len());
        for (next, pointer) in next.iter_mut().zip(&indptr[first..end]) {
            *next = index(pointer.index() - origin);
        }
        parts.push(Part { columns: first..end, next, indices, values });
        first = end;
    }
    parallel::for_each(parts.into_iter(), |part| {
        for_each_entry(a, part.columns, |r, c, value| {
            let at = part.next[c].index();
            (part.indices[at], part.values[at]) = (index(r), value.conj());
            part.next[c] = index(at + 1);
        });
    });
    Ok(memory::csr_from_parts((cols, rows), indptr, indices, values))
}

/// Calls `f(row, column − columns.start, value)` for the entries in `columns`, row by row.
fn for_each_entry<T: Scalar, I: Index>(
    a: &CsMatI<T, I>,
    columns: Range<usize>,
    mut f: impl FnMut(usize, usize, T),
) {
    let all = columns == (0..a.cols());
    for (r, row) in a.outer_iterator().enumerate() {
        let (mut indices, mut values) = (row.indices(), row.data());
        if !all {
            let from = indices.partition_point(|c| c.index() < columns.start);
            (indices, values) = (&indices[from..], &values[from..]);
        }
        for (c, &value) in indices.iter().zip(values) {
            if c.index() >= columns.end {
                break;
            }
            f(r, c.index() - columns.start, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn adjoint_is_that_of_sprs_for_any_number_of_threads() {
        // Enough entries for several threads; column 5 is empty, column 0 long.
        let (rows, cols) = (20_000, 300);
        let mut indptr = vec![0_i64];
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for r in 0..rows {
            let row = (0..cols).filter(|&c| c != 5 && (c == 0 || (r * 31 + c * 17) % 59 == 0));
            for c in row.filter(|_| r % 7 != 3) {
                indices.push(c as i64);
                values.push(Complex::new(r as f64, c as f64));
            }
            indptr.push(indices.len() as i64);
        }
        let a = CsMatI::new((rows, cols), indptr, indices, values);
        assert!(a.nnz() > ALONE);
        let expected = a.transpose_view().to_csr().map(|v: &Complex<f64>| v.conj());
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| adjoint(&a)).unwrap() == expected, "{threads} threads");
        }
        for shape in [(0, 0), (0, 3), (3, 0)] {
            let empty = CsMatI::<f32, i32>::zero(shape);
            assert_eq!(adjoint(&empty).unwrap().shape(), (shape.1, shape.0));
        }
    }
}
