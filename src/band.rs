//! One axis of a cropped convolution: a band of a Toeplitz matrix.
//!
//! Output `i`, tap `t` and input `p` meet where
//!
//! ```text
//! stride·i + offset = dilation·t + spread·p        0 ≤ i < output, 0 ≤ t < taps, 0 ≤ p < input
//! ```
//!
//! and `y[i] = Σ k[t]·x[p]` over all meetings. Seven integers, and everything else follows:
//!
//! - full, same and valid differ in `offset` and `output` only ([`Band::of_mode`], the one place that knows the names);
//! - the **transpose** exchanges `i` and `p` and reverses the taps: again a band ([`Band::transpose`]);
//! - the **role swap** exchanges `t` and `p`: for a fixed signal the map from kernel to output is again a band
//!   ([`Band::swap_roles`]), which is why gradients with respect to the kernel need no code of their own.
//!
//! All index arithmetic of the crate lives here and in [`crate::stencil`]: engines ask for runs and never look at a
//! mode.

use crate::error::{Error, Result};
use std::ops::Range;

/// Which part of the full convolution is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConvMode {
    /// Every output that a signal sample reaches: n + K − 1 values.
    #[default]
    Full,
    /// As many values as the signal has, from the middle of the full result.
    Same,
    /// Only the values for which the kernel lies inside the signal: n − K + 1, none when the kernel is longer.
    Valid,
}

/// Whose definition of [`ConvMode`] holds. They differ for even kernels, and for kernels longer than the signal.
///
/// | | `Same` starts at | `Same` length | `Valid`, K > n |
/// |---|---|---|---|
/// | `Matlab` (`conv`, `conv2`, Octave, `ndimage.convolve`) | ⌊K/2⌋ | n | empty |
/// | `Scipy` (`scipy.signal.convolve`, `fftconvolve`) | ⌊(K−1)/2⌋ | n | operands swapped: K − n + 1 |
/// | `Numpy` (`np.convolve`, `scipy.linalg.convolution_matrix`) | ⌊(min(n,K)−1)/2⌋ | max(n, K) | operands swapped |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Convention {
    /// MATLAB and GNU Octave.
    #[default]
    Matlab,
    /// `scipy.signal`.
    Scipy,
    /// `numpy.convolve`.
    Numpy,
}

/// The largest size, offset or product of a size and a step that index arithmetic accepts.
const LIMIT: i128 = 1 << 61;

/// The relation `stride·i + offset = dilation·t + spread·p` with its three ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Band {
    input: usize,
    taps: usize,
    output: usize,
    offset: i64,
    stride: usize,
    dilation: usize,
    spread: usize,
}

/// The meetings of one output: inputs ascending, each one tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// The smallest input.
    pub input: usize,
    /// Distance from one input to the next.
    pub input_step: usize,
    /// The tap at the smallest input; taps descend while inputs ascend.
    pub tap: usize,
    /// Distance from one tap to the next, downwards.
    pub tap_step: usize,
    /// Number of meetings.
    pub count: usize,
}

impl Run {
    /// `(input, tap)` in ascending order of the input.
    pub(crate) fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |q| (self.input + q * self.input_step, self.tap - q * self.tap_step))
    }
}

/// Outputs that share one run, up to a shift: every `output_step`-th, their inputs `input_shift` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase {
    /// The first output.
    pub output: usize,
    /// Distance from one output to the next.
    pub output_step: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The run of the first output.
    pub run: Run,
    /// What one step of the output adds to every input of the run.
    pub input_shift: usize,
}

impl Band {
    /// A band with unit steps: `y[i] = Σ_t k[t]·x[i + offset − t]`. Any length may be zero.
    ///
    /// # Errors
    /// [`Error::Overflow`] when a size or the offset is beyond 2⁶¹.
    pub fn new(input: usize, taps: usize, output: usize, offset: i64) -> Result<Self> {
        Self::with_steps((input, 1), (taps, 1), (output, 1), offset)
    }

