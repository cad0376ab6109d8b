//! The PSFs that have a formula.
//!
//! Everything is computed in `f64` and rounded once to the element type.

use super::{check_shape, too_large};
use crate::error::{Error, Result};
use crate::memory::zeroed;
use crate::scalar::Real;
use ndarray::Array2;
use num_traits::ToPrimitive;

/// Weights and overhangs of a line below this are rounding errors of its sine and cosine.
const LINE_EPSILON: f64 = 1e-12;

/// A sampled Gaussian, `h[r,c] ∝ exp(−(y² + x²)/(2σ²))` with `y = r − (R − 1)/2` and `x = c − (C − 1)/2`.
///
/// Shape `size` = `(R, C)`, sum 1, symmetric about the middle of the array. These are the values of MATLAB's and
/// Octave's `fspecial('gaussian', size, sigma)`, except that values below ε times the largest are kept: so the
/// array is an outer product and has rank one. With an even size the picture moves by half a pixel towards row and
/// column 0. O(R·C).
///
/// # Errors
/// [`Error::Value`] if `sigma` is not a finite number above 0, or `size` is zero or above
/// [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// let h = convmtx::psf::gaussian::<f64>((3, 3), 1.0)?;
/// assert!((h.sum() - 1.0).abs() < 1e-15);
/// assert!((h[[0, 1]] / h[[1, 1]] - (-0.5_f64).exp()).abs() < 1e-15);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn gaussian<T: Real>(size: (usize, usize), sigma: f64) -> Result<Array2<T>> {
    check_positive("sigma of the Gaussian PSF", sigma)?;
    check_shape(size)?;
    let (down, across) = (bell(size.0, sigma), bell(size.1, sigma));
    tabulate(size, |r, c| down[r] * across[c])
}

/// A sampled Gaussian with standard deviation `sigma.0` along the direction `angle` and `sigma.1` across it.
///
/// `h ∝ exp(−u²/(2σ₀²) − v²/(2σ₁²))`, where `u` and `v` are the distances from the middle of the array along and
/// across a direction `angle` degrees counter-clockwise from the horizontal, rows running downwards. Shape `size`,
/// sum 1; the half pixel of even sizes is that of [`gaussian`]. O(R·C).
///
/// # Errors
/// Those of [`gaussian`], and [`Error::Value`] for an angle that is not finite.
///
/// # Examples
/// ```
/// let wide = convmtx::psf::gaussian_elliptic::<f64>((7, 7), (2.0, 0.5), 0.0)?;
/// assert!(wide[[3, 5]] > wide[[5, 3]]); // long along the row
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn gaussian_elliptic<T: Real>(size: (usize, usize), sigma: (f64, f64), angle: f64) -> Result<Array2<T>> {
    check_positive("sigma of the Gaussian PSF", sigma.0)?;
    check_positive("sigma of the Gaussian PSF", sigma.1)?;
    let (cos, sin) = direction(angle)?;
    check_shape(size)?;
    let (y0, x0) = (middle(size.0), middle(size.1));
    let narrow = sigma.0.min(sigma.1);
    let (along, across) = (narrow / sigma.0, narrow / sigma.1); // at most 1: nothing overflows
    let squares: Array2<f64> = tabulate(size, |r, c| {
        let (x, y) = (c as f64 - x0, y0 - r as f64); // y points up; sizes are far below 2⁵³
        let (u, v) = (x * cos + y * sin, y * cos - x * sin);
        (u * along).powi(2) + (v * across).powi(2)
    })?;
    // relative to the nearest pixel, so that a narrow Gaussian between pixels does not underflow to nothing
    let nearest = squares.iter().copied().fold(f64::INFINITY, f64::min);
    normalised(size, |r, c| (0.5 * (nearest - squares[[r, c]]) / narrow / narrow).exp())
}

