//! Blocks of a long row whose registers are further apart than they are long: batches of signals.
//!
//! See [`row`](super::row) for the sum. Between registers at a distance there are gaps, which blocks side by side fill; the order of
//! the blocks is chosen for the caches.

use super::lanes::{Lanes, prefetch, prefetch_second};
use super::row::{Blocks, PAGE};
use super::shells::Body;
use crate::scalar::Scalar;
use std::mem::MaybeUninit;

/// Registers of the longest distance that is made of several shifts.
const LONGEST: usize = 4;

/// A longer distance must save one part in so many.
const WORTH: usize = 16;

/// Taps of a series at least: a source should serve some of them.
const SERIES: usize = 4;

/// Bytes of the copy of some columns where rows are whole pages apart: their samples share a few places of the first cache.
const COPY: usize = 32 << 10;

/// Rows of blocks that use it one after the other.
const TALL: usize = 8;

/// Bytes from the results of a block, and from their last source, to what is asked for meanwhile, at least.
const AHEAD: usize = 4 << 10;

/// Products before that is needed, at least.
const SOON: usize = 800;

/// How far apart the registers of a block are, and how many shifts that is.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub j: usize,
    pub distance: usize,
}

impl Spread {
    /// The multiple of the shift that leaves the smallest part of its registers unused, the last of which may be half a register,
    /// with enough taps in each of its series.
    pub fn new(shift: usize, taps: usize, lanes: usize) -> Self {
        let registers = |distance: usize| match distance % lanes {
            _ if distance <= lanes => lanes,
            0 => distance,
            rest if rest <= lanes / 2 => distance - rest + lanes / 2,
            rest => distance - rest + lanes,
        };
        let mut best = Spread { j: 1, distance: shift };
        for j in 2..=(LONGEST * lanes / shift.max(1)).min(taps / SERIES) {
            let distance = j * shift;
            if WORTH * registers(distance) * best.distance < (WORTH - 1) * registers(best.distance) * distance
            {
                best = Spread { j, distance };
            }
        }
        best
    }
}

/// Blocks whose registers are further apart than they are long; a function of its own, because of the copy on its stack.
pub(super) struct Far<'a, T>(pub Blocks<'a, T>, pub Spread);

impl<T: Scalar> Body<T> for Far<'_, T> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes<T>>(mut self) -> usize {
        match (L::REGISTERS == 32, T::IS_COMPLEX) {
            (true, false) => self.0.far::<L, 8, 8>(self.1),
            (true, true) | (false, false) => self.0.far::<L, 8, 4>(self.1),
            (false, true) => self.0.far::<L, 4, 2>(self.1),
        }
    }
}

impl<T: Scalar> Blocks<'_, T> {
    /// Blocks of `R` registers at a distance longer than they are, side by side until there are no gaps; returns where the last
    /// of `R` distances end. All columns come in turn, in the order of memory, or else those that are copied, in this row of blocks
    /// and the next ones.
    #[inline(always)]
    fn far<L: Lanes<T>, const R: usize, const Q: usize>(
        &mut self,
        Spread { j, distance: width }: Spread,
    ) -> usize {
        let (row, whole, size) = (self.row, R * width, size_of::<T>());
        let count = row.outputs / whole;
        let fitting = COPY / size / (TALL * R + row.taps - 1);
        let copied = j == 1 && (width * size).is_multiple_of(PAGE) && fitting >= L::COUNT;
        let (some, tall) = if copied { (fitting - fitting % L::COUNT, TALL) } else { (width, 1) };
        let soon = (AHEAD / size).max(SOON * L::COUNT / row.taps);
        let ahead = tall.max(soon.div_ceil(whole)) * whole;
        let near = ahead * size < 2 * AHEAD; // further ahead, results would drive sources out of the first cache
        let mut copy = Room([const { MaybeUninit::uninit() }; COPY]);
        let all = self.out.as_mut_ptr();
        let beyond = (row.taps - 1) * row.shift;
        for first in (0..count).step_by(tall) {
            let rows = tall.min(count - first);
            // Sources and results that come later, in the order of memory, as the processor expects.
            let mut later = first * whole + ahead;
            for from in (0..width).step_by(some) {
                let to = width.min(from + some);
                let (mut x, mut step) = (&self.x[first * whole + from..], width);
                if copied {
                    step = to - from;
                    let lines = x.chunks(width).take(rows * R + row.taps - 1);
                    x = copy.lines(lines.map(|line| &line[..step]), step);
                }
                for b in 0..rows {
                    let out = all.wrapping_add((first + b) * whole);
                    let mut column = from;
                    while column < to {
                        for _ in 0..R {
                            prefetch(self.x.as_ptr().wrapping_add(later + beyond));
                            let out = all.wrapping_add(later).cast_const();
                            if near {
                                prefetch(out)
                            } else {
                                prefetch_second(out)
                            }
                            later += L::COUNT;
                        }
                        // SAFETY: `dispatch` checked what all results read and write. The block's R registers, a distance apart,
                        // are those of columns column .. to of R whole distances of results; the copy, made where the distance
                        // is the shift, has the same columns of all their sources.
                        unsafe {
                            let x = x.as_ptr().add(b * R * step + column - from);
                            let x = (x, if j > 1 { row.shift } else { step }, step);
                            let (out, left) = ((out.add(column), width), to - column);
                            if left >= L::COUNT {
                                self.block::<L, R, Q, false>(x, j, out, 0);
                            } else if left <= L::Half::COUNT {
                                self.block::<L::Half, R, Q, true>(x, j, out, left);
                            } else {
                                self.block::<L, R, Q, true>(x, j, out, left);
                            }
                        }
                        column += L::COUNT;
                    }
                }
            }
        }
        count * whole
    }
}

/// Room for a copy, which begins where a line of memory does.
#[repr(align(64))]
struct Room([MaybeUninit<u8>; COPY]);

impl Room {
    /// The lines, each of length `len`, one after the other.
    #[inline(always)]
    fn lines<'a, T: Scalar>(&'a mut self, lines: impl Iterator<Item = &'a [T]>, len: usize) -> &'a [T] {
        let mut count = 0;
        // SAFETY: all of the room, which is aligned for any number, and need not be initialised.
        let room = unsafe {
            let first = self.0.as_mut_ptr().cast::<MaybeUninit<T>>();
            std::slice::from_raw_parts_mut(first, COPY / size_of::<T>())
        };
        for (line, to) in lines.zip(room.chunks_exact_mut(len)) {
            line.iter().zip(to).for_each(|(&value, to)| {
                to.write(value);
            });
            count += len;
        }
        // SAFETY: these elements were written just now.
        unsafe { std::slice::from_raw_parts(room.as_ptr().cast(), count) }
    }
}
