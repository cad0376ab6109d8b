//! The examiner: does an operator keep the promises of [`LinearOperator`] and [`BatchOperator`]?

use super::dottest::{dottest, norm, normal, relative, rounding_bound};
use super::layouts::{LAYOUTS, Padded};
use super::{Apply, BatchOperator, Vector};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use ndarray::{Array2, ArrayView2};
use num_traits::Float;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::fmt;

/// Dot tests with different vectors.
const DOT_TESTS: u64 = 4;
/// Unit vectors with which matrix entries are compared; all of them for operators no larger than this.
const UNIT_VECTORS: usize = 32;
/// Batch widths: none, one, and remainders of every usual block size.
const WIDTHS: [usize; 5] = [0, 1, 2, 5, 17];

/// How one promise turned out.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Equal, bit for bit.
    Exact,
    /// Different by no more than rounding explains.
    Within {
        /// The largest relative difference seen.
        relative: f64,
        /// The largest that passes.
        bound: f64,
    },
    /// Different by more than rounding explains.
    Exceeds {
        /// The largest relative difference seen, or NaN.
        relative: f64,
        /// The largest that passes.
        bound: f64,
    },
    /// Broken in a way that is no matter of size.
    Broken(&'static str),
}

impl Verdict {
    /// Judges a relative difference: zero is exact, NaN exceeds.
    fn of(relative: f64, bound: f64) -> Self {
        match relative {
            0.0 => Verdict::Exact,
            r if r <= bound => Verdict::Within { relative, bound },
            _ => Verdict::Exceeds { relative, bound },
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Verdict::Exact => write!(f, "exact"),
            Verdict::Within { relative, bound } => write!(f, "off by {relative:.1e}, at most {bound:.1e}"),
            Verdict::Exceeds { relative, bound } => write!(f, "off by {relative:.1e}, MORE THAN {bound:.1e}"),
            Verdict::Broken(how) => write!(f, "{how}"),
        }
    }
}

/// One promise and how it turned out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The promise, as listed at [`examine`].
    pub name: &'static str,
    /// How it turned out.
    pub verdict: Verdict,
}

impl Finding {
    /// Whether the promise is kept.
    pub fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Exact | Verdict::Within { .. })
    }
}

/// The findings of [`examine`]. Printed, it is a table with one line per promise.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Examination {
    /// Rows and columns of the operator.
    pub shape: (usize, usize),
    /// NumPy's name of the element type.
    pub dtype: &'static str,
    /// What was found, in the order of the list at [`examine`].
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Whether every promise is kept.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(Finding::passed)
    }

    /// The finding of this name.
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|f| f.name == name)
    }

    /// The examination itself if it passed.
    ///
    /// # Errors
    /// [`Error::Value`] with the name of the first broken promise.
    pub fn require(self) -> Result<Self> {
        match self.findings.iter().find(|f| !f.passed()) {
            None => Ok(self),
            Some(f) => Err(Error::value(f.name, "a kept promise of the operator", &f.verdict)),
        }
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "operator {} x {}, {}", self.shape.0, self.shape.1, self.dtype)?;
        for finding in &self.findings {
            let mark = if finding.passed() { "ok    " } else { "FAILED" };
            writeln!(f, "  {mark}  {:<21} {}", finding.name, finding.verdict)?;
        }
        write!(f, "{}", if self.passed() { "passed" } else { "FAILED" })
    }
}

