//! Band storage, diagonals and dense matrices, entry by entry against the definition.

use crate::common::naive::{self, Axis};
use crate::common::*;
use convmtx::csr::{Banded, Diagonals};
use convmtx::{Boundary, Conv1d, Conv2d, ConvMode, Convention, Error, Geometry, Order, Scalar};
use nalgebra::DMatrix;
use ndarray::Array2;
use num_complex::Complex;
use std::collections::BTreeSet;

/// A part of the convolution: its geometry, its first output and the number of outputs.
struct Part<T> {
    geometry: Geometry<T, 1>,
    offset: i64,
    m: usize,
}

/// The three crops in three conventions, and windows before, inside and behind.
fn parts<T: Scalar>(n: usize, span: usize) -> Vec<Part<T>> {
    let (short, long) = (n.min(span), n.max(span));
    let mut parts = Vec::new();
    for (mode, convention, offset, m) in [
        (ConvMode::Full, Convention::Matlab, 0, n + span - 1),
        (ConvMode::Same, Convention::Matlab, span / 2, n),
        (ConvMode::Same, Convention::Scipy, (span - 1) / 2, n),
        (ConvMode::Same, Convention::Numpy, (short - 1) / 2, long),
        (ConvMode::Valid, Convention::Matlab, span - 1, (n + 1).saturating_sub(span)),
        (ConvMode::Valid, Convention::Scipy, short - 1, long - short + 1),
    ] {
        let geometry = Geometry::from(mode).convention(convention);
        parts.push(Part { geometry, offset: offset as i64, m });
    }
    for (offset, m) in [(-7, 4), (-2, 9), (0, n), (3, 2), (12, 5), (1, 0)] {
        parts.push(Part { geometry: Geometry::window([offset], [m]), offset, m });
    }
    parts
}

/// `A[i, j]` at `data[lead + ku + i − j + j·ldab]`, and zeros everywhere else.
fn check_storage<T: Scalar>(band: &Banded<T>, expected: &DMatrix<T>, what: &str) {
    let Banded { rows, cols, kl, ku, lead, ref data } = *band;
    assert_eq!((rows, cols), expected.shape(), "{what}");
    let ldab = lead + ku + kl + 1;
    assert_eq!((band.ldab(), data.len()), (ldab, ldab * cols), "{what}");
    let mut found = DMatrix::from_element(rows, cols, T::zero());
    for (position, &value) in data.iter().enumerate() {
        let (j, r) = (position / ldab, position % ldab);
        let i = (j + r) as i64 - (lead + ku) as i64;
        let holds = r >= lead && (0..rows as i64).contains(&i);
        if holds {
            found[(i as usize, j)] = value;
        } else {
            assert!(value.is_zero(), "{what}: unused storage ({r}, {j}) holds {value}");
        }
    }
    assert_eq!(&found, expected, "{what}");
    for i in 0..rows + 2 {
        for j in 0..cols + 2 {
            let value = if i < rows && j < cols { expected[(i, j)] } else { T::zero() };
            assert_eq!(band.get(i, j), value, "{what}: get({i}, {j})");
        }
    }
}

/// `y ← A x` as LAPACK's `gbmv` walks the storage.
fn gbmv<T: Scalar>(band: &Banded<T>, x: &[T]) -> Vec<T> {
    let mut y = vec![T::zero(); band.rows];
    for (j, &x) in x.iter().enumerate() {
        let first = j.saturating_sub(band.ku);
        let last = band.rows.min(j + band.kl + 1);
        for (i, y) in y.iter_mut().enumerate().take(last).skip(first) {
            *y += band.data[j * band.ldab() + band.lead + band.ku + i - j] * x;
        }
    }
    y
}

