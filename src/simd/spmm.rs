//! A sparse matrix times a batch whose signals stand side by side: `Y = A X` with adjacent elements in the rows of X and Y.
//!
//! In pseudo-code, with `columns[j]`, `values[j]` the entries of row r:
//!
//! ```text
//! for r in rows:  for s in 0..signals:
//!     y[r, s] = 0
//!     for j in row(r):  y[r, s] += values[j] · x[columns[j], s]
//! ```
//!
//! Deviations: (1) a block of some registers of a row of Y stays in registers while the entries of the row pass by; where
//! that is too few sums to keep the processor busy and the order is free, every block has several partial sums; (2) where
//! four rows of A are runs of columns that overlap (bands, convolutions), a register of X serves all four; (3) where the
//! order is free, two real signals, and four of 4 bytes, are done as in [`few`](super::few).
//!
//! A row of Y is finished before the next is begun, however wide. Going through many rows with one block and then with the
//! next was slower by a fifth and more: rows of X at a distance of a power of two share few places of the first cache, so
//! that little stayed there, and memory was read in pieces.

use super::Summation;
use super::compressed::{Compressed, Entries};
use super::few::Few;
use super::lanes::Lanes;
use super::loops::{loops, of_index};
use super::shells::{Body, run, run_narrow};
use crate::memory::Index;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};
use std::ops::Range;

/// `Y ← A[rows] X` with the rows of A from `first` on, as many as Y has. In X and Y neighbouring columns are neighbours in
/// memory; the distance between rows is free.
pub(crate) fn spmm<T: Scalar, I: Index>(
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    of_index(&loops::<T>().spmm)(a, first, x, y, summation);
}

/// [`spmm`] for one type of indices.
pub(super) type Spmm<T, I> = fn(&Compressed<T, I>, usize, ArrayView2<T>, ArrayViewMut2<T>, Summation);

pub(super) fn dispatch<T: Scalar, I: Index>(
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    let blocks = Blocks::new(a, first, x, y);
    // Few signals fit into half a register, which costs half as much; very few are set side by side.
    let narrow = blocks.signals * size_of::<T>() <= 32 && !(blocks.few() && summation == Summation::Fastest);
    if narrow { run_narrow(blocks, summation) } else { run(blocks, summation) }
}

/// [`spmm`] with the registers of `isa`.
#[cfg(test)]
pub(super) fn on<T: Scalar, I: Index>(
    isa: super::Isa,
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    super::shells::run_on(isa, Blocks::new(a, first, x, y), summation);
}

struct Blocks<'a, T, I> {
    entries: Entries<'a, T, I>,
    cols: usize,
    first: usize,
    rows: usize,
    signals: usize,
    /// The first element, and the distance from row to row.
    x: (*const T, isize),
    y: (*mut T, isize),
}

impl<'a, T: Scalar, I: Index> Blocks<'a, T, I> {
    /// Checks all that the loops rely on.
    fn new(a: &'a Compressed<T, I>, first: usize, x: ArrayView2<'a, T>, mut y: ArrayViewMut2<'a, T>) -> Self {
        let (rows, signals) = y.dim();
        let adjacent = |strides: &[isize]| signals <= 1 || strides[1] == 1;
        assert!(x.dim() == (a.matrix().cols(), signals), "{:?} signals for {:?} results", x.dim(), y.dim());
        assert!(first + rows <= a.matrix().rows(), "rows {first} + {rows} of {}", a.matrix().rows());
        assert!(adjacent(x.strides()) && adjacent(y.strides()), "{:?} {:?}", x.strides(), y.strides());
        let (x, y) = ((x.as_ptr(), x.strides()[0]), (y.as_mut_ptr(), y.strides()[0]));
        Blocks { entries: a.entries(), cols: a.matrix().cols(), first, rows, signals, x, y }
    }

    /// Whether the signals are so few that a row is done as in [`few`](super::few): two or four.
    fn few(&self) -> bool {
        !self.entries.runs && self.signals > 1 && Few::<T, I>::are(self.signals)
    }
}

/// Rows that share registers of X.
const SHARING: usize = 4;

impl<T: Scalar, I: Index> Body<T> for Blocks<'_, T, I> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        // SAFETY: `new` checked that X has a row for every column of A, that A has the rows, and that the signals of
        // every row are adjacent in X and Y; the columns are those of a checked matrix.
        unsafe { self.product::<L>() }
    }
}

