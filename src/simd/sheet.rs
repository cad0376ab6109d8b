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
//! that are absent count as zeros, and so do places before or after a row, as long as taps are finite. Deviations from the pseudo-code: (1) a tile of some
//! rows and registers of outputs stays in registers for all channels, and every register of `x` serves all rows that see
//! it; (2) taps that are zero are skipped.

use super::lanes::{Lanes, prefetch, prefetch_second};
use super::loops::loops;
use super::shells::{Body, run_fastest};
use crate::scalar::Scalar;

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
    let last_taps = (s.channels - 1) * s.tap_channel;
    for (q, t) in [(0, 0), (s.tap_rows - 1, 0), (0, s.taps_per_row - 1), (s.tap_rows - 1, s.taps_per_row - 1)]
    {
        let tap = s.tap_at(q, t);
        assert!(tap.checked_add(last_taps).is_some_and(|tap| tap < kernel.len()), "{s:?}: {}", kernel.len());
    }
    let zero = |i: usize, q, t| kernel[i * s.tap_channel + s.tap_at(q, t)].is_zero();
    let holes = (0..s.channels).any(|i| (0..s.tap_rows).any(|q| (0..s.taps_per_row).any(|t| zero(i, q, t))));
    run_fastest(Tiles { sheet, kernel, x, out, holes });
}

struct Tiles<'a, T> {
    sheet: &'a Sheet<'a>,
    kernel: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
    /// Whether some tap is zero.
    holes: bool,
}

/// Rows of a tile.
const ROWS: usize = 6;

/// Runs the code with constants LO and HI for the rows `lo..hi` of a tile, whichever they are.
macro_rules! for_rows {
    ($lo:expr, $hi:expr, |$LO:ident, $HI:ident| $code:block) => {
        for_rows!(@ $lo, $hi, $LO, $HI, $code,
            (0 1) (0 2) (0 3) (0 4) (0 5) (0 6) (1 2) (1 3) (1 4) (1 5) (1 6)
            (2 3) (2 4) (2 5) (2 6) (3 4) (3 5) (3 6) (4 5) (4 6) (5 6))
    };
    (@ $lo:expr, $hi:expr, $LO:ident, $HI:ident, $code:block, $(($a:literal $b:literal))*) => {
        match ($lo, $hi) {
            $(($a, $b) => {
                const $LO: usize = $a;
                const $HI: usize = $b;
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
        // SAFETY: `dispatch` checked the last result, that the table has an entry for every r + m, the end of each row in the last
        // channel, and the four corners of the taps of the first and the last one. `tile_of` found all places in their rows, or else
        // `load_within` reads what is and `reachable` found the registers between inside. Row b uses tap row m − b, kept among the tap
        // rows by `lo..hi`. Pointers to taps wrap, because m alone goes beyond them, and those to sources, because places may.
        unsafe {
            let out = self.out.as_mut_ptr().add(r * s.out_step + c);
            let mut acc = [[L::zero(); V]; ROWS];
            for (b, row) in acc.iter_mut().enumerate() {
                if b < rows && !s.fresh {
                    for (v, acc) in row.iter_mut().enumerate() {
                        let from = out.add(b * s.out_step + v * L::COUNT);
                        *acc = if PART && v == V - 1 { L::load_part(from, last) } else { L::load(from) };
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
            for i in 0..s.channels {
                // What is read soon: of a single channel the tile after the next one, else this tile in the next channel, or after the
                // last of them the next tile in the first.
                let ahead = match s.channels - i {
                    1 if i == 0 => 2 * V * L::COUNT,
                    1 => (V * L::COUNT).wrapping_sub(i * s.x_channel),
                    _ => s.x_channel,
                };
                let x = self.x.as_ptr().wrapping_add(i * s.x_channel).wrapping_offset(first);
                let kernel = self.kernel.as_ptr().wrapping_add(i * s.tap_channel + s.tap);
                for m in 0..rows + s.tap_rows - 1 {
                    let start = *s.starts.get_unchecked(r + m);
                    if start == ABSENT {
                        continue;
                    }
                    let (mut from, mut place) = (x.wrapping_add(start), first);
                    // Row b uses tap row m − b.
                    let mut tap = kernel.wrapping_offset(m as isize * s.tap_row_step);
                    let (lo, hi) = ((m + 1).saturating_sub(s.tap_rows), rows.min(m + 1));
                    let next = from.wrapping_add(ahead);
                    if s.channels == 1 {
                        (0..V).for_each(|v| prefetch(next.wrapping_add(v * L::COUNT)));
                    } else {
                        (0..=V).for_each(|v| prefetch_second(next.wrapping_add(v * L::COUNT)));
                    }
                    if !HOLES {
                        // Which rows see the source is known to the compiler: no branches between the products.
                        for_rows!(lo, hi, |LO, HI| {
                            for _ in 0..s.taps_per_row {
                                let source = load(from, place);
                                for b in LO..HI {
                                    let factor =
                                        L::factor(*tap.wrapping_offset(-(b as isize) * s.tap_row_step));
                                    for (acc, source) in acc[b].iter_mut().zip(source) {
                                        *acc = acc.add_product(factor, source);
                                    }
                                }
                                from = from.wrapping_add(s.shift);
                                place += s.shift as isize;
                                tap = tap.wrapping_offset(s.tap_step);
                            }
                        });
                        continue;
                    }
                    for _ in 0..s.taps_per_row {
                        let source = load(from, place);
                        for (b, row) in acc.iter_mut().enumerate() {
                            if lo <= b && b < hi {
                                let tap = *tap.wrapping_offset(-(b as isize) * s.tap_row_step);
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
                        tap = tap.wrapping_offset(s.tap_step);
                    }
                }
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
}