    /// A band from `(input, spread)`, `(taps, dilation)`, `(output, stride)` and the offset.
    ///
    /// # Errors
    /// [`Error::Value`] for a zero step, [`Error::Overflow`] when a size times its step is beyond 2⁶¹.
    pub fn with_steps(
        (input, spread): (usize, usize),
        (taps, dilation): (usize, usize),
        (output, stride): (usize, usize),
        offset: i64,
    ) -> Result<Self> {
        for (what, step) in [("spread", spread), ("dilation", dilation), ("stride", stride)] {
            if step == 0 {
                return Err(Error::value(what, "at least 1", step));
            }
        }
        let reach = |len: usize, step: usize| len as i128 * step as i128; // widening
        let reaches = [reach(input, spread), reach(taps, dilation), reach(output, stride)];
        if reaches.iter().any(|&r| r > LIMIT) || i128::from(offset).abs() > LIMIT {
            return Err(Error::Overflow {
                what: "a convolution",
                detail: format!("{input} samples, {taps} taps, {output} outputs, offset {offset}"),
                hint: "every length times its step must stay below 2^61",
            });
        }
        Ok(Band { input, taps, output, offset, stride, dilation, spread })
    }

    /// The band that `mode` means in `convention`, for a signal of `input` samples.
    ///
    /// With dilation the kernel counts as Kₑ = (K − 1)·dilation + 1 taps; with stride s every s-th output is kept,
    /// beginning with the first.
    ///
    /// # Errors
    /// As [`Band::with_steps`].
    pub fn of_mode(
        mode: ConvMode,
        convention: Convention,
        input: usize,
        (taps, dilation): (usize, usize),
        stride: usize,
    ) -> Result<Self> {
        // Validates the steps before they are used below.
        let unit = Self::with_steps((input, 1), (taps, dilation), (0, stride), 0)?;
        let (n, k) = (input, unit.span());
        let (short, long) = (n.min(k), n.max(k));
        let (offset, len) = match (mode, convention) {
            (ConvMode::Full, _) => (0, (n + k).saturating_sub(1)),
            (ConvMode::Same, Convention::Matlab) => (k / 2, n),
            (ConvMode::Same, Convention::Scipy) => (k.saturating_sub(1) / 2, n),
            (ConvMode::Same, Convention::Numpy) => (short.saturating_sub(1) / 2, long),
            (ConvMode::Valid, Convention::Matlab) => (k.saturating_sub(1), (n + 1).saturating_sub(k)),
            (ConvMode::Valid, _) => (short.saturating_sub(1), long - short + 1),
        };
        let offset = offset as i64; // below 2^61, checked above
        Self::with_steps((input, 1), (taps, dilation), (len.div_ceil(stride), stride), offset)
    }

    /// Number of input samples n.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Number of taps K.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// Number of outputs m.
    pub fn output(&self) -> usize {
        self.output
    }

    /// The position of the first output in the full convolution.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Decimation of the output.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Distance between neighbouring taps.
    pub fn dilation(&self) -> usize {
        self.dilation
    }

    /// Distance at which the inputs are laid out, with zeros between them; 1 unless transposed or role-swapped.
    pub fn spread(&self) -> usize {
        self.spread
    }

    /// Kₑ = (K − 1)·dilation + 1, the length of the kernel with its holes; 0 without taps.
    pub fn span(&self) -> usize {
        if self.taps == 0 { 0 } else { (self.taps - 1) * self.dilation + 1 }
    }

    /// The band of the transposed matrix, to be used with the reversed kernel. Twice is the identity.
    pub fn transpose(&self) -> Self {
        Band {
            input: self.output,
            output: self.input,
            stride: self.spread,
            spread: self.stride,
            offset: self.span() as i64 - 1 - self.offset, // span below 2^61
            ..*self
        }
    }

    /// The band of the map from kernel to output, to be used with the signal as kernel.
    pub fn swap_roles(&self) -> Self {
        Band { input: self.taps, spread: self.dilation, taps: self.input, dilation: self.spread, ..*self }
    }

    /// `stride·i + offset`: the position that tap 0 reads for output `i`.
    pub(crate) fn position(&self, i: i64) -> i64 {
        self.stride as i64 * i + self.offset // both below 2^61 for i < output, checked on construction
    }

    /// The tap through which `position` (a position of [`Band::position`]) sees the place `j`.
    pub(crate) fn tap_at(&self, position: i64, j: i64) -> Option<usize> {
        let distance = usize::try_from(position - j).ok()?;
        let tap = if self.dilation == 1 { distance } else { distance / self.dilation };
        (tap < self.taps && tap * self.dilation == distance).then_some(tap)
    }

