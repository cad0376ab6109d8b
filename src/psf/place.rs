//! Any array as a PSF: checking, scaling, and putting the right point on the centre.

use super::check_shape;
use crate::error::{Error, Result};
use crate::scalar::Real;
use ndarray::{Array2, ArrayRef, ArrayRef2, Dimension, s};

/// A centre of mass within this of half a pixel counts as half a pixel, which rounds up.
const TIE: f64 = 1e-9;

/// The point of an array that [`recentre`] puts on tap `⌊K/2⌋` of both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// The largest value; among equal ones the nearest to `⌊K/2⌋`, then the first in row order.
    Peak,
    /// The centre of mass rounded to a pixel, halves upwards (so that symmetric arrays stay as they are).
    Mass,
    /// This row and column, counted from 0.
    At(usize, usize),
}

/// The centre `(⌊R/2⌋, ⌊C/2⌋)` of a PSF of shape `(R, C)`: the tap over the output pixel in a `same` convolution.
///
/// # Examples
/// ```
/// assert_eq!(convmtx::psf::centre((5, 4)), (2, 2));
/// ```
pub const fn centre(shape: (usize, usize)) -> (usize, usize) {
    (shape.0 / 2, shape.1 / 2)
}

/// A measured array as a PSF: a copy that sums to one.
///
/// Same shape and orientation, row-major memory. O(R·C).
///
/// # Errors
/// Those of [`normalise`].
///
/// # Examples
/// ```
/// use convmtx::ndarray::array;
/// let h = convmtx::psf::from_array(&array![[1.0, 2.0], [0.0, 1.0]])?;
/// assert_eq!(h, array![[0.25, 0.5], [0.0, 0.25]]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn from_array<T: Real>(values: &ArrayRef2<T>) -> Result<Array2<T>> {
    let mut psf = values.as_standard_layout().into_owned();
    normalise(&mut psf)?;
    Ok(psf)
}

/// `h ← h / Σh`, in any number of dimensions; the sum is taken in `f64`.
///
/// # Errors
/// [`Error::Empty`]; [`Error::NonFinite`] with the position in row order; [`Error::Value`] if the sum is not finite,
/// or zero up to rounding (`|Σh| ≤ ε·Σ|h|`, as for a derivative). The array is then as before.
///
/// # Examples
/// ```
/// use convmtx::ndarray::array;
/// let mut h = array![1.0_f32, 3.0, 4.0];
/// convmtx::psf::normalise(&mut h)?;
/// assert_eq!(h, array![0.125, 0.375, 0.5]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn normalise<T: Real, D: Dimension>(psf: &mut ArrayRef<T, D>) -> Result<()> {
    check_values(psf)?;
    let (mut sum, mut size) = (0.0, 0.0);
    for v in psf.iter() {
        sum += v.as_f64();
        size += v.as_f64().abs();
    }
    if !size.is_finite() || sum.abs() <= T::EPSILON * size {
        return Err(Error::value("sum of the PSF", "finite and not zero", sum));
    }
    psf.map_inplace(|v| *v = T::of(v.as_f64() / sum));
    Ok(())
}

/// The array with rows and columns of zeros added so that `on` lies on the centre `⌊K/2⌋`.
///
/// Zeros are added on one side of an axis only, as few as possible; nothing is removed or rescaled. O(R·C).
///
/// # Errors
/// [`Error::Empty`]; [`Error::NonFinite`]; [`Error::Value`] if `on` lies outside the array (which a centre of mass
/// does only if there are negative values), if there is no mass, or for a result above
/// [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// use convmtx::ndarray::array;
/// use convmtx::psf::{Centre, recentre};
/// let h = recentre(&array![[0.2, 0.7, 0.05, 0.05]], Centre::Peak)?;
/// assert_eq!(h, array![[0.0, 0.2, 0.7, 0.05, 0.05]]); // 0.7 is now tap ⌊5/2⌋
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn recentre<T: Real>(psf: &ArrayRef2<T>, on: Centre) -> Result<Array2<T>> {
    check_values(psf)?;
    let (rows, cols) = psf.dim();
    let (r, c) = match on {
        Centre::Peak => peak(psf),
        Centre::Mass => mass(psf)?,
        Centre::At(r, c) => (r, c),
    };
    if r >= rows || c >= cols {
        return Err(outside((rows, cols), format_args!("({r}, {c})")));
    }
    let ((top, new_rows), (left, new_cols)) = (padding(rows, r), padding(cols, c));
    check_shape((new_rows, new_cols))?;
    let mut out = Array2::zeros((new_rows, new_cols));
    out.slice_mut(s![top..top + rows, left..left + cols]).assign(psf);
    Ok(out)
}

/// The array cropped or padded with zeros to `shape`; its centre `⌊K/2⌋` stays the centre.
///
/// Cropping loses the sum of one: [`normalise`] restores it if that is wanted. O(R·C).
///
/// # Errors
/// [`Error::Empty`]; [`Error::Value`] if `shape` is zero or above [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
///
/// # Examples
/// ```
/// use convmtx::ndarray::array;
/// let h = convmtx::psf::resize(&array![[1.0, 2.0, 3.0]], (3, 2))?;
/// assert_eq!(h, array![[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn resize<T: Real>(psf: &ArrayRef2<T>, shape: (usize, usize)) -> Result<Array2<T>> {
    if psf.is_empty() {
        return Err(Error::Empty { what: "the PSF" });
    }
    check_shape(shape)?;
    let (from, to) = (centre(psf.dim()), centre(shape));
    let mut out = Array2::zeros(shape);
    let (crop_r, pad_r, rows) = overlap(psf.nrows(), from.0, shape.0, to.0);
    let (crop_c, pad_c, cols) = overlap(psf.ncols(), from.1, shape.1, to.1);
    out.slice_mut(s![pad_r..pad_r + rows, pad_c..pad_c + cols])
        .assign(&psf.slice(s![crop_r..crop_r + rows, crop_c..crop_c + cols]));
    Ok(out)
}

