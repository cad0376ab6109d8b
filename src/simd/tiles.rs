//! The loops of a [`Sheet`]: results that stay in registers while their sources pass by.
//!
//! In general a tile of six rows, for which one channel after the other is read. A source that meets few of these rows is bound by
//! loads, and the first and the last source rows of a tile meet one or two. With few rows of taps therefore a window, as in
//! [`windows`](super::windows).

#![allow(clippy::needless_range_loop)] // rows and registers go by number: iterators are not always inlined

use super::lanes::{Lanes, prefetch, prefetch_second};
use super::sheet::{ABSENT, Sheet};
use super::shells::Body;
use crate::scalar::Scalar;
use std::hint::black_box;
use std::ops::Range;

/// A sheet with its taps side by side, checked by [`super::sheet::dispatch`]: all results are in `out`, all rows of all channels in
/// `x`, and all taps in `taps`.
pub(super) struct Tiles<'a, T> {
    pub sheet: &'a Sheet<'a>,
    /// All taps of the sheet: channels, columns, rows.
    pub taps: &'a [T],
    /// Whether some tap is zero.
    pub holes: bool,
    /// Sources, and the distance to the first channel.
    pub x: &'a [T],
    pub first: usize,
    pub out: &'a mut [T],
}

/// Rows of a tile.
pub(super) const ROWS: usize = 6;

/// Bytes that stay in the second cache for certain, from one band to the next.
const SECOND_CACHE: usize = 1 << 19;

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
    fn run<L: Lanes<T>>(mut self) {
        // Registers: ROWS·V of results, V of sources (2 V if complex) and a factor or two.
        if L::REGISTERS == 32 && !T::IS_COMPLEX {
            let done = self.strips::<L>();
            debug_assert!(done.start <= done.end && done.end <= self.sheet.width, "{done:?}");
            for columns in [0..done.start, done.end..self.sheet.width] {
                self.bands::<L, 4>(columns);
            }
        } else {
            self.bands::<L, 2>(0..self.sheet.width);
        }
    }
}

