//! The fast product: results cut into pieces of planes, each computed in blocks.

use crate::band::Band;
use crate::blocks::{BAND, Plane, Reading, TALL, TOGETHER, even};
use crate::boundary::Extension;
use crate::conv::{Bank, Channels};
use crate::parallel;
use crate::scalar::Scalar;
use crate::stencil::{Axis, Side};
use std::ops::Range;

/// Axes of a product: up to three, and the signals of a batch.
pub(super) const AXES: usize = 4;

/// The last two axes are rows and columns, the others come before.
const OUTER: usize = AXES - 2;

/// Parts that images of usual sizes are cut into, for any number of threads: rows near the cuts take their sums in another order.
const SHARES: usize = 16;

/// How one side of a bank is read.
#[derive(Debug, Clone)]
pub(super) struct Readings {
    pub axes: [Reading; AXES],
    pub channels: Channels,
    pub side: Side,
    /// Taps of one kernel.
    pub taps: usize,
    pub roles: Roles,
}

/// Who slides along whom: convolution is commutative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roles {
    Given,
    /// The input is the kernel, and kernels are channels of the input.
    Exchanged,
}

impl Readings {
    /// `None` for what only the line-by-line product does: steps along lines, weights at the boundary, taps that are not
    /// finite (they must not meet the zeros that fill the ends), more than three axes.
    pub(super) fn new<T: Scalar, const D: usize>(bank: &Bank<T, D>, side: Side) -> Option<Self> {
        if D >= AXES || !bank.kernels().iter().all(|k| k.finite()) {
            return None;
        }
        let mut axes = [Reading::alone(1); AXES];
        let mut step = 1;
        for (to, axis) in axes.iter_mut().rev().zip(bank.axes().iter().rev()) {
            *to = Reading::new(axis, side, step);
            step *= axis.band().taps();
        }
        let fits = axes.iter().all(Reading::fits) && axes[AXES - 1].slides();
        fits.then_some(Readings { axes, channels: *bank.channels(), side, taps: step, roles: Roles::Given })
    }

    /// The forward product of a bank with kernels longer than its input, with the roles exchanged: to be used with inputs
    /// that are finite. `None` where kernels are not longer, too.
    pub(super) fn exchanged<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> Option<Self> {
        let bands = || bank.axes().iter().map(Axis::band);
        let longer = bands().map(Band::taps).product::<usize>() > bands().map(Band::input).product();
        let zeros = bank.axes().iter().all(|a| a.extension() == Extension::Zero);
        if !longer || !zeros || bands().any(|b| b.input() == 0) {
            return None;
        }
        let given = Self::new(bank, Side::Forward)?;
        let mut axes = [Reading::alone(1); AXES];
        let mut step = 1;
        for (to, axis) in axes.iter_mut().rev().zip(bank.axes().iter().rev()) {
            let axis = Axis::new(axis.band().swap_roles(), Extension::Zero);
            *to = Reading::new(&axis, Side::Forward, step);
            step *= axis.band().taps();
        }
        axes[AXES - 1].slides().then_some(Readings { axes, taps: step, roles: Roles::Exchanged, ..given })
    }

    /// Multiply-adds that a result costs.
    pub(super) fn work(&self) -> usize {
        self.taps * self.channels.inputs
    }

    /// The same for `cols` signals side by side: neighbouring places of a signal are `cols` elements apart.
    pub(super) fn across(&self, cols: usize) -> Self {
        let mut axes = self.axes;
        axes.rotate_left(1); // the first of at most three axes is a lone one
        axes[AXES - 1] = Reading::alone(cols);
        Readings { axes, ..self.clone() }
    }

    /// Length of the parts of `len` results that cost `work` multiply-adds each: whole bands of rows where rows are short.
    pub(super) fn band_part(&self, work: usize, len: usize) -> usize {
        let (part, width) = (parallel::part_len(len, work), self.axes[AXES - 1].results.max(1));
        if part < width { part } else { part.div_ceil(width).next_multiple_of(BAND) * width }
    }

