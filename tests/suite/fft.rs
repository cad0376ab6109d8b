//! The FFT engine against the definition, its adjoint, its error bound, its blocks.
//!
//! Data are integers, so the definition is exact and every difference is the engine's; it must stay below the bound that the
//! engine states.

use crate::common::naive::{self, Axis};
use crate::common::setting::{Setting, any_setting};
use crate::common::*;
use convmtx::fft::FftConv;
use convmtx::op::{Apply, BatchOperator, LinearOperator, dottest, examine};
use convmtx::plan::{Accuracy, Engine};
use convmtx::{
    Boundary, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Error, Extension, FilterBank, Geometry, Layer,
    Order, Real, RowwiseConv, Scalar, Summation,
};
use nalgebra::DMatrix;
use ndarray::{Array, Array2, Array3, IxDyn};
use num_complex::Complex;
use proptest::prelude::*;
use std::fmt::Debug;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];
const CONVENTIONS: [Convention; 3] = [Convention::Matlab, Convention::Scipy, Convention::Numpy];

fn norm<T: Scalar>(v: &[T]) -> f64 {
    v.iter().map(|v| v.modulus_sq().as_f64()).sum::<f64>().sqrt()
}

/// Every element within the engine's own bound; returns the largest error relative to it.
fn within<T: Scalar>(got: &[T], expected: &[T], bound: f64, what: &dyn Debug) -> f64 {
    assert_eq!(got.len(), expected.len(), "{what:?}");
    let mut worst = 0.0_f64;
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        let error = (g - e).modulus().as_f64();
        assert!(error <= bound, "{what:?} [{i}]: {g}, expected {e}: off by {error:e}, bound {bound:e}");
        worst = worst.max(error);
    }
    if bound > 0.0 { worst / bound } else { 0.0 }
}

/// Both products with every unit vector.
fn is_matrix<T: Scalar, const D: usize>(a: &FftConv<T, D>, expected: &DMatrix<T>, what: &dyn Debug) {
    assert_eq!(a.shape(), expected.shape(), "{what:?}");
    let (forward, back) = dense_of_operator(a);
    within(forward.as_slice(), expected.as_slice(), a.error_bound(1.0), what);
    within(back.as_slice(), adjoint(expected).as_slice(), a.error_bound(1.0), &("adjoint", what));
}

/// Both products with two vectors, against another operator that is exact on integers.
fn equals<T: Scalar, const D: usize>(a: &FftConv<T, D>, exact: &impl LinearOperator<[T]>, what: &dyn Debug) {
    assert_eq!(a.shape(), exact.shape(), "{what:?}");
    let (x, y) = (integers::<T>(a.shape().1, 3), integers::<T>(a.shape().0, 4));
    within(&a.apply(&x).unwrap(), &exact.apply(&x).unwrap(), a.error_bound(norm(&x)), what);
    let back = a.apply_adjoint(&y).unwrap();
    within(&back, &exact.apply_adjoint(&y).unwrap(), a.error_bound(norm(&y)), &("adjoint", what));
}

fn one_dimension<T: Scalar>() {
    for n in [1, 2, 3, 5, 8] {
        for taps in [1, 2, 3, 4, 7] {
            let kernel = integers::<T>(taps, n);
            for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2), (2, 4)] {
                for boundary in BOUNDARIES {
                    for (mode, convention) in MODES.into_iter().flat_map(|m| CONVENTIONS.map(|c| (m, c))) {
                        let setting = Setting { mode, convention, n, taps, stride, dilation, boundary };
                        let geometry = Geometry::from(mode)
                            .convention(convention)
                            .boundary(crate::common::boundary(boundary))
                            .stride(stride)
                            .dilation(dilation);
                        let expected = dense(&naive::matrix(&[setting.axis()], &kernel), n);
                        let conv = Conv1d::new(&kernel, n, geometry).unwrap();
                        is_matrix(&conv.to_fft().unwrap(), &expected, &setting);
                        let mut reversed = kernel.clone();
                        reversed.reverse();
                        let correlation = Conv1d::new(&reversed, n, geometry.correlate()).unwrap();
                        is_matrix(&correlation.to_fft().unwrap(), &expected, &("correlation", setting));
                    }
                }
            }
        }
    }
}

