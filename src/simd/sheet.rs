//! Correlation of a sheet of rows with a small sheet of taps: the interior of images, volumes and batches.
//!
//! In pseudo-code:
//!
//! ```text
//! for i in 0..channels:  for r in 0..rows:  for c in 0..width:  for q in 0..tap_rows:  for s in 0..taps_per_row:
//!     out[r·out_step + c] += tap(i, q, s) · x[i·x_channel + starts[r + q]][lead + s·shift + c]
//! ```
//!
//! Images: rows are image rows, `shift` is 1 (or the dilation). Batches of signals with their samples in rows: rows are
//! samples, one tap per row. The table `starts` puts any row at any place, which is how boundaries repeat rows; rows
//! that are absent count as zeros, and so do places before or after a row, as long as taps are finite. Deviations from the
//! pseudo-code: (1) some rows and registers of outputs stay in registers for all channels, as long as those have at most
//! 1024 taps together, and every register of `x` serves all rows that see it (`tiles`); (2) taps that are zero are skipped;
//! (3) taps are copied first, so that those which a register of `x` meets in neighbouring rows are adjacent.

use super::loops::loops;
use super::shells::run_fastest;
use super::tiles::Tiles;
use crate::scalar::Scalar;
use std::mem::MaybeUninit;

/// In place of the beginning of a row: there is none.
pub(crate) const ABSENT: usize = usize::MAX;

/// Where the operands of [`correlate_sheet`] lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// Results: rows, elements of a row, and the distance between rows.
    pub rows: usize,
    pub width: usize,
    pub out_step: usize,
    /// Where the `rows + tap_rows − 1` source rows begin, or [`ABSENT`]; elements of each of them.
    pub starts: &'a [usize],
    pub columns: usize,
    /// The place in its row of the source of the first tap for the first result.
    pub lead: isize,
    /// Distance between the sources of neighbouring taps of a row.
    pub shift: usize,
    /// Taps: rows, taps of a row.
    pub tap_rows: usize,
    pub taps_per_row: usize,
    /// The first tap in the kernel, the distances to that of the next row and to the next of the row.
    pub tap: usize,
    pub tap_row_step: isize,
    pub tap_step: isize,
    /// Sources that are added up: how many, and the distances between them and between their first taps.
    pub channels: usize,
    pub x_channel: usize,
    pub tap_channel: usize,
    /// Whether sources are added row by row, each of all channels, where that is faster than channel by channel.
    pub by_rows: bool,
    /// Whether results begin at zero instead of what is there.
    pub fresh: bool,
}

impl Sheet<'_> {
    fn tap_at(&self, q: usize, s: usize) -> usize {
        self.tap.wrapping_add_signed(q as isize * self.tap_row_step + s as isize * self.tap_step) // inside the kernel
    }

    /// The first of the places that the results from `c` on read, and the one after the last of `width` results.
    pub(super) fn places(&self, c: usize, width: usize) -> [isize; 2] {
        let first = self.lead + c as isize;
        [first, first + ((self.taps_per_row - 1) * self.shift + width) as isize]
    }
}

/// See the module. `out` begins with the first result.
///
/// Each result adds its terms by ascending channel, source row, and place in it, or by source row, channel, and place; of more
/// than 1024 taps a part after the other. The order depends on taps and channels, not on the rows or columns of the sheet. Each
/// term is multiplied and added with one rounding where the processor can.
pub(crate) fn correlate_sheet<T: Scalar>(sheet: &Sheet, kernel: &[T], x: &[T], out: &mut [T]) {
    (loops::<T>().sheet)(sheet, kernel, x, out);
}

