//! One axis of a product as places to read: which source stands under which tap for which result.
//!
//! Result i reads at place `stride·i + lead + step·q` with tap `first + q·tap_step` of the kernel, q ascending. Places are those
//! of the sources and, in the product from inputs to outputs, of the extended signal beyond them. In the adjoint, results
//! are wanted at places beyond the ends, too, and then folded back.

use crate::boundary::Extension;
use crate::scalar::Scalar;
use crate::stencil::{Axis, Side};
use std::ops::Range;

/// An axis of a product. All numbers are below 2⁶¹, see `Band`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Number of results.
    pub results: usize,
    /// Number of sources.
    pub sources: usize,
    /// The place under q = 0 for result 0.
    lead: i64,
    /// Distance between the places of neighbouring results.
    stride: i64,
    /// Distance between the places of neighbouring taps.
    pub step: usize,
    /// Sources stand at multiples of this.
    spread: i64,
    /// Number of taps.
    pub taps: usize,
    /// The tap of q = 0 and the distance to the next, in elements of the kernel.
    pub tap: usize,
    pub tap_step: isize,
    /// What stands at places beyond the sources.
    beyond: Extension,
    /// First and last place beyond the results, of which those outside the results are folded back.
    folded: Option<(i64, i64)>,
    extension: Extension,
}

impl Reading {
    /// `axis`, whose neighbouring taps are `kernel_step` apart in the kernel.
    pub(crate) fn new(axis: &Axis, side: Side, kernel_step: usize) -> Self {
        let b = axis.band();
        let (reach, last) = (b.span() as i64 - 1, (b.taps() - 1) * kernel_step);
        let window = axis.window();
        match side {
            Side::Forward => Reading {
                results: b.output(),
                sources: b.input(),
                lead: b.offset() - reach,
                stride: b.stride() as i64,
                step: b.dilation(),
                spread: b.spread() as i64,
                taps: b.taps(),
                tap: last,
                tap_step: -(kernel_step as isize),
                beyond: axis.extension(),
                folded: None,
                extension: axis.extension(),
            },
            Side::Adjoint => Reading {
                results: b.input(),
                sources: b.output(),
                lead: -b.offset(),
                stride: b.spread() as i64,
                step: b.dilation(),
                spread: b.stride() as i64,
                taps: b.taps(),
                tap: 0,
                tap_step: kernel_step as isize,
                beyond: Extension::Zero,
                folded: (axis.extension() != Extension::Zero && !window.is_empty())
                    .then_some((window.start, window.end)),
                extension: axis.extension(),
            },
        }
    }

    /// An axis of `len` places without neighbours: a single tap at distance zero.
    pub(crate) fn alone(len: usize) -> Self {
        Reading {
            results: len,
            sources: len,
            lead: 0,
            stride: 1,
            step: 1,
            spread: 1,
            taps: 1,
            tap: 0,
            tap_step: 1,
            beyond: Extension::Zero,
            folded: None,
            extension: Extension::Zero,
        }
    }

    /// Whether every result reads the source at its own place and nothing else.
    pub(crate) fn is_alone(&self) -> bool {
        self.taps == 1
            && self.lead == 0
            && self.results == self.sources
            && self.slides()
            && self.folded.is_none()
    }

    /// Whether there is nothing but one place.
    pub(crate) fn is_lone(&self) -> bool {
        self.results == 1 && self.is_alone()
    }

    /// Whether neighbouring results read neighbouring sources.
    pub(crate) fn slides(&self) -> bool {
        self.stride == 1 && self.spread == 1
    }

    /// Whether `result + 1` reads with tap q what `result` reads with tap q + 1.
    pub(crate) fn shares(&self) -> bool {
        self.slides() && self.step == 1
    }

    /// Whether nothing but zeros stands beyond the sources.
    pub(crate) fn zeros_beyond(&self) -> bool {
        self.beyond == Extension::Zero
    }

    /// The place of tap 0 for a result, which may lie beyond the results.
    pub(crate) fn place(&self, result: i64) -> i64 {
        self.stride * result + self.lead
    }

