//! A vector on a longer line: which places hold which samples, in both directions.
//!
//! Along one axis a convolution by transforms is `y = Oᵀ C P x`: P places the samples (and what the boundary repeats of
//! them) on a line, C is circular, Oᵀ picks the outputs from the line. P and O are both a [`Placement`], and the
//! adjoint is `x = Pᵀ Cᴴ O y`: the same two, exchanged. Picking is the exact transpose of placing.

use crate::error::Result;
use crate::memory;
use crate::scalar::{Real, Scalar};
use std::ops::Range;

/// A sparse matrix with integer weights from the samples of a vector to the places of a line.
///
/// Sample `run.start + q` stands at place `start + step·q`; further terms add samples elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    samples: usize,
    run: Range<usize>,
    start: usize,
    step: usize,
    /// `(place, sample, weight)`, places ascending.
    by_place: Vec<(usize, usize, f64)>,
    /// `(sample, place, weight)`, samples ascending.
    by_sample: Vec<(usize, usize, f64)>,
}

impl Placement {
    /// The samples of `run`, of a vector of `samples`, at `start`, `start + step`, …
    pub(crate) fn new(samples: usize, run: Range<usize>, start: usize, step: usize) -> Self {
        debug_assert!(run.end <= samples && step > 0);
        Placement { samples, run, start, step, by_place: Vec::new(), by_sample: Vec::new() }
    }

    /// Adds `(place, sample, weight)`, places ascending and outside the run; `len` is an upper bound of their number.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the terms do not fit.
    pub(crate) fn with_terms(
        mut self,
        terms: impl Iterator<Item = (usize, usize, i64)>,
        len: usize,
    ) -> Result<Self> {
        // Two tables, and the growth of the vectors.
        let bytes = 4 * len as u128 * size_of::<(usize, usize, f64)>() as u128; // widening
        memory::check_available("the table of the boundary", bytes)?;
        self.by_place = terms.map(|(g, p, w)| (g, p, w as f64)).collect(); // exact below 2^53
        self.by_sample = self.by_place.iter().map(|&(g, p, w)| (p, g, w)).collect();
        self.by_sample.sort_unstable_by_key(|&(p, g, _)| (p, g));
        Ok(self)
    }

    /// Length of the vector.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Whether a boundary puts samples where they do not stand themselves.
    pub(crate) fn repeats(&self) -> bool {
        !self.by_place.is_empty()
    }

    /// The samples that stand anywhere on the line, and perhaps some between them.
    pub(crate) fn present(&self) -> Range<usize> {
        let (Some(first), Some(last)) = (self.by_sample.first(), self.by_sample.last()) else {
            return self.run.clone();
        };
        if self.run.is_empty() {
            return first.0..last.0 + 1;
        }
        self.run.start.min(first.0)..self.run.end.max(last.0 + 1)
    }

    /// The place of a sample of the run, continued beyond it in both directions.
    pub(crate) fn place(&self, sample: usize) -> i64 {
        // Lengths stay below 2^61, see `Band`.
        self.start as i64 + self.step as i64 * (sample as i64 - self.run.start as i64)
    }

    /// Distance between the places of neighbouring samples.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// An upper bound of ‖P‖₂: √(largest column sum · largest row sum) of the absolute weights.
    pub(crate) fn norm(&self) -> f64 {
        let largest = |terms: &[(usize, usize, f64)], own: f64| {
            let groups = terms.chunk_by(|a, b| a.0 == b.0);
            groups.map(|g| own + g.iter().map(|t| t.2.abs()).sum::<f64>()).fold(1.0, f64::max)
        };
        (largest(&self.by_sample, 1.0) * largest(&self.by_place, 0.0)).sqrt()
    }

    /// `line ← (P x)[from..]`: the part of the line that begins at place `from`, zeros where nothing stands.
    pub(crate) fn load<T: Scalar>(&self, x: &[T], from: i64, line: &mut [T]) {
        let run = self.run_within(from, line.len());
        if run.is_empty() {
            line.fill(T::zero());
        } else {
            let first = (self.place(run.start) - from) as usize; // inside the line by the choice of the run
            let last = first + (run.len() - 1) * self.step;
            line[..first].fill(T::zero());
            line[last + 1..].fill(T::zero());
            if self.step == 1 {
                line[first..=last].copy_from_slice(&x[run]);
            } else {
                line[first..=last].fill(T::zero());
                line[first..=last].iter_mut().step_by(self.step).zip(&x[run]).for_each(|(l, &x)| *l = x);
            }
        }
        self.add_terms(x, from, line, (0, 1), T::Real::of(1.0));
    }

