//! The three questions this crate began with, every number of them.
//!
//! R0: convolve each row of A with the same row of B, for arrays of many gigabytes. R1: the backward pass of a
//! convolution layer, by the signal and by the kernel. R2: the matrix of a one-dimensional convolution.

use crate::common::golden_data::{Case, Group, MODES};
use crate::common::{dense_of_csr, dense_of_operator, integers, multiply};
use convmtx::csr::CsrOperator;
use convmtx::op::{Apply, Vector};
use convmtx::{Conv1d, Conv2d, ConvMode, FilterBank, Geometry, Layer, RowwiseConv};
use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, Ix2, IxDyn, s};

const PARTS: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

fn with_case(id: &str, test: impl FnOnce(&Group, &Case)) {
    let group = Group::load("seeds");
    test(&group, group.case(id));
}

fn rows_of(array: &ArrayD<f64>) -> ArrayView2<'_, f64> {
    array.view().into_dimensionality().unwrap()
}

/// Each row by itself: what the crate must agree with.
fn row_by_row(a: ArrayView2<f64>, b: ArrayView2<f64>, mode: ConvMode) -> Vec<f64> {
    let rows = a.rows().into_iter().zip(b.rows());
    let each =
        rows.map(|(a, b)| Conv1d::new(&b.to_vec(), a.len(), mode).unwrap().apply(&a.to_vec()).unwrap());
    each.flatten().collect()
}

fn integer_rows(rows: usize, len: usize, seed: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, len), integers(rows * len, seed)).unwrap()
}

// R0: row by row.

#[test]
fn r0_rows_of_4x10_with_rows_of_4x20_give_the_4x29_of_scipy_and_of_torch() {
    with_case("000_rowwise", |group, case| {
        let (a, b) = (case.input::<f64>("a"), case.input::<f64>("b"));
        let rows = RowwiseConv::new(rows_of(&b), (4, 10), ConvMode::Full).unwrap();
        assert_eq!(rows.output_shape(), (4, 29));
        let a = a.as_slice().unwrap();
        let matrix = CsrOperator::new(rows.to_csr().unwrap()).unwrap();
        for name in ["c", "c_torch"] {
            let want = case.expected::<f64>(name);
            let want = want.as_slice().unwrap();
            group.check(case, name, &rows.apply(a).unwrap(), want);
            group.check(case, name, &matrix.apply(a).unwrap(), want);
        }
        // As the depthwise layer that the answer builds, with kernels flipped and the right padding.
        let want = case.expected::<f64>("c");
        let flipped = b.slice(s![.., ..;-1]).to_owned().insert_axis(Axis(1)).into_dyn();
        let parameters = Layer::new().groups(4).padding([19]);
        let layer = FilterBank::<f64, 1>::layer(flipped.view(), [10], parameters).unwrap();
        group.check(case, "as a layer", &layer.apply(a).unwrap(), want.as_slice().unwrap());
    });
}

#[test]
fn r0_every_part_is_the_loop_over_rows_for_kernels_longer_and_shorter_than_signals() {
    for (m, n, p) in [(4, 10, 20), (4, 10, 3), (3, 7, 7), (5, 6, 1), (1, 9, 4), (2, 1, 5), (1, 1, 1)] {
        let (a, b) = (integer_rows(m, n, p), integer_rows(m, p, n));
        for mode in PARTS {
            let rows = RowwiseConv::new(b.view(), (m, n), mode).unwrap();
            let y = rows.apply(a.as_slice().unwrap()).unwrap();
            assert_eq!(y, row_by_row(a.view(), b.view(), mode), "{m} rows of {n} with {p}, {mode:?}");
        }
    }
}

#[test]
fn r0_no_rows_give_no_rows() {
    let rows = RowwiseConv::<f64>::new(Array2::zeros((0, 3)).view(), (0, 5), ConvMode::Full).unwrap();
    assert_eq!((rows.shape(), rows.output_shape()), ((0, 0), (0, 7)));
    assert_eq!(rows.apply(&[]).unwrap(), [0.0; 0]);
}

#[test]
fn r0_one_kernel_row_or_one_signal_row_serves_all() {
    let (a, b) = (integer_rows(4, 6, 1), integer_rows(4, 3, 2));
    for mode in PARTS {
        let shared = RowwiseConv::new(b.slice(s![..1, ..]), (4, 6), mode).unwrap();
        let all = b.slice(s![..1, ..]).broadcast((4, 3)).unwrap().to_owned();
        assert_eq!(shared.apply(a.as_slice().unwrap()).unwrap(), row_by_row(a.view(), all.view(), mode));
        let signal = a.slice(s![..1, ..]);
        let shared = RowwiseConv::new(b.view(), (1, 6), mode).unwrap();
        let all = signal.broadcast((4, 6)).unwrap().to_owned();
        assert_eq!(shared.apply(&signal.row(0).to_vec()).unwrap(), row_by_row(all.view(), b.view(), mode));
    }
}

