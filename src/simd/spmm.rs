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
//! four rows of A are runs of columns that overlap (bands, convolutions), a register of X serves all four.
//!
//! A row of Y is finished before the next is begun, however wide. Going through many rows with one block and then with the
//! next was slower by a fifth and more: rows of X at a distance of a power of two share few places of the first cache, so
//! that little stayed there, and memory was read in pieces.

use super::Summation;
use super::compressed::{Compressed, Entries};
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
    // Few signals fit into half a register, which costs half as much.
    if blocks.signals * size_of::<T>() <= 32 { run_narrow(blocks, summation) } else { run(blocks, summation) }
}

struct Blocks<'a, T, I> {
    entries: Entries<'a, T, I>,
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
        Blocks { entries: a.entries(), first, rows, signals, x, y }
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
            } else if self.signals <= 2 * L::COUNT {
                self.apart::<L>(0..self.rows);
            } else {
                for r in 0..self.rows {
                    self.apart::<L>(r..r + 1);
                }
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

#[cfg(test)]
mod tests {
    use super::super::shells::run_on;
    use super::super::spmv;
    use super::super::{Isa, isa};
    use super::*;
    use crate::scalar::Real;
    use ndarray::{Array2, ShapeBuilder, s};
    use num_complex::Complex;
    use sprs::CsMatI;

    /// Every instruction set of this processor.
    fn all() -> impl Iterator<Item = Isa> {
        #[cfg(target_arch = "x86_64")]
        let all = [Isa::Portable, Isa::Avx2, Isa::Avx512];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [Isa::Portable];
        all.into_iter().filter(|&i| i <= isa())
    }

    fn number<T: Scalar>(i: usize, integer: bool) -> T {
        let part = |i: usize| {
            let v = if integer { (i * 37 % 19) as f64 - 9.0 } else { (i as f64 * 0.7).sin() * 1e3 };
            <T::Real as Real>::of(v)
        };
        T::from_parts(part(i), part(i + 5))
    }

    /// Runs of columns of different lengths, also equal ones and none at all; or columns anywhere.
    fn matrix<T: Scalar, I: Index>(rows: usize, cols: usize, runs: bool, integer: bool) -> CsMatI<T, I> {
        let (mut indptr, mut indices) = (vec![I::from_usize(0)], Vec::new());
        for r in 0..rows {
            let width = if r % 11 == 7 { 0 } else { 5 + r / 16 % 3 * (r % 4) };
            let chosen = |c: &usize| match runs {
                true => (r..r + width).contains(&(c + 3)),
                false => (c * 7 + r * 5) % 13 < width / 3,
            };
            indices.extend((0..cols).filter(chosen).map(I::from_usize));
            indptr.push(I::from_usize(indices.len()));
        }
        let values = (0..indices.len()).map(|i| number(i + 3, integer)).collect();
        CsMatI::new((rows, cols), indptr, indices, values)
    }

    fn check<T: Scalar, I: Index>(rows: usize, cols: usize, runs: bool, integer: bool) {
        let a = Compressed::new(matrix::<T, I>(rows, cols, runs, integer)).unwrap();
        for signals in [1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 50, 130] {
            let x = Array2::from_shape_fn((cols, signals), |(i, j)| number::<T>(i * 3 + j, integer));
            // The pseudo-code of the module, for all but the first row.
            let mut expected = Array2::from_elem((rows - 1, signals), T::zero());
            for ((r, s), y) in expected.indexed_iter_mut() {
                for (c, &v) in a.matrix().outer_view(r + 1).unwrap().iter() {
                    *y += v * x[[c, s]];
                }
            }
            let mut wide = Array2::from_elem((cols, 2 * signals + 3), T::zero());
            wide.slice_mut(s![.., 2..signals + 2]).assign(&x);
            let mut by_columns = Array2::from_elem((cols, signals).f(), T::zero());
            by_columns.assign(&x);
            let mut sparse = Array2::from_elem((cols, 2 * signals), T::zero());
            sparse.slice_mut(s![.., ..;2]).assign(&x);
            let adjacent = [x.view(), wide.slice(s![.., 2..signals + 2])];
            let others = [by_columns.view(), sparse.slice(s![.., ..;2])];
            for isa in all() {
                for summation in [Summation::Ascending, Summation::Fastest] {
                    for (k, x) in adjacent.into_iter().chain(others).enumerate() {
                        let mut room = Array2::from_elem((rows - 1, signals + k), number::<T>(1, true));
                        let mut y = room.slice_mut(s![.., ..signals]);
                        if k < 2 {
                            run_on(isa, Blocks::new(&a, 1, x, y.view_mut()), summation);
                        } else {
                            spmv::on(isa, &a, 1, x, y.view_mut(), summation);
                        }
                        if integer || summation == Summation::Ascending {
                            assert_eq!(y, expected, "{isa:?} {summation:?} {signals} signals, layout {k}");
                        }
                        let close = |(a, b): (&T, &T)| (*a - *b).modulus().as_f64() <= 1e9 * T::EPSILON;
                        assert!(y.iter().zip(&expected).all(close), "{isa:?} {signals} signals, layout {k}");
                        let beyond = room.slice(s![.., signals..]);
                        assert!(beyond.iter().all(|&v| v == number::<T>(1, true)), "beyond the results");
                    }
                }
            }
        }
    }

    #[test]
    fn every_shell_is_the_pseudo_code() {
        for (runs, integer) in [(true, true), (true, false), (false, true), (false, false)] {
            for (rows, cols) in [(67, 70), (9, 3), (50, 20)] {
                check::<f64, i32>(rows, cols, runs, integer);
                check::<f32, i64>(rows, cols, runs, integer);
            }
            check::<Complex<f64>, i64>(30, 31, runs, integer);
            check::<Complex<f32>, i32>(30, 31, runs, integer);
        }
    }

    #[test]
    fn a_matrix_whose_indices_cannot_be_is_refused() {
        let new = |cols, indptr: &[i32], indices: &[i32]| {
            let arrays = (indptr.to_vec(), indices.to_vec(), vec![1.0; indices.len()]);
            // SAFETY: nothing but `Compressed::new` looks at it, whose claim is to find what is wrong.
            let matrix = unsafe {
                CsMatI::new_unchecked(
                    sprs::CompressedStorage::CSR,
                    (indptr.len() - 1, cols),
                    arrays.0,
                    arrays.1,
                    arrays.2,
                )
            };
            Compressed::new(matrix).is_some()
        };
        assert!(new(3, &[0, 2, 2], &[0, 2]) && new(0, &[0, 0], &[]) && new(3, &[0], &[]));
        assert!(!new(3, &[0, 2, 2], &[0, 3]), "beyond the columns");
        assert!(!new(3, &[0, 2, 2], &[-1, 2]), "negative");
        assert!(!new(3, &[0, 2, 2], &[2, 0]), "descending");
        assert!(!new(3, &[0, 2, 2], &[1, 1]), "twice");
        assert!(!new(3, &[0, 2, 1], &[0, 1]), "pointers descend");
        assert!(!new(3, &[0, 2, 3], &[0, 1]), "pointers beyond the entries");
        assert!(!new(3, &[1, 2, 2], &[0, 1]), "entries before the first row");
        assert!(!new(3, &[0, 3, 2], &[0, 1]), "a row beyond the entries");
    }
}
