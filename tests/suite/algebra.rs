//! Lazy algebra against dense matrices, and the examiner against operators that are broken on purpose.

use convmtx::nalgebra::DMatrix;
use convmtx::ndarray::{ArrayView2, ArrayViewMut2};
use convmtx::num_complex::{Complex, Complex32, Complex64};
use convmtx::op::{
    Adjoint, Apply, BatchOperator, BlockDiagonal, BoxedOperator, Diagonal, Difference, Gradient2d, Identity,
    LinearOperator, Product, Scaled, Sum, VStack, Vector, Verdict, examine, hstack,
};
use convmtx::{Error, Real, Result, Scalar};

/// Small integers, with imaginary parts where there are any.
fn integers<T: Scalar>(len: usize) -> Vec<T> {
    let part = |i: usize| T::Real::of(f64::from(u8::try_from(i * 7 % 11).unwrap()) - 5.0);
    (0..len).map(|i| T::from_parts(part(i + 1), part(i * i + 3))).collect()
}

fn number<T: Scalar>(re: f64, im: f64) -> T {
    T::from_parts(T::Real::of(re), T::Real::of(im))
}

/// The matrix of an operator, column by column.
fn dense<T: Scalar>(op: &(impl LinearOperator<[T]> + ?Sized)) -> DMatrix<T> {
    let (m, n) = op.shape();
    let mut a = DMatrix::from_element(m, n, T::zero());
    for j in 0..n {
        let mut e = vec![T::zero(); n];
        e[j] = T::one();
        a.column_mut(j).copy_from_slice(&op.apply(&e).unwrap());
    }
    a
}

fn adjoint<T: Scalar>(a: &DMatrix<T>) -> DMatrix<T> {
    a.transpose().map(|v| v.conj())
}

/// Examined, every layout and batch exact, and equal to `expected` in both directions.
fn check<T: Scalar>(name: &str, op: &(impl BatchOperator<T> + ?Sized), expected: &DMatrix<T>) {
    assert_eq!(op.shape(), expected.shape(), "{name}");
    let examination = examine(op, 3).unwrap();
    assert!(examination.passed(), "{name}: {examination}");
    for exact in ["batch = loop", "strided views"] {
        assert_eq!(examination.finding(exact).unwrap().verdict, Verdict::Exact, "{name}: {examination}");
    }
    assert_eq!(&dense(op), expected, "{name}");
    let (x, y) = (integers::<T>(op.shape().1), integers::<T>(op.shape().0));
    let product = |a: &DMatrix<T>, x: &[T]| -> Vec<T> {
        (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| a[(i, j)] * x[j]).sum()).collect()
    };
    assert_eq!(op.apply(&x).unwrap(), product(expected, &x), "{name}");
    assert_eq!(op.apply_adjoint(&y).unwrap(), product(&adjoint(expected), &y), "{name}, adjoint");
}

/// Rows of finite differences.
fn difference_matrix<T: Scalar>(stencil: &[f64], n: usize) -> DMatrix<T> {
    let m = (n + 1).saturating_sub(stencil.len());
    DMatrix::from_fn(m, n, |i, j| {
        number(if j >= i { stencil.get(j - i).copied() } else { None }.unwrap_or(0.0), 0.0)
    })
}

fn gradient_matrix<T: Scalar>(rows: usize, cols: usize) -> DMatrix<T> {
    let (n, one) = (rows * cols, T::one());
    let mut a = DMatrix::from_element(2 * n, n, T::zero());
    for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
        let at = i * cols + j;
        if i + 1 < rows {
            (a[(at, at)], a[(at, at + cols)]) = (-one, one);
        }
        if j + 1 < cols {
            (a[(n + at, at)], a[(n + at, at + 1)]) = (-one, one);
        }
    }
    a
}

