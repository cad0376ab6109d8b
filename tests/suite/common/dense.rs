//! A dense matrix as an operator, and the matrix of a convolution by its definition.

use convmtx::nalgebra::DMatrix;
use convmtx::op::{BatchOperator, LinearOperator};
use convmtx::{Real, Result, Scalar};

#[derive(Debug, Clone)]
pub struct Dense<T>(pub DMatrix<T>);

impl<T: Scalar> LinearOperator<[T]> for Dense<T> {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        for (i, y) in y.iter_mut().enumerate() {
            *y = x.iter().enumerate().map(|(j, &x)| self.0[(i, j)] * x).sum();
        }
        Ok(())
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        for (j, x) in x.iter_mut().enumerate() {
            *x = y.iter().enumerate().map(|(i, &y)| self.0[(i, j)].conj() * y).sum();
        }
        Ok(())
    }
}

impl<T: Scalar> BatchOperator<T> for Dense<T> {}

/// Output length and offset of a crop.
fn crop(shape: &str, taps: usize, n: usize) -> (usize, usize) {
    match shape {
        "full" => (n + taps - 1, 0),
        "same" => (n, taps / 2),
        "valid" => ((n + 1).saturating_sub(taps), taps - 1),
        other => panic!("no crop {other}"),
    }
}

/// `y[i] = Σ_t k[t]·x[i + offset − t]`
pub fn convolution<T: Scalar>(kernel: &[T], n: usize, shape: &str) -> Dense<T> {
    let (m, offset) = crop(shape, kernel.len(), n);
    let mut a = DMatrix::from_element(m, n, T::zero());
    for i in 0..m {
        for (t, &k) in kernel.iter().enumerate() {
            if let Some(j) = (i + offset).checked_sub(t).filter(|&j| j < n) {
                a[(i, j)] = k;
            }
        }
    }
    Dense(a)
}

/// A well-conditioned matrix with entries everywhere.
pub fn dense<T: Scalar>(m: usize, n: usize) -> Dense<T> {
    let part = |k: usize| T::Real::of((k * 37 % 23) as f64 / 23.0 - 0.4);
    Dense(DMatrix::from_fn(m, n, |i, j| {
        let diagonal = T::from_real(T::Real::of(if i == j { 3.0 } else { 0.0 }));
        diagonal + T::from_parts(part(i * n + 2 * j), part(3 * i + j * m + 1))
    }))
}

/// Whole numbers, different in most places.
pub fn vector<T: Scalar>(len: usize, shift: usize) -> Vec<T> {
    let part = |k: usize| T::Real::of((k * 31 % 17) as f64 - 8.0);
    (0..len).map(|i| T::from_parts(part(i + shift), part(i * i + 5))).collect()
}