#[test]
fn one_dimension_is_the_definition() {
    one_dimension::<f64>();
    one_dimension::<f32>();
    one_dimension::<Complex<f64>>();
    one_dimension::<Complex<f32>>();
}

#[test]
fn windows_before_inside_and_behind_the_signal() {
    for (n, taps) in [(1, 1), (4, 2), (5, 9)] {
        let kernel = integers::<f64>(taps, 2);
        for boundary in BOUNDARIES {
            for (stride, dilation) in [(1, 1), (2, 3), (9, 1)] {
                for offset in -12..20 {
                    for m in [0, 1, 4] {
                        let geometry = Geometry::window([offset], [m])
                            .boundary(crate::common::boundary(boundary))
                            .stride(stride)
                            .dilation(dilation);
                        let (s, d) = (stride as i64, dilation as i64);
                        let axis = Axis { n, m, taps, offset, stride: s, dilation: d, boundary };
                        let expected = dense(&naive::matrix(&[axis], &kernel), n);
                        let fft = Conv1d::new(&kernel, n, geometry).unwrap().to_fft().unwrap();
                        is_matrix(&fft, &expected, &axis);
                    }
                }
            }
        }
    }
}

/// What an axis of an image can be.
fn settings() -> Vec<Setting> {
    let mut all = Vec::new();
    for (b, boundary) in BOUNDARIES.into_iter().enumerate() {
        for (m, mode) in MODES.into_iter().enumerate() {
            let (n, taps) = [(5, 3), (4, 4), (2, 5), (1, 2)][(b + m) % 4];
            let (stride, dilation) = [(1, 1), (2, 1), (1, 2)][(b + 2 * m) % 3];
            let convention = CONVENTIONS[b % 3];
            // Where operands of SciPy and NumPy would swap along one axis only, they refuse.
            let convention = if mode == ConvMode::Valid { Convention::Matlab } else { convention };
            all.push(Setting { mode, convention, n, taps, stride, dilation, boundary });
        }
    }
    all
}

/// The geometry of these axes as an explicit window, which may differ from axis to axis.
fn geometry<T: Scalar, const D: usize>(settings: [Setting; D]) -> Geometry<T, D> {
    let axes = settings.map(|s| s.axis());
    Geometry::window(axes.map(|a| a.offset), axes.map(|a| a.m))
        .boundaries(axes.map(|a| crate::common::boundary(a.boundary)))
        .strides(settings.map(|s| s.stride))
        .dilations(settings.map(|s| s.dilation))
}

fn image<T: Scalar>(rows: Setting, columns: Setting) {
    let kernel = integers::<T>(rows.taps * columns.taps, rows.n + 7 * columns.n);
    let expected = naive::matrix(&[rows.axis(), columns.axis()], &kernel);
    let expected = dense(&expected, rows.n * columns.n);
    let psf = Array2::from_shape_vec((rows.taps, columns.taps), kernel).unwrap();
    let conv = Conv2d::new(&psf, [rows.n, columns.n], geometry([rows, columns])).unwrap();
    is_matrix(&conv.to_fft().unwrap(), &expected, &(rows, columns));
}

#[test]
fn images_with_every_pair_of_axes() {
    for (r, rows) in settings().into_iter().enumerate() {
        for (c, columns) in settings().into_iter().enumerate() {
            match (r + c) % 4 {
                0 => image::<f64>(rows, columns),
                1 => image::<Complex<f64>>(rows, columns),
                2 => image::<f32>(rows, columns),
                _ => image::<Complex<f32>>(rows, columns),
            }
        }
    }
}

#[test]
fn column_major_images() {
    let psf = Array2::from_shape_vec((3, 2), integers::<f64>(6, 1)).unwrap();
    let geometry =
        Geometry::same().boundaries([Boundary::Symmetric, Boundary::Zero]).order(Order::ColumnMajor);
    let conv = Conv2d::new(&psf, [4, 7], geometry).unwrap();
    is_matrix(&conv.to_fft().unwrap(), &conv.to_dense().unwrap(), &"column-major");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn volumes_are_the_definition(a in any_setting(1..5), b in any_setting(1..5), c in any_setting(1..5)) {
        let axes = [a, b, c];
        let taps = axes.map(|s| s.taps);
        let kernel = integers::<f64>(taps.iter().product(), 9);
        let expected = naive::matrix(&axes.map(|s| s.axis()), &kernel);
        let samples = axes.iter().map(|s| s.n).product();
        let kernel = Array3::from_shape_vec(taps, kernel).unwrap();
        let conv = Conv3d::new(&kernel, axes.map(|s| s.n), geometry(axes)).unwrap();
        is_matrix(&conv.to_fft().unwrap(), &dense(&expected, samples), &axes);
    }
}

