//! Toeplitz systems, solved directly.

use super::problem::check_finite;
use crate::error::{Error, Result, check_len};
use crate::memory;
use crate::scalar::{Real, Scalar};
use ndarray::{Array2, ArrayView2};

/// The error of δ = 1 − ε_f ε_g, in units of ε times the sum of the moduli that went into it.
const ROUNDING: f64 = 4.0;

/// Partial sums of a dot product: enough to keep two vector units busy.
const LANES: usize = 8;

/// T x = b for a general square Toeplitz matrix, `T[i][j] = t[i − j]`, by Levinson's recursion.
///
/// Levinson 1947 in the form for matrices without symmetry (Trench 1964; Golub and Van Loan, *Matrix Computations*,
/// 4th edition, §4.7): the first and the last column of the inverse of every leading submatrix, each from the one
/// before. O(n²) time and O(n) memory, where elimination needs O(n³) and O(n²). Every further right-hand side costs
/// half of what the recursion costs, and shares it.
///
/// Every leading submatrix must be regular, and should be well-conditioned: positive definite matrices and
/// diagonally dominant ones are good, a zero on the diagonal is refused. The matrix of a cropped convolution (`Same`)
/// is a Toeplitz matrix; for least squares with it, and for ill-conditioned ones, take [`Lsqr`](super::Lsqr).
///
/// # Examples
/// ```
/// use convmtx::solve::Levinson;
/// let t = Levinson::new(&[4.0, 1.0, 0.0], &[4.0, 2.0, 1.0])?; // rows 4 2 1, 1 4 2, 0 1 4
/// let x = t.solve(&[7.0, 7.0, 5.0])?;
/// assert!(x.iter().all(|v: &f64| (v - 1.0).abs() < 1e-14));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Levinson<T> {
    /// The first column and the first row, both in reverse order: t[n − 1], …, t[0] and t[1 − n], …, t[0].
    column: Vec<T>,
    row: Vec<T>,
}

impl<T: Scalar> Levinson<T> {
    /// The matrix with this first column and first row; `row[0]` is not looked at.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Length`] if the two differ in length, [`Error::NonFinite`].
    pub fn new(column: &[T], row: &[T]) -> Result<Self> {
        if column.is_empty() {
            return Err(Error::Empty { what: "the first column" });
        }
        check_len("the first row", column.len(), row.len())?;
        check_finite("the first column", column)?;
        check_finite("the first row", &row[1..])?;
        let reversed = |t: &[T]| [&column[..1], t].concat().into_iter().rev().collect();
        Ok(Levinson { column: reversed(&column[1..]), row: reversed(&row[1..]) })
    }

    /// The Hermitian matrix with this first column: the first row is its conjugate.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NonFinite`].
    pub fn hermitian(column: &[T]) -> Result<Self> {
        let row: Vec<T> = column.iter().map(|v| v.conj()).collect();
        Levinson::new(column, &row)
    }

    /// Rows, and columns.
    pub fn order(&self) -> usize {
        self.column.len()
    }

    /// The solution for one right-hand side.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NonFinite`], [`Error::Singular`] with the order of the first leading submatrix
    /// that is singular to this precision, [`Error::Memory`].
    pub fn solve(&self, b: &[T]) -> Result<Vec<T>> {
        check_len("b", self.order(), b.len())?;
        check_finite("b", b)?;
        let mut x = b.to_vec();
        self.recurse(&mut x)?;
        Ok(x)
    }

    /// The solutions for a batch of right-hand sides, one per column.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve), and [`Error::Shape`] if the columns have another length.
    pub fn solve_batch(&self, b: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let (n, (rows, columns)) = (self.order(), b.dim());
        if rows != n {
            return Err(Error::Shape { what: "b", expected: vec![n, columns], got: vec![rows, columns] });
        }
        let mut x = memory::zeroed("the solutions", b.len())?;
        for (x, &b) in x.iter_mut().zip(b.t().iter()) {
            *x = b; // one solution after the other
        }
        check_finite("b", x.as_slice())?;
        self.recurse(&mut x)?;
        let solutions = Array2::from_shape_vec((columns, n), x);
        Ok(solutions.map_err(|e| Error::value("b", "a shape", e))?.reversed_axes())
    }

