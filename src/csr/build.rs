//! The matrix builder: count, then fill, line by line.
//!
//! In pseudo-code: `for every row: for every source line: for every tap: count` and the same again with `store`.
//! Deviations: (1) rows of a line that lie inside share one run of taps, so they are counted once and filled from a
//! template, values copied and columns shifted: memory bandwidth, not arithmetic; (2) rows are split among threads
//! by position in the output arrays, which the counts make known.

use super::assemble::{Place, assemble};
use super::index;
use crate::conv::{Bank, Traversal};
use crate::error::Result;
use crate::memory::Index;
use crate::scalar::Scalar;
use crate::stencil::{Side, tap_progression};
use sprs::CsMatI;
use std::ops::Range;

/// Which coefficients are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Those that are not zero.
    Nonzero,
    /// All that some tap contributes to.
    Pattern,
}

impl Content {
    #[inline]
    fn stores<T: Scalar>(self, value: T) -> bool {
        self == Content::Pattern || !value.is_zero()
    }
}

/// The matrix whose rows are the results of `side`, each coefficient passed through `map`.
pub(super) fn build<T: Scalar, I: Index, const D: usize>(
    bank: &Bank<T, D>,
    side: Side,
    content: Content,
    map: fn(T) -> T,
) -> Result<CsMatI<T, I>> {
    let builder = Builder { bank, side, content, map, traversal: Traversal::new(bank)? };
    let (rows, cols) = bank.shape();
    let shape = match side {
        Side::Forward => (rows, cols),
        Side::Adjoint => (cols, rows),
    };
    assemble(shape, builder.at_least(), &|rows, counts| builder.count(rows, counts), &|rows, place| {
        builder.fill(rows, place)
    })
}

struct Builder<'a, T, const D: usize> {
    bank: &'a Bank<T, D>,
    side: Side,
    content: Content,
    map: fn(T) -> T,
    traversal: Traversal<D>,
}

/// A part of one line: the line's number and the results of it.
struct Segment {
    line: usize,
    results: Range<usize>,
}

