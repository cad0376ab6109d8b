//! One axis of a convolution as a circular one.
//!
//! Of the relation `stride·i + offset = dilation·t + spread·p` only what meets is kept: the places that some kept output
//! reads, the outputs that some place reaches, the taps between them. Counted from the first such place, tap and output the
//! convolution is circular on any line that is long enough for no needed output to see two turns at once.

use crate::boundary::Extension;
use crate::conv::Bank;
use crate::error::Result;
use crate::stencil::Axis;
use crate::transform::Placement;

/// Samples, taps and outputs of one axis, placed on lines.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Samples, and what the boundary repeats of them, on `0..places`.
    pub input: Placement,
    /// Taps on `0..span`.
    pub taps: Placement,
    /// Outputs on the line of the full convolution of the two above.
    pub output: Placement,
    /// Number of places that are read.
    pub places: usize,
    /// Number of places of the kernel, holes included.
    pub span: usize,
    /// The shortest line on which one circular convolution gives every output.
    pub least: usize,
}

impl Line {
    /// `None` where no output reads a sample through a tap: the matrix is zero.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the table of the boundary does not fit.
    fn new(axis: &Axis) -> Result<Option<Self>> {
        let (b, window) = (axis.band(), axis.window());
        if b.input() == 0 || window.is_empty() {
            return Ok(None);
        }
        // All lengths and positions below are under 2^61, see `Band`.
        let (s, d, u) = (b.stride() as i64, b.dilation() as i64, b.spread() as i64);
        let reach = b.span() as i64 - 1;
        let zeros = axis.extension() == Extension::Zero;
        let end = u * (b.input() as i64 - 1) + 1;
        let readable = if zeros { window.start.max(0)..window.end.min(end) } else { window };
        // Outputs whose kernel lies over a readable place.
        let ceil = |a: i64, b: i64| (a + b - 1).div_euclid(b);
        let lo = ceil(readable.start - b.offset(), s).max(0);
        let hi = (readable.end - 1 + reach - b.offset()).div_euclid(s).min(b.output() as i64 - 1);
        if readable.is_empty() || lo > hi {
            return Ok(None);
        }
        // Places that these outputs read, taps through which they read them.
        let read = readable.start.max(b.position(lo) - reach)..readable.end.min(b.position(hi) + 1);
        let (first, last) = (b.position(lo) - read.start, b.position(hi) - read.start);
        let places = read.end - read.start;
        let taps = (first - places + 1).max(0)..(last + 1).min(reach + 1);
        let (tap_lo, tap_hi) = (ceil(taps.start, d), (taps.end - 1) / d);
        if tap_lo > tap_hi {
            return Ok(None); // holes only
        }
        let span = taps.end - taps.start;
        let (first, last) = (first - taps.start, last - taps.start);
        let input = {
            let lo = ceil(read.start.max(0), u).min(b.input() as i64);
            let hi = ((read.end - 1).div_euclid(u) + 1).clamp(lo, b.input() as i64);
            let start = if lo < hi { u * lo - read.start } else { 0 };
            let plain = Placement::new(b.input(), lo as usize..hi as usize, start as usize, u as usize);
            if zeros {
                plain
            } else {
                let n = b.input();
                let (left, right) = (read.start..read.end.min(0), read.start.max(n as i64)..read.end);
                let terms = left.chain(right).flat_map(|j| {
                    let at = (j - read.start) as usize; // j is one of the places read
                    axis.extension().terms(j, n).into_iter().map(move |(p, w)| (at, p, w))
                });
                let inside = read.end.min(n as i64) - read.start.max(0);
                plain.with_terms(terms, 3 * (places - inside.max(0)) as usize)?
            }
        };
        Ok(Some(Line {
            input,
            taps: Placement::new(
                b.taps(),
                tap_lo as usize..tap_hi as usize + 1,
                (d * tap_lo - taps.start) as usize, // tap_lo is the first tap inside
                d as usize,
            ),
            output: Placement::new(b.output(), lo as usize..hi as usize + 1, first as usize, s as usize),
            places: places as usize,
            span: span as usize,
            // The first output must not see the end of the full convolution, the last must stand on the line.
            least: (places + span - 1 - first).max(last + 1) as usize,
        }))
    }

    /// All axes of a bank; `None` where its matrix is zero.
    ///
    /// # Errors
    /// As [`Line::new`].
    pub(super) fn all<T: crate::Scalar, const D: usize>(bank: &Bank<T, D>) -> Result<Option<[Self; D]>> {
        if bank.shape().0 == 0 || bank.shape().1 == 0 {
            return Ok(None);
        }
        let lines: Option<Vec<Self>> = bank.axes().iter().map(Line::new).collect::<Result<_>>()?;
        Ok(lines.map(|lines| lines.try_into().unwrap_or_else(|_| unreachable!("one line per axis"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::band::Band;

    /// Every small axis: the circular convolution of the least length, written as loops, gives the definition.
    #[test]
    fn the_least_line_is_long_enough() {
        let extensions =
            [Extension::Zero, Extension::Periodic, Extension::Reflect, Extension::Antireflective];
        let mut seen = 0;
        for (n, k, m) in (1..5).flat_map(|n| (1..5).flat_map(move |k| (1..5).map(move |m| (n, k, m)))) {
            for (s, d, u) in [(1, 1, 1), (2, 1, 1), (1, 3, 1), (5, 2, 1), (1, 1, 3), (2, 3, 2), (3, 2, 4)] {
                for (offset, extension) in (-6..14).flat_map(|o| extensions.map(|e| (o, e))) {
                    if u > 1 && extension != Extension::Zero {
                        continue;
                    }
                    let band = Band::with_steps((n, u), (k, d), (m, s), offset).unwrap();
                    let axis = Axis::new(band, extension);
                    let x: Vec<f64> = (0..n).map(|p| (p * p + 1) as f64).collect();
                    let taps: Vec<f64> = (0..k).map(|t| [3.0, -5.0, 7.0, 11.0][t]).collect();
                    let tap_at = |t: usize| (t.is_multiple_of(d) && t / d < k).then(|| taps[t / d]);
                    let place = |j: i64| -> f64 {
                        if u > 1 {
                            let inside = j >= 0 && j % u as i64 == 0;
                            return if inside { x.get(j as usize / u).copied().unwrap_or(0.0) } else { 0.0 };
                        }
                        extension.terms(j, n).into_iter().map(|(p, w)| x[p] * w as f64).sum()
                    };
                    let output = |i: usize| -> f64 {
                        let reads = |t: usize| {
                            tap_at(t).map_or(0.0, |k| k * place(band.position(i as i64) - t as i64))
                        };
                        (0..band.span()).map(reads).sum()
                    };
                    let expected: Vec<f64> = (0..m).map(output).collect();
                    let Some(line) = Line::new(&axis).unwrap() else {
                        assert!(expected.iter().all(|&y| y == 0.0), "{axis:?}");
                        continue;
                    };
                    seen += 1;
                    for len in line.least..line.least + 3 {
                        let (mut signal, mut kernel) = (vec![0.0; len], vec![0.0; len]);
                        line.input.load(&x, 0, &mut signal);
                        line.taps.load(&taps, 0, &mut kernel);
                        let circular =
                            |i: usize| (0..len).map(|t| kernel[t] * signal[(i + len - t) % len]).sum();
                        let full: Vec<f64> = (0..len).map(circular).collect();
                        let mut got = vec![f64::NAN; m];
                        line.output.fold(&full, &mut got);
                        assert_eq!(got, expected, "{axis:?} on {len} places");
                    }
                }
            }
        }
        assert!(seen > 10_000, "{seen}");
    }
}
