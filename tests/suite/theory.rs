//! Facts of theory that need no table: products of convolutions, eigenvalues, norms, sums.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use convmtx::nalgebra::DMatrix;
use convmtx::{Boundary, Conv1d, ConvMode, Geometry};
use proptest::prelude::*;
use std::f64::consts::PI;

/// The rounding of a product of two sums of this many terms, relative to numbers of size 1.
fn rounding(terms: usize) -> f64 {
    4.0 * f64::EPSILON * terms as f64
}

fn kernel() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.0..1.0_f64, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Convolving with h and then with k is convolving with k ∗ h: the matrices multiply.
    #[test]
    fn matrices_multiply_as_kernels_convolve(h in kernel(), k in kernel(), n in 1..40_usize) {
        let first = Conv1d::new(&h, n, ConvMode::Full).unwrap();
        let second = Conv1d::new(&k, first.shape().0, ConvMode::Full).unwrap();
        let both = Conv1d::new(&k, h.len(), ConvMode::Full).unwrap().apply(&h).unwrap();
        let product = &second.to_csr().unwrap() * &first.to_csr().unwrap();
        let direct = Conv1d::new(&both, n, ConvMode::Full).unwrap().to_csr().unwrap();
        // Compared as dense arrays: a coefficient that is zero up to rounding may be stored in one of them only.
        let epsilon = rounding(h.len().min(k.len()));
        assert_abs_diff_eq!(product.to_dense(), direct.to_dense(), epsilon = epsilon);
    }

    /// Kernel and signal may change places: x ∗ h = h ∗ x, and Σ (x ∗ h) = Σ x · Σ h.
    #[test]
    fn full_convolution_commutes_and_keeps_the_sum(h in kernel(), x in kernel()) {
        let xh = Conv1d::new(&h, x.len(), ConvMode::Full).unwrap().apply(&x).unwrap();
        let hx = Conv1d::new(&x, h.len(), ConvMode::Full).unwrap().apply(&h).unwrap();
        let epsilon = rounding(h.len() * x.len());
        assert_abs_diff_eq!(&xh[..], &hx[..], epsilon = epsilon);
        let sums = x.iter().sum::<f64>() * h.iter().sum::<f64>();
        assert_abs_diff_eq!(xh.iter().sum::<f64>(), sums, epsilon = epsilon);
    }

    /// ‖A‖₂ ≤ ‖h‖₁ with zeros beyond the ends and for periodic signals, ‖A‖₂² ≤ ‖A‖₁·‖A‖∞ always.
    #[test]
    fn norms_are_bounded(h in kernel(), n in 1..25_usize, which in 0..6_usize) {
        let boundary = [
            Boundary::Zero, Boundary::Periodic, Boundary::Symmetric,
            Boundary::Reflect, Boundary::Replicate, Boundary::Antireflective,
        ][which];
        let a = Conv1d::new(&h, n, Geometry::same().boundary(boundary)).unwrap().to_dense().unwrap();
        let norm = a.clone().svd(false, false).singular_values.max();
        let absolute = a.abs();
        let (rows, columns) = (absolute.column_sum().max(), absolute.row_sum().max());
        prop_assert!(norm * norm <= rows * columns * (1.0 + 1e-12) + f64::MIN_POSITIVE);
        if which < 2 {
            prop_assert!(norm <= h.iter().map(|t| t.abs()).sum::<f64>() * (1.0 + 1e-12) + f64::MIN_POSITIVE);
        }
    }
}

/// The eigenvalues of a symmetric matrix, ascending.
fn eigenvalues(a: DMatrix<f64>) -> Vec<f64> {
    let mut values: Vec<f64> = a.symmetric_eigen().eigenvalues.iter().copied().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The symmetric kernel (a, b, a) has eigenvalues b + 2a·cos θ, with θ given by the boundary: the sine transform
/// diagonalises zeros, the cosine transform mirrored ends, the Fourier transform periodic signals.
#[test]
fn symmetric_kernels_have_the_eigenvalues_of_their_transform() {
    let (a, b) = (0.7, -1.3);
    for n in [1, 2, 3, 8, 17] {
        let spectrum = |angle: &dyn Fn(f64) -> f64| {
            let mut values: Vec<f64> = (0..n).map(|k| b + 2.0 * a * angle(k as f64).cos()).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let len = n as f64;
        let matrix = |boundary| {
            Conv1d::new(&[a, b, a], n, Geometry::same().boundary(boundary)).unwrap().to_dense().unwrap()
        };
        let epsilon = rounding(n * n);
        let sine = spectrum(&|k| (k + 1.0) * PI / (len + 1.0));
        assert_abs_diff_eq!(&eigenvalues(matrix(Boundary::Zero))[..], &sine[..], epsilon = epsilon);
        let cosine = spectrum(&|k| k * PI / len);
        assert_abs_diff_eq!(&eigenvalues(matrix(Boundary::Symmetric))[..], &cosine[..], epsilon = epsilon);
        let fourier = spectrum(&|k| 2.0 * k * PI / len);
        assert_abs_diff_eq!(&eigenvalues(matrix(Boundary::Periodic))[..], &fourier[..], epsilon = epsilon);
    }
}

/// A constant signal stays constant under every extension that repeats samples, and a ramp under the antireflective one.
#[test]
fn extensions_keep_what_they_are_made_to_keep() {
    let h = [0.5, -0.25, 2.0, 0.125];
    let sum: f64 = h.iter().sum();
    for boundary in [
        Boundary::Periodic,
        Boundary::Symmetric,
        Boundary::Reflect,
        Boundary::Replicate,
        Boundary::Antireflective,
    ] {
        let y = Conv1d::new(&h, 9, Geometry::same().boundary(boundary)).unwrap().apply(&[3.0; 9]).unwrap();
        y.iter().for_each(|&y| assert_relative_eq!(y, 3.0 * sum));
    }
    let ramp: Vec<f64> = (0..9).map(f64::from).collect();
    let conv = Conv1d::new(&h, 9, Geometry::same().boundary(Boundary::Antireflective)).unwrap();
    let steps: Vec<f64> = conv.apply(&ramp).unwrap().windows(2).map(|w| w[1] - w[0]).collect();
    steps.iter().for_each(|&step| assert_relative_eq!(step, sum, epsilon = 1e-13));
}
