//! Point-spread functions: the picture of a single bright pixel, as an array that sums to one.
//!
//! The centre of a PSF with `K` taps along an axis is tap `⌊K/2⌋`, counted from 0: the one that MATLAB's `conv2` with
//! `'same'` puts over the output pixel. An even `K` has no middle tap, so that a PSF symmetric about `(K − 1)/2`
//! shifts the picture by half a pixel up and left; only an odd `K` avoids that. [`recentre`] moves any other point of
//! an array to the centre.
//!
//! | PSF | names elsewhere | shape |
//! |---|---|---|
//! | [`gaussian`], [`gaussian_elliptic`] | `fspecial('gaussian')` | as asked |
//! | [`motion`] | `fspecial('motion')` | the smallest odd one that holds the line |
//! | [`disk`] | `fspecial('disk')`, pillbox | `2⌈r − ½⌉ + 1` square |
//! | [`boxcar`] | `fspecial('average')`, uniform | as asked |
//! | [`from_array`] | a measured one | as given |
//!
//! [`Psf`] is the same as data with a textual form: `gaussian:size=9,sigma=4`.

mod named;
mod place;
mod shapes;

pub use named::Psf;
pub use place::{Centre, centre, from_array, normalise, recentre, resize};
pub use shapes::{boxcar, disk, gaussian, gaussian_elliptic, motion};

use crate::error::{Error, Result};

/// The most elements a PSF may have: 8192 × 8192, 512 MiB of `f64`. More is a slip of the finger.
pub const MAX_ELEMENTS: usize = 1 << 26;

/// A typed error for a shape with no elements or more than [`MAX_ELEMENTS`].
fn check_shape((rows, cols): (usize, usize)) -> Result<()> {
    let fits = rows.checked_mul(cols).is_some_and(|elements| (1..=MAX_ELEMENTS).contains(&elements));
    if fits { Ok(()) } else { Err(too_large(format_args!("{rows}x{cols}"))) }
}

/// The error of every size that is zero or beyond [`MAX_ELEMENTS`].
fn too_large(got: impl std::fmt::Display) -> Error {
    Error::value("size of the PSF", format!("at least 1x1 and at most {MAX_ELEMENTS} elements"), got)
}