fn array<T: Scalar>(shape: &[usize], seed: usize) -> Array<T, IxDyn> {
    Array::from_shape_vec(shape, integers(shape.iter().product(), seed)).unwrap()
}

fn layers<T: Scalar>() {
    for (groups, inputs, outputs) in [(1, 1, 3), (1, 3, 1), (1, 2, 3), (2, 2, 1), (3, 1, 2), (2, 2, 2)] {
        for (stride, padding, dilation) in [(1, 0, 1), (2, 1, 1), (1, 2, 2), (3, 2, 2)] {
            let what = (groups, inputs, outputs, stride, padding, dilation);
            let weights = |axes: &[usize]| array::<T>(&[&[groups * outputs, inputs][..], axes].concat(), 3);
            let transposed =
                |axes: &[usize]| array::<T>(&[&[groups * inputs, outputs][..], axes].concat(), 4);
            for mode in [Extension::Zero, Extension::Reflect, Extension::Periodic] {
                let one =
                    Layer::new().stride([stride]).padding([padding]).dilation([dilation]).groups(groups);
                let bank = FilterBank::layer(weights(&[3]).view(), [9], one.padding_mode(mode)).unwrap();
                is_matrix(&bank.to_fft().unwrap(), &bank.to_dense().unwrap(), &(what, mode));
                let two = Layer::new()
                    .stride([stride, 1])
                    .padding([padding, 1])
                    .dilation([dilation, 1])
                    .groups(groups);
                let bank =
                    FilterBank::layer(weights(&[2, 3]).view(), [5, 4], two.padding_mode(mode)).unwrap();
                is_matrix(&bank.to_fft().unwrap(), &bank.to_dense().unwrap(), &(what, mode));
                if mode == Extension::Zero {
                    let bank = FilterBank::transposed_layer(transposed(&[3]).view(), [6], one).unwrap();
                    is_matrix(&bank.to_fft().unwrap(), &bank.to_dense().unwrap(), &("transposed", what));
                    let bank = FilterBank::transposed_layer(transposed(&[2, 3]).view(), [3, 4], two).unwrap();
                    is_matrix(&bank.to_fft().unwrap(), &bank.to_dense().unwrap(), &("transposed", what));
                }
            }
        }
    }
}

#[test]
fn layers_sum_channels_in_the_spectrum() {
    layers::<f64>();
    layers::<Complex<f32>>();
}

#[test]
fn rows_with_rows_and_kernel_operators() {
    for (kernels, rows) in [(1, 1), (3, 3), (1, 4), (5, 1), (40, 40), (1, 33), (33, 1)] {
        for boundary in BOUNDARIES {
            let what = (kernels, rows, boundary);
            let geometry = Geometry::same().boundary(crate::common::boundary::<f64>(boundary));
            let taps = Array2::from_shape_vec((kernels, 4), integers(kernels * 4, 5)).unwrap();
            let conv = RowwiseConv::new(taps.view(), (rows, 7), geometry).unwrap();
            equals(&conv.to_fft().unwrap(), &conv.to_direct().unwrap(), &what);
            let h = conv.kernel_operator(&integers(conv.shape().1, 6)).unwrap();
            equals(&h.to_fft().unwrap(), &h.to_direct().unwrap(), &("kernels", what));
        }
    }
    let psf = Array2::from_shape_vec((5, 4), integers::<Complex<f64>>(20, 1)).unwrap();
    let conv = Conv2d::new(&psf, [9, 12], Geometry::same().boundary(Boundary::Reflect).stride(2)).unwrap();
    let h = conv.kernel_operator(&integers(108, 2)).unwrap();
    is_matrix(&h.to_fft().unwrap(), &h.to_dense().unwrap(), &"kernel operator of an image");
}

