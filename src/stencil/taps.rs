//! The taps between one output and one input, and the coefficient that they add up to.

use crate::band::Band;
use crate::scalar::{Real, Scalar};

/// The taps that join one output and one input.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Taps<'a> {
    /// One tap, weight 1.
    Single(usize),
    /// Every tap through which `position` sees one of the images.
    Folded { band: &'a Band, position: i64, images: &'a [(i64, i64)] },
}

impl Taps<'_> {
    /// Calls `f(tap, weight)`, in ascending order of the place that the tap reads.
    #[inline]
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, i64)) {
        match *self {
            Taps::Single(tap) => f(tap, 1),
            Taps::Folded { band, position, images } if images.len() > 4 * band.taps() => {
                // Few taps, spread far: look for what each of them reads. Their places ascend as they descend.
                for tap in (0..band.taps()).rev() {
                    let place = position - (band.dilation() * tap) as i64; // below 2^61, see `Band`
                    if let Ok(found) = images.binary_search_by_key(&place, |image| image.0) {
                        f(tap, images[found].1);
                    }
                }
            }
            Taps::Folded { band, position, images } => {
                for &(place, weight) in images {
                    if let Some(tap) = band.tap_at(position, place) {
                        f(tap, weight);
                    }
                }
            }
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        let mut empty = true;
        self.for_each(|_, _| empty = false);
        empty
    }

    /// The coefficient Σ weight·tap, in that order; taps of weight 1 enter unrounded, zero taps not at all.
    #[inline]
    pub(crate) fn merge<T: Scalar>(&self, kernel: &[T]) -> T {
        if let Taps::Single(tap) = *self {
            return kernel[tap];
        }
        let mut sum = T::zero();
        self.for_each(|tap, weight| add_weighted(&mut sum, kernel[tap], weight));
        sum
    }

    /// The same for every element of a slice of the kernel: `out = Σ weight·kernel[tap·out.len() ..]`.
    pub(crate) fn merge_slices<'a, T: Scalar>(&self, kernel: &'a [T], out: &'a mut [T]) -> &'a [T] {
        let len = out.len();
        if let Taps::Single(tap) = *self {
            return &kernel[tap * len..][..len];
        }
        out.fill(T::zero());
        self.for_each(|tap, weight| {
            for (sum, &k) in out.iter_mut().zip(&kernel[tap * len..][..len]) {
                add_weighted(sum, k, weight);
            }
        });
        out
    }
}

/// `sum += weight·tap`. A zero tap contributes nothing, a sum that is still zero takes the term as it is.
#[inline]
fn add_weighted<T: Scalar>(sum: &mut T, tap: T, weight: i64) {
    if tap.is_zero() {
        return;
    }
    let term = if weight == 1 { tap } else { tap.scaled(T::Real::of(weight as f64)) }; // exact below 2^53
    *sum = if sum.is_zero() { term } else { *sum + term };
}
