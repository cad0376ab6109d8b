//! Levinson's recursion and polynomial division against their definitions.

use convmtx::nalgebra::{DMatrix, DVector};
use convmtx::ndarray::{Array2, ShapeBuilder};
use convmtx::num_complex::{Complex32, Complex64};
use convmtx::op::Apply;
use convmtx::solve::{Levinson, deconv};
use convmtx::{Conv1d, ConvMode, Error, Real, Scalar};

fn numbers<T: Scalar>(len: usize, seed: usize) -> Vec<T> {
    let part = |k: usize| T::Real::of(((k * 7919 + 31 * seed) % 41) as f64 / 20.0 - 1.0);
    (0..len).map(|i| T::from_parts(part(i + seed), part(2 * i + 5 + seed))).collect()
}

/// First column and row of a matrix with a dominant diagonal.
fn dominant<T: Scalar>(n: usize, seed: usize) -> (Vec<T>, Vec<T>) {
    let (mut column, mut row) = (numbers::<T>(n, seed), numbers::<T>(n, seed + 17));
    column[0] = T::from_real(T::Real::of(2.0 * n as f64));
    row[0] = T::from_real(T::Real::of(f64::NAN)); // not looked at
    (column, row)
}

/// The definition: `T[i][j] = t[i − j]`.
fn product<T: Scalar>(column: &[T], row: &[T], x: &[T]) -> Vec<T> {
    let entry = |i: usize, j: usize| if i >= j { column[i - j] } else { row[j - i] };
    (0..x.len()).map(|i| x.iter().enumerate().map(|(j, &x)| entry(i, j) * x).sum()).collect()
}

fn solves_what_it_is_given<T: Scalar>() {
    for n in [1, 2, 3, 5, 40, 301] {
        let (column, row) = dominant::<T>(n, n);
        let (t, x) = (Levinson::new(&column, &row).unwrap(), numbers::<T>(n, 3));
        let got = t.solve(&product(&column, &row, &x)).unwrap();
        for (got, x) in got.iter().zip(&x) {
            let error = (*got - *x).modulus().as_f64();
            assert!(error <= 50.0 * T::EPSILON * n as f64, "{} {n}: {error:e}", T::NAME);
        }
    }
}

#[test]
fn levinson_inverts_the_product_for_every_element_type() {
    solves_what_it_is_given::<f32>();
    solves_what_it_is_given::<f64>();
    solves_what_it_is_given::<Complex32>();
    solves_what_it_is_given::<Complex64>();
}

#[test]
fn levinson_agrees_with_elimination_without_any_structure_but_toeplitz() {
    for seed in 0..20 {
        let (column, row) = (numbers::<f64>(9, 3 * seed + 1), numbers::<f64>(9, 5 * seed + 2));
        let dense = DMatrix::from_fn(9, 9, |i, j| if i >= j { column[i - j] } else { row[j - i] });
        // The recursion inverts every leading submatrix: as bad as the worst of them.
        let worst = (1..=9)
            .map(|k| {
                let singular = dense.view((0, 0), (k, k)).clone_owned().singular_values();
                singular.max() / singular.min()
            })
            .fold(1.0, f64::max);
        let b = DVector::from_vec(numbers::<f64>(9, seed));
        let x = Levinson::new(&column, &row).and_then(|t| t.solve(b.as_slice()));
        if worst > 1e12 {
            continue; // refused or worthless
        }
        let want = dense.lu().solve(&b).unwrap();
        let error = (DVector::from_vec(x.unwrap()) - &want).norm() / want.norm();
        assert!(error <= 100.0 * f64::EPSILON * worst * worst, "seed {seed}: {error:e}, condition {worst:e}");
    }
}

#[test]
fn every_column_of_a_batch_is_a_right_hand_side_in_any_layout() {
    let (column, row) = dominant::<Complex64>(7, 2);
    let t = Levinson::new(&column, &row).unwrap();
    let value = |(i, j): (usize, usize)| Complex64::new((i * 3 + j) as f64 - 4.0, (i * j) as f64);
    for b in [Array2::from_shape_fn((7, 4), value), Array2::from_shape_fn((7, 4).f(), value)] {
        for b in [b.view(), b.slice(convmtx::ndarray::s![.., ..;-1]), b.slice(convmtx::ndarray::s![.., 0..0])]
        {
            let x = t.solve_batch(b).unwrap();
            assert_eq!(x.dim(), b.dim());
            for (x, b) in x.columns().into_iter().zip(b.columns()) {
                assert_eq!(x.to_vec(), t.solve(&b.to_vec()).unwrap());
            }
        }
    }
}

#[test]
fn a_hermitian_matrix_is_given_by_its_column() {
    let mut column = numbers::<Complex64>(6, 1);
    column[0] = Complex64::new(12.0, 0.0);
    let row: Vec<_> = column.iter().map(|v| v.conj()).collect();
    assert_eq!(Levinson::hermitian(&column).unwrap(), Levinson::new(&column, &row).unwrap());
    assert_eq!(Levinson::hermitian(&column).unwrap().order(), 6);
}

#[test]
fn the_square_convolution_is_a_toeplitz_system() {
    let conv = Conv1d::new(&[-1.0, 4.0, 1.5], 30, ConvMode::Same).unwrap();
    let (mut column, mut row) = (vec![0.0; 30], vec![0.0; 30]);
    (column[0], column[1], row[1]) = (4.0, 1.5, -1.0);
    let x = numbers::<f64>(30, 4);
    let b = Apply::apply(&conv.to_direct().unwrap(), &x).unwrap();
    let got = Levinson::new(&column, &row).unwrap().solve(&b).unwrap();
    assert!(got.iter().zip(&x).all(|(got, x)| (got - x).abs() < 1e-14), "{got:?}");
}