/// The question's own expression, `convolve(A, B)[(2M − 1)/2]`, adds up all rows.
#[test]
fn r0_a_row_of_the_two_dimensional_convolution_is_not_row_by_row() {
    let (m, n, p) = (4, 10, 20);
    let (a, b) = (integer_rows(m, n, 1), integer_rows(m, p, 2));
    let both = Conv2d::new(&b, [m, n], ConvMode::Full).unwrap();
    let y = both.apply(a.as_slice().unwrap()).unwrap();
    let central = &y[(m - 1) * (n + p - 1)..m * (n + p - 1)];
    let upside_down = b.slice(s![..;-1, ..]).to_owned();
    let mut sum = vec![0.0; n + p - 1];
    for row in row_by_row(a.view(), upside_down.view(), ConvMode::Full).chunks(n + p - 1) {
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
    assert_eq!(central, sum);
    let rows = RowwiseConv::new(b.view(), (m, n), ConvMode::Full).unwrap();
    assert!(rows.apply(a.as_slice().unwrap()).unwrap().chunks(n + p - 1).all(|row| row != central));
}

/// The padding N + (P − 1)//2 of the answer is P − 1 by coincidence, for N = 10 and P = 20.
#[test]
fn r0_8_the_full_length_is_right_for_10_with_3_and_50_with_5() {
    for (n, p, full, by_the_answer) in [(10, 20, 29, 29), (10, 3, 12, 30), (50, 5, 54, 150)] {
        let (a, b) = (integer_rows(3, n, 1), integer_rows(3, p, 2));
        let rows = RowwiseConv::new(b.view(), (3, n), ConvMode::Full).unwrap();
        assert_eq!(rows.output_shape(), (3, full));
        let y = rows.apply(a.as_slice().unwrap()).unwrap();
        assert_eq!(y, row_by_row(a.view(), b.view(), ConvMode::Full));
        let flipped = b.slice(s![.., ..;-1]).to_owned().insert_axis(Axis(1)).into_dyn();
        let layer = |padding| {
            let parameters = Layer::new().groups(3).padding([padding]);
            FilterBank::<f64, 1>::layer(flipped.view(), [n], parameters).unwrap()
        };
        assert_eq!(layer(p - 1).apply(a.as_slice().unwrap()).unwrap(), y);
        assert_eq!(layer(n + (p - 1) / 2).output_shape(), (3, [by_the_answer]));
    }
}

#[test]
fn r0_7_correlation_is_a_word_and_not_a_flip_by_the_caller() {
    let (a, b) = (integer_rows(3, 8, 1), integer_rows(3, 4, 2));
    let flipped = b.slice(s![.., ..;-1]).to_owned();
    let rows = RowwiseConv::new(b.view(), (3, 8), Geometry::full().correlate()).unwrap();
    assert_eq!(
        rows.apply(a.as_slice().unwrap()).unwrap(),
        row_by_row(a.view(), flipped.view(), ConvMode::Full)
    );
}

// R1: the backward pass.

/// `Σ vals[i, j]·w0[k]` shifted to (i, j): the loops of the question.
fn scatter(vals: &ArrayD<f64>, w0: &ArrayD<f64>) -> Vec<f64> {
    let mut stack = Array3::<f64>::zeros((3, 7, 7));
    for ((i, j), &v) in rows_of(vals).indexed_iter() {
        let mut window = stack.slice_mut(s![.., i..i + 3, j..j + 3]);
        window.zip_mut_with(w0, |s, &w| *s += v * w);
    }
    stack.into_raw_vec_and_offset().0
}

#[test]
fn r1_scatter_of_kernels_gives_the_printed_3x7x7() {
    with_case("001_scatter", |_, case| {
        let (vals, w0) = (case.input::<f64>("vals"), case.input::<f64>("w0"));
        let stack = case.expected::<f64>("stack");
        assert_eq!(scatter(&vals, &w0), stack.as_slice().unwrap());
        // One image against three kernels, in one call.
        let bank = FilterBank::new(w0.view(), [5, 5], ConvMode::Full).unwrap();
        assert_eq!(bank.output_shape(), (3, [7, 7]));
        assert_eq!(bank.apply(vals.as_slice().unwrap()).unwrap(), stack.as_slice().unwrap());
        let matrix = CsrOperator::new(bank.to_csr().unwrap()).unwrap();
        assert_eq!(matrix.apply(vals.as_slice().unwrap()).unwrap(), stack.as_slice().unwrap());
        // And kernel by kernel.
        for (w, want) in w0.outer_iter().zip(stack.outer_iter()) {
            let conv = Conv2d::new(w.into_dimensionality::<Ix2>().unwrap(), [5, 5], ConvMode::Full).unwrap();
            assert_eq!(conv.apply(vals.as_slice().unwrap()).unwrap(), want.to_slice().unwrap());
        }
    });
}

#[test]
fn r1_cropped_by_one_pixel_it_is_same_the_printed_3x5x5() {
    with_case("001_scatter", |_, case| {
        let (vals, w0) = (case.input::<f64>("vals"), case.input::<f64>("w0"));
        let cropped = case.expected::<f64>("cropped");
        let bank = FilterBank::new(w0.view(), [5, 5], ConvMode::Same).unwrap();
        assert_eq!(bank.apply(vals.as_slice().unwrap()).unwrap(), cropped.as_slice().unwrap());
        let stack = case.expected::<f64>("stack");
        assert_eq!(stack.slice(s![.., 1..6, 1..6]).into_dyn(), cropped);
    });
}

/// The scatter is the adjoint of the layer whose weights are w0: correlation, valid for the 7×7, padded by one for
/// the 5×5.
#[test]
fn r1_3_the_scatter_is_the_adjoint_of_the_layer_by_its_input() {
    with_case("001_scatter", |_, case| {
        let (vals, w0) = (case.input::<f64>("vals"), case.input::<f64>("w0"));
        let vals = vals.as_slice().unwrap();
        for (name, n, padding) in [("stack", 7, 0), ("cropped", 5, 1)] {
            let want = case.expected::<f64>(name);
            // Three images in, one out: weights (1, 3, 3, 3).
            let weights = w0.clone().insert_axis(Axis(0));
            let parameters = Layer::new().padding([padding; 2]);
            let layer = FilterBank::<f64, 2>::layer(weights.view(), [n, n], parameters).unwrap();
            assert_eq!((layer.input_shape(), layer.output_shape()), ((3, [n, n]), (1, [5, 5])));
            let direct = layer.to_direct().unwrap();
            let matrix = CsrOperator::new(layer.to_csr().unwrap()).unwrap();
            assert_eq!(direct.apply_adjoint(vals).unwrap(), want.as_slice().unwrap());
            assert_eq!(matrix.apply_adjoint(vals).unwrap(), want.as_slice().unwrap());
            // ⟨A x, vals⟩ = ⟨x, Aᴴ vals⟩
            let x = integers::<f64>(3 * n * n, n);
            let left = layer.apply(&x).unwrap().dot(vals).unwrap();
            assert_eq!(left, x.dot(want.as_slice().unwrap()).unwrap());
            // torch's name for it.
            let transposed = FilterBank::<f64, 2>::transposed_layer(weights.view(), [5, 5], parameters);
            assert_eq!(transposed.unwrap().apply(vals).unwrap(), want.as_slice().unwrap());
            // As one correlation per kernel.
            for (w, want) in w0.outer_iter().zip(want.outer_iter()) {
                let geometry = Geometry::window([2 - padding as i64; 2], [5, 5]).correlate();
                let conv = Conv2d::new(w.into_dimensionality::<Ix2>().unwrap(), [n, n], geometry).unwrap();
                let back = conv.to_direct().unwrap().apply_adjoint(vals).unwrap();
                assert_eq!(back, want.to_slice().unwrap());
            }
        }
    });
}

#[test]
fn r1_kernel_gradient_in_one_call() {
    with_case("001_kernel_gradient", |_, case| {
        let (vals, a) = (case.vector::<f64>("vals"), case.vector::<f64>("a"));
        let grad = case.expected::<f64>("grad");
        assert_eq!(grad.as_slice().unwrap()[..9], [4.0, 56.0, 8.0, 1.0, -20.0, 1.0, 22.0, 12.0, 21.0]);
        // A layer of three inputs and one output, padded by one: the kernels themselves play no part.
        let weights = ArrayD::zeros(IxDyn(&[1, 3, 3, 3]));
        let layer = FilterBank::layer(weights.view(), [5, 5], Layer::new().padding([1, 1])).unwrap();
        assert_eq!(layer.adjoint_kernel(&a, &vals).unwrap(), grad.as_slice().unwrap());
    });
}

#[test]
fn r1_4_the_kernel_gradient_is_a_valid_correlation_of_the_padded_image_with_vals() {
    with_case("001_kernel_gradient", |_, case| {
        let (vals, a) = (case.input::<f64>("vals"), case.input::<f64>("a"));
        let grad = case.expected::<f64>("grad");
        assert_eq!(case.size("padding"), 1);
        for (a, want) in a.outer_iter().zip(grad.outer_iter()) {
            let a = a.into_dimensionality::<Ix2>().unwrap();
            let want = want.iter().copied().collect::<Vec<_>>();
            let mut padded = Array2::<f64>::zeros((7, 7));
            padded.slice_mut(s![1..6, 1..6]).assign(&a);
            // The loops of the question: every window weighted by vals.
            let mut looped = Array2::<f64>::zeros((3, 3));
            for ((i, j), &v) in rows_of(&vals).indexed_iter() {
                looped.scaled_add(v, &padded.slice(s![i..i + 3, j..j + 3]));
            }
            assert_eq!(looped.as_slice().unwrap(), want);
            let correlation = Conv2d::new(rows_of(&vals), [7, 7], Geometry::valid().correlate()).unwrap();
            assert_eq!(correlation.apply(padded.as_slice().unwrap()).unwrap(), want);
            // As the adjoint by the kernel of a correlation; of a true convolution it comes out rotated.
            let any = Array2::<f64>::ones((3, 3));
            let (a, vals) = (a.to_slice().unwrap(), vals.as_slice().unwrap());
            let correlation = Conv2d::new(&any, [5, 5], Geometry::same().correlate()).unwrap();
            assert_eq!(correlation.adjoint_kernel(a, vals).unwrap(), want);
            let convolution = Conv2d::new(&any, [5, 5], ConvMode::Same).unwrap();
            let rotated = convolution.adjoint_kernel(a, vals).unwrap();
            assert_eq!(rotated.into_iter().rev().collect::<Vec<_>>(), want);
        }
    });
}

/// The gradients of f = ½‖h ∗ x − y‖² are Aᴴr and Hᴴr. f is quadratic, so central differences with step 1 are exact, and
/// on integers exact to the last bit.
#[test]
fn r1_7_both_gradients_agree_with_finite_differences_in_every_part_and_parity() {
    fn twice_f(residual: &[f64]) -> f64 {
        residual.iter().map(|r| r * r).sum()
    }
    /// `4·∂f/∂v[i]` by central differences, for f as a function of `v`.
    fn differences(v: &[f64], twice_f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let at = |i: usize, step: f64| {
            let mut v = v.to_vec();
            v[i] += step;
            twice_f(&v)
        };
        (0..v.len()).map(|i| at(i, 1.0) - at(i, -1.0)).collect()
    }
    for (n, k) in [(6, 3), (6, 4), (5, 2), (3, 5), (3, 3), (4, 1)] {
        for mode in PARTS {
            let (x, h) = (integers::<f64>(n * n, 1), integers::<f64>(k * k, 2));
            let array = |h: &[f64]| Array2::from_shape_vec((k, k), h.to_vec()).unwrap();
            let build = |h: &[f64]| Conv2d::new(&array(h), [n, n], mode).unwrap();
            let conv = build(&h);
            let y = integers::<f64>(conv.shape().0, 3);
            let residual = |h: &[f64], x: &[f64]| {
                let image = build(h).apply(x).unwrap();
                image.iter().zip(&y).map(|(a, b)| a - b).collect::<Vec<_>>()
            };
            let r = residual(&h, &x);
            let quadruple = |v: Vec<f64>| v.into_iter().map(|v| 4.0 * v).collect::<Vec<_>>();
            let by_signal = quadruple(conv.to_direct().unwrap().apply_adjoint(&r).unwrap());
            assert_eq!(by_signal, differences(&x, |x| twice_f(&residual(&h, x))), "{n} {k} {mode:?}");
            let by_kernel = quadruple(conv.adjoint_kernel(&x, &r).unwrap());
            assert_eq!(by_kernel, differences(&h, |h| twice_f(&residual(h, &x))), "{n} {k} {mode:?}");
        }
    }
}

// R2: the matrix.

#[test]
fn r2_binomial_50_has_the_classic_sizes_and_nnz() {
    with_case("002_binomial50", |group, case| {
        let h = [1.0, 4.0, 6.0, 4.0, 1.0].map(|v| v / 16.0);
        assert_eq!(case.vector::<f64>("h"), h);
        for ((word, mode), (rows, nnz)) in MODES.into_iter().zip([(54, 250), (50, 244), (46, 230)]) {
            let a = Conv1d::new(&h, 50, mode).unwrap().to_csr().unwrap();
            assert_eq!((a.shape(), a.nnz()), ((rows, 50), nnz), "{word}");
            group.check_matrix(case, word, &a, &case.expected_matrix(word));
        }
    });
}

#[test]
fn r2_1_the_three_shapes_begin_at_0_half_and_k_minus_1_of_full() {
    for n in 1..7 {
        for k in 1..9_usize {
            let h = integers::<f64>(k, n);
            let of = |mode| dense_of_csr(&Conv1d::new(&h, n, mode).unwrap().to_csr().unwrap());
            let [full, same, valid] = PARTS.map(of);
            assert_eq!(full.nrows(), n + k - 1);
            assert_eq!(same, full.rows(k / 2, n), "{n} samples, {k} taps");
            // 2.3: the classic formula goes negative for kernels longer than the signal; here it is clamped.
            let rows = (n + 1).saturating_sub(k);
            assert_eq!(valid.shape(), (rows, n));
            assert_eq!(valid, full.rows(k - 1, rows), "{n} samples, {k} taps");
        }
    }
}

#[test]
fn r2_11_every_diagonal_is_constant_and_the_band_is_as_wide_as_the_kernel() {
    for mode in PARTS {
        let conv = Conv1d::new(&[1.0, 4.0, 6.0, 4.0, 1.0], 50, mode).unwrap();
        let a = conv.to_dense().unwrap();
        for i in 1..a.nrows() {
            for j in 1..a.ncols() {
                assert_eq!(a[(i, j)], a[(i - 1, j - 1)]);
            }
        }
        let diagonals = conv.to_diagonals().unwrap();
        assert_eq!(diagonals.offsets.len(), 5);
        let band = conv.to_banded().unwrap();
        assert_eq!(band.kl + band.ku + 1, 5);
    }
}

#[test]
fn r2_6_zero_taps_are_dropped_unless_the_pattern_is_kept() {
    let conv = Conv1d::new(&[0.0, 1.0, 0.0, 2.0, 0.0], 6, ConvMode::Full).unwrap();
    assert_eq!(conv.to_csr().unwrap().nnz(), 12);
    let kept = conv.to_csr_keeping_zeros().unwrap();
    assert_eq!(kept.nnz(), 30);
    let other = Conv1d::new(&[1.0; 5], 6, ConvMode::Full).unwrap().to_csr().unwrap();
    assert_eq!(
        (kept.indptr().raw_storage(), kept.indices()),
        (other.indptr().raw_storage(), other.indices())
    );
}

#[test]
fn r2_8_signals_as_columns_are_column_by_column_convolution() {
    let h = [1.0, 4.0, 6.0, 4.0, 1.0];
    let x = Array2::from_shape_vec((50, 7), integers::<f64>(350, 1)).unwrap();
    for mode in PARTS {
        let conv = Conv1d::new(&h, 50, mode).unwrap();
        let by_matrix = CsrOperator::new(conv.to_csr().unwrap()).unwrap().apply_batch(x.view()).unwrap();
        let by_engine = conv.to_direct().unwrap().apply_batch(x.view()).unwrap();
        assert_eq!(by_matrix, by_engine);
        for (x, y) in x.columns().into_iter().zip(by_matrix.columns()) {
            assert_eq!(conv.apply(&x.to_vec()).unwrap(), y.to_vec());
        }
    }
}

/// M, Mᵀ and MᵀM in least squares: the normal equations of the matrix and of the operator have the same minimiser.
#[test]
fn r2_10_matrix_and_operator_have_the_same_normal_equations() {
    let x = integers::<f64>(12, 3);
    let conv = Conv1d::new(&[1.0, 4.0, 7.0, 2.0], 12, ConvMode::Full).unwrap();
    let (a, at) = dense_of_operator(&conv.to_direct().unwrap());
    let normal = dense_of_csr(&conv.to_normal().unwrap());
    assert_eq!(normal, &at * &a);
    let b = conv.apply(&x).unwrap();
    let right = multiply(&at, &b);
    let solution = normal.cholesky().unwrap().solve(&nalgebra::DVector::from_vec(right));
    assert!(solution.iter().zip(&x).all(|(s, x)| (s - x).abs() < 1e-10), "{solution}");
}
