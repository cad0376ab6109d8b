//! New coefficients in a matrix whose pattern stays: a kernel that is learnt or fitted, in the matrix built once.

use super::assemble::parts;
use super::build::{Builder, Content};
use super::template::{Block, Rows, Template};
use crate::conv::Bank;
use crate::error::{Error, Result, check_len};
use crate::memory::{self, Index};
use crate::parallel;
use crate::scalar::Scalar;
use crate::stencil::Side;
use sprs::{CompressedStorage, CsMatI};
use std::fmt::Display;
use std::ops::Range;

crate::conv::on_descriptions! {
    /// Writes the coefficients of this convolution into a matrix that has its pattern, in place.
    ///
    /// After it `matrix` equals [`to_csr_keeping_zeros`](Self::to_csr_keeping_zeros), bit for bit: row `i` holds the
    /// taps reaching `y[i]`, zeros included. Only the values are written. The pattern is that of every description of the
    /// same geometry and kernel size, whatever its taps; 32-bit and 64-bit indices alike.
    ///
    /// O(nnz) time at the speed of memory, nothing of the size of the matrix is allocated. Before anything is written the
    /// shape and all row pointers are compared, O(rows), and the columns of rows at regular distances: enough to tell one
    /// geometry from another, not to find a column changed by hand.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) and [`Error::Value`](crate::Error::Value) with the first row that differs for
    /// a matrix of another pattern, among them those of `to_csr` if taps are zero;
    /// [`Error::Unsupported`](crate::Error::Unsupported) for compressed columns. The matrix is then as it was.
    ///
    /// # Examples
    /// ```
    /// use convmtx::{Conv1d, ConvMode};
    /// let mut a = Conv1d::new(&[1.0, 0.0, 3.0], 4, ConvMode::Same)?.to_csr_keeping_zeros()?;
    /// let other = Conv1d::new(&[4.0, 5.0, 6.0], 4, ConvMode::Same)?;
    /// other.update_csr(&mut a)?;
    /// assert_eq!(a, other.to_csr_keeping_zeros()?);
    /// assert!(Conv1d::new(&[4.0, 5.0], 4, ConvMode::Same)?.update_csr(&mut a).is_err()); // two taps, not three
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn update_csr<I: crate::memory::Index>(&self, matrix: &mut CsMatI<T, I>) -> Result<()> {
        update_matrix(self.bank(), matrix)
    }

    /// [`update_csr`](Self::update_csr) for the three arrays of a matrix of this `shape` in the caller's memory.
    #[cfg(feature = "python")]
    pub(crate) fn update_csr_arrays<I: crate::memory::Index>(
        &self,
        shape: (usize, usize),
        (indptr, indices): (&[I], &[I]),
        values: &mut [T],
    ) -> Result<()> {
        update(self.bank(), shape, (indptr, indices), values)
    }
}

fn update_matrix<T: Scalar, I: Index, const D: usize>(
    bank: &Bank<T, D>,
    matrix: &mut CsMatI<T, I>,
) -> Result<()> {
    if !matrix.is_csr() {
        return Err(Error::Unsupported {
            what: "updating a matrix in compressed columns",
            reason: "coefficients are written row by row; convert it with to_csr()".into(),
        });
    }
    let shape = matrix.shape();
    // Apart, because sprs lends the values only together with the pattern.
    let taken = std::mem::replace(matrix, CsMatI::empty(CompressedStorage::CSR, 0));
    let (indptr, indices, mut values) = taken.into_raw_storage();
    let done = update(bank, shape, (&indptr, &indices), &mut values);
    *matrix = memory::csr_from_parts(shape, indptr, indices, values);
    done
}

fn update<T: Scalar, I: Index, const D: usize>(
    bank: &Bank<T, D>,
    (rows, cols): (usize, usize),
    (indptr, indices): (&[I], &[I]),
    values: &mut [T],
) -> Result<()> {
    let builder = Builder::<T, I, D>::new(bank, Side::Forward, Content::Pattern, |v| v)?;
    let expected = builder.shape();
    if (rows, cols) != expected {
        let (expected, got) = (vec![expected.0, expected.1], vec![rows, cols]);
        return Err(Error::Shape { what: "the matrix", expected, got });
    }
    check_len("the row pointers", rows.saturating_add(1), indptr.len())?;
    check_len("the columns of the matrix", values.len(), indices.len())?;
    if let Some(first) = indptr.first().filter(|p| **p != I::from_usize(0)) {
        return Err(Error::value("the first row pointer", "0", first));
    }
    let part = builder.part();
    let mut found: Vec<Option<Error>> = parts(rows, part).map(|_| None).collect();
    parallel::for_each(found.iter_mut().zip(parts(rows, part)), |(found, rows)| {
        let mut compare = Compare::new(rows.clone(), indptr, indices);
        builder.walk(rows, &mut compare);
        *found = compare.found;
    });
    if let Some(error) = found.into_iter().flatten().next() {
        return Err(error);
    }
    // Now the row pointers ascend from 0.
    let nnz = indptr.last().map_or(0, |p| p.index());
    check_len("the values of the matrix", nnz, values.len())?;
    let mut rest = values;
    let tasks = parts(rows, part).map(|rows| {
        let len = indptr[rows.end].index() - indptr[rows.start].index();
        let (values, after) = std::mem::take(&mut rest).split_at_mut(len);
        rest = after;
        (rows, Values { values, next: 0 })
    });
    parallel::for_each(tasks, |(rows, mut values)| builder.walk(rows, &mut values));
    Ok(())
}

