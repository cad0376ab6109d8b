//! Convolutions as sparse matrices: builders, exports, and the operator that multiplies with a matrix.

mod assemble;
mod banded;
mod build;
mod dense;
mod matlab;
mod normal;
mod operator;
mod template;
mod transpose;
mod update;

pub use banded::{Banded, Diagonals};
pub use matlab::{convmtx, convmtx_row, convmtx2};
pub use operator::CsrOperator;

use crate::error::Result;
use crate::memory::Index;
use crate::stencil::Side;
use build::{Content, build};
use sprs::CsMatI;

crate::conv::on_descriptions! {
    /// The sparse matrix `A` with `A x` equal to this convolution of `x`, in compressed rows.
    ///
    /// Shape [`shape()`](Self::shape). Row `i` holds the taps reaching `y[i]`, columns ascending, no duplicates; zero taps and
    /// coefficients that cancel are not stored, as in MATLAB's `sparse`
    /// ([`to_csr_keeping_zeros`](Self::to_csr_keeping_zeros) stores them). O(nnz) time and memory, `nnz ≤ rows·taps`: entries
    /// are counted, then written once, in parallel, at the speed of fresh memory.
    ///
    /// # Errors
    /// [`Error::Overflow`](crate::Error::Overflow) when an index does not fit into `i32`: use
    /// [`to_csr_wide`](Self::to_csr_wide). [`Error::Memory`](crate::Error::Memory) with the number of bytes when the
    /// matrix does not fit into memory: use [`to_direct`](Self::to_direct).
    ///
    /// # Examples
    /// ```
    /// use convmtx::{Conv1d, ConvMode};
    /// let a = Conv1d::new(&[1.0, 2.0, 3.0], 4, ConvMode::Valid)?.to_csr()?;
    /// assert_eq!(a.shape(), (2, 4));
    /// assert_eq!(a.get(0, 0), Some(&3.0)); // row 0 is [3 2 1 0]
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn to_csr(&self) -> Result<CsMatI<T, i32>> {
        build(self.bank(), Side::Forward, Content::Nonzero, |v| v)
    }

    /// [`to_csr`](Self::to_csr) with 64-bit indices, for matrices with 2³¹ entries and more.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the matrix does not fit into memory.
    pub fn to_csr_wide(&self) -> Result<CsMatI<T, i64>> {
        build(self.bank(), Side::Forward, Content::Nonzero, |v| v)
    }

    /// [`to_csr`](Self::to_csr) with an entry wherever a tap meets a sample, zero or not: one pattern for every kernel
    /// of this size, which [`update_csr`](Self::update_csr) fills with other coefficients in place.
    ///
    /// # Errors
    /// As [`to_csr`](Self::to_csr).
    pub fn to_csr_keeping_zeros(&self) -> Result<CsMatI<T, i32>> {
        build(self.bank(), Side::Forward, Content::Pattern, |v| v)
    }

    /// [`to_csr_keeping_zeros`](Self::to_csr_keeping_zeros) with 64-bit indices.
    ///
    /// # Errors
    /// As [`to_csr_wide`](Self::to_csr_wide).
    pub fn to_csr_keeping_zeros_wide(&self) -> Result<CsMatI<T, i64>> {
        build(self.bank(), Side::Forward, Content::Pattern, |v| v)
    }

    /// The matrix in compressed columns, built as directly as the rows are.
    ///
    /// # Errors
    /// As [`to_csr`](Self::to_csr).
    pub fn to_csc(&self) -> Result<CsMatI<T, i32>> {
        Ok(build(self.bank(), Side::Adjoint, Content::Nonzero, |v| v)?.transpose_into())
    }

    /// The transpose Aᵀ in compressed rows, without conjugation.
    ///
    /// # Errors
    /// As [`to_csr`](Self::to_csr).
    pub fn to_csr_transpose(&self) -> Result<CsMatI<T, i32>> {
        build(self.bank(), Side::Adjoint, Content::Nonzero, |v| v)
    }

    /// The adjoint Aᴴ in compressed rows: the conjugate transpose.
    ///
    /// # Errors
    /// As [`to_csr`](Self::to_csr).
    pub fn to_csr_adjoint(&self) -> Result<CsMatI<T, i32>> {
        build(self.bank(), Side::Adjoint, Content::Nonzero, |v| v.conj())
    }
}

/// `value` as an index; the callers have checked that it fits.
fn index<I: Index>(value: usize) -> I {
    I::from_usize_unchecked(value)
}

/// Rows and columns of a matrix in words.
fn in_words((rows, cols): (usize, usize)) -> String {
    format!("{rows} rows, {cols} columns")
}
