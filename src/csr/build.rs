//! The matrix builder: line by line, the rows of the matrix to whoever takes them.
//!
//! In pseudo-code: `for every row: for every source line: for every tap: store`.
//! Deviations: (1) rows of a line that lie inside share one run of taps, so they are copies of a template with columns
//! shifted: memory bandwidth, not arithmetic; (2) lines with the same kernels share their templates, those of the rows at
//! the ends included; (3) rows are split among threads by bytes, and each part is counted by the same walk that fills it,
//! where counting a template takes no longer than finding it.

use super::assemble::assemble;
use super::template::{Rows, Template};
use crate::conv::{Bank, Traversal};
use crate::error::Result;
use crate::memory::Index;
use crate::scalar::Scalar;
use crate::stencil::{Side, Taps, tap_progression};
use sprs::CsMatI;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one part: at least what is worth handing to another thread, at most what makes its templates, made anew for
/// every part, cost a few percent; between them a matrix has [`PARTS`] parts.
const PART_BYTES: (usize, usize) = (1 << 18, 1 << 21);

/// Parts of a matrix that is neither small nor large.
const PARTS: usize = 16;

/// Fewer rows are not worth their template.
const PART_ROWS: usize = 16;

/// A line of more entries at its ends is not kept as a template.
const LINE_ENTRIES: usize = 1 << 18;

/// Entries of all templates together: a few megabytes beside a matrix that is larger.
const KEPT_ENTRIES: usize = 1 << 20;

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
    let builder = Builder::new(bank, side, content, map)?;
    let (at_least, part) = (builder.at_least(), builder.part());
    assemble(builder.shape(), at_least, part, &|rows, to| builder.walk(rows, to))
}

pub(super) struct Builder<'a, T, I, const D: usize> {
    bank: &'a Bank<T, D>,
    side: Side,
    content: Content,
    map: fn(T) -> T,
    traversal: Traversal<D>,
    kept: Mutex<Kept<T, I>>,
}

/// Lines by their numbers, and the entries of their templates.
type Kept<T, I> = (BTreeMap<usize, Arc<Line<T, I>>>, usize);

/// The rows of one line: some at the beginning, copies of the plain ones, some at the end.
struct Line<T, I> {
    head: Template<T, I>,
    plain: Template<T, I>,
    plain_rows: usize,
    tail: Template<T, I>,
}

/// A part of one line: the line's number and the results of it.
struct Segment {
    line: usize,
    results: Range<usize>,
}

/// What one thread needs besides.
struct Work<'s, T> {
    scratch: Vec<T>,
    /// The kernels of the source lines of a line, one after the other, and where the source lines begin.
    kernels: Vec<T>,
    starts: Vec<usize>,
    /// The sources of a result.
    sources: Vec<(usize, Taps<'s>)>,
}

impl<'a, T: Scalar, I: Index, const D: usize> Builder<'a, T, I, D> {
    pub(super) fn new(bank: &'a Bank<T, D>, side: Side, content: Content, map: fn(T) -> T) -> Result<Self> {
        Ok(Builder { bank, side, content, map, traversal: Traversal::new(bank)?, kept: Mutex::default() })
    }

    pub(super) fn shape(&self) -> (usize, usize) {
        let (rows, cols) = self.bank.shape();
        match self.side {
            Side::Forward => (rows, cols),
            Side::Adjoint => (cols, rows),
        }
    }

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

    /// Rows per part: about as many bytes in each, whole lines if they are not too long.
    pub(super) fn part(&self) -> usize {
        let entries = self.traversal.work(self.side);
        let row = entries.saturating_mul(size_of::<T>() + I::BYTES).saturating_add(I::BYTES);
        let bytes = (self.shape().0.saturating_mul(row) / PARTS).clamp(PART_BYTES.0, PART_BYTES.1);
        let (rows, line) = ((bytes / row).max(PART_ROWS), self.line_len());
        match rows / line {
            0 if D > 1 && line <= PART_ROWS * rows => line,
            0 => rows,
            lines => lines * line,
        }
    }

    fn line_len(&self) -> usize {
        self.traversal.inner().len(self.side).max(1)
    }