/// Long signals: more than one block, and the direct engine as the judge.
fn long<T: Scalar>(n: usize, taps: usize, expect_blocks: bool) {
    let kernel = integers::<T>(taps, 1);
    for boundary in BOUNDARIES {
        for (mode, stride, dilation) in
            [(ConvMode::Full, 1, 1), (ConvMode::Same, 1, 2), (ConvMode::Valid, 3, 1), (ConvMode::Same, 2, 3)]
        {
            let geometry = Geometry::from(mode)
                .boundary(crate::common::boundary(boundary))
                .stride(stride)
                .dilation(dilation);
            let conv = Conv1d::new(&kernel, n, geometry).unwrap();
            let what = (T::NAME, n, taps, mode, boundary, stride, dilation);
            let fft = conv.to_fft().unwrap();
            assert_eq!(fft.blocks() > 1, expect_blocks, "{what:?}: {fft:?}");
            equals(&fft, &conv.to_direct().unwrap(), &what);
        }
    }
}

#[test]
fn long_signals_in_blocks() {
    for n in [30_000, 30_001, 65_536] {
        long::<f64>(n, 17, true);
        long::<Complex<f32>>(n, 40, true);
    }
    long::<f32>(100_003, 300, true);
    long::<Complex<f64>>(20_000, 200, true);
    long::<f64>(900, 700, false);
    // A kernel far longer than the signal: only the taps that are reached.
    long::<f64>(50, 3000, false);
}

#[test]
fn banks_in_blocks() {
    for boundary in ["zero", "symmetric"] {
        let geometry = Geometry::same().boundary(crate::common::boundary::<f64>(boundary));
        for (kernels, rows) in [(1, 3), (3, 3), (3, 1), (20, 20), (20, 1), (1, 20)] {
            let taps = Array2::from_shape_vec((kernels, 9), integers(kernels * 9, 5)).unwrap();
            let conv = RowwiseConv::new(taps.view(), (rows, 20_000), geometry).unwrap();
            let fft = conv.to_fft().unwrap();
            assert!(fft.blocks() > 1);
            equals(&fft, &conv.to_direct().unwrap(), &(kernels, rows, boundary));
        }
        let layer = Layer::new().groups(2).stride([2]).padding([4]);
        let layer = if boundary == "zero" { layer } else { layer.padding_mode(Extension::Symmetric) };
        let bank = FilterBank::layer(array::<f64>(&[4, 3, 9], 7).view(), [20_000], layer).unwrap();
        equals(&bank.to_fft().unwrap(), &bank.to_direct().unwrap(), &boundary);
    }
    let layer = Layer::new().stride([3]).padding([2]);
    let bank = FilterBank::transposed_layer(array::<f64>(&[2, 3, 9], 7).view(), [9000], layer).unwrap();
    assert!(bank.to_fft().unwrap().blocks() > 1);
    equals(&bank.to_fft().unwrap(), &bank.to_direct().unwrap(), &"transposed layer");
}

#[test]
fn large_images_and_volumes() {
    for boundary in BOUNDARIES {
        let psf = Array2::from_shape_vec((31, 20), integers::<f64>(620, 1)).unwrap();
        let geometry = Geometry::same().boundary(crate::common::boundary(boundary));
        let conv = Conv2d::new(&psf, [150, 233], geometry).unwrap();
        equals(&conv.to_fft().unwrap(), &conv.to_direct().unwrap(), &boundary);
        let psf = Array2::from_shape_vec((9, 11), integers::<f32>(99, 1)).unwrap();
        let geometry = Geometry::same().boundary(crate::common::boundary(boundary)).stride(2);
        let conv = Conv2d::new(&psf, [401, 530], geometry).unwrap();
        assert!(conv.to_fft().unwrap().blocks() > 1, "tiles");
        equals(&conv.to_fft().unwrap(), &conv.to_direct().unwrap(), &(boundary, "tiles"));
        let kernel = Array3::from_shape_vec((5, 6, 7), integers::<f32>(210, 1)).unwrap();
        let geometry = Geometry::full().boundary(crate::common::boundary(boundary));
        let conv = Conv3d::new(&kernel, [20, 17, 31], geometry).unwrap();
        equals(&conv.to_fft().unwrap(), &conv.to_direct().unwrap(), &boundary);
    }
}