    /// The same for one or two vectors side by side, each with its own `from`: place `from + g` of vector `l` stands at
    /// `line[lanes·g + l]`. A vector may be absent, which is zero.
    pub(crate) fn load_lanes<T: Scalar>(&self, lanes: &[Option<(&[T], i64)>], line: &mut [T]) {
        let [a, b] = match *lanes {
            [Some((x, from))] => return self.load(x, from, line),
            [Some(a), Some(b)] => [a, b],
            _ => {
                line.fill(T::zero());
                let present = lanes.iter().enumerate().filter_map(|(l, lane)| Some((l, (*lane)?)));
                return present.for_each(|(l, (x, from))| {
                    self.add(x, from, line, (l, lanes.len()), T::Real::of(1.0));
                });
            }
        };
        let (pairs, _) = line.as_chunks_mut::<2>();
        // Where both runs stand next to each other, they are interleaved in one pass.
        let runs = [a, b].map(|(_, from)| self.run_within(from, pairs.len()));
        let at = [0, 1].map(|l: usize| {
            let begin = self.place(runs[l].start) - [a, b][l].1; // not negative where there is a run
            if runs[l].is_empty() { 0..0 } else { begin as usize..begin as usize + runs[l].len() }
        });
        let both = at[0].start.max(at[1].start)..at[0].end.min(at[1].end);
        if self.step > 1 || both.is_empty() {
            line.fill(T::zero());
            self.add(a.0, a.1, line, (0, 2), T::Real::of(1.0));
            return self.add(b.0, b.1, line, (1, 2), T::Real::of(1.0));
        }
        let inside = [a.0, b.0];
        let part = |l: usize, places: Range<usize>| {
            let first = runs[l].start + places.start - at[l].start;
            &inside[l][first..first + places.len()]
        };
        let sources = part(0, both.clone()).iter().zip(part(1, both.clone()));
        pairs[both.clone()].iter_mut().zip(sources).for_each(|(pair, (&a, &b))| *pair = [a, b]);
        for places in [0..both.start, both.end..pairs.len()] {
            pairs[places.clone()].fill([T::zero(); 2]);
            for l in 0..2 {
                let own = at[l].start.max(places.start)..at[l].end.min(places.end);
                if !own.is_empty() {
                    let source = part(l, own.clone());
                    pairs[own].iter_mut().zip(source).for_each(|(pair, &x)| pair[l] = x);
                }
            }
        }
        for (l, (x, from)) in [a, b].into_iter().enumerate() {
            self.add_terms(x, from, line, (l, 2), T::Real::of(1.0));
        }
    }

    /// `line[lanes·g + lane] += weight·(P x)[from + g]`
    pub(crate) fn add<T: Scalar>(
        &self,
        x: &[T],
        from: i64,
        line: &mut [T],
        (lane, lanes): (usize, usize),
        weight: T::Real,
    ) {
        let run = self.run_within(from, line.len() / lanes);
        if !run.is_empty() {
            let first = (self.place(run.start) - from) as usize; // inside the line by the choice of the run
            let places = line[lanes * first + lane..].iter_mut().step_by(lanes * self.step);
            places.zip(&x[run]).for_each(|(l, &x)| *l += x.scaled(weight));
        }
        self.add_terms(x, from, line, (lane, lanes), weight);
    }

    /// The same for the terms outside the run.
    fn add_terms<T: Scalar>(
        &self,
        x: &[T],
        from: i64,
        line: &mut [T],
        (lane, lanes): (usize, usize),
        factor: T::Real,
    ) {
        let begin = self.by_place.partition_point(|t| (t.0 as i64) < from);
        for &(place, sample, weight) in &self.by_place[begin..] {
            let at = (place as i64 - from) as usize; // not negative from `begin` on
            let Some(value) = line.get_mut(lanes * at + lane) else { break };
            *value += x[sample].scaled(T::Real::of(weight) * factor);
        }
    }

    /// `y[q] ← line[place of sample first + q]` for the samples of the run, where the line begins at place `from`; zero
    /// for other samples.
    pub(crate) fn pick<T: Scalar>(&self, line: &[T], from: i64, first: usize, y: &mut [T]) {
        self.pick_lane(line, (0, 1), from, first, y);
    }

