//! Products with sparse matrices beside their pseudo-code, for every instruction set of this processor.

use super::{Compressed, Isa, Summation, isa, spmm, spmv};
use crate::memory::Index;
use crate::scalar::{Real, Scalar};
use ndarray::{Array2, ArrayView2, ShapeBuilder, s};
use num_complex::Complex;
use sprs::CsMatI;

/// Every instruction set of this processor.
fn all() -> impl Iterator<Item = Isa> {
    #[cfg(target_arch = "x86_64")]
    let all = [Isa::Portable, Isa::Avx2, Isa::Avx512];
    #[cfg(not(target_arch = "x86_64"))]
    let all = [Isa::Portable];
    all.into_iter().filter(|&i| i <= isa())
}

fn number<T: Scalar>(i: usize, integer: bool) -> T {
    let part = |i: usize| {
        let v = if integer { (i * 37 % 19) as f64 - 9.0 } else { (i as f64 * 0.7).sin() * 1e3 };
        <T::Real as Real>::of(v)
    };
    T::from_parts(part(i), part(i + 5))
}

/// Runs of columns of different lengths, also equal ones and none at all; or columns anywhere.
fn matrix<T: Scalar, I: Index>(rows: usize, cols: usize, runs: bool, integer: bool) -> CsMatI<T, I> {
    let (mut indptr, mut indices) = (vec![I::from_usize(0)], Vec::new());
    for r in 0..rows {
        let width = if r % 11 == 7 { 0 } else { 5 + r / 16 % 3 * (r % 4) };
        let chosen = |c: &usize| match runs {
            true => (r..r + width).contains(&(c + 3)),
            false => (c * 7 + r * 5) % 13 < width / 3,
        };
        indices.extend((0..cols).filter(chosen).map(I::from_usize));
        indptr.push(I::from_usize(indices.len()));
    }
    let values = (0..indices.len()).map(|i| number(i + 3, integer)).collect();
    CsMatI::new((rows, cols), indptr, indices, values)
}

fn check<T: Scalar, I: Index>(rows: usize, cols: usize, runs: bool, integer: bool) {
    let a = Compressed::new(matrix::<T, I>(rows, cols, runs, integer)).unwrap();
    for signals in [1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 50, 130] {
        let x = Array2::from_shape_fn((cols, signals), |(i, j)| number::<T>(i * 3 + j, integer));
        // The pseudo-code of the module, for all but the first row.
        let mut expected = Array2::from_elem((rows - 1, signals), T::zero());
        for ((r, s), y) in expected.indexed_iter_mut() {
            for (c, &v) in a.matrix().outer_view(r + 1).unwrap().iter() {
                *y += v * x[[c, s]];
            }
        }
        let mut wide = Array2::from_elem((cols, 2 * signals + 3), T::zero());
        wide.slice_mut(s![.., 2..signals + 2]).assign(&x);
        let mut by_columns = Array2::from_elem((cols, signals).f(), T::zero());
        by_columns.assign(&x);
        let mut sparse = Array2::from_elem((cols, 2 * signals), T::zero());
        sparse.slice_mut(s![.., ..;2]).assign(&x);
        let adjacent = [x.view(), wide.slice(s![.., 2..signals + 2])];
        let others = [by_columns.view(), sparse.slice(s![.., ..;2])];
        for isa in all() {
            for summation in [Summation::Ascending, Summation::Fastest] {
                for (k, x) in adjacent.into_iter().chain(others).enumerate() {
                    let mut room = Array2::from_elem((rows - 1, signals + k), number::<T>(1, true));
                    let mut y = room.slice_mut(s![.., ..signals]);
                    if k < 2 {
                        spmm::on(isa, &a, 1, x, y.view_mut(), summation);
                    } else {
                        spmv::on(isa, &a, 1, x, y.view_mut(), summation);
                    }
                    if integer || summation == Summation::Ascending {
                        assert_eq!(y, expected, "{isa:?} {summation:?} {signals} signals, layout {k}");
                    }
                    let close = |(a, b): (&T, &T)| (*a - *b).modulus().as_f64() <= 1e9 * T::EPSILON;
                    assert!(y.iter().zip(&expected).all(close), "{isa:?} {signals} signals, layout {k}");
                    let beyond = room.slice(s![.., signals..]);
                    assert!(beyond.iter().all(|&v| v == number::<T>(1, true)), "beyond the results");
                }
            }
        }
    }
}

