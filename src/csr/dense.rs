//! Small convolutions as dense matrices.

use crate::error::{Error, Result};
use crate::memory;
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
        memory::check_available("the dense matrix", elements as u128 * size_of::<T>() as u128)?; // widening
        let mut dense = DMatrix::from_element(rows, cols, T::zero());
        for (&value, (row, col)) in self.to_csr_wide()?.iter() {
            // Indices of a matrix whose sizes are usize.
            dense[(row as usize, col as usize)] = value;
        }
        Ok(dense)
    }
}
