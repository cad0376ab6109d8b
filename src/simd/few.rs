//! A row of a sparse matrix times few signals that stand side by side: entries side by side in registers.
//!
//! In pseudo-code, with `columns[j]`, `values[j]` the entries of the row:
//!
//! ```text
//! for s in 0..signals:  y[s] = 0
//! for j in row:  for s in 0..signals:  y[s] += values[j] · x[columns[j], s]
//! ```
//!
//! Deviations: (1) eight entries are one step, each with all its signals in lanes of its own, whose sums are added in the
//! end; (2) the last step reads the entries of the following rows like its own, and keeps the sums in their lanes as they
//! were; so the number of steps is the same for most rows even where their lengths differ, and the processor predicts the end
//! of the loop, which to mispredict takes as long as ten entries; (3) where rows are equally long, so that it predicts any
//! loop, the last entries of one signal are done one by one, without a masked step; (4) for one signal, numbers of 4 bytes and a processor
//! that picks from registers: where all columns of a row lie in a window of 64, it is loaded as a whole, and the samples
//! for 16 entries are picked from it at once.

use super::compressed::Entries;
use super::lanes::Lanes;
use crate::memory::Index;
use crate::scalar::Scalar;
use std::ops::Range;

/// Entries in a step. Of rows of 20 ± 4 entries seven in ten end in the third.
const STEP: usize = 8;

/// Entries up to which a row is done sooner without its window: with nine entries both ways take the same time.
const SHORT: usize = 8;

/// A matrix and rows of samples, one row for each of its columns, with as many samples as are asked for.
pub(super) struct Few<'a, T, I> {
    pub entries: Entries<'a, T, I>,
    /// The first sample, and the distance from row to row.
    pub x: (*const T, isize),
    pub cols: usize,
}

