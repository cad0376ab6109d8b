//! Transforms of images and volumes.
//!
//! Rows are transformed as lines of `T`, the other axes as complex columns. In pseudo-code, for an image:
//!
//! ```text
//! for every row of samples:  S[row, ..] ← F(row placed on a line)
//! for every frequency h:     B[h, ..]   ← F(column S[.., h] placed on a line)
//! ```
//!
//! Deviations: (1) columns are moved a tile at a time, so that every cache line that is read serves all columns of the tile;
//! (2) the spectrum stays transposed (the column of a frequency is adjacent in memory), and the way back reads it
//! in tiles again; (3) only rows that hold samples are transformed, a boundary along the other axes is added in the
//! spectrum; (4) `finish` sees every column while it is in cache.

use super::line::{ColumnFft, column_fft};
use super::{LineFft, Placement, Spectrum, good_line_size, good_size, line_fft, per_complex};
use crate::error::Result;
use crate::memory::as_complex_mut;
use crate::parallel::for_each_part;
use crate::scalar::{Real, Scalar};
use num_complex::Complex;
use num_traits::Zero;
use std::ops::Range;
use std::sync::Arc;

/// Columns that are moved together: one or two cache lines of complex numbers.
const TILE: usize = 8;

/// At most this many parts, each with scratch of its own.
const PARTS: usize = 32;

/// Points of a grid that are worth handing to another thread.
const POINTS: usize = 1 << 12;

/// Transforms of a grid of at least two axes, between samples placed on it and its transposed spectrum.
#[derive(Clone)]
pub(crate) struct GridFft<T: Scalar, const D: usize> {
    rows: Arc<dyn LineFft<T>>,
    /// Of all axes but the last.
    columns: Vec<Arc<dyn ColumnFft<T::Real>>>,
}

impl<T: Scalar, const D: usize> GridFft<T, D> {
    /// A plan for at least `least` places per axis.
    pub(crate) fn new(least: [usize; D]) -> Self {
        let columns = least[..D - 1].iter().map(|&n| column_fft(good_size(n))).collect();
        GridFft { rows: line_fft(good_line_size::<T>(least[D - 1])), columns }
    }

    /// Places per axis.
    pub(crate) fn shape(&self) -> [usize; D] {
        std::array::from_fn(|a| self.columns.get(a).map_or(self.rows.len(), |c| c.len()))
    }

    /// Number of values of a spectrum.
    pub(crate) fn spectrum_len(&self) -> usize {
        self.rows.frequencies() * self.columns.iter().map(|c| c.len()).product::<usize>()
    }

    /// Lengths of the two intermediate buffers for vectors placed like this.
    pub(crate) fn work_len(&self, places: &[Placement; D]) -> [usize; 2] {
        let mut len = [0; 2];
        for stage in 1..D {
            let buffer = &mut len[(stage - 1) % 2];
            *buffer = self.stage_len(places, stage).max(*buffer);
        }
        len
    }

    /// Axes before `stage` are samples, those from it on frequencies.
    fn stage_len(&self, places: &[Placement; D], stage: usize) -> usize {
        let samples = places[..stage].iter().map(|p| p.present().len());
        let frequencies = self.columns[stage..].iter().map(|c| c.len());
        samples.chain(frequencies).product::<usize>() * self.rows.frequencies()
    }

    /// Elements of `T` that the parts need as scratch.
    pub(crate) fn scratch_len(&self) -> usize {
        self.parts() * self.part_scratch()
    }

    fn parts(&self) -> usize {
        (self.spectrum_len() / POINTS).clamp(1, PARTS)
    }

    fn part_scratch(&self) -> usize {
        let columns = self.columns.iter().map(|c| c.scratch_len()).max().unwrap_or(0);
        let rows = TILE * self.rows.frequencies() + self.rows.scratch_len();
        self.rows.len() + rows.max(columns) * per_complex::<T>()
    }

    /// Lines per part, of `lines`.
    fn lines_per_part(&self, lines: usize) -> usize {
        lines.div_ceil(self.parts()).max(1)
    }

    /// `spectrum ← F P x`; `finish(start, columns, transform, scratch)` is called for columns as soon as they are done.
    pub(crate) fn forward(
        &self,
        x: &[T],
        places: &[Placement; D],
        spectrum: &mut [Spectrum<T>],
        work: [&mut [Spectrum<T>]; 2],
        scratch: &mut [T],
        finish: &(impl Fn(usize, &mut [Spectrum<T>], &dyn ColumnFft<T::Real>, &mut [Spectrum<T>]) + Sync),
    ) -> Result<()> {
        let [even, odd] = work;
        let (mut from, mut to) = if D.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        self.rows_forward(x, places, &mut from[..self.stage_len(places, D - 1)], scratch)?;
        for axis in (1..D - 1).rev() {
            let len = self.stage_len(places, axis);
            self.columns_forward(axis, places, from, &mut to[..len], scratch, &|_, _, _, _| ())?;
            (from, to) = (to, from);
        }
        self.columns_forward(0, places, from, spectrum, scratch, finish)
    }

