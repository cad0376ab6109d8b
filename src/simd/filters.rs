//! Correlation of some channels with the taps of many filters: the interior of layers with several results.
//!
//! In pseudo-code:
//!
//! ```text
//! for f in 0..filters:  for r in 0..rows:  for c in 0..width:  for s in 0..channels:  for q in 0..tap_rows:  for t in 0..taps_per_row:
//!     out[f·out_filter + r·out_row + c] += tap(f, s, q, t) · x[s·x_channel + r·x_row + q·tap_row_shift + t·shift + c]
//! ```
//!
//! Deviation: a tile of some filters and some registers of one row stays in registers for all channels and taps; each
//! register of `x` serves all filters of the tile, and one that is not full repeats its last filter. Taps that are zero
//! are not skipped: use it with filters that have none.

use super::lanes::Lanes;
use super::loops::loops;
use super::shells::{Body, run_fastest};
use crate::scalar::Scalar;

/// Where the operands of [`correlate_filters`] lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filters {
    /// Results: filters, rows, elements of a row, and distances between filters and rows.
    pub filters: usize,
    pub rows: usize,
    pub width: usize,
    pub out_filter: usize,
    pub out_row: usize,
    /// Sources: channels, and distances between channels and between the sources of neighbouring result rows.
    pub channels: usize,
    pub x_channel: usize,
    pub x_row: usize,
    /// Taps: rows, taps of a row, and distances between their sources.
    pub tap_rows: usize,
    pub taps_per_row: usize,
    pub tap_row_shift: usize,
    pub shift: usize,
    /// The first tap in the kernels, and distances to that of the next filter, channel, row, and to the next of the row.
    pub tap: usize,
    pub filter_step: usize,
    pub channel_step: usize,
    pub tap_row_step: isize,
    pub tap_step: isize,
    /// Whether results begin at zero instead of what is there.
    pub fresh: bool,
}

/// See the module; `x` begins with the source of the first tap for the first result.
pub(crate) fn correlate_filters<T: Scalar>(filters: &Filters, kernels: &[T], x: &[T], out: &mut [T]) {
    (loops::<T>().filters)(filters, kernels, x, out);
}

pub(super) fn dispatch<T: Scalar>(filters: &Filters, kernels: &[T], x: &[T], out: &mut [T]) {
    let f = filters;
    if f.filters == 0 || f.rows == 0 || f.width == 0 {
        return;
    }
    assert!(f.channels > 0 && f.tap_rows > 0 && f.taps_per_row > 0, "{f:?}");
    let last_out = (f.filters - 1) * f.out_filter + (f.rows - 1) * f.out_row + f.width;
    let reach = (f.tap_rows - 1) * f.tap_row_shift + (f.taps_per_row - 1) * f.shift;
    let last_x = (f.channels - 1) * f.x_channel + (f.rows - 1) * f.x_row + reach + f.width;
    assert!(last_out <= out.len() && last_x <= x.len(), "{f:?}: {}, {}", out.len(), x.len());
    let last_filter = (f.filters - 1) * f.filter_step + (f.channels - 1) * f.channel_step;
    for (q, t) in [(0, 0), (f.tap_rows - 1, 0), (0, f.taps_per_row - 1), (f.tap_rows - 1, f.taps_per_row - 1)]
    {
        let tap = f.tap.checked_add_signed(q as isize * f.tap_row_step + t as isize * f.tap_step);
        let within = tap.is_some_and(|tap| tap + last_filter < kernels.len());
        assert!(within, "{f:?} beyond {} taps", kernels.len());
    }
    run_fastest(Tiles { f, kernels, x, out });
}

struct Tiles<'a, T> {
    f: &'a Filters,
    kernels: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
}

/// Filters of a tile.
const FILTERS: usize = 4;

impl<T: Scalar> Body<T> for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        // Registers: FILTERS·V of results, V of sources (2 V if complex) and a factor or two.
        if L::REGISTERS == 32 && !T::IS_COMPLEX { self.all::<L, 4>() } else { self.all::<L, 2>() }
    }
}

