//! Seeded noise: the same seed gives the same numbers on every platform.
//!
//! The source is ChaCha with 8 rounds (`rand_chacha`), which is defined bit by bit; a seed is expanded as `rand` does
//! it (`seed_from_u64`). Elements are drawn in row order whatever the memory layout, always in `f64`: `f32` and `f64`
//! arrays see the same stream. Accepting a draw and the tails of the normal distribution use the platform's `exp` and
//! `ln`: a difference in their last bit is the one thing that could ever show.

use crate::error::{Error, Result};
use crate::scalar::Real;
use ndarray::{Array, ArrayRef, Dimension};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

/// `x + σ·z` with independent standard normal `z`: white Gaussian noise.
///
/// Same shape as `x`; non-finite elements stay so. O(n), one copy. `sigma` = 0 gives a copy.
///
/// # Errors
/// [`Error::Value`] if `sigma` is negative or not finite.
///
/// # Examples
/// ```
/// use convmtx::{ndarray::Array2, noise};
/// let x = Array2::<f64>::zeros((64, 64));
/// let y = noise::gaussian(&x, 0.1, 7)?;
/// assert_eq!(y, noise::gaussian(&x, 0.1, 7)?);
/// assert!((y.std(0.0) - 0.1).abs() < 0.005);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn gaussian<T: Real, D: Dimension>(x: &ArrayRef<T, D>, sigma: f64, seed: u64) -> Result<Array<T, D>> {
    if !(sigma.is_finite() && sigma >= 0.0) {
        return Err(Error::value("sigma of the noise", "a finite number of at least 0", sigma));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut y = x.to_owned();
    for v in &mut y {
        let z: f64 = StandardNormal.sample(&mut rng);
        *v = T::of(v.as_f64() + sigma * z);
    }
    Ok(y)
}

