//! The loops of a [`Sheet`]: results that stay in registers while their sources pass by.
//!
//! In general a tile of six rows, for which one channel after the other is read. A source that meets few of these rows is bound by
//! loads, and the first and the last source rows of a tile meet one or two. With few rows of taps therefore a window, which rolls
//! down a strip of the sheet: of each source row all channels are read, then the uppermost row of the window is complete, and the
//! others move up. Each source of a strip is read once, and meets all rows of taps. There are two of them, for several channels
//! whose sums may be taken row by row, and, in registers only, for real numbers and one channel, where the order of sums is that of
//! tiles.

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
const ROWS: usize = 6;

/// Rows of results for each row of taps from which a window over one channel is faster than tiles: what it computes above and below
/// the results is lost.
const STRIP_ROWS: usize = 6;

/// Bytes of sources that, with as many results, fit into no cache, and taps below which these are better read in the order of
/// memory, row after row; or where rows are a multiple of a page apart, so that a strip of them has few places in the first cache.
const FAR: usize = 12 << 20;
const FEW: usize = 24;
const FEW_IN_PAGES: usize = 40;
const PAGE: usize = 4096;

/// Products that take about as long as a source takes from beyond the second cache.
const SOON: usize = 640;

/// Bytes of a line of the caches.
const LINE: usize = 64;

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
    fn reachable<L: Lanes<T>>(&self, c: usize, width: usize) -> bool {
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
    unsafe fn sources<L: Lanes<T>, const V: usize, const PART: bool, const EDGE: bool>(
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

    /// The strip of all rows from column `c` on, by a window. `EDGE`: places beyond the rows are read, or the last register
    /// has fewer columns.
    #[inline(always)]
    fn window<L: Lanes<T>, const V: usize, const EDGE: bool>(&mut self, c: usize, last: usize) {
        let s = self.sheet;
        let (above, rows) = (s.tap_rows - 1, s.starts.len());
        // What is read after some hundred products: so many channels later, of this row or of those after it.
        let later = (SOON / (s.tap_rows * s.taps_per_row * V)).clamp(2, 12);
        // Row b of the window is result row m − above + b when source row m is read. Rows above the results are computed with
        // the others and never stored; rows below them are not computed, and rows from `tap_rows` on stay zero.
        let mut acc = [[L::zero(); V]; ROWS + 1];
        for m in 0..rows {
            if s.starts[m] != ABSENT {
                let at = (m, c, last, later);
                match s.tap_rows.min(rows - m) {
                    1 => self.source_row::<L, V, EDGE, 1>(&mut acc, at),
                    2 => self.source_row::<L, V, EDGE, 2>(&mut acc, at),
                    3 => self.source_row::<L, V, EDGE, 3>(&mut acc, at),
                    4 => self.source_row::<L, V, EDGE, 4>(&mut acc, at),
                    5 => self.source_row::<L, V, EDGE, 5>(&mut acc, at),
                    _ => self.source_row::<L, V, EDGE, 6>(&mut acc, at),
                }
            }
            if m >= above {
                let out = &mut self.out[(m - above) * s.out_step + c..][..(V - 1) * L::COUNT + last];
                for v in 0..V {
                    let to = &mut out[v * L::COUNT..];
                    let part = EDGE && v == V - 1;
                    // SAFETY: `out` has all columns of all registers but the last, and `last` of that one.
                    unsafe {
                        let mut sum = acc[0][v];
                        if !s.fresh {
                            let from = to.as_ptr();
                            sum = sum.plus(if part { L::load_part(from, last) } else { L::load(from) });
                        }
                        if part { sum.store_part(to.as_mut_ptr(), last) } else { sum.store(to.as_mut_ptr()) }
                    }
                }
            }
            for b in 0..ROWS {
                acc[b] = acc[b + 1];
            }
        }
    }

    /// Adds source row `m` of all channels to the first `HI` rows of the window over the strip from column `c` on; asks for
    /// what is read `later` channels later.
    #[inline(always)]
    fn source_row<L: Lanes<T>, const V: usize, const EDGE: bool, const HI: usize>(
        &self,
        acc: &mut [[L; V]; ROWS + 1],
        (m, c, last, later): (usize, usize, usize, usize),
    ) {
        let s = self.sheet;
        let rows = s.starts.len();
        let first = s.lead + c as isize;
        let strip = self.x.as_ptr().wrapping_add(self.first).wrapping_offset(first);
        let mut x = strip.wrapping_add(s.starts[m]);
        // Row b uses tap row tap_rows − 1 − b.
        let mut taps = self.taps.as_ptr().wrapping_add(s.tap_rows - 1);
        let (mut row, mut channel) = (m + later / s.channels, later % s.channels);
        for _ in 0..s.channels {
            // After the last row the first one of the next strip.
            let (next, right) = if row < rows { (row, 0) } else { (row - rows, V * L::COUNT) };
            let next = s.starts.get(next).map_or(0, |next| next.wrapping_add(right));
            self.ask::<L, V>(strip.wrapping_add(next.wrapping_add(channel * s.x_channel)));
            channel += 1;
            if channel == s.channels {
                (row, channel) = (row + 1, 0);
            }
            // SAFETY: as for tiles; `HI` is at most `tap_rows`, see `window`.
            unsafe { self.row_of_taps::<L, V, EDGE, HI, { ROWS + 1 }>(acc, (x, first), taps, last) };
            x = x.wrapping_add(s.x_channel);
            taps = taps.wrapping_add(s.tap_rows * s.taps_per_row);
        }
    }
    /// Asks for what `V` registers of results read of a row, all of it unless taps reach further than twice as many registers: a
    /// single line that was missing once cost more than half of the time.
    #[inline(always)]
    fn ask<L: Lanes<T>, const V: usize>(&self, from: *const T) {
        for v in 0..V {
            prefetch(from.wrapping_add(v * L::COUNT));
        }
        let mut at = from.wrapping_add(V * L::COUNT);
        let last = at.wrapping_add((self.sheet.taps_per_row - 1) * self.sheet.shift).wrapping_sub(1);
        for _ in 0..V {
            if at.addr() / LINE >= last.addr() / LINE {
                break;
            }
            prefetch(at);
            at = at.wrapping_add(L::COUNT);
        }
        prefetch(last);
    }

    /// Adds a source row of one channel to the first `HI` rows of a window. `from` is its place `place`; row b of the window uses
    /// the taps b before `tap`, and then the next column of taps.
    ///
    /// # Safety
    /// The sources are as for [`sources`](Self::sources) with the last register in part if `EDGE`, for all taps of the row; `tap`
    /// is the last of a column of taps, and there are at least `HI` in one.
    #[inline(always)]
    unsafe fn row_of_taps<L: Lanes<T>, const V: usize, const EDGE: bool, const HI: usize, const N: usize>(
        &self,
        acc: &mut [[L; V]; N],
        (mut from, mut place): (*const T, isize),
        tap: *const T,
        last: usize,
    ) {
        let s = self.sheet;
        let mut tap = black_box(tap); // as for tiles
        for _ in 0..s.taps_per_row {
            // SAFETY: the contract.
            let source = unsafe { self.sources::<L, V, EDGE, EDGE>(from, place, last) };
            for b in 0..HI {
                // SAFETY: the contract.
                let factor = L::factor(unsafe { *tap.wrapping_sub(b) });
                for v in 0..V {
                    acc[b][v] = acc[b][v].add_product(factor, source[v]);
                }
            }
            from = from.wrapping_add(s.shift);
            place += s.shift as isize;
            tap = tap.wrapping_add(s.tap_rows);
        }
    }

    /// Strips of one channel from left to right, in windows that stay in registers; returns the columns that are done: none where
    /// tiles are at least as fast.
    #[inline(always)]
    fn strips<L: Lanes<T>>(&mut self) -> Range<usize> {
        let s = self.sheet;
        if s.channels > 1 || self.holes || s.rows < STRIP_ROWS * s.tap_rows || self.streams() {
            return 0..0;
        }
        // As many registers as there are for so many sums, with those of the sources and a factor.
        match s.tap_rows {
            3 => self.strips_of::<L, 4, 3>(),
            4 => self.strips_of::<L, 4, 4>(),
            5 => self.strips_of::<L, 4, 5>(),
            6 => self.strips_of::<L, 4, 6>(),
            7 => self.strips_of::<L, 3, 7>(),
            8 => self.strips_of::<L, 3, 8>(),
            9 => self.strips_of::<L, 3, 9>(),
            10 => self.strips_of::<L, 2, 10>(),
            11 => self.strips_of::<L, 2, 11>(),
            12 => self.strips_of::<L, 2, 12>(),
            13 => self.strips_of::<L, 2, 13>(),
            14 => self.strips_of::<L, 2, 14>(),
            _ => 0..0,
        }
    }

    /// Whether memory is the limit, for the sake of which rows are read one after the other.
    fn streams(&self) -> bool {
        let (s, size) = (self.sheet, size_of::<T>());
        let in_pages = (s.out_step * size + LINE) % PAGE <= 2 * LINE;
        size_of_val(self.x) >= FAR && s.tap_rows * s.taps_per_row < if in_pages { FEW_IN_PAGES } else { FEW }
    }

    /// Strips of `V` registers over `H` rows of taps. The last one begins further left if it would leave the columns otherwise, as
    /// long as nothing is added to what was there: what is computed twice is the same.
    #[inline(always)]
    fn strips_of<L: Lanes<T>, const V: usize, const H: usize>(&mut self) -> Range<usize> {
        let s = self.sheet;
        let (strip, one) = (V * L::COUNT, L::COUNT as isize);
        // Columns of which only the outer registers read beyond the rows, see `reachable`.
        let reach = ((s.taps_per_row - 1) * s.shift) as isize;
        let first = usize::try_from(-s.lead - one).unwrap_or(0).next_multiple_of(L::COUNT);
        let end = (s.columns as isize + one - s.lead - reach).clamp(0, s.width as isize) as usize;
        let (mut c, left) = (first, end.saturating_sub(first));
        if left < strip {
            return 0..0;
        }
        // A short rest is done sooner by a tile.
        let end = if !s.fresh || left % strip <= strip / 2 { end - left % strip } else { end };
        while c < end {
            let from = c.min(end - strip);
            let [place, beyond] = s.places(from, strip);
            if place < 0 || beyond > s.columns as isize {
                self.strip::<L, V, H, true>(from);
            } else {
                self.strip::<L, V, H, false>(from);
            }
            c += strip;
        }
        first..end
    }

    /// The strip from column `c` on of one channel. `EDGE`: places beyond the rows are read.
    #[inline(always)]
    fn strip<L: Lanes<T>, const V: usize, const H: usize, const EDGE: bool>(&mut self, c: usize) {
        let s = self.sheet;
        let (rows, width) = (s.starts.len(), V * L::COUNT);
        let first = s.lead + c as isize;
        let x = self.x.as_ptr().wrapping_add(self.first).wrapping_offset(first);
        let later = (SOON / (H * V * s.taps_per_row)).clamp(3, 8);
        // Row b is result row m − H + 1 + b when source row m is read.
        let mut acc = [[L::zero(); V]; H];
        acc[H - 1] = self.before::<L, V>(0, c);
        for m in 0..rows {
            // After the last row the first one of the next strip.
            let (row, right) = if m + later < rows { (m + later, 0) } else { (m + later - rows, width) };
            self.ask::<L, V>(x.wrapping_add(s.starts.get(row).map_or(0, |next| next.wrapping_add(right))));
            if s.starts[m] != ABSENT {
                let (from, tap) = (x.wrapping_add(s.starts[m]), self.taps.as_ptr().wrapping_add(H - 1));
                // SAFETY: `strips` took `H` from `tap_rows`; `strips_of` found all places in their rows, or all but some of the
                // outer registers if `EDGE`.
                unsafe { self.row_of_taps::<L, V, EDGE, H, H>(&mut acc, (from, first), tap, L::COUNT) };
            }
            if m + 1 >= H {
                let at = (m + 1 - H) * s.out_step + c;
                let out = &mut self.out[at..at + width];
                let next = out.as_ptr().wrapping_add(later * s.out_step);
                for v in 0..V {
                    prefetch(next.wrapping_add(v * L::COUNT));
                    // SAFETY: `out` has all columns of all registers.
                    unsafe { acc[0][v].store(out[v * L::COUNT..].as_mut_ptr()) };
                }
                prefetch(next.wrapping_add(width - 1));
            }
            for b in 0..H - 1 {
                acc[b] = acc[b + 1];
            }
            acc[H - 1] = self.before::<L, V>(m + 1, c);
        }
    }

    /// What the sums of `V` registers from column `c` of row `r` on begin with; nothing below the rows.
    #[inline(always)]
    fn before<L: Lanes<T>, const V: usize>(&self, r: usize, c: usize) -> [L; V] {
        let mut sums = [L::zero(); V];
        if !self.sheet.fresh && r < self.sheet.rows {
            let row = &self.out[r * self.sheet.out_step + c..][..V * L::COUNT];
            for v in 0..V {
                // SAFETY: `row` has all columns of all registers.
                sums[v] = unsafe { L::load(row[v * L::COUNT..].as_ptr()) };
            }
        }
        sums
    }
}
