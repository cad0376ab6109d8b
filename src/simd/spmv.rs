//! A sparse matrix times one vector, or times a batch in any other layout than that of [`spmm`](super::spmm()).
//!
//! In pseudo-code as there. Deviations: (1) four signals are done at once, so that an entry of the matrix is read once for
//! the four; (2) where the order is free, one real signal is done as in [`few`](super::few); if most rows are runs of columns
//! (bands, convolutions), such a row is the scalar product of two vectors, whose columns need not be read.

use super::Summation;
use super::compressed::{Compressed, Entries};
use super::few::Few;
use super::lanes::Lanes;
use super::loops::{loops, of_index};
use super::shells::{Body, run};
use crate::memory::Index;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `Y ← A[rows] X` with the rows of A from `first` on, as many as Y has, and any strides.
pub(crate) fn spmv<T: Scalar, I: Index>(
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    of_index(&loops::<T>().spmv)(a, first, x, y, summation);
}

pub(super) fn dispatch<T: Scalar, I: Index>(
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    run(Columns::new(a, first, x, y), summation);
}

/// [`spmv`] with the registers of `isa`.
#[cfg(test)]
pub(super) fn on<T: Scalar, I: Index>(
    isa: super::Isa,
    a: &Compressed<T, I>,
    first: usize,
    x: ArrayView2<T>,
    y: ArrayViewMut2<T>,
    summation: Summation,
) {
    super::shells::run_on(isa, Columns::new(a, first, x, y), summation);
}

struct Columns<'a, T, I> {
    entries: Entries<'a, T, I>,
    cols: usize,
    first: usize,
    rows: usize,
    signals: usize,
    /// The first element, and the distances from row to row and from signal to signal.
    x: (*const T, [isize; 2]),
    y: (*mut T, [isize; 2]),
}

impl<'a, T: Scalar, I: Index> Columns<'a, T, I> {
    /// Checks all that the loops rely on.
    fn new(a: &'a Compressed<T, I>, first: usize, x: ArrayView2<'a, T>, mut y: ArrayViewMut2<'a, T>) -> Self {
        let (rows, signals) = y.dim();
        assert!(x.dim() == (a.matrix().cols(), signals), "{:?} signals for {:?} results", x.dim(), y.dim());
        assert!(first + rows <= a.matrix().rows(), "rows {first} + {rows} of {}", a.matrix().rows());
        let strides = |s: &[isize]| [s[0], s[1]];
        let (x, y) = ((x.as_ptr(), strides(x.strides())), (y.as_mut_ptr(), strides(y.strides())));
        Columns { entries: a.entries(), cols: a.matrix().cols(), first, rows, signals, x, y }
    }
}

/// Signals that are done at once.
const TOGETHER: usize = 4;

impl<T: Scalar, I: Index> Body<T> for Columns<'_, T, I> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        let mut s = 0;
        // SAFETY: `new` checked that X has a row for every column of A, and that A has the rows; the columns are
        // those of a checked matrix, the signals below are those of X and Y.
        unsafe {
            while s + TOGETHER <= self.signals {
                self.products::<L, TOGETHER, 1, false>(s);
                s += TOGETHER;
            }
            while s < self.signals {
                if L::FUSED && !T::IS_COMPLEX && !self.entries.runs {
                    self.single::<L>(s);
                } else if self.x.1[0] == 1 {
                    self.products::<L, 1, 4, true>(s)
                } else {
                    self.products::<L, 1, 4, false>(s)
                }
                s += 1;
            }
        }
    }
}

