//! One axis ready for use: which taps join an output and an input, in both directions.
//!
//! A [`Band`] says it for zeros beyond the ends. With another extension, places outside the signal *fold* back onto
//! samples; a sample with such images is *touched*, and the coefficient between an output and a touched sample is a
//! weighted sum of several taps. That sum is [`Taps::merge`], called by the matrix builder and by the direct engine, for
//! rows and for columns, always in the same order: hence equal bits everywhere.
//!
//! The table of images has as many entries as there are places outside that outputs read: O(kernel) for the named modes,
//! whatever the length of the signal.

mod taps;

use crate::band::{Band, Phase, Run};
use crate::boundary::Extension;
use crate::error::Result;
use crate::memory;
use std::ops::Range;

pub(crate) use taps::Taps;

/// A band and what stands beyond its ends. Plain data; engines make their own working form of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Axis {
    band: Band,
    extension: Extension,
}

impl Axis {
    /// An axis. Extensions other than zero need `spread` 1 and at least one sample; descriptions see to that.
    pub(crate) fn new(band: Band, extension: Extension) -> Self {
        debug_assert!(extension == Extension::Zero || (band.spread() == 1 && band.input() > 0));
        Axis { band, extension }
    }

    /// The index relation.
    pub fn band(&self) -> &Band {
        &self.band
    }

    /// What stands beyond the ends.
    pub fn extension(&self) -> Extension {
        self.extension
    }

    /// The places of the extended signal that any output reads; empty when there are no outputs.
    pub(crate) fn window(&self) -> Range<i64> {
        let b = &self.band;
        if b.output() == 0 || b.taps() == 0 {
            return 0..0;
        }
        let reach = b.span() as i64 - 1; // lengths below 2^61, see `Band`
        b.position(0) - reach..b.position(b.output() as i64 - 1) + 1
    }
}

/// Which product: from inputs to outputs, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// y = A x: a row of A per result.
    Forward,
    /// x = Aᵀ y: a column of A per result. (Aᴴ when the taps are conjugated.)
    Adjoint,
}

impl Side {
    /// The other product, whose results are the sources of this one.
    pub(crate) fn other(self) -> Self {
        match self {
            Side::Forward => Side::Adjoint,
            Side::Adjoint => Side::Forward,
        }
    }
}

/// An axis with the table of its touched samples.
#[derive(Debug, Clone)]
pub(crate) struct Stencil {
    band: Band,
    transposed: Band,
    /// Samples with images outside, ascending.
    touched: Vec<usize>,
    /// Where the images of each touched sample begin; one more entry than `touched`.
    starts: Vec<usize>,
    /// `(place, weight)` ascending by place, the sample itself included with weight 1.
    images: Vec<(i64, i64)>,
    extension: Extension,
    /// Inputs whose column consists of single taps, all of them inside.
    plain_inputs: Range<usize>,
}

impl Stencil {
    /// The working form of an axis.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the table of the places outside does not fit.
    pub(crate) fn new(axis: &Axis) -> Result<Self> {
        let band = axis.band;
        let transposed = band.transpose();
        let (touched, starts, images) = match axis.extension {
            Extension::Zero => (Vec::new(), vec![0], Vec::new()),
            extension => fold_table(axis, extension)?,
        };
        let plain_inputs = longest_gap(&touched, transposed.inside());
        Ok(Stencil { band, transposed, touched, starts, images, extension: axis.extension, plain_inputs })
    }

    /// Length of the results of `side`.
    pub(crate) fn len(&self, side: Side) -> usize {
        match side {
            Side::Forward => self.band.output(),
            Side::Adjoint => self.band.input(),
        }
    }

    /// Number of taps.
    pub(crate) fn taps(&self) -> usize {
        self.band.taps()
    }

    /// The outputs whose kernel, holes included, lies over sample `p`.
    pub(crate) fn reached_by(&self, p: usize) -> Range<usize> {
        self.band.reaching(p as i64 * self.band.spread() as i64) // below 2^61, see `Band`
    }

    /// After how many samples the pattern of columns repeats.
    pub(crate) fn period(&self) -> usize {
        self.band.stride()
    }