    /// The outputs whose kernel, holes included, lies over `place`.
    pub(crate) fn reaching(&self, place: i64) -> Range<usize> {
        let s = self.stride as i64; // this and the lengths below are under 2^61, checked on construction
        let ahead = place - self.offset;
        let lo = (ahead + s - 1).div_euclid(s).max(0);
        let hi = ((ahead + self.span() as i64 - 1).div_euclid(s) + 1).min(self.output as i64);
        if lo < hi { lo as usize..hi as usize } else { 0..0 }
    }

    /// The meetings of output `i`, also for an `i` outside the output (a virtual row).
    pub(crate) fn run(&self, i: i64) -> Run {
        let empty = Run { input: 0, input_step: 1, tap: 0, tap_step: 1, count: 0 };
        if self.input == 0 || self.taps == 0 {
            return empty;
        }
        let (d, u) = (self.dilation as i64, self.spread as i64); // below 2^61, checked on construction
        let position = self.position(i);
        let last_place = u * (self.input as i64 - 1);
        let lo = (position - last_place + d - 1).div_euclid(d).max(0);
        let hi = position.div_euclid(d).min(self.taps as i64 - 1);
        // Of the taps lo..=hi those with d·t ≡ position (mod u): a residue class modulo u/gcd(d, u).
        let g = gcd(d, u);
        if position.rem_euclid(g) != 0 {
            return empty;
        }
        let tap_step = u / g;
        let residue = if tap_step == 1 {
            0
        } else {
            let a = i128::from((position / g).rem_euclid(tap_step));
            let r = a * i128::from(inverse(d / g, tap_step)) % i128::from(tap_step);
            r as i64 // a residue of tap_step, which is an i64
        };
        let tap = hi - (hi - residue).rem_euclid(tap_step);
        if hi < lo || tap < lo {
            return empty;
        }
        Run {
            input: ((position - d * tap) / u) as usize, // 0 ≤ … < input by the choice of lo and hi
            input_step: (d / g) as usize,
            tap: tap as usize,
            tap_step: tap_step as usize,
            count: ((tap - lo) / tap_step + 1) as usize,
        }
    }

    /// The outputs for which every place of the kernel lies between the first and the last input.
    pub fn inside(&self) -> Range<usize> {
        if self.input == 0 || self.taps == 0 {
            return 0..0;
        }
        let s = self.stride as i64; // this and the lengths below are under 2^61, checked on construction
        let last_place = self.spread as i64 * (self.input as i64 - 1);
        let lo = (self.span() as i64 - 1 - self.offset + s - 1).div_euclid(s).max(0);
        let hi = ((last_place - self.offset).div_euclid(s) + 1).min(self.output as i64);
        if lo < hi { lo as usize..hi as usize } else { 0..0 }
    }

    /// Splits outputs that lie [`inside`](Self::inside) into classes that share a run.
    pub(crate) fn phases(&self, outputs: Range<usize>) -> impl Iterator<Item = Phase> {
        let g = gcd(self.stride as i64, self.spread as i64) as usize; // at most both
        let output_step = self.spread / g;
        let (band, input_shift) = (*self, self.stride / g);
        (0..output_step.min(outputs.len())).map(move |r| {
            let output = outputs.start + r;
            let outputs = (outputs.end - output).div_ceil(output_step);
            Phase { output, output_step, outputs, run: band.run(output as i64), input_shift }
        })
    }
}

