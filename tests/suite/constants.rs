//! A constant beyond the ends: A x + d, against a signal that is really extended, axis after axis.

use crate::common::naive::extend;
use crate::common::{dense_of_csr, dense_of_operator, integers};
use convmtx::op::Apply;
use convmtx::{
    Boundary, Conv, Conv1d, Conv2d, Conv3d, ConvMode, Error, FilterBank, Geometry, Order, RowwiseConv, Scalar,
};
use ndarray::{Array2, ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use num_complex::Complex;

/// The words of the boundaries that the axes of a case combine; `constant` stands for 2.5, or 2.5 − 1.5i.
const WORDS: [&str; 7] =
    ["constant", "zero", "periodic", "symmetric", "reflect", "replicate", "antireflective"];

fn constant<T: Scalar>() -> T {
    T::from_parts(convmtx::Real::of(2.5), convmtx::Real::of(-1.5))
}

fn boundary<T: Scalar>(word: &str) -> Boundary<T> {
    if word == "constant" { Boundary::Constant(constant()) } else { crate::common::boundary(word) }
}

/// `x` with `width` more places before and after along every axis, extended along axis 0 first: later axes extend
/// what the earlier ones put beyond the ends, and so decide in the corners.
fn extended<T: Scalar>(x: &ArrayD<T>, width: usize, words: &[&str]) -> ArrayD<T> {
    let mut from = x.clone();
    for (a, word) in words.iter().enumerate() {
        let n = from.len_of(Axis(a));
        let mut shape = from.shape().to_vec();
        shape[a] = n + 2 * width;
        let mut to = ArrayD::from_elem(shape, T::zero());
        for q in 0..n + 2 * width {
            let place = q as i64 - width as i64;
            let mut slice = to.index_axis_mut(Axis(a), q);
            let inside = (0..n as i64).contains(&place);
            if *word == "constant" && !inside {
                slice.fill(constant());
                continue;
            }
            for (p, weight) in extend(place, n as i64, if inside { "zero" } else { word }) {
                let weight = T::from_real(convmtx::Real::of(weight as f64));
                slice.zip_mut_with(&from.index_axis(Axis(a), p as usize), |s, &x| *s += weight * x);
            }
        }
        from = to;
    }
    from
}

/// What is computed, in numbers.
#[derive(Debug, Clone)]
struct Window {
    offset: Vec<i64>,
    m: Vec<usize>,
    stride: usize,
    dilation: usize,
}

impl Window {
    fn of_mode(mode: ConvMode, n: &[usize], k: &[usize], stride: usize, dilation: usize) -> Self {
        let part = |n: usize, k: usize| {
            let span = (k - 1) * dilation + 1;
            match mode {
                ConvMode::Full => (0, n + span - 1),
                ConvMode::Same => (span / 2, n),
                ConvMode::Valid => (span - 1, (n + 1).saturating_sub(span)),
            }
        };
        let parts: Vec<_> = n.iter().zip(k).map(|(&n, &k)| part(n, k)).collect();
        Window {
            offset: parts.iter().map(|p| p.0 as i64).collect(),
            m: parts.iter().map(|p| p.1.div_ceil(stride)).collect(),
            stride,
            dilation,
        }
    }

    /// `y[i] = Σ_t k[t]·x̃[stride·i + offset − dilation·t]`
    fn convolve<T: Scalar>(&self, x: &ArrayD<T>, kernel: &ArrayD<T>, words: &[&str]) -> ArrayD<T> {
        let width = 16;
        let wide = extended(x, width, words);
        ArrayD::from_shape_fn(self.m.clone(), |i| {
            let mut sum = T::zero();
            for (t, &k) in kernel.indexed_iter() {
                let place = |a: usize| {
                    let place = (self.stride * i[a]) as i64 + self.offset[a] - (self.dilation * t[a]) as i64;
                    usize::try_from(place + width as i64).expect("the extension is wide enough")
                };
                let places: Vec<_> = (0..x.ndim()).map(place).collect();
                sum += k * wide[IxDyn(&places)];
            }
            sum
        })
    }
}

/// Elements in the order of the geometry.
fn flat<T: Scalar>(a: &ArrayD<T>, order: Order) -> Vec<T> {
    match order {
        Order::RowMajor => a.iter().copied().collect(),
        Order::ColumnMajor => a.t().iter().copied().collect(),
    }
}

fn array<T: Scalar>(shape: &[usize], seed: usize) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(shape), integers(shape.iter().product(), seed)).unwrap()
}

