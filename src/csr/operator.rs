//! Any sparse matrix as an operator.

use super::transpose;
use crate::error::{Error, Result};
use crate::memory::Index;
use crate::op::{BatchOperator, LinearOperator, as_column, as_column_mut};
use crate::parallel;
use crate::scalar::Scalar;
use crate::simd::{Compressed, Summation, spmm, spmv};
use ndarray::{ArrayView2, ArrayViewMut2};
use sprs::CsMatI;

/// Multiply-adds that take as long as reading an entry and its column.
const ENTRY: usize = 8;

/// `y = A x` and `x = Aᴴ y` with a matrix in compressed rows, one vector or a batch of them.
///
/// Every entry that is stored multiplies, zeros included. Rows are shared among threads in parts of about equal numbers of
/// entries, fixed by the matrix and the batch, so that no result depends on the number of threads. With
/// [`Summation::Ascending`] product, batch product and adjoint have the same bits as the direct engine in that mode, for
/// any layout of the batch. Batches are read and written where they are, in any layout; products need no scratch.
///
/// Memory: the matrix and, beside it, its adjoint in compressed rows, made by [`new`](Self::new). A transposed product
/// without it would add to results that several threads share, and load and store a result for every entry; with it, both
/// products are one and the same loop, and equally fast. A few products pay for making it. Where there is no room for a second
/// matrix, the operator of `to_direct` has none at all.
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
    matrix: Compressed<T, I>,
    adjoint: Compressed<T, I>,
    summation: Summation,
}

impl<T: Scalar, I: Index> CsrOperator<T, I> {
    /// Takes a matrix in compressed rows with ascending columns, as all builders of this crate make it, and makes its
    /// adjoint: O(nnz) time, and as much memory as the matrix.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for compressed columns (convert with `to_csr()`) and for rows that are not sorted;
    /// [`Error::Memory`] when the adjoint does not fit.
    pub fn new(matrix: CsMatI<T, I>) -> Result<Self> {
        let refuse = |what, reason: &str| Error::Unsupported { what, reason: reason.into() };
        if !matrix.is_csr() {
            let reason = "products run along rows; convert it with to_csr()";
            return Err(refuse("a matrix in compressed columns as an operator", reason));
        }
        let checked = |matrix| {
            Compressed::new(matrix).ok_or_else(|| {
                let reason = "columns must ascend in every row, without duplicates, and exist";
                refuse("a matrix with such indices as an operator", reason)
            })
        };
        let matrix = checked(matrix)?;
        let adjoint = checked(transpose::adjoint(matrix.matrix())?)?;
        Ok(CsrOperator { matrix, adjoint, summation: Summation::default() })
    }

    /// The same operator with another order of summation.
    pub fn with_summation(self, summation: Summation) -> Self {
        CsrOperator { summation, ..self }
    }

    /// The matrix.
    pub fn matrix(&self) -> &CsMatI<T, I> {
        self.matrix.matrix()
    }

    /// The matrix back.
    pub fn into_matrix(self) -> CsMatI<T, I> {
        self.matrix.into_matrix()
    }

    /// `Y ← M X`, any strides, with the matrix or its adjoint.
    fn product(&self, matrix: &Compressed<T, I>, x: ArrayView2<T>, y: ArrayViewMut2<T>) -> Result<()> {
        let (rows, cols) = y.dim();
        // A row costs something even without entries.
        let before = |r: usize| matrix.before(r) + r;
        let all = before(rows);
        let parts = parallel::parts(all.saturating_mul(cols.max(ENTRY))).min(rows.max(1));
        let begin = |part: usize| match part {
            0 => 0,
            part if part == parts => rows,
            part => first_row(rows, |r| before(r) as u128 * parts as u128 >= all as u128 * part as u128), // widening
        };
        let adjacent = cols > 1 && x.strides()[1] == 1 && y.strides()[1] == 1;
        parallel::for_each_block(y, parts, &begin, &|first, y| {
            let product = if adjacent { spmm } else { spmv };
            product(matrix, first, x, y, self.summation);
            Ok(())
        })
    }
}

/// The first of `rows` rows from which on `holds` is true; `rows` if there is none.
fn first_row(rows: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

impl<T: Scalar, I: Index> LinearOperator<[T]> for CsrOperator<T, I> {
    fn shape(&self) -> (usize, usize) {
        self.matrix().shape()
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.product(&self.matrix, as_column(x), as_column_mut(y))
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.product(&self.adjoint, as_column(y), as_column_mut(x))
    }
}

impl<T: Scalar, I: Index> BatchOperator<T> for CsrOperator<T, I> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        self.product(&self.matrix, x, y)
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        self.product(&self.adjoint, y, x)
    }

    fn batch_scratch_len(&self, _cols: usize) -> usize {
        0
    }
}
