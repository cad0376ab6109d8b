//! The claim everything rests on: matrix = operator = definition, and transpose = adjoint.
//!
//! Exhaustive in one dimension over mode × boundary × parity × stride × dilation × correlation × dtype; in two
//! dimensions every pair of axis settings; in three sampled. Integers throughout, compared with `==`.

use crate::common::naive::{self, Axis};
use crate::common::setting::{Setting, any_setting};
use crate::common::*;
use convmtx::csr::CsrOperator;
use convmtx::{Conv, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Geometry, Scalar, Summation};
use nalgebra::DMatrix;
use num_complex::Complex;
use proptest::prelude::*;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

/// Everything that must hold of a description whose matrix is `expected`.
fn check<T: Scalar, const D: usize>(conv: &Conv<T, D>, expected: &DMatrix<T>, what: &dyn std::fmt::Debug) {
    assert_eq!(conv.shape(), expected.shape(), "{what:?}");
    let csr = conv.to_csr().unwrap();
    assert_eq!(&dense_of_csr(&csr), expected, "to_csr {what:?}");
    assert_eq!(&dense_of_csr(&conv.to_csr_wide().unwrap()), expected, "to_csr_wide {what:?}");
    assert_eq!(&conv.to_dense().unwrap(), expected, "to_dense {what:?}");
    let adjoint = adjoint(expected);
    assert_eq!(dense_of_csr(&conv.to_csr_adjoint().unwrap()), adjoint, "to_csr_adjoint {what:?}");
    assert_eq!(dense_of_csr(&conv.to_csr_transpose().unwrap()), expected.transpose(), "{what:?}");
    assert!(conv.to_csc().unwrap().is_csc());
    assert_eq!(conv.to_csc().unwrap().to_csr(), csr, "to_csc {what:?}");
    for operator in
        [dense_of_operator(&conv.to_direct().unwrap()), dense_of_operator(&CsrOperator::new(csr).unwrap())]
    {
        assert_eq!(&operator.0, expected, "forward {what:?}");
        assert_eq!(operator.1, adjoint, "adjoint {what:?}");
    }
    // The normal matrix against the product.
    let product = DMatrix::from_fn(expected.ncols(), expected.ncols(), |i, j| {
        (0..expected.nrows()).map(|r| adjoint[(i, r)] * expected[(r, j)]).sum()
    });
    assert_eq!(dense_of_csr(&conv.to_normal().unwrap()), product, "to_normal {what:?}");
    // The kernel operator: the same products, with the roles exchanged, and its matrix and adjoint.
    let x = integers::<T>(expected.ncols(), 5);
    let h = conv.kernel_operator(&x).unwrap();
    let (forward, back) = dense_of_operator(&h.to_direct().unwrap());
    assert_eq!(dense_of_csr(&h.to_csr().unwrap()), forward, "kernel matrix {what:?}");
    assert_eq!(back, crate::common::adjoint(&forward), "kernel adjoint {what:?}");
    assert_eq!(forward.nrows(), expected.nrows());
}