/// Examines an operator on the host, with random numbers started from `seed`.
///
/// | finding | promise |
/// |---|---|
/// | `dot test` | ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ on several seeds, see [`dottest`] |
/// | `adjoint twice` | (Aᴴ)ᴴ = A, entry by entry: `Aᴴ` of unit vectors gives the conjugated rows of `A` |
/// | `linearity` | A(αx + z) = α·A x + A z, and so for Aᴴ |
/// | `dirty buffers` | outputs and scratch full of NaN, and scratch longer than asked for, change no bit |
/// | `batch = loop` | every column of a batch equals the product with that column, for several widths |
/// | `dirty batch buffers` | the same as `dirty buffers` for batches |
/// | `strided views` | batches that are row-contiguous, column-contiguous, every second row or column, reversed: the same result, and nothing written between the elements |
/// | `lengths` | [`Apply`] refuses vectors and batches of wrong sizes |
///
/// Differences are measured in norms, relative to the result, against 8·ε·√max(rows, cols). The buffer findings
/// demand equal bits. Batches need not add in the order of single products, so `batch = loop` and `strided views`
/// pass within the bound; an operator that promises bits is one for which they are [`Verdict::Exact`]. Meant for
/// tests: about two hundred products, and operators should be small.
///
/// # Errors
/// What the operator itself reports. Broken promises are findings; [`Examination::require`] makes them an error.
///
/// # Examples
/// ```
/// use convmtx::op::{Gradient2d, examine};
/// let examination = examine::<f64, _>(&Gradient2d::new(3, 4)?, 1)?;
/// println!("{examination}");
/// examination.require()?;
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn examine<T: Scalar, A: BatchOperator<T> + ?Sized>(op: &A, seed: u64) -> Result<Examination> {
    let shape = op.shape();
    let bound = rounding_bound::<T>(shape.0, shape.1);
    let (down, up) = (Side::forward(op), Side::adjoint(op));
    let mut findings = Vec::new();
    let mut find = |name, verdict| findings.push(Finding { name, verdict });

    let mut worst = Worst::default();
    for i in 0..DOT_TESTS {
        worst.see(dottest(op, seed.wrapping_add(i))?.relative);
    }
    find("dot test", Verdict::of(worst.0, bound));

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    find("adjoint twice", Verdict::of(entries(op)?, bound));
    let linear = [linearity(&down, &mut rng)?, linearity(&up, &mut rng)?];
    find("linearity", Verdict::of(Worst::of(linear), 2.0 * bound)); // two roundings more
    let clean = dirty(&down, &mut rng)? && dirty(&up, &mut rng)?;
    let verdict = |ok, how| if ok { Verdict::Exact } else { Verdict::Broken(how) };
    find("dirty buffers", verdict(clean, "old content of output or scratch shows in the result"));
    let looped = [batch_is_loop(&down, &mut rng)?, batch_is_loop(&up, &mut rng)?];
    find("batch = loop", Verdict::of(Worst::of(looped), bound));
    let clean = dirty_batch(&down, &mut rng)? && dirty_batch(&up, &mut rng)?;
    find("dirty batch buffers", verdict(clean, "old content of output or scratch shows in the result"));
    let strided = match (strided_views(&down, &mut rng)?, strided_views(&up, &mut rng)?) {
        (Some(a), Some(b)) => Verdict::of(Worst::of([a, b]), bound),
        _ => Verdict::Broken("elements between those of the view are overwritten"),
    };
    find("strided views", strided);
    find("lengths", verdict(lengths_refused(op)?, "a vector or batch of the wrong size is accepted"));
    Ok(Examination { shape, dtype: T::NAME, findings })
}

/// The largest of several differences; NaN once one of them is.
#[derive(Default)]
struct Worst(f64);

impl Worst {
    fn see(&mut self, relative: f64) {
        self.0 = if relative.is_nan() || relative > self.0 { relative } else { self.0 };
    }

    fn of(all: impl IntoIterator<Item = f64>) -> f64 {
        let mut worst = Worst::default();
        all.into_iter().for_each(|r| worst.see(r));
        worst.0
    }
}

type Single<'a, T> = Box<dyn Fn(&[T], &mut [T], &mut [T]) -> Result<()> + 'a>;
type Batch<'a, T> = Box<dyn Fn(ArrayView2<T>, ndarray::ArrayViewMut2<T>, &mut [T]) -> Result<()> + 'a>;
type ScratchFor<'a, T> = Box<dyn Fn(&ArrayView2<T>, &ArrayView2<T>) -> usize + 'a>;

/// One of the two products of an operator, with the sizes that belong to it.
struct Side<'a, T: Scalar> {
    rows: usize,
    cols: usize,
    scratch: usize,
    batch_scratch: Box<dyn Fn(usize) -> usize + 'a>,
    batch_scratch_for: ScratchFor<'a, T>,
    single: Single<'a, T>,
    batch: Batch<'a, T>,
}

impl<'a, T: Scalar> Side<'a, T> {
    fn forward<A: BatchOperator<T> + ?Sized>(op: &'a A) -> Self {
        let (rows, cols) = op.shape();
        Side {
            rows,
            cols,
            scratch: op.scratch_len(),
            batch_scratch: Box::new(|width| op.batch_scratch_len(width)),
            batch_scratch_for: Box::new(|x, y| op.batch_scratch_for(x, y)),
            single: Box::new(|x, y, s| op.forward(x, y, s)),
            batch: Box::new(|x, y, s| op.forward_batch(x, y, s)),
        }
    }