/// The greatest common divisor of two positive numbers.
pub(crate) fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The inverse of `a` modulo `m`, for coprime `a` and `m > 1` (extended Euclid).
fn inverse(a: i64, m: i64) -> i64 {
    let (mut r, mut s) = ((a.rem_euclid(m), m), (1_i64, 0_i64));
    while r.1 != 0 {
        let q = r.0 / r.1;
        r = (r.1, r.0 - q * r.1);
        s = (s.1, s.0 - q * s.1);
    }
    s.0.rem_euclid(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every band with small numbers.
    fn bands() -> impl Iterator<Item = Band> {
        let sizes = || 0..5_usize;
        let steps = [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 3, 1), (3, 2, 2), (2, 4, 6), (6, 4, 3)];
        sizes().flat_map(move |n| {
            sizes().flat_map(move |k| {
                sizes().flat_map(move |m| {
                    (-4..9).flat_map(move |offset| {
                        steps
                            .into_iter()
                            .map(move |(s, d, u)| Band::with_steps((n, u), (k, d), (m, s), offset).unwrap())
                    })
                })
            })
        })
    }

    /// The definition: every pair that meets, searched for.
    fn meetings(b: &Band, i: usize) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for p in 0..b.input {
            for t in 0..b.taps {
                if b.position(i as i64) == (b.dilation * t + b.spread * p) as i64 {
                    all.push((p, t));
                }
            }
        }
        all
    }

    #[test]
    fn runs_are_the_definition() {
        for b in bands() {
            for i in 0..b.output {
                assert_eq!(b.run(i as i64).iter().collect::<Vec<_>>(), meetings(&b, i), "{b:?} row {i}");
            }
        }
    }

    #[test]
    fn transposing_exchanges_rows_and_columns_and_twice_is_the_identity() {
        for b in bands().filter(|b| b.taps > 0) {
            let t = b.transpose();
            assert_eq!(t.transpose(), b);
            for p in 0..b.input {
                let columns: Vec<_> = t.run(p as i64).iter().map(|(i, r)| (i, b.taps - 1 - r)).collect();
                let expected: Vec<_> = (0..b.output)
                    .flat_map(|i| meetings(&b, i).into_iter().filter(|m| m.0 == p).map(move |m| (i, m.1)))
                    .collect();
                assert_eq!(columns, expected, "{b:?} column {p}");
            }
        }
    }

    #[test]
    fn swapping_roles_exchanges_inputs_and_taps() {
        for b in bands() {
            let s = b.swap_roles();
            for i in 0..b.output {
                let mut swapped: Vec<_> = s.run(i as i64).iter().map(|(t, p)| (p, t)).collect();
                swapped.reverse();
                swapped.sort_unstable();
                assert_eq!(swapped, meetings(&b, i));
            }
        }
    }

    #[test]
    fn phases_cover_the_inside_once_with_the_right_runs() {
        for b in bands() {
            let mut seen = vec![0; b.output];
            for phase in b.phases(b.inside()) {
                for o in 0..phase.outputs {
                    let i = phase.output + o * phase.output_step;
                    let shifted = Run { input: phase.run.input + o * phase.input_shift, ..phase.run };
                    assert_eq!(shifted.iter().collect::<Vec<_>>(), meetings(&b, i), "{b:?} output {i}");
                    seen[i] += 1;
                }
            }
            assert!(seen.iter().enumerate().all(|(i, &c)| c == usize::from(b.inside().contains(&i))));
        }
    }

    #[test]
    fn modes_have_the_sizes_of_the_programs_they_are_named_after() {
        let window = |mode, convention, n, k| {
            let b = Band::of_mode(mode, convention, n, (k, 1), 1).unwrap();
            (b.offset, b.output)
        };
        use {ConvMode::*, Convention::*};
        assert_eq!(window(Full, Matlab, 7, 4), (0, 10));
        assert_eq!([1, 2, 3, 4, 5, 6].map(|k| window(Same, Matlab, 9, k).0), [0, 1, 1, 2, 2, 3]);
        assert_eq!([1, 2, 3, 4, 5, 6].map(|k| window(Same, Scipy, 9, k).0), [0, 0, 1, 1, 2, 2]);
        assert_eq!(window(Valid, Matlab, 3, 5), (4, 0));
        assert_eq!(window(Valid, Scipy, 3, 5), (2, 3));
        assert_eq!(window(Same, Numpy, 2, 5), (0, 5));
    }

    #[test]
    fn sizes_beyond_the_limit_are_refused() {
        assert!(Band::new(usize::MAX, 3, 3, 0).is_err());
        assert!(Band::new(3, 3, 3, i64::MIN).is_err());
        assert!(Band::with_steps((3, 1), (3, 1 << 61), (3, 1), 0).is_err());
        assert!(Band::of_mode(ConvMode::Same, Convention::Matlab, 3, (3, 1), 0).is_err());
        assert_eq!(inverse(3, 7), 5);
    }
}