    /// The same from one of several vectors side by side.
    pub(crate) fn pick_lane<T: Scalar>(
        &self,
        line: &[T],
        (lane, lanes): (usize, usize),
        from: i64,
        first: usize,
        y: &mut [T],
    ) {
        let all = first..first + y.len();
        let run = all.start.max(self.run.start)..all.end.min(self.run.end);
        if run.is_empty() {
            return y.fill(T::zero());
        }
        y[..run.start - first].fill(T::zero());
        y[run.end - first..].fill(T::zero());
        let source = &line[lanes * (self.place(run.start) - from) as usize..]; // callers hold the run on the line
        let y = &mut y[run.start - first..run.end - first];
        match (self.step, lanes) {
            (1, 1) => y.copy_from_slice(&source[..y.len()]),
            (1, 2) => {
                let (pairs, _) = source.as_chunks::<2>();
                y.iter_mut().zip(pairs).for_each(|(y, pair)| *y = pair[lane]);
            }
            (step, _) => {
                let source = source[lane..].iter().step_by(lanes * step);
                y.iter_mut().zip(source).for_each(|(y, &l)| *y = l);
            }
        }
    }

    /// `y += weight·Pᵀ line`
    pub(crate) fn fold_add<T: Scalar>(&self, line: &[T], weight: T::Real, y: &mut [T]) {
        let (y_run, places) = (&mut y[self.run.clone()], line.get(self.start..).unwrap_or_default());
        if self.step == 1 {
            y_run.iter_mut().zip(places).for_each(|(y, &l)| *y += l.scaled(weight));
        } else {
            let places = places.iter().step_by(self.step);
            y_run.iter_mut().zip(places).for_each(|(y, &l)| *y += l.scaled(weight));
        }
        for &(sample, place, own) in &self.by_sample {
            y[sample] += line[place].scaled(T::Real::of(own) * weight);
        }
    }

    /// `y ← Pᵀ line`
    pub(crate) fn fold<T: Scalar>(&self, line: &[T], y: &mut [T]) {
        self.pick(line, 0, 0, y);
        for &(sample, place, weight) in &self.by_sample {
            y[sample] += line[place].scaled(T::Real::of(weight));
        }
    }