#[test]
fn every_shell_is_the_pseudo_code() {
    for (runs, integer) in [(true, true), (true, false), (false, true), (false, false)] {
        for (rows, cols) in [(67, 70), (9, 3), (50, 20)] {
            check::<f64, i32>(rows, cols, runs, integer);
            check::<f32, i64>(rows, cols, runs, integer);
        }
        check::<Complex<f64>, i64>(30, 31, runs, integer);
        check::<Complex<f32>, i32>(30, 31, runs, integer);
    }
}

/// Rows with up to `longest` columns anywhere in a part of the matrix that is `width` wide and moves with the row; as many in
/// every row if `even`. First and last columns are among them.
fn scattered<T: Scalar, I: Index>(cols: usize, width: usize, longest: usize, even: bool) -> CsMatI<T, I> {
    let (rows, width) = (90, width.min(cols));
    let (mut indptr, mut indices) = (vec![I::from_usize(0)], Vec::new());
    for r in 0..rows {
        let begin = r * (cols - width) / (rows - 1);
        let many = if even { longest } else { r * 29 % (longest + 1) }.min(width);
        // Odd steps visit all places of a part whose width is a power of two, and most of any other.
        let mut chosen: Vec<usize> = (0..many).map(|k| begin + (k * 37 + r * 11) % width).collect();
        chosen.sort_unstable();
        chosen.dedup();
        indices.extend(chosen.into_iter().map(I::from_usize));
        indptr.push(I::from_usize(indices.len()));
    }
    let values = (0..indices.len()).map(|i| number(i + 3, true)).collect();
    CsMatI::new((rows, cols), indptr, indices, values)
}

fn by_entries<T: Scalar, I: Index>(a: &CsMatI<T, I>, x: ArrayView2<T>) -> Array2<T> {
    let mut y = Array2::from_elem((a.rows(), x.ncols()), T::zero());
    for ((r, s), y) in y.indexed_iter_mut() {
        *y = a.outer_view(r).unwrap().iter().fold(T::zero(), |sum, (c, &v)| sum + v * x[[c, s]]);
    }
    y
}

/// All shells, dispatch included, with adjacent signals and with signals that are columns.
fn check_few<T: Scalar, I: Index>(matrix: CsMatI<T, I>) {
    let (rows, cols) = matrix.shape();
    let a = Compressed::new(matrix).unwrap();
    for signals in 1..10 {
        let mut wide = Array2::from_elem((cols, signals + 1), T::zero());
        for ((i, j), x) in wide.indexed_iter_mut() {
            *x = number(i * 3 + j, true);
        }
        let apart = wide.slice(s![.., ..signals]);
        let expected = by_entries(a.matrix(), apart);
        let tight = apart.as_standard_layout();
        let mut columns = Array2::from_elem((cols, signals).f(), T::zero());
        columns.assign(&apart);
        for isa in all() {
            for x in [apart, tight.view()] {
                let mut y = Array2::from_elem((rows, signals), T::one());
                spmm::on(isa, &a, 0, x, y.view_mut(), Summation::Fastest);
                assert_eq!(y, expected, "{isa:?} {signals} signals side by side");
            }
            for x in [apart, columns.view()] {
                let mut y = Array2::from_elem((rows, signals).f(), T::one());
                spmv::on(isa, &a, 0, x, y.view_mut(), Summation::Fastest);
                assert_eq!(y, expected, "{isa:?} {signals} signals");
            }
        }
        let mut y = Array2::from_elem((rows, signals), T::one());
        super::spmm(&a, 0, tight.view(), y.view_mut(), Summation::Fastest);
        assert_eq!(y, expected, "{signals} signals");
    }
}