/// A dense matrix with entries everywhere, as an operator: a gradient with weights, so that nothing is symmetric.
fn weighted<T: Scalar>(m: usize, n: usize) -> impl BatchOperator<T> + Clone {
    let rows = vec![Product::new(Diagonal::new(integers::<T>(n)), Identity::new(n)).unwrap(); m];
    let sums = hstack(vec![Diagonal::new(vec![T::one(); 1]); n]).unwrap();
    let rows = rows.into_iter().map(|d| Product::new(sums.clone(), d).unwrap());
    let stack = VStack::new(rows.collect()).unwrap();
    Product::new(Diagonal::new(integers::<T>(m)), stack).unwrap()
}

fn leaves<T: Scalar>() {
    for n in 0..7 {
        check::<T>("identity", &Identity::new(n), &DMatrix::identity(n, n));
        check::<T>("first difference", &Difference::first(n), &difference_matrix(&[-1.0, 1.0], n));
        check::<T>("second difference", &Difference::second(n), &difference_matrix(&[1.0, -2.0, 1.0], n));
        let d = integers::<T>(n);
        let expected = DMatrix::from_fn(n, n, |i, j| if i == j { d[i] } else { T::zero() });
        check("diagonal", &Diagonal::new(d), &expected);
    }
    for (rows, cols) in (0..4).flat_map(|r| (0..4).map(move |c| (r, c))) {
        check::<T>("gradient", &Gradient2d::new(rows, cols).unwrap(), &gradient_matrix(rows, cols));
    }
}

fn combinations<T: Scalar>() {
    for (m, n) in [(1, 1), (1, 4), (4, 1), (3, 5), (6, 4)] {
        let a = weighted::<T>(m, n);
        let da = dense(&a);
        let alpha = number::<T>(2.0, -3.0);
        check("adjoint", &Adjoint::new(&a), &adjoint(&da));
        check("adjoint twice", &Adjoint::new(Adjoint::new(&a)), &da);
        check("scaled", &Scaled::new(alpha, &a), &da.map(|v| alpha * v));
        check("sum", &Sum::new(&a, Scaled::new(alpha, &a)).unwrap(), &da.map(|v| v + alpha * v));
        let (g, dg) = (Difference::first(m), difference_matrix::<T>(&[-1.0, 1.0], m));
        let product = DMatrix::from_fn(dg.nrows(), n, |i, j| (0..m).map(|k| dg[(i, k)] * da[(k, j)]).sum());
        check("product", &Product::new(g, &a).unwrap(), &product);

        let (l, dl) = (Difference::second(n), difference_matrix::<T>(&[1.0, -2.0, 1.0], n));
        let blocks: Vec<BoxedOperator<T>> = vec![Box::new(a.clone()), Box::new(l), Box::new(a.clone())];
        let rows = 2 * m + dl.nrows();
        let below = |i: usize, j: usize| match i {
            i if i < m => da[(i, j)],
            i if i < m + dl.nrows() => dl[(i - m, j)],
            i => da[(i - m - dl.nrows(), j)],
        };
        let stacked = DMatrix::from_fn(rows, n, below);
        check("stack", &VStack::new(blocks).unwrap(), &stacked);
        let blocks = [0, 1, 2].map(|k| -> BoxedOperator<T> {
            if k == 1 {
                Box::new(Adjoint::new(Difference::second(n)))
            } else {
                Box::new(Adjoint::new(a.clone()))
            }
        });
        check("side by side", &hstack(blocks.into()).unwrap(), &adjoint(&stacked));
        let blocks: Vec<BoxedOperator<T>> = vec![Box::new(a.clone()), Box::new(Difference::second(n))];
        let diagonal = DMatrix::from_fn(m + dl.nrows(), 2 * n, |i, j| match (i < m, j < n) {
            (true, true) => da[(i, j)],
            (false, false) => dl[(i - m, j - n)],
            _ => T::zero(),
        });
        check("block diagonal", &BlockDiagonal::new(blocks).unwrap(), &diagonal);
    }
}

#[test]
fn leaves_equal_their_matrices() {
    leaves::<f32>();
    leaves::<f64>();
    leaves::<Complex32>();
    leaves::<Complex64>();
}

#[test]
fn combinations_equal_their_matrices() {
    combinations::<f32>();
    combinations::<f64>();
    combinations::<Complex32>();
    combinations::<Complex64>();
}

