//! Windows, which roll down a strip of a [`Sheet`](super::sheet::Sheet).
//!
//! Of each source row all channels are read, then the uppermost row of the window is complete, and the others move up: each source
//! of a strip is read once, and meets all rows of taps. There are two of them, for several channels whose sums may be taken row by
//! row, and, in registers only, for real numbers and one channel, where the order of sums is that of [`tiles`](super::tiles).

#![allow(clippy::needless_range_loop)] // as for tiles

use super::lanes::{Lanes, prefetch};
use super::row::PAGE;
use super::sheet::ABSENT;
use super::tiles::{ROWS, Tiles};
use crate::scalar::Scalar;
use std::hint::black_box;
use std::ops::Range;

/// Rows of results for each row of taps from which a window over one channel is faster than tiles: what it computes above and below
/// the results is lost.
const STRIP_ROWS: usize = 6;

/// Bytes of sources that, with as many results, fit into no cache, and taps below which these are better read in the order of
/// memory, row after row; or where rows are a multiple of a page apart, so that a strip of them has few places in the first cache.
const FAR: usize = 12 << 20;
const FEW: usize = 24;
const FEW_IN_PAGES: usize = 40;

/// Products that take about as long as a source takes from beyond the second cache.
const SOON: usize = 640;

/// Bytes of sources that stay in the first cache, so that a narrow strip need not ask for them.
const FIRST_CACHE: usize = 1 << 14;

/// Bytes of a line of the caches.
const LINE: usize = 64;

