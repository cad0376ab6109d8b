//! Products in blocks: bands of result rows, each from all source rows that its taps see.
//!
//! In pseudo-code, for images (other dimensions add axes before the rows, signals have one row):
//!
//! ```text
//! for every result (r, c):  for every tap (q, s):  out[r, c] += tap(q, s)·x̃[r + lead_r + q, c + lead_c + s]
//! ```
//!
//! where x̃ is the source with its boundary. Deviations: (1) a band of rows shares a table of its source rows, in which
//! the boundary repeats rows, so that only the columns near the ends need a copy with the boundary filled in, and where
//! zeros are beyond narrow ends not even these; (2) in the
//! adjoint, results beyond the ends are computed like all others and then folded back.

use super::Reading;
use crate::scalar::Scalar;
use crate::simd::{ABSENT, Row, Sheet, correlate_row, correlate_sheet, long_rows};
use std::ops::Range;

/// Result rows of a band where columns are folded back, or rows of taps are too many for a taller one.
pub(crate) const BAND: usize = 24;

/// Result rows of a band at most: they share the work of a band, and the loops of few rows of taps are faster the longer they roll.
pub(crate) const TALL: usize = 384;

/// Rows of a tile: the rows of a band are a multiple where they may be.
pub(crate) const TOGETHER: usize = 6;

/// Entries of the table of source rows, and of a short one, which is prepared sooner.
const TABLE: usize = 512;
const SHORT_TABLE: usize = 32;

/// Places of a row of the copy near an end, and elements of the copy.
const PLACES: usize = 256;
const COPY: usize = 16 * PLACES;

/// Places of a row that is copied as a whole, and those that its taps reach at most.
const SHORT: usize = 512;
const SHORT_REACH: usize = 64;

/// Columns near an end, or beyond it, that are computed at a time.
const COLUMNS: usize = 64;

/// Columns near an end that may read beyond it.
const NARROW: usize = 32;

/// Rows of a band near an end.
const EDGE_ROWS: usize = 6;

/// The length of parts of `len` rows, at least 1 and none longer than `most` ≥ [`TOGETHER`]: about equal, in multiples of [`TOGETHER`].
pub(crate) fn even(len: usize, most: usize) -> usize {
    let most = most - most % TOGETHER;
    len.div_ceil(len.div_ceil(most).max(1)).next_multiple_of(TOGETHER).max(1)
}

/// The last two axes: rows and columns.
pub(crate) struct Plane<'a, T> {
    pub rows: &'a Reading,
    pub columns: &'a Reading,
    /// All taps of a channel, and where those of this plane begin.
    pub kernel: &'a [T],
    pub tap: usize,
    /// The source plane, rows adjacent.
    pub x: &'a [T],
}