#[test]
fn constructors_refuse_with_numbers() {
    let (a, b) = (Difference::first(4), Difference::first(3));
    let text = |e: Error| e.to_string();
    assert_eq!(
        text(Sum::new::<[f64]>(a.clone(), b.clone()).unwrap_err()),
        "the second term has shape [2, 3], expected [3, 4]"
    );
    assert_eq!(
        text(Product::new::<[f64]>(a.clone(), b.clone()).unwrap_err()),
        "the right factor has shape [2, 3], expected [4, 3]"
    );
    assert_eq!(
        text(VStack::new::<[f64]>(vec![a, b]).unwrap_err()),
        "a block of the stack has shape [2, 3], expected [2, 4]"
    );
    assert!(matches!(VStack::<Identity>::new::<[f64]>(vec![]), Err(Error::Empty { .. })));
    assert!(matches!(hstack::<[f64], Identity>(vec![]), Err(Error::Empty { .. })));
    assert!(matches!(BlockDiagonal::<Identity>::new::<[f64]>(vec![]), Err(Error::Empty { .. })));
    assert!(matches!(Gradient2d::new(usize::MAX, 2), Err(Error::Overflow { .. })));
    let huge = vec![Identity::new(usize::MAX), Identity::new(1)];
    assert!(matches!(BlockDiagonal::new::<[f64]>(huge), Err(Error::Overflow { .. })));
    assert_eq!(
        text(Difference::of_order(3, 9).unwrap_err()),
        "the order of the difference is 3, expected 1 or 2"
    );
}

/// What can be wrong with an operator.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    WrongAdjoint,
    AdjointWithoutConjugate,
    TinyEntryMissingInAdjoint,
    Accumulates,
    LeavesAnElement,
    ReadsScratch,
    NotLinear,
    BatchWrong,
    BatchAccumulates,
    BatchIgnoresStrides,
}

/// `y[i] = d[i]·x[i] + x[0]/1000`, with a fault.
struct Faulty<T> {
    d: Vec<T>,
    fault: Fault,
}

impl<T: Scalar> LinearOperator<[T]> for Faulty<T> {
    fn shape(&self) -> (usize, usize) {
        (self.d.len(), self.d.len())
    }

    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        for i in 0..x.len() {
            let value = self.d[i] * x[i] + number::<T>(0.001, 0.0) * x[0];
            match self.fault {
                Fault::Accumulates => y[i] += value,
                Fault::LeavesAnElement if i + 1 == x.len() => {}
                Fault::ReadsScratch => y[i] = value + scratch[0],
                Fault::NotLinear => y[i] = value + number(1e-9, 0.0),
                _ => y[i] = value,
            }
        }
        Ok(())
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        for i in 0..y.len() {
            x[i] = match self.fault {
                Fault::AdjointWithoutConjugate => self.d[i] * y[i],
                Fault::WrongAdjoint => self.d[i].conj() * y[y.len() - 1 - i],
                _ => self.d[i].conj() * y[i],
            };
        }
        let all: T = y.iter().copied().sum();
        if self.fault != Fault::TinyEntryMissingInAdjoint {
            x[0] += number::<T>(0.001, 0.0) * all;
        }
        Ok(())
    }

    fn scratch_len(&self) -> usize {
        1
    }
}

impl<T: Scalar> BatchOperator<T> for Faulty<T> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let columns = x.columns().into_iter().zip(y.columns_mut()).enumerate();
        for (j, (x, mut y)) in columns {
            let mut one = vec![T::zero(); y.len()];
            self.forward(&x.to_vec(), &mut one, scratch)?;
            for (i, (y, &v)) in y.iter_mut().zip(&one).enumerate() {
                match self.fault {
                    Fault::BatchAccumulates => *y += v,
                    Fault::BatchWrong if (i, j) == (1, 16) => *y = v + number(1e-6, 0.0),
                    _ => *y = v,
                }
            }
        }
        if self.fault == Fault::BatchIgnoresStrides && y.ncols() > 1 && y.as_slice_memory_order().is_some() {
            y.as_slice_memory_order_mut().unwrap().swap(0, 1); // right only if written by rows, then swapped back
            if y.is_standard_layout() {
                y.as_slice_mut().unwrap().swap(0, 1);
            }
        }
        Ok(())
    }
}