    /// The same where rows that share sources are computed faster the more of them there are: equal parts of planes.
    pub(super) fn part(&self, work: usize, len: usize) -> usize {
        let ([.., rows, columns], least) = (&self.axes, self.band_part(work, len));
        let width = columns.results.max(1);
        // A piece of a row shares nothing with its neighbours: better some rows, even if that is more work than a part should be,
        // as long as there are some parts.
        let pieces = least < width;
        if !rows.shares() || columns.taps == 1 || pieces && len / width < 4 * TOGETHER {
            return least;
        }
        let few = if pieces { TOGETHER } else { BAND };
        let share = (len / width / SHARES).clamp(few, TALL).next_multiple_of(TOGETHER);
        least.max(rows.results.min(even(rows.results, share)) * width)
    }

    /// The results from `start` on, as many as `out` has.
    pub(super) fn product<T: Scalar>(&self, kernels: &[T], x: &[T], start: usize, out: &mut [T]) {
        let [.., rows, columns] = &self.axes;
        let (width, plane) = (columns.results, rows.results * columns.results);
        let mut done = 0;
        while done < out.len() {
            let (index, at) = ((start + done) / plane, (start + done) % plane);
            let left = (plane - at).min(out.len() - done);
            let (r, c) = (at / width, at % width);
            // A piece of one row, or whole rows.
            let (rows, columns) = if c > 0 || left < width {
                (r..r + 1, c..width.min(c + left))
            } else {
                (r..r + left / width, 0..width)
            };
            let len = rows.len() * columns.len();
            self.piece(kernels, x, index, rows, columns, &mut out[done..done + len]);
            done += len;
        }
    }

    /// A piece of result plane `index`, from all source channels and planes.
    fn piece<T: Scalar>(
        &self,
        kernels: &[T],
        x: &[T],
        index: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        out: &mut [T],
    ) {
        let planes: usize = self.axes[..OUTER].iter().map(|a| a.results).product();
        let (channel, mut rest) = (index / planes, index % planes);
        let mut outer = [0; OUTER];
        for (at, axis) in outer.iter_mut().zip(&self.axes[..OUTER]).rev() {
            *at = rest % axis.results;
            rest /= axis.results;
        }
        let sources: usize = self.axes.iter().map(|a| a.sources).product();
        let mut fresh = true;
        self.channels.for_each_source(self.side, channel, |source, kernel| {
            let (source, kernel) = match self.roles {
                Roles::Given => (source, kernel),
                Roles::Exchanged => (kernel, source),
            };
            let kernel = &kernels[kernel * self.taps..][..self.taps];
            let x = &x[source * sources..][..sources];
            let mut add = |x: &[T], tap: usize| {
                let [.., row_axis, column_axis] = &self.axes;
                Plane { rows: row_axis, columns: column_axis, kernel, tap, x }.product(
                    rows.clone(),
                    &columns,
                    out,
                    fresh,
                );
                fresh = false;
            };
            self.planes(0, &outer, x, 0, &mut add);
        });
        if fresh {
            out.fill(T::zero());
        }
    }

    /// Calls `f(plane, tap)` for every source plane that the results at `outer` see, axis by axis from `axis` on.
    fn planes<T>(
        &self,
        axis: usize,
        outer: &[usize; OUTER],
        x: &[T],
        tap: usize,
        f: &mut dyn FnMut(&[T], usize),
    ) {
        if axis == OUTER {
            return f(x, tap);
        }
        let reading = &self.axes[axis];
        if reading.is_lone() {
            return self.planes(axis + 1, outer, x, tap, f);
        }
        let size = x.len() / reading.sources.max(1);
        let mut at = |result: i64| {
            for q in reading.taps_for(result..result + 1) {
                let tap = tap + reading.tap.wrapping_add_signed(q as isize * reading.tap_step);
                if let Some(s) = reading.source(reading.place(result) + (q * reading.step) as i64) {
                    self.planes(axis + 1, outer, &x[s * size..][..size], tap, f);
                }
            }
        };
        at(outer[axis] as i64);
        for place in reading.folded().into_iter().flatten() {
            if reading.result(place) == Some(outer[axis]) {
                at(place);
            }
        }
    }
}
