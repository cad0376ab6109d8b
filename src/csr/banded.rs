//! One-dimensional convolutions as banded matrices: LAPACK's band storage and SciPy's diagonals.

use crate::boundary::Extension;
use crate::conv::{Conv, Traversal};
use crate::error::{Error, Result};
use crate::memory;
use crate::scalar::Scalar;
use crate::stencil::Side;

/// A banded matrix in LAPACK's storage: column-major, one column per column of the matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Banded<T> {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
    /// Number of subdiagonals.
    pub kl: usize,
    /// Number of superdiagonals.
    pub ku: usize,
    /// Unused rows at the top of `data`: 0 for `gbmv`, `kl` for `gbtrf`, which needs room for fill-in.
    pub lead: usize,
    /// `A[i, j]` is `data[lead + ku + i − j + j·ldab]`.
    pub data: Vec<T>,
}

impl<T: Scalar> Banded<T> {
    /// The leading dimension: rows of the storage, `lead + ku + kl + 1`.
    pub fn ldab(&self) -> usize {
        self.lead + self.ku + self.kl + 1
    }

    /// `A[i, j]`, zero outside the band.
    pub fn get(&self, i: usize, j: usize) -> T {
        let inside = i < self.rows && j < self.cols && i + self.ku >= j && j + self.kl >= i;
        if inside { self.data[self.lead + self.ku + i - j + j * self.ldab()] } else { T::zero() }
    }
}

/// The non-empty diagonals of a matrix, as SciPy's `dia_array((data, offsets), shape)` takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagonals<T> {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
    /// Column minus row of each diagonal, ascending.
    pub offsets: Vec<i64>,
    /// Row-major, `offsets.len()` × `cols`: `data[d·cols + j]` is `A[j − offsets[d], j]`.
    pub data: Vec<T>,
}

impl<T: Scalar> Conv<T, 1> {
    /// The matrix in the storage of LAPACK's `gbmv`.
    ///
    /// `kl = max(Kₑ − 1 − offset, 0)` and `ku = max(offset, 0)`, and more where the boundary puts entries further out.
    /// `(kl + ku + 1)·n` elements.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a stride above 1 or a periodic boundary, whose matrices are not banded;
    /// [`Error::Memory`].
    ///
    /// # Examples
    /// ```
    /// use convmtx::{Conv1d, ConvMode};
    /// let band = Conv1d::new(&[1.0, 2.0, 3.0], 4, ConvMode::Same)?.to_banded()?;
    /// assert_eq!((band.kl, band.ku), (1, 1));
    /// assert_eq!(band.get(1, 0), 3.0);
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn to_banded(&self) -> Result<Banded<T>> {
        self.banded(false)
    }

    /// The matrix in the storage of LAPACK's `gbtrf`, with `kl` rows of zeros on top for fill-in.
    ///
    /// # Errors
    /// As [`to_banded`](Self::to_banded).
    pub fn to_banded_with_fill(&self) -> Result<Banded<T>> {
        self.banded(true)
    }

    fn banded(&self, fill: bool) -> Result<Banded<T>> {
        self.refuse_unbanded("a band matrix")?;
        let (rows, cols) = self.shape();
        let band = *self.axes()[0].band();
        let reach = band.span() as i64 - 1 - band.offset(); // lengths below 2^61
        let (mut kl, mut ku) = (reach.max(0), band.offset().max(0));
        let least = (kl as u128 + ku as u128 + 1) * cols as u128; // both at least 0
        memory::check_available("the band matrix", least * size_of::<T>() as u128)?;
        self.for_each(&mut |i, j, _| {
            kl = kl.max(i as i64 - j as i64);
            ku = ku.max(j as i64 - i as i64);
        })?;
        let (kl, ku) = (kl as usize, ku as usize); // both at least 0
        let lead = if fill { kl } else { 0 };
        let mut banded = Banded { rows, cols, kl, ku, lead, data: Vec::new() };
        let len = banded.ldab().saturating_mul(cols);
        banded.data = memory::zeroed("the band matrix", len)?;
        let ldab = banded.ldab();
        self.for_each(&mut |i, j, value| banded.data[lead + ku + i - j + j * ldab] = value)?;
        Ok(banded)
    }

    /// The non-empty diagonals.
    ///
    /// # Errors
    /// As [`to_banded`](Self::to_banded).
    pub fn to_diagonals(&self) -> Result<Diagonals<T>> {
        self.refuse_unbanded("a matrix of few diagonals")?;
        let (rows, cols) = self.shape();
        // Every tap that is not zero has a diagonal of its own, if the kernel lies inside the signal anywhere.
        let inside = !self.axes()[0].band().inside().is_empty();
        let least = self.bank().kernels().iter().filter(|k| inside && !k.is_zero()).count().max(1);
        memory::check_available("the diagonals", least as u128 * cols as u128 * size_of::<T>() as u128)?; // widening
        let mut seen = std::collections::BTreeSet::new();
        self.for_each(&mut |i, j, _| {
            seen.insert(j as i64 - i as i64);
        })?;
        let offsets: Vec<i64> = seen.into_iter().collect();
        let len = offsets.len().saturating_mul(cols);
        let mut data = memory::zeroed("the diagonals", len)?;
        self.for_each(&mut |i, j, value| {
            let d = offsets.partition_point(|&o| o < j as i64 - i as i64);
            data[d * cols + j] = value;
        })?;
        Ok(Diagonals { rows, cols, offsets, data })
    }

    /// Calls `f(row, column, value)` for every non-zero, row by row.
    fn for_each(&self, f: &mut dyn FnMut(usize, usize, T)) -> Result<()> {
        let traversal = Traversal::new(self.bank())?;
        for i in 0..self.shape().0 {
            let kernels = self.bank().kernels();
            traversal.for_each_entry(Side::Forward, i, kernels, &mut [], |j, value| f(i, j, value));
        }
        Ok(())
    }

    fn refuse_unbanded(&self, what: &'static str) -> Result<()> {
        let axis = self.axes()[0];
        let reason = if axis.band().stride() > 1 {
            "with a stride the entries leave every band; use to_csr"
        } else if axis.extension() == Extension::Periodic {
            "a periodic boundary fills the corners; use to_csr"
        } else {
            return Ok(());
        };
        Err(Error::Unsupported { what, reason: reason.into() })
    }
}