impl<T: Scalar, const D: usize> Builder<'_, T, D> {
    /// A lower bound of the number of entries, the same for a matrix and its transpose: every output that lies inside
    /// along all axes has an entry for every tap that is not zero.
    fn at_least(&self) -> u128 {
        let axes = self.bank.axes();
        if axes.iter().any(|a| a.band().spread() != 1) {
            return 0; // then outputs see only some of the taps
        }
        let c = self.bank.channels();
        let inside: u128 = axes.iter().map(|a| a.band().inside().len() as u128).product(); // widening, as below
        let taps: usize = axes.iter().map(|a| a.band().taps()).product();
        let stored = |k: &[T]| k.iter().filter(|k| !k.is_zero()).count();
        let fewest = self.bank.kernels().chunks(taps).map(stored).min().unwrap_or(0);
        inside * (c.groups * c.outputs * c.inputs) as u128 * fewest as u128
    }

    /// The segments of lines that make up `rows`.
    fn segments(&self, rows: Range<usize>) -> impl Iterator<Item = Segment> {
        let len = self.traversal.inner().len(self.side).max(1);
        let mut next = rows.start;
        std::iter::from_fn(move || {
            (next < rows.end).then(|| {
                let (line, start) = (next / len, next % len);
                let end = len.min(start + rows.end - next);
                next += end - start;
                Segment { line, results: start..end }
            })
        })
    }

    /// Calls `f(kernel, start)` for the source lines of a line.
    fn sources(&self, line: usize, scratch: &mut [T], f: &mut dyn FnMut(&[T], usize)) {
        self.traversal.for_each_source(self.side, line, self.bank.kernels(), scratch, f);
    }

    fn scratch(&self) -> Vec<T> {
        vec![T::zero(); self.traversal.scratch_len()]
    }

    fn count<I: Index>(&self, rows: Range<usize>, counts: &mut [I]) {
        let (mut scratch, mut done) = (self.scratch(), 0);
        for segment in self.segments(rows) {
            let len = segment.results.len();
            self.count_segment(&segment, &mut scratch, &mut counts[done..done + len]);
            done += len;
        }
    }

    /// `counts[r] =` number of stored coefficients of every result of the segment.
    fn count_segment<I: Index>(&self, segment: &Segment, scratch: &mut [T], counts: &mut [I]) {
        let (inner, start) = (self.traversal.inner(), segment.results.start);
        let plain = inner.plain(self.side);
        self.sources(segment.line, scratch, &mut |kernel, _| {
            for phase in inner.phases(self.side, &segment.results) {
                let (tap, step) = tap_progression(inner, self.side, &phase.run);
                let taps = (0..phase.run.count).map(|q| kernel[tap.wrapping_add_signed(q as isize * step)]);
                let stored = taps.filter(|&k| self.content.stores(k)).count();
                for b in 0..phase.outputs {
                    let count = &mut counts[phase.output + b * phase.output_step - start];
                    *count = index(count.index() + stored);
                }
            }
            for r in segment.results.clone().filter(|r| !plain.contains(r)) {
                let mut stored = 0;
                inner.visit(self.side, r, |_, taps| {
                    stored += usize::from(self.content.stores(taps.merge(kernel)));
                });
                let count = &mut counts[r - start];
                *count = index(count.index() + stored);
            }
        });
    }

    fn fill<I: Index>(&self, rows: Range<usize>, mut place: Place<T, I>) {
        let (mut scratch, mut template) = (self.scratch(), Template::default());
        let mut first = 0;
        for segment in self.segments(rows) {
            self.fill_segment(&segment, first, &mut place, &mut scratch, &mut template);
            first += segment.results.len();
        }
    }

    /// Stores the results of a segment, of which `first` is the number within the place.
    fn fill_segment<I: Index>(
        &self,
        segment: &Segment,
        first: usize,
        place: &mut Place<T, I>,
        scratch: &mut [T],
        template: &mut Template<T, I>,
    ) {
        let (inner, start) = (self.traversal.inner(), segment.results.start);
        // Plain results, one template per phase.
        for phase in inner.phases(self.side, &segment.results) {
            template.clear();
            let (tap, step) = tap_progression(inner, self.side, &phase.run);
            self.sources(segment.line, scratch, &mut |kernel, source| {
                for (q, (s, _)) in phase.run.iter().enumerate() {
                    let k = kernel[tap.wrapping_add_signed(q as isize * step)];
                    if self.content.stores(k) {
                        template.push(source + s, (self.map)(k));
                    }
                }
            });
            for b in 0..phase.outputs {
                let row = place.row(first + phase.output + b * phase.output_step - start);
                let shift = b * phase.input_shift;
                template.write(shift, &mut place.indices[row.clone()], &mut place.values[row]);
            }
        }
        // Results at the ends, one by one.
        let plain = inner.plain(self.side);
        for r in segment.results.clone().filter(|r| !plain.contains(r)) {
            let mut next = place.row(first + r - start).start;
            self.sources(segment.line, scratch, &mut |kernel, source| {
                inner.visit(self.side, r, |s, taps| {
                    let value = taps.merge(kernel);
                    if self.content.stores(value) {
                        place.indices[next] = index(source + s);
                        place.values[next] = (self.map)(value);
                        next += 1;
                    }
                });
            });
        }
    }
}

/// The columns and values of the first row of a phase.
struct Template<T, I> {
    columns: Vec<I>,
    values: Vec<T>,
}

impl<T, I> Default for Template<T, I> {
    fn default() -> Self {
        Template { columns: Vec::new(), values: Vec::new() }
    }
}

impl<T: Scalar, I: Index> Template<T, I> {
    fn clear(&mut self) {
        self.columns.clear();
        self.values.clear();
    }

    fn push(&mut self, column: usize, value: T) {
        self.columns.push(index(column));
        self.values.push(value);
    }

    /// The row whose columns are `shift` further.
    #[inline]
    fn write(&self, shift: usize, columns: &mut [I], values: &mut [T]) {
        let shift: I = index(shift);
        columns.iter_mut().zip(&self.columns).for_each(|(c, &t)| *c = t + shift);
        values.copy_from_slice(&self.values);
    }
}