    /// The results whose every coefficient is a single tap and which see all taps that fit their phase.
    pub(crate) fn plain(&self, side: Side) -> Range<usize> {
        match side {
            Side::Forward => self.band.inside(),
            Side::Adjoint => self.plain_inputs.clone(),
        }
    }

    /// The plain results within `results`, in classes that share a run of taps.
    pub(crate) fn phases(&self, side: Side, results: &Range<usize>) -> impl Iterator<Item = Phase> {
        let plain = self.plain(side);
        let both = plain.start.max(results.start)..plain.end.min(results.end);
        let both = if both.is_empty() { 0..0 } else { both };
        match side {
            Side::Forward => self.band.phases(both),
            Side::Adjoint => self.transposed.phases(both),
        }
    }

    /// Calls `f(source, taps)` for every source that contributes to result `r` of `side`, sources ascending.
    #[inline]
    pub(crate) fn visit<'s>(&'s self, side: Side, r: usize, f: impl FnMut(usize, Taps<'s>)) {
        match side {
            Side::Forward => self.visit_row(r, f),
            Side::Adjoint => self.visit_column(r, f),
        }
    }

    fn visit_row<'s>(&'s self, i: usize, mut f: impl FnMut(usize, Taps<'s>)) {
        let band = &self.band;
        let run = band.run(i as i64); // i < output < 2^61
        if self.touched.is_empty() || band.inside().contains(&i) {
            return run.iter().for_each(|(p, t)| f(p, Taps::Single(t)));
        }
        let position = band.position(i as i64);
        let folded = |a: usize, f: &mut dyn FnMut(usize, Taps<'s>)| {
            let taps = Taps::Folded { band, position, images: self.images_between(a, position) };
            if !taps.is_empty() {
                f(self.touched[a], taps);
            }
        };
        if band.taps().saturating_mul(band.taps()) < self.touched.len() {
            // Few taps, many touched samples: from each source look for the next one that a tap reads.
            let mut next = 0;
            while let Some(p) = self.sources_of(position).filter(|&p| p >= next).min() {
                match self.touched.binary_search(&p) {
                    Ok(a) => folded(a, &mut f),
                    // An untouched sample stands at its own place only, so that is what the tap reads.
                    Err(_) => match band.tap_at(position, p as i64) {
                        Some(tap) => f(p, Taps::Single(tap)),
                        None => debug_assert!(false, "sample {p} has an image that the table lacks"),
                    },
                }
                next = p + 1;
            }
            return;
        }
        let mut a = 0;
        for (p, t) in run.iter() {
            while a < self.touched.len() && self.touched[a] < p {
                folded(a, &mut f);
                a += 1;
            }
            if self.touched.get(a) != Some(&p) {
                f(p, Taps::Single(t));
            }
        }
        (a..self.touched.len()).for_each(|a| folded(a, &mut f));
    }

    /// The samples that the taps at `position` read, in no order, some of them repeatedly.
    fn sources_of(&self, position: i64) -> impl Iterator<Item = usize> {
        let (band, extension) = (self.band, self.extension);
        let places = (0..band.taps()).map(move |t| position - (band.dilation() * t) as i64); // below 2^61
        places.flat_map(move |j| extension.terms(j, band.input()).into_iter().map(|(p, _)| p))
    }

    fn visit_column<'s>(&'s self, p: usize, mut f: impl FnMut(usize, Taps<'s>)) {
        let Ok(a) = self.touched.binary_search(&p) else {
            let last = self.band.taps().saturating_sub(1);
            let run = self.transposed.run(p as i64); // p < input < 2^61
            return run.iter().for_each(|(i, t)| f(i, Taps::Single(last - t)));
        };
        let all = &self.images[self.starts[a]..self.starts[a + 1]];
        let mut give = |i: usize| {
            let position = self.band.position(i as i64);
            let taps = Taps::Folded { band: &self.band, position, images: self.images_between(a, position) };
            if !taps.is_empty() {
                f(i, taps);
            }
        };
        let meetings = all.len().saturating_mul(self.band.taps());
        if meetings.saturating_mul(meetings) < self.band.span() {
            // Few taps, spread far: from each output look for the next one that sees an image.
            let mut next = 0;
            while let Some(i) = self.outputs_of(all).filter(|&i| i >= next).min() {
                give(i);
                next = i + 1;
            }
            return;
        }
        // The outputs whose kernel reaches over one image are an interval, and these intervals ascend with the place:
        // visit their union once, and skip the outputs that see no image through a tap (possible with dilation).
        let mut next = 0;
        for &(place, _) in all {
            let reached = self.band.reaching(place);
            (next.max(reached.start)..reached.end).for_each(&mut give);
            next = next.max(reached.end);
        }
    }

