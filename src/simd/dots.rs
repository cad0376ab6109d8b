//! Inner products of rows with shifted copies of another row: the gradient of a convolution with respect to its kernel.
//!
//! In pseudo-code:
//!
//! ```text
//! for r in 0..rows:  for t in taps:  for l in 0..lines:  for i in 0..width:
//!     out[r·out_step + t] += a[r·row_step + l·a_line + i] · conj(b[taps[t] + l·b_line + i])
//! ```
//!
//! Few results and very long sums, so that lanes hold parts of one sum. Deviations: (1) a tile of some rows and some taps stays
//! in registers for all lines, and each loaded register serves a whole row or column of the tile; (2) a tile that is
//! not full repeats its last row or tap and drops the results; (3) a complex product is two products by parts, with
//! a as it is (whose parts add up to the real part) and with its parts exchanged (whose difference is the imaginary one).
//! Lanes are added once, at the end, so that the order of summation depends on the width of the registers.

use super::lanes::{Lanes, prefetch_second};
use super::loops::loops;
use super::shells::{Body, run_fastest};
use crate::scalar::Scalar;

/// Where the operands of [`dots`] lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dots<'a> {
    /// Stretches that are summed over: how many, and elements of each.
    pub lines: usize,
    pub width: usize,
    /// Rows of the first operand, the distance between them, and between lines of a row.
    pub rows: usize,
    pub row_step: usize,
    pub a_line: usize,
    /// Where the second operand begins for each tap, and the distance between its lines.
    pub taps: &'a [usize],
    pub b_line: usize,
    /// Distance between the results of neighbouring rows; those of neighbouring taps are adjacent.
    pub out_step: usize,
}

/// See the module.
pub(crate) fn dots<T: Scalar>(d: &Dots, a: &[T], b: &[T], out: &mut [T]) {
    (loops::<T>().dots)(d, a, b, out);
}

pub(super) fn dispatch<T: Scalar>(d: &Dots, a: &[T], b: &[T], out: &mut [T]) {
    if d.lines == 0 || d.width == 0 || d.rows == 0 || d.taps.is_empty() {
        return;
    }
    let last_a = (d.rows - 1) * d.row_step + (d.lines - 1) * d.a_line + d.width;
    let within_b = |&tap: &usize| tap + (d.lines - 1) * d.b_line + d.width <= b.len();
    assert!(last_a <= a.len() && d.taps.iter().all(within_b), "{d:?}: {}, {}", a.len(), b.len());
    run_fastest(Tiles { d, a, b, out });
}

struct Tiles<'a, T> {
    d: &'a Dots<'a>,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar> Body<T> for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        // Registers: R·S of sums (2·R·S if complex), S of b, one of a (two if complex).
        match (L::REGISTERS == 32, T::IS_COMPLEX) {
            (true, false) => self.all::<L, 4, 6, 5, 8>(),
            (true, true) => self.all::<L, 2, 6, 5, 8>(),
            (false, false) => self.all::<L, 4, 3, 2, 8>(),
            (false, true) => self.all::<L, 2, 3, 2, 4>(),
        }
    }
}

impl<T: Scalar> Tiles<'_, T> {
    /// Tiles of `R` rows and `S` or `Q` taps, or of one row and `ALONE` taps.
    #[inline(always)]
    fn all<L: Lanes<T>, const R: usize, const S: usize, const Q: usize, const ALONE: usize>(mut self) {
        let (rows, taps) = (self.d.rows, self.d.taps.len());
        for r in (0..rows).step_by(R) {
            let count = R.min(rows - r);
            let mut t = 0;
            for tile in 0.. {
                let left = taps - t;
                let next = self.next(r + count + tile).filter(|_| tile < R);
                t += match (count, left) {
                    (_, 0) => break,
                    (1, 3..) => self.tile::<L, 1, ALONE>(r, count, t, next),
                    (1, _) => self.tile::<L, 1, 2>(r, count, t, next),
                    (_, 1) => self.tile::<L, R, 1>(r, count, t, next),
                    (_, 2 | 3) if S > 3 => self.tile::<L, R, 3>(r, count, t, next),
                    // As many tiles as with S, if they hold all of them.
                    _ if left <= left.div_ceil(S) * Q => self.tile::<L, R, Q>(r, count, t, next),
                    _ => self.tile::<L, R, S>(r, count, t, next),
                };
            }
        }
    }

    /// Where row `r` begins; rows after the last are the first ones, with the lines that come next.
    fn next(&self, r: usize) -> Option<usize> {
        let d = self.d;
        let (row, lines) = if r < d.rows { (r, 0) } else { (r - d.rows, d.lines) };
        (row < d.rows).then_some(row * d.row_step + lines * d.a_line)
    }

    /// The sums of the rows from `r` on, of which there are `count`, with the taps from `t` on. Returns the taps done.
    ///
    /// The tiles of these rows find them in the caches, but for the first: each of them asks for one row of those that come
    /// then, which begins at `next` and need not exist.
    #[inline(always)]
    fn tile<L: Lanes<T>, const R: usize, const S: usize>(
        &mut self,
        r: usize,
        count: usize,
        t: usize,
        next: Option<usize>,
    ) -> usize {
        let d = self.d;
        let taps = S.min(d.taps.len() - t);
        let (mut same, mut crossed) = ([[L::zero(); S]; R], [[L::zero(); S]; R]);
        let rows: [usize; R] = std::array::from_fn(|b| (r + b.min(count - 1)) * d.row_step);
        let starts: [usize; S] = std::array::from_fn(|s| d.taps[t + s.min(taps - 1)]);
        let whole = d.width - d.width % L::COUNT;
        for l in 0..d.lines {
            let next = next.map(|row| self.a.as_ptr().wrapping_add(row + l * d.a_line));
            // SAFETY: `dispatch` checked the last element of the last line for the last row and for every tap; rows and
            // taps are among those, and `width` elements are read from the beginning of a line.
            unsafe {
                let a = rows.map(|row| self.a.as_ptr().add(row + l * d.a_line));
                let b = starts.map(|start| self.b.as_ptr().add(start + l * d.b_line));
                let mut i = 0;
                while i < whole {
                    if let Some(next) = next {
                        prefetch_second(next.wrapping_add(i));
                    }
                    let b: [L; S] = std::array::from_fn(|s| L::load(b[s].add(i)));
                    for r in 0..R {
                        step(&mut same[r], &mut crossed[r], L::load(a[r].add(i)), &b);
                    }
                    i += L::COUNT;
                }
                if i < d.width {
                    let left = d.width - i;
                    let b: [L; S] = std::array::from_fn(|s| L::load_part(b[s].add(i), left));
                    for r in 0..R {
                        step(&mut same[r], &mut crossed[r], L::load_part(a[r].add(i), left), &b);
                    }
                }
            }
        }
        let (same, crossed) = (stored(&same), stored(&crossed));
        for b in 0..count {
            let out = &mut self.out[(r + b) * d.out_step + t..][..taps];
            for (out, (same, crossed)) in out.iter_mut().zip(same[b].iter().zip(&crossed[b])) {
                let same = total(same, L::COUNT);
                *out += if T::IS_COMPLEX {
                    let crossed = total(crossed, L::COUNT);
                    T::from_parts(same.re() + same.im(), crossed.re() - crossed.im())
                } else {
                    same
                };
            }
        }
        taps
    }
}