    /// Calls `f(start, columns, transform, scratch)` for all columns along the first axis, a tile at a time.
    pub(crate) fn columns_each(
        &self,
        spectrum: &mut [Spectrum<T>],
        scratch: &mut [T],
        f: &(impl Fn(usize, &mut [Spectrum<T>], &dyn ColumnFft<T::Real>, &mut [Spectrum<T>]) + Sync),
    ) -> Result<()> {
        let fft = &*self.columns[0];
        let len = fft.len();
        let part = self.lines_per_part(spectrum.len() / len) * len;
        for_each_part(spectrum, part, scratch, self.part_scratch(), |start, part, scratch| {
            let scratch = as_complex_mut(scratch);
            let tiles = part.chunks_mut(TILE * len).enumerate();
            tiles.for_each(|(t, tile)| f(start + t * TILE * len, tile, fft, scratch));
            Ok(())
        })
    }

    fn rows_forward(
        &self,
        x: &[T],
        places: &[Placement; D],
        rows: &mut [Spectrum<T>],
        scratch: &mut [T],
    ) -> Result<()> {
        let width = self.rows.frequencies();
        let lines = rows.len() / width;
        for_each_part(
            rows,
            self.lines_per_part(lines) * width,
            scratch,
            self.part_scratch(),
            |start, rows, s| {
                let (line, s) = s.split_at_mut(self.rows.len());
                let s = as_complex_mut(s);
                for (r, row) in rows.chunks_mut(width).enumerate() {
                    // The row's number among those present, then among all.
                    let (mut rest, mut number, mut size) = (start / width + r, 0, 1);
                    for place in places[..D - 1].iter().rev() {
                        let present = place.present();
                        number += (present.start + rest % present.len()) * size;
                        rest /= present.len();
                        size *= place.samples();
                    }
                    let samples = places[D - 1].samples();
                    places[D - 1].load(&x[number * samples..][..samples], 0, line);
                    self.rows.forward(line, row, s);
                }
                Ok(())
            },
        )
    }

    /// From `[before][samples of axis][after]` to `[before][after][frequencies of axis]`.
    fn columns_forward(
        &self,
        axis: usize,
        places: &[Placement; D],
        from: &[Spectrum<T>],
        to: &mut [Spectrum<T>],
        scratch: &mut [T],
        finish: &(impl Fn(usize, &mut [Spectrum<T>], &dyn ColumnFft<T::Real>, &mut [Spectrum<T>]) + Sync),
    ) -> Result<()> {
        let (fft, place, present) = (&*self.columns[axis], &places[axis], places[axis].present());
        let len = fft.len();
        let after = self.after(axis);
        let lines = to.len() / len;
        for_each_part(
            to,
            self.lines_per_part(lines) * len,
            scratch,
            self.part_scratch(),
            |start, to, scratch| {
                let scratch = as_complex_mut(scratch);
                let (mut line, mut rest) = (start / len, to);
                while !rest.is_empty() {
                    let (block, column) = (line / after, line % after);
                    let width = TILE.min(after - column).min(rest.len() / len);
                    let (tile, next) = rest.split_at_mut(width * len);
                    tile.fill(Complex::zero());
                    let source = &from[block * present.len() * after + column..];
                    let row = |sample: usize| &source[(sample - present.start) * after..][..width];
                    let cell = std::cell::Cell::from_mut(&mut *tile).as_slice_of_cells();
                    place.for_each(
                        |g, sample| {
                            row(sample).iter().enumerate().for_each(|(l, &v)| cell[l * len + g].set(v))
                        },
                        |g, sample, weight| {
                            let weight = T::Real::of(weight);
                            for (l, &v) in row(sample).iter().enumerate() {
                                let at = &cell[l * len + g];
                                at.set(at.get() + Complex::new(v.re * weight, v.im * weight));
                            }
                        },
                    );
                    fft.forward(tile, scratch);
                    finish(line * len, tile, fft, scratch);
                    (line, rest) = (line + width, next);
                }
                Ok(())
            },
        )
    }

    /// Number of columns along `axis` for each index of the axes before it.
    fn after(&self, axis: usize) -> usize {
        self.rows.frequencies() * self.columns[axis + 1..].iter().map(|c| c.len()).product::<usize>()
    }

