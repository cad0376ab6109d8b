//! Equal bits: matrix product, product over stacked signals, direct engine and plain loop under
//! `Summation::Ascending`, for any layout, batch width and number of threads, forward and adjoint.

use crate::common::{BOUNDARIES, boundary};
use convmtx::csr::CsrOperator;
use convmtx::ndarray::{Array2, ShapeBuilder, s};
use convmtx::op::{Apply, BatchOperator};
use convmtx::{Conv, Conv1d, Conv2d, ConvMode, FilterBank, Geometry, Layer, Real, Scalar, Summation};
use num_complex::Complex;
use sprs::CsMatI;

/// Numbers whose sums depend on the order of the terms, over several magnitudes.
fn rough<T: Scalar>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let unit = (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        unit * [1.0, 1e-3, 1e3, 0.1][(state >> 5) as usize % 4]
    };
    (0..len).map(|_| T::from_parts(Real::of(next()), Real::of(next()))).collect()
}

/// The bits of every part of every element, with a sign for zero.
fn bits<T: Scalar>(v: impl IntoIterator<Item = T>) -> Vec<(u64, u64)> {
    v.into_iter().map(|v| (v.re().as_f64().to_bits(), v.im().as_f64().to_bits())).collect()
}

/// The definition of the order: from +0, one product and one sum per entry, columns ascending.
fn plain_loop<T: Scalar>(a: &CsMatI<T, i32>, x: &[T]) -> Vec<T> {
    let row = |row: sprs::CsVecViewI<T, i32>| {
        let mut sum = T::zero();
        for (c, &v) in row.iter() {
            sum += v * x[c];
        }
        sum
    };
    a.outer_iterator().map(row).collect()
}

/// Every way to multiply gives the bits of the plain loop.
fn all_ways<T: Scalar>(
    direct: &(impl BatchOperator<T> + Sync),
    matrix: CsMatI<T, i32>,
    adjoint: &CsMatI<T, i32>,
    what: &str,
) {
    let csr = CsrOperator::new(matrix.clone()).unwrap().with_summation(Summation::Ascending);
    let (m, n) = matrix.shape();
    const WIDTHS: [usize; 3] = [1, 3, 70];
    for (forward, rows, cols, matrix) in [(true, m, n, &matrix), (false, n, m, adjoint)] {
        let x = rough::<T>(cols, 1);
        let expected = bits(plain_loop(matrix, &x));
        let one = |a: &dyn BatchOperator<T>| if forward { a.apply(&x) } else { a.apply_adjoint(&x) };
        assert_eq!(bits(one(direct).unwrap()), expected, "direct {what}");
        assert_eq!(bits(one(&csr).unwrap()), expected, "csr {what}");
        if rows * cols > 1 << 24 {
            continue;
        }
        for width in WIDTHS {
            let batch = Array2::from_shape_vec((cols, width), rough::<T>(cols * width, 2)).unwrap();
            let mut expected = Array2::from_elem((rows, width), T::zero());
            for (x, mut y) in batch.columns().into_iter().zip(expected.columns_mut()) {
                y.assign(&ndarray::Array1::from(plain_loop(matrix, &x.to_vec())));
            }
            let expected = bits(expected);
            let column_major = {
                let mut b = Array2::from_elem((cols, width).f(), T::zero());
                b.assign(&batch);
                b
            };
            let mut wide = Array2::from_elem((2 * cols, 2 * width), T::one());
            wide.slice_mut(s![..;2, ..;2]).assign(&batch);
            let layouts = [batch.view(), column_major.view(), wide.slice(s![..;2, ..;2])];
            for (l, x) in layouts.into_iter().enumerate() {
                for a in [direct as &dyn BatchOperator<T>, &csr] {
                    let y = if forward { a.apply_batch(x) } else { a.apply_adjoint_batch(x) };
                    assert_eq!(bits(y.unwrap()), expected, "{what}: width {width}, layout {l}");
                    let mut into = Array2::from_elem((rows, width).f(), T::one());
                    match forward {
                        true => a.apply_batch_into(x, into.view_mut()).unwrap(),
                        false => a.apply_adjoint_batch_into(x, into.view_mut()).unwrap(),
                    }
                    assert_eq!(bits(into.iter().copied()), expected, "{what}: into columns, layout {l}");
                }
            }
        }
    }
}

fn check<T: Scalar, const D: usize>(conv: &Conv<T, D>, what: &str) {
    let direct = conv.to_direct().unwrap().with_summation(Summation::Ascending);
    all_ways(&direct, conv.to_csr().unwrap(), &conv.to_csr_adjoint().unwrap(), what);
}

/// Runs `f` with 1, 2 and 7 threads.
fn with_threads(f: impl Fn() + Sync) {
    for threads in [1, 2, 7] {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&f);
    }
}

fn one_dimension<T: Scalar>() {
    let mut kernel = rough::<T>(9, 3);
    kernel[4] = T::zero();
    for word in BOUNDARIES {
        for (mode, stride, dilation) in
            [(ConvMode::Full, 1, 1), (ConvMode::Same, 1, 2), (ConvMode::Valid, 2, 1), (ConvMode::Same, 3, 2)]
        {
            for n in [1, 6, 23, 300] {
                let geometry =
                    Geometry::from(mode).boundary(boundary(word)).stride(stride).dilation(dilation);
                let what = format!("{} {word} {mode:?} n={n} stride {stride} dilation {dilation}", T::NAME);
                check(&Conv1d::new(&kernel, n, geometry).unwrap(), &what);
            }
        }
    }
}

