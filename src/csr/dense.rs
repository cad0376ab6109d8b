//! Small convolutions as dense matrices.

use crate::conv::Traversal;
use crate::error::{Error, Result};
use crate::memory;
use crate::stencil::Side;
use nalgebra::DMatrix;

crate::conv::on_descriptions! {
    /// The matrix with all its zeros, for small sizes: teaching, checking, dense factorisations.
    ///
    /// # Errors
    /// [`Error::Memory`] with the number of bytes when it does not fit into memory.
    ///
    /// # Examples
    /// ```
    /// use convmtx::{Conv1d, ConvMode};
    /// let a = Conv1d::new(&[1.0, 2.0], 2, ConvMode::Full)?.to_dense()?;
    /// assert_eq!(a, nalgebra::DMatrix::from_row_slice(3, 2, &[1.0, 0.0, 2.0, 1.0, 0.0, 2.0]));
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn to_dense(&self) -> Result<DMatrix<T>> {
        let (rows, cols) = self.shape();
        let elements = rows.checked_mul(cols).ok_or_else(|| Error::Overflow {
            what: "the dense matrix",
            detail: super::in_words((rows, cols)),
            hint: "use to_csr or to_direct",
        })?;
        let mut dense = DMatrix::from_vec(rows, cols, memory::zeroed("the dense matrix", elements)?);
        let traversal = Traversal::new(self.bank())?;
        let mut scratch = vec![T::default(); traversal.scratch_len()];
        for row in 0..rows {
            let kernels = self.bank().kernels();
            traversal.for_each_entry(Side::Forward, row, kernels, &mut scratch, |col, v| dense[(row, col)] = v);
        }
        Ok(dense)
    }
}