    /// The source at a place.
    pub(crate) fn source(&self, place: i64) -> Option<usize> {
        let n = self.sources as i64;
        if self.spread == 1 {
            if (0..n).contains(&place) {
                return Some(place as usize);
            }
            // One source with weight 1; boundaries with others do not come here, see `Reading::fits`.
            return self.beyond.terms(place, self.sources).into_iter().next().map(|term| term.0);
        }
        let at = place / self.spread;
        (place >= 0 && at < n && at * self.spread == place).then_some(at as usize)
    }

    /// Among `count` places from `place` on, as far apart as taps, those at which a source stands of the same number.
    pub(crate) fn plain(&self, place: i64, count: usize) -> Range<usize> {
        if self.spread != 1 {
            return 0..0;
        }
        let steps_to = |end: i64| (end.max(place) - place) as usize;
        let lo = steps_to(0).div_ceil(self.step).min(count);
        let hi = steps_to(self.sources as i64).div_ceil(self.step).min(count);
        lo..hi
    }

    /// The sources of a line from a place on, with what stands beyond its ends.
    pub(crate) fn fill<T: Scalar>(&self, line: &[T], place: i64, copy: &mut [T]) {
        let ahead = usize::try_from(-place).unwrap_or(0).min(copy.len());
        let from = usize::try_from(place).unwrap_or(0).min(line.len());
        let within = (line.len() - from).min(copy.len() - ahead);
        let (before, rest) = copy.split_at_mut(ahead);
        let (inside, after) = rest.split_at_mut(within);
        inside.copy_from_slice(&line[from..from + within]);
        if self.beyond == Extension::Zero {
            before.fill(T::zero());
            after.fill(T::zero());
            return;
        }
        let end = place + (ahead + within) as i64;
        let beyond = (place..).zip(before).chain((end..).zip(after));
        beyond.for_each(|(place, value)| *value = self.source(place).map_or(T::zero(), |p| line[p]));
    }

    /// Whether every place holds at most one source, with weight 1.
    pub(crate) fn fits(&self) -> bool {
        self.extension != Extension::Antireflective
    }

    /// The taps through which some result of `results` sees a source; all of them where the signal is extended.
    pub(crate) fn taps_for(&self, results: Range<i64>) -> Range<usize> {
        if results.is_empty() || self.sources == 0 {
            return 0..0;
        }
        if self.beyond != Extension::Zero {
            return 0..self.taps;
        }
        let step = self.step as i64;
        let end = self.spread * (self.sources as i64 - 1);
        let (first, last) = (self.place(results.start), self.place(results.end - 1));
        let lo = (step - 1 - last).div_euclid(step).max(0);
        let hi = ((end - first).div_euclid(step) + 1).min(self.taps as i64);
        if lo < hi { lo as usize..hi as usize } else { 0..0 }
    }

    /// The results within `results` all of whose places are sources.
    pub(crate) fn inside(&self, results: &Range<usize>) -> Range<usize> {
        let reach = (self.taps - 1) as i64 * self.step as i64;
        let lo = (-self.lead).max(results.start as i64);
        let hi = (self.sources as i64 - self.lead - reach).min(results.end as i64);
        if lo < hi { lo as usize..hi as usize } else { results.start..results.start }
    }

    /// Whether values beyond the results are folded back.
    pub(crate) fn folds(&self) -> bool {
        self.folded().iter().any(|places| !places.is_empty())
    }

    /// The places beyond the results whose values are folded back, left and right.
    pub(crate) fn folded(&self) -> [Range<i64>; 2] {
        let n = self.results as i64;
        self.folded.map_or([0..0, 0..0], |(start, end)| [start..end.min(0), start.max(n)..end])
    }

    /// The result that the value at a folded place belongs to.
    pub(crate) fn result(&self, place: i64) -> Option<usize> {
        self.extension.terms(place, self.results).into_iter().next().map(|term| term.0)
    }
}