/// Everything that must hold of a description with constants, and of the one with zeros instead.
fn check<T: Scalar, const D: usize>(
    conv: &Conv<T, D>,
    zeros: &Conv<T, D>,
    (x, kernel): (&ArrayD<T>, &ArrayD<T>),
    (window, words, order): (&Window, &[&str], Order),
) {
    let what = || format!("{window:?} {words:?} {order:?} {:?} by {:?}", x.shape(), kernel.shape());
    let expected = flat(&window.convolve(x, kernel, words), order);
    let term = flat(&window.convolve(&ArrayD::from_elem(x.raw_dim(), T::zero()), kernel, words), order);
    let (x, h) = (flat(x, order), flat(kernel, order));
    assert_eq!(conv.output_shape().to_vec(), window.m, "{}", what());
    assert_eq!(conv.apply(&x).unwrap(), expected, "apply {}", what());
    // The affine part.
    assert_eq!(conv.constant_term().unwrap().is_some(), words.contains(&"constant"), "{}", what());
    assert_eq!(
        conv.constant_term().unwrap().unwrap_or_else(|| vec![T::zero(); term.len()]),
        term,
        "{}",
        what()
    );
    // The linear part is that of zeros.
    let matrix = conv.to_csr().unwrap();
    assert_eq!(matrix, zeros.to_csr().unwrap(), "to_csr {}", what());
    assert_eq!(zeros.constant_term().unwrap(), None);
    let dense = dense_of_csr(&matrix);
    assert_eq!(dense_of_operator(&conv.to_direct().unwrap()).0, dense, "to_direct {}", what());
    let linear = crate::common::multiply(&dense, &x);
    let sum: Vec<T> = linear.iter().zip(&term).map(|(&y, &d)| y + d).collect();
    assert_eq!(sum, expected, "A x + d {}", what());
    // By the kernel everything is linear.
    let by_kernel = conv.kernel_operator(&x).unwrap();
    assert_eq!(by_kernel.apply(&h).unwrap(), expected, "kernel operator {}", what());
    let (forward, adjoint) = dense_of_operator(&by_kernel.to_direct().unwrap());
    assert_eq!(adjoint, crate::common::adjoint(&forward), "adjoint of the kernel operator {}", what());
    assert_eq!(
        dense_of_csr(&by_kernel.to_csr().unwrap()),
        forward,
        "matrix of the kernel operator {}",
        what()
    );
}

/// Constants replaced by zeros.
fn without_constants<'a>(words: &[&'a str]) -> Vec<&'a str> {
    words.iter().map(|&w| if w == "constant" { "zero" } else { w }).collect()
}

fn boundaries<T: Scalar, const D: usize>(words: &[&str]) -> [Boundary<T>; D] {
    std::array::from_fn(|a| boundary(words[a]))
}

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

fn one_dimension<T: Scalar>() {
    for mode in MODES {
        for (n, k) in [(1, 1), (1, 4), (5, 1), (6, 3), (6, 4), (2, 5), (3, 3)] {
            for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
                let window = Window::of_mode(mode, &[n], &[k], stride, dilation);
                let (x, kernel) = (array::<T>(&[n], n), array::<T>(&[k], k + 10));
                let build = |b| {
                    let geometry = Geometry::from(mode).boundary(b).stride(stride).dilation(dilation);
                    Conv1d::new(kernel.as_slice().unwrap(), n, geometry).unwrap()
                };
                let (conv, zeros) = (build(Boundary::Constant(constant())), build(Boundary::Zero));
                for order in [Order::RowMajor, Order::ColumnMajor] {
                    check(&conv, &zeros, (&x, &kernel), (&window, &["constant"], order));
                }
            }
        }
    }
}

#[test]
fn one_dimension_is_the_extended_signal_convolved() {
    one_dimension::<f64>();
    one_dimension::<f32>();
    one_dimension::<Complex<f64>>();
    one_dimension::<Complex<f32>>();
}