impl<T: Scalar> Plane<'_, T> {
    /// `out (+)= ` the results `columns` of the rows `rows`; `out` begins with the first of these results, and its rows are
    /// as far apart as those of the result plane. `fresh`: overwrites instead of adding.
    pub(crate) fn product(&self, rows: Range<usize>, columns: &Range<usize>, out: &mut [T], fresh: bool) {
        let width = self.columns.results;
        if width == 0 {
            return;
        }
        if self.rows.is_lone() {
            let tap = self.tap + self.rows.tap;
            return Band { plane: self, rows: 1, starts: &[0], tap, tap_rows: 1 }
                .columns(columns, out, fresh);
        }
        let mut inside = rows.start..rows.start;
        if self.columns.is_alone()
            && self.rows.slides()
            && columns.len() == width
            && let Some(some) = long_rows::<T>(width * self.rows.step)
        {
            inside = self.rows.inside(&rows);
            inside.end -= inside.len() % some;
        }
        if inside.is_empty() {
            self.bands(rows.clone(), columns, out, fresh);
        } else {
            self.bands(rows.start..inside.start, columns, out, fresh);
            self.flat(&inside, &mut out[(inside.start - rows.start) * width..], fresh);
            self.bands(inside.end..rows.end, columns, &mut out[(inside.end - rows.start) * width..], fresh);
        }
        for place in self.rows.folded().into_iter().flatten() {
            if let Some(r) = self.rows.result(place)
                && rows.contains(&r)
            {
                self.band(place..place + 1, columns, &mut out[(r - rows.start) * width..], false);
            }
        }
    }

    /// Rows that lie inside as one long row, in which neighbouring taps are whole rows apart.
    fn flat(&self, rows: &Range<usize>, out: &mut [T], fresh: bool) {
        let width = self.columns.results;
        let row = Row {
            outputs: rows.len() * width,
            shift: self.rows.step * width,
            taps: self.rows.taps,
            tap: self.tap + self.rows.tap,
            tap_step: self.rows.tap_step,
            fresh,
        };
        let first = self.rows.place(rows.start as i64) as usize; // not negative, since the rows lie inside
        correlate_row(&row, self.kernel, &self.x[first * width..], out);
    }

    fn bands(&self, rows: Range<usize>, columns: &Range<usize>, out: &mut [T], fresh: bool) {
        let width = self.columns.results;
        let most = TALL.min((TABLE + 1).saturating_sub(self.rows.taps)); // all taps in one table
        let band = match self.rows.shares() {
            true if most <= BAND || self.columns.folds() => BAND,
            true => even(rows.len(), most),
            false => 1,
        };
        for start in rows.clone().step_by(band) {
            let end = rows.end.min(start + band);
            let out = &mut out[(start - rows.start) * width..];
            self.band(start as i64..end as i64, columns, out, fresh);
        }
    }

    /// A band of rows that share their source rows, or a single row; it may lie beyond the results.
    fn band(&self, rows: Range<i64>, columns: &Range<usize>, out: &mut [T], fresh: bool) {
        let count = (rows.end - rows.start) as usize; // at most TALL
        let taps = self.rows.taps_for(rows.clone());
        let most = TABLE + 1 - count;
        let mut fresh = fresh;
        if taps.is_empty() && fresh {
            out.chunks_mut(self.columns.results)
                .take(count)
                .for_each(|row| row[..columns.len()].fill(T::zero()));
        }
        for first in taps.clone().step_by(most) {
            let tap_rows = most.min(taps.end - first);
            let place = self.rows.place(rows.start) + (first * self.rows.step) as i64;
            let tap = (self.tap + self.rows.tap).wrapping_add_signed(first as isize * self.rows.tap_step);
            with_table(count + tap_rows - 1, &mut |starts| {
                self.find(place, starts);
                Band { plane: self, rows: count, starts, tap, tap_rows }.columns(columns, out, fresh);
            });
            fresh = false;
        }
    }

    /// Where the source rows begin that are as far apart as taps, the first at `place`.
    fn find(&self, place: i64, starts: &mut [usize]) {
        let plain = self.rows.plain(place, starts.len());
        let place = |m: usize| place + (m * self.rows.step) as i64;
        for m in (0..plain.start).chain(plain.end..starts.len()) {
            let source = self.rows.source(place(m));
            starts[m] = source.map_or(ABSENT, |r| r * self.columns.sources);
        }
        if !plain.is_empty() {
            // Most of the table: without a question for each of its rows.
            let (first, step) = (place(plain.start) as usize, self.rows.step * self.columns.sources);
            let first = first * self.columns.sources;
            starts[plain].iter_mut().enumerate().for_each(|(m, start)| *start = first + m * step);
        }
    }
}

/// Calls `f` with `len` ≤ [`SHORT`] zeros: few where few are needed, since preparing them takes as long as many a product.
fn with_room<T: Scalar>(len: usize, f: &mut dyn FnMut(&mut [T])) {
    match len {
        0..=32 => f(&mut [T::zero(); 32][..len]),
        33..=128 => f(&mut [T::zero(); 128][..len]),
        _ => f(&mut [T::zero(); SHORT][..len]),
    }
}

/// Calls `f` with a table of `len` ≤ [`TABLE`] absent rows.
fn with_table(len: usize, f: &mut dyn FnMut(&mut [usize])) {
    if len <= SHORT_TABLE { f(&mut [ABSENT; SHORT_TABLE][..len]) } else { f(&mut [ABSENT; TABLE][..len]) }
}

/// A band of rows and the source rows of some of its taps.
struct Band<'a, T> {
    plane: &'a Plane<'a, T>,
    rows: usize,
    starts: &'a [usize],
    /// The tap of the first source row for the first result row.
    tap: usize,
    tap_rows: usize,
}

/// Taps s of a row of taps, the first of them under `tap`.
struct Taps {
    tap: usize,
    count: usize,
    shift: usize,
}

