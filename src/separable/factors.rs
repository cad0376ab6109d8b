//! Kernels as sums of outer products.
//!
//! A kernel K (rows by columns) of rank r is Σᵢ uᵢ vᵢᵀ. For rank one the factors are a column and a row of K itself, with
//! errors of a few roundings in every product; from rank two on they come from the singular value decomposition, whose
//! errors are small beside the largest singular value (Eckart and Young 1936, DOI 10.1007/BF02288367).

use crate::scalar::{Real, Scalar};
use nalgebra::DMatrix;
use num_complex::Complex;

/// One factor per axis; their outer product is a term of the kernel.
pub(super) type Term<T> = Vec<Vec<T>>;

/// A kernel as a sum of outer products.
#[derive(Debug, Clone)]
pub(super) struct Factors<T> {
    pub terms: Vec<Term<T>>,
    /// Whether every tap is met to a few roundings of its own, and whole-numbered taps exactly.
    pub exact: bool,
}

/// How much a tap may differ, in roundings, to count as met.
const ROUNDINGS: f64 = 8.0;

/// Factors of a kernel of rank one, one per axis, row-major; `None` where some tap is not met.
pub(super) fn rank_one<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Factors<T>> {
    let whole = kernel.iter().all(|&k| whole(k));
    let term = if whole { whole_factors(kernel, shape)? } else { cross(kernel, shape)? };
    let met = (0..kernel.len()).all(|at| {
        let product = outer(&term, shape, at);
        let tolerance = if whole { 0.0 } else { ROUNDINGS * T::EPSILON * kernel[at].modulus().as_f64() };
        (product - kernel[at]).modulus().as_f64() <= tolerance
    });
    met.then(|| Factors { terms: vec![term], exact: true })
}

/// Element `at` of the outer product of the factors.
fn outer<T: Scalar>(term: &Term<T>, shape: &[usize], mut at: usize) -> T {
    let mut product = T::one();
    for (factor, &len) in term.iter().zip(shape).rev() {
        product *= factor[at % len];
        at /= len;
    }
    product
}

/// The lines through the largest tap, all but the last divided by it.
fn cross<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Term<T>> {
    let larger =
        |a: &usize, b: &usize| kernel[*a].modulus().as_f64().total_cmp(&kernel[*b].modulus().as_f64());
    let pivot = (0..kernel.len()).max_by(larger)?;
    if kernel[pivot].is_zero() {
        return None;
    }
    let lines = lines(kernel, shape, pivot);
    let last = lines.len() - 1;
    let divided = |line: Vec<T>| line.into_iter().map(|k| k / kernel[pivot]).collect();
    Some(lines.into_iter().enumerate().map(|(a, line)| if a < last { divided(line) } else { line }).collect())
}

/// The lines of the kernel through an element, axis by axis.
fn lines<T: Scalar>(kernel: &[T], shape: &[usize], through: usize) -> Vec<Vec<T>> {
    let mut step = kernel.len();
    let line = |&len: &usize| {
        step /= len;
        let start = through - through / step % len * step;
        (0..len).map(|i| kernel[start + i * step]).collect()
    };
    shape.iter().map(line).collect()
}

/// A real whole number of which products with others stay exact.
fn whole<T: Scalar>(k: T) -> bool {
    let re = k.re().as_f64();
    k.im().as_f64() == 0.0 && re.fract() == 0.0 && re.abs() * T::EPSILON <= 1.0
}

/// Whole-numbered factors of a whole-numbered kernel of rank one: each line divided by the greatest common divisor of its
/// elements, the last one multiplied by what remains. `None` for zero.
fn whole_factors<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Term<T>> {
    let pivot = kernel.iter().position(|k| !k.is_zero())?;
    let of = |value: f64| T::from_real(T::Real::of(value));
    let mut term = Term::new();
    let mut rest = kernel[pivot].re().as_f64();
    for line in lines(kernel, shape, pivot) {
        let line: Vec<f64> = line.iter().map(|k| k.re().as_f64()).collect();
        let divisor = line.iter().fold(0.0, |d, &k| common_divisor(d, k.abs()));
        let at_pivot = lines_at(shape, pivot, term.len());
        rest /= line[at_pivot] / divisor;
        term.push(line.into_iter().map(|k| of(k / divisor)).collect());
    }
    // What remains is whole if the kernel has rank one; otherwise the comparison with the kernel fails.
    term.last_mut()?.iter_mut().for_each(|k| *k = k.scaled(T::Real::of(rest)));
    Some(term)
}

/// The index of an element along an axis.
fn lines_at(shape: &[usize], element: usize, axis: usize) -> usize {
    let step: usize = shape[axis + 1..].iter().product();
    element / step % shape[axis]
}

/// The greatest common divisor of two whole numbers.
fn common_divisor(a: f64, b: f64) -> f64 {
    if b == 0.0 { a } else { common_divisor(b, a % b) }
}