/// One register of a row with one of every tap.
#[inline(always)]
fn step<T: Scalar, L: Lanes<T>, const S: usize>(same: &mut [L; S], crossed: &mut [L; S], a: L, b: &[L; S]) {
    for s in 0..S {
        same[s] = same[s].add_parts(a, b[s]);
        if T::IS_COMPLEX {
            crossed[s] = crossed[s].add_parts(a.exchanged(), b[s]);
        }
    }
}

/// The most elements that a register has.
const MOST: usize = 16;

/// The elements of registers. Only this looks at registers of a tile by loops that may stay loops: an index that is
/// not a constant would keep the tile in memory.
#[inline(always)]
fn stored<T: Scalar, L: Lanes<T>, const R: usize, const S: usize>(sums: &[[L; S]; R]) -> [[[T; MOST]; S]; R] {
    const { assert!(L::COUNT <= MOST) };
    let mut all = [[[T::zero(); MOST]; S]; R];
    for r in 0..R {
        for s in 0..S {
            // SAFETY: there are at least as many elements as lanes.
            unsafe { sums[r][s].store(all[r][s].as_mut_ptr()) };
        }
    }
    all
}

/// The sum of the first `count` lanes, a power of two, halves first.
#[inline(always)]
fn total<T: Scalar>(lanes: &[T; MOST], count: usize) -> T {
    let (mut lanes, mut half) = (*lanes, count / 2);
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    fn integers<T: Scalar>(len: usize, seed: usize) -> Vec<T> {
        let whole = |i: usize| crate::scalar::Real::of(((i + seed) * 7919 % 15) as f64 - 7.0);
        (0..len).map(|i| T::from_parts(whole(i), whole(i * 3 + 1))).collect()
    }

    /// The pseudo-code of the module.
    fn plain<T: Scalar>(d: &Dots, a: &[T], b: &[T], out: &mut [T]) {
        for (r, (t, &tap)) in (0..d.rows).flat_map(|r| d.taps.iter().enumerate().map(move |tap| (r, tap))) {
            for (l, i) in (0..d.lines).flat_map(|l| (0..d.width).map(move |i| (l, i))) {
                out[r * d.out_step + t] +=
                    a[r * d.row_step + l * d.a_line + i] * b[tap + l * d.b_line + i].conj();
            }
        }
    }

    fn is_the_pseudo_code<T: Scalar>() {
        let (a, b) = (integers::<T>(4000, 1), integers::<T>(1200, 2));
        for (lines, width) in [(1, 1), (3, 7), (2, 8), (2, 16), (1, 17), (3, 40), (0, 5), (2, 0)] {
            for rows in [0, 1, 2, 3, 4, 5, 9] {
                for count in (0..14).chain([25]) {
                    let taps: Vec<usize> = (0..count).map(|t| t * 37 % 101).collect();
                    let d = Dots {
                        lines,
                        width,
                        rows,
                        row_step: 200,
                        a_line: 50,
                        taps: &taps,
                        b_line: 60,
                        out_step: count + 1,
                    };
                    let before = integers::<T>(rows * (count + 1), 3);
                    let (mut expected, mut got) = (before.clone(), before);
                    plain(&d, &a, &b, &mut expected);
                    dots(&d, &a, &b, &mut got);
                    assert!(got == expected, "{} {d:?}", T::NAME);
                }
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
