//! How good a restoration is: MSE, PSNR, ISNR, relative error, SSIM.
//!
//! All sums are in `f64` whatever the element type. Channels of a colour picture are the caller's business: the first
//! four take any number of dimensions, SSIM takes one channel. NaN in, NaN out.

use crate::error::{Error, Result};
use crate::scalar::Real;
use ndarray::{Array2, ArrayRef, ArrayRef2, Axis, Dimension, Slice, Zip};

/// The side of SSIM's window, and the smallest picture it is defined for.
const WINDOW: usize = 11;
/// The standard deviation of SSIM's window in pixels.
const WINDOW_SIGMA: f64 = 1.5;
/// K₁ and K₂ of SSIM: they keep the quotients stable where means and variances vanish.
const K: (f64, f64) = (0.01, 0.03);

/// The mean squared error `Σ(a − b)² / n`. O(n).
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Empty`].
///
/// # Examples
/// ```
/// use convmtx::{metrics, ndarray::array};
/// assert_eq!(metrics::mse(&array![1.0, 2.0], &array![1.0, 4.0])?, 2.0);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn mse<T: Real, D: Dimension>(a: &ArrayRef<T, D>, reference: &ArrayRef<T, D>) -> Result<f64> {
    check_pair("the picture", a, reference)?;
    Ok(squared_distance(a, reference) / a.len() as f64) // below 2⁵³
}

/// The peak signal-to-noise ratio in decibels, `10·log₁₀(peak² / mse)`; +∞ for equal arrays. O(n).
///
/// `peak` is the largest value a pixel can have: 1 for pictures in [0, 1].
///
/// # Errors
/// Those of [`mse`], and [`Error::Value`] if `peak` is not a finite number above 0.
///
/// # Examples
/// ```
/// use convmtx::{metrics, ndarray::array};
/// assert_eq!(metrics::psnr(&array![0.0, 0.5], &array![0.1, 0.4], 1.0)?.round(), 20.0);
/// assert_eq!(metrics::psnr(&array![0.5], &array![0.5], 1.0)?, f64::INFINITY);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn psnr<T: Real, D: Dimension>(a: &ArrayRef<T, D>, reference: &ArrayRef<T, D>, peak: f64) -> Result<f64> {
    check_peak(peak)?;
    Ok(20.0 * peak.log10() - 10.0 * mse(a, reference)?.log10())
}

/// The improvement in signal-to-noise ratio in decibels, `10·log₁₀(‖y − x‖² / ‖x̂ − x‖²)`.
///
/// `y` is `degraded`, `x̂` is `restored`, `x` is `reference`. +∞ for a perfect restoration, 0 if there was nothing to
/// improve and nothing was changed. As used by A. Danielyan, V. Katkovnik, K. Egiazarian, BM3D frames and
/// variational image deblurring, IEEE Trans. Image Process. 21(4), 2012, arXiv:1106.6180. O(n).
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Empty`].
///
/// # Examples
/// ```
/// use convmtx::{metrics, ndarray::array};
/// let (degraded, restored, reference) = (array![0.0, 10.0], array![0.0, 1.0], array![0.0, 0.0]);
/// assert_eq!(metrics::isnr(&degraded, &restored, &reference)?, 20.0);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn isnr<T: Real, D: Dimension>(
    degraded: &ArrayRef<T, D>,
    restored: &ArrayRef<T, D>,
    reference: &ArrayRef<T, D>,
) -> Result<f64> {
    check_pair("the degraded picture", degraded, reference)?;
    check_pair("the restored picture", restored, reference)?;
    let (before, after) = (squared_distance(degraded, reference), squared_distance(restored, reference));
    Ok(if before == after { 0.0 } else { 10.0 * (before.log10() - after.log10()) })
}

/// The relative error `‖x − reference‖ / ‖reference‖` in the Euclidean (Frobenius) norm. O(n).
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Empty`], [`Error::Value`] if the reference is zero.
///
/// # Examples
/// ```
/// use convmtx::{metrics, ndarray::array};
/// assert_eq!(metrics::relative_error(&array![3.0, 5.0], &array![3.0, 4.0])?, 0.2);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn relative_error<T: Real, D: Dimension>(x: &ArrayRef<T, D>, reference: &ArrayRef<T, D>) -> Result<f64> {
    check_pair("the array", x, reference)?;
    let norm = reference.iter().map(|v| v.as_f64().powi(2)).sum::<f64>().sqrt();
    if norm == 0.0 {
        return Err(Error::value("norm of the reference", "above 0", norm));
    }
    Ok(squared_distance(x, reference).sqrt() / norm)
}

