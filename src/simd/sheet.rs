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
//! pseudo-code: (1) a tile of some rows and registers of outputs stays in registers for all channels, and every register
//! of `x` serves all rows that see it; (2) taps that are zero are skipped; (3) taps are copied first, so that those which
//! a register of `x` meets in neighbouring rows are adjacent.

use super::lanes::{Lanes, prefetch, prefetch_second};
use super::loops::loops;
use super::shells::{Body, run_fastest};
use crate::scalar::Scalar;
use std::hint::black_box;
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
    /// Whether results begin at zero instead of what is there.
    pub fresh: bool,
}

impl Sheet<'_> {
    fn tap_at(&self, q: usize, s: usize) -> usize {
        self.tap.wrapping_add_signed(q as isize * self.tap_row_step + s as isize * self.tap_step) // inside the kernel
    }

    /// The first of the places that the results from `c` on read, and the one after the last of `width` results.
    fn places(&self, c: usize, width: usize) -> [isize; 2] {
        let first = self.lead + c as isize;
        [first, first + ((self.taps_per_row - 1) * self.shift + width) as isize]
    }
}

/// See the module. `out` begins with the first result.
///
/// Each result adds its terms by ascending channel, source row, and place in it, each multiplied and added with one
/// rounding where the processor can.
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
    let (last_out, last_channel) = ((s.rows - 1) * s.out_step + s.width, (s.channels - 1) * s.x_channel);
    let inside = |&start: &usize| {
        start == ABSENT || start.checked_add(last_channel + s.columns).is_some_and(|end| end <= x.len())
    };
    assert!(last_out <= out.len() && s.starts.iter().all(inside), "{s:?}: {}, {}", out.len(), x.len());
    // As many taps at a time as there is room for: of several channels, of some rows, or of a part of a row. Results add
    // their terms in the same order as with all at once.
    let channels = (TAPS / s.tap_rows / s.taps_per_row).clamp(1, s.channels);
    let rows = (TAPS / s.taps_per_row).clamp(1, s.tap_rows);
    let columns = s.taps_per_row.min(TAPS);
    let mut room = [const { MaybeUninit::uninit() }; TAPS];
    let mut fresh = s.fresh;
    for i in (0..s.channels).step_by(channels) {
        for q in (0..s.tap_rows).step_by(rows) {
            for t in (0..s.taps_per_row).step_by(columns) {
                let tap_rows = rows.min(s.tap_rows - q);
                let part = Sheet {
                    starts: &s.starts[q..q + s.rows + tap_rows - 1],
                    lead: s.lead + (t * s.shift) as isize, // as many as there are taps
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

struct Tiles<'a, T> {
    sheet: &'a Sheet<'a>,
    /// All taps of the sheet: channels, columns, rows.
    taps: &'a [T],
    /// Whether some tap is zero.
    holes: bool,
    /// Sources, and the distance to the first channel.
    x: &'a [T],
    first: usize,
    out: &'a mut [T],
}

/// Rows of a tile.
const ROWS: usize = 6;

/// Runs the code with constants LO and HI for the rows `lo..hi` of a tile, whichever they are. Both are one number of two
/// octal digits, so that there is one jump.
macro_rules! for_rows {
    ($lo:expr, $hi:expr, |$LO:ident, $HI:ident| $code:block) => {
        for_rows!(@ $lo * 8 + $hi, $LO, $HI, $code,
            0o01 0o02 0o03 0o04 0o05 0o06 0o12 0o13 0o14 0o15 0o16
            0o23 0o24 0o25 0o26 0o34 0o35 0o36 0o45 0o46 0o56)
    };
    (@ $both:expr, $LO:ident, $HI:ident, $code:block, $($number:literal)*) => {
        match $both {
            $($number => {
                const $LO: usize = $number / 8;
                const $HI: usize = $number % 8;
                $code
            })*
            _ => unreachable!("ROWS is 6"),
        }
    };
}

impl<T: Scalar> Body<T> for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        // Registers: ROWS·V of results, V of sources (2 V if complex) and a factor or two.
        if L::REGISTERS == 32 && !T::IS_COMPLEX { self.bands::<L, 4>() } else { self.bands::<L, 2>() }
    }
}

impl<T: Scalar> Tiles<'_, T> {
    /// Bands of rows from the top, in each the tiles from the left, `V` registers wide as far as that goes: the rows that a
    /// band reads stay in the second cache for the next band.
    #[inline(always)]
    fn bands<L: Lanes<T>, const V: usize>(mut self) {
        let mut r = 0;
        while r < self.sheet.rows {
            let rows = (self.sheet.rows - r).min(ROWS);
            let mut c = 0;
            while c < self.sheet.width {
                let left = self.sheet.width - c;
                if left >= V * L::COUNT && self.reachable::<L>(c, V * L::COUNT) {
                    self.tile_of::<L, V>(r, c, rows, L::COUNT);
                    c += V * L::COUNT;
                    continue;
                }
                let two = left.min(2 * L::COUNT);
                if V > 2 && left > L::COUNT && self.reachable::<L>(c, two) {
                    self.tile_of::<L, 2>(r, c, rows, two - L::COUNT);
                    c += two;
                } else {
                    let one = left.min(L::COUNT);
                    self.tile_of::<L, 1>(r, c, rows, one);
                    c += one;
                }
            }
            r += rows;
        }
    }

    /// Whether only the first and the last of the registers for `width` results from `c` on may read beyond the rows.
    #[inline(always)]
    fn reachable<L: Lanes<T>>(&self, c: usize, width: usize) -> bool {
        let [first, end] = self.sheet.places(c, width);
        let last = (width - 1) % L::COUNT + 1;
        first + L::COUNT as isize >= 0 && end - last as isize <= self.sheet.columns as isize
    }

    /// A tile of `V` registers, the last with `last` columns.
    #[inline(always)]
    fn tile_of<L: Lanes<T>, const V: usize>(&mut self, r: usize, c: usize, rows: usize, last: usize) {
        let [first, end] = self.sheet.places(c, (V - 1) * L::COUNT + last);
        let edge = first < 0 || end > self.sheet.columns as isize;
        match (last == L::COUNT, edge, self.holes) {
            (true, false, false) => self.tile::<L, V, false, false, false>(r, c, rows, last),
            (false, false, false) => self.tile::<L, V, true, false, false>(r, c, rows, last),
            (_, true, false) => self.tile::<L, V, true, true, false>(r, c, rows, last),
            (_, _, true) => self.tile::<L, V, true, true, true>(r, c, rows, last),
        }
    }

    /// `PART`: the last register may have fewer columns. `EDGE`: places beyond the rows are read. `HOLES`: taps may be zero.
    #[inline(always)]
    fn tile<L: Lanes<T>, const V: usize, const PART: bool, const EDGE: bool, const HOLES: bool>(
        &mut self,
        r: usize,
        c: usize,
        rows: usize,
        last: usize,
    ) {
        let s = self.sheet;
        // SAFETY: `dispatch` checked the last result, that the table has an entry for every r + m, and the end of each row in the
        // last channel; `taps` holds all taps of all channels. `tile_of` found all places in their rows, or else `load_within` reads
        // what is and `reachable` found the registers between inside. Row b uses tap row m − b, kept among the tap rows by
        // `lo..hi`. Pointers to taps wrap, because m alone goes beyond them, and those to sources, because places may.
        unsafe {
            let out = self.out.as_mut_ptr().add(r * s.out_step + c);
            let mut acc = [[L::zero(); V]; ROWS];
            for (b, row) in acc.iter_mut().enumerate() {
                if b < rows {
                    for (v, acc) in row.iter_mut().enumerate() {
                        let from = out.add(b * s.out_step + v * L::COUNT);
                        if s.fresh {
                            prefetch(from); // what is written soon
                        } else {
                            *acc = if PART && v == V - 1 { L::load_part(from, last) } else { L::load(from) };
                        }
                    }
                }
            }
            let first = s.lead + c as isize;
            let load = |from: *const T, place: isize| -> [L::Source; V] {
                std::array::from_fn(|v| {
                    let from = from.wrapping_add(v * L::COUNT);
                    let source = if EDGE && (v == 0 || v == V - 1) {
                        L::load_within(from, place + (v * L::COUNT) as isize, s.columns)
                    } else if PART && v == V - 1 {
                        L::load_part(from, last)
                    } else {
                        L::load(from)
                    };
                    source.source()
                })
            };
            let mut x = self.x.as_ptr().wrapping_add(self.first).wrapping_offset(first);
            let mut taps = self.taps.as_ptr();
            for i in 0..s.channels {
                // What is read soon: of a single channel the tile after the next one, else this tile in the next channel, or after the
                // last of them the next tile in the first.
                let ahead = match s.channels - i {
                    1 if i == 0 => 2 * V * L::COUNT,
                    1 => (V * L::COUNT).wrapping_sub(i * s.x_channel),
                    _ => s.x_channel,
                };
                for m in 0..rows + s.tap_rows - 1 {
                    let start = *s.starts.get_unchecked(r + m);
                    if start == ABSENT {
                        continue;
                    }
                    let (mut from, mut place) = (x.wrapping_add(start), first);
                    // Row b uses tap row m − b. Opaque, because the compiler would keep a pointer for every b.
                    let mut tap = black_box(taps.wrapping_add(m));
                    let (lo, hi) = ((m + 1).saturating_sub(s.tap_rows), rows.min(m + 1));
                    let next = from.wrapping_add(ahead);
                    if s.channels == 1 {
                        (0..V).for_each(|v| prefetch(next.wrapping_add(v * L::COUNT)));
                    } else if m + 1 >= s.tap_rows || r == 0 {
                        // The rows before came with the band above.
                        (0..=V).for_each(|v| prefetch_second(next.wrapping_add(v * L::COUNT)));
                    }
                    if !HOLES {
                        // Which rows see the source is known to the compiler: no branches between the products.
                        for_rows!(lo, hi, |LO, HI| {
                            for _ in 0..s.taps_per_row {
                                let source = load(from, place);
                                for b in LO..HI {
                                    let factor = L::factor(*tap.wrapping_sub(b));
                                    for (acc, source) in acc[b].iter_mut().zip(source) {
                                        *acc = acc.add_product(factor, source);
                                    }
                                }
                                from = from.wrapping_add(s.shift);
                                place += s.shift as isize;
                                tap = tap.wrapping_add(s.tap_rows);
                            }
                        });
                        continue;
                    }
                    for _ in 0..s.taps_per_row {
                        let source = load(from, place);
                        for (b, row) in acc.iter_mut().enumerate() {
                            if lo <= b && b < hi {
                                let tap = *tap.wrapping_sub(b);
                                if tap.is_zero() {
                                    continue;
                                }
                                let factor = L::factor(tap);
                                for (acc, source) in row.iter_mut().zip(source) {
                                    *acc = acc.add_product(factor, source);
                                }
                            }
                        }
                        from = from.wrapping_add(s.shift);
                        place += s.shift as isize;
                        tap = tap.wrapping_add(s.tap_rows);
                    }
                }
                x = x.wrapping_add(s.x_channel);
                taps = taps.wrapping_add(s.tap_rows * s.taps_per_row);
            }
            for (b, row) in acc.iter().enumerate() {
                if b < rows {
                    for (v, acc) in row.iter().enumerate() {
                        let to = out.add(b * s.out_step + v * L::COUNT);
                        if PART && v == V - 1 { acc.store_part(to, last) } else { acc.store(to) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pseudo-code of the module.
    fn plain(s: &Sheet, kernel: &[f64], x: &[f64], out: &mut [f64]) {
        for (r, c) in (0..s.rows).flat_map(|r| (0..s.width).map(move |c| (r, c))) {
            let result = &mut out[r * s.out_step + c];
            if s.fresh {
                *result = 0.0;
            }
            for i in 0..s.channels {
                for (q, t) in (0..s.tap_rows).flat_map(|q| (0..s.taps_per_row).map(move |t| (q, t))) {
                    let tap = kernel[i * s.tap_channel + s.tap_at(q, t)];
                    let place = s.lead + (t * s.shift + c) as isize;
                    if s.starts[r + q] != ABSENT && tap != 0.0 && (0..s.columns as isize).contains(&place) {
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
        let x: Vec<f64> = (0..9000).map(|i| (i * 7919 % 17) as f64 - 8.0).collect();
        let kernel: Vec<f64> = (0..9000).map(|i| (i * 31 % 13) as f64 - 5.5).collect();
        // Parts of the channels, of the rows of taps, and of a row of taps, the last ones smaller.
        for (channels, tap_rows, taps_per_row) in
            [(50, 5, 5), (2, 40, 40), (3, 2, TAPS + 7), (1, 3, 2 * TAPS)]
        {
            for fresh in [false, true] {
                let (rows, width) = (7, 21);
                let columns = taps_per_row + width - 1;
                let starts: Vec<usize> = (0..rows + tap_rows - 1).map(|m| m * 13).collect();
                let sheet = Sheet {
                    rows,
                    width,
                    out_step: width,
                    starts: &starts,
                    columns: columns - 6, // some places beyond on both sides
                    lead: -3,
                    shift: 1,
                    tap_rows,
                    taps_per_row,
                    tap: 0,
                    tap_row_step: taps_per_row as isize,
                    tap_step: 1,
                    channels,
                    x_channel: 100,
                    tap_channel: tap_rows * taps_per_row % 1500,
                    fresh,
                };
                let before: Vec<f64> = (0..rows * width).map(|i| i as f64).collect();
                let (mut expected, mut got) = (before.clone(), before);
                plain(&sheet, &kernel, &x, &mut expected);
                correlate_sheet(&sheet, &kernel, &x, &mut got);
                assert_eq!(got, expected, "{sheet:?}"); // halves of integers: exact
            }
        }
    }
}