/// `Poisson(peak·x) / peak`, element by element: the noise of counting `peak` photons where `x` is 1.
///
/// The mean is `x`, the variance `x / peak`. Same shape as `x`; an element that is 0 stays 0. O(n), one copy.
///
/// # Errors
/// [`Error::Value`] if `peak` is not a finite number above 0, an element is negative, or `peak·x` exceeds
/// 1.844·10¹⁹ (the counts no longer fit 64 bits); [`Error::NonFinite`] with the position in row order.
///
/// # Examples
/// ```
/// use convmtx::{ndarray::array, noise};
/// let y = noise::poisson(&array![0.0, 0.5, 1.0_f64], 64.0, 7)?;
/// assert_eq!(y[0], 0.0);
/// assert_eq!((y[2] * 64.0).fract(), 0.0); // whole photons
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn poisson<T: Real, D: Dimension>(x: &ArrayRef<T, D>, peak: f64, seed: u64) -> Result<Array<T, D>> {
    if !(peak.is_finite() && peak > 0.0) {
        return Err(Error::value("peak of the Poisson noise", "a finite number above 0", peak));
    }
    for (index, v) in x.iter().enumerate() {
        if !v.finite() {
            return Err(Error::NonFinite { what: "the data for Poisson noise", index, value: v.to_string() });
        }
        if v.as_f64() < 0.0 {
            return Err(Error::value("smallest element for Poisson noise", "at least 0", v));
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut y = x.to_owned();
    for v in &mut y {
        let mean = peak * v.as_f64();
        if mean > 0.0 {
            let too_many = |_| Error::value("peak·x for Poisson noise", "at most 1.844e19", mean);
            let photons: f64 = Poisson::new(mean).map_err(too_many)?.sample(&mut rng);
            *v = T::of(photons / peak);
        }
    }
    Ok(y)
}

/// The blurred signal-to-noise ratio in decibels, `10·log₁₀(var(blurred) / σ²)`.
///
/// `blurred` is the blurred picture without noise, `var` its population variance (divided by n). `sigma` = 0 gives
/// +∞. As used by A. Danielyan, V. Katkovnik, K. Egiazarian, BM3D frames and variational image deblurring, IEEE Trans.
/// Image Process. 21(4), 2012, arXiv:1106.6180. O(n).
///
/// # Errors
/// [`Error::Empty`]; [`Error::Value`] if `sigma` is negative or not finite, or the variance is zero or not finite.
///
/// # Examples
/// ```
/// use convmtx::{ndarray::array, noise};
/// assert!((noise::bsnr(&array![0.0, 2.0], 0.1)? - 20.0).abs() < 1e-12); // variance 1
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn bsnr<T: Real, D: Dimension>(blurred: &ArrayRef<T, D>, sigma: f64) -> Result<f64> {
    if !(sigma.is_finite() && sigma >= 0.0) {
        return Err(Error::value("sigma of the noise", "a finite number of at least 0", sigma));
    }
    Ok(10.0 * variance(blurred)?.log10() - 20.0 * sigma.log10())
}

/// The σ of noise for a wanted [`bsnr`]: `√(var(blurred) / 10^(bsnr/10))`. O(n).
///
/// # Errors
/// [`Error::Empty`]; [`Error::Value`] if `bsnr` is not finite, or the variance is zero or not finite.
///
/// # Examples
/// ```
/// use convmtx::{ndarray::array, noise};
/// assert!((noise::sigma_for_bsnr(&array![0.0, 2.0], 40.0)? - 0.01).abs() < 1e-15);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn sigma_for_bsnr<T: Real, D: Dimension>(blurred: &ArrayRef<T, D>, bsnr: f64) -> Result<f64> {
    if !bsnr.is_finite() {
        return Err(Error::value("BSNR", "a finite number of decibels", bsnr));
    }
    Ok(variance(blurred)?.sqrt() * 10.0_f64.powf(-bsnr / 20.0))
}

/// The population variance in `f64`, from deviations of the mean.
fn variance<T: Real, D: Dimension>(x: &ArrayRef<T, D>) -> Result<f64> {
    if x.is_empty() {
        return Err(Error::Empty { what: "the blurred picture" });
    }
    let n = x.len() as f64; // below 2⁵³
    let mean = x.iter().map(|v| v.as_f64()).sum::<f64>() / n;
    let variance = x.iter().map(|v| (v.as_f64() - mean).powi(2)).sum::<f64>() / n;
    if variance.is_finite() && variance > 0.0 {
        Ok(variance)
    } else {
        Err(Error::value("variance of the blurred picture", "a finite number above 0", variance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, array};

    #[test]
    fn memory_layout_does_not_change_the_numbers() {
        let rows = Array2::from_shape_fn((3, 4), |(r, c)| (r + c) as f64);
        let columns = rows.t().as_standard_layout().into_owned().reversed_axes();
        assert_eq!(gaussian(&rows, 1.0, 3).unwrap(), gaussian(&columns, 1.0, 3).unwrap());
        assert_eq!(poisson(&rows, 9.0, 3).unwrap(), poisson(&columns, 9.0, 3).unwrap());
    }

    #[test]
    fn single_precision_sees_the_same_stream() {
        let wide = gaussian(&Array1::<f64>::zeros(99), 0.5, 11).unwrap();
        let narrow = gaussian(&Array1::<f32>::zeros(99), 0.5, 11).unwrap();
        assert_eq!(wide.mapv(f32::of), narrow);
    }

    #[test]
    fn poisson_has_mean_x_and_variance_x_over_peak() {
        for (mean, peak) in [(0.4_f64, 5.0), (0.5, 200.0)] {
            let y = poisson(&Array1::from_elem(200_000, mean), peak, 1).unwrap();
            assert!((y.mean().unwrap() - mean).abs() < 5.0 * (mean / peak / 2e5).sqrt());
            assert!((y.var(0.0) * peak / mean - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn impossible_requests_are_errors() {
        let x = array![0.5, 1.0];
        for sigma in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(gaussian(&x, sigma, 0).is_err() && bsnr(&x, sigma).is_err());
        }
        for peak in [0.0, -1.0, f64::NAN, 1e20] {
            assert!(poisson(&x, peak, 0).is_err());
        }
        assert!(matches!(poisson(&array![1.0, f64::NAN], 1.0, 0), Err(Error::NonFinite { index: 1, .. })));
        assert!(matches!(poisson(&array![1.0, -1.0], 1.0, 0), Err(Error::Value { .. })));
        assert!(matches!(bsnr(&array![1.0, 1.0], 1.0), Err(Error::Value { .. })));
        assert!(matches!(sigma_for_bsnr(&Array1::<f64>::zeros(0), 40.0), Err(Error::Empty { .. })));
        assert_eq!(bsnr(&x, 0.0).unwrap(), f64::INFINITY);
    }
}
