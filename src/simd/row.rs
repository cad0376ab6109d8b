//! Correlation of one row with many taps: the interior of signals, and of narrow batches.
//!
//! In pseudo-code: `for o in 0..outputs: for t in 0..taps: out[o] += tap(t) · x[o + t·shift]`.
//!
//! Read like this, every multiply-add needs a register of `x` of its own, and nearly all of these cross a cache line:
//! loads, not arithmetic, would be the limit. Deviation: with registers of `x` at distance D = j·shift (D ≤ lanes), tap
//! t = s + j·q of result register r needs the register at s·shift + (r + q)·D. For a fixed s some results and some taps
//! stay in registers, and each load serves all pairs with the same r + q.

use super::lanes::Lanes;
use super::loops::loops;
use super::shells::{Body, run_fastest};
use super::{Correlate, Summation, correlate};
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
    run_fastest(Blocks { row, kernel, x, out });
}

struct Blocks<'a, T> {
    row: &'a Row,
    kernel: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar> Body<T> for Blocks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        if self.row.taps + 1 < 2 * L::COUNT / self.row.shift.max(1) {
            return self.groups::<L>(); // groups of one tap share no registers of x
        }
        match (L::REGISTERS == 32, T::IS_COMPLEX) {
            (true, _) | (false, false) => self.all::<L, 8, 4>(),
            (false, true) => self.all::<L, 4, 2>(),
        }
    }
}

/// Taps that stay in registers where nothing else is shared.
const FEW: usize = 8;

