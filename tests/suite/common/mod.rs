//! Shared by all claims: the naive oracle, integer data, comparisons.

pub mod dense;
#[macro_use]
pub mod golden_data;
pub mod naive;
pub mod setting;

use convmtx::op::Apply;
use convmtx::op::LinearOperator;
use convmtx::{Boundary, Scalar};
use nalgebra::DMatrix;
use sprs::CsMatI;

/// The words of every boundary with a linear map of its own.
pub const BOUNDARIES: [&str; 6] = ["zero", "periodic", "symmetric", "reflect", "replicate", "antireflective"];

pub fn boundary<T: Scalar>(word: &str) -> Boundary<T> {
    match word {
        "zero" => Boundary::Zero,
        "periodic" | "circular" => Boundary::Periodic,
        "symmetric" => Boundary::Symmetric,
        "reflect" => Boundary::Reflect,
        "replicate" => Boundary::Replicate,
        "antireflective" => Boundary::Antireflective,
        _ => panic!("unknown boundary {word}"),
    }
}

/// Small integers (both parts), different in every place, some of them zero.
pub fn integers<T: Scalar>(len: usize, seed: usize) -> Vec<T> {
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) % 15) as f64 - 7.0
    };
    (0..len).map(|_| T::from_parts(convmtx::Real::of(next()), convmtx::Real::of(next()))).collect()
}

/// Row-major nested vectors as a matrix.
pub fn dense<T: Scalar>(rows: &[Vec<T>], cols: usize) -> DMatrix<T> {
    DMatrix::from_fn(rows.len(), cols, |i, j| rows[i][j])
}

/// A sparse matrix as a dense one, after checking its structure: sorted, unique, no stored zeros.
pub fn dense_of_csr<T: Scalar, I: sprs::SpIndex>(a: &CsMatI<T, I>) -> DMatrix<T> {
    a.check_compressed_structure().expect("a valid structure");
    assert!(a.data().iter().all(|v| !v.is_zero()), "no stored zeros");
    let mut dense = DMatrix::from_element(a.rows(), a.cols(), T::zero());
    for (&v, (r, c)) in a.iter() {
        dense[(r.index(), c.index())] = v;
    }
    dense
}

/// The dense matrix of an operator and of its adjoint, from unit vectors.
pub fn dense_of_operator<T: Scalar>(a: &impl LinearOperator<[T]>) -> (DMatrix<T>, DMatrix<T>) {
    let (m, n) = a.shape();
    let unit = |len: usize, i: usize| {
        let mut e = vec![T::zero(); len];
        e[i] = T::one();
        e
    };
    let (mut forward, mut adjoint) =
        (DMatrix::from_element(m, n, T::zero()), DMatrix::from_element(n, m, T::zero()));
    for j in 0..n {
        forward.column_mut(j).copy_from_slice(&a.apply(&unit(n, j)).unwrap());
    }
    for i in 0..m {
        adjoint.column_mut(i).copy_from_slice(&a.apply_adjoint(&unit(m, i)).unwrap());
    }
    (forward, adjoint)
}

/// The conjugate transpose.
pub fn adjoint<T: Scalar>(a: &DMatrix<T>) -> DMatrix<T> {
    DMatrix::from_fn(a.ncols(), a.nrows(), |i, j| a[(j, i)].conj())
}

/// Dense product in ascending order.
pub fn multiply<T: Scalar>(a: &DMatrix<T>, x: &[T]) -> Vec<T> {
    (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| a[(i, j)] * x[j]).sum()).collect()
}
