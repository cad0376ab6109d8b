//! The discrete gradient of an image, and its adjoint, minus the divergence.

use super::apply::{as_column, as_column_mut};
use super::{BatchOperator, LinearOperator};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, Zip, s};

/// Forward differences of a `rows`×`cols` image along both axes, the last one of each line zero.
///
/// The image is row-major, `x[i·cols + j]`; with `N = rows·cols` the shape is `(2N, N)`:
///
/// - `y[i·cols + j] = x[i+1, j] − x[i, j]`, zero for `i = rows − 1`: down the rows;
/// - `y[N + i·cols + j] = x[i, j+1] − x[i, j]`, zero for `j = cols − 1`: along the columns.
///
/// The gradient of total variation (Rudin, Osher, Fatemi 1992, DOI 10.1016/0167-2789(92)90242-F; these boundary
/// rows are Chambolle's, 2004, DOI 10.1023/B:JMIV.0000011325.36760.1e). O(N), no memory, batches without scratch.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Gradient2d};
/// let g = Gradient2d::new(2, 2)?;
/// assert_eq!(g.apply(&[1.0, 2.0, 5.0, 9.0])?, [4.0, 7.0, 0.0, 0.0, 1.0, 0.0, 4.0, 0.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gradient2d {
    rows: usize,
    cols: usize,
}

impl Gradient2d {
    /// The gradient of images with `rows` rows and `cols` columns.
    ///
    /// # Errors
    /// [`Error::Overflow`] if twice the number of pixels is too large to count.
    pub fn new(rows: usize, cols: usize) -> Result<Self> {
        let fits = rows.checked_mul(cols).and_then(|n| n.checked_mul(2)).is_some();
        let gradient = Gradient2d { rows, cols };
        fits.then_some(gradient).ok_or_else(|| Error::Overflow {
            what: "the gradient",
            detail: format!("2 times {rows} times {cols} elements"),
            hint: "use a smaller image",
        })
    }

    fn pixels(&self) -> usize {
        self.rows * self.cols
    }

    fn forward_matrix<T: Scalar>(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>) {
        let (w, n) = (self.cols, self.pixels());
        if n == 0 {
            return;
        }
        let (mut down, mut along) = y.split_at(ndarray::Axis(0), n);
        let minus = |y: &mut T, &a: &T, &b: &T| *y = b - a;
        let last = n - w;
        Zip::from(down.slice_mut(s![..last, ..]))
            .and(x.slice(s![..last, ..]))
            .and(x.slice(s![w.., ..]))
            .for_each(minus);
        down.slice_mut(s![last.., ..]).fill(T::zero());
        for row in (0..n).step_by(w) {
            let end = row + w - 1;
            Zip::from(along.slice_mut(s![row..end, ..]))
                .and(x.slice(s![row..end, ..]))
                .and(x.slice(s![row + 1..=end, ..]))
                .for_each(minus);
            along.row_mut(end).fill(T::zero());
        }
    }

    fn adjoint_matrix<T: Scalar>(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>) {
        x.fill(T::zero());
        let (w, n) = (self.cols, self.pixels());
        if n == 0 {
            return;
        }
        let (down, along) = y.split_at(ndarray::Axis(0), n);
        // Every difference is taken from the pixel it starts at and added to the one it ends at.
        let mut spread = |y: ArrayView2<T>, from: usize, to: usize| {
            let len = y.nrows();
            x.slice_mut(s![from..from + len, ..]).zip_mut_with(&y, |x, &y| *x -= y);
            x.slice_mut(s![to..to + len, ..]).zip_mut_with(&y, |x, &y| *x += y);
        };
        spread(down.slice(s![..n - w, ..]), 0, w);
        for row in (0..n).step_by(w) {
            spread(along.slice(s![row..row + w - 1, ..]), row, row + 1);
        }
    }
}

impl<T: Scalar> LinearOperator<[T]> for Gradient2d {
    fn shape(&self) -> (usize, usize) {
        (2 * self.pixels(), self.pixels())
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.forward_matrix(as_column(x), as_column_mut(y));
        Ok(())
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.adjoint_matrix(as_column(y), as_column_mut(x));
        Ok(())
    }
}

impl<T: Scalar> BatchOperator<T> for Gradient2d {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        self.forward_matrix(x, y);
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        self.adjoint_matrix(y, x);
        Ok(())
    }

    fn batch_scratch_len(&self, _cols: usize) -> usize {
        0
    }
}