impl<T: Scalar> Tiles<'_, T> {
    /// Whether a window rolls over the rows instead of tiles, `V` registers wide at most: with sums enough that none waits for
    /// the one before.
    fn rolls<const V: usize>(&self) -> bool {
        let s = self.sheet;
        s.by_rows && s.channels > 1 && s.tap_rows <= ROWS && s.tap_rows * V >= 8 && !self.holes
    }

    /// Bands of rows from the top, in each the tiles from the left, `V` registers wide as far as that goes: the rows that a
    /// band reads stay in the second cache for the next band.
    #[inline(always)]
    fn bands<L: Lanes<T>, const V: usize>(&mut self, columns: Range<usize>) {
        let rolls = self.rolls::<V>();
        let mut r = 0;
        while r < self.sheet.rows {
            let rows = if rolls { self.sheet.rows } else { (self.sheet.rows - r).min(ROWS) };
            let mut c = columns.start;
            while c < columns.end {
                let left = columns.end - c;
                if left >= V * L::COUNT && self.reachable::<L>(c, V * L::COUNT) {
                    self.tile_of::<L, V>(r, c, rows, L::COUNT, rolls);
                    c += V * L::COUNT;
                    continue;
                }
                let two = left.min(2 * L::COUNT);
                if V > 2 && left > L::COUNT && self.reachable::<L>(c, two) {
                    self.tile_of::<L, 2>(r, c, rows, two - L::COUNT, rolls);
                    c += two;
                } else {
                    let one = left.min(L::COUNT);
                    self.tile_of::<L, 1>(r, c, rows, one, rolls);
                    c += one;
                }
            }
            r += rows;
        }
    }

    /// Whether only the first and the last of the registers for `width` results from `c` on may read beyond the rows.
    #[inline(always)]
    pub(super) fn reachable<L: Lanes<T>>(&self, c: usize, width: usize) -> bool {
        let [first, end] = self.sheet.places(c, width);
        let last = (width - 1) % L::COUNT + 1;
        first + L::COUNT as isize >= 0 && end - last as isize <= self.sheet.columns as isize
    }

    /// A tile of `V` registers, the last with `last` columns.
    #[inline(always)]
    fn tile_of<L: Lanes<T>, const V: usize>(
        &mut self,
        r: usize,
        c: usize,
        rows: usize,
        last: usize,
        rolls: bool,
    ) {
        let [first, end] = self.sheet.places(c, (V - 1) * L::COUNT + last);
        let edge = first < 0 || end > self.sheet.columns as isize;
        if rolls {
            return if edge || last < L::COUNT {
                self.window::<L, V, true>(c, last)
            } else {
                self.window::<L, V, false>(c, last)
            };
        }
        match (last == L::COUNT, edge, self.holes) {
            (true, false, false) => self.tile::<L, V, false, false, false>(r, c, rows, last),
            (false, false, false) => self.tile::<L, V, true, false, false>(r, c, rows, last),
            (_, true, false) => self.tile::<L, V, true, true, false>(r, c, rows, last),
            (_, _, true) => self.tile::<L, V, true, true, true>(r, c, rows, last),
        }
    }

    /// `V` registers of sources at `from`, the place `place` of their row, the last with `last` of them.
    ///
    /// A function, because a closure was not inlined into every arm of [`for_rows`] in every build.
    ///
    /// # Safety
    /// `from` is or would be at `place` of a row of `x` with `columns` elements. All registers are in the row, but for the first
    /// and the last of them if `EDGE`, and of the last one only `last` elements if `PART`.
    #[inline(always)]
    pub(super) unsafe fn sources<L: Lanes<T>, const V: usize, const PART: bool, const EDGE: bool>(
        &self,
        from: *const T,
        place: isize,
        last: usize,
    ) -> [L::Source; V] {
        let mut sources = [L::zero().source(); V];
        for (v, source) in sources.iter_mut().enumerate() {
            let from = from.wrapping_add(v * L::COUNT);
            // SAFETY: the contract; `load_within` reads what is in the row.
            let register = unsafe {
                if EDGE && (v == 0 || v == V - 1) {
                    L::load_within(from, place + (v * L::COUNT) as isize, self.sheet.columns)
                } else if PART && v == V - 1 {
                    L::load_part(from, last)
                } else {
                    L::load(from)
                }
            };
            *source = register.source();
        }
        sources
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
        // SAFETY: see [`Tiles`]. `tile_of` found all places in their rows, or else `load_within` reads what is and `reachable` found
        // the registers between inside. Row b uses tap row m − b, kept among the tap rows by `lo..hi`. Pointers to taps wrap,
        // because m alone goes beyond them, and those to sources, because places may.
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
            // Source rows that came with the band above, if the second cache still holds them.
            let of_band =
                s.channels * (s.columns.min(s.width) + L::COUNT) * (rows + s.tap_rows) * size_of::<T>();
            let known = if r > 0 && of_band <= SECOND_CACHE { s.tap_rows - 1 } else { 0 };
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
                        for v in 0..V {
                            prefetch(next.wrapping_add(v * L::COUNT));
                        }
                    } else if m >= known {
                        for v in 0..=V {
                            prefetch_second(next.wrapping_add(v * L::COUNT));
                        }
                    }
                    if !HOLES {
                        // Which rows see the source is known to the compiler: no branches between the products.
                        for_rows!(lo, hi, |LO, HI| {
                            for _ in 0..s.taps_per_row {
                                let source = self.sources::<L, V, PART, EDGE>(from, place, last);
                                for b in LO..HI {
                                    let factor = L::factor(*tap.wrapping_sub(b));
                                    for v in 0..V {
                                        acc[b][v] = acc[b][v].add_product(factor, source[v]);
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
                        let source = self.sources::<L, V, PART, EDGE>(from, place, last);
                        for (b, row) in acc.iter_mut().enumerate() {
                            if lo <= b && b < hi {
                                let tap = *tap.wrapping_sub(b);
                                if tap.is_zero() {
                                    continue;
                                }
                                let factor = L::factor(tap);
                                for v in 0..V {
                                    row[v] = row[v].add_product(factor, source[v]);
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