    fn adjoint<A: BatchOperator<T> + ?Sized>(op: &'a A) -> Self {
        let (cols, rows) = op.shape();
        Side {
            rows,
            cols,
            single: Box::new(|x, y, s| op.adjoint(x, y, s)),
            batch: Box::new(|x, y, s| op.adjoint_batch(x, y, s)),
            ..Side::forward(op)
        }
    }

    /// The product with one vector, buffers full of `old`, scratch longer than asked for by `extra`.
    fn one(&self, x: &[T], old: T, extra: usize) -> Result<Vec<T>> {
        let mut y = vec![old; self.rows];
        (self.single)(x, &mut y, &mut vec![old; self.scratch + extra])?;
        Ok(y)
    }

    /// The products with every column, one after the other: what a batch has to equal.
    fn by_columns(&self, x: &Array2<T>) -> Result<Array2<T>> {
        let mut y = Array2::zeros((self.rows, x.ncols()));
        for (x, mut y) in x.columns().into_iter().zip(y.columns_mut()) {
            let product = self.one(&x.to_vec(), T::zero(), 0)?;
            y.iter_mut().zip(product).for_each(|(y, p)| *y = p);
        }
        Ok(y)
    }

    /// The product with a batch, buffers as in [`Side::one`].
    fn many(&self, x: &Array2<T>, old: T, extra: usize) -> Result<Array2<T>> {
        let mut y = Array2::from_elem((self.rows, x.ncols()), old);
        let scratch = (self.batch_scratch)(x.ncols()) + extra;
        (self.batch)(x.view(), y.view_mut(), &mut vec![old; scratch])?;
        Ok(y)
    }

    fn random_batch(&self, rng: &mut ChaCha8Rng, width: usize) -> Result<Array2<T>> {
        let values = normal(rng, self.cols * width)?;
        Ok(Array2::from_shape_vec((self.cols, width), values).expect("length is the product of the shape"))
    }
}

/// NaN, in both parts.
fn nan<T: Scalar>() -> T {
    T::from_parts(T::Real::nan(), T::Real::nan())
}

/// Whether two results have the same bits, all NaNs being one.
fn same<'a, T: Scalar>(a: impl IntoIterator<Item = &'a T>, b: impl IntoIterator<Item = &'a T>) -> bool {
    let part = |a: T::Real, b: T::Real| {
        (a.is_nan() && b.is_nan()) || (a == b && a.is_sign_negative() == b.is_sign_negative())
    };
    a.into_iter().zip(b).all(|(a, b)| part(a.re(), b.re()) && part(a.im(), b.im()))
}

/// The largest ‖aⱼ − bⱼ‖ / max(‖aⱼ‖, ‖bⱼ‖) over the columns.
fn distance<T: Scalar>(a: ArrayView2<T>, b: ArrayView2<T>) -> Result<f64> {
    let mut worst = Worst::default();
    for (a, b) in a.columns().into_iter().zip(b.columns()) {
        if same(a, b) {
            continue; // also where both are NaN or infinite in the same places
        }
        let difference = (&a - &b).to_vec();
        worst.see(relative(norm(&difference)?, [norm(&a.to_vec())?, norm(&b.to_vec())?]));
    }
    Ok(worst.0)
}

/// The indices of the unit vectors to try in a space of dimension `n`.
fn units(n: usize) -> impl Iterator<Item = usize> {
    (0..n.min(UNIT_VECTORS))
        .map(move |k| if n <= UNIT_VECTORS { k } else { k * (n - 1) / (UNIT_VECTORS - 1) })
}

/// A[i, j] from both sides, for the unit vectors tried; relative to the largest row or column norm.
fn entries<T: Scalar, A: BatchOperator<T> + ?Sized>(op: &A) -> Result<f64> {
    let (m, n) = op.shape();
    let unit = |len: usize, at: usize| {
        let mut e = vec![T::zero(); len];
        e[at] = T::one();
        e
    };
    let columns = units(n).map(|j| op.apply(&unit(n, j))).collect::<Result<Vec<_>>>()?;
    let rows = units(m).map(|i| op.apply_adjoint(&unit(m, i))).collect::<Result<Vec<_>>>()?;
    let mut size = 0.0_f64;
    for v in columns.iter().chain(&rows) {
        size = size.max(norm(v)?);
    }
    let mut worst = Worst::default();
    for (i, row) in units(m).zip(&rows) {
        for (j, column) in units(n).zip(&columns) {
            let (a, b) = (column[i], row[j].conj());
            if !same([&a], [&b]) {
                worst.see(relative((a - b).modulus().as_f64(), [size, size]));
            }
        }
    }
    Ok(worst.0)
}