impl<T: Scalar> Tiles<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const V: usize>(mut self) {
        for f in (0..self.f.filters).step_by(FILTERS) {
            let filters = FILTERS.min(self.f.filters - f);
            for r in 0..self.f.rows {
                let mut c = 0;
                while c < self.f.width {
                    let left = self.f.width - c;
                    c += if left >= V * L::COUNT {
                        self.tile::<L, V, false>((f, filters), r, c, L::COUNT)
                    } else if V > 2 && left > L::COUNT {
                        self.tile::<L, 2, true>((f, filters), r, c, left.min(2 * L::COUNT) - L::COUNT)
                    } else {
                        self.tile::<L, 1, true>((f, filters), r, c, left.min(L::COUNT))
                    };
                }
            }
        }
    }

    /// A tile of `V` registers, the last with `last` columns, for some filters. Returns its columns.
    #[inline(always)]
    fn tile<L: Lanes<T>, const V: usize, const PART: bool>(
        &mut self,
        (first, filters): (usize, usize),
        r: usize,
        c: usize,
        last: usize,
    ) -> usize {
        let f = self.f;
        // SAFETY: `correlate_filters` checked the last result, the last source, and the four corners of the taps for the
        // first and the last filter and channel; all places below are between these.
        unsafe {
            let out = self.out.as_mut_ptr().add(first * f.out_filter + r * f.out_row + c);
            let load = |from: *const T, v: usize| {
                if PART && v == V - 1 { L::load_part(from, last) } else { L::load(from) }
            };
            let mut acc = [[L::zero(); V]; FILTERS];
            for (b, row) in acc.iter_mut().enumerate() {
                if b < filters && !f.fresh {
                    for (v, acc) in row.iter_mut().enumerate() {
                        *acc = load(out.add(b * f.out_filter + v * L::COUNT), v);
                    }
                }
            }
            let kernels: [*const T; FILTERS] = std::array::from_fn(|b| {
                self.kernels.as_ptr().add((first + b.min(filters - 1)) * f.filter_step + f.tap)
            });
            for s in 0..f.channels {
                for q in 0..f.tap_rows {
                    let mut from =
                        self.x.as_ptr().add(s * f.x_channel + r * f.x_row + q * f.tap_row_shift + c);
                    let mut tap = (s * f.channel_step) as isize + q as isize * f.tap_row_step;
                    for _ in 0..f.taps_per_row {
                        let source: [L::Source; V] =
                            std::array::from_fn(|v| load(from.wrapping_add(v * L::COUNT), v).source());
                        for (b, row) in acc.iter_mut().enumerate() {
                            let factor = L::factor(*kernels[b].offset(tap));
                            for (acc, source) in row.iter_mut().zip(source) {
                                *acc = acc.add_product(factor, source);
                            }
                        }
                        from = from.wrapping_add(f.shift);
                        tap += f.tap_step;
                    }
                }
            }
            for (b, row) in acc.iter().enumerate() {
                if b < filters {
                    for (v, acc) in row.iter().enumerate() {
                        let to = out.add(b * f.out_filter + v * L::COUNT);
                        if PART && v == V - 1 { acc.store_part(to, last) } else { acc.store(to) }
                    }
                }
            }
        }
        (V - 1) * L::COUNT + last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    fn integers<T: Scalar>(len: usize) -> Vec<T> {
        let whole = |i: usize| crate::scalar::Real::of((i * 7919 % 13) as f64 - 6.5);
        (0..len).map(|i| T::from_parts(whole(i), whole(i + 5))).collect()
    }

    fn is_the_pseudo_code<T: Scalar>() {
        let (x, kernels) = (integers::<T>(9000), integers::<T>(600));
        for filters in 1..7 {
            for (width, channels, rows, fresh) in
                [(1, 1, 1, true), (7, 2, 3, false), (16, 3, 2, true), (33, 1, 2, false), (70, 2, 1, true)]
            {
                let f = Filters {
                    filters,
                    rows,
                    width,
                    out_filter: rows * (width + 1),
                    out_row: width + 1,
                    channels,
                    x_channel: 900,
                    x_row: 80,
                    tap_rows: 3,
                    taps_per_row: 4,
                    tap_row_shift: 160,
                    shift: 2,
                    tap: 11,
                    filter_step: 36,
                    channel_step: 12,
                    tap_row_step: -4,
                    tap_step: -1,
                    fresh,
                };
                let before = integers::<T>(filters * f.out_filter);
                let (mut expected, mut got) = (before.clone(), before);
                for (a, r, c) in
                    (0..filters).flat_map(|a| (0..rows).flat_map(move |r| (0..width).map(move |c| (a, r, c))))
                {
                    let sum = &mut expected[a * f.out_filter + r * f.out_row + c];
                    *sum = if fresh { T::zero() } else { *sum };
                    for (s, q, t) in
                        (0..channels).flat_map(|s| (0..3).flat_map(move |q| (0..4).map(move |t| (s, q, t))))
                    {
                        *sum += kernels[11 + a * 36 + s * 12 - 4 * q - t]
                            * x[s * 900 + r * 80 + q * 160 + 2 * t + c];
                    }
                }
                correlate_filters(&f, &kernels, &x, &mut got);
                assert!(got == expected, "{} {f:?}", T::NAME);
            }
        }
    }

    #[test]
    fn every_type_is_the_pseudo_code() {
        is_the_pseudo_code::<f32>();
        is_the_pseudo_code::<f64>();
        is_the_pseudo_code::<Complex<f32>>();
        is_the_pseudo_code::<Complex<f64>>();
    }
}
