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

/// The squares of complex numbers with parts up to this are whole in double precision.
const SQUARES: f64 = 33_554_432.0; // 2^25

/// Factors of a kernel of rank one, one per axis, row-major; `None` where some tap is not met.
pub(super) fn rank_one<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Factors<T>> {
    let whole = kernel.iter().all(|&k| whole(k));
    let met = |term: &Term<T>, tolerance: f64| {
        (0..kernel.len()).all(|at| {
            let wrong = (outer(term, shape, at) - kernel[at]).modulus().as_f64();
            wrong <= tolerance * kernel[at].modulus().as_f64()
        })
    };
    if whole && let Some(term) = whole_factors(kernel, shape).filter(|term| met(term, 0.0)) {
        return Some(Factors { terms: vec![term], exact: true });
    }
    let term = cross(kernel, shape).filter(|term| met(term, ROUNDINGS * T::EPSILON))?;
    Some(Factors { terms: vec![term], exact: !whole })
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

/// The lines through the largest tap, all but the longest divided by it: a kernel along one axis stays as it is.
fn cross<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Term<T>> {
    let larger =
        |a: &usize, b: &usize| kernel[*a].modulus().as_f64().total_cmp(&kernel[*b].modulus().as_f64());
    let pivot = (0..kernel.len()).max_by(larger)?;
    if kernel[pivot].is_zero() {
        return None;
    }
    let lines = lines(kernel, shape, pivot);
    let longest = (0..lines.len()).max_by_key(|&a| lines[a].len())?;
    let divided = |line: Vec<T>| line.into_iter().map(|k| k / kernel[pivot]).collect();
    let factor = |(a, line)| if a == longest { line } else { divided(line) };
    Some(lines.into_iter().enumerate().map(factor).collect())
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

/// A whole number, or a complex one of two, of which products with others stay exact.
fn whole<T: Scalar>(k: T) -> bool {
    let most = if T::IS_COMPLEX { (1.0 / T::EPSILON).min(SQUARES) } else { 1.0 / T::EPSILON };
    [k.re(), k.im()].map(|part| part.as_f64()).iter().all(|part| part.fract() == 0.0 && part.abs() <= most)
}

/// Whole-numbered factors of a whole-numbered kernel of rank one: each line divided by the greatest common divisor of its
/// elements, the last one multiplied by what remains. `None` for zero.
///
/// Complex whole numbers are the Gaussian integers, which have greatest common divisors as well.
fn whole_factors<T: Scalar>(kernel: &[T], shape: &[usize]) -> Option<Term<T>> {
    let pivot = kernel.iter().position(|k| !k.is_zero())?;
    let wide = |k: &T| Complex::new(k.re().as_f64(), k.im().as_f64());
    let of = |z: Complex<f64>| T::from_parts(T::Real::of(z.re), T::Real::of(z.im));
    let mut term = Term::new();
    let mut rest = wide(&kernel[pivot]);
    for line in lines(kernel, shape, pivot) {
        let line: Vec<_> = line.iter().map(wide).collect();
        let divisor = line.iter().fold(Complex::ZERO, |d, &k| common_divisor(d, k));
        let at_pivot = lines_at(shape, pivot, term.len());
        rest = quotient(rest, quotient(line[at_pivot], divisor));
        term.push(line.into_iter().map(|k| of(quotient(k, divisor))).collect());
    }
    // What remains is whole if the kernel has rank one; otherwise the comparison with the kernel fails.
    term.last_mut()?.iter_mut().for_each(|k| *k *= of(rest));
    Some(term)
}

/// The index of an element along an axis.
fn lines_at(shape: &[usize], element: usize, axis: usize) -> usize {
    let step: usize = shape[axis + 1..].iter().product();
    element / step % shape[axis]
}

/// The greatest common divisor of two Gaussian integers by Euclid's algorithm, positive where it is real.
fn common_divisor(a: Complex<f64>, b: Complex<f64>) -> Complex<f64> {
    match b == Complex::ZERO {
        true if a.im == 0.0 => Complex::new(a.re.abs(), 0.0),
        true => a,
        false => common_divisor(b, a - b * quotient(a, b)),
    }
}

/// The Gaussian integer nearest to a / b.
fn quotient(a: Complex<f64>, b: Complex<f64>) -> Complex<f64> {
    // Real numbers are divided as such, which is exact for larger ones.
    let ratio = if b.im == 0.0 { a.unscale(b.re) } else { (a * b.conj()).unscale(b.norm_sqr()) };
    Complex::new(ratio.re.round(), ratio.im.round())
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
        let large = 2_f64.powi(51); // one beside it is a rounding
        assert!(!rank_one(&[large, large, large, large + 1.0], &[2, 2]).unwrap().exact);
    }

    #[test]
    fn complex_whole_numbers_stay_whole() {
        let z = |re: i32, im: i32| Complex::new(f64::from(re), f64::from(im));
        let of = |u: &[Complex<f64>], v: &[Complex<f64>]| -> Vec<_> {
            u.iter().flat_map(|a| v.iter().map(move |b| a * b)).collect()
        };
        let parts = || (-7..8).flat_map(|re| [(re, 3), (re, -4), (0, re)]);
        for (p, q) in parts().flat_map(|p| parts().map(move |q| (p, q))) {
            let (u, v) = ([z(p.0, p.1), z(2, -3), z(q.1, 5)], [z(q.0, q.1), z(5, 3), z(p.1, 0), z(1, q.0)]);
            let kernel = of(&u, &v);
            let f = rank_one(&kernel, &[3, 4]).unwrap();
            assert!(f.exact);
            assert!(f.terms[0].iter().flatten().all(|k| k.re.fract() == 0.0 && k.im.fract() == 0.0), "{f:?}");
        }
        assert!(rank_one(&[z(1, 1), z(2, 0), z(3, 0), z(4, 0)], &[2, 2]).is_none());
    }

    #[test]
    fn a_kernel_along_one_axis_is_its_own_factor() {
        let kernel = [0.1, 0.7, 0.3].map(|k| Complex::new(k, 1.0 - k));
        for shape in [[3, 1, 1], [1, 3, 1], [1, 1, 3]] {
            let f = rank_one(&kernel, &shape).unwrap();
            let along = shape.iter().position(|&n| n == 3).unwrap();
            assert_eq!(f.terms[0][along], kernel);
        }
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
