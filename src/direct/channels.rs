//! Products with several channels: planes of results from copied bands of all their sources.
//!
//! In pseudo-code, for the result channels f of a group and their source channels s:
//!
//! ```text
//! for every result (f, r, c):  for every s and tap (q, t):  out[f, r, c] += tap(f, s, q, t)·x̃[s, r + lead_r + step·q, c + …]
//! ```
//!
//! where x̃ is the source with its boundary. Deviations: (1) some result channels are computed together from each register
//! of the source (`simd::filters`), or, where there is one only, some rows (`simd::sheet`); (2) a band of source rows is copied
//! once, boundary filled in, for all result channels, so that there are no ends to treat apart; where zeros lie beyond the ends
//! and a part has one result channel, whose rows share sources, nothing is copied.

use super::product::{AXES, Readings, Roles};
use crate::blocks::{BAND, Reading};
use crate::scalar::Scalar;
use crate::simd::{ABSENT, Filters, Sheet, correlate_filters, correlate_sheet};
use crate::stencil::Side;
use std::ops::Range;

/// Elements of the copy: it stays in the first or second cache.
const COPY: usize = 8192;

/// Columns that are computed at a time, and of a single row.
const COLUMNS: usize = 256;
const LONG: usize = 1024;

/// Rows of a band with their neighbours.
const ROWS: usize = 256;

/// Result channels that a part computes.
const CHANNELS: usize = 4;

/// Planes that are enough for all threads.
const PLANES: usize = 64;

impl Readings {
    /// Whether the product may go this way; `kernels` are those that it is called with.
    pub(super) fn layered<T: Scalar>(&self, kernels: &[T]) -> bool {
        let [outer @ .., rows, columns] = &self.axes;
        let alone = |a: &Reading| a.results == 1 && a.sources == 1 && a.taps == 1;
        let (results, sources) = self.flow();
        let copied = self.copied_row().checked_mul((rows.taps - 1).saturating_mul(rows.step) + 1);
        results * sources > 1
            && (results > 1 || rows.shares() && rows.taps > 1)
            && self.roles == Roles::Given
            && self.channels.div == 1
            && outer.iter().all(alone)
            && rows.slides()
            && !rows.folds()
            && !columns.folds()
            && rows.taps.saturating_mul(rows.step) + BAND <= ROWS
            && copied.is_some_and(|copied| copied <= COPY)
            && !kernels.iter().any(|k| k.is_zero()) // zero taps must be skipped
    }

    /// Result and source channels of a group.
    fn flow(&self) -> (usize, usize) {
        match self.side {
            Side::Forward => (self.channels.outputs, self.channels.inputs),
            Side::Adjoint => (self.channels.inputs, self.channels.outputs),
        }
    }

    fn segment(&self) -> usize {
        let [.., rows, columns] = &self.axes;
        columns.results.min(if rows.results == 1 { LONG } else { COLUMNS })
    }

    /// Elements of a row of the copy.
    fn copied_row(&self) -> usize {
        let columns = &self.axes[AXES - 1];
        self.segment().saturating_add((columns.taps - 1).saturating_mul(columns.step))
    }

    /// Length of the parts of results: some planes, or whole rows of one.
    pub(super) fn layered_part(&self, len: usize) -> usize {
        let [.., rows, columns] = &self.axes;
        let part = self.band_part(self.taps * self.flow().1, len);
        let planes = CHANNELS * rows.results * columns.results;
        if self.flow().0 == 1 {
            // Whole planes if there are many, whose first rows are not read again.
            let plane = rows.results * columns.results;
            let part = if part < plane && len / plane >= PLANES { plane } else { part };
            part.next_multiple_of(columns.results.max(1))
        } else {
            part.next_multiple_of(planes.max(1))
        }
    }

    /// The results from `start` on, as many as `out` has, of any number of signals one after the other. Parts begin with a row.
    pub(super) fn layers<T: Scalar>(&self, kernels: &[T], x: &[T], start: usize, out: &mut [T]) {
        if self.flow().0 == 1 && self.uncopied() {
            self.layers_by(kernels, x, start, out, &mut []);
        } else {
            self.layers_by(kernels, x, start, out, &mut [T::zero(); COPY]);
        }
    }

