//! Sparse matrices from files: the element type as a value, and the structure put in order.

use super::array::Element;
use crate::error::Result;
use crate::memory::Index;
use crate::scalar::Scalar;
use ndarray_npy::WritableElement;
use num_complex::Complex;
use sprs::CompressedStorage::{CSC, CSR};
use sprs::{CompressedStorage, CsMatI};
use std::fmt::Display;
use std::ops::Range;

/// An index type that `.npz` files can hold: `i32` and `i64`.
pub trait FileIndex: Index + WritableElement + Display {}
impl FileIndex for i32 {}
impl FileIndex for i64 {}

/// A sparse matrix whose element type was found in a file. Names as in NumPy: `C64` is two `f32`.
#[derive(Clone, Debug, PartialEq)]
pub enum AnySparse<I: Index> {
    /// `float32`
    F32(CsMatI<f32, I>),
    /// `float64`, and all integers and booleans
    F64(CsMatI<f64, I>),
    /// `complex64`
    C64(CsMatI<Complex<f32>, I>),
    /// `complex128`
    C128(CsMatI<Complex<f64>, I>),
}

/// The same expression for whichever type the matrix has.
macro_rules! each {
    ($any:expr, $matrix:ident => $result:expr) => {
        match $any {
            AnySparse::F32($matrix) => $result,
            AnySparse::F64($matrix) => $result,
            AnySparse::C64($matrix) => $result,
            AnySparse::C128($matrix) => $result,
        }
    };
}

impl<I: Index> AnySparse<I> {
    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        each!(self, a => a.shape())
    }

    /// The number of stored entries.
    pub fn nnz(&self) -> usize {
        each!(self, a => a.nnz())
    }

    /// CSR or CSC.
    pub fn storage(&self) -> CompressedStorage {
        each!(self, a => a.storage())
    }

    /// NumPy's name of the element type.
    pub fn dtype(&self) -> &'static str {
        match self {
            AnySparse::F32(_) => f32::NAME,
            AnySparse::F64(_) => f64::NAME,
            AnySparse::C64(_) => Complex::<f32>::NAME,
            AnySparse::C128(_) => Complex::<f64>::NAME,
        }
    }
}

/// A number from a file as an index.
///
/// The message of the error says what to do about an index that only `i64` can hold.
pub(super) fn index<I: Index>(value: impl TryInto<usize> + Copy + Display) -> Result<I, String> {
    let number = value.try_into().map_err(|_| format!("{value} is not an index"))?;
    I::try_from_usize(number)
        .ok_or_else(|| format!("{value} does not fit into {} bits; read it with i64 indices", 8 * I::BYTES))
}

/// A compressed matrix from arrays of a file: checked, each row (column for CSC) sorted, duplicates added up in the
/// order of the file, as SciPy's `sum_duplicates`.
///
/// Errors are the reason only; the caller knows the file.
pub(super) fn compressed<T: Element, I: Index>(
    storage: CompressedStorage,
    shape: (usize, usize),
    mut indptr: Vec<I>,
    mut indices: Vec<I>,
    mut data: Vec<T>,
) -> Result<CsMatI<T, I>, String> {
    let (outer, inner) = match storage {
        CSR => shape,
        CSC => (shape.1, shape.0),
    };
    index::<I>(inner)?;
    index::<I>(outer.saturating_add(1))?;
    if indptr.len().checked_sub(1) != Some(outer) {
        return Err(format!("indptr has length {}, expected {}", indptr.len(), outer.saturating_add(1)));
    }
    if indices.len() != data.len() {
        return Err(format!("indices has length {}, data has {}", indices.len(), data.len()));
    }
    let ascending = indptr.is_sorted() && indptr.first().is_some_and(|p| p.try_index() == Some(0));
    let nnz = indptr.last().and_then(|p| p.try_index()).filter(|&nnz| ascending && nnz <= indices.len());
    let Some(nnz) = nnz else {
        return Err(format!(
            "indptr does not ascend from 0 to at most {}, the number of indices",
            indices.len()
        ));
    };
    indices.truncate(nnz); // SciPy ignores a tail too
    data.truncate(nnz);
    if let Some(bad) = indices.iter().find(|i| i.try_index().is_none_or(|i| i >= inner)) {
        return Err(format!("the index {bad:?} is outside 0..{inner}"));
    }
    let rows_in_order = |row: &Range<usize>| indices[row.clone()].windows(2).all(|w| w[0] < w[1]);
    if !ranges(&indptr).all(|row| rows_in_order(&row)) {
        sort_and_merge(&mut indptr, &mut indices, &mut data);
    }
    let matrix = match storage {
        CSR => CsMatI::try_new(shape, indptr, indices, data),
        CSC => CsMatI::try_new_csc(shape, indptr, indices, data),
    };
    matrix.map_err(|(_, _, _, e)| e.to_string())
}