#[test]
fn one_dimension_with_any_number_of_threads() {
    with_threads(|| {
        one_dimension::<f64>();
        one_dimension::<f32>();
        one_dimension::<Complex<f64>>();
        one_dimension::<Complex<f32>>();
    });
}

#[test]
fn long_signals_in_many_parts() {
    with_threads(|| {
        for word in ["zero", "symmetric", "periodic", "antireflective"] {
            let geometry = Geometry::same().boundary(boundary(word));
            check(&Conv1d::new(&rough::<f64>(31, 7), 100_003, geometry).unwrap(), word);
            check(&Conv1d::new(&rough::<f32>(6, 7), 65_537, geometry_f32(word)).unwrap(), word);
        }
    });
}

fn geometry_f32(word: &str) -> Geometry<f32, 1> {
    Geometry::full().boundary(boundary(word)).stride(2)
}

#[test]
fn images_with_boundaries_that_meet_in_the_corners() {
    with_threads(|| {
        for (r, c) in BOUNDARIES.into_iter().zip(BOUNDARIES.into_iter().cycle().skip(2)) {
            let kernel = Array2::from_shape_vec((5, 4), rough::<f64>(20, 11)).unwrap();
            for mode in [ConvMode::Full, ConvMode::Same] {
                let geometry = Geometry::from(mode).boundaries([boundary(r), boundary(c)]);
                check(&Conv2d::new(&kernel, [19, 33], geometry).unwrap(), &format!("{mode:?} {r} {c}"));
            }
        }
    });
}

/// Both products in the order that is fastest, with 1, 2, 3, 5 and 7 threads.
fn images_in_any_order<T: Scalar>() {
    // Taps in few and many rows, and so many that they are used in parts; rows that leave the last thread one.
    for ([rows, cols], [m, n], mode) in [
        ([15, 15], [83, 83], ConvMode::Full),
        ([15, 15], [107, 107], ConvMode::Full),
        ([5, 7], [400, 90], ConvMode::Same),
        ([66, 70], [150, 140], ConvMode::Same),
    ] {
        for word in ["zero", "symmetric", "antireflective"] {
            let kernel = Array2::from_shape_vec((rows, cols), rough::<T>(rows * cols, 5)).unwrap();
            let geometry = Geometry::from(mode).boundary(boundary(word));
            let a = Conv2d::new(&kernel, [m, n], geometry).unwrap().to_direct().unwrap();
            let (x, y) = (rough::<T>(m * n, 3), rough::<T>(convmtx::op::LinearOperator::shape(&a).0, 4));
            let products = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| (bits(a.apply(&x).unwrap()), bits(a.apply_adjoint(&y).unwrap())))
            };
            let one = products(1);
            for threads in [2, 3, 5, 7] {
                assert!(products(threads) == one, "{rows}x{cols} {m}x{n} {word}: {threads} threads");
            }
        }
    }
}

#[test]
fn images_have_the_same_bits_with_any_number_of_threads() {
    images_in_any_order::<f64>();
    images_in_any_order::<f32>();
    images_in_any_order::<Complex<f64>>();
}

#[test]
fn layers_and_kernel_operators() {
    with_threads(|| {
        let weights = ndarray::Array::from_shape_vec(vec![4, 2, 3, 3], rough::<f32>(72, 13)).unwrap();
        let layer = Layer::new().padding([1, 1]).stride([2, 1]).groups(2);
        let bank = FilterBank::layer(weights.view(), [9, 12], layer).unwrap();
        let direct = bank.to_direct().unwrap().with_summation(Summation::Ascending);
        all_ways(&direct, bank.to_csr().unwrap(), &bank.to_csr_adjoint().unwrap(), "layer");
        let x = rough::<f32>(bank.shape().1, 17);
        let kernels = bank.kernel_operator(&x).unwrap();
        let direct = kernels.to_direct().unwrap().with_summation(Summation::Ascending);
        all_ways(&direct, kernels.to_csr().unwrap(), &kernels.to_csr_adjoint().unwrap(), "kernel operator");
    });
}

#[test]
fn infinities_and_nan_stay_where_a_tap_puts_them() {
    let kernel = [1.0, 0.0, 2.0];
    let mut x = vec![1.0; 12];
    (x[5], x[8]) = (f64::INFINITY, f64::NAN);
    for word in BOUNDARIES {
        let conv = Conv1d::new(&kernel, 12, Geometry::same().boundary(boundary(word))).unwrap();
        let direct = conv.to_direct().unwrap().apply(&x).unwrap();
        let csr = CsrOperator::new(conv.to_csr().unwrap()).unwrap();
        assert_eq!(bits(direct.iter().copied()), bits(csr.apply(&x).unwrap()), "{word}");
        let ascending = csr.with_summation(Summation::Ascending).apply(&x).unwrap();
        assert_eq!(bits(direct.iter().copied()), bits(ascending), "{word}");
        assert!(direct[5].is_finite(), "the zero tap does not spread the infinity");
        let touched: Vec<usize> = (0..12).filter(|&i| !direct[i].is_finite()).collect();
        assert_eq!(touched, [4, 6, 7, 9], "{word}");
    }
    // Taps that are not finite stand in the matrix unchanged.
    let odd = Conv1d::new(&[f64::INFINITY, f64::NAN, 5e-324], 2, ConvMode::Full).unwrap();
    let csr = odd.to_csr().unwrap();
    let taps = bits([f64::INFINITY, f64::NAN, 5e-324]);
    assert_eq!(bits([csr.get(0, 0), csr.get(1, 0), csr.get(2, 0)].map(|v| *v.unwrap())), taps);
}