impl<T: Scalar> Tiles<'_, T> {
    /// The strip of all rows from column `c` on, by a window. `EDGE`: places beyond the rows are read, or the last register
    /// has fewer columns.
    #[inline(always)]
    pub(super) fn window<L: Lanes<T>, const V: usize, const EDGE: bool>(&mut self, c: usize, last: usize) {
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
    pub(super) fn strips<L: Lanes<T>>(&mut self) -> Range<usize> {
        let s = self.sheet;
        if s.channels > 1 || self.holes || s.rows < STRIP_ROWS * s.tap_rows || self.streams() {
            return 0..0;
        }
        // As many registers as there are for so many sums, with those of the sources and a factor.
        match s.tap_rows {
            3 => self.strips_of::<L, 4, 5, 3>(),
            4 => self.strips_of::<L, 4, 5, 4>(),
            5 => self.strips_of::<L, 4, 5, 5>(),
            6 => self.strips_of::<L, 4, 4, 6>(),
            7 => self.strips_of::<L, 3, 3, 7>(),
            8 => self.strips_of::<L, 3, 3, 8>(),
            9 => self.strips_of::<L, 3, 3, 9>(),
            10 => self.strips_of::<L, 2, 2, 10>(),
            11 => self.strips_of::<L, 2, 2, 11>(),
            12 => self.strips_of::<L, 2, 2, 12>(),
            13 => self.strips_of::<L, 2, 2, 13>(),
            14 => self.strips_of::<L, 2, 2, 14>(),
            _ => 0..0,
        }
    }

    /// Whether memory is the limit, for the sake of which rows are read one after the other.
    fn streams(&self) -> bool {
        let (s, size) = (self.sheet, size_of::<T>());
        let in_pages = (s.out_step * size + LINE) % PAGE <= 2 * LINE;
        size_of_val(self.x) >= FAR && s.tap_rows * s.taps_per_row < if in_pages { FEW_IN_PAGES } else { FEW }
    }

    /// Strips of `V` registers over `H` rows of taps, a last one of `W` if that makes one less, and of two or one where fewer are
    /// left. The last of `V` begins further left if it would leave the columns otherwise and nothing is added to what was there, for
    /// what is computed twice is the same; or it ends with a part of a register.
    #[inline(always)]
    fn strips_of<L: Lanes<T>, const V: usize, const W: usize, const H: usize>(&mut self) -> Range<usize> {
        let s = self.sheet;
        let (strip, one) = (V * L::COUNT, L::COUNT as isize);
        // Columns of which only the outer registers read beyond the rows, see `reachable`.
        let reach = ((s.taps_per_row - 1) * s.shift) as isize;
        let first = usize::try_from(-s.lead - one).unwrap_or(0).next_multiple_of(L::COUNT).min(s.width);
        let end = (s.columns as isize + one - s.lead - reach).clamp(0, s.width as isize) as usize;
        let mut c = first;
        while c < end {
            let left = end - c;
            let last = (left - 1) % L::COUNT + 1;
            if left > strip && left <= W * L::COUNT && self.reachable::<L>(c, left) {
                self.roll::<L, W, H, true>(c, last);
                c = end;
                continue;
            } else if left >= strip {
                self.strip::<L, V, H>(c, L::COUNT);
            } else if left > strip / 2 && s.fresh && end - first >= strip {
                self.strip::<L, V, H>(end - strip, L::COUNT);
            } else if left > strip - L::COUNT && self.reachable::<L>(c, left) {
                self.strip::<L, V, H>(c, last);
            } else if V > 2 && left > L::COUNT && self.reachable::<L>(c, left.min(2 * L::COUNT)) {
                self.roll::<L, 2, H, true>(c, if left < 2 * L::COUNT { last } else { L::COUNT });
                c += 2 * L::COUNT;
                continue;
            } else {
                self.roll::<L, 1, H, true>(c, left.min(L::COUNT));
                c += L::COUNT;
                continue;
            }
            c += strip;
        }
        first..end.max(first)
    }

    /// A strip from column `c` on with `last` columns in its last register.
    #[inline(always)]
    fn strip<L: Lanes<T>, const V: usize, const H: usize>(&mut self, c: usize, last: usize) {
        let [place, beyond] = self.sheet.places(c, (V - 1) * L::COUNT + last);
        if place < 0 || beyond > self.sheet.columns as isize || last < L::COUNT {
            self.roll::<L, V, H, true>(c, last);
        } else {
            self.roll::<L, V, H, false>(c, last);
        }
    }

    /// The strip from column `c` on of one channel. `EDGE`: places beyond the rows are read, or the last register has fewer columns.
    #[inline(always)]
    fn roll<L: Lanes<T>, const V: usize, const H: usize, const EDGE: bool>(&mut self, c: usize, last: usize) {
        let s = self.sheet;
        let (rows, width) = (s.starts.len(), (V - 1) * L::COUNT + last);
        let first = s.lead + c as isize;
        let x = self.x.as_ptr().wrapping_add(self.first).wrapping_offset(first);
        let later = (SOON / (H * V * s.taps_per_row)).clamp(3, 8);
        let ask = V > 1 || size_of_val(self.x) > FIRST_CACHE;
        // Row b is result row m − H + 1 + b when source row m is read.
        let mut acc = [[L::zero(); V]; H];
        acc[H - 1] = self.before::<L, V, EDGE>(0, c, last);
        for m in 0..rows {
            // After the last row the first one of the next strip.
            let (row, right) = if m + later < rows { (m + later, 0) } else { (m + later - rows, width) };
            if ask {
                self.ask::<L, V>(
                    x.wrapping_add(s.starts.get(row).map_or(0, |next| next.wrapping_add(right))),
                );
            }
            if s.starts[m] != ABSENT {
                let (from, tap) = (x.wrapping_add(s.starts[m]), self.taps.as_ptr().wrapping_add(H - 1));
                // SAFETY: `strips` took `H` from `tap_rows`; `strips_of` found all places in their rows, or all but some of the
                // outer registers if `EDGE`.
                unsafe { self.row_of_taps::<L, V, EDGE, H, H>(&mut acc, (from, first), tap, last) };
            }
            if m + 1 >= H {
                let at = (m + 1 - H) * s.out_step + c;
                let out = &mut self.out[at..at + width];
                let next = out.as_ptr().wrapping_add(later * s.out_step);
                for v in 0..V {
                    prefetch(next.wrapping_add(v * L::COUNT));
                    let to = out[v * L::COUNT..].as_mut_ptr();
                    // SAFETY: `out` has all columns of all registers but the last, and `last` of that one.
                    unsafe {
                        if EDGE && v == V - 1 { acc[0][v].store_part(to, last) } else { acc[0][v].store(to) }
                    }
                }
                prefetch(next.wrapping_add(width - 1));
            }
            for b in 0..H - 1 {
                acc[b] = acc[b + 1];
            }
            acc[H - 1] = self.before::<L, V, EDGE>(m + 1, c, last);
        }
    }

    /// What the sums of `V` registers from column `c` of row `r` on begin with; nothing below the rows.
    #[inline(always)]
    fn before<L: Lanes<T>, const V: usize, const EDGE: bool>(
        &self,
        r: usize,
        c: usize,
        last: usize,
    ) -> [L; V] {
        let mut sums = [L::zero(); V];
        if !self.sheet.fresh && r < self.sheet.rows {
            let row = &self.out[r * self.sheet.out_step + c..][..(V - 1) * L::COUNT + last];
            for v in 0..V {
                let from = row[v * L::COUNT..].as_ptr();
                // SAFETY: `row` has all columns of all registers but the last, and `last` of that one.
                sums[v] =
                    unsafe { if EDGE && v == V - 1 { L::load_part(from, last) } else { L::load(from) } };
            }
        }
        sums
    }
}