#[test]
fn windows_far_outside_see_nothing_but_the_constant() {
    let (x, kernel) = (array::<f64>(&[3], 1), array::<f64>(&[2], 2));
    for offset in [-6, -2, 0, 1, 4, 9] {
        let window = Window { offset: vec![offset], m: vec![4], stride: 1, dilation: 1 };
        let build = |b| {
            let geometry = Geometry::window([offset], [4]).boundary(b);
            Conv1d::new(kernel.as_slice().unwrap(), 3, geometry).unwrap()
        };
        let (conv, zeros) = (build(Boundary::Constant(2.5)), build(Boundary::Zero));
        check(&conv, &zeros, (&x, &kernel), (&window, &["constant"], Order::RowMajor));
    }
}

fn two_dimensions<T: Scalar>(order: Order, steps: (usize, usize)) {
    let (n, k) = ([3, 4], [4, 3]);
    let (x, kernel) = (array::<T>(&n, 1), array::<T>(&k, 2));
    for mode in MODES {
        let window = Window::of_mode(mode, &n, &k, steps.0, steps.1);
        for rows in WORDS {
            for columns in WORDS {
                let words = [rows, columns];
                let build = |words: &[&str]| {
                    let geometry = Geometry::from(mode)
                        .boundaries(boundaries(words))
                        .order(order)
                        .stride(steps.0)
                        .dilation(steps.1);
                    let kernel = kernel.view().into_dimensionality::<ndarray::Ix2>().unwrap();
                    Conv2d::new(kernel, n, geometry).unwrap()
                };
                let (conv, zeros) = (build(&words), build(&without_constants(&words)));
                check(&conv, &zeros, (&x, &kernel), (&window, &words, order));
            }
        }
    }
}

#[test]
fn two_dimensions_row_major_mixed_with_every_boundary() {
    two_dimensions::<f64>(Order::RowMajor, (1, 1));
    two_dimensions::<Complex<f64>>(Order::RowMajor, (2, 1));
}

#[test]
fn two_dimensions_column_major_mixed_with_every_boundary() {
    two_dimensions::<f64>(Order::ColumnMajor, (1, 1));
    two_dimensions::<f32>(Order::ColumnMajor, (1, 2));
}