fn examined<T: Scalar>(a: &(impl BatchOperator<T> + ?Sized), what: &dyn Debug) {
    if let Err(broken) = examine(a, 5).and_then(|e| e.require()) {
        panic!("{} {what:?}: {broken}", T::NAME);
    }
}

fn examine_all<T: Scalar>() {
    for boundary in BOUNDARIES {
        for (mode, stride, dilation) in
            [(ConvMode::Full, 1, 2), (ConvMode::Same, 2, 1), (ConvMode::Valid, 1, 1)]
        {
            for (n, taps) in [(1, 1), (2, 7), (12, 5), (40, 9)] {
                let geometry = Geometry::from(mode)
                    .boundary(crate::common::boundary(boundary))
                    .stride(stride)
                    .dilation(dilation);
                let conv = Conv1d::new(&integers::<T>(taps, 4), n, geometry).unwrap();
                examined(&conv.to_fft().unwrap(), &(boundary, mode, stride, dilation, n, taps));
            }
            let geometry = Geometry::from(mode).boundary(crate::common::boundary(boundary)).stride(stride);
            let psf = Array2::from_shape_vec((4, 3), integers::<T>(12, 1)).unwrap();
            examined(&Conv2d::new(&psf, [9, 7], geometry).unwrap().to_fft().unwrap(), &(boundary, mode));
        }
        let long = Conv1d::new(
            &integers::<T>(7, 1),
            5000,
            Geometry::same().boundary(crate::common::boundary(boundary)),
        );
        let fft = long.unwrap().to_fft().unwrap();
        assert!(fft.blocks() > 1);
        examined(&fft, &(boundary, "blocks"));
    }
    let layer = Layer::new().stride([2, 1]).padding([1, 1]).groups(2);
    let bank = FilterBank::layer(array::<T>(&[4, 3, 3, 3], 7).view(), [8, 9], layer).unwrap();
    examined(&bank.to_fft().unwrap(), &"layer");
    let kernels = Array2::from_shape_vec((6, 5), integers::<T>(30, 1)).unwrap();
    let rows = RowwiseConv::new(kernels.view(), (6, 20), ConvMode::Full).unwrap();
    examined(&rows.to_fft().unwrap(), &"rows");
}

#[test]
fn every_kind_keeps_the_promises_of_an_operator() {
    examine_all::<f64>();
    examine_all::<f32>();
    examine_all::<Complex<f64>>();
    examine_all::<Complex<f32>>();
}

/// Numbers between −1 and 1.
fn random<T: Scalar>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        Real::of((state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
    };
    (0..len).map(|_| T::from_parts(next(), next())).collect()
}

/// The engine in f32 against the direct one in f64 on the same numbers.
#[test]
fn the_error_bound_holds_and_is_not_absurd() {
    let mut tightest = 0.0_f64;
    for (n, taps) in [(1, 1), (7, 3), (64, 64), (1000, 31), (1000, 999), (5000, 3), (40_000, 500)] {
        for seed in 0..8 {
            let (kernel, x) = (random::<f32>(taps, seed), random::<f32>(n, seed + 100));
            let concentrated: Vec<f32> = (0..n).map(|i| if i == n / 2 { x[i] } else { 0.0 }).collect();
            let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
            let fft = Conv1d::new(&kernel, n, ConvMode::Full).unwrap().to_fft().unwrap();
            let exact = Conv1d::new(&wide(&kernel), n, ConvMode::Full).unwrap().to_direct().unwrap();
            for x in [x, concentrated] {
                let (got, expected) = (wide(&fft.apply(&x).unwrap()), exact.apply(&wide(&x)).unwrap());
                let bound = fft.error_bound(norm(&x));
                tightest = tightest.max(within(&got, &expected, bound, &(n, taps, seed)));
            }
        }
    }
    println!("largest error: {tightest:.1e} of the bound");
    assert!(tightest > 1e-3, "the bound is {:.0} times the largest error seen", 1.0 / tightest);
}

fn bits<T: Scalar>(v: &[T]) -> Vec<(u64, u64)> {
    v.iter().map(|v| (v.re().as_f64().to_bits(), v.im().as_f64().to_bits())).collect()
}