    /// Whether nothing is copied for a part with one result channel.
    fn uncopied(&self) -> bool {
        let [.., rows, columns] = &self.axes;
        let inside = columns.inside(&(0..columns.results)) == (0..columns.results);
        rows.shares() && (inside || columns.zeros_beyond())
    }

    /// As above, with room for copies.
    fn layers_by<T: Scalar>(&self, kernels: &[T], x: &[T], start: usize, out: &mut [T], copy: &mut [T]) {
        let [.., rows, columns] = &self.axes;
        let (width, plane) = (columns.results, rows.results * columns.results);
        let (results, sources) = self.flow();
        let signal = self.channels.groups * sources * rows.sources * columns.sources;
        let mut done = 0;
        while done < out.len() {
            let (index, at) = ((start + done) / plane, (start + done) % plane);
            let (member, channel) =
                (index / (self.channels.groups * results), index % (self.channels.groups * results));
            let left = (out.len() - done) / width;
            let (channels, rows) = if at == 0 && left >= rows.results {
                (channel..channel + (left / rows.results).min(results - channel % results), 0..rows.results)
            } else {
                let first = at / width;
                (channel..channel + 1, first..rows.results.min(first + left))
            };
            let len = channels.len() * rows.len() * width;
            let x = &x[member * signal..][..signal];
            Layer { readings: self, kernels, x, channels }.rows(rows, &mut out[done..done + len], copy);
            done += len;
        }
    }
}

/// Some result channels of a group.
struct Layer<'a, T> {
    readings: &'a Readings,
    kernels: &'a [T],
    x: &'a [T],
    /// Among those of all groups.
    channels: Range<usize>,
}