pub(super) fn dispatch<T: Scalar>(sheet: &Sheet, kernel: &[T], x: &[T], out: &mut [T]) {
    let s = sheet;
    if s.rows == 0 || s.width == 0 {
        return;
    }
    assert!(s.tap_rows > 0 && s.taps_per_row > 0 && s.starts.len() + 1 == s.rows + s.tap_rows, "{s:?}");
    assert!(s.channels > 0, "{s:?}");
    let end = |steps: usize, step: usize, len: usize| (steps - 1).checked_mul(step)?.checked_add(len);
    let last_row = end(s.channels, s.x_channel, s.columns);
    let inside = |&start: &usize| {
        start == ABSENT || last_row.and_then(|end| end.checked_add(start)).is_some_and(|end| end <= x.len())
    };
    let fits = end(s.rows, s.out_step, s.width).is_some_and(|end| end <= out.len());
    assert!(fits && s.starts.iter().all(inside), "{s:?}: {}, {}", out.len(), x.len());
    // As many taps at a time as there is room for: of several channels, of some rows, or of a part of some rows.
    let channels = (TAPS / s.tap_rows / s.taps_per_row).clamp(1, s.channels);
    let rows = (TAPS / s.taps_per_row).max(DEEP).min(s.tap_rows);
    let rows = s.tap_rows.div_ceil(s.tap_rows.div_ceil(rows)); // parts of about the same size
    let columns = (TAPS / rows).clamp(1, s.taps_per_row);
    let mut room = [const { MaybeUninit::uninit() }; TAPS];
    let mut fresh = s.fresh;
    for i in (0..s.channels).step_by(channels) {
        for q in (0..s.tap_rows).step_by(rows) {
            for t in (0..s.taps_per_row).step_by(columns) {
                let tap_rows = rows.min(s.tap_rows - q);
                let part = Sheet {
                    starts: &s.starts[q..q + s.rows + tap_rows - 1],
                    lead: s.lead + (t * s.shift) as isize, // within the reach of the taps
                    tap_rows,
                    taps_per_row: columns.min(s.taps_per_row - t),
                    tap: i * s.tap_channel + s.tap_at(q, t),
                    channels: channels.min(s.channels - i),
                    fresh,
                    ..*s
                };
                let (taps, holes) = part.taps(kernel, &mut room);
                run_fastest(Tiles { sheet: &part, taps, holes, x, first: i * s.x_channel, out });
                fresh = false;
            }
        }
    }
}

/// Taps that are used at a time: 25 for each of 40 channels, or 31 × 31.
const TAPS: usize = 1024;

/// So many rows of taps, or two halves of them, stay together however long they are: a source serves six rows of results if it
/// meets six rows of taps.
const DEEP: usize = 16;

