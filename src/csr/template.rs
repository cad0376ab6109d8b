//! Rows that are repeated: what the builder writes, block by block, and whoever takes it.

use super::index;
use crate::memory::Index;
use crate::scalar::Scalar;
use std::ops::Range;

/// Entries, and rows, that a template of short rows is repeated to: long enough that copying it costs no more than the
/// memory, short enough to stay in the first cache.
const BLOCK: usize = 1 << 10;

/// Some consecutive rows, and how their columns move when they are repeated.
#[derive(Debug, Clone)]
pub(super) struct Template<T, I> {
    /// Where each row ends among the entries.
    ends: Vec<I>,
    columns: Vec<I>,
    values: Vec<T>,
    /// What one repetition of all rows adds to every column.
    step: usize,
}

impl<T, I> Default for Template<T, I> {
    fn default() -> Self {
        Template { ends: Vec::new(), columns: Vec::new(), values: Vec::new(), step: 0 }
    }
}

/// Rows `rows` of a template, all their columns `shift` further.
pub(super) struct Block<'a, T, I> {
    pub ends: &'a [I],
    pub columns: &'a [I],
    pub values: &'a [T],
    pub shift: I,
}

impl<T: Scalar, I: Index> Template<T, I> {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.columns.clear();
        self.values.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, column: usize, value: T) {
        self.columns.push(index(column));
        self.values.push(value);
    }

    pub(super) fn end_row(&mut self) {
        self.ends.push(index(self.columns.len()));
    }

    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn entries(&self) -> usize {
        self.columns.len()
    }

    /// Whether enough is collected to be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.entries().max(self.rows()) >= BLOCK
    }

    /// Writes these rows down repeatedly, so that one block holds many short rows; at most `wanted` are needed.
    pub(super) fn repeat_to_block(&mut self, wanted: usize, step: usize) {
        let (rows, entries) = (self.rows(), self.entries());
        let times = (BLOCK / entries.max(rows).max(1)).min(wanted / rows.max(1)).max(1);
        self.step = times * step;
        for t in 1..times {
            let (shift, ends): (I, I) = (index(t * step), index(t * entries));
            self.ends.extend_from_within(..rows);
            self.ends[t * rows..].iter_mut().for_each(|e| *e += ends);
            self.columns.extend_from_within(..entries);
            self.columns[t * entries..].iter_mut().for_each(|c| *c += shift);
            self.values.extend_from_within(..entries);
        }
    }

    /// Where the first `rows` rows of the template end.
    fn end_of(&self, rows: usize) -> usize {
        rows.checked_sub(1).map_or(0, |last| self.ends[last].index())
    }

    /// Entries of `rows` rows.
    pub(super) fn entries_of(&self, rows: usize) -> usize {
        let times = rows.checked_div(self.rows()).unwrap_or(0);
        times * self.entries() + self.end_of(rows - times * self.rows())
    }

    /// The blocks that make up `rows` rows, their columns `shift` further.
    pub(super) fn blocks(&self, rows: usize, shift: usize) -> impl Iterator<Item = Block<'_, T, I>> {
        (0..rows).step_by(self.rows().max(1)).enumerate().map(move |(t, first)| {
            let rows = self.rows().min(rows - first);
            let entries = self.end_of(rows);
            Block {
                ends: &self.ends[..rows],
                columns: &self.columns[..entries],
                values: &self.values[..entries],
                shift: index(shift + t * self.step),
            }
        })
    }
}

/// Who takes the rows of a matrix, in order.
pub(super) trait Rows<T, I> {
    /// The next `rows` rows repeat `template`, all their columns `shift` further.
    fn take(&mut self, template: &Template<T, I>, rows: usize, shift: usize);
}

/// Counts the entries.
#[derive(Default)]
pub(super) struct Count(pub usize);

impl<T: Scalar, I: Index> Rows<T, I> for Count {
    fn take(&mut self, template: &Template<T, I>, rows: usize, _shift: usize) {
        self.0 += template.entries_of(rows);
    }
}

/// Who writes given rows.
pub(super) type Walk<'f, T, I> = dyn Fn(Range<usize>, &mut dyn Rows<T, I>) + Sync + 'f;
