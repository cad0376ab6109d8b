//! The normal matrix AᴴA, built directly.
//!
//! `(AᴴA)[i, j] = Σ_r conj(A[r, i])·A[r, j]` over the kept rows r. Where all taps are kept, that is the autocorrelation
//! of the kernel at lag i − j, the same for every such i (of one residue modulo the stride): it is computed once and
//! copied. All other entries are summed from the kept rows, never obtained by subtraction.

use super::assemble::{assemble, check_indices};
use super::template;
use crate::conv::{Bank, Traversal};
use crate::error::Result;
use crate::memory::{self, Index};
use crate::parallel;
use crate::scalar::Scalar;
use crate::stencil::{Side, Stencil};
use sprs::CsMatI;
use std::collections::BTreeMap;
use std::ops::Range;

crate::conv::on_descriptions! {
    /// The normal matrix AᴴA in compressed rows, without forming A.
    ///
    /// Shape `(cols, cols)`, Hermitian. O(nnz) where the kernel lies inside; each column closer to a boundary than the kernel
    /// is long costs O(taps²), which dominates for kernels nearly as large as the signal. Entries that cancel exactly are not stored.
    ///
    /// # Errors
    /// As [`to_csr`](Self::to_csr).
    ///
    /// # Examples
    /// ```
    /// use convmtx::{Conv1d, ConvMode};
    /// let n = Conv1d::new(&[1.0, 2.0], 3, ConvMode::Full)?.to_normal()?;
    /// assert_eq!(n.to_dense(), ndarray::array![[5.0, 2.0, 0.0], [2.0, 5.0, 2.0], [0.0, 2.0, 5.0]]);
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn to_normal(&self) -> Result<CsMatI<T, i32>> {
        normal(self.bank())
    }
}

/// Rows of one part, each of which has sums of its own.
const ROWS_PER_PART: usize = 1 << 14;

/// Offsets of columns and values of a row that is repeated.
type Template<T> = Vec<(isize, T)>;

/// Which rows of AᴴA are copies of each other: the channel, and the residue along every axis.
type Class<const D: usize> = (usize, [usize; D]);

struct Normal<'a, T, const D: usize> {
    bank: &'a Bank<T, D>,
    traversal: Traversal<D>,
    /// Per axis the samples all of whose outputs see every tap that fits them.
    deep: [Range<usize>; D],
    templates: BTreeMap<Class<D>, Template<T>>,
}

fn normal<T: Scalar, I: Index, const D: usize>(bank: &Bank<T, D>) -> Result<CsMatI<T, I>> {
    let cols = bank.shape().1;
    check_indices::<I>((cols, cols), cols as u128)?; // widening
    // Every thread keeps sums and marks for one row.
    let rows_of_sums = parallel::threads() as u128 * cols as u128;
    memory::check_available("the normal matrix", rows_of_sums * (size_of::<T>() + 1) as u128)?;
    let traversal = Traversal::new(bank)?;
    let deep = traversal.stencils().each_ref().map(deep_samples);
    let mut normal = Normal { bank, traversal, deep, templates: BTreeMap::new() };
    normal.compute_templates();
    assemble((cols, cols), 0, ROWS_PER_PART, &|rows, to| {
        let (mut work, mut some) = (Work::new(&normal), template::Template::<T, I>::default());
        let last = rows.end;
        for i in rows {
            match normal.template(i) {
                Some(template) => {
                    template
                        .iter()
                        .for_each(|&(offset, value)| some.push(i.wrapping_add_signed(offset), value));
                }
                None => normal.sum_row(i, &mut work).for_each(|(j, value)| some.push(j, value)),
            }
            some.end_row();
            if some.is_full() || i + 1 == last {
                to.take(&some, some.rows(), 0);
                some.clear();
            }
        }
    })
}

