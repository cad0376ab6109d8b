//! The fast loops give what sums in ascending order give, which are those of the matrix: `==` on integers, at sizes where the loops
//! change their ways, too large for dense matrices.

use crate::common::*;
use convmtx::direct::DirectConv;
use convmtx::op::{Apply, LinearOperator};
use convmtx::{Conv1d, Conv2d, ConvMode, FilterBank, Geometry, Layer, RowwiseConv, Scalar, Summation};
use ndarray::{Array2, Array4};
use num_complex::Complex;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

/// Integers, none of them zero: zero taps are skipped by loops of their own.
fn taps<T: Scalar>(len: usize) -> Vec<T> {
    integers::<T>(len, len).into_iter().map(|k| if k.is_zero() { T::one() } else { k }).collect()
}

/// Forward and adjoint in both orders of summation.
fn check<T: Scalar, const D: usize>(fastest: DirectConv<T, D>, what: &dyn std::fmt::Debug) {
    let ascending = fastest.clone().with_summation(Summation::Ascending);
    let (m, n) = fastest.shape();
    let (x, y) = (integers::<T>(n, 3), integers::<T>(m, 4));
    assert!(fastest.apply(&x).unwrap() == ascending.apply(&x).unwrap(), "{} forward {what:?}", T::NAME);
    let adjoint = ascending.apply_adjoint(&y).unwrap();
    assert!(fastest.apply_adjoint(&y).unwrap() == adjoint, "{} adjoint {what:?}", T::NAME);
}

fn signals<T: Scalar>() {
    for (n, k) in [1, 63, 300, 447, 448, 449, 512, 1500]
        .iter()
        .flat_map(|&n| [2, 9, 31, 64, 65, 66, 200].map(|k| (n, k)))
        .filter(|(n, k)| n >= k || *n == 63)
    {
        for ((mode, b), dilation) in
            MODES.iter().flat_map(|m| BOUNDARIES.map(|b| (*m, b))).flat_map(|s| [1, 2].map(|d| (s, d)))
        {
            let geometry = Geometry::from(mode).boundary(boundary(b)).dilation(dilation);
            check(
                Conv1d::new(&taps::<T>(k), n, geometry).unwrap().to_direct().unwrap(),
                &(n, k, mode, b, dilation),
            );
        }
    }
}

fn images<T: Scalar>() {
    for ([h, w], k) in [[40, 61], [50, 64], [37, 65], [26, 130], [100, 13], [13, 517]]
        .iter()
        .flat_map(|&size| [2, 3, 5, 9, 12].map(|k| (size, k)))
        .chain([([30, 140], 27), ([60, 47], 40)])
    {
        for (mode, b) in MODES.iter().flat_map(|m| ["zero", "reflect", "periodic"].map(|b| (*m, b))) {
            let kernel = Array2::from_shape_vec((k, k), taps::<T>(k * k)).unwrap();
            let geometry = Geometry::from(mode).boundary(boundary(b));
            check(Conv2d::new(&kernel, [h, w], geometry).unwrap().to_direct().unwrap(), &(h, w, k, mode, b));
        }
    }
}

/// Windows so far to one side that whole registers of results see nothing.
fn windows<T: Scalar>() {
    for (offset, width, k) in
        [(-30, 16, 3), (-30, 70, 5), (-100, 20, 3), (110, 16, 3), (130, 90, 4), (-200, 33, 12), (12, 128, 3)]
    {
        for b in ["zero", "periodic"] {
            let kernel = Array2::from_shape_vec((k, k), taps::<T>(k * k)).unwrap();
            let geometry = Geometry::window([0, offset], [100, width]).boundary(boundary(b));
            let conv = Conv2d::new(&kernel, [100, 100], geometry).unwrap();
            check(conv.to_direct().unwrap(), &(offset, width, k, b));
        }
    }
    // Results far from a narrow signal, of five channels from one.
    for padding in [40, 60, 80] {
        let weights = Array4::from_shape_vec((5, 1, 3, 85), taps::<T>(5 * 3 * 85)).unwrap().into_dyn();
        let layer = Layer::new().padding([1, padding]);
        let bank = FilterBank::layer(weights.view(), [30, 10], layer).unwrap();
        check(bank.to_direct().unwrap(), &("a layer", padding));
    }
}

fn rows_and_channels<T: Scalar>() {
    for (rows, n, k) in [(5, 30, 3), (3, 450, 60), (2, 600, 9), (7, 100, 80), (2, 700, 90)] {
        for (mode, b) in MODES.iter().flat_map(|m| BOUNDARIES.map(|b| (*m, b))) {
            let kernels = Array2::from_shape_vec((rows, k), taps::<T>(rows * k)).unwrap();
            let geometry = Geometry::from(mode).boundary(boundary(b));
            check(
                RowwiseConv::new(kernels.view(), (rows, n), geometry).unwrap().to_direct().unwrap(),
                &(rows, n, k, mode, b),
            );
        }
    }
    // So many taps that a part of the work is less than a row.
    let weights = Array4::from_shape_vec((2, 2, 27, 27), taps::<T>(4 * 27 * 27)).unwrap().into_dyn();
    let bank = FilterBank::layer(weights.view(), [45, 400], Layer::new().padding([13; 2])).unwrap();
    check(bank.to_direct().unwrap(), &"a layer");
}

#[test]
fn signals_of_all_types() {
    signals::<f64>();
    signals::<f32>();
    signals::<Complex<f64>>();
    signals::<Complex<f32>>();
}

#[test]
fn images_of_all_types() {
    images::<f64>();
    images::<f32>();
    images::<Complex<f64>>();
    images::<Complex<f32>>();
}

#[test]
fn windows_of_all_types() {
    windows::<f64>();
    windows::<f32>();
    windows::<Complex<f64>>();
    windows::<Complex<f32>>();
}

#[test]
fn rows_and_channels_of_all_types() {
    rows_and_channels::<f64>();
    rows_and_channels::<f32>();
    rows_and_channels::<Complex<f64>>();
    rows_and_channels::<Complex<f32>>();
}
