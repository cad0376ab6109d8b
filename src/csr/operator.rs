//! Any sparse matrix as an operator.

use crate::error::{Error, Result};
use crate::memory::Index;
use crate::op::{BatchOperator, LinearOperator, by_columns};
use crate::parallel;
use crate::scalar::Scalar;
use crate::simd::{Summation, gather_rows};
use ndarray::{ArrayView2, ArrayViewMut2};
use sprs::CsMatI;
use std::ops::Range;

/// `y = A x` and `x = Aᴴ y` with a matrix in compressed rows, one vector or a batch of them.
///
/// Always sums in ascending order ([`Summation::Ascending`]): product, batch product and adjoint have the same bits
/// as the direct engine in that mode, for any layout and number of threads. Rows are shared among threads; the adjoint shares
/// columns, each thread reading the rows that reach its own, so that nothing is added concurrently.
///
/// # Examples
/// ```
/// use convmtx::{Conv1d, ConvMode, csr::CsrOperator, op::Apply};
/// let matrix = Conv1d::new(&[1.0, -1.0], 3, ConvMode::Valid)?.to_csr()?;
/// let a = CsrOperator::new(matrix)?;
/// assert_eq!(a.apply(&[1.0, 4.0, 9.0])?, [3.0, 5.0]);
/// assert_eq!(a.apply_adjoint(&[1.0, 1.0])?, [-1.0, 0.0, 1.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CsrOperator<T, I: Index = i32> {
    matrix: CsMatI<T, I>,
    /// Columns per part of the adjoint.
    column_part: usize,
    /// For each part of the columns the rows that reach it, ascending.
    reach: Vec<Vec<Range<usize>>>,
}

/// Rows without an entry that a range of rows may bridge, to keep the ranges few.
const GAP: usize = 64;

impl<T: Scalar, I: Index> CsrOperator<T, I> {
    /// Takes a matrix in compressed rows with sorted columns, as all builders of this crate make it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for compressed columns: convert with `to_csr()`.
    pub fn new(matrix: CsMatI<T, I>) -> Result<Self> {
        if !matrix.is_csr() {
            return Err(Error::Unsupported {
                what: "a matrix in compressed columns as an operator",
                reason: "products run along rows; convert it with to_csr()".into(),
            });
        }
        let cols = matrix.cols();
        let column_part = parallel::part_len(cols, matrix.nnz().div_ceil(cols.max(1)));
        let mut reach = vec![Vec::<Range<usize>>::new(); cols.div_ceil(column_part)];
        for (r, row) in matrix.outer_iterator().enumerate() {
            let mut columns = row.indices();
            while let Some(first) = columns.first() {
                let part = first.index() / column_part;
                let here = columns.partition_point(|c| c.index() < (part + 1) * column_part);
                columns = &columns[here..];
                match reach[part].last_mut() {
                    Some(last) if r < last.end + GAP => last.end = r + 1,
                    _ => reach[part].push(r..r + 1),
                }
            }
        }
        Ok(CsrOperator { matrix, column_part, reach })
    }

    /// The matrix.
    pub fn matrix(&self) -> &CsMatI<T, I> {
        &self.matrix
    }

    /// The matrix back.
    pub fn into_matrix(self) -> CsMatI<T, I> {
        self.matrix
    }

    /// Columns and values of a row.
    fn row(&self, r: usize) -> (&[I], &[T]) {
        let range = self.matrix.indptr().outer_inds_sz(r);
        (&self.matrix.indices()[range.clone()], &self.matrix.data()[range])
    }

    /// Multiply-adds of a row on average.
    fn work(&self) -> usize {
        self.matrix.nnz().div_ceil(self.matrix.rows().max(1))
    }

    /// Calls `f(column − columns.start, conj(value), row)` for all entries in `columns`, rows ascending.
    fn for_each_in_columns(&self, part: usize, columns: Range<usize>, mut f: impl FnMut(usize, T, usize)) {
        for r in self.reach[part].iter().flat_map(Clone::clone) {
            let (indices, values) = self.row(r);
            let from = indices.partition_point(|c| c.index() < columns.start);
            for (c, v) in indices[from..].iter().zip(&values[from..]) {
                if c.index() >= columns.end {
                    break;
                }
                f(c.index() - columns.start, v.conj(), r);
            }
        }
    }
}

impl<T: Scalar, I: Index> LinearOperator<[T]> for CsrOperator<T, I> {
    fn shape(&self) -> (usize, usize) {
        self.matrix.shape()
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        let part = parallel::part_len(y.len(), self.work());
        parallel::for_each_part(y, part, &mut [], 0, |start, y, _: &mut [()]| {
            for (r, y) in y.iter_mut().enumerate() {
                let (indices, values) = self.row(start + r);
                *y = T::zero();
                for (c, &v) in indices.iter().zip(values) {
                    *y += v * x[c.index()];
                }
            }
            Ok(())
        })
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        parallel::for_each_part(x, self.column_part, &mut [], 0, |start, x, _: &mut [()]| {
            x.fill(T::zero());
            let columns = start..start + x.len();
            self.for_each_in_columns(start / self.column_part, columns, |c, v, r| x[c] += v * y[r]);
            Ok(())
        })
    }
}

impl<T: Scalar, I: Index> BatchOperator<T> for CsrOperator<T, I> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let cols = x.ncols();
        if cols > 1
            && let (Some(x), Some(y)) = (x.as_slice(), y.as_slice_mut())
        {
            let part = parallel::part_len(self.matrix.rows(), self.work().saturating_mul(cols)) * cols;
            return parallel::for_each_part(y, part, &mut [], 0, |start, y, _: &mut [()]| {
                for (r, y) in y.chunks_mut(cols).enumerate() {
                    let (indices, values) = self.row(start / cols + r);
                    y.fill(T::zero());
                    gather_rows(values, indices, x, cols, y, Summation::Ascending);
                }
                Ok(())
            });
        }
        by_columns(x, y, scratch, 0, |x, y, s| self.forward(x, y, s))
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let cols = y.ncols();
        if cols > 1
            && let (Some(y), Some(x)) = (y.as_slice(), x.as_slice_mut())
        {
            return parallel::for_each_part(
                x,
                self.column_part * cols,
                &mut [],
                0,
                |start, x, _: &mut [()]| {
                    x.fill(T::zero());
                    let first = start / cols;
                    let columns = first..first + x.len() / cols;
                    self.for_each_in_columns(first / self.column_part, columns, |c, v, r| {
                        let row: [I; 1] = [I::from_usize(0)];
                        let out = &mut x[c * cols..(c + 1) * cols];
                        gather_rows(
                            &[v],
                            &row,
                            &y[r * cols..(r + 1) * cols],
                            cols,
                            out,
                            Summation::Ascending,
                        );
                    });
                    Ok(())
                },
            );
        }
        by_columns(y, x, scratch, 0, |y, x, s| self.adjoint(y, x, s))
    }
}