    /// The outputs that see any of these images through a tap, in no order, some of them repeatedly.
    fn outputs_of(&self, images: &[(i64, i64)]) -> impl Iterator<Item = usize> {
        let runs = images.iter().map(|image| self.transposed.run(image.0)); // spread is 1, see `Axis::new`
        runs.flat_map(|run| run.iter().map(|(i, _)| i))
    }

    /// The images of touched sample `a` that lie under the kernel at `position`.
    fn images_between(&self, a: usize, position: i64) -> &[(i64, i64)] {
        let all = &self.images[self.starts[a]..self.starts[a + 1]];
        let first = position - (self.band.span() as i64 - 1); // span below 2^61
        if all.len() <= 4 {
            // Mostly two images, one of which is under the kernel: looking is faster than searching.
            let lo = all.iter().take_while(|image| image.0 < first).count();
            let len = all[lo..].iter().take_while(|image| image.0 <= position).count();
            return &all[lo..lo + len];
        }
        let lo = all.partition_point(|&(place, _)| place < first);
        let hi = all.partition_point(|&(place, _)| place <= position);
        &all[lo..hi]
    }
}

/// Touched samples, where their images begin, and the images.
type FoldTable = (Vec<usize>, Vec<usize>, Vec<(i64, i64)>);

/// Every place outside the signal that an output may read, sorted by the samples that stand there.
fn fold_table(axis: &Axis, extension: Extension) -> Result<FoldTable> {
    let n = axis.band.input();
    let window = axis.window();
    let end = n as i64; // below 2^61
    let (left, right) = (window.start..window.end.min(0), window.start.max(end)..window.end);
    let outside = || left.clone().chain(right.clone());
    let places = (left.end - left.start).max(0) as u128 + (right.end - right.start).max(0) as u128;
    // Up to three terms a place, and the growth of the vectors.
    let bytes = places * 6 * size_of::<(usize, i64, i64)>() as u128; // widening
    memory::check_available("the table of the boundary", bytes)?;
    let mut terms: Vec<(usize, i64, i64)> = outside()
        .flat_map(|j| extension.terms(j, n).into_iter().map(|(p, w)| (p, j, w)).collect::<Vec<_>>())
        .collect();
    let mut samples: Vec<usize> = terms.iter().map(|t| t.0).collect();
    samples.sort_unstable();
    samples.dedup();
    terms.extend(samples.iter().map(|&p| (p, p as i64, 1)));
    terms.sort_unstable();
    let starts = samples.iter().map(|p| terms.partition_point(|t| t.0 < *p));
    let starts = starts.chain([terms.len()]).collect();
    Ok((samples, starts, terms.into_iter().map(|(_, j, w)| (j, w)).collect()))
}

/// The longest part of `range` without a touched sample.
fn longest_gap(touched: &[usize], range: Range<usize>) -> Range<usize> {
    let inner = touched.iter().copied().filter(|p| range.contains(p));
    let starts = std::iter::once(range.start).chain(inner.clone().map(|p| p + 1));
    let ends = inner.chain([range.end]);
    let gaps = starts.zip(ends).map(|(start, end)| start..end.max(start));
    gaps.max_by_key(|gap| gap.len()).unwrap_or(0..0)
}