fn one_dimension<T: Scalar>(correlate: bool) {
    let mut cases = 0;
    for n in [1, 2, 3, 5, 8] {
        for taps in [1, 2, 3, 4, 7] {
            let kernel = integers::<T>(taps, n);
            for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2), (2, 4)] {
                for boundary in BOUNDARIES {
                    for mode in MODES {
                        for convention in [Convention::Matlab, Convention::Scipy, Convention::Numpy] {
                            let setting = Setting { mode, convention, n, taps, stride, dilation, boundary };
                            let geometry = Geometry::from(mode)
                                .convention(convention)
                                .boundary(crate::common::boundary(boundary))
                                .stride(stride)
                                .dilation(dilation);
                            let geometry = if correlate { geometry.correlate() } else { geometry };
                            let mut taps = kernel.clone();
                            if correlate {
                                taps.reverse();
                            }
                            let expected = dense(&naive::matrix(&[setting.axis()], &taps), n);
                            let conv = Conv1d::new(&kernel, n, geometry).unwrap();
                            check(&conv, &expected, &setting);
                            // h ↦ x∗h says the same as x ↦ x∗h.
                            let x = integers::<T>(n, 5);
                            let by_kernel = conv.kernel_operator(&x).unwrap().apply(&taps).unwrap();
                            assert_eq!(by_kernel, multiply(&expected, &x), "{setting:?}");
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{cases} cases of one-dimensional {}", T::NAME);
}

#[test]
fn one_dimension_f64() {
    one_dimension::<f64>(false);
    one_dimension::<f64>(true);
}

#[test]
fn one_dimension_f32() {
    one_dimension::<f32>(false);
}

#[test]
fn one_dimension_complex64() {
    one_dimension::<Complex<f32>>(true);
}

#[test]
fn one_dimension_complex128() {
    one_dimension::<Complex<f64>>(false);
}

#[test]
fn explicit_windows_far_and_near() {
    for boundary in BOUNDARIES {
        for offset in [-9, -3, -1, 0, 1, 4, 6, 11, 30] {
            for m in [0, 1, 5, 9] {
                for (stride, dilation) in [(1, 1), (2, 3)] {
                    let kernel = integers::<f64>(4, m);
                    let geometry = Geometry::window([offset], [m])
                        .boundary(crate::common::boundary(boundary))
                        .stride(stride)
                        .dilation(dilation);
                    let (s, d) = (stride as i64, dilation as i64);
                    let axis = Axis { n: 5, m, taps: 4, offset, stride: s, dilation: d, boundary };
                    let expected = dense(&naive::matrix(&[axis], &kernel), 5);
                    check(&Conv1d::new(&kernel, 5, geometry).unwrap(), &expected, &axis);
                }
            }
        }
    }
}

/// Axis settings of which two dimensions take every pair.
fn axis_settings() -> Vec<Setting> {
    let mut all = Vec::new();
    for boundary in BOUNDARIES {
        for (mode, n, taps, stride, dilation) in [
            (ConvMode::Full, 3, 2, 1, 1),
            (ConvMode::Same, 4, 3, 2, 1),
            (ConvMode::Same, 2, 4, 1, 1),
            (ConvMode::Valid, 5, 2, 1, 2),
            (ConvMode::Full, 1, 3, 2, 2),
        ] {
            all.push(Setting { mode, convention: Convention::Matlab, n, taps, stride, dilation, boundary });
        }
    }
    all
}

fn two_dimensions<T: Scalar>(pairs: impl Iterator<Item = (Setting, Setting)>) -> usize {
    let mut cases = 0;
    for (r, c) in pairs {
        let (a, b) = (r.axis(), c.axis());
        let kernel = integers::<T>(a.taps * b.taps, a.n + b.n);
        let expected = dense(&naive::matrix(&[a, b], &kernel), a.n * b.n);
        // Modes differ per axis, so the window is given in numbers.
        let geometry = Geometry::window([a.offset, b.offset], [a.m, b.m])
            .boundaries([boundary(a.boundary), boundary(b.boundary)])
            .strides([r.stride, c.stride])
            .dilations([r.dilation, c.dilation]);
        let kernel = ndarray::Array2::from_shape_vec((a.taps, b.taps), kernel).unwrap();
        check(&Conv2d::new(&kernel, [a.n, b.n], geometry).unwrap(), &expected, &(r, c));
        cases += 1;
    }
    println!("{cases} cases of two-dimensional {}", T::NAME);
    cases
}

#[test]
fn two_dimensions_every_pair_of_axis_settings_across_dtypes() {
    let settings = axis_settings();
    let pairs: Vec<_> = settings.iter().flat_map(|&r| settings.iter().map(move |&c| (r, c))).collect();
    let of_dtype = |d: usize| pairs.iter().copied().skip(d).step_by(4);
    let cases = two_dimensions::<f64>(of_dtype(0))
        + two_dimensions::<f32>(of_dtype(1))
        + two_dimensions::<Complex<f32>>(of_dtype(2))
        + two_dimensions::<Complex<f64>>(of_dtype(3));
    assert_eq!(cases, settings.len() * settings.len());
}

/// So many cases, or as many as `PROPTEST_CASES` asks for.
fn cases(default: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|v| v.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(default))
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn three_dimensions_sampled(settings in [any_setting(1..6), any_setting(1..6), any_setting(1..6)], seed in 0..1000_usize) {
        let axes = settings.map(|s| s.axis());
        let taps = axes.map(|a| a.taps);
        let kernel = integers::<Complex<f64>>(taps.iter().product(), seed);
        let n = axes.map(|a| a.n);
        let expected = dense(&naive::matrix(&axes, &kernel), n.iter().product());
        let geometry = Geometry::window(axes.map(|a| a.offset), axes.map(|a| a.m))
            .boundaries(axes.map(|a| boundary(a.boundary)))
            .strides(settings.map(|s| s.stride))
            .dilations(settings.map(|s| s.dilation));
        let kernel = ndarray::Array3::from_shape_vec(taps, kernel).unwrap();
        check(&Conv3d::new(&kernel, n, geometry).unwrap(), &expected, &settings);
    }

    #[test]
    fn larger_signals_sampled(
        mode in 0..3_usize, b in 0..6_usize, n in 1..400_usize, taps in 1..90_usize,
        stride in 1..5_usize, dilation in 1..4_usize, seed in 0..1000_usize,
    ) {
        let s = Setting {
            mode: MODES[mode], convention: Convention::Matlab, n, taps, stride, dilation, boundary: BOUNDARIES[b],
        };
        let kernel = integers::<f64>(taps, seed);
        let expected = dense(&naive::matrix(&[s.axis()], &kernel), n);
        let geometry =
            Geometry::from(s.mode).boundary(boundary(s.boundary)).stride(stride).dilation(dilation);
        let conv = Conv1d::new(&kernel, n, geometry).unwrap();
        let csr = conv.to_csr().unwrap();
        prop_assert_eq!(&dense_of_csr(&csr), &expected);
        let x = integers::<f64>(n, seed + 1);
        let y = integers::<f64>(expected.nrows(), seed + 2);
        for summation in [Summation::Fastest, Summation::Ascending] {
            let direct = conv.to_direct().unwrap().with_summation(summation);
            prop_assert_eq!(convmtx::op::Apply::apply(&direct, &x).unwrap(), multiply(&expected, &x));
            let back = convmtx::op::Apply::apply_adjoint(&direct, &y).unwrap();
            prop_assert_eq!(back, multiply(&adjoint(&expected), &y));
        }
    }
}
