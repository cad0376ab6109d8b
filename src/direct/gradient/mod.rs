//! Few results from very long sums: the gradient of a convolution with respect to its kernel.
//!
//! In pseudo-code, for the channels f of y and c of x that meet in a kernel:
//!
//! ```text
//! for every tap t:  out[f, c, t] = Σ_members Σ_i  y[f, i] · conj(x[c, stride·i + lead + step·t])
//! ```
//!
//! with zeros beyond the ends of x. Deviations: (1) bands of lines of the operand that slides are copied with the zeros filled
//! in, elements that meet neighbours side by side, so that every tap sees its operand at a distance of its own and the
//! inner loop (`simd::dots`) knows neither ends nor strides; a copy serves all channels and all taps; (2) where the samples
//! are the ones spread, y slides over x; (3) sums are cut into chunks, whose number depends on the sizes only, and
//! the sums of the chunks are added in their order.
//!
//! A zero filled in times an infinity would be NaN where the definition has no term at all. Whoever finds a result that is
//! not finite must compute it again, term by term.

mod bands;

use crate::conv::Channels;
use crate::error::Result;
use crate::parallel;
use crate::scalar::Scalar;
use crate::stencil::Axis;
use bands::{Band, Blocks, Slide};
use std::ops::Range;

/// Elements of the copy: it stays in the first or second cache.
const COPY: usize = 8192;

/// Elements of the copy for small problems, which need not clear a large one.
const SMALL_COPY: usize = 512;

/// Columns of a band, and of one that is a single line.
const COLUMNS: usize = 256;
const LONG: usize = 1024;

/// The largest stride that is copied: `STRIDES·(LONG + REACH + 1)` fits the copy.
const STRIDES: i64 = 4;

/// Multiply-adds of a chunk, at least.
const WORK: usize = 1 << 19;

/// At most this many chunks, whose results together have at most this many elements.
const CHUNKS: usize = 64;
const RESULTS: usize = 1 << 20;

/// Output channels from which on these are divided among threads instead of the sums.
const MANY: usize = 128;

/// Output channels of such a part.
const CHANNELS: usize = 4;

/// Which operand stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    Outputs,
    Samples,
}

/// The geometry of a gradient.
#[derive(Debug, Clone)]
pub(super) struct Gradient {
    /// Planes, lines, columns.
    axes: [Slide; 3],
    stays: Stays,
    groups: usize,
    /// Channels of a group.
    outputs: usize,
    inputs: usize,
    /// Pairs of x and y with the same kernel.
    members: usize,
}

/// The two operands: all members, and in each all channels.
#[derive(Clone, Copy)]
struct Operands<'a, T> {
    stays: &'a [T],
    slides: &'a [T],
}

impl Gradient {
    /// For an operator whose kernels are the samples (see `KernelOperator`), `axes` and `channels` its own. `None` where axes
    /// are extended, strided so far that the copy does not pay, or channels connected otherwise.
    pub(super) fn new(axes: &[Axis], channels: &Channels) -> Option<Self> {
        let c = channels;
        let dense = c.per_output == c.inputs && c.per_input == 1;
        let (groups, outputs, members) = match (c.groups, c.inputs, c.outputs) {
            (groups, _, 1) if dense && groups % c.div == 0 => (groups / c.div, c.div, 1),
            (1, 1, members) if dense && c.div == 1 => (1, 1, members), // one kernel for all
            _ => return None,
        };
        let bands = || axes.iter().map(Axis::band);
        let zeros = axes.iter().all(|a| a.extension() == crate::boundary::Extension::Zero);
        // With both, few channels stay and many slide, or the reverse: rows of a tile should be many.
        let samples = bands().all(|b| b.stride() == 1);
        let stays = match bands().all(|b| b.dilation() == 1) {
            true if samples && c.inputs > outputs => Stays::Samples,
            true => Stays::Outputs,
            false if samples => Stays::Samples,
            false => return None,
        };
        if !zeros || axes.len() > 3 {
            return None;
        }
        let alone = Slide { count: 1, sources: 1, stride: 1, lead: 0, step: 0, taps: 1 };
        let mut slides = [alone; 3];
        for (slide, b) in slides[3 - axes.len()..].iter_mut().zip(bands()) {
            // stride·i + offset = dilation·sample + spread·tap
            let step = b.spread() as i64; // this and the numbers below are under 2^61, see `Band`
            *slide = match stays {
                Stays::Outputs => Slide {
                    count: b.output(),
                    sources: b.taps(),
                    stride: b.stride() as i64,
                    lead: b.offset(),
                    step: -step,
                    taps: b.input(),
                },
                Stays::Samples => Slide {
                    count: b.taps(),
                    sources: b.output(),
                    stride: b.dilation() as i64,
                    lead: -b.offset(),
                    step,
                    taps: b.input(),
                },
            };
        }
        let fits = slides[2].stride <= STRIDES && slides.iter().all(|s| s.taps > 0);
        fits.then_some(Gradient { axes: slides, stays, groups, outputs, inputs: c.inputs, members })
    }