/// The taps of a run as `(first, step)` into the kernel: `first + q·step` belongs to the q-th input.
///
/// Along a run taps descend while inputs ascend; the transposed band belongs to the reversed kernel, so there both ascend.
pub(crate) fn tap_progression(stencil: &Stencil, side: Side, run: &Run) -> (usize, isize) {
    let step = run.tap_step as isize; // below 2^61
    match side {
        Side::Forward => (run.tap, -step),
        Side::Adjoint => (stencil.taps() - 1 - run.tap, step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const EXTENSIONS: [Extension; 6] = [
        Extension::Zero,
        Extension::Periodic,
        Extension::Symmetric,
        Extension::Reflect,
        Extension::Replicate,
        Extension::Antireflective,
    ];

    /// Few taps, far apart: what the shortcuts are for.
    fn spread_axes() -> impl Iterator<Item = Axis> {
        [1, 2, 7, 23].into_iter().flat_map(|n| {
            [(1, 40), (2, 11), (2, 40), (3, 60), (4, 25)].into_iter().flat_map(move |(k, d)| {
                [(1, -30), (1, 45), (3, 0), (2, 70)].into_iter().flat_map(move |(s, offset)| {
                    let band = Band::with_steps((n, 1), (k, d), (37, s), offset).unwrap();
                    EXTENSIONS.into_iter().map(move |e| Axis::new(band, e))
                })
            })
        })
    }

    fn axes() -> impl Iterator<Item = Axis> {
        spread_axes().chain(small_axes())
    }

    fn small_axes() -> impl Iterator<Item = Axis> {
        (1..6_usize).flat_map(|n| {
            (1..6_usize).flat_map(move |k| {
                [(1, 1), (2, 1), (1, 2), (3, 2), (2, 4)].into_iter().flat_map(move |(s, d)| {
                    (-2..6).flat_map(move |offset| {
                        let band = Band::with_steps((n, 1), (k, d), (5, s), offset).unwrap();
                        EXTENSIONS.into_iter().map(move |e| Axis::new(band, e))
                    })
                })
            })
        })
    }

    /// `(output, input) -> taps with weights`, from the definition.
    fn definition(axis: &Axis) -> BTreeMap<(usize, usize), Vec<(usize, i64)>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        let b = &axis.band;
        for i in 0..b.output() {
            for t in (0..b.taps()).rev() {
                let place = b.position(i as i64) - (b.dilation() * t) as i64;
                for (p, w) in axis.extension.terms(place, b.input()) {
                    all.entry((i, p)).or_default().push((t, w));
                }
            }
        }
        all
    }

    #[test]
    fn rows_and_columns_are_the_definition_in_ascending_order() {
        for axis in axes() {
            let (stencil, expected) = (Stencil::new(&axis).unwrap(), definition(&axis));
            for side in [Side::Forward, Side::Adjoint] {
                let mut found = BTreeMap::new();
                for r in 0..stencil.len(side) {
                    let mut last = None;
                    stencil.visit(side, r, |source, taps| {
                        assert!(last < Some(source), "sources ascend");
                        last = Some(source);
                        let mut list = Vec::new();
                        taps.for_each(|t, w| list.push((t, w)));
                        let key = if side == Side::Forward { (r, source) } else { (source, r) };
                        assert!(found.insert(key, list).is_none());
                    });
                }
                assert_eq!(found, expected, "{axis:?} {side:?}");
            }
        }
    }

    #[test]
    fn phases_agree_with_visits() {
        for axis in axes() {
            let stencil = Stencil::new(&axis).unwrap();
            for side in [Side::Forward, Side::Adjoint] {
                for phase in stencil.phases(side, &(0..stencil.len(side))) {
                    for b in 0..phase.outputs {
                        let mut expected = Vec::new();
                        stencil.visit(side, phase.output + b * phase.output_step, |s, taps| match taps {
                            Taps::Single(t) => expected.push((s, t)),
                            Taps::Folded { .. } => panic!("{axis:?}: a plain result with folded taps"),
                        });
                        let (tap, step) = tap_progression(&stencil, side, &phase.run);
                        let from_phase: Vec<_> = (phase.run.iter().enumerate())
                            .map(|(q, (s, _))| {
                                (s + b * phase.input_shift, tap.wrapping_add_signed(q as isize * step))
                            })
                            .collect();
                        assert_eq!(from_phase, expected, "{axis:?} {side:?}");
                    }
                }
            }
        }
    }
}