impl Sheet<'_> {
    /// The taps with those of a column adjacent, so that rows of results which meet the same sources find theirs side by side;
    /// and whether some tap is zero.
    fn taps<'r, T: Scalar>(&self, kernel: &[T], room: &'r mut [MaybeUninit<T>; TAPS]) -> (&'r [T], bool) {
        let (mut count, mut holes) = (0, false);
        for (i, t) in (0..self.channels).flat_map(|i| (0..self.taps_per_row).map(move |t| (i, t))) {
            for q in 0..self.tap_rows {
                let tap = kernel[i * self.tap_channel + self.tap_at(q, t)];
                holes |= tap.is_zero();
                room[count].write(tap);
                count += 1;
            }
        }
        // SAFETY: the first `count` elements were written.
        (unsafe { std::slice::from_raw_parts(room.as_ptr().cast(), count) }, holes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Real;
    use num_complex::Complex;
    use num_traits::Float;

    /// The pseudo-code of the module.
    fn plain<T: Scalar>(s: &Sheet, kernel: &[T], x: &[T], out: &mut [T]) {
        for (r, c) in (0..s.rows).flat_map(|r| (0..s.width).map(move |c| (r, c))) {
            let result = &mut out[r * s.out_step + c];
            if s.fresh {
                *result = T::zero();
            }
            for i in 0..s.channels {
                for (q, t) in (0..s.tap_rows).flat_map(|q| (0..s.taps_per_row).map(move |t| (q, t))) {
                    let tap = kernel[i * s.tap_channel + s.tap_at(q, t)];
                    let place = s.lead + (t * s.shift + c) as isize;
                    if s.starts[r + q] != ABSENT && !tap.is_zero() && (0..s.columns as isize).contains(&place)
                    {
                        *result += tap * x[i * s.x_channel + s.starts[r + q] + place as usize];
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_are_the_pseudo_code_and_nan_stays_where_it_is() {
        let mut x: Vec<f64> = (0..4000).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
        x[1234] = f64::NAN; // must not spread through a tap that is zero or a row that is absent
        let mut kernel: Vec<f64> = (0..47).map(|i| (i as f64 + 0.3).cos()).collect();
        for holes in [false, true] {
            kernel[7] = if holes { 0.0 } else { 0.7 };
            let channels_and_lead = [(1, 0), (1, -9), (3, 0), (3, -2)];
            for ((rows, width, fresh), (channels, lead)) in (1..15)
                .flat_map(|r| [1, 3, 8, 9, 31, 40, 67].map(|w| (r, w, r % 2 == 0)))
                .flat_map(|shape| channels_and_lead.map(|c| (shape, c)))
            {
                for (tap_rows, taps_per_row, tap, tap_row_step, tap_step, shift) in
                    [(3, 5, 14, -5, -1, 1), (5, 3, 0, 1, 5, 2), (15, 1, 0, 1, 0, 1), (1, 15, 14, 0, -1, 1)]
                {
                    let count = rows + tap_rows - 1;
                    let starts: Vec<usize> =
                        (0..count).map(|m| if m % 7 == 3 { ABSENT } else { m * 90 % 3000 }).collect();
                    let reach = (taps_per_row - 1) * shift + width;
                    let sheet = Sheet {
                        rows,
                        width,
                        out_step: width + 2,
                        starts: &starts,
                        // All places, or some before the rows and some after them.
                        columns: if lead == 0 { reach } else { reach.saturating_sub(11) },
                        lead,
                        shift,
                        tap_rows,
                        taps_per_row,
                        tap,
                        tap_row_step,
                        tap_step,
                        channels,
                        x_channel: 400,
                        tap_channel: 16,
                        by_rows: false,
                        fresh,
                    };
                    let before: Vec<f64> = (0..rows * (width + 2)).map(|i| i as f64 * 0.1).collect();
                    let (mut expected, mut got) = (before.clone(), before);
                    plain(&sheet, &kernel, &x, &mut expected);
                    correlate_sheet(&sheet, &kernel, &x, &mut got);
                    let close = |(a, b): (&f64, &f64)| a.is_nan() && b.is_nan() || (a - b).abs() < 1e-11;
                    assert!(got.iter().zip(&expected).all(close), "{sheet:?}");
                }
            }
        }
    }

    #[test]
    fn more_taps_than_are_used_at_a_time_are_the_pseudo_code() {
        let integers =
            |len: usize, a: usize| (0..len).map(move |i| (i * a % 17) as f64 - 8.0).collect::<Vec<_>>();
        let (mut x, kernel) = (integers(9000, 7919), integers(9000, 31)); // with zeros, in some parts only
        let mut dense = kernel.clone();
        dense.iter_mut().filter(|tap| **tap == 0.0).for_each(|tap| *tap = 0.5);
        x[5] = f64::NAN;
        // Parts of the channels, of the rows of taps, and of some rows of taps, the last ones smaller or not.
        for (channels, tap_rows, taps_per_row) in
            [(50, 5, 5), (2, 40, 40), (3, 2, TAPS + 7), (1, 3, 2 * TAPS), (1, 20, 150)]
        {
            for (fresh, kernel, shift) in
                [(true, &kernel, 1), (false, &kernel, 2), (true, &dense, 2), (false, &dense, 1)]
            {
                let (rows, width) = (7, 21);
                let reach = (taps_per_row - 1) * shift + width;
                let absent = |m: usize| if m % 5 == 4 { ABSENT } else { m * 13 };
                let starts: Vec<usize> = (0..rows + tap_rows - 1).map(absent).collect();
                let sheet = Sheet {
                    rows,
                    width,
                    out_step: width,
                    starts: &starts,
                    columns: reach - 6, // some places beyond on both sides
                    lead: -3,
                    shift,
                    tap_rows,
                    taps_per_row,
                    tap: taps_per_row - 1,
                    tap_row_step: taps_per_row as isize,
                    tap_step: -1,
                    channels,
                    x_channel: 80,
                    tap_channel: tap_rows * taps_per_row % 1500,
                    by_rows: shift == 2,
                    fresh,
                };
                let before: Vec<f64> = (0..rows * width).map(|i| i as f64).collect();
                let (mut expected, mut got) = (before.clone(), before);
                plain(&sheet, kernel, &x, &mut expected);
                correlate_sheet(&sheet, kernel, &x, &mut got);
                let same = |(a, b): (&f64, &f64)| a.is_nan() && b.is_nan() || a == b; // halves of integers: exact
                assert!(got.iter().zip(&expected).all(same), "{sheet:?}");
                assert!(got.iter().any(|v| v.is_nan()) && got.iter().any(|v| !v.is_nan()), "{sheet:?}");
            }
        }
    }

    /// Integers, so that any order of summation gives the same.
    fn windows_are_the_pseudo_code<T: Scalar>() {
        let whole = |i: usize| T::Real::of((i * 7919 % 13) as f64 - 6.0);
        let numbers =
            |len: usize| (0..len).map(|i| T::from_parts(whole(i), whole(i * 3 + 1))).collect::<Vec<T>>();
        let (mut x, mut kernel) = (numbers(30_000), numbers(200));
        x[5] = T::from_parts(T::Real::of(f64::NAN), whole(0)); // meets the first rows of results only
        kernel
            .iter_mut()
            .filter(|tap| tap.is_zero())
            .for_each(|tap| *tap = T::from_parts(whole(2), whole(2)));
        let shapes = (1..=7).flat_map(|taps| [1, 4, 13].map(|rows| (taps, rows)));
        for ((tap_rows, rows), width) in shapes.flat_map(|s| [1, 7, 8, 16, 31, 40, 67, 130].map(|w| (s, w))) {
            for (channels, lead, absent, fresh) in [
                (2, 0, 99, true),
                (3, -2, 4, false),
                (5, -9, 0, true),
                (2, 300, 99, false),
                (2, -300, 1, true),
            ] {
                let taps_per_row = 3;
                let at = |m: usize| if m % 6 == absent { ABSENT } else { m * 200 };
                let starts: Vec<usize> = (0..rows + tap_rows - 1).map(at).collect();
                let sheet = Sheet {
                    rows,
                    width,
                    out_step: width + 1,
                    starts: &starts,
                    columns: if lead == 0 { width + taps_per_row - 1 } else { (width + 1).saturating_sub(5) },
                    lead,
                    shift: 1,
                    tap_rows,
                    taps_per_row,
                    tap: 0,
                    tap_row_step: 3,
                    tap_step: 1,
                    channels,
                    x_channel: 5000,
                    tap_channel: 30,
                    by_rows: true,
                    fresh,
                };
                let before = numbers(rows * (width + 1));
                let (mut expected, mut got) = (before.clone(), before);
                plain(&sheet, &kernel, &x, &mut expected);
                correlate_sheet(&sheet, &kernel, &x, &mut got);
                let same = |(a, b): (&T, &T)| a == b || a.re().is_nan() && b.re().is_nan();
                assert!(got.iter().zip(&expected).all(same), "{sheet:?}");
            }
        }
    }

    #[test]
    fn windows_of_all_types_are_the_pseudo_code() {
        windows_are_the_pseudo_code::<f32>();
        windows_are_the_pseudo_code::<f64>();
        windows_are_the_pseudo_code::<Complex<f32>>();
        windows_are_the_pseudo_code::<Complex<f64>>();
    }

    /// Many rows at once roll down strips; few of them are tiles.
    fn strips_add_in_the_order_of_tiles<T: Scalar>() {
        let number = |i: usize| T::Real::of(((i + 1) as f64 * 0.7).sin() * 1e3);
        let numbers =
            |len: usize| (0..len).map(|i| T::from_parts(number(i), number(i + 9))).collect::<Vec<T>>();
        let (mut x, kernel) = (numbers(70_000), numbers(200));
        assert!(kernel.iter().all(|tap| !tap.is_zero()), "with a zero all would be tiles");
        x[20_000] = T::from_parts(T::Real::of(f64::NAN), number(0));
        for (tap_rows, width) in (2..=15).flat_map(|taps| [15, 29, 47, 61, 130, 333].map(|w| (taps, w))) {
            for (lead, shift, absent, fresh) in [
                (0, 1, 99, true),
                (-5, 1, 4, true),
                (2, 2, 0, true),
                (-20, 1, 99, true),
                (-2, 1, 3, false),
                (-300, 1, 99, true),
            ] {
                let (rows, taps_per_row) = (97, 6);
                let at = |m: usize| if m % 30 == absent { ABSENT } else { m * 601 };
                let starts: Vec<usize> = (0..rows + tap_rows - 1).map(at).collect();
                let sheet = Sheet {
                    rows,
                    width,
                    out_step: width + 1,
                    starts: &starts,
                    columns: width + 3,
                    lead,
                    shift,
                    tap_rows,
                    taps_per_row,
                    tap: 0,
                    tap_row_step: taps_per_row as isize,
                    tap_step: 1,
                    channels: 1,
                    x_channel: 0,
                    tap_channel: 0,
                    by_rows: false,
                    fresh,
                };
                let before = numbers(rows * (width + 1));
                let (mut expected, mut tiles, mut got) = (before.clone(), before.clone(), before);
                plain(&sheet, &kernel, &x, &mut expected);
                correlate_sheet(&sheet, &kernel, &x, &mut got);
                for r in (0..rows).step_by(6) {
                    let some = 6.min(rows - r);
                    let starts = &starts[r..r + some + tap_rows - 1];
                    let out = &mut tiles[r * sheet.out_step..];
                    correlate_sheet(&Sheet { rows: some, starts, ..sheet }, &kernel, &x, out);
                }
                let same = |a: T, b: T| a == b || !a.finite() && !b.finite();
                assert!(got.iter().zip(&tiles).all(|(&a, &b)| same(a, b)), "{sheet:?}");
                let most = T::Real::of(1e9) * T::Real::epsilon();
                let close = |a: T, b: T| !a.finite() && !b.finite() || (a - b).re().abs() < most;
                assert!(got.iter().zip(&expected).all(|(&a, &b)| close(a, b)), "{sheet:?}");
            }
        }
    }

    #[test]
    fn strips_of_all_types_add_in_the_order_of_tiles() {
        strips_add_in_the_order_of_tiles::<f32>();
        strips_add_in_the_order_of_tiles::<f64>();
        strips_add_in_the_order_of_tiles::<Complex<f32>>();
        strips_add_in_the_order_of_tiles::<Complex<f64>>();
    }
}
