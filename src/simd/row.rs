//! Correlation of one row with many taps: the interior of signals, and of batches.
//!
//! In pseudo-code: `for o in 0..outputs: for t in 0..taps: out[o] += tap(t) · x[o + t·shift]`.
//!
//! Read like this, every multiply-add needs a register of `x` of its own, and nearly all of these cross a cache line:
//! loads, not arithmetic, would be the limit. Deviation: with registers of `x` at distance D = j·shift (D ≤ lanes), tap
//! t = s + j·q of result register r needs the register at s·shift + (r + q)·D. For a fixed s some results and some taps
//! stay in registers, and each load serves all pairs with the same r + q. Where multiples of the shift leave much of a register
//! unused, as in batches of many signals, whose number is the shift, D is longer than a register, and registers side by side
//! fill the gaps ([`far`](super::far)). Few taps stay in registers for the whole row, which then is read in the order of memory.

use super::far::{Far, Spread};
use super::lanes::Lanes;
use super::loops::loops;
use super::shells::{Body, run_fastest};
use super::{Correlate, Summation, correlate, lanes};
use crate::scalar::Scalar;

/// Where the operands of [`correlate_row`] lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Number of results.
    pub outputs: usize,
    /// Distance between the sources of neighbouring taps.
    pub shift: usize,
    /// Number of taps, the first of them in the kernel, and the distance to the next.
    pub taps: usize,
    pub tap: usize,
    pub tap_step: isize,
    /// Whether results begin at zero instead of what is there.
    pub fresh: bool,
}

/// See the module; sums in an order of its own. `x` begins with the source of the first tap for the first result.
pub(crate) fn correlate_row<T: Scalar>(row: &Row, kernel: &[T], x: &[T], out: &mut [T]) {
    (loops::<T>().row)(row, kernel, x, out);
}

pub(super) fn dispatch<T: Scalar>(row: &Row, kernel: &[T], x: &[T], out: &mut [T]) {
    if row.outputs == 0 || row.taps == 0 {
        return;
    }
    let last = row.tap.wrapping_add_signed((row.taps - 1) as isize * row.tap_step);
    assert!(row.tap < kernel.len() && last < kernel.len(), "{row:?} beyond {} taps", kernel.len());
    let holes =
        || (0..row.taps).any(|t| kernel[row.tap.wrapping_add_signed(t as isize * row.tap_step)].is_zero());
    if holes() {
        // The plain loop skips taps that are zero.
        let plain = Correlate {
            kernel,
            tap: (row.tap, row.tap_step),
            taps: row.taps,
            input: (0, row.shift),
            input_shift: 1,
            output_step: 1,
            outputs: row.outputs,
        };
        if row.fresh {
            out[..row.outputs].fill(T::zero());
        }
        return correlate(&plain, x, out, Summation::Fastest);
    }
    assert!(row.outputs <= out.len() && row.outputs + (row.taps - 1) * row.shift <= x.len(), "{row:?}");
    let (width, far) = (lanes::<T>(), Spread::new(row.shift, row.taps, lanes::<T>()));
    let (mut all, mut done) = (Blocks { row: *row, kernel, x, out }, 0);
    if row.shift.is_multiple_of(width) && row.outputs >= LONG * far.distance.max(width) {
        // The results before the first one whose sources begin where a register in memory does.
        let before = x.as_ptr().align_offset(width * size_of::<T>());
        if (1..width).contains(&before) {
            run_fastest(all.part(0, before));
            done = before;
        }
    }
    if row.taps > FEW && far.distance > width {
        done += run_fastest(Far(all.part(done, row.outputs - done), far));
    }
    if done < row.outputs {
        run_fastest(all.part(done, row.outputs - done));
    }
}

/// How many rows, whose taps are `shift` elements apart, are worth computing as one long row at a time; `None` if rows are long
/// enough by themselves.
pub(crate) fn long_rows<T>(shift: usize) -> Option<usize> {
    match shift {
        shift if shift <= lanes::<T>() => Some(1),
        shift if shift * size_of::<T>() < PAGE => Some(8), // registers of a block, or two of them: the rest is slower
        _ => None,
    }
}

/// Repeats the code with a constant instead of a variable: left to loops, results do not always stay in registers.
macro_rules! for_each_below {
    ($m:ident < $end:expr, $code:block) => {
        for_each_below!(@ $m, $end, $code, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $m:ident, $end:expr, $code:block, $($value:literal)*) => {
        debug_assert!($end <= 15);
        $(if $value < $end {
            const $m: usize = $value;
            $code
        })*
    };
}

/// What the loops read and write.
pub(super) struct Blocks<'a, T> {
    pub row: Row,
    pub kernel: &'a [T],
    pub x: &'a [T],
    pub out: &'a mut [T],
}