impl<T: Scalar> Layer<'_, T> {
    /// Rows of all these channels; `out` begins with the first row of the first channel.
    fn rows(&self, results: Range<usize>, out: &mut [T], copy: &mut [T]) {
        let [.., rows, columns] = &self.readings.axes;
        let reach = (rows.taps - 1) * rows.step;
        let segment = self.readings.segment();
        let row = self.readings.copied_row();
        let (_, sources) = self.readings.flow();
        let group = self.channels.start / self.readings.flow().0;
        let (all_rows, of_plane) = (results.len(), rows.sources * columns.sources);
        let inside = columns.inside(&(0..columns.results)) == (0..columns.results);
        let uncopied = self.alone() && self.readings.uncopied();
        let whole = if uncopied { ROWS - reach } else { BAND.min(COPY / row - reach) }; // at least 1, see `layered`
        for first in results.clone().step_by(whole) {
            let band = first..results.end.min(first + whole);
            let out = &mut out[(first - results.start) * columns.results..];
            let place = rows.place(first as i64);
            if uncopied {
                let mut starts = [ABSENT; ROWS];
                let starts = &mut starts[..band.len() + reach];
                for (start, place) in starts.iter_mut().zip(place..) {
                    *start = rows.source(place).map_or(ABSENT, |r| r * columns.sources);
                }
                let x = &self.x[group * sources * of_plane..];
                let (lead, size) = (columns.place(0), (band.len(), columns.results));
                self.sheet(0..sources, (x, of_plane), starts, (lead, columns.sources), size, out);
                continue;
            }
            if rows.inside(&band) == band && inside {
                // Every place is a source: nothing to fill in.
                let from = place as usize * columns.sources + columns.place(0) as usize;
                let x = &self.x[group * sources * of_plane + from..];
                let step = (of_plane, columns.sources);
                self.correlate(0..sources, x, step, (band.len(), columns.results), out, all_rows);
                continue;
            }
            let copied = band.len() + reach;
            let together = (COPY / (row * (whole + reach))).clamp(1, sources); // the same for all bands
            for left in (0..columns.results).step_by(segment) {
                let width = segment.min(columns.results - left);
                for s in (0..sources).step_by(together) {
                    let some = s..sources.min(s + together);
                    for (index, s) in some.clone().enumerate() {
                        let plane = &self.x[(group * sources + s) * of_plane..][..of_plane];
                        let copy = &mut copy[index * copied * row..][..copied * row];
                        for (copy, place) in copy.chunks_mut(row).zip(place..) {
                            match rows.source(place) {
                                Some(r) => columns.fill(
                                    &plane[r * columns.sources..][..columns.sources],
                                    columns.place(left as i64),
                                    copy,
                                ),
                                None => copy.fill(T::zero()),
                            }
                        }
                    }
                    let (size, out) = ((band.len(), width), &mut out[left..]);
                    if self.alone() {
                        let mut starts = [0; ROWS];
                        starts.iter_mut().enumerate().for_each(|(m, start)| *start = m * row);
                        let length = width + (columns.taps - 1) * columns.step;
                        self.sheet(some, (copy, copied * row), &starts[..copied], (0, length), size, out);
                    } else {
                        self.correlate(some, copy, (copied * row, row), size, out, all_rows);
                    }
                }
            }
        }
    }

    /// Whether rows of the one channel are computed together.
    fn alone(&self) -> bool {
        self.channels.len() == 1 && self.readings.axes[AXES - 2].shares()
    }

    /// The first tap from source channel `s` of the group to the first of the channels, and the distances from there to the
    /// taps to the next of them and from the next source.
    fn taps(&self, s: usize) -> (usize, usize, usize) {
        let Readings { axes: [.., rows, columns], channels: c, side, taps, .. } = self.readings;
        let (results, sources) = self.readings.flow();
        let (first, group) = (self.channels.start, self.channels.start / results);
        let (kernel, filter_step, channel_step) = match side {
            Side::Forward => (c.kernel(first, s), c.per_output, c.per_input),
            Side::Adjoint => (c.kernel(group * sources + s, first % results), c.per_input, c.per_output),
        };
        (kernel * taps + rows.tap + columns.tap, filter_step * taps, channel_step * taps)
    }

    /// Adds what the sources `some` of the group contribute to rows of one channel; the first of them begin the sums.
    fn sheet(
        &self,
        some: Range<usize>,
        (x, x_channel): (&[T], usize),
        starts: &[usize],
        (lead, length): (i64, usize),
        (count, width): (usize, usize),
        out: &mut [T],
    ) {
        let [.., rows, columns] = &self.readings.axes;
        let (tap, _, tap_channel) = self.taps(some.start);
        let sheet = Sheet {
            rows: count,
            width,
            out_step: columns.results,
            starts,
            columns: length,
            lead: lead as isize, // less than what memory holds
            shift: columns.step,
            tap_rows: rows.taps,
            taps_per_row: columns.taps,
            tap,
            tap_row_step: rows.tap_step,
            tap_step: columns.tap_step,
            channels: some.len(),
            x_channel,
            tap_channel,
            // Not where a channel is computed alone in one part and with others in the next: its sums keep their order.
            by_rows: self.readings.flow().0 == 1 && rows.results >= 2 * rows.taps,
            fresh: some.start == 0,
        };
        correlate_sheet(&sheet, self.kernels, x, out);
    }

    /// Adds what the sources `some` of the group contribute; the first of them begin the sums.
    fn correlate(
        &self,
        some: Range<usize>,
        x: &[T],
        (x_channel, x_row): (usize, usize),
        (count, width): (usize, usize),
        out: &mut [T],
        all_rows: usize,
    ) {
        let [.., rows, columns] = &self.readings.axes;
        let (tap, filter_step, channel_step) = self.taps(some.start);
        let filters = Filters {
            filters: self.channels.len(),
            rows: count,
            width,
            out_filter: all_rows * columns.results,
            out_row: columns.results,
            channels: some.len(),
            x_channel,
            x_row,
            tap_rows: rows.taps,
            taps_per_row: columns.taps,
            tap_row_shift: rows.step * x_row,
            shift: columns.step,
            tap,
            filter_step,
            channel_step,
            tap_row_step: rows.tap_step,
            tap_step: columns.tap_step,
            fresh: some.start == 0,
        };
        correlate_filters(&filters, self.kernels, x, out);
    }
}