/// `(first kept, first written, how many)` when pixel `from` of `len` becomes pixel `to` of `new_len`.
fn overlap(len: usize, from: usize, new_len: usize, to: usize) -> (usize, usize, usize) {
    let (crop, pad) = (from.saturating_sub(to), to.saturating_sub(from));
    (crop, pad, (len - crop).min(new_len - pad))
}

/// `(zeros before, new length)`: the smallest length whose tap `⌊K/2⌋` is the old tap `p`.
fn padding(len: usize, p: usize) -> (usize, usize) {
    if p >= len / 2 {
        (0, len.max(2 * p)) // zeros after
    } else {
        let before = len - 2 * p - 1;
        (before, len + before)
    }
}

fn peak<T: Real>(psf: &ArrayRef2<T>) -> (usize, usize) {
    let (r0, c0) = centre(psf.dim());
    let distance = |(r, c): (usize, usize)| (r.abs_diff(r0) as f64).hypot(c.abs_diff(c0) as f64);
    let mut best = ((0, 0), psf[[0, 0]]);
    for (at, &v) in psf.indexed_iter() {
        if v > best.1 || (v == best.1 && distance(at) < distance(best.0)) {
            best = (at, v);
        }
    }
    best.0
}

fn mass<T: Real>(psf: &ArrayRef2<T>) -> Result<(usize, usize)> {
    let (mut sum, mut size, mut down, mut across) = (0.0, 0.0, 0.0, 0.0);
    for ((r, c), v) in psf.indexed_iter() {
        let v = v.as_f64();
        sum += v;
        size += v.abs();
        down += v * r as f64;
        across += v * c as f64;
    }
    if !size.is_finite() || sum.abs() <= T::EPSILON * size {
        return Err(Error::value("sum of the PSF", "finite and not zero for a centre of mass", sum));
    }
    let (r, c) = (down / sum, across / sum);
    let (rows, cols) = psf.dim();
    let inside = |at: f64, len: usize| at >= -0.5 && at < len as f64 - 0.5;
    if !(inside(r, rows) && inside(c, cols)) {
        return Err(outside((rows, cols), format_args!("({r}, {c})")));
    }
    let round = |at: f64| (at + 0.5 + TIE).floor().max(0.0) as usize; // inside the array, checked above
    Ok((round(r).min(rows - 1), round(c).min(cols - 1)))
}

fn outside((rows, cols): (usize, usize), got: std::fmt::Arguments) -> Error {
    Error::value("centre of the PSF", format!("a row below {rows} and a column below {cols}"), got)
}

/// Something to work with, and all of it finite.
fn check_values<T: Real, D: Dimension>(psf: &ArrayRef<T, D>) -> Result<()> {
    if psf.is_empty() {
        return Err(Error::Empty { what: "the PSF" });
    }
    match psf.iter().enumerate().find(|(_, v)| !v.finite()) {
        None => Ok(()),
        Some((index, v)) => Err(Error::NonFinite { what: "the PSF", index, value: v.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn padding_is_minimal_and_centres() {
        for len in 1..9 {
            for p in 0..len {
                let (before, new_len) = padding(len, p);
                assert_eq!(new_len / 2, before + p);
                assert!(before + len <= new_len);
                let shorter = (len..new_len).any(|n| (0..=n - len).any(|b| n / 2 == b + p));
                assert!(!shorter, "len {len}, p {p}: {new_len}");
            }
        }
    }

    #[test]
    fn arrays_that_are_centred_stay_as_they_are() {
        for h in [array![[1.0, 1.0], [1.0, 1.0]], array![[1.0, 2.0, 1.0]], array![[0.1, 0.1, 0.1, 0.1]]] {
            for on in [Centre::Peak, Centre::Mass] {
                assert_eq!(recentre(&h, on).unwrap(), h);
            }
        }
    }

    #[test]
    fn what_has_no_place_is_refused() {
        assert!(matches!(recentre(&array![[1.0, -1.0]], Centre::Mass), Err(Error::Value { .. })));
        assert!(matches!(recentre(&array![[-9.0, 0.0, 10.0]], Centre::Mass), Err(Error::Value { .. })));
        assert!(matches!(recentre(&array![[1.0]], Centre::At(0, 1)), Err(Error::Value { .. })));
        assert!(matches!(from_array(&array![[1.0, -1.0]]), Err(Error::Value { .. })));
        assert!(matches!(from_array(&array![[0.1_f32, 0.2, -0.3]]), Err(Error::Value { .. })));
        assert!(matches!(from_array(&array![[f64::MAX, f64::MAX]]), Err(Error::Value { .. })));
        assert!(matches!(from_array(&array![[1.0, f64::NAN]]), Err(Error::NonFinite { index: 1, .. })));
        assert!(matches!(from_array(&Array2::<f64>::zeros((0, 3))), Err(Error::Empty { .. })));
    }
}
