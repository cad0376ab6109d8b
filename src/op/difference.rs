//! Finite differences of a signal, without boundary rows.

use super::apply::{as_column, as_column_mut};
use super::{BatchOperator, LinearOperator};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, Zip, s};

/// First or second differences: the usual penalties of general-form Tikhonov.
///
/// | constructor | row | shape |
/// |---|---|---|
/// | [`first`](Self::first) | `[-1 1]`, `y[i] = x[i+1] − x[i]` | `(n−1, n)` |
/// | [`second`](Self::second) | `[1 −2 1]`, `y[i] = x[i] − 2x[i+1] + x[i+2]` | `(n−2, n)` |
///
/// A signal too short for one row gives an operator without rows. No memory, one or three additions per element;
/// batches are treated whole, without scratch. Works for every element type.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Difference};
/// let squares = [0.0, 1.0, 4.0, 9.0];
/// assert_eq!(Difference::first(4).apply(&squares)?, [1.0, 3.0, 5.0]);
/// assert_eq!(Difference::second(4).apply(&squares)?, [2.0, 2.0]);
/// assert_eq!(Difference::second(4).apply_adjoint(&[1.0, 10.0])?, [1.0, 8.0, -19.0, 10.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    n: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    First = 1,
    Second = 2,
}

impl Difference {
    /// First differences of signals of length `n`.
    pub fn first(n: usize) -> Self {
        Difference { n, order: Order::First }
    }

    /// Second differences of signals of length `n`.
    pub fn second(n: usize) -> Self {
        Difference { n, order: Order::Second }
    }

    /// Differences of an order that is known only at run time.
    ///
    /// # Errors
    /// [`Error::Value`] unless `order` is 1 or 2.
    pub fn of_order(order: usize, n: usize) -> Result<Self> {
        match order {
            1 => Ok(Difference::first(n)),
            2 => Ok(Difference::second(n)),
            _ => Err(Error::value("the order of the difference", "1 or 2", order)),
        }
    }

    fn rows(&self) -> usize {
        self.n.saturating_sub(self.order as usize)
    }

    fn forward_matrix<T: Scalar>(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>) {
        let m = self.rows();
        if m == 0 {
            return;
        }
        let shifted = |by: usize| x.slice(s![by..by + m, ..]);
        let y = Zip::from(y).and(shifted(0)).and(shifted(1));
        match self.order {
            Order::First => y.for_each(|y, &a, &b| *y = b - a),
            Order::Second => y.and(shifted(2)).for_each(|y, &a, &b, &c| *y = a - (b + b) + c),
        }
    }

    /// The same rows, read downwards: every `y[i]` is added where its row has entries.
    fn adjoint_matrix<T: Scalar>(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>) {
        x.fill(T::zero());
        let m = self.rows();
        if m == 0 {
            return;
        }
        let mut add = |at: usize, weigh: fn(T) -> T| {
            x.slice_mut(s![at..at + m, ..]).zip_mut_with(&y, |x, &y| *x += weigh(y));
        };
        match self.order {
            Order::First => {
                add(0, |y| -y);
                add(1, |y| y);
            }
            Order::Second => {
                add(0, |y| y);
                add(1, |y| -(y + y));
                add(2, |y| y);
            }
        }
    }
}

impl<T: Scalar> LinearOperator<[T]> for Difference {
    fn shape(&self) -> (usize, usize) {
        (self.rows(), self.n)
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

impl<T: Scalar> BatchOperator<T> for Difference {
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