impl<T: Scalar> Body<T> for Blocks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        let (taps, shift) = (self.row.taps, self.row.shift);
        if taps + 1 < 2 * L::COUNT / shift.max(1) || taps <= FEW && shift > L::COUNT {
            return self.groups::<L>(); // blocks would share few registers of x, or none
        }
        match (L::REGISTERS == 32, T::IS_COMPLEX) {
            (true, false) => self.all::<L, 8, 8>(),
            (true, true) | (false, false) => self.all::<L, 8, 4>(),
            (false, true) => self.all::<L, 4, 2>(),
        }
    }
}

/// Registers of results, of the length of the distance between them if that is longer, from which it is worth doing a few apart so
/// that all others are loaded from whole lines of memory.
const LONG: usize = 128;

/// Taps that stay in registers where nothing else is shared.
pub(super) const FEW: usize = 8;

/// Bytes of a page.
pub(super) const PAGE: usize = 4 << 10;

impl<T: Scalar> Blocks<'_, T> {
    /// The same for `outputs` results from `first` on.
    fn part(&mut self, first: usize, outputs: usize) -> Blocks<'_, T> {
        let row = Row { outputs, ..self.row };
        Blocks { row, kernel: self.kernel, x: &self.x[first..], out: &mut self.out[first..] }
    }

    /// Some taps at a time for the whole row.
    #[inline(always)]
    fn groups<L: Lanes<T>>(mut self) {
        for first in (0..self.row.taps).step_by(FEW) {
            match self.row.taps - first {
                1 => self.group::<L, 1>(first),
                2 => self.group::<L, 2>(first),
                3 => self.group::<L, 3>(first),
                4 => self.group::<L, 4>(first),
                5 => self.group::<L, 5>(first),
                6 => self.group::<L, 6>(first),
                7 => self.group::<L, 7>(first),
                _ => self.group::<L, FEW>(first),
            }
        }
    }

    /// `K` taps from `first` on.
    #[inline(always)]
    fn group<L: Lanes<T>, const K: usize>(&mut self, first: usize) {
        let row = self.row;
        let fresh = row.fresh && first == 0;
        let tap = |t: usize| self.kernel[row.tap.wrapping_add_signed((first + t) as isize * row.tap_step)];
        let taps: [L::Factor; K] = std::array::from_fn(|t| L::factor(tap(t)));
        let wide = 4 * L::COUNT;
        let blocks = row.outputs / wide;
        // A load waits for a store to the same place of another page that came just before it. From the end there is none where
        // results lie a little after their sources, modulo pages.
        let after = self.out.as_ptr().addr().wrapping_sub(self.x.as_ptr().addr()) % PAGE;
        let from_end = (1..PAGE / 2).contains(&after);
        for b in 0..blocks {
            let o = wide * if from_end { blocks - 1 - b } else { b };
            // SAFETY: `dispatch` checked the last element that any result reads or writes; there are `wide` results from `o` on, and
            // taps first .. first + K among the taps of the row.
            unsafe {
                let (x, out) = (self.x.as_ptr().add(o + first * row.shift), self.out.as_mut_ptr().add(o));
                few_taps::<T, L, K, 4, false>(&taps, x, row.shift, out, fresh, L::COUNT);
            }
        }
        for o in (blocks * wide..row.outputs).step_by(L::COUNT) {
            let count = (row.outputs - o).min(L::COUNT);
            // SAFETY: the same for `count` results.
            unsafe {
                let (x, out) = (self.x.as_ptr().add(o + first * row.shift), self.out.as_mut_ptr().add(o));
                few_taps::<T, L, K, 1, true>(&taps, x, row.shift, out, fresh, count);
            }
        }
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const R: usize, const Q: usize>(mut self) {
        let (row, lanes) = (self.row, L::COUNT);
        let near = match lanes.checked_div(row.shift) {
            Some(j) if j > 0 => Spread { j, distance: j * row.shift },
            _ => Spread { j: row.taps, distance: lanes }, // every tap is a series of its own
        };
        let mut o = self.near::<L, R, Q>(0, near);
        o = self.near::<L, 4, Q>(o, near);
        while o < row.outputs {
            let count = lanes.min(row.outputs - o);
            // SAFETY: `dispatch` checked what all results read and write; there are `count` from `o` on.
            unsafe { self.near_block::<L, 1, Q, true>(o, near, count) }
            o += count;
        }
    }

    /// As many blocks of `R` registers, no further apart than they are long, as there are from `o` on; returns their end.
    #[inline(always)]
    fn near<L: Lanes<T>, const R: usize, const Q: usize>(&mut self, mut o: usize, near: Spread) -> usize {
        while o + (R - 1) * near.distance + L::COUNT <= self.row.outputs {
            // SAFETY: `dispatch` checked what all results read and write; all of the block are among them.
            unsafe { self.near_block::<L, R, Q, false>(o, near, near.distance) }
            o += R * near.distance;
        }
        o
    }

    #[inline(always)]
    unsafe fn near_block<L: Lanes<T>, const R: usize, const Q: usize, const PART: bool>(
        &mut self,
        o: usize,
        Spread { j, distance }: Spread,
        count: usize,
    ) {
        // SAFETY: as in the contract of this method, that of `block`.
        unsafe {
            let (x, out) = (self.x.as_ptr().add(o), self.out.as_mut_ptr().add(o));
            self.block::<L, R, Q, PART>((x, self.row.shift, distance), j, (out, distance), count);
        }
    }

    /// `R` registers of results at `out` and at multiples of a distance from it, or the first `count` of each if `PART`; the last
    /// register has `count` where the distance is less than a register. `x` is where their sources for the first tap are, the shift
    /// from tap to tap, and the distance between registers, which is `j` shifts.
    ///
    /// # Safety
    /// These results are valid for reading and writing, and their sources for reading.
    #[inline(always)]
    pub(super) unsafe fn block<L: Lanes<T>, const R: usize, const Q: usize, const PART: bool>(
        &self,
        (x, shift, distance): (*const T, usize, usize),
        j: usize,
        (out, out_distance): (*mut T, usize),
        count: usize,
    ) {
        let row = self.row;
        // SAFETY: by the contract; `dispatch` checked both ends of the taps.
        unsafe {
            let kernel = self.kernel.as_ptr().add(row.tap);
            let load = |from: *const T| if PART { L::load_part(from, count) } else { L::load(from) };
            let mut acc = [L::zero(); R];
            if !row.fresh {
                acc = std::array::from_fn(|r| load(out.add(r * out_distance)));
            }
            // Taps s, s + j, s + 2j, …, the first `more` of these series one longer than the others.
            let (longest, step) = (row.taps.div_ceil(j), j as isize * row.tap_step);
            let more = row.taps - (longest - 1) * j;
            for s in 0..j.min(row.taps) {
                let mut left = if s < more { longest } else { longest - 1 };
                let mut x = x.add(s * shift);
                let mut tap = kernel.offset(s as isize * row.tap_step);
                while left >= Q {
                    few::<T, L, R, Q>(&mut acc, tap, step, x, distance, load);
                    left -= Q;
                    x = x.wrapping_add(Q * distance);
                    tap = tap.wrapping_offset(Q as isize * step);
                }
                // The rest as a sum of powers of two.
                if Q > 4 && left & 4 > 0 {
                    few::<T, L, R, 4>(&mut acc, tap, step, x, distance, load);
                    x = x.wrapping_add(4 * distance);
                    tap = tap.wrapping_offset(4 * step);
                }
                if Q > 2 && left & 2 > 0 {
                    few::<T, L, R, 2>(&mut acc, tap, step, x, distance, load);
                    x = x.wrapping_add(2 * distance);
                    tap = tap.wrapping_offset(2 * step);
                }
                if left & 1 > 0 {
                    few::<T, L, R, 1>(&mut acc, tap, step, x, distance, load);
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                let to = out.add(r * out_distance);
                // What the last register has beyond its distance is the next block's to add to.
                let last = r + 1 == R && out_distance < L::COUNT;
                if PART || last { acc.store_part(to, count) } else { acc.store(to) }
            }
        }
    }
}

/// `K` taps for `V` adjacent registers of results; for `count` results if `PART`, when there is one register.
///
/// # Safety
/// `out` is valid for reading and writing these results, `x` for reading those at every multiple of `shift` below `K`.
#[inline(always)]
unsafe fn few_taps<T: Scalar, L: Lanes<T>, const K: usize, const V: usize, const PART: bool>(
    taps: &[L::Factor; K],
    x: *const T,
    shift: usize,
    out: *mut T,
    fresh: bool,
    count: usize,
) {
    // SAFETY: by the contract; only `count` elements of a part are touched.
    unsafe {
        let load = |from: *const T| if PART { L::load_part(from, count) } else { L::load(from) };
        let mut acc = [L::zero(); V];
        for (v, acc) in acc.iter_mut().enumerate() {
            if !fresh {
                *acc = load(out.add(v * L::COUNT));
            }
            for (t, &tap) in taps.iter().enumerate() {
                *acc = acc.add_product(tap, load(x.add(v * L::COUNT + t * shift)).source());
            }
        }
        // All of them at last: no load after a store that may seem to be to its place, see `group`.
        for (v, acc) in acc.iter().enumerate() {
            let to = out.add(v * L::COUNT);
            if PART { acc.store_part(to, count) } else { acc.store(to) }
        }
    }
}

/// `Q` taps, kept in registers, for all results: those at `tap` and at multiples of `step` from it.
///
/// # Safety
/// `tap` is valid for reading `Q` taps, and `load` may be asked for R + Q − 1 registers at `x` and at multiples of `distance`.
#[inline(always)]
unsafe fn few<T: Scalar, L: Lanes<T>, const R: usize, const Q: usize>(
    acc: &mut [L; R],
    tap: *const T,
    step: isize,
    x: *const T,
    distance: usize,
    load: impl Fn(*const T) -> L,
) {
    // SAFETY: by the contract.
    let taps: [L::Factor; Q] = std::array::from_fn(|q| L::factor(unsafe { *tap.offset(q as isize * step) }));
    for_each_below!(M < R + Q - 1, {
        let source = load(x.wrapping_add(M * distance)).source();
        for (q, &tap) in taps.iter().enumerate() {
            if (q..q + R).contains(&M) {
                acc[M - q] = acc[M - q].add_product(tap, source);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Real;
    use num_complex::Complex;

    fn integers<T: Scalar>(len: usize) -> Vec<T> {
        (0..len)
            .map(|i| T::from_parts(T::Real::of((i * i % 23) as f64 - 7.0), T::Real::of((i % 5) as f64)))
            .collect()
    }

    /// Integers, so that the order of the sum does not matter.
    fn is_the_pseudo_code<T: Scalar>(outputs: usize, taps: usize, shift: usize, fresh: bool) {
        let (x, mut kernel) = (integers::<T>(outputs + (taps - 1) * shift), integers::<T>(2 * taps));
        kernel.iter_mut().for_each(|k| *k += T::from_real(T::Real::of(17.0))); // none is zero
        let row = Row { outputs, shift, taps, tap: 2 * taps - 1, tap_step: -2, fresh };
        let before = integers::<T>(outputs + 20);
        let (mut expected, mut got) = (before.clone(), before);
        for (o, y) in expected[..outputs].iter_mut().enumerate() {
            *y = if fresh { T::zero() } else { *y };
            (0..taps).for_each(|t| *y += kernel[2 * taps - 1 - 2 * t] * x[o + t * shift]);
        }
        correlate_row(&row, &kernel, &x, &mut got);
        assert!(got == expected, "{} {row:?}", T::NAME);
    }

    /// Of long rows some results come apart, as many as where the sources begin says.
    #[test]
    fn sources_and_results_may_begin_anywhere_in_a_line() {
        fn of_type<T: Scalar>() {
            let (taps, rows) = (11, LONG + 1);
            let kernel: Vec<T> = integers(taps);
            for (start, shift) in (0..17).flat_map(|s| [16, 24, 64, 256].map(|shift| (s, shift))) {
                let (outputs, to) = (rows * shift, 17 - start);
                let x = integers::<T>(start + (rows + taps - 1) * shift);
                let row = Row { outputs, shift, taps, tap: 0, tap_step: 1, fresh: start % 2 == 0 };
                let before = integers::<T>(to + outputs + 1);
                let (mut expected, mut got) = (before.clone(), before);
                for (o, y) in expected[to..to + outputs].iter_mut().enumerate() {
                    *y = if row.fresh { T::zero() } else { *y };
                    (0..taps).for_each(|t| *y += kernel[t] * x[start + o + t * shift]);
                }
                correlate_row(&row, &kernel, &x[start..], &mut got[to..to + outputs]);
                assert!(got == expected, "{} from {start}: {row:?}", T::NAME);
            }
        }
        of_type::<f32>();
        of_type::<f64>();
        of_type::<Complex<f32>>();
        of_type::<Complex<f64>>();
    }

    fn all_sizes<T: Scalar>() {
        // Around those of blocks and registers.
        let taps = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100];
        let shifts =
            [(1, true), (1, false), (2, false), (3, true), (5, false), (7, true), (16, false), (40, true)];
        for outputs in [1, 2, 7, 16, 31, 63, 64, 65, 127, 128, 129, 300] {
            for (taps, (shift, fresh)) in taps.iter().flat_map(|&t| shifts.map(|s| (t, s))) {
                is_the_pseudo_code::<T>(outputs, taps, shift, fresh);
            }
        }
        // Shifts around the lengths of registers, up to those whose sources are copied.
        for shift in
            [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 24, 31, 33, 65, 128, 256, 512, 515]
        {
            for (rows, taps) in [(8, 1), (17, 5), (80, 31), (161, 40)] {
                is_the_pseudo_code::<T>(rows * shift + 3, taps, shift, taps % 2 == 1);
            }
        }
    }

    #[test]
    fn every_type_is_the_pseudo_code() {
        all_sizes::<f32>();
        all_sizes::<f64>();
        all_sizes::<Complex<f32>>();
        all_sizes::<Complex<f64>>();
    }
}