/// Both products, with 1, 2 and 7 threads.
fn same_bits<T: Scalar, const D: usize>(a: &FftConv<T, D>, what: &str) {
    let (x, y) = (random::<T>(a.shape().1, 1), random::<T>(a.shape().0, 2));
    let batch =
        Array2::from_shape_fn((a.shape().1, 40.min(1 + 100_000 / x.len())), |(i, j)| x[(i + j) % x.len()]);
    let products = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let many = a.apply_batch(batch.view()).unwrap();
            [bits(&a.apply(&x).unwrap()), bits(&a.apply_adjoint(&y).unwrap()), bits(many.as_slice().unwrap())]
        })
    };
    let one = products(1);
    for threads in [2, 7] {
        assert!(products(threads) == one, "{what}: other bits with {threads} threads");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for boundary in ["zero", "antireflective"] {
        let one = Geometry::same().boundary(crate::common::boundary::<f64>(boundary));
        same_bits(&Conv1d::new(&random(50, 3), 300_000, one).unwrap().to_fft().unwrap(), "blocks");
        let psf = Array2::from_shape_vec((20, 30), random(600, 4)).unwrap();
        let two = Geometry::same().boundary(crate::common::boundary::<f32>(boundary));
        same_bits(&Conv2d::new(&psf, [300, 401], two).unwrap().to_fft().unwrap(), "image");
        let kernel = Array3::from_shape_vec((5, 5, 5), random(125, 5)).unwrap();
        let three = Geometry::full().boundary(crate::common::boundary::<f64>(boundary));
        same_bits(&Conv3d::new(&kernel, [30, 41, 52], three).unwrap().to_fft().unwrap(), "volume");
    }
    same_bits(&Conv1d::new(&random::<f32>(50, 3), 700, ConvMode::Full).unwrap().to_fft().unwrap(), "batch");
    let kernels = Array2::from_shape_vec((40, 30), random::<Complex<f64>>(1200, 6)).unwrap();
    let rows = RowwiseConv::new(kernels.view(), (40, 3000), ConvMode::Full).unwrap();
    same_bits(&rows.to_fft().unwrap(), "rows");
    let weights = Array::from_shape_vec(vec![4, 3, 5, 5], random::<f32>(300, 7)).unwrap();
    let bank = FilterBank::layer(weights.view(), [60, 70], Layer::new().padding([2, 2])).unwrap();
    same_bits(&bank.to_fft().unwrap(), "layer");
}

#[test]
fn a_million_samples_and_ten_thousand_taps() {
    let (n, taps) = (1_000_000, 10_000);
    let (kernel, x) = (random::<f64>(taps, 1), random::<f64>(n, 2));
    let fft = Conv1d::new(&kernel, n, ConvMode::Same).unwrap().to_fft().unwrap();
    let y = fft.apply(&x).unwrap();
    // A few outputs by the definition.
    for i in (0..n).step_by(99_991) {
        let terms = (0..taps).filter_map(|t| {
            let place = (i + taps / 2).checked_sub(t).filter(|&p| p < n)?;
            Some(kernel[t] * x[place])
        });
        assert!((y[i] - terms.sum::<f64>()).abs() <= fft.error_bound(norm(&x)), "output {i}");
    }
    assert!(dottest(&fft, 3).unwrap().passed());
}

#[test]
fn refuses_taps_that_are_not_finite() {
    for bad in [f64::NAN, f64::INFINITY] {
        let conv = Conv1d::new(&[1.0, bad, 2.0], 5, ConvMode::Full).unwrap();
        let error = conv.to_fft().unwrap_err();
        assert!(matches!(error, Error::NonFinite { index: 1, .. }), "{error}");
        assert!(conv.to_direct().is_ok());
    }
}

/// NaN and infinity reach the results that see them and no others, forward and adjoint, alone and in a batch.
#[test]
fn what_is_not_finite_stays_where_the_definition_puts_it() {
    let psf = Array2::from_shape_fn((9, 8), |(i, j)| 1.0 + (i * 8 + j) as f64);
    for word in BOUNDARIES {
        let line = Geometry::same().boundary(boundary(word));
        check_not_finite(&Conv1d::new(&random::<f64>(500, 3), 4000, line).unwrap());
        let image = Geometry::same().boundary(boundary(word));
        check_not_finite(&Conv2d::new(&psf, [40, 60], image).unwrap());
    }
    let kernels = Array::from_shape_fn(vec![3, 70], |i| (1 + i[0] + i[1]) as f64);
    let bank = FilterBank::new(kernels.view(), [900], Geometry::same()).unwrap();
    check_not_finite_of(&bank.plan_with(Engine::Fft).build().unwrap(), &bank.to_direct().unwrap());
}