/// The samples whose column is plain and whose outputs are plain: their rows of AᴴA repeat with the stride.
fn deep_samples(stencil: &Stencil) -> Range<usize> {
    let outputs = stencil.plain(Side::Forward);
    let is_deep = |p: &usize| {
        let reached = stencil.reached_by(*p);
        !reached.is_empty() && outputs.start <= reached.start && reached.end <= outputs.end
    };
    let plain = stencil.plain(Side::Adjoint);
    // The reached outputs ascend with the sample: what lies between two deep samples is deep, or reaches nothing.
    match (plain.clone().find(is_deep), plain.rev().find(is_deep)) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// A row under construction: sums for every column, and the columns that have one.
struct Work<T> {
    column: Vec<(usize, T)>,
    sums: Vec<T>,
    occupied: Vec<bool>,
    columns: Vec<usize>,
    scratch: Vec<T>,
}

impl<T: Scalar> Work<T> {
    /// Zeroed lazily by the system: only the columns near the rows at hand take memory.
    fn new<const D: usize>(normal: &Normal<T, D>) -> Self {
        let cols = normal.bank.shape().1;
        Work {
            column: Vec::new(),
            sums: vec![T::zero(); cols],
            occupied: vec![false; cols],
            columns: Vec::new(),
            scratch: vec![T::zero(); normal.traversal.scratch_len()],
        }
    }
}

impl<T: Scalar, const D: usize> Normal<'_, T, D> {
    /// The class of row `i`, if it lies deep inside along every axis.
    fn class(&self, i: usize) -> Option<Class<D>> {
        let mut rest = i;
        let mut residues = [0; D];
        for (a, stencil) in self.traversal.stencils().iter().enumerate().rev() {
            let len = stencil.len(Side::Adjoint);
            let p = rest % len;
            rest /= len;
            if !self.deep[a].contains(&p) {
                return None;
            }
            residues[a] = p % stencil.period();
        }
        Some((rest, residues))
    }

    fn template(&self, i: usize) -> Option<&Template<T>> {
        self.templates.get(&self.class(i)?)
    }

    /// Sums one row of every class.
    fn compute_templates(&mut self) {
        let c = self.bank.channels();
        let lens = self.traversal.stencils().each_ref().map(|s| s.len(Side::Adjoint));
        let mut work = Work::new(self);
        for channel in 0..c.groups * c.inputs {
            // The first deep sample of every residue along every axis.
            let mut rows = vec![channel];
            for (a, stencil) in self.traversal.stencils().iter().enumerate() {
                let firsts: Vec<usize> = self.deep[a].clone().take(stencil.period()).collect();
                rows = rows.iter().flat_map(|r| firsts.iter().map(move |p| r * lens[a] + p)).collect();
            }
            for i in rows {
                if let Some(class) = self.class(i) {
                    // Both below 2^61, see `Band`.
                    let template = self
                        .sum_row(i, &mut work)
                        .map(|(j, value)| (j as isize - i as isize, value))
                        .collect();
                    self.templates.insert(class, template);
                }
            }
        }
    }

    /// The non-zeros of row `i`, columns ascending, summed over the kept rows of A in ascending order.
    fn sum_row<'w>(&self, i: usize, work: &'w mut Work<T>) -> impl Iterator<Item = (usize, T)> + 'w {
        let Work { column, sums, occupied, columns, scratch } = work;
        let (t, kernels) = (&self.traversal, self.bank.kernels());
        for j in columns.drain(..) {
            (sums[j], occupied[j]) = (T::zero(), false);
        }
        column.clear();
        t.for_each_entry(Side::Adjoint, i, kernels, scratch, |r, a| column.push((r, a.conj())));
        for &(r, a) in column.iter() {
            t.for_each_entry(Side::Forward, r, kernels, scratch, |j, b| {
                sums[j] += a * b;
                if !occupied[j] {
                    occupied[j] = true;
                    columns.push(j);
                }
            });
        }
        columns.sort_unstable();
        columns.iter().map(|&j| (j, sums[j])).filter(|(_, value)| !value.is_zero())
    }
}