impl<T: Scalar> Band<'_, T> {
    fn columns(&self, columns: &Range<usize>, out: &mut [T], fresh: bool) {
        let axis = self.plane.columns;
        let inside = axis.inside(columns);
        // Narrow ends come with the rest where zeros are beyond them and the loop reads these itself.
        let narrow = |end: usize| end <= NARROW;
        let together = narrow(inside.start - columns.start) && narrow(columns.end - inside.end);
        // Taps that reach further than the sources would meet little but zeros.
        let zeros = axis.zeros_beyond() && (axis.taps - 1).saturating_mul(axis.step) < axis.sources;
        let inside = if together && zeros && self.sheets() { columns.clone() } else { inside };
        if self.short(columns) && inside.len() < columns.len() {
            with_room(columns.len() + (axis.taps - 1) * axis.step, &mut |copy: &mut [T]| {
                self.with_ends(copy, columns, out, fresh);
            });
            return self.beyond(columns, out);
        }
        if !inside.is_empty() {
            let taps = Taps { tap: self.tap + axis.tap, count: axis.taps, shift: axis.step };
            let lead = axis.place(inside.start as i64) as isize; // less than what memory holds
            self.correlate(
                self.starts,
                self.rows,
                &taps,
                self.tap_rows,
                (self.plane.x, lead, axis.sources),
                (&mut out[inside.start - columns.start..], axis.results),
                inside.len(),
                fresh,
            );
        }
        for end in [columns.start..inside.start, inside.end..columns.end] {
            for start in end.clone().step_by(COLUMNS) {
                let some = start..end.end.min(start + COLUMNS);
                let out = &mut out[start - columns.start..];
                if fresh {
                    out.chunks_mut(axis.results)
                        .take(self.rows)
                        .for_each(|row| row[..some.len()].fill(T::zero()));
                }
                self.end(some.start as i64..some.end as i64, (out, axis.results));
            }
        }
        self.beyond(columns, out);
    }

    /// Whether rows are computed one by one, and so short that it costs less to copy one with what stands beyond its ends than to
    /// treat the ends apart.
    fn short(&self, columns: &Range<usize>) -> bool {
        let axis = self.plane.columns;
        let reach = (axis.taps - 1).saturating_mul(axis.step);
        !self.sheets() && reach <= SHORT_REACH && columns.len() + reach <= SHORT
    }

    /// Results of short rows, from copies of them with their ends.
    fn with_ends(&self, copy: &mut [T], columns: &Range<usize>, out: &mut [T], fresh: bool) {
        let axis = self.plane.columns;
        let taps = Taps { tap: self.tap + axis.tap, count: axis.taps, shift: axis.step };
        for (&source, out) in self.starts.iter().zip(out.chunks_mut(axis.results)) {
            if source != ABSENT {
                let x = &self.plane.x[source..][..axis.sources];
                axis.fill(x, axis.place(columns.start as i64), copy);
            }
            let start = if source == ABSENT { ABSENT } else { 0 };
            self.correlate(
                &[start],
                1,
                &taps,
                1,
                (copy, 0, copy.len()),
                (out, axis.results),
                columns.len(),
                fresh,
            );
        }
    }

    /// Adds what is computed beyond the ends and then folded back.
    fn beyond(&self, columns: &Range<usize>, out: &mut [T]) {
        for beyond in self.plane.columns.folded() {
            for start in beyond.clone().step_by(COLUMNS) {
                self.folded(start..beyond.end.min(start + COLUMNS as i64), columns, out);
            }
        }
    }

    /// Adds results near or beyond an end, from a copy of the sources with the boundary filled in.
    fn end(&self, columns: Range<i64>, out: (&mut [T], usize)) {
        if self.starts.len() > 1 && self.sheets() {
            return self.end_with(&mut [T::zero(); COPY], columns, out);
        }
        let axis = self.plane.columns;
        let reach = (axis.taps - 1).saturating_mul(axis.step);
        let places = reach.saturating_add((columns.end - columns.start) as usize); // at most COLUMNS
        with_room(places.min(PLACES), &mut |copy: &mut [T]| {
            self.end_with(copy, columns.clone(), (out.0, out.1))
        });
    }

    fn end_with(&self, copy: &mut [T], columns: Range<i64>, (out, out_step): (&mut [T], usize)) {
        let axis = self.plane.columns;
        let width = (columns.end - columns.start) as usize; // at most COLUMNS
        let edge_rows = if self.sheets() { EDGE_ROWS.min(self.rows) } else { 1 };
        let taps = axis.taps_for(columns.clone());
        let some_taps = ((PLACES - width) / axis.step + 1).min(taps.len().max(1));
        for first in taps.clone().step_by(some_taps) {
            let count = some_taps.min(taps.end - first);
            let row = width + (count - 1) * axis.step;
            let place = axis.place(columns.start) + (first * axis.step) as i64;
            let tap = (self.tap + axis.tap).wrapping_add_signed(first as isize * axis.tap_step);
            let taps = Taps { tap, count, shift: axis.step };
            let some_rows = copy.len() / row + 1 - edge_rows;
            for r in (0..self.rows).step_by(edge_rows) {
                let rows = edge_rows.min(self.rows - r);
                for q in (0..self.tap_rows).step_by(some_rows) {
                    let tap_rows = some_rows.min(self.tap_rows - q);
                    let sources = &self.starts[r + q..][..rows + tap_rows - 1];
                    let step = self.plane.rows.tap_step;
                    let taps = Taps { tap: taps.tap.wrapping_add_signed(q as isize * step), ..taps };
                    with_table(sources.len(), &mut |starts| {
                        for ((m, &source), start) in sources.iter().enumerate().zip(&mut *starts) {
                            if source == ABSENT {
                                continue;
                            }
                            *start = m * row;
                            let x = &self.plane.x[source..][..axis.sources];
                            axis.fill(x, place, &mut copy[m * row..][..row]);
                        }
                        let out = (&mut out[r * out_step..], out_step);
                        self.correlate(starts, rows, &taps, tap_rows, (copy, 0, row), out, width, false);
                    });
                }
            }
        }
    }

    /// Computes results beyond an end and adds them to those that they belong to, as far as these are in `columns`.
    fn folded(&self, places: Range<i64>, columns: &Range<usize>, out: &mut [T]) {
        let axis = self.plane.columns;
        let results = || places.clone().map(|place| axis.result(place).filter(|r| columns.contains(r)));
        if !results().any(|r| r.is_some()) {
            return;
        }
        let mut values = [T::zero(); BAND * COLUMNS];
        self.end(places.clone(), (&mut values, COLUMNS));
        for (r, values) in values.chunks(COLUMNS).take(self.rows).enumerate() {
            for (result, &value) in results().zip(values) {
                if let Some(c) = result {
                    out[r * axis.results + c - columns.start] += value;
                }
            }
        }
    }

    /// Whether rows are computed together, because they share rows of taps.
    fn sheets(&self) -> bool {
        self.tap_rows > 1 || self.plane.columns.taps == 1
    }

    /// Hands rows to the inner loops, together or one by one. The first tap of the first result is over place `lead` of rows
    /// of `length` sources.
    #[allow(clippy::too_many_arguments)] // two callers, each with these numbers at hand
    fn correlate(
        &self,
        starts: &[usize],
        rows: usize,
        taps: &Taps,
        tap_rows: usize,
        (x, lead, length): (&[T], isize, usize),
        (out, out_step): (&mut [T], usize),
        width: usize,
        fresh: bool,
    ) {
        let plane = self.plane;
        if self.sheets() {
            let sheet = Sheet {
                rows,
                width,
                out_step,
                starts,
                columns: length,
                lead,
                shift: taps.shift,
                tap_rows,
                taps_per_row: taps.count,
                tap: taps.tap,
                tap_row_step: plane.rows.tap_step,
                tap_step: plane.columns.tap_step,
                channels: 1,
                x_channel: 0,
                tap_channel: 0,
                by_rows: false,
                fresh,
            };
            return correlate_sheet(&sheet, plane.kernel, x, out);
        }
        for (&start, out) in starts.iter().zip(out.chunks_mut(out_step)) {
            if start == ABSENT {
                if fresh {
                    out[..width].fill(T::zero());
                }
                continue;
            }
            let row = Row {
                outputs: width,
                shift: taps.shift,
                taps: taps.count,
                tap: taps.tap,
                tap_step: plane.columns.tap_step,
                fresh,
            };
            correlate_row(&row, plane.kernel, &x[start + lead as usize..], out); // never before its row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_even_and_not_longer_than_asked() {
        for (len, most) in (0..800).flat_map(|len| [BAND, 100, TALL].map(|most| (len, most))) {
            let part = even(len, most);
            assert!((1..=most).contains(&part), "{part} of {len}, at most {most}");
            assert!(part * len.div_ceil(most - most % TOGETHER) < len + TOGETHER * len.div_ceil(part).max(1));
        }
    }
}