/// The structural similarity of two pictures, at most 1, which it is for equal ones.
///
/// The mean over all positions of an 11×11 Gaussian window (σ = 1.5, sum 1) that lies within the picture of
///
/// `(2μₐμᵣ + C₁)(2σₐᵣ + C₂) / ((μₐ² + μᵣ² + C₁)(σₐ² + σᵣ² + C₂))`, `C₁ = (0.01·peak)²`, `C₂ = (0.03·peak)²`,
///
/// with means, variances and covariance weighted by the window (no sample correction). From Z. Wang, A. C. Bovik,
/// H. R. Sheikh, E. P. Simoncelli, Image quality assessment, IEEE Trans. Image Process. 13(4), 2004,
/// DOI 10.1109/TIP.2003.819861; without the automatic downsampling that the authors suggest for large pictures.
/// Equals scikit-image's `structural_similarity` with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`.
/// O(11·R·C), eight arrays of the picture's size in `f64`.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Empty`], [`Error::Value`] if a side is below 11 or `peak` is not a
/// finite number above 0.
///
/// # Examples
/// ```
/// use convmtx::{metrics, ndarray::Array2};
/// let x = Array2::from_shape_fn((16, 16), |(r, c)| (r * c % 7) as f64 / 7.0);
/// assert_eq!(metrics::ssim(&x, &x, 1.0)?, 1.0);
/// assert!(metrics::ssim(&(1.0 - &x), &x, 1.0)? < 0.0); // the negative
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn ssim<T: Real>(a: &ArrayRef2<T>, reference: &ArrayRef2<T>, peak: f64) -> Result<f64> {
    check_peak(peak)?;
    check_pair("the picture", a, reference)?;
    let (rows, cols) = a.dim();
    if rows < WINDOW || cols < WINDOW {
        let expected = format!("at least {WINDOW}x{WINDOW}, the window of SSIM");
        return Err(Error::value("size of the picture", expected, format_args!("{rows}x{cols}")));
    }
    let (a, b) = (a.map(|v| v.as_f64()), reference.map(|v| v.as_f64()));
    let (mean_a, mean_b) = (smooth(&a), smooth(&b));
    let (square_a, square_b, product) = (smooth(&(&a * &a)), smooth(&(&b * &b)), smooth(&(&a * &b)));
    let (c1, c2) = ((K.0 * peak).powi(2), (K.1 * peak).powi(2));
    let sum = Zip::from(&mean_a).and(&mean_b).and(&square_a).and(&square_b).and(&product).fold(
        0.0,
        |sum, &ma, &mb, &aa, &bb, &ab| {
            let luminance = (2.0 * (ma * mb) + c1) / (ma * ma + mb * mb + c1);
            let structure = (2.0 * (ab - ma * mb) + c2) / ((aa - ma * ma) + (bb - mb * mb) + c2);
            sum + luminance * structure
        },
    );
    Ok(sum / mean_a.len() as f64) // below 2⁵³
}

/// The picture seen through the Gaussian window, at the positions where the window lies within it.
fn smooth(picture: &Array2<f64>) -> Array2<f64> {
    let taps: [f64; WINDOW] =
        std::array::from_fn(|i| (-0.5 * ((i as f64 - (WINDOW / 2) as f64) / WINDOW_SIGMA).powi(2)).exp());
    let total: f64 = taps.iter().sum();
    let along = |picture: &Array2<f64>, axis: Axis| {
        let mut shape = picture.raw_dim();
        shape[axis.index()] -= WINDOW - 1;
        let kept = shape[axis.index()];
        let mut out = Array2::zeros(shape);
        for (t, tap) in taps.iter().enumerate() {
            out.scaled_add(tap / total, &picture.slice_axis(axis, Slice::from(t..t + kept)));
        }
        out
    };
    along(&along(picture, Axis(1)), Axis(0))
}

fn squared_distance<T: Real, D: Dimension>(a: &ArrayRef<T, D>, b: &ArrayRef<T, D>) -> f64 {
    a.iter().zip(b.iter()).map(|(a, b)| (a.as_f64() - b.as_f64()).powi(2)).sum()
}

fn check_pair<T: Real, D: Dimension>(
    what: &'static str,
    a: &ArrayRef<T, D>,
    b: &ArrayRef<T, D>,
) -> Result<()> {
    if a.shape() != b.shape() {
        return Err(Error::Shape { what, expected: b.shape().to_vec(), got: a.shape().to_vec() });
    }
    if a.is_empty() { Err(Error::Empty { what }) } else { Ok(()) }
}

fn check_peak(peak: f64) -> Result<()> {
    if peak.is_finite() && peak > 0.0 {
        Ok(())
    } else {
        Err(Error::value("peak", "a finite number above 0", peak))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equal_pictures_score_best() {
        let x = Array2::from_shape_fn((13, 11), |(r, c)| (r as f64 * 0.7 + c as f64).sin());
        assert_eq!(mse(&x, &x).unwrap(), 0.0);
        assert_eq!(psnr(&x, &x, 1.0).unwrap(), f64::INFINITY);
        assert_eq!(isnr(&(&x + 0.1), &x, &x).unwrap(), f64::INFINITY);
        assert_eq!(isnr(&x, &x, &x).unwrap(), 0.0);
        assert_eq!(relative_error(&x, &x).unwrap(), 0.0);
        assert_eq!(ssim(&x, &x, 1.0).unwrap(), 1.0);
    }

    #[test]
    fn mismatches_are_errors() {
        let (x, y) = (Array2::<f32>::zeros((12, 12)), Array2::<f32>::zeros((12, 13)));
        assert!(matches!(mse(&x, &y), Err(Error::Shape { .. })));
        assert!(matches!(isnr(&x, &y, &x), Err(Error::Shape { what: "the restored picture", .. })));
        assert!(matches!(ssim(&x, &y, 1.0), Err(Error::Shape { .. })));
        assert!(matches!(relative_error(&x, &x), Err(Error::Value { .. })));
        let empty = Array2::<f32>::zeros((0, 12));
        assert!(matches!(psnr(&empty, &empty, 1.0), Err(Error::Empty { .. })));
        for peak in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(psnr(&x, &x, peak).is_err() && ssim(&x, &x, peak).is_err());
        }
        let small = array![[1.0, 2.0]];
        let message = ssim(&small, &small, 1.0).unwrap_err().to_string();
        assert_eq!(message, "size of the picture is 1x2, expected at least 11x11, the window of SSIM");
    }
}