/// Compares a part of a pattern with the rows that it should have.
struct Compare<'a, I> {
    indptr: &'a [I],
    indices: &'a [I],
    /// The next row, and where its entries begin if those of the part before are right.
    row: usize,
    next: usize,
    /// The rows whose columns are compared.
    samples: [usize; 3],
    found: Option<Error>,
}

impl<'a, I: Index> Compare<'a, I> {
    fn new(rows: Range<usize>, indptr: &'a [I], indices: &'a [I]) -> Self {
        let samples = [rows.start, rows.start + rows.len() / 2, rows.end.saturating_sub(1)];
        let next = indptr[rows.start].try_index();
        let mut compare = Compare { indptr, indices, row: rows.start, next: 0, samples, found: None };
        match next {
            Some(next) => compare.next = next,
            None => compare
                .differs(format!("row pointer {} at row {}", indptr[rows.start], rows.start), "0 or more"),
        }
        compare
    }

    fn differs(&mut self, got: String, expected: impl Display) {
        let expected = format!("{expected}; build the matrix with to_csr_keeping_zeros");
        self.found = Some(Error::value("the pattern of the matrix", expected, got));
    }

    /// Looks for the first of the next rows whose number of entries differs.
    fn compare_pointers(&mut self, ends: &[I]) {
        let pointers = &self.indptr[self.row..][..ends.len() + 1];
        let (start, after) = (pointers[0], &pointers[1..]);
        // Without an early exit several rows are compared at a time. A sum that wraps is beyond what `I` counts.
        let same = ends.iter().zip(after).fold(true, |ok, (e, p)| ok & (e.wrapping_add(&start) == *p));
        let fits = ends.last().is_none_or(|e| I::try_from_usize(self.next + e.index()).is_some());
        if same && fits {
            return;
        }
        let mut before = (0, self.next);
        for (r, (end, pointer)) in ends.iter().zip(after).enumerate() {
            let (expected, got) = (end.index() - before.0, pointer.try_index());
            if got != Some(before.1 + expected) {
                let entries = got.and_then(|p| p.checked_sub(before.1));
                let entries = entries.map_or_else(|| "less than no".into(), |entries| entries.to_string());
                return self.differs(format!("{entries} entries in row {}", self.row + r), expected);
            }
            before = (end.index(), before.1 + expected);
        }
    }

    /// Looks for the first column that differs in row `r` of the block.
    fn compare_columns<T>(&mut self, block: &Block<T, I>, r: usize) {
        let from = r.checked_sub(1).map_or(0, |b| block.ends[b].index());
        let columns = &block.columns[from..block.ends[r].index()];
        let stored = self.indices.get(self.next + from..).unwrap_or(&[]);
        for (q, &c) in columns.iter().enumerate() {
            let (expected, got) = (c + block.shift, stored.get(q));
            if got != Some(&expected) {
                let column = got.map_or_else(|| "none".into(), |c| c.to_string());
                return self
                    .differs(format!("column {column} at entry {q} of row {}", self.row + r), expected);
            }
        }
    }
}

impl<T: Scalar, I: Index> Rows<T, I> for Compare<'_, I> {
    fn take(&mut self, template: &Template<T, I>, rows: usize, shift: usize) {
        for block in template.blocks(rows, shift) {
            if self.found.is_none() {
                self.compare_pointers(block.ends);
            }
            for sample in self.samples {
                let r = sample.wrapping_sub(self.row); // very large for rows that are done
                if self.found.is_none() && r < block.ends.len() {
                    self.compare_columns(&block, r);
                }
            }
            self.row += block.ends.len();
            self.next += block.columns.len();
        }
    }
}

/// The values of consecutive rows.
struct Values<'a, T> {
    values: &'a mut [T],
    next: usize,
}

impl<T: Scalar, I: Index> Rows<T, I> for Values<'_, T> {
    fn take(&mut self, template: &Template<T, I>, rows: usize, shift: usize) {
        for block in template.blocks(rows, shift) {
            let end = self.next + block.values.len();
            memory::spread(block.values, &mut self.values[self.next..end]);
            self.next = end;
        }
    }
}
