//! One axis of a convolution as words and numbers, and what they mean, written down a second time.

use super::BOUNDARIES;
use super::naive::Axis;
use convmtx::{ConvMode, Convention};
use proptest::prelude::*;
use std::ops::Range;

/// What one axis can be.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub mode: ConvMode,
    pub convention: Convention,
    pub n: usize,
    pub taps: usize,
    pub stride: usize,
    pub dilation: usize,
    pub boundary: &'static str,
}

impl Setting {
    /// The numbers of the table, written down a second time.
    pub fn axis(&self) -> Axis {
        let (n, k) = (self.n as i64, ((self.taps - 1) * self.dilation + 1) as i64);
        let (offset, m) = match (self.mode, self.convention) {
            (ConvMode::Full, _) => (0, n + k - 1),
            (ConvMode::Same, Convention::Matlab) => (k / 2, n),
            (ConvMode::Same, Convention::Scipy) => ((k - 1) / 2, n),
            (ConvMode::Same, Convention::Numpy) => ((n.min(k) - 1) / 2, n.max(k)),
            (ConvMode::Valid, Convention::Matlab) => (k - 1, (n - k + 1).max(0)),
            (ConvMode::Valid, _) => (n.min(k) - 1, (n - k).abs() + 1),
        };
        let m = (m as usize).div_ceil(self.stride);
        let (stride, dilation) = (self.stride as i64, self.dilation as i64);
        Axis { n: self.n, m, taps: self.taps, offset, stride, dilation, boundary: self.boundary }
    }
}

/// Any setting with a signal of one of the lengths, in MATLAB's convention.
pub fn any_setting(lengths: Range<usize>) -> impl Strategy<Value = Setting> {
    let modes = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];
    (0..3_usize, lengths, 1..5_usize, 1..3_usize, 1..3_usize, 0..6_usize).prop_map(
        move |(mode, n, taps, stride, dilation, boundary)| Setting {
            mode: modes[mode],
            convention: Convention::Matlab,
            n,
            taps,
            stride,
            dilation,
            boundary: BOUNDARIES[boundary],
        },
    )
}
