//! Bands of lines of a gradient: one operand copied so that every tap sees it at a distance of its own.

use super::COPY;
use crate::scalar::Scalar;
use crate::simd::{Dots, dots};

/// How far apart the taps of a block may be in the copy.
const REACH: usize = 896;

/// Lines of a band.
const LINES: usize = 64;

/// Taps that go to the inner loop at a time: whole tiles.
const TAPS: usize = 60;

/// One axis: element i of the operand that stays meets, at tap t, element `stride·i + lead + step·t` of the one that slides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slide {
    /// Elements of the operand that stays.
    pub count: usize,
    /// Elements of the one that slides.
    pub sources: usize,
    pub stride: i64,
    pub lead: i64,
    pub step: i64,
    pub taps: usize,
}

/// How lines and taps are grouped so that what they see fits the copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    /// Rows and columns of taps that share a copy.
    tap_rows: usize,
    tap_columns: usize,
    /// Lines of a band.
    pub lines: usize,
    /// Elements that a line of the copy has for each remainder of places modulo the stride.
    region: usize,
}

impl Blocks {
    pub(super) fn new([_, lines, columns]: &[Slide; 3], most: usize) -> Self {
        let (step, stride) = (columns.step.unsigned_abs() as usize, columns.stride as usize);
        let tap_columns = columns.taps.min(REACH * stride / step.max(1) + 1);
        let region = columns.count.min(most) + (tap_columns - 1) * step / stride + 1;
        let capacity = COPY / (region * stride); // at least 1, see `STRIDES`
        // All rows of taps together, unless hardly a line would be left, or they are not adjacent in the results.
        let (step, stride) = (lines.step.unsigned_abs() as usize, lines.stride as usize);
        let needed =
            |count: usize| (count - 1).saturating_mul(stride) + (lines.taps - 1).saturating_mul(step) + 1;
        let together = tap_columns == columns.taps && needed(lines.count.clamp(1, 8)) <= capacity;
        let (tap_rows, count) = if together && lines.taps > 1 {
            (lines.taps, (capacity - 1 - (lines.taps - 1) * step) / stride + 1)
        } else {
            (1, capacity)
        };
        Blocks { tap_rows, tap_columns, lines: count.min(LINES), region }
    }

    /// Lines of the copy between those of neighbouring lines and taps.
    fn steps(&self, lines: &Slide) -> (usize, usize) {
        if self.tap_rows == 1 {
            return (1, 0); // only lines that are read
        }
        (lines.stride as usize, lines.step.unsigned_abs() as usize) // both fit the copy
    }

    /// Elements of the copy for a band of `count` lines.
    pub(super) fn copied(&self, [_, lines, columns]: &[Slide; 3], count: usize) -> usize {
        let (line, tap) = self.steps(lines);
        (count.saturating_sub(1) * line + (self.tap_rows - 1) * tap + 1)
            * self.region
            * columns.stride as usize
    }
}

/// A band of lines of one plane, for one channel that slides.
pub(super) struct Band<'a> {
    pub axes: &'a [Slide; 3],
    pub blocks: &'a Blocks,
    /// The first line, and how many.
    pub line: usize,
    pub lines: usize,
    /// The first column, and how many.
    pub first: usize,
    pub width: usize,
    /// Channels that stay, their distance, and that of their results.
    pub rows: usize,
    pub row_step: usize,
    pub out_step: usize,
}

impl Band<'_> {
    /// `stays` begins with the band, `slides` is a whole plane, `out` begins with the first tap of the plane of taps.
    pub(super) fn add<T: Scalar>(&self, stays: &[T], slides: &[T], out: &mut [T], copy: &mut [T]) {
        let ([_, lines, columns], blocks) = (self.axes, self.blocks);
        let row = blocks.region * columns.stride as usize; // at most STRIDES
        let (line_step, tap_step) = blocks.steps(lines);
        for r in (0..lines.taps).step_by(blocks.tap_rows) {
            for c in (0..columns.taps).step_by(blocks.tap_columns) {
                let tap_columns = blocks.tap_columns.min(columns.taps - c);
                // The smallest places of the block.
                let last = |step: i64, count: usize| (count as i64 - 1) * step.min(0);
                let top = lines.stride * self.line as i64 + lines.lead + lines.step * r as i64;
                let top = top + last(lines.step, blocks.tap_rows);
                let left = columns.stride * self.first as i64 + columns.lead + columns.step * c as i64;
                let least = (left + last(columns.step, tap_columns)).div_euclid(columns.stride);
                let used = (self.lines - 1) * line_step + (blocks.tap_rows - 1) * tap_step + 1;
                for (m, copy) in copy.chunks_mut(row).take(used).enumerate() {
                    let step = if blocks.tap_rows == 1 { lines.stride } else { 1 };
                    let place = top + step * m as i64;
                    match usize::try_from(place).ok().filter(|&l| l < lines.sources) {
                        Some(l) => {
                            let source = &slides[l * columns.sources..][..columns.sources];
                            copy_places(source, columns.stride, least, copy, blocks.region);
                        }
                        None => copy.fill(T::zero()),
                    }
                }
                let offset = |t: usize| {
                    let (q, s) = (t / tap_columns, t % tap_columns);
                    let q = if lines.step < 0 { blocks.tap_rows - 1 - q } else { q };
                    let place = left + columns.step * s as i64;
                    let region = place.rem_euclid(columns.stride) as usize; // below the stride
                    let within = (place.div_euclid(columns.stride) - least) as usize; // not negative
                    q * tap_step * row + region * blocks.region + within
                };
                let (first, count) = (r * columns.taps + c, blocks.tap_rows * tap_columns);
                for t in (0..count).step_by(TAPS) {
                    let mut table = [0; TAPS];
                    let taps = &mut table[..TAPS.min(count - t)];
                    taps.iter_mut().enumerate().for_each(|(s, tap)| *tap = offset(t + s));
                    let band = Dots {
                        lines: self.lines,
                        width: self.width,
                        rows: self.rows,
                        row_step: self.row_step,
                        a_line: columns.count,
                        taps,
                        b_line: line_step * row,
                        out_step: self.out_step,
                    };
                    dots(&band, stays, copy, &mut out[first + t..]);
                }
            }
        }
    }
}

/// For each remainder of places modulo `stride` a region of the copy: the source from place `least·stride` + remainder on,
/// at distances `stride`, zeros beyond its ends.
fn copy_places<T: Scalar>(source: &[T], stride: i64, least: i64, copy: &mut [T], region: usize) {
    for (remainder, copy) in copy.chunks_mut(region).take(stride as usize).enumerate() {
        // Index a of the region is place stride·(least + a) + remainder of the source.
        let place = |a: i64| stride * (least + a) + remainder as i64;
        let len = copy.len() as i64;
        let beyond = (source.len() as i64 - remainder as i64 + stride - 1).div_euclid(stride) - least;
        let lo = (-least).clamp(0, len);
        let hi = beyond.clamp(lo, len);
        let (ahead, rest) = copy.split_at_mut(lo as usize); // 0 ≤ lo ≤ hi ≤ len
        let (within, after) = rest.split_at_mut((hi - lo) as usize);
        ahead.fill(T::zero());
        after.fill(T::zero());
        if within.is_empty() {
            continue;
        }
        let source = &source[place(lo) as usize..]; // not negative from `lo` on
        if stride == 1 {
            within.copy_from_slice(&source[..within.len()]);
        } else {
            within
                .iter_mut()
                .zip(source.iter().step_by(stride as usize))
                .for_each(|(to, &value)| *to = value);
        }
    }
}