impl<T: Scalar> Blocks<'_, T> {
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
        let mut o = 0;
        while o < row.outputs {
            let left = row.outputs - o;
            // SAFETY: `dispatch` checked the last element that any result reads or writes; there are `left` results
            // from `o` on, and taps first .. first + K among the taps of the row.
            unsafe {
                let (x, out) = (self.x.as_ptr().add(o + first * row.shift), self.out.as_mut_ptr().add(o));
                if left >= 4 * L::COUNT {
                    few_taps::<T, L, K, 4, false>(&taps, x, row.shift, out, fresh, L::COUNT);
                    o += 4 * L::COUNT;
                } else {
                    let count = left.min(L::COUNT);
                    few_taps::<T, L, K, 1, true>(&taps, x, row.shift, out, fresh, count);
                    o += count;
                }
            }
        }
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const R: usize, const Q: usize>(mut self) {
        // Registers further apart than their length share nothing: then every tap is a group of its own.
        let fits = (1..=L::COUNT).contains(&self.row.shift);
        let j = if fits { L::COUNT / self.row.shift } else { self.row.taps };
        let distance = if fits { j * self.row.shift } else { L::COUNT };
        let mut o = 0;
        let reach = |r: usize| (r - 1) * distance + L::COUNT;
        while o + reach(R) <= self.row.outputs {
            self.block::<L, R, Q, false>(o, j, distance, distance);
            o += R * distance;
        }
        while o + reach(4) <= self.row.outputs {
            self.block::<L, 4, Q, false>(o, j, distance, distance);
            o += 4 * distance;
        }
        while o < self.row.outputs {
            let count = L::COUNT.min(self.row.outputs - o);
            self.block::<L, 1, Q, true>(o, j, distance, count);
            o += count;
        }
    }

    /// `R` registers of results from `o` on.
    #[inline(always)]
    fn block<L: Lanes<T>, const R: usize, const Q: usize, const PART: bool>(
        &mut self,
        o: usize,
        j: usize,
        distance: usize,
        count: usize,
    ) {
        let row = self.row;
        // SAFETY: `dispatch` checked the last element that any result reads or writes and both ends of the taps.
        // Results o .. o + (R − 1)·distance + lanes are among `outputs`, or there is one register of `count` of them.
        unsafe {
            let out = self.out.as_mut_ptr().add(o);
            let x = self.x.as_ptr().add(o);
            let kernel = self.kernel.as_ptr().add(row.tap);
            let load = |from: *const T| if PART { L::load_part(from, count) } else { L::load(from) };
            let mut acc = [L::zero(); R];
            if !row.fresh {
                acc = std::array::from_fn(|r| load(out.add(r * distance)));
            }
            // Groups of Q taps at distance j.
            let mut first = 0;
            while first < row.taps {
                for s in first..row.taps.min(first + j) {
                    let count = (row.taps - s).div_ceil(j).min(Q);
                    let x = x.add(s * row.shift);
                    let tap = |q: usize| L::factor(*kernel.offset((s + q * j) as isize * row.tap_step));
                    let x = |m: usize| load(x.add(m * distance));
                    match count {
                        1 => few::<T, L, R, 1>(&mut acc, tap, x),
                        2 => few::<T, L, R, 2>(&mut acc, tap, x),
                        3 if Q > 2 => few::<T, L, R, 3>(&mut acc, tap, x),
                        4 if Q > 2 => few::<T, L, R, 4>(&mut acc, tap, x),
                        5 if Q > 4 => few::<T, L, R, 5>(&mut acc, tap, x),
                        6 if Q > 4 => few::<T, L, R, 6>(&mut acc, tap, x),
                        7 if Q > 4 => few::<T, L, R, 7>(&mut acc, tap, x),
                        _ => few::<T, L, R, Q>(&mut acc, tap, x),
                    }
                }
                first += Q * j;
            }
            for (r, acc) in acc.iter().enumerate() {
                let to = out.add(r * distance);
                // What the last register has beyond its distance is the next block's to add to.
                let last = r + 1 == R && distance < L::COUNT;
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
    for v in 0..V {
        // SAFETY: by the contract; only `count` elements of a part are touched.
        unsafe {
            let load = |from: *const T| if PART { L::load_part(from, count) } else { L::load(from) };
            let to = out.add(v * L::COUNT);
            let mut acc = if fresh { L::zero() } else { load(to) };
            for (t, &tap) in taps.iter().enumerate() {
                acc = acc.add_product(tap, load(x.add(v * L::COUNT + t * shift)).source());
            }
            if PART { acc.store_part(to, count) } else { acc.store(to) }
        }
    }
}

/// `Q` taps, kept in registers, for all results.
#[inline(always)]
fn few<T: Scalar, L: Lanes<T>, const R: usize, const Q: usize>(
    acc: &mut [L; R],
    tap: impl Fn(usize) -> L::Factor,
    x: impl Fn(usize) -> L,
) {
    let taps: [L::Factor; Q] = std::array::from_fn(tap);
    for m in 0..R + Q - 1 {
        let source = x(m).source();
        for (q, &tap) in taps.iter().enumerate() {
            if m >= q && m - q < R {
                acc[m - q] = acc[m - q].add_product(tap, source);
            }
        }
    }
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

    /// Sizes around those of blocks and registers; integers, so that the order of the sum does not matter.
    fn is_the_pseudo_code<T: Scalar>() {
        for (outputs, taps) in [1, 2, 7, 16, 31, 63, 64, 65, 127, 128, 129, 300]
            .into_iter()
            .flat_map(|o| [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100].map(|t| (o, t)))
        {
            for (shift, fresh) in
                [(1, true), (1, false), (2, false), (3, true), (5, false), (7, true), (16, false), (40, true)]
            {
                let (x, mut kernel) = (integers::<T>(outputs + (taps - 1) * shift), integers::<T>(2 * taps));
                kernel.iter_mut().for_each(|k| *k += T::from_real(T::Real::of(17.0))); // none is zero
                let row = Row { outputs, shift, taps, tap: 2 * taps - 1, tap_step: -2, fresh };
                let before = integers::<T>(outputs);
                let (mut expected, mut got) = (before.clone(), before);
                for (o, y) in expected.iter_mut().enumerate() {
                    *y = if fresh { T::zero() } else { *y };
                    (0..taps).for_each(|t| *y += kernel[2 * taps - 1 - 2 * t] * x[o + t * shift]);
                }
                correlate_row(&row, &kernel, &x, &mut got);
                assert!(got == expected, "{} {row:?}", T::NAME);
            }
        }
    }

    #[test]
    fn every_type_is_the_pseudo_code() {
        is_the_pseudo_code::<f32>();
        is_the_pseudo_code::<f64>();
        is_the_pseudo_code::<Complex<f32>>();
        is_the_pseudo_code::<Complex<f64>>();
    }
}