fn check_band<T: Scalar>(conv: &Conv1d<T>, expected: &DMatrix<T>, word: &str, reach: (i64, i64), what: &str) {
    let band = conv.to_banded().unwrap();
    assert_eq!(band.lead, 0, "{what}");
    check_storage(&band, expected, what);
    // kl = max(Kₑ − 1 − offset, 0) and ku = max(offset, 0), and more only where the boundary puts entries.
    let outermost = |distance: &dyn Fn(i64, i64) -> i64, least: i64| {
        let entries = (0..expected.nrows()).flat_map(|i| (0..expected.ncols()).map(move |j| (i, j)));
        let stored = entries.filter(|&at| !expected[at].is_zero());
        stored.map(|(i, j)| distance(i as i64, j as i64)).fold(least, i64::max) as usize
    };
    let (kl, ku) = (reach.0.max(0), reach.1.max(0));
    assert_eq!(band.kl, outermost(&|i, j| i - j, kl), "kl {what}");
    assert_eq!(band.ku, outermost(&|i, j| j - i, ku), "ku {what}");
    if word == "zero" {
        assert_eq!((band.kl, band.ku), (kl as usize, ku as usize), "{what}");
    }
    let x = integers::<T>(expected.ncols(), 4);
    assert_eq!(gbmv(&band, &x), multiply(expected, &x), "gbmv {what}");
    // gbtrf wants kl more rows on top.
    let filled = conv.to_banded_with_fill().unwrap();
    assert_eq!((filled.lead, filled.kl, filled.ku), (band.kl, band.kl, band.ku), "{what}");
    check_storage(&filled, expected, what);
    assert_eq!(gbmv(&filled, &x), multiply(expected, &x), "gbmv with fill {what}");
}

/// As SciPy reads `dia_array((data, offsets))`: `A[j − offset, j] = data[d, j]`.
fn check_diagonals<T: Scalar>(diagonals: &Diagonals<T>, expected: &DMatrix<T>, what: &str) {
    let Diagonals { rows, cols, ref offsets, ref data } = *diagonals;
    assert_eq!((rows, cols), expected.shape(), "{what}");
    let mut occupied = BTreeSet::new();
    for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
        if !expected[(i, j)].is_zero() {
            occupied.insert(j as i64 - i as i64);
        }
    }
    assert_eq!(offsets, &occupied.into_iter().collect::<Vec<_>>(), "offsets {what}");
    assert_eq!(data.len(), offsets.len() * cols, "{what}");
    let mut found = DMatrix::from_element(rows, cols, T::zero());
    for (d, &offset) in offsets.iter().enumerate() {
        for j in 0..cols {
            let (i, value) = (j as i64 - offset, data[d * cols + j]);
            if (0..rows as i64).contains(&i) {
                found[(i as usize, j)] = value;
            } else {
                assert!(value.is_zero(), "{what}: outside the matrix");
            }
        }
    }
    assert_eq!(&found, expected, "diagonals {what}");
}

fn all_crops_and_boundaries<T: Scalar>() -> usize {
    let mut cases = 0;
    for (n, taps, dilation) in
        [(1, 1, 1), (1, 4, 1), (6, 1, 1), (6, 3, 1), (7, 4, 1), (3, 5, 1), (8, 3, 2), (4, 2, 5)]
    {
        let span = (taps - 1) * dilation + 1;
        for word in BOUNDARIES {
            for part in parts::<T>(n, span) {
                for correlate in [false, true] {
                    let mut kernel = integers::<T>(taps, n);
                    let geometry = part.geometry.boundary(boundary(word)).dilation(dilation);
                    let geometry = if correlate { geometry.correlate() } else { geometry };
                    let conv = Conv1d::new(&kernel, n, geometry).unwrap();
                    if correlate {
                        kernel.reverse();
                    }
                    let axis = Axis {
                        n,
                        m: part.m,
                        taps,
                        offset: part.offset,
                        stride: 1,
                        dilation: dilation as i64,
                        boundary: word,
                    };
                    let expected = dense(&naive::matrix(&[axis], &kernel), n);
                    let what = format!("{axis:?} correlate: {correlate}");
                    let exported = conv.to_dense().unwrap();
                    assert_eq!(exported, expected, "to_dense {what}");
                    if word == "periodic" {
                        unbanded(&conv);
                    } else {
                        let reach = (span as i64 - 1 - part.offset, part.offset);
                        check_band(&conv, &expected, word, reach, &what);
                        check_diagonals(&conv.to_diagonals().unwrap(), &expected, &what);
                    }
                    cases += 1;
                }
            }
        }
    }
    cases
}

#[test]
fn bands_and_diagonals_are_the_matrix_for_all_crops_and_boundaries() {
    let cases = all_crops_and_boundaries::<f64>()
        + all_crops_and_boundaries::<f32>()
        + all_crops_and_boundaries::<Complex<f64>>()
        + all_crops_and_boundaries::<Complex<f32>>();
    println!("{cases} exports");
    assert_eq!(cases, 4 * 8 * 6 * 12 * 2);
}

/// All three exports are refused, with the way out.
fn unbanded<T: Scalar>(conv: &Conv1d<T>) {
    let refused =
        [conv.to_banded().map(drop), conv.to_banded_with_fill().map(drop), conv.to_diagonals().map(drop)];
    for result in refused {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("to_csr"), "{error}");
    }
}