    /// The segments of lines that make up `rows`.
    fn segments(&self, rows: Range<usize>) -> impl Iterator<Item = Segment> {
        let len = self.line_len();
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

    /// Hands `rows` to whoever takes them.
    pub(super) fn walk(&self, rows: Range<usize>, to: &mut dyn Rows<T, I>) {
        let plain = self.traversal.inner().plain(self.side).len();
        let at_ends = (self.line_len() - plain).saturating_mul(self.traversal.work(self.side));
        let mut work = Work {
            scratch: vec![T::zero(); self.traversal.scratch_len()],
            kernels: Vec::new(),
            starts: Vec::new(),
            sources: Vec::new(),
        };
        let mut last: Option<(usize, Arc<Line<T, I>>)> = None;
        for segment in self.segments(rows) {
            if D == 1 || segment.results.len() < self.line_len() || at_ends > LINE_ENTRIES {
                self.walk_segment(&segment, &mut work, to);
                continue;
            }
            let (first, shift) = self.traversal.first_alike(self.side, segment.line);
            let line = match last.take() {
                Some((number, line)) if number == first => line,
                _ => self.line(first, &mut work),
            };
            to.take(&line.head, line.head.rows(), shift);
            to.take(&line.plain, line.plain_rows, shift);
            to.take(&line.tail, line.tail.rows(), shift);
            last = Some((first, line));
        }
    }

    /// The templates of a line, made once and kept if there is room.
    fn line<'s>(&'s self, number: usize, work: &mut Work<'s, T>) -> Arc<Line<T, I>> {
        // A thread that panicked has kept nothing incomplete.
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = kept().0.get(&number) {
            return line.clone();
        }
        let segment = Segment { line: number, results: 0..self.traversal.inner().len(self.side) };
        let (before, after) = self.ends(&segment.results);
        self.gather(number, work);
        let (mut head, mut plain, mut tail) = (Template::default(), Template::default(), Template::default());
        before.for_each(|r| self.push_row(r, work, &mut head));
        let plain_rows = self.push_plain(&segment.results, work, &mut plain);
        after.for_each(|r| self.push_row(r, work, &mut tail));
        let entries = head.entries() + plain.entries() + tail.entries();
        let line = Arc::new(Line { head, plain, plain_rows, tail });
        let (lines, held) = &mut *kept();
        if *held + entries <= KEPT_ENTRIES {
            *held += entries;
            lines.insert(number, line.clone());
        }
        line
    }

    fn walk_segment<'s>(&'s self, segment: &Segment, work: &mut Work<'s, T>, to: &mut dyn Rows<T, I>) {
        let (before, after) = self.ends(&segment.results);
        self.gather(segment.line, work);
        let mut template = Template::default();
        self.walk_rows(before, work, &mut template, to);
        let plain_rows = self.push_plain(&segment.results, work, &mut template);
        to.take(&template, plain_rows, 0);
        template.clear();
        self.walk_rows(after, work, &mut template, to);
    }

    /// The results before and after the plain ones.
    fn ends(&self, results: &Range<usize>) -> (Range<usize>, Range<usize>) {
        let plain = self.traversal.inner().plain(self.side);
        let (start, end) = (plain.start.max(results.start), plain.end.min(results.end));
        if start < end { (results.start..start, end..results.end) } else { (results.clone(), 0..0) }
    }

    /// Sets down the kernels of a line.
    fn gather(&self, line: usize, work: &mut Work<T>) {
        let Work { scratch, kernels, starts, .. } = work;
        kernels.clear();
        starts.clear();
        self.traversal.for_each_source(
            self.side,
            line,
            self.bank.kernels(),
            scratch,
            &mut |kernel, start| {
                kernels.extend_from_slice(kernel);
                starts.push(start);
            },
        );
    }

    /// Hands on rows one by one.
    fn walk_rows<'s>(
        &'s self,
        results: Range<usize>,
        work: &mut Work<'s, T>,
        template: &mut Template<T, I>,
        to: &mut dyn Rows<T, I>,
    ) {
        let last = results.end;
        for r in results {
            self.push_row(r, work, template);
            if template.is_full() || r + 1 == last {
                to.take(template, template.rows(), 0);
                template.clear();
            }
        }
    }

    /// Adds one row of the line whose kernels are set down.
    fn push_row<'s>(&'s self, r: usize, work: &mut Work<'s, T>, to: &mut Template<T, I>) {
        let (inner, Work { kernels, starts, sources, .. }) = (self.traversal.inner(), work);
        sources.clear();
        inner.visit(self.side, r, |source, taps| sources.push((source, taps)));
        for (kernel, start) in kernels.chunks(inner.taps().max(1)).zip(starts) {
            for (source, taps) in sources.iter() {
                let value = taps.merge(kernel);
                if self.content.stores(value) {
                    to.push(*start + source, (self.map)(value));
                }
            }
        }
        to.end_row();
    }

    /// Makes the template of the plain rows among `results` and returns how many rows there are.
    fn push_plain(&self, results: &Range<usize>, work: &mut Work<T>, to: &mut Template<T, I>) -> usize {
        let (inner, mut rows, mut step) = (self.traversal.inner(), 0, 0);
        // One row per phase: they take turns.
        for phase in inner.phases(self.side, results) {
            (rows, step) = (rows + phase.outputs, phase.input_shift);
            let (tap, tap_step) = tap_progression(inner, self.side, &phase.run);
            for (kernel, start) in work.kernels.chunks(inner.taps().max(1)).zip(&work.starts) {
                for (q, (source, _)) in phase.run.iter().enumerate() {
                    let value = kernel[tap.wrapping_add_signed(q as isize * tap_step)]; // q below 2^61
                    if self.content.stores(value) {
                        to.push(start + source, (self.map)(value));
                    }
                }
            }
            to.end_row();
        }
        to.repeat_to_block(rows, step);
        rows
    }
}