#[test]
fn rows_of_all_lengths_and_widths_are_the_pseudo_code() {
    for even in [false, true] {
        for (cols, width, longest) in
            [(1, 1, 1), (3, 3, 2), (63, 63, 20), (64, 64, 30), (300, 64, 40), (65, 65, 33)]
        {
            check_few::<f32, i32>(scattered(cols, width, longest, even));
            check_few::<f64, i32>(scattered(cols, width, longest, even));
        }
        for (cols, width, longest) in [(300, 256, 9), (100, 30, 17)] {
            check_few::<f32, i32>(scattered(cols, width, longest, even));
            check_few::<f32, i64>(scattered(cols, width, longest, even));
            check_few::<f64, i64>(scattered(cols, width, longest, even));
            check_few::<Complex<f32>, i32>(scattered(cols, width, longest, even));
        }
    }
}

/// A sample that a row has no entry for never reaches its result, and one that it has an entry for always does.
fn check_nonfinite<T: Scalar>(bad: T, even: bool, longest: usize) {
    let a = Compressed::new(scattered::<T, i32>(128, 64, longest, even)).unwrap();
    for signals in 1..6 {
        for column in [0, 1, 31, 64, 90, 127] {
            let mut x = Array2::from_elem((128, signals), T::one());
            x.row_mut(column).fill(bad);
            for isa in all() {
                let [mut y, mut z] =
                    [(); 2].map(|()| Array2::from_elem((a.matrix().rows(), signals), T::zero()));
                spmm::on(isa, &a, 0, x.view(), y.view_mut(), Summation::Fastest);
                spmv::on(isa, &a, 0, x.view(), z.view_mut(), Summation::Fastest);
                for ((r, _), y) in y.indexed_iter().chain(z.indexed_iter()) {
                    // Values are integers, none of them an infinity's undoing but zero, which makes it no number.
                    let reached = a.matrix().get(r, column).is_some();
                    assert_eq!(y.modulus().as_f64().is_finite(), !reached, "{isa:?} row {r} column {column}");
                }
            }
        }
    }
}

#[test]
fn samples_without_entries_stay_out() {
    for (even, longest) in [(false, 40), (true, 12), (false, 12)] {
        check_nonfinite(f32::NAN, even, longest);
        check_nonfinite(f32::INFINITY, even, longest);
        check_nonfinite(f64::NAN, even, longest);
        check_nonfinite(f64::NEG_INFINITY, even, longest);
    }
}

#[test]
fn a_matrix_whose_indices_cannot_be_is_refused() {
    let new = |cols, indptr: &[i32], indices: &[i32]| {
        let arrays = (indptr.to_vec(), indices.to_vec(), vec![1.0; indices.len()]);
        // SAFETY: nothing but `Compressed::new` looks at it, whose claim is to find what is wrong.
        let matrix = unsafe {
            CsMatI::new_unchecked(
                sprs::CompressedStorage::CSR,
                (indptr.len() - 1, cols),
                arrays.0,
                arrays.1,
                arrays.2,
            )
        };
        Compressed::new(matrix).is_some()
    };
    assert!(new(3, &[0, 2, 2], &[0, 2]) && new(0, &[0, 0], &[]) && new(3, &[0], &[]));
    assert!(!new(3, &[0, 2, 2], &[0, 3]), "beyond the columns");
    assert!(!new(3, &[0, 2, 2], &[-1, 2]), "negative");
    assert!(!new(3, &[0, 2, 2], &[2, 0]), "descending");
    assert!(!new(3, &[0, 2, 2], &[1, 1]), "twice");
    assert!(!new(3, &[0, 2, 1], &[0, 1]), "pointers descend");
    assert!(!new(3, &[0, 2, 3], &[0, 1]), "pointers beyond the entries");
    assert!(!new(3, &[1, 2, 2], &[0, 1]), "entries before the first row");
    assert!(!new(3, &[0, 3, 2], &[0, 1]), "a row beyond the entries");
}