/// The ranges of rows whose pointers have been checked.
fn ranges<I: Index>(indptr: &[I]) -> impl Iterator<Item = Range<usize>> + '_ {
    indptr.windows(2).map(|w| w[0].index()..w[1].index())
}

/// Sorts every row and adds up equal indices, moving later rows forward. The sort is stable: sums follow the file.
fn sort_and_merge<T: Scalar, I: Index>(indptr: &mut [I], indices: &mut Vec<I>, data: &mut Vec<T>) {
    let mut row: Vec<(I, T)> = Vec::new();
    let (mut end, mut start) = (0, 0); // of what is written, of the row that is read
    for pointer in &mut indptr[1..] {
        let stop = pointer.index();
        row.clear();
        row.extend(indices[start..stop].iter().copied().zip(data[start..stop].iter().copied()));
        row.sort_by_key(|&(i, _)| i);
        let first = end;
        for &(i, v) in &row {
            if end > first && indices[end - 1] == i {
                data[end - 1] += v;
            } else {
                (indices[end], data[end]) = (i, v);
                end += 1;
            }
        }
        start = stop;
        *pointer = I::from_usize(end); // not above the pointer that was there
    }
    indices.truncate(end);
    data.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsorted_rows_with_duplicates_become_canonical() {
        let a = compressed::<f64, i32>(
            CSR,
            (3, 4),
            vec![0, 3, 3, 6],
            vec![2, 0, 2, 3, 1, 3],
            vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        )
        .unwrap();
        let expected = CsMatI::new((3, 4), vec![0, 2, 2, 4], vec![0, 2, 1, 3], vec![2.0, 4.0, 5.0, 10.0]);
        assert_eq!(a, expected);
    }

    #[test]
    fn broken_structure_is_refused_with_the_reason() {
        type Case<'a> = (&'a str, (usize, usize), &'a [i32], &'a [i32], usize);
        let cases: [Case<'_>; 9] = [
            ("indptr has length 2, expected 3", (2, 2), &[0, 1], &[0], 1),
            ("indptr has length 0, expected 1", (0, 2), &[], &[], 0),
            ("indices has length 1, data has 2", (1, 2), &[0, 1], &[0], 2),
            ("indptr does not ascend", (2, 2), &[0, 2, 1], &[0, 1], 2),
            ("indptr does not ascend", (1, 2), &[0, 3], &[0, 1], 2),
            ("indptr does not ascend", (1, 2), &[-1, 2], &[0, 1], 2),
            ("the index 2 is outside 0..2", (1, 2), &[0, 1], &[2], 1),
            ("the index -1 is outside 0..2", (1, 2), &[0, 1], &[-1], 1),
            ("does not fit into 32 bits", (1, 1 << 31), &[0, 0], &[], 0),
        ];
        for (message, shape, indptr, indices, len) in cases {
            let error = compressed::<f32, i32>(CSR, shape, indptr.into(), indices.into(), vec![1.0; len]);
            let error = error.unwrap_err();
            assert!(error.starts_with(message) || error.contains(message), "{error}");
        }
    }
}