#[test]
fn the_leading_minor_that_vanishes_is_named() {
    let order = |column: &[f64], row: &[f64]| {
        let n = column.len();
        match Levinson::new(column, row).unwrap().solve(&vec![1.0; n]) {
            Err(Error::Singular { order, .. }) => order,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(order(&[0.0, 1.0], &[0.0, 1.0]), 1);
    assert_eq!(order(&[2.0, 2.0, 1.0], &[2.0, 2.0, 1.0]), 2); // the matrix itself is regular
    assert_eq!(order(&[1.0, 0.0, 1.0], &[1.0, 0.0, 1.0]), 3);
    assert_eq!(order(&[0.1, 0.3, 0.0], &[0.1, 0.1 / 3.0, 0.0]), 2); // but for rounding
    // A cosine has rank two: the minor of order 3 vanishes but for rounding.
    for frequency in [0.3, 0.7, 1.0, 1.9, 2.5, 3.0] {
        let cosine: Vec<f64> = (0..20).map(|k| (f64::from(k) * frequency).cos()).collect();
        assert_eq!(order(&cosine, &cosine), 3, "{frequency}");
    }
    let error = Levinson::hermitian(&[0.0_f32]).unwrap().solve(&[1.0]).unwrap_err().to_string();
    assert!(error.starts_with("the leading minor of order 1 of the Toeplitz matrix is zero"), "{error}");
}

#[test]
fn wrong_toeplitz_systems_are_refused() {
    assert!(matches!(Levinson::<f64>::new(&[], &[]), Err(Error::Empty { .. })));
    let text = |r: Result<Vec<f64>, Error>| r.unwrap_err().to_string();
    let build = |column: &[f64], row: &[f64]| Levinson::new(column, row).map(|_| vec![]);
    assert_eq!(text(build(&[1.0, 2.0], &[1.0])), "the first row has length 1, expected 2");
    assert!(text(build(&[1.0, f64::NAN], &[1.0, 1.0])).starts_with("the first column has the value NaN"));
    assert!(text(build(&[1.0, 1.0], &[1.0, f64::INFINITY])).starts_with("the first row has the value inf"));
    let t = Levinson::new(&[4.0, 1.0], &[4.0, 1.0]).unwrap();
    assert_eq!(text(t.solve(&[1.0; 3])), "b has length 3, expected 2");
    assert!(text(t.solve(&[1.0, f64::NAN])).starts_with("b has the value NaN at index 1"));
    let shape = t.solve_batch(Array2::zeros((3, 2)).view()).unwrap_err();
    assert_eq!(shape.to_string(), "b has shape [3, 2], expected [2, 2]");
}

/// The definition of polynomial multiplication.
fn conv<T: Scalar>(h: &[T], q: &[T]) -> Vec<T> {
    let mut y = vec![T::zero(); h.len() + q.len() - 1];
    for (i, &q) in q.iter().enumerate() {
        for (y, &h) in y[i..].iter_mut().zip(h) {
            *y += q * h;
        }
    }
    y
}

fn division_is_undone_by_multiplication<T: Scalar>() {
    // Divisors with leading 1 keep integers integers.
    for (ny, nh) in [(1, 1), (7, 1), (7, 3), (5, 5), (12, 4), (4, 5)] {
        let integers = |len: usize, seed: usize| -> Vec<T> {
            let part = |k: usize| T::Real::of(((k * 13 + seed) % 7) as f64 - 3.0);
            (0..len).map(|i| T::from_parts(part(i), part(i * i + 2))).collect()
        };
        let (y, mut h) = (integers(ny, 1), integers(nh, 4));
        h[0] = T::one();
        let (q, r) = deconv(&y, &h).unwrap();
        assert_eq!((q.len(), r.len()), ((ny + 1).saturating_sub(nh).max(1), ny));
        if ny < nh {
            assert!(q == [T::zero()] && r == y);
            continue;
        }
        let sum: Vec<T> = conv(&h, &q).iter().zip(&r).map(|(&a, &b)| a + b).collect();
        assert_eq!(sum, y, "{} {ny} {nh}", T::NAME);
        assert!(r[..q.len()].iter().all(|r| r.is_zero()));
        // and of a product nothing remains
        let (quotient, rest) = deconv(&conv(&h, &y), &h).unwrap();
        assert!(quotient == y && rest.iter().all(|r| r.is_zero()));
    }
}

#[test]
fn polynomial_division_is_exact_on_integers_for_every_element_type() {
    division_is_undone_by_multiplication::<f32>();
    division_is_undone_by_multiplication::<f64>();
    division_is_undone_by_multiplication::<Complex32>();
    division_is_undone_by_multiplication::<Complex64>();
}

#[test]
fn divisors_without_a_leading_element_are_refused() {
    let text = |y: &[f64], h: &[f64]| deconv(y, h).unwrap_err().to_string();
    assert!(text(&[1.0, 2.0], &[0.0, 1.0]).starts_with("h[0] is 0, expected a number other than zero"));
    assert!(text(&[1.0], &[0.0, 1.0]).starts_with("h[0] is 0"), "also where nothing is divided");
    assert!(text(&[], &[1.0]).starts_with("y is empty"));
    assert!(text(&[1.0], &[]).starts_with("h is empty"));
    assert!(text(&[1.0, f64::NAN], &[1.0]).starts_with("y has the value NaN at index 1"));
    assert!(text(&[1.0], &[1.0, f64::INFINITY]).starts_with("h has the value inf at index 1"));
}