/// Linear motion over `length` pixels, `angle` degrees counter-clockwise from the horizontal: an anti-aliased line.
///
/// `h ∝ max(1 − d, 0)`, where `d` is the distance of a pixel's centre from the segment of length `length − 1`
/// through the centre of the array, so that `length` pixels in a row get `1/length` each. This is the formula that
/// MATLAB documents for `fspecial('motion')`; the values MATLAB prints weigh the pixels around the two ends
/// slightly less, and Octave's are those of another, cruder line. Shape: the smallest odd one that holds every pixel
/// nearer than 1, `2⌈½(length − 1)·|sin| + 1⌉ − 1` rows and the same with the cosine. Sum 1, unchanged by a half
/// turn. O(R·C).
///
/// # Errors
/// [`Error::Value`] if `length` is not a finite number of at least 1, `angle` is not finite, or the array would
/// have more than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// let h = convmtx::psf::motion::<f64>(5.0, 90.0)?;
/// assert_eq!(h.dim(), (5, 1));
/// assert!(h.iter().all(|&v| v == 0.2));
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn motion<T: Real>(length: f64, angle: f64) -> Result<Array2<T>> {
    let shape = motion_shape(length, angle)?;
    let (cos, sin) = direction(angle)?;
    let half = (length - 1.0) / 2.0;
    let (y0, x0) = (middle(shape.0), middle(shape.1));
    normalised(shape, |r, c| {
        let (x, y) = (c as f64 - x0, y0 - r as f64); // y points up
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        let weight = 1.0 - (along.abs() - half).max(0.0).hypot(across);
        if weight < LINE_EPSILON { 0.0 } else { weight }
    })
}

/// The shape of [`motion`] with these arguments, which it checks.
pub(super) fn motion_shape(length: f64, angle: f64) -> Result<(usize, usize)> {
    if !(length.is_finite() && length >= 1.0) {
        return Err(Error::value("length of the motion PSF", "a finite number of at least 1", length));
    }
    let (cos, sin) = direction(angle)?;
    let side = |part: f64| odd_side(((length - 1.0) / 2.0 * part.abs() + 1.0 - LINE_EPSILON).ceil() - 1.0);
    let shape = (side(sin)?, side(cos)?);
    check_shape(shape)?;
    Ok(shape)
}

/// A disc of constant brightness, as a lens out of focus makes it: the pillbox.
///
/// `h[r,c] = |pixel(r,c) ∩ disc| / (πr²)`: the area of each unit pixel inside the circle around the centre of the
/// array, from the antiderivative of `√(r² − x²)`, not by sampling. The values of Octave's `fspecial('disk', r)` for
/// whole radii; fractions are allowed. Shape `2⌈r − ½⌉ + 1` square, sum 1, all eight symmetries exact. O(r²).
///
/// # Errors
/// [`Error::Value`] if `radius` is not a finite number above 0, or the array would have more than
/// [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// let h = convmtx::psf::disk::<f64>(3.0)?;
/// assert_eq!(h.dim(), (7, 7));
/// assert!((h[[3, 3]] - 1.0 / (9.0 * std::f64::consts::PI)).abs() < 1e-15); // a whole pixel
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn disk<T: Real>(radius: f64) -> Result<Array2<T>> {
    let shape = disk_shape(radius)?;
    if shape == (1, 1) {
        return boxcar(shape); // the whole disc in one pixel, also where r² underflows
    }
    let centre = shape.0 / 2;
    normalised(shape, |r, c| {
        let (i, j) = (r.abs_diff(centre), c.abs_diff(centre));
        coverage(i.min(j) as f64, i.max(j) as f64, radius)
    })
}

/// The shape of [`disk`] with this radius, which it checks.
pub(super) fn disk_shape(radius: f64) -> Result<(usize, usize)> {
    check_positive("radius of the disk PSF", radius)?;
    let side = odd_side((radius - 0.5).ceil().max(0.0))?;
    check_shape((side, side))?;
    Ok((side, side))
}

/// A rectangle of equal weights, `h[r,c] = 1/(R·C)`.
///
/// Shape `size` = `(R, C)`; the values of `fspecial('average', size)`. O(R·C). (`box` is a reserved word.)
///
/// # Errors
/// [`Error::Value`] if `size` is zero or above [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// assert!(convmtx::psf::boxcar::<f32>((1, 4))?.iter().all(|&v| v == 0.25));
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn boxcar<T: Real>(size: (usize, usize)) -> Result<Array2<T>> {
    check_shape(size)?;
    let value = 1.0 / (size.0 * size.1) as f64; // at most MAX_ELEMENTS, exact
    tabulate(size, |_, _| value)
}

/// Refuses everything but finite numbers above 0.
pub(super) fn check_positive(what: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(Error::value(what, "a finite number above 0", value))
    }
}

/// `2·reach + 1` pixels, if an array may be that long.
pub(super) fn odd_side(reach: f64) -> Result<usize> {
    match reach.to_usize() {
        Some(n) if n <= super::MAX_ELEMENTS / 2 => Ok(2 * n + 1),
        _ => Err(too_large(format_args!("{} pixels long", 2.0 * reach + 1.0))),
    }
}

/// The middle of `len` pixels, between two of them if `len` is even.
fn middle(len: usize) -> f64 {
    (len as f64 - 1.0) / 2.0 // at most MAX_ELEMENTS, exact
}