/// All methods: the matrix has row `r`, with columns below `cols`, and X as many rows of samples; `TIGHT`: nothing lies between
/// these rows.
impl<T: Scalar, I: Index> Few<'_, T, I> {
    /// Whether so many signals are few. Groups of 32 bytes are no faster than an entry at a time, nor are three of four lanes.
    pub fn are(signals: usize) -> bool {
        !T::IS_COMPLEX && signals.is_power_of_two() && signals * size_of::<T>() <= 16
    }

    /// Row `r` times one signal.
    #[inline(always)]
    pub unsafe fn single<L: Lanes<T>, const TIGHT: bool>(&self, r: usize) -> T {
        // SAFETY: the contract of all.
        unsafe {
            let row = self.entries.row(r);
            let picks = L::PICKS && TIGHT && I::BYTES == 4;
            if picks && row.len() > SHORT && row.end + L::COUNT <= self.entries.values.len() {
                let (first, last) = (self.entries.entry(row.start).0, self.entries.entry(row.end - 1).0);
                if last - first < 4 * L::COUNT && first + 4 * L::COUNT <= self.cols {
                    return self.picked::<L>(row, first);
                }
            }
            if self.entries.even {
                return self.by_registers::<L::Half, TIGHT>(row);
            }
            self.row::<L::Half, 1, TIGHT>(r)[0]
        }
    }

    /// A row times one signal: whole registers of entries, then single ones.
    #[inline(always)]
    unsafe fn by_registers<L: Lanes<T>, const TIGHT: bool>(&self, row: Range<usize>) -> T {
        let (mut sums, mut j) = ([L::zero(); 4], row.start);
        // SAFETY: the contract of all; the entries are those of the row.
        unsafe {
            while j + STEP <= row.end {
                self.step::<L, 1, TIGHT, false>(&mut sums, j, STEP);
                j += STEP;
            }
            while j + L::COUNT <= row.end {
                sums[0] = self.groups::<L, 1, TIGHT, false>(sums[0], j, L::COUNT);
                j += L::COUNT;
            }
            let mut rest = T::zero();
            while j < row.end {
                rest = self.add::<TIGHT>(rest, j);
                j += 1;
            }
            let total = sums[0].plus(sums[1]).plus(sums[2].plus(sums[3]));
            total.sum() + rest
        }
    }

    /// `sum` and the product of entry `j`.
    #[inline(always)]
    unsafe fn add<const TIGHT: bool>(&self, sum: T, j: usize) -> T {
        // SAFETY: the contract of all.
        unsafe {
            let (column, value) = self.entries.entry(j);
            value.fused(*self.x.0.offset(column as isize * if TIGHT { 1 } else { self.x.1 }), sum)
        }
    }

    /// Row `r` times `W` signals.
    #[inline(always)]
    pub unsafe fn row<L: Lanes<T>, const W: usize, const TIGHT: bool>(&self, r: usize) -> [T; W] {
        // SAFETY: the contract of all; the entries of a step exist, whatever row they are of.
        unsafe {
            let row = self.entries.row(r);
            if row.end + STEP > self.entries.values.len() {
                return self.last::<W>(row);
            }
            let mut sums = [L::zero(); 4];
            let mut j = row.start;
            while j + STEP <= row.end {
                self.step::<L, W, TIGHT, false>(&mut sums, j, STEP);
                j += STEP;
            }
            if j < row.end {
                self.step::<L, W, TIGHT, true>(&mut sums, j, row.end - j);
            }
            let total = sums[0].plus(sums[1]).plus(sums[2].plus(sums[3]));
            total.folded::<W>()
        }
    }

    /// Adds the first `count` of the eight entries from `j` on, all unless `PART`.
    #[inline(always)]
    unsafe fn step<L: Lanes<T>, const W: usize, const TIGHT: bool, const PART: bool>(
        &self,
        sums: &mut [L; 4],
        j: usize,
        count: usize,
    ) {
        let groups = L::COUNT / W;
        debug_assert!(STEP <= 4 * groups && STEP.is_multiple_of(groups));
        // SAFETY: the contract of all; the entries exist. Written out: a loop would keep the sums in memory.
        unsafe {
            sums[0] = self.groups::<L, W, TIGHT, PART>(sums[0], j, count);
            if STEP > groups {
                let left = count.saturating_sub(groups);
                sums[1] = self.groups::<L, W, TIGHT, PART>(sums[1], j + groups, left);
            }
            if STEP > 2 * groups {
                let left = [2, 3].map(|k| count.saturating_sub(k * groups));
                sums[2] = self.groups::<L, W, TIGHT, PART>(sums[2], j + 2 * groups, left[0]);
                sums[3] = self.groups::<L, W, TIGHT, PART>(sums[3], j + 3 * groups, left[1]);
            }
        }
    }

    /// `sum` and the products of the entries from `j` on, of the first `count` if `PART`.
    #[inline(always)]
    unsafe fn groups<L: Lanes<T>, const W: usize, const TIGHT: bool, const PART: bool>(
        &self,
        sum: L,
        j: usize,
        count: usize,
    ) -> L {
        // SAFETY: the contract of all; the entries exist.
        unsafe {
            let stride = if TIGHT { W as isize } else { self.x.1 };
            let x = L::gather::<I, W>(self.x.0, stride, self.entries.columns.as_ptr().add(j));
            let all = sum.add_parts(L::spread::<W>(self.entries.values.as_ptr().add(j)), x);
            if PART { all.first_or(W * count, sum) } else { all }
        }
    }

    /// A row after which the matrix has no whole step of entries.
    #[inline(always)]
    unsafe fn last<const W: usize>(&self, row: Range<usize>) -> [T; W] {
        let mut sums = [T::zero(); W];
        for j in row {
            // SAFETY: the contract of all.
            unsafe {
                let (column, value) = self.entries.entry(j);
                let x = self.x.0.offset(column as isize * self.x.1);
                for (s, sum) in sums.iter_mut().enumerate() {
                    *sum = value.fused(*x.add(s), *sum);
                }
            }
        }
        sums
    }

    /// A row whose columns lie in the window of four registers that begins with column `first`; nothing lies between samples.
    #[inline(always)]
    unsafe fn picked<L: Lanes<T>>(&self, row: Range<usize>, first: usize) -> T {
        // SAFETY: the contract of all; the caller checked that the window exists, that indices have 4 bytes, and that a
        // register of entries after the last one of the row does.
        unsafe {
            let mut window = [L::zero(); 4];
            for (k, part) in window.iter_mut().enumerate() {
                *part = L::load(self.x.0.add(first + k * L::COUNT));
            }
            let columns = self.entries.columns.as_ptr().cast::<i32>();
            let mut sum = L::zero();
            let mut j = row.start;
            while j < row.end {
                let x = L::pick(window, columns.add(j), first as i32); // a column
                let values = L::load(self.entries.values.as_ptr().add(j));
                sum = sum.add_parts(values, x).first_or(row.end - j, sum);
                j += L::COUNT;
            }
            sum.sum()
        }
    }
}