    /// Turns right-hand sides, one after the other in `x`, into solutions.
    ///
    /// ```text
    /// T_k f = e_first, T_k g = e_last, T_k x = b[..k]; from k to k + 1:
    ///   ε_f ← (last row of T_{k+1})·[f; 0];  ε_g ← (first row)·[0; g];  δ ← 1 − ε_f ε_g
    ///   f ← ([f; 0] − ε_f [0; g])/δ;  g ← ([0; g] − ε_g [f; 0])/δ
    ///   x ← [x; 0] + (b[k] − (last row)·[x; 0])·g
    /// ```
    /// Deviation: `g`, like the matrix, is kept in reverse order: updates work in place, and products run forward.
    fn recurse(&self, x: &mut [T]) -> Result<()> {
        let n = self.order();
        // The last k elements before the one of the diagonal, which meet the first k of a vector.
        let column = |k: usize| &self.column[n - 1 - k..n - 1];
        let row = |k: usize| &self.row[n - 1 - k..n - 1];
        let mut f: Vec<T> = memory::zeroed("the recursion", n)?;
        let mut g = memory::zeroed("the recursion", n)?;
        let singular = |order| Error::Singular {
            what: "the Toeplitz matrix",
            order,
            hint: "solve by least squares (Lsqr, Lsmr), or add to its diagonal",
        };
        let first = T::one() / self.column[n - 1];
        if !first.finite() {
            return Err(singular(1));
        }
        (f[0], g[0]) = (first, first);
        for x in x.chunks_mut(n) {
            x[0] *= first;
        }
        for k in 1..n {
            let (ef, eg) = (dot(column(k), &f[..k]), dot(row(k), &g[..k]));
            let delta = T::one() - ef * eg;
            let scale = T::one() / delta;
            if !scale.finite() || is_rounding(delta, (column(k), &f, ef), (row(k), &g, eg)) {
                return Err(singular(k + 1));
            }
            for (f, g) in f[..=k].iter_mut().zip(g[..=k].iter_mut().rev()) {
                (*f, *g) = ((*f - ef * *g) * scale, (*g - eg * *f) * scale);
            }
            for x in x.chunks_mut(n) {
                let missing = x[k] - dot(column(k), &x[..k]);
                x[k] = T::zero();
                for (x, &g) in x[..=k].iter_mut().zip(g[..=k].iter().rev()) {
                    *x += missing * g;
                }
            }
        }
        Ok(())
    }
}

/// Whether no digit of δ is left: the submatrix cannot be told from a singular one.
fn is_rounding<T: Scalar>(delta: T, (c, f, ef): (&[T], &[T], T), (r, g, eg): (&[T], &[T], T)) -> bool {
    let size = |v: T| v.modulus().as_f64();
    if size(delta) > T::EPSILON.sqrt() {
        return false;
    }
    let terms = |t: &[T], v: &[T]| t.iter().zip(v).map(|(&t, &v)| size(t) * size(v)).sum::<f64>();
    let error = size(eg) * terms(c, f) + size(ef) * terms(r, g);
    size(delta) <= ROUNDING * T::EPSILON * error.max(1.0)
}

/// `Σ t[i]·v[i]`
fn dot<T: Scalar>(t: &[T], v: &[T]) -> T {
    let (ts, vs) = (t.chunks_exact(LANES), v.chunks_exact(LANES));
    let rest: T = ts.remainder().iter().zip(vs.remainder()).map(|(&t, &v)| t * v).sum();
    let mut lanes = [T::zero(); LANES];
    for (t, v) in ts.zip(vs) {
        for (lane, (&t, &v)) in lanes.iter_mut().zip(t.iter().zip(v)) {
            *lane += t * v;
        }
    }
    lanes.into_iter().sum::<T>() + rest
}
