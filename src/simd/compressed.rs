//! A sparse matrix in compressed rows whose indices have been checked once, so that no product needs to.

use crate::memory::Index;
use crate::scalar::Scalar;
use sprs::CsMatI;
use std::ops::Range;

/// Compressed rows, and the proof that all their indices are valid: it cannot be had without [`Compressed::new`] and
/// never changes.
#[derive(Debug, Clone)]
pub(crate) struct Compressed<T, I: Index> {
    matrix: CsMatI<T, I>,
    /// Whether most rows are runs: several entries that stand side by side, as in a band.
    runs: bool,
    /// Whether most rows have as many entries as the row before, so that the end of a loop over them is predicted.
    even: bool,
}

impl<T: Scalar, I: Index> Compressed<T, I> {
    /// The matrix, if it has compressed rows, each with ascending columns that exist. Reads every index once.
    pub fn new(matrix: CsMatI<T, I>) -> Option<Self> {
        let (rows, cols) = matrix.shape();
        let indptr = matrix.indptr();
        let (indptr, indices) = (indptr.raw_storage(), matrix.indices());
        let ends = indptr.len() == rows + 1
            && indptr[0].try_index() == Some(0)
            && indptr[rows].try_index() == Some(indices.len())
            && indices.len() == matrix.data().len();
        if !matrix.is_csr() || !ends || !indptr.is_sorted() {
            return None;
        }
        let (mut runs, mut even, mut before) = (0, 0, usize::MAX);
        for r in 0..rows {
            let row = &indices[indptr[r].index()..indptr[r + 1].index()];
            even += usize::from(std::mem::replace(&mut before, row.len()) == row.len());
            let (Some(first), Some(last)) = (row.first(), row.last()) else {
                continue;
            };
            let ascending = row.windows(2).fold(true, |all, pair| all & (pair[0] < pair[1]));
            if !ascending || first.try_index().is_none() || last.index() >= cols {
                return None;
            }
            runs += usize::from(row.len() > 1 && last.index() - first.index() + 1 == row.len());
        }
        Some(Compressed { runs: 2 * runs > rows, even: 2 * even > rows, matrix })
    }

    pub fn matrix(&self) -> &CsMatI<T, I> {
        &self.matrix
    }

    pub fn into_matrix(self) -> CsMatI<T, I> {
        self.matrix
    }

    /// Entries in the rows before row `r`.
    pub fn before(&self, r: usize) -> usize {
        self.matrix.indptr().raw_storage()[r].index()
    }

    /// What the loops read.
    pub(super) fn entries(&self) -> Entries<'_, T, I> {
        Entries {
            pointers: self.matrix.indptr().into_raw_storage(),
            columns: self.matrix.indices(),
            values: self.matrix.data(),
            runs: self.runs,
            even: self.even,
        }
    }
}

/// The arrays of a [`Compressed`]: pointers ascend from zero to the number of entries, columns ascend in every row.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a, T, I> {
    pub pointers: &'a [I],
    pub columns: &'a [I],
    pub values: &'a [T],
    pub runs: bool,
    pub even: bool,
}

impl<T: Scalar, I: Index> Entries<'_, T, I> {
    /// Where row `r` is stored.
    ///
    /// # Safety
    /// The matrix has more than `r` rows.
    #[inline(always)]
    pub unsafe fn row(&self, r: usize) -> Range<usize> {
        // SAFETY: there is one pointer more than there are rows.
        unsafe {
            self.pointers.get_unchecked(r).index_unchecked()
                ..self.pointers.get_unchecked(r + 1).index_unchecked()
        }
    }

    /// Entry `j`: its column, which exists, and its value.
    ///
    /// # Safety
    /// The matrix has more than `j` entries.
    #[inline(always)]
    pub unsafe fn entry(&self, j: usize) -> (usize, T) {
        // SAFETY: there are as many columns as values.
        unsafe { (self.columns.get_unchecked(j).index_unchecked(), *self.values.get_unchecked(j)) }
    }

    /// The columns of row `r`, if it has entries and they are a run.
    ///
    /// # Safety
    /// The matrix has more than `r` rows.
    #[inline(always)]
    pub unsafe fn run(&self, r: usize) -> Option<Range<usize>> {
        // SAFETY: as above; what lies between two pointers are entries.
        unsafe {
            let row = self.row(r);
            if row.is_empty() {
                return None;
            }
            let (first, last) = (self.entry(row.start).0, self.entry(row.end - 1).0);
            (last - first + 1 == row.len()).then_some(first..last + 1)
        }
    }
}