/// Whether elimination with full pivoting leaves nothing but rounding after `most` steps: a quick look, O(most·taps),
/// before the decomposition.
pub(super) fn rank_at_most<T: Scalar>(kernel: &[T], [rows, cols]: [usize; 2], most: usize) -> bool {
    let mut rest = kernel.to_vec();
    let size = |rest: &[T], at: usize| rest[at].modulus().as_f64();
    let largest = |rest: &[T]| (0..rest.len()).max_by(|&a, &b| size(rest, a).total_cmp(&size(rest, b)));
    let Some(first) = largest(&rest) else { return true };
    let negligible = T::EPSILON * rows.max(cols) as f64 * size(&rest, first); // a count below 2^53
    for _ in 0..most {
        let Some(pivot) = largest(&rest).filter(|&p| size(&rest, p) > negligible) else { return true };
        let (row, col) = (pivot / cols, pivot % cols);
        let pivot_row: Vec<T> = rest[row * cols..][..cols].to_vec();
        for line in rest.chunks_mut(cols) {
            let factor = line[col] / pivot_row[col];
            line.iter_mut().zip(&pivot_row).for_each(|(k, &p)| *k -= factor * p);
        }
    }
    largest(&rest).is_none_or(|p| size(&rest, p) <= negligible)
}

/// Factors of a kernel with two axes from its singular value decomposition, leaving out what changes the kernel by at most
/// `tolerance` times its largest singular value (in the spectral norm).
pub(super) fn low_rank<T: Scalar>(kernel: &[T], shape: [usize; 2], tolerance: f64) -> Option<Factors<T>> {
    let element = |r: usize, c: usize| {
        let k = kernel[r * shape[1] + c];
        Complex::new(k.re().as_f64(), k.im().as_f64())
    };
    let of = |z: Complex<f64>| T::from_parts(T::Real::of(z.re), T::Real::of(z.im));
    let terms: Vec<(f64, Term<T>)> = if T::IS_COMPLEX {
        let svd = DMatrix::from_fn(shape[0], shape[1], element).svd(true, true);
        let (u, v) = (svd.u?, svd.v_t?);
        let term = |(i, &s): (usize, &f64)| {
            let root = s.sqrt();
            let u = u.column(i).iter().map(|&z| of(z * root)).collect();
            (s, vec![u, v.row(i).iter().map(|&z| of(z * root)).collect()])
        };
        svd.singular_values.iter().enumerate().map(term).collect()
    } else {
        let svd = DMatrix::from_fn(shape[0], shape[1], |r, c| element(r, c).re).svd(true, true);
        let (u, v) = (svd.u?, svd.v_t?);
        let real = |x: f64| of(Complex::new(x, 0.0));
        let term = |(i, &s): (usize, &f64)| {
            let root = s.sqrt();
            let u = u.column(i).iter().map(|&x| real(x * root)).collect();
            (s, vec![u, v.row(i).iter().map(|&x| real(x * root)).collect()])
        };
        svd.singular_values.iter().enumerate().map(term).collect()
    };
    let largest = terms.iter().map(|t| t.0).fold(0.0, f64::max);
    let kept = terms.into_iter().filter(|t| t.0 > tolerance * largest);
    Some(Factors { terms: kept.map(|t| t.1).collect(), exact: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_whole() {
        let sobel = [1.0, 0.0, -1.0, 2.0, 0.0, -2.0, 1.0, 0.0, -1.0];
        let f = rank_one(&sobel, &[3, 3]).unwrap();
        assert_eq!(f.terms, [[vec![1.0, 2.0, 1.0], vec![1.0, 0.0, -1.0]]]);
        let f = rank_one(&[6.0, 4.0, 9.0, 6.0], &[2, 2]).unwrap();
        assert!(f.terms[0].iter().flatten().all(|&k: &f64| k.fract() == 0.0), "{f:?}");
        let cube: Vec<f32> = (0..27)
            .map(|i| [1.0, 2.0, 1.0][i / 9] * [1.0, 3.0, 5.0][i / 3 % 3] * [2.0, 0.0, -2.0][i % 3])
            .collect();
        let f = rank_one(&cube, &[3, 3, 3]).unwrap();
        assert!((0..27).all(|at| outer(&f.terms[0], &[3, 3, 3], at) == cube[at]));
        assert!(rank_one(&[1.0, 2.0, 3.0, 4.0], &[2, 2]).is_none());
        assert!(rank_one(&[0.0; 4], &[2, 2]).is_none());
    }

    #[test]
    fn a_gaussian_has_rank_one_and_a_disk_has_not() {
        let g: Vec<f64> = (-7..8).map(|i| (-0.05 * f64::from(i * i)).exp()).collect();
        let kernel: Vec<f64> = (0..225).map(|at| g[at / 15] * g[at % 15]).collect();
        assert!(rank_one(&kernel, &[15, 15]).is_some_and(|f| f.exact));
        let inside = |at: usize| (at / 15).abs_diff(7).pow(2) + (at % 15).abs_diff(7).pow(2) < 40;
        let disk: Vec<f64> = (0..225).map(|at| f64::from(u8::from(inside(at)))).collect();
        assert!(rank_one(&disk, &[15, 15]).is_none());
        let rank = low_rank(&disk, [15, 15], 1e-14).unwrap().terms.len();
        assert!((2..9).contains(&rank), "{rank}");
    }

    #[test]
    fn the_terms_of_a_complex_kernel_add_up_to_it() {
        let kernel: Vec<Complex<f64>> =
            (0..12).map(|i| Complex::new((i as f64).sin(), (i as f64 * 1.7).cos())).collect();
        let f = low_rank(&kernel, [3, 4], 0.0).unwrap();
        for (at, k) in kernel.iter().enumerate() {
            let sum: Complex<f64> = f.terms.iter().map(|t| outer(t, &[3, 4], at)).sum();
            assert!((sum - k).norm() < 1e-14);
        }
    }
}