/// ‖A(αx + z) − (α·A x + A z)‖ relative to |α|‖A x‖ + ‖A z‖.
fn linearity<T: Scalar>(side: &Side<T>, rng: &mut ChaCha8Rng) -> Result<f64> {
    let alpha = T::from_parts(T::Real::of(-0.75), T::Real::of(1.5));
    let (x, z) = (normal::<T>(rng, side.cols)?, normal::<T>(rng, side.cols)?);
    let mut mixed = z.clone();
    mixed.axpy(alpha, &x)?;
    let (ax, mut expected) = (side.one(&x, T::zero(), 0)?, side.one(&z, T::zero(), 0)?);
    let size = alpha.modulus().as_f64() * norm(&ax)? + norm(&expected)?;
    expected.axpy(alpha, &ax)?;
    let mut difference = side.one(&mixed, T::zero(), 0)?;
    difference.axpy(-T::one(), &expected)?;
    Ok(relative(norm(&difference)?, [size, size]))
}

fn dirty<T: Scalar>(side: &Side<T>, rng: &mut ChaCha8Rng) -> Result<bool> {
    let x = normal(rng, side.cols)?;
    Ok(same(&side.one(&x, T::zero(), 0)?, &side.one(&x, nan(), 3)?))
}

fn dirty_batch<T: Scalar>(side: &Side<T>, rng: &mut ChaCha8Rng) -> Result<bool> {
    let x = side.random_batch(rng, 5)?;
    Ok(same(&side.many(&x, T::zero(), 0)?, &side.many(&x, nan(), 3)?))
}

fn batch_is_loop<T: Scalar>(side: &Side<T>, rng: &mut ChaCha8Rng) -> Result<f64> {
    let mut worst = Worst::default();
    for width in WIDTHS {
        let x = side.random_batch(rng, width)?;
        worst.see(distance(side.many(&x, T::zero(), 0)?.view(), side.by_columns(&x)?.view())?);
    }
    Ok(worst.0)
}

/// The largest difference between layouts, or `None` if something outside the view was written.
fn strided_views<T: Scalar>(side: &Side<T>, rng: &mut ChaCha8Rng) -> Result<Option<f64>> {
    let x = side.random_batch(rng, 5)?;
    let expected = side.many(&x, T::zero(), 0)?;
    let mut worst = Worst::default();
    for (k, input) in LAYOUTS.iter().enumerate() {
        // Every layout with itself and with its neighbour.
        for output in [input, &LAYOUTS[(k + 1) % LAYOUTS.len()]] {
            let mut source = Padded::new(*input, x.dim(), nan());
            source.view_mut().assign(&x);
            let mut target = Padded::new(*output, expected.dim(), nan());
            let scratch = (side.batch_scratch_for)(&source.view(), &target.view());
            (side.batch)(source.view(), target.view_mut(), &mut vec![T::zero(); scratch])?;
            worst.see(distance(target.view(), expected.view())?);
            target.view_mut().fill(nan());
            if !target.is_all_nan() {
                return Ok(None);
            }
        }
    }
    Ok(Some(worst.0))
}

fn lengths_refused<T: Scalar, A: BatchOperator<T> + ?Sized>(op: &A) -> Result<bool> {
    let (m, n) = op.shape();
    let length = |r: Result<Vec<T>>| matches!(r, Err(Error::Length { .. }));
    let shape = |r: Result<Array2<T>>| matches!(r, Err(Error::Shape { .. }));
    let wrong = |len: usize| [Some(len + 1), len.checked_sub(1)].into_iter().flatten();
    let vectors = wrong(n).all(|k| length(op.apply(&vec![T::zero(); k])))
        && wrong(m).all(|k| length(op.apply_adjoint(&vec![T::zero(); k])));
    let batches = wrong(n).all(|k| shape(op.apply_batch(Array2::zeros((k, 2)).view())))
        && wrong(m).all(|k| shape(op.apply_adjoint_batch(Array2::zeros((k, 2)).view())));
    Ok(vectors && batches)
}