fn check_not_finite<const D: usize>(conv: &convmtx::Conv<f64, D>) {
    let direct = conv.to_direct().unwrap();
    check_not_finite_of(&conv.plan_with(Engine::Fft).build().unwrap(), &direct);
    // Not in one dimension, and not for every boundary.
    if let Ok(separable) = conv.plan_with(Engine::Separable).build() {
        check_not_finite_of(&separable, &direct);
    }
}

fn check_not_finite_of(planned: &dyn BatchOperator<f64>, direct: &dyn BatchOperator<f64>) {
    let (m, n) = planned.shape();
    for places in [vec![n / 2], vec![0], vec![n - 1, n / 3], (0..n).step_by(7).collect()] {
        let spoil = |len: usize| {
            let mut x = random::<f64>(len, 9);
            for (i, &place) in places.iter().enumerate() {
                x[place % len] = [f64::NAN, f64::INFINITY][i % 2];
            }
            x
        };
        let alike = |(a, b): (&f64, &f64)| if b.is_finite() { (a - b).abs() < 1e-9 } else { !a.is_finite() };
        let (x, y) = (spoil(n), spoil(m));
        assert!(planned.apply(&x).unwrap().iter().zip(&direct.apply(&x).unwrap()).all(alike), "{places:?}");
        let adjoint = [planned, direct].map(|a| a.apply_adjoint(&y).unwrap());
        assert!(adjoint[0].iter().zip(&adjoint[1]).all(alike), "adjoint, {places:?}");
        let finite = random::<f64>(3 * n, 4);
        let mut batch = Array2::from_shape_vec((n, 3), finite).unwrap();
        batch.column_mut(1).assign(&ndarray::aview1(&x));
        let batches = [planned, direct].map(|a| a.apply_batch(batch.view()).unwrap());
        assert!(batches[0].iter().zip(&batches[1]).all(alike), "batch, {places:?}");
    }
}

#[test]
fn batches_of_nothing_on_several_threads() {
    let kernel = Array2::from_elem((1, 3), 1.0);
    let nothing = RowwiseConv::new(kernel.view(), (0, 4), ConvMode::Full).unwrap().to_fft().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let batch = pool.install(|| nothing.apply_batch(Array2::<f64>::zeros((0, 5)).view()).unwrap());
    assert_eq!(batch.dim(), (0, 5));
    // A scratch that is too short is an error, not a part left out.
    let short = Conv1d::new(&random::<f64>(30, 1), 200, ConvMode::Same).unwrap().to_fft().unwrap();
    let (x, mut y) = (Array2::<f64>::ones((200, 6)), Array2::zeros((200, 6)));
    assert!(pool.install(|| short.forward_batch(x.view(), y.view_mut(), &mut [])).is_err());
}

#[test]
fn refuses_what_does_not_fit() {
    let psf = Array2::from_elem((3, 3), 1.0);
    let conv = Conv2d::new(&psf, [1 << 29, 1 << 29], ConvMode::Same).unwrap();
    assert!(matches!(conv.to_fft(), Err(Error::Memory { .. })));
}