fn first_failure<T: Scalar>(fault: Fault) -> Vec<&'static str> {
    let d = (0..6_u8).map(|i| number(f64::from(i) - 2.5, f64::from(i) + 0.5)).collect();
    let examination = examine(&Faulty::<T> { d, fault }, 11).unwrap();
    let failed: Vec<_> = examination.findings.iter().filter(|f| !f.passed()).map(|f| f.name).collect();
    assert_eq!(examination.passed(), failed.is_empty());
    match examination.clone().require() {
        Ok(_) => assert!(failed.is_empty()),
        Err(e) => assert!(e.to_string().starts_with(failed[0]), "{e}"),
    }
    println!("{fault:?}: {examination}");
    failed
}

#[test]
fn the_examiner_finds_every_fault_where_it_is() {
    for (fault, expected) in [
        (Fault::None, vec![]),
        (Fault::WrongAdjoint, vec!["dot test", "adjoint twice"]),
        (Fault::AdjointWithoutConjugate, vec!["dot test", "adjoint twice"]),
        (Fault::TinyEntryMissingInAdjoint, vec!["dot test", "adjoint twice"]),
        (Fault::Accumulates, vec!["dirty buffers"]),
        (Fault::LeavesAnElement, vec!["dot test", "adjoint twice", "dirty buffers"]),
        (Fault::ReadsScratch, vec!["dirty buffers", "dirty batch buffers"]),
        (Fault::NotLinear, vec!["dot test", "adjoint twice", "linearity"]),
        (Fault::BatchWrong, vec!["batch = loop"]),
        (Fault::BatchAccumulates, vec!["dirty batch buffers", "strided views"]),
        (Fault::BatchIgnoresStrides, vec!["strided views"]),
    ] {
        assert_eq!(first_failure::<Complex64>(fault), expected, "{fault:?}");
        if fault != Fault::AdjointWithoutConjugate {
            assert_eq!(first_failure::<f64>(fault), expected, "{fault:?}");
        }
    }
    assert!(first_failure::<f64>(Fault::AdjointWithoutConjugate).is_empty());
}

#[test]
fn examinations_print_one_line_per_promise() {
    let examination = examine::<f32, _>(&Difference::first(5), 1).unwrap();
    let text = examination.to_string();
    assert_eq!(text.lines().count(), examination.findings.len() + 2);
    assert!(text.starts_with("operator 4 x 5, float32\n  ok      dot test"), "{text}");
    assert!(text.ends_with("\npassed"), "{text}");
}

#[test]
fn operators_behind_references_and_boxes_are_operators() {
    let d = Diagonal::new(vec![Complex::new(1.0, 2.0), Complex::new(0.0, 1.0)]);
    let boxed: Box<dyn BatchOperator<Complex64>> = Box::new(d.clone());
    assert!(examine(&d, 1).unwrap().passed() && examine(&&d, 1).unwrap().passed());
    assert!(examine(&boxed, 1).unwrap().passed() && examine(&*boxed, 1).unwrap().passed());
}

#[test]
fn algebra_of_algebra_reaches_the_same_vector() {
    // AᴴA + 4·LᴴL as one operator
    let (a, l) = (weighted::<f64>(5, 4), Difference::first(4));
    let normal = Product::new(Adjoint::new(a.clone()), a.clone()).unwrap();
    let penalty = Product::new::<[f64]>(Adjoint::new(l.clone()), l.clone()).unwrap();
    let both = Sum::new(normal, Scaled::new(4.0, penalty)).unwrap();
    let x = integers::<f64>(4);
    let mut expected = a.apply_adjoint(&a.apply(&x).unwrap()).unwrap();
    expected.axpy(4.0, &l.apply_adjoint(&l.apply(&x).unwrap()).unwrap()).unwrap();
    assert_eq!(both.apply(&x).unwrap(), expected);
    assert!(examine(&both, 5).unwrap().passed());
}