/// All methods: `new` has checked shapes, `s .. s + J` are signals.
impl<T: Scalar, I: Index> Columns<'_, T, I> {
    #[inline(always)]
    unsafe fn products<L: Lanes<T>, const J: usize, const SUMS: usize, const UNIT: bool>(&self, s: usize) {
        // SAFETY: the contract of all.
        unsafe {
            let mut x = [self.x.0; J];
            for (j, x) in x.iter_mut().enumerate() {
                *x = x.offset((s + j) as isize * self.x.1[1]);
            }
            let runs = L::FUSED && !T::IS_COMPLEX && self.entries.runs && self.x.1[0] == 1;
            for r in 0..self.rows {
                let sums = match if runs { self.entries.run(self.first + r) } else { None } {
                    Some(run) if 2 * run.len() > L::COUNT => self.run_product::<L, J, SUMS>(r, run.start, x),
                    _ if L::FUSED => self.row_product::<L, J, SUMS, UNIT>(r, x),
                    _ => self.row_product::<L, J, 1, UNIT>(r, x),
                };
                for (j, sum) in sums.into_iter().enumerate() {
                    *self.y.0.offset(r as isize * self.y.1[0] + (s + j) as isize * self.y.1[1]) = sum;
                }
            }
        }
    }

    /// Signal `s`, several entries at once.
    #[inline(always)]
    unsafe fn single<L: Lanes<T>>(&self, s: usize) {
        // SAFETY: the contract of all.
        unsafe {
            let x = self.x.0.offset(s as isize * self.x.1[1]);
            let y = self.y.0.offset(s as isize * self.y.1[1]);
            let few = Few { entries: self.entries, x: (x, self.x.1[0]), cols: self.cols };
            for r in 0..self.rows {
                let row = self.first + r;
                *y.offset(r as isize * self.y.1[0]) =
                    if self.x.1[0] == 1 { few.single::<L, true>(row) } else { few.single::<L, false>(row) };
            }
        }
    }

    /// A row times `J` signals, entry by entry.
    #[inline(always)]
    unsafe fn row_product<L: Lanes<T>, const J: usize, const SUMS: usize, const UNIT: bool>(
        &self,
        r: usize,
        x: [*const T; J],
    ) -> [T; J] {
        // SAFETY: the contract of all.
        unsafe {
            let row = self.entries.row(self.first + r);
            let mut sums = [[T::zero(); J]; SUMS];
            let mut entry = row.start;
            while entry + SUMS <= row.end {
                for (u, sums) in sums.iter_mut().enumerate() {
                    self.add::<L, J, UNIT>(sums, entry + u, x);
                }
                entry += SUMS;
            }
            while entry < row.end {
                self.add::<L, J, UNIT>(&mut sums[0], entry, x);
                entry += 1;
            }
            let mut total = sums[0];
            for sums in &sums[1..] {
                for j in 0..J {
                    total[j] += sums[j];
                }
            }
            total
        }
    }

    #[inline(always)]
    unsafe fn add<L: Lanes<T>, const J: usize, const UNIT: bool>(
        &self,
        sums: &mut [T; J],
        entry: usize,
        x: [*const T; J],
    ) {
        // SAFETY: the contract of all.
        unsafe {
            let (column, value) = self.entries.entry(entry);
            let at = if UNIT { column as isize } else { column as isize * self.x.1[0] };
            for (sum, x) in sums.iter_mut().zip(x) {
                let x = *x.offset(at);
                *sum = if L::FUSED { value.fused(x, *sum) } else { *sum + value * x };
            }
        }
    }

    /// A row that is a run from column `first` on times `J` signals whose samples are adjacent.
    #[inline(always)]
    unsafe fn run_product<L: Lanes<T>, const J: usize, const SUMS: usize>(
        &self,
        r: usize,
        first: usize,
        x: [*const T; J],
    ) -> [T; J] {
        // SAFETY: the contract of all; a run of so many entries meets as many samples.
        unsafe {
            let row = self.entries.row(self.first + r);
            let values = self.entries.values.as_ptr().add(row.start);
            let mut sums = [[L::zero(); J]; SUMS];
            let mut k = 0;
            while k + SUMS * L::COUNT <= row.len() {
                for (u, sums) in sums.iter_mut().enumerate() {
                    let at = k + u * L::COUNT;
                    let value = L::load(values.add(at));
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = sum.add_parts(value, L::load(x.add(first + at)));
                    }
                }
                k += SUMS * L::COUNT;
            }
            for sums in &mut sums {
                if k < row.len() {
                    let count = (row.len() - k).min(L::COUNT);
                    let value = L::load_part(values.add(k), count);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = sum.add_parts(value, L::load_part(x.add(first + k), count));
                    }
                    k += count;
                }
            }
            let mut total = sums[0];
            for sums in &sums[1..] {
                for j in 0..J {
                    total[j] = total[j].plus(sums[j]);
                }
            }
            let mut results = [T::zero(); J];
            for (result, total) in results.iter_mut().zip(total) {
                *result = total.sum();
            }
            results
        }
    }
}