/// Cosine and sine of an angle in degrees, modulo a half turn; exact for multiples of 90°.
fn direction(angle: f64) -> Result<(f64, f64)> {
    if !angle.is_finite() {
        return Err(Error::value("angle of the PSF", "a finite number of degrees", angle));
    }
    let angle = angle.rem_euclid(180.0);
    if angle == 90.0 {
        return Ok((0.0, 1.0));
    }
    let (sin, cos) = angle.to_radians().sin_cos();
    Ok((cos, sin))
}

/// One axis of a Gaussian: `exp(−x²/(2σ²))` divided by its sum.
///
/// Taken relative to the innermost tap at `x = m` (½ for an even length): with x² − m² in the exponent nothing
/// underflows there however small σ is.
fn bell(len: usize, sigma: f64) -> Vec<f64> {
    let (x0, m) = (middle(len), 0.5 * ((len + 1) % 2) as f64);
    let mut taps: Vec<f64> = (0..len)
        .map(|i| (i as f64 - x0).abs())
        .map(|x| -0.5 * ((x - m) / sigma) * ((x + m) / sigma))
        .map(|exponent| if exponent.is_nan() { 1.0 } else { exponent.exp() }) // 0·∞ at the innermost tap
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|t| *t /= sum);
    taps
}

/// The area that the disc of radius `r` around the origin shares with the unit pixel centred at `(i, j)`, both ≥ 0.
fn coverage(i: f64, j: f64, r: f64) -> f64 {
    // a pixel on an axis is twice its half in the first quadrant
    let side = |p: f64| if p == 0.0 { (0.0, 0.5, 2.0) } else { (p - 0.5, p + 0.5, 1.0) };
    let ((x0, x1, twice_x), (y0, y1, twice_y)) = (side(i), side(j));
    if x1.hypot(y1) <= r {
        return 1.0;
    }
    if x0.hypot(y0) >= r {
        return 0.0;
    }
    let circle = |t: f64| (r * r - t * t).max(0.0).sqrt();
    let area_below = |x: f64| 0.5 * (x * circle(x) + r * r * (x / r).min(1.0).asin()); // ∫₀ˣ √(r² − t²) dt
    // up to `a` the circle passes above the pixel, from `b` on below it
    let (a, b) = (circle(y1).clamp(x0, x1), circle(y0).clamp(x0, x1));
    let area = (a - x0) * (y1 - y0) + (area_below(b) - area_below(a)) - y0 * (b - a);
    (twice_x * twice_y * area).clamp(0.0, 1.0)
}

/// The array of `weight(r, c)` divided by their sum.
fn normalised<T: Real>(shape: (usize, usize), weight: impl Fn(usize, usize) -> f64) -> Result<Array2<T>> {
    let weights: Array2<f64> = tabulate(shape, weight)?;
    let sum = weights.sum();
    tabulate(shape, |r, c| weights[[r, c]] / sum)
}

/// The array of `value(r, c)`, rounded to `T`; the shape has been checked.
fn tabulate<T: Real>(shape: (usize, usize), value: impl Fn(usize, usize) -> f64) -> Result<Array2<T>> {
    let mut values = zeroed("the PSF", shape.0 * shape.1)?;
    for (i, v) in values.iter_mut().enumerate() {
        *v = T::of(value(i / shape.1, i % shape.1));
    }
    Array2::from_shape_vec(shape, values).map_err(|_| too_large(format_args!("{}x{}", shape.0, shape.1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn coverage_adds_up_to_the_area_of_the_disc() {
        for r in [0.6, 0.9, 1.0, 1.5, 2.3, 7.75, 40.0] {
            let n = (r - 0.5_f64).ceil() as i32;
            let pixels =
                (-n..=n).flat_map(|i| (-n..=n).map(move |j| (f64::from(i.abs()), f64::from(j.abs()))));
            let area: f64 = pixels.map(|(i, j)| coverage(i, j, r)).sum();
            assert!((area - PI * r * r).abs() < 1e-11 * r * r, "r = {r}: {area}");
        }
    }

    #[test]
    fn a_narrow_gaussian_between_pixels_is_shared_by_its_neighbours() {
        for sigma in [1e-3, 1e-160, f64::MIN_POSITIVE] {
            let h = gaussian::<f64>((4, 3), sigma).unwrap();
            assert_eq!((h[[1, 1]], h[[2, 1]]), (0.5, 0.5), "sigma = {sigma}");
            let h = gaussian_elliptic::<f64>((4, 3), (sigma, sigma), 30.0).unwrap();
            assert!((h[[1, 1]] - 0.5).abs() < 1e-15, "sigma = {sigma}");
        }
    }
}