    /// Calls `f(place, sample)` for the run, then `g(place, sample, weight)` for the other terms.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, usize), mut g: impl FnMut(usize, usize, f64)) {
        self.run.clone().enumerate().for_each(|(q, sample)| f(self.start + q * self.step, sample));
        self.by_place.iter().for_each(|&(place, sample, weight)| g(place, sample, weight));
    }

    /// The samples of the run.
    pub(crate) fn run(&self) -> Range<usize> {
        self.run.clone()
    }

    /// `(sample, place, weight)` of the terms outside the run, for these samples.
    pub(crate) fn terms_of(&self, samples: Range<usize>) -> &[(usize, usize, f64)] {
        let lo = self.by_sample.partition_point(|t| t.0 < samples.start);
        let hi = self.by_sample.partition_point(|t| t.0 < samples.end);
        &self.by_sample[lo..hi]
    }

    /// Calls `f(sample, weight)` for what stands at a place.
    #[inline(always)]
    pub(crate) fn sources(&self, place: i64, mut f: impl FnMut(usize, f64)) {
        let apart = place - self.place(self.run.start);
        let q = usize::try_from(apart.div_euclid(self.step as i64)).unwrap_or(usize::MAX); // steps below 2^61
        if q < self.run.len() && apart.rem_euclid(self.step as i64) == 0 {
            f(self.run.start + q, 1.0);
        }
        let terms = &self.by_place;
        let begin = terms.partition_point(|t| (t.0 as i64) < place);
        terms[begin..].iter().take_while(|t| t.0 as i64 == place).for_each(|t| f(t.1, t.2));
    }

    /// Calls `f(place, weight)` for the places of a sample.
    #[inline(always)]
    pub(crate) fn places(&self, sample: usize, mut f: impl FnMut(usize, f64)) {
        if self.run.contains(&sample) {
            f(self.place(sample) as usize, 1.0); // on the line, since it belongs to the run
        }
        self.terms_of(sample..sample + 1).iter().for_each(|t| f(t.1, t.2));
    }

    /// The samples of the run whose places lie in `from..from + len`.
    fn run_within(&self, from: i64, len: usize) -> Range<usize> {
        let (step, zero) = (self.step as i64, self.place(self.run.start)); // below 2^61, see `Band`
        let before = (from - zero + step - 1).div_euclid(step).max(0) as usize;
        let until = (from + len as i64 - zero + step - 1).div_euclid(step).max(0) as usize;
        let end = (self.run.start + until).min(self.run.end);
        (self.run.start + before).min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P as a dense matrix: places by samples.
    fn dense(p: &Placement, places: usize) -> Vec<Vec<f64>> {
        let mut all = vec![vec![0.0; p.samples]; places];
        let cell = std::cell::RefCell::new(&mut all);
        p.for_each(|g, s| cell.borrow_mut()[g][s] += 1.0, |g, s, w| cell.borrow_mut()[g][s] += w);
        all
    }

    fn placements() -> Vec<Placement> {
        let terms = [(0, 2, -1), (1, 0, 2), (1, 4, 3), (9, 1, 1), (10, 4, 2)];
        vec![
            Placement::new(5, 0..5, 0, 1),
            Placement::new(5, 1..4, 3, 2),
            Placement::new(5, 2..2, 0, 1),
            Placement::new(5, 0..5, 3, 1).with_terms(terms.into_iter(), 5).unwrap(),
            Placement::new(5, 0..0, 0, 1).with_terms(terms.into_iter(), 5).unwrap(),
        ]
    }

    #[test]
    fn loading_is_the_matrix_and_folding_its_transpose() {
        let x = [1.0, 20.0, 300.0, 4000.0, 50_000.0];
        for p in placements() {
            let matrix = dense(&p, 12);
            let line: Vec<f64> =
                matrix.iter().map(|row| row.iter().zip(x).map(|(m, x)| m * x).sum()).collect();
            for from in -3..12_i64 {
                for len in 0..14 {
                    let mut got = vec![f64::NAN; len];
                    p.load(&x, from, &mut got);
                    let at = |q: usize| usize::try_from(from + q as i64).ok().and_then(|g| line.get(g));
                    let expected: Vec<f64> = (0..len).map(|q| at(q).copied().unwrap_or(0.0)).collect();
                    assert_eq!(got, expected, "{p:?} from {from}");
                }
            }
            side_by_side(&p);
            let line: Vec<f64> = (0..12).map(|g| f64::from(g * g + 1)).collect();
            let mut folded = [f64::NAN; 5];
            p.fold(&line, &mut folded);
            let column = |s: usize| matrix.iter().zip(&line).map(|(row, l)| row[s] * l).sum::<f64>();
            assert_eq!(folded, std::array::from_fn(column), "{p:?}");
            p.fold_add(&line, 2.0, &mut folded);
            assert_eq!(folded, std::array::from_fn(|s| 3.0 * column(s)), "{p:?}");
            for (s, g) in (0..5).flat_map(|s| (0..12).map(move |g| (s, g))) {
                let mut entry = [0.0; 2];
                p.sources(g as i64, |sample, w| entry[0] += if sample == s { w } else { 0.0 });
                p.places(s, |place, w| entry[1] += if place == g { w } else { 0.0 });
                assert_eq!(entry, [matrix[g][s]; 2], "{p:?}");
            }
            let present = p.present();
            assert!((0..5).all(|s| present.contains(&s) || matrix.iter().all(|row| row[s] == 0.0)), "{p:?}");
            let sums = |rows: &[Vec<f64>]| {
                rows.iter().map(|r| r.iter().map(|w| w.abs()).sum::<f64>()).fold(0.0, f64::max)
            };
            let transposed: Vec<Vec<f64>> = (0..5).map(|s| matrix.iter().map(|r| r[s]).collect()).collect();
            assert!(p.norm() >= (sums(&matrix) * sums(&transposed)).sqrt(), "{p:?}");
        }
    }

    /// Two vectors in one line are the two lines interleaved, both ways.
    fn side_by_side(p: &Placement) {
        let x = [[1.0, 20.0, 300.0, 4000.0, 50_000.0], [3.0, 5.0, 7.0, 11.0, 13.0]];
        for (from, len) in (-3..12_i64).flat_map(|a| (-3..12_i64).map(move |b| ([a, b], 13))) {
            let mut apart = [vec![0.0; len], vec![0.0; len]];
            (0..2).for_each(|l| p.load(&x[l], from[l], &mut apart[l]));
            for absent in [2, 0, 1] {
                let mut got = vec![f64::NAN; 2 * len];
                let lane = |l: usize| (l != absent).then_some((&x[l][..], from[l]));
                p.load_lanes(&[lane(0), lane(1)], &mut got);
                for (at, &value) in got.iter().enumerate() {
                    let expected = if at % 2 == absent { 0.0 } else { apart[at % 2][at / 2] };
                    assert_eq!(value, expected, "{p:?} from {from:?} at {at}, without {absent}");
                }
            }
        }
        let line: Vec<f64> = (0..30).map(f64::from).collect();
        for lane in 0..2 {
            let (mut got, mut expected) = ([f64::NAN; 5], [f64::NAN; 5]);
            p.pick_lane(&line, (lane, 2), 0, 0, &mut got);
            let own: Vec<f64> = line.iter().skip(lane).step_by(2).copied().collect();
            p.pick(&own, 0, 0, &mut expected);
            assert_eq!(got, expected, "{p:?}");
        }
    }
}