#[test]
fn strides_and_periodic_boundaries_are_refused() {
    for mode in [ConvMode::Full, ConvMode::Same, ConvMode::Valid] {
        for stride in [2, 3] {
            for word in BOUNDARIES {
                let geometry = Geometry::from(mode).stride(stride).boundary(boundary(word));
                unbanded(&Conv1d::new(&[1.0, 2.0, 3.0], 7, geometry).unwrap());
            }
        }
        let geometry = Geometry::from(mode).boundary(Boundary::Periodic);
        unbanded(&Conv1d::new(&[1.0, 2.0, 3.0], 7, geometry).unwrap());
    }
    // A stride of one is none.
    assert!(Conv1d::new(&[1.0, 2.0], 7, Geometry::full().stride(1)).unwrap().to_banded().is_ok());
}

#[test]
fn a_constant_boundary_exports_the_linear_part() {
    let of = |b| Conv1d::new(&[1.0, 2.0, 3.0], 6, Geometry::same().boundary(b)).unwrap();
    let (constant, zero) = (of(Boundary::Constant(2.5)), of(Boundary::Zero));
    assert_eq!(constant.to_banded().unwrap(), zero.to_banded().unwrap());
    assert_eq!(constant.to_diagonals().unwrap(), zero.to_diagonals().unwrap());
    assert_eq!(constant.to_dense().unwrap(), zero.to_dense().unwrap());
}

#[test]
fn a_band_by_hand() {
    // full: A = [1 0; 2 1; 3 2; 0 3]
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 2, ConvMode::Full).unwrap();
    let band = conv.to_banded().unwrap();
    assert_eq!((band.kl, band.ku, band.lead, band.ldab()), (2, 0, 0, 3));
    assert_eq!(band.data, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    let filled = conv.to_banded_with_fill().unwrap();
    assert_eq!((filled.lead, filled.ldab()), (2, 5));
    assert_eq!(filled.data, [0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    let diagonals = conv.to_diagonals().unwrap();
    assert_eq!(diagonals.offsets, [-2, -1, 0]);
    assert_eq!(diagonals.data, [3.0, 3.0, 2.0, 2.0, 1.0, 1.0]);
    // same, mirrored: A = [3+2 1 0; 3 2 1; 0 3 2+1]
    let geometry = Geometry::same().boundary(Boundary::Symmetric);
    let band = Conv1d::new(&[1.0, 2.0, 3.0], 3, geometry).unwrap().to_banded().unwrap();
    assert_eq!((band.kl, band.ku), (1, 1));
    assert_eq!(band.data, [0.0, 5.0, 3.0, 1.0, 2.0, 3.0, 1.0, 3.0, 0.0]);
}

#[test]
fn dense_matrices_of_images_in_both_orders() {
    let kernel = Array2::from_shape_vec((2, 3), integers::<f64>(6, 1)).unwrap();
    for mode in [ConvMode::Full, ConvMode::Same, ConvMode::Valid] {
        for order in [Order::RowMajor, Order::ColumnMajor] {
            for word in BOUNDARIES {
                let geometry = Geometry::from(mode).order(order).boundary(boundary(word));
                let conv = Conv2d::new(&kernel, [3, 4], geometry).unwrap();
                let axes = [(3_usize, 2_usize), (4, 3)].map(|(n, taps)| {
                    let (offset, m) = match mode {
                        ConvMode::Full => (0, n + taps - 1),
                        ConvMode::Same => (taps / 2, n),
                        ConvMode::Valid => (taps - 1, n - taps + 1),
                    };
                    Axis { n, m, taps, offset: offset as i64, stride: 1, dilation: 1, boundary: word }
                });
                let rows = match order {
                    Order::RowMajor => naive::matrix(&axes, kernel.as_slice().unwrap()),
                    Order::ColumnMajor => {
                        let taps: Vec<f64> = kernel.t().iter().copied().collect();
                        naive::matrix(&[axes[1], axes[0]], &taps)
                    }
                };
                let expected = dense(&rows, 12);
                assert_eq!(conv.to_dense().unwrap(), expected, "{mode:?} {order:?} {word}");
                // nalgebra's and sprs' own ideas of the same matrix.
                let sprs = conv.to_csr().unwrap().to_dense();
                assert_eq!(DMatrix::from_fn(sprs.nrows(), 12, |i, j| sprs[[i, j]]), expected);
            }
        }
    }
}