    /// The same for `count` times as many members.
    pub(super) fn times(self, count: usize) -> Self {
        Gradient { members: self.members * count, ..self }
    }

    fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.taps).product()
    }

    /// Results of one output channel.
    fn per_output(&self) -> usize {
        self.inputs * self.taps()
    }

    fn results(&self) -> usize {
        self.groups * self.outputs * self.per_output()
    }

    fn columns(&self) -> usize {
        if self.axes[1].count == 1 { LONG } else { COLUMNS }
    }

    /// Stretches that are summed over: members × planes × segments of columns × lines.
    fn stretches(&self) -> usize {
        let [planes, lines, columns] = self.axes.each_ref().map(|a| a.count);
        self.members * planes * columns.div_ceil(self.columns()) * lines
    }

    /// Into how many chunks the sums are cut.
    fn chunks(&self) -> usize {
        if self.groups * self.outputs >= MANY {
            return 1;
        }
        let stays: usize = self.axes.iter().map(|a| a.count).product();
        let work = stays.saturating_mul(self.results()).saturating_mul(self.members);
        let most = (RESULTS / self.results().max(1)).clamp(1, CHUNKS);
        (work / WORK).clamp(1, most).min(self.stretches().max(1))
    }

    /// Elements of scratch: the results of every chunk.
    pub(super) fn scratch_len(&self) -> usize {
        match self.chunks() {
            1 => 0,
            chunks => chunks * self.results(),
        }
    }

    /// `out ←` all results, of kernels one after the other.
    pub(super) fn product<T: Scalar>(
        &self,
        x: &[T],
        y: &[T],
        out: &mut [T],
        scratch: &mut [T],
    ) -> Result<()> {
        self.sums(x, y, out, scratch)?;
        if T::IS_COMPLEX && self.stays == Stays::Samples {
            out.iter_mut().for_each(|value| *value = value.conj()); // the inner loop conjugates what slides
        }
        Ok(())
    }

    fn sums<T: Scalar>(&self, x: &[T], y: &[T], out: &mut [T], scratch: &mut [T]) -> Result<()> {
        let operands = match self.stays {
            Stays::Outputs => Operands { stays: y, slides: x },
            Stays::Samples => Operands { stays: x, slides: y },
        };
        let (chunks, results, stretches) = (self.chunks(), self.results(), self.stretches());
        if chunks == 1 {
            let part = (CHANNELS * self.per_output()).max(1);
            return parallel::for_each_part(out, part, &mut [], 0, |start, part, _: &mut [()]| {
                let first = start / self.per_output();
                self.part(operands, first..first + part.len() / self.per_output(), 0..stretches, part);
                Ok(())
            });
        }
        let partial = &mut scratch[..chunks * results];
        let each = stretches.div_ceil(chunks);
        parallel::for_each_part(partial, results, &mut [], 0, |start, part, _: &mut [()]| {
            let first = (start / results * each).min(stretches);
            let all = 0..self.groups * self.outputs;
            self.part(operands, all, first..stretches.min(first + each), part);
            Ok(())
        })?;
        let (first, others) = partial.split_at(results);
        out.copy_from_slice(first);
        for part in others.chunks(results) {
            out.iter_mut().zip(part).for_each(|(sum, &value)| *sum += value);
        }
        Ok(())
    }

    /// `out ←` the results of some output channels, as far as some stretches contribute to them.
    fn part<T: Scalar>(
        &self,
        operands: Operands<T>,
        outputs: Range<usize>,
        stretches: Range<usize>,
        out: &mut [T],
    ) {
        out.fill(T::zero());
        let blocks = Blocks::new(&self.axes, self.columns());
        let small = blocks.copied(&self.axes, self.axes[1].count.min(blocks.lines)) <= SMALL_COPY;
        let (mut copy, mut small_copy); // one of them
        let copy: &mut [T] = if small {
            small_copy = [T::zero(); SMALL_COPY];
            &mut small_copy
        } else {
            copy = [T::zero(); COPY];
            &mut copy
        };
        let (mut done, end) = (outputs.start, outputs.end);
        while done < end {
            let group = done / self.outputs;
            let some = done..end.min((group + 1) * self.outputs);
            let to = &mut out[(done - outputs.start) * self.per_output()..];
            done = some.end;
            self.in_group(operands, group, some, &stretches, &blocks, to, copy);
        }
    }

    /// Some output channels of one group: adds band after band.
    #[allow(clippy::too_many_arguments)] // one caller, with these numbers at hand
    fn in_group<T: Scalar>(
        &self,
        operands: Operands<T>,
        group: usize,
        outputs: Range<usize>,
        stretches: &Range<usize>,
        blocks: &Blocks,
        out: &mut [T],
        copy: &mut [T],
    ) {
        let [planes, lines, columns] = &self.axes;
        let (plane, source_plane) = (lines.count * columns.count, lines.sources * columns.sources);
        let (volume, source_volume) = (planes.count * plane, planes.sources * source_plane);
        // Channels that stay are rows of a tile, channels that slide come one after the other.
        let (stay, slide, rows, sliding, row_out, slide_out) = match self.stays {
            Stays::Outputs => {
                let inputs = group * self.inputs..(group + 1) * self.inputs;
                let of_all = (self.groups * self.outputs, self.groups * self.inputs);
                (of_all.0, of_all.1, outputs, inputs, self.per_output(), self.taps())
            }
            Stays::Samples => {
                let inputs = group * self.inputs..(group + 1) * self.inputs;
                let of_all = (self.groups * self.inputs, self.groups * self.outputs);
                (of_all.0, of_all.1, inputs, outputs, self.taps(), self.per_output())
            }
        };
        let segments = columns.count.div_ceil(self.columns());
        let mut at = stretches.start;
        while at < stretches.end {
            let (line, rest) = (at % lines.count, at / lines.count);
            let (segment, rest) = (rest % segments, rest / segments);
            let (p, member) = (rest % planes.count, rest / planes.count);
            let count = (lines.count - line).min(stretches.end - at).min(blocks.lines);
            at += count;
            let first = segment * self.columns();
            let width = self.columns().min(columns.count - first);
            let stays = (member * stay + rows.start) * volume + p * plane + line * columns.count + first;
            for tap_plane in 0..planes.taps {
                let place = planes.stride * p as i64 + planes.lead + planes.step * tap_plane as i64;
                let Some(source) = usize::try_from(place).ok().filter(|&s| s < planes.sources) else {
                    continue;
                };
                for (index, channel) in sliding.clone().enumerate() {
                    let slides = (member * slide + channel) * source_volume + source * source_plane;
                    let band = Band {
                        axes: &self.axes,
                        blocks,
                        line,
                        lines: count,
                        first,
                        width,
                        rows: rows.len(),
                        row_step: volume,
                        out_step: row_out,
                    };
                    let out = &mut out[index * slide_out + tap_plane * lines.taps * columns.taps..];
                    band.add(&operands.stays[stays..], &operands.slides[slides..][..source_plane], out, copy);
                }
            }
        }
    }
}
