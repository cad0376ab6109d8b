//! Any sparse matrix as an operator: its products are those of the definition, for every shape, layout and index type.

use crate::common::integers;
use convmtx::csr::CsrOperator;
use convmtx::memory::Index;
use convmtx::ndarray::{Array2, ShapeBuilder, s};
use convmtx::op::{Apply, examine};
use convmtx::{Scalar, Summation};
use num_complex::Complex;
use sprs::CsMatI;

/// Entries by a rule, among them stored zeros; some rows and columns are empty, one row is full.
fn matrix<T: Scalar, I: Index>((rows, cols): (usize, usize), seed: usize) -> CsMatI<T, I> {
    let (mut indptr, mut indices) = (vec![I::from_usize(0)], Vec::new());
    for r in 0..rows {
        let here =
            |c: &usize| r == 2 || r % 5 != 4 && (c * 7 + r * (seed + 3)) % 11 < 2 + seed % 3 && c % 6 != 5;
        indices.extend((0..cols).filter(here).map(I::from_usize));
        indptr.push(I::from_usize(indices.len()));
    }
    let values = integers(indices.len(), seed);
    CsMatI::new((rows, cols), indptr, indices, values)
}

fn check<T: Scalar, I: Index>(shape: (usize, usize), seed: usize) {
    let a = matrix::<T, I>(shape, seed);
    let mut dense = Array2::from_elem(shape, T::zero());
    for (&v, (r, c)) in &a {
        dense[[r.index(), c.index()]] = v;
    }
    let adjoint = Array2::from_shape_fn((shape.1, shape.0), |(i, j)| dense[[j, i]].conj());
    for summation in [Summation::Fastest, Summation::Ascending] {
        let op = CsrOperator::new(a.clone()).unwrap().with_summation(summation);
        for (forward, dense) in [(true, &dense), (false, &adjoint)] {
            let (m, n) = dense.dim();
            for signals in [0, 1, 3, 8, 21] {
                let x = Array2::from_shape_vec((n, signals), integers::<T>(n * signals, 5)).unwrap();
                let expected = dense.dot(&x);
                let mut by_columns = Array2::from_elem((n, signals).f(), T::zero());
                by_columns.assign(&x);
                let mut inside = Array2::from_elem((n + 1, 3 * signals + 2), T::one());
                inside.slice_mut(s![1.., 1..signals + 1]).assign(&x);
                let mut upside_down = x.slice(s![..;-1, ..]).to_owned();
                upside_down.invert_axis(convmtx::ndarray::Axis(0));
                let layouts =
                    [x.view(), by_columns.view(), inside.slice(s![1.., 1..signals + 1]), upside_down.view()];
                for x in layouts {
                    let mut room = Array2::from_elem((m, 2 * signals + 1), T::one());
                    for step in [1, 2] {
                        let mut y = room.slice_mut(s![.., ..step * signals;step]);
                        let product = match forward {
                            true => op.apply_batch_into(x, y.view_mut()),
                            false => op.apply_adjoint_batch_into(x, y.view_mut()),
                        };
                        product.unwrap();
                        assert_eq!(y, expected, "{shape:?} {forward} {summation:?} {signals} signals");
                    }
                    assert!(room.column(2 * signals).iter().all(|&v| v == T::one()), "beyond the results");
                }
            }
        }
        if shape.0 * shape.1 > 0 {
            let examination = examine::<T, _>(&op, 3).unwrap();
            assert!(examination.passed(), "{examination}");
        }
    }
}

#[test]
fn products_are_those_of_the_definition() {
    for shape in [(0, 0), (0, 4), (4, 0), (1, 1), (5, 3), (23, 40), (61, 17)] {
        for seed in 0..3 {
            check::<f64, i32>(shape, seed);
            check::<f32, i64>(shape, seed);
            check::<Complex<f64>, i64>(shape, seed);
            check::<Complex<f32>, i32>(shape, seed);
        }
    }
}

/// One row holds nearly all entries, so that parts of equal numbers of entries have very different numbers of rows.
#[test]
fn no_result_depends_on_the_number_of_threads() {
    let (rows, cols) = (3000, 400_000);
    let mut indptr = vec![0_i32];
    let mut indices = Vec::new();
    for r in 0..rows {
        match r {
            1000 => indices.extend(0..400_000),
            _ => indices.extend((0..r % 7).map(|c| c * 5000 + r)),
        }
        indptr.push(i32::try_from(indices.len()).unwrap());
    }
    let values: Vec<f64> = (0..indices.len()).map(|i| (i as f64 * 0.37).sin()).collect();
    let a = CsMatI::new((rows as usize, cols), indptr, indices, values);
    let x = Array2::from_shape_fn((cols, 3), |(i, j)| ((i + 7 * j) as f64).cos());
    let y = Array2::from_shape_fn((rows as usize, 3), |(i, j)| ((i + 5 * j) as f64).cos());
    let products = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let op = CsrOperator::new(a.clone()).unwrap();
            let one = op.apply(&x.column(0).to_vec()).unwrap();
            (one, op.apply_batch(x.view()).unwrap(), op.apply_adjoint_batch(y.view()).unwrap())
        })
    };
    let alone = products(1);
    assert!(alone == products(2) && alone == products(7));
}