#[test]
fn three_dimensions_mixed_with_every_boundary() {
    let (n, k) = ([2, 3, 2], [2, 1, 3]);
    let (x, kernel) = (array::<f64>(&n, 1), array::<f64>(&k, 2));
    let mut cases = 0;
    for words in [
        ["constant", "constant", "constant"],
        ["constant", "zero", "periodic"],
        ["zero", "constant", "symmetric"],
        ["reflect", "zero", "constant"],
        ["zero", "zero", "constant"],
        ["constant", "replicate", "zero"],
        ["antireflective", "constant", "antireflective"],
        ["periodic", "symmetric", "reflect"],
        ["constant", "antireflective", "replicate"],
    ] {
        for mode in MODES {
            for order in [Order::RowMajor, Order::ColumnMajor] {
                let window = Window::of_mode(mode, &n, &k, 1, 1);
                let build = |words: &[&str]| {
                    let geometry = Geometry::from(mode).boundaries(boundaries(words)).order(order);
                    let kernel = kernel.view().into_dimensionality::<ndarray::Ix3>().unwrap();
                    Conv3d::new(kernel, n, geometry).unwrap()
                };
                let (conv, zeros) = (build(&words), build(&without_constants(&words)));
                check(&conv, &zeros, (&x, &kernel), (&window, &words, order));
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 54);
}

#[test]
fn correlation_has_the_constant_of_the_reversed_kernel() {
    let (x, kernel) = (array::<f64>(&[5], 1), array::<f64>(&[4], 2));
    for mode in MODES {
        let window = Window::of_mode(mode, &[5], &[4], 1, 1);
        let geometry = Geometry::from(mode).boundary(Boundary::Constant(2.5)).correlate();
        let conv = Conv1d::new(kernel.as_slice().unwrap(), 5, geometry).unwrap();
        let reversed = kernel.slice_axis(Axis(0), Slice::new(0, None, -1)).to_owned();
        let expected = flat(&window.convolve(&x, &reversed, &["constant"]), Order::RowMajor);
        assert_eq!(conv.apply(x.as_slice().unwrap()).unwrap(), expected);
        // The gradient by the kernel in the caller's orientation: Σ y[i]·∂y[i]/∂k[t].
        let y = integers::<f64>(conv.shape().0, 3);
        let gradient = conv.adjoint_kernel(x.as_slice().unwrap(), &y).unwrap();
        let by_unit = (0..4).map(|t| {
            let mut unit = ArrayD::zeros(IxDyn(&[4]));
            unit[[3 - t]] = 1.0;
            let column = window.convolve(&x, &unit, &["constant"]);
            column.iter().zip(&y).map(|(a, b)| a * b).sum::<f64>()
        });
        assert_eq!(gradient, by_unit.collect::<Vec<_>>(), "{mode:?}");
    }
}

#[test]
fn many_kernels_and_many_rows_have_a_constant_each() {
    let rows_of = |a: &ArrayD<f64>| a.outer_iter().map(|r| r.to_owned()).collect::<Vec<_>>();
    let (x, kernels) = (array::<f64>(&[3, 5], 1), array::<f64>(&[3, 4], 2));
    for mode in MODES {
        let window = Window::of_mode(mode, &[5], &[4], 1, 1);
        let geometry = Geometry::from(mode).boundary(Boundary::Constant(2.5));
        let one = |x: &ArrayD<f64>, k: &ArrayD<f64>| {
            window.convolve(x, k, &["constant"]).into_raw_vec_and_offset().0
        };
        let expected: Vec<f64> =
            rows_of(&x).iter().zip(&rows_of(&kernels)).flat_map(|(x, k)| one(x, k)).collect();
        let kernel_rows: Array2<f64> = kernels.clone().into_dimensionality().unwrap();
        let rows = RowwiseConv::new(kernel_rows.view(), (3, 5), geometry).unwrap();
        let flat_x = x.as_slice().unwrap();
        assert_eq!(rows.apply(flat_x).unwrap(), expected, "rows {mode:?}");
        let by_kernel = rows.kernel_operator(flat_x).unwrap();
        assert_eq!(
            by_kernel.apply(kernels.as_slice().unwrap()).unwrap(),
            expected,
            "rows by kernel {mode:?}"
        );
        let linear = Apply::apply(&rows.to_direct().unwrap(), flat_x).unwrap();
        let sum: Vec<f64> =
            linear.iter().zip(rows.constant_term().unwrap().unwrap()).map(|(y, d)| y + d).collect();
        assert_eq!(sum, expected);

        let first: ArrayD<f64> = x.outer_iter().next().unwrap().to_owned();
        let expected: Vec<f64> = rows_of(&kernels).iter().flat_map(|k| one(&first, k)).collect();
        let view: ArrayViewD<f64> = kernels.view();
        let bank = FilterBank::new(view, [5], geometry).unwrap();
        let first = first.as_slice().unwrap();
        assert_eq!(bank.apply(first).unwrap(), expected, "bank {mode:?}");
        let by_kernel = bank.kernel_operator(first).unwrap();
        assert_eq!(
            by_kernel.apply(kernels.as_slice().unwrap()).unwrap(),
            expected,
            "bank by kernel {mode:?}"
        );
    }
}

#[test]
fn a_constant_of_zero_is_zero_and_infinite_ones_are_refused() {
    let conv = |c| Conv1d::new(&[1.0, 2.0], 4, Geometry::same().boundary(Boundary::Constant(c)));
    let zero = Conv1d::new(&[1.0, 2.0], 4, ConvMode::Same).unwrap();
    for c in [0.0, -0.0] {
        assert_eq!(conv(c).unwrap().constant_term().unwrap(), None);
        assert_eq!(conv(c).unwrap().to_csr().unwrap(), zero.to_csr().unwrap());
    }
    for c in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = conv(c).unwrap_err();
        assert!(matches!(error, Error::Value { what: "the boundary constant", .. }), "{error}");
    }
}

/// A zero tap contributes nothing, also where it lies over the constant.
#[test]
fn zero_taps_see_no_constant() {
    let geometry = Geometry::full().boundary(Boundary::Constant(2.0));
    let conv = Conv1d::new(&[1.0, 0.0], 3, geometry).unwrap();
    assert_eq!(conv.constant_term().unwrap().unwrap(), [0.0, 0.0, 0.0, 2.0]);
    assert_eq!(conv.apply(&[1.0, f64::INFINITY, 3.0]).unwrap(), [1.0, f64::INFINITY, 3.0, 2.0]);
}