    /// `y ← len·Pᵀ F⁻¹`, of a spectrum whose columns along the first axis are transformed back already.
    pub(crate) fn inverse(
        &self,
        spectrum: &[Spectrum<T>],
        places: &[Placement; D],
        y: &mut [T],
        work: [&mut [Spectrum<T>]; 2],
        scratch: &mut [T],
    ) -> Result<()> {
        let [mut to, mut from] = work;
        for axis in 0..D - 2 {
            let source = if axis == 0 { spectrum } else { &*from };
            self.columns_back(axis, places, source, &mut to[..self.stage_len(places, axis + 1)], scratch)?;
            std::mem::swap(&mut from, &mut to);
        }
        let from = if D == 2 { spectrum } else { &*from };
        self.rows_back(from, places, y, scratch)
    }

    /// From `[before][after][frequencies of axis]` to `[before][samples of axis][after]`, and the next axis back.
    fn columns_back(
        &self,
        axis: usize,
        places: &[Placement; D],
        from: &[Spectrum<T>],
        to: &mut [Spectrum<T>],
        scratch: &mut [T],
    ) -> Result<()> {
        let (place, present) = (&places[axis], places[axis].present());
        let (after, len) = (self.after(axis), self.columns[axis].len());
        let next = &*self.columns[axis + 1];
        let lines = to.len() / after;
        for_each_part(
            to,
            self.lines_per_part(lines) * after,
            scratch,
            self.part_scratch(),
            |start, to, scratch| {
                let (mut line, mut rest) = (start / after, to);
                while !rest.is_empty() {
                    let (block, sample) = (line / present.len(), line % present.len());
                    let width = TILE.min(present.len() - sample).min(rest.len() / after);
                    let (tile, others) = rest.split_at_mut(width * after);
                    let samples = present.start + sample..present.start + sample + width;
                    gather(&from[block * after * len..][..after * len], len, place, samples, tile);
                    next.inverse(tile, as_complex_mut(scratch));
                    (line, rest) = (line + width, others);
                }
                Ok(())
            },
        )
    }

    fn rows_back(
        &self,
        from: &[Spectrum<T>],
        places: &[Placement; D],
        y: &mut [T],
        scratch: &mut [T],
    ) -> Result<()> {
        let (place, inner) = (&places[D - 2], &places[D - 1]);
        let (width, len, present) = (self.rows.frequencies(), self.columns[D - 2].len(), place.present());
        let samples = inner.samples();
        let lines = y.len() / samples.max(1);
        let part = self.lines_per_part(lines) * samples.max(1);
        for_each_part(y, part, scratch, self.part_scratch(), |start, y, scratch| {
            let (line, s) = scratch.split_at_mut(self.rows.len());
            let (tile, s) = as_complex_mut(s).split_at_mut(TILE * width);
            let (mut row, mut rest) = (start / samples, y);
            while !rest.is_empty() {
                let first = row % place.samples();
                // The block of the samples before, or none if one of them is absent.
                let (mut outer, mut block, mut size, mut absent) = (row / place.samples(), 0, 1, false);
                for place in places[..D - 2].iter().rev() {
                    let present = place.present();
                    let sample = outer % place.samples();
                    absent |= !present.contains(&sample);
                    block += sample.wrapping_sub(present.start).wrapping_mul(size);
                    size *= present.len();
                    outer /= place.samples();
                }
                absent |= !present.contains(&first);
                let ahead = (place.samples() - first).min(rest.len() / samples);
                let rows = if absent { 1 } else { TILE.min(ahead).min(present.end - first) };
                let (target, others) = rest.split_at_mut(rows * samples);
                if absent {
                    target.fill(T::zero());
                } else {
                    let tile = &mut tile[..rows * width];
                    let source = &from[block * width * len..][..width * len];
                    gather(source, len, place, first..first + rows, tile);
                    for (spectrum, y) in tile.chunks_mut(width).zip(target.chunks_mut(samples)) {
                        self.rows.inverse(spectrum, line, s);
                        inner.fold(line, y);
                    }
                }
                (row, rest) = (row + rows, others);
            }
            Ok(())
        })
    }
}

/// `rows[i][c] ← Σ weight·columns[c][place]` over the places of sample `samples.start + i`.
fn gather<R: Real>(
    columns: &[Complex<R>],
    len: usize,
    place: &Placement,
    samples: Range<usize>,
    rows: &mut [Complex<R>],
) {
    let after = columns.len() / len;
    let run = samples.start.max(place.run().start)..samples.end.min(place.run().end);
    if run.len() < samples.len() {
        rows.fill(Complex::zero());
    }
    if !run.is_empty() {
        let first = place.place(run.start) as usize; // on the line, since it belongs to the run
        for (c, column) in columns.chunks(len).enumerate() {
            for q in 0..run.len() {
                rows[(run.start - samples.start + q) * after + c] = column[first + q * place.step()];
            }
        }
    }
    for &(sample, at, weight) in place.terms_of(samples.clone()) {
        let weight = R::of(weight);
        let row = &mut rows[(sample - samples.start) * after..][..after];
        for (value, column) in row.iter_mut().zip(columns.chunks(len)) {
            *value += Complex::new(column[at].re * weight, column[at].im * weight);
        }
    }
}