/// All methods: `new` has checked shapes; rows are below `self.rows`, `from..from + width` are signals.
impl<T: Scalar, I: Index> Blocks<'_, T, I> {
    #[inline(always)]
    unsafe fn product<L: Lanes<T>>(&self) {
        // SAFETY: the contract of all.
        unsafe {
            if self.entries.runs {
                self.bands::<L>();
            } else if L::FUSED && self.few() {
                if self.signals == 2 { self.beside::<L, 2>() } else { self.beside::<L, 4>() }
            } else if self.signals <= 2 * L::COUNT {
                self.apart::<L>(0..self.rows);
            } else {
                for r in 0..self.rows {
                    self.apart::<L>(r..r + 1);
                }
            }
        }
    }

    /// Rows times `W` signals, which are few.
    #[inline(always)]
    unsafe fn beside<L: Lanes<T>, const W: usize>(&self) {
        let few = Few { entries: self.entries, x: self.x, cols: self.cols };
        let tight = self.x.1 == W as isize;
        for r in 0..self.rows {
            // SAFETY: the contract of all, with `W` signals.
            unsafe {
                let row = self.first + r;
                let sums = if tight { few.row::<L, W, true>(row) } else { few.row::<L, W, false>(row) };
                self.y.0.offset(r as isize * self.y.1).cast::<[T; W]>().write_unaligned(sums);
            }
        }
    }

    /// Rows that have nothing to do with each other.
    #[inline(always)]
    unsafe fn apart<L: Lanes<T>>(&self, rows: Range<usize>) {
        // SAFETY: the contract of all.
        unsafe {
            let mut from = 0;
            while from < self.signals {
                let left = self.signals - from;
                let width = if left >= 8 * L::COUNT {
                    self.each::<L, 8, 1, false>(rows.clone(), from, 0)
                } else if left >= 4 * L::COUNT {
                    self.each::<L, 4, 2, false>(rows.clone(), from, 0)
                } else if left > 3 * L::COUNT {
                    self.each::<L, 4, 2, true>(rows.clone(), from, left)
                } else if left >= 2 * L::COUNT {
                    self.each::<L, 2, 4, false>(rows.clone(), from, 0)
                } else if left > L::COUNT {
                    self.each::<L, 2, 4, true>(rows.clone(), from, left)
                } else if left == L::COUNT {
                    self.each::<L, 1, 4, false>(rows.clone(), from, 0)
                } else {
                    self.each::<L, 1, 4, true>(rows.clone(), from, left)
                };
                from += width;
            }
        }
    }

    #[inline(always)]
    unsafe fn each<L: Lanes<T>, const V: usize, const SUMS: usize, const PART: bool>(
        &self,
        rows: Range<usize>,
        from: usize,
        width: usize,
    ) -> usize {
        let width = if PART { width } else { V * L::COUNT };
        for r in rows {
            // SAFETY: the contract of all.
            unsafe {
                let row = self.entries.row(self.first + r);
                let sums = if L::FUSED {
                    self.sums::<L, V, SUMS, PART>(row, from, width)
                } else {
                    self.sums::<L, V, 1, PART>(row, from, width)
                };
                self.put::<L, V, PART>(sums, r, from, width);
            }
        }
        width
    }

    /// Σ values[j]·x[columns[j]] over `row`, in `SUMS` partial sums.
    #[inline(always)]
    unsafe fn sums<L: Lanes<T>, const V: usize, const SUMS: usize, const PART: bool>(
        &self,
        row: Range<usize>,
        from: usize,
        width: usize,
    ) -> [L; V] {
        // SAFETY: the contract of all.
        unsafe {
            let mut sums = [[L::zero(); V]; SUMS];
            let mut j = row.start;
            while j + SUMS <= row.end {
                for (u, sums) in sums.iter_mut().enumerate() {
                    let (column, value) = self.entries.entry(j + u);
                    self.add::<L, V, PART>(sums, value, column, from, width);
                }
                j += SUMS;
            }
            while j < row.end {
                let (column, value) = self.entries.entry(j);
                self.add::<L, V, PART>(&mut sums[0], value, column, from, width);
                j += 1;
            }
            let mut half = SUMS / 2;
            while half > 0 {
                let (front, back) = sums.split_at_mut(half);
                for (sums, others) in front.iter_mut().zip(back) {
                    for (sum, other) in sums.iter_mut().zip(others) {
                        *sum = sum.plus(*other);
                    }
                }
                half /= 2;
            }
            sums[0]
        }
    }

    #[inline(always)]
    unsafe fn add<L: Lanes<T>, const V: usize, const PART: bool>(
        &self,
        sums: &mut [L; V],
        value: T,
        column: usize,
        from: usize,
        width: usize,
    ) {
        // SAFETY: the contract of all.
        let sources = unsafe { self.sources::<L, V, PART>(column, from, width) };
        let factor = L::factor(value);
        for (sum, source) in sums.iter_mut().zip(sources) {
            *sum = sum.add_product(factor, source);
        }
    }

    #[inline(always)]
    unsafe fn sources<L: Lanes<T>, const V: usize, const PART: bool>(
        &self,
        column: usize,
        from: usize,
        width: usize,
    ) -> [L::Source; V] {
        // SAFETY: the contract of all: `column` is a row of X.
        unsafe {
            let x = self.x.0.offset(column as isize * self.x.1).add(from);
            let mut sources = [L::zero().source(); V];
            for (v, source) in sources.iter_mut().enumerate() {
                let at = x.add(v * L::COUNT);
                let part = PART && v == V - 1;
                *source = if part { L::load_part(at, width - v * L::COUNT) } else { L::load(at) }.source();
            }
            sources
        }
    }

    #[inline(always)]
    unsafe fn put<L: Lanes<T>, const V: usize, const PART: bool>(
        &self,
        sums: [L; V],
        r: usize,
        from: usize,
        width: usize,
    ) {
        // SAFETY: the contract of all.
        unsafe {
            let y = self.y.0.offset(r as isize * self.y.1).add(from);
            for (v, sum) in sums.into_iter().enumerate() {
                let to = y.add(v * L::COUNT);
                if PART && v == V - 1 { sum.store_part(to, width - v * L::COUNT) } else { sum.store(to) }
            }
        }
    }

    /// Rows that may be runs, four by four.
    #[inline(always)]
    unsafe fn bands<L: Lanes<T>>(&self) {
        // SAFETY: the contract of all.
        unsafe {
            let mut r = 0;
            while r < self.rows {
                let shared = if r + SHARING <= self.rows { self.shared(r) } else { None };
                let Some(shared) = shared else {
                    self.apart::<L>(r..r + 1);
                    r += 1;
                    continue;
                };
                let mut from = 0;
                while from < self.signals {
                    let left = self.signals - from;
                    // Registers: SHARING·V of results, V of sources (2 V if complex) and a factor or two.
                    from += if L::REGISTERS == 32 && left >= 4 * L::COUNT {
                        self.band::<L, 4, false>(r, shared.clone(), from, 4 * L::COUNT)
                    } else if left >= 2 * L::COUNT {
                        self.band::<L, 2, false>(r, shared.clone(), from, 2 * L::COUNT)
                    } else if left > L::COUNT {
                        self.band::<L, 2, true>(r, shared.clone(), from, left)
                    } else {
                        self.band::<L, 1, true>(r, shared.clone(), from, left)
                    };
                }
                r += SHARING;
            }
        }
    }

    /// The columns that rows r .. r + 4 have in common, if all are runs and it is most of each.
    #[inline(always)]
    unsafe fn shared(&self, r: usize) -> Option<Range<usize>> {
        let (mut start, mut end, mut longest) = (0, usize::MAX, 0);
        for b in 0..SHARING {
            // SAFETY: the contract of all.
            let run = unsafe { self.entries.run(self.first + r + b) }?;
            (start, end, longest) = (start.max(run.start), end.min(run.end), longest.max(run.len()));
        }
        (2 * end.saturating_sub(start) > longest).then_some(start..end)
    }

    /// A block of four rows that share the columns `shared`: what each has before, what they share, what each has after.
    #[inline(always)]
    unsafe fn band<L: Lanes<T>, const V: usize, const PART: bool>(
        &self,
        r: usize,
        shared: Range<usize>,
        from: usize,
        width: usize,
    ) -> usize {
        // SAFETY: the contract of all; entry j of a run that begins with entry `start` in column c is that of column
        // c + j − start.
        unsafe {
            let mut sums = [[L::zero(); V]; SHARING];
            let mut at = [0; SHARING];
            for b in 0..SHARING {
                let start = self.entries.row(self.first + r + b).start;
                let first = self.entries.entry(start).0;
                for (j, column) in (first..shared.start).enumerate() {
                    let value = self.entries.entry(start + j).1;
                    self.add::<L, V, PART>(&mut sums[b], value, column, from, width);
                }
                at[b] = start + shared.start - first;
            }
            for column in shared.clone() {
                let sources = self.sources::<L, V, PART>(column, from, width);
                for (sums, at) in sums.iter_mut().zip(at) {
                    let factor = L::factor(self.entries.entry(at + column - shared.start).1);
                    for (sum, source) in sums.iter_mut().zip(sources) {
                        *sum = sum.add_product(factor, source);
                    }
                }
            }
            for b in 0..SHARING {
                let end = self.entries.row(self.first + r + b).end;
                for (j, column) in (at[b] + shared.len()..end).zip(shared.end..) {
                    self.add::<L, V, PART>(&mut sums[b], self.entries.entry(j).1, column, from, width);
                }
                self.put::<L, V, PART>(sums[b], r + b, from, width);
            }
        }
        width
    }
}