#[test]
fn plans_take_transforms_for_long_kernels_only_and_say_why() {
    let conv = |n: usize, taps: usize| Conv1d::new(&random::<f64>(taps, 1), n, ConvMode::Same).unwrap();
    for (n, taps, engine) in [
        (1, 1, Engine::Direct),
        (1_000_000, 9, Engine::Direct),
        (100_000, 20_000, Engine::Fft),
        (64, 64, Engine::Direct),
    ] {
        let conv = conv(n, taps);
        let plan = conv.plan();
        assert_eq!(plan.engine(), engine, "{plan}");
        assert_eq!(plan.candidates().len(), 2);
        let built = plan.build().unwrap();
        assert_eq!((built.engine(), built.shape()), (engine, conv.shape()));
    }
    let long = conv(100_000, 20_000);
    let text = long.plan().to_string();
    assert!(text.contains("convolution 100000 x 100000, float64: fft, predicted to be"), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert_eq!(long.plan_for(Accuracy::Exact).engine(), Engine::Direct);
    assert_eq!(long.plan_for(Accuracy::Within(1e-10)).engine(), Engine::Fft);
    let strict = long.plan_for(Accuracy::Within(1e-20));
    assert_eq!(strict.engine(), Engine::Direct);
    assert!(strict.reason().contains("nothing else is as accurate"), "{strict}");
    assert_eq!(long.plan_with(Engine::Direct).build().unwrap().engine(), Engine::Direct);
    // Taps that transforms refuse: a plan is made all the same, and only the forced one fails.
    let odd = Conv1d::new(&vec![f64::NAN; 20_000], 100_000, ConvMode::Same).unwrap();
    assert_eq!(odd.plan().engine(), Engine::Direct);
    assert!(odd.plan().reason().contains("no transforms: the kernel has the value NaN"), "{}", odd.plan());
    assert!(matches!(odd.plan_with(Engine::Fft).build(), Err(Error::NonFinite { .. })));
    // Empty results, and nothing that meets.
    for geometry in [Geometry::valid(), Geometry::window([900], [4])] {
        let conv = Conv1d::new(&random::<f64>(9, 1), 5, geometry).unwrap();
        assert_eq!(conv.plan().engine(), Engine::Direct, "{}", conv.plan());
        examined(&conv.plan_with(Engine::Fft).build().unwrap(), &conv);
    }
}

#[test]
fn plans_see_outer_products() {
    let g: Vec<f64> = (-15..16).map(|i| (-0.02 * f64::from(i * i)).exp()).collect();
    let of = |f: &dyn Fn(usize, usize) -> f64| {
        Conv2d::new(&Array2::from_shape_fn((31, 31), |(i, j)| f(i, j)), [500, 400], ConvMode::Same).unwrap()
    };
    let gaussian = of(&|i, j| g[i] * g[j]);
    for plan in [gaussian.plan(), gaussian.plan_for(Accuracy::Exact)] {
        assert_eq!(plan.engine(), Engine::Separable, "{plan}");
        assert_eq!(plan.build().unwrap().engine(), Engine::Separable);
    }
    // The order of the terms is something that only the direct engine has.
    let ascending = gaussian.plan().build().unwrap().with_summation(Summation::Ascending);
    assert_eq!(ascending.engine(), Engine::Direct);
    // Two outer products round: they are taken, but not where exact results are asked for.
    let two = of(&|i, j| g[i] * g[j] + 0.3 * (i as f64 * 0.2).sin() * (j as f64 * 0.1).cos());
    assert!(two.plan().candidates().iter().any(|c| c.engine == Engine::Separable && c.error > 0.0));
    assert_eq!(two.plan_for(Accuracy::Exact).engine(), Engine::Direct);
    // No outer product: no candidate, and the forced engine computes it all the same.
    let random = random::<f64>(961, 3);
    let any = of(&|i, j| random[31 * i + j]);
    assert!(any.plan().candidates().iter().all(|c| c.engine != Engine::Separable));
    let forced = any.plan_with(Engine::Separable).build().unwrap();
    let x = self::random::<f64>(200_000, 4);
    let (a, b) = (forced.apply(&x).unwrap(), any.to_direct().unwrap().apply(&x).unwrap());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
}

#[test]
fn planned_operators_are_their_engines() {
    let psf = Array2::from_shape_vec((4, 3), integers::<f64>(12, 1)).unwrap();
    let conv = Conv2d::new(&psf, [9, 8], Geometry::same().boundary(Boundary::Symmetric)).unwrap();
    let x = integers::<f64>(72, 2);
    let (planned, fft) = (conv.plan_with(Engine::Fft).build().unwrap(), conv.to_fft().unwrap());
    assert_eq!(bits(&planned.apply(&x).unwrap()), bits(&fft.apply(&x).unwrap()));
    assert_eq!(bits(&planned.apply_adjoint(&x).unwrap()), bits(&fft.apply_adjoint(&x).unwrap()));
    assert_eq!(conv.plan().build().unwrap().apply(&x).unwrap(), conv.to_direct().unwrap().apply(&x).unwrap());
    examined(&planned, &"planned fft");
    examined(&conv.plan().build().unwrap(), &"planned direct");
    fn shareable<A: Send + Sync>(_: &A) {}
    shareable(&planned);
}
