//! What a product by transforms would cost, before anything is transformed.

use super::axis::Line;
use super::blocks::block_len;
use crate::conv::Bank;
use crate::error::Result;
use crate::scalar::{Scalar, check_finite};
use crate::stencil::Side;
use crate::transform::{good_line_size, good_size};

/// The work of one forward product.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effort {
    /// Real additions and multiplications.
    pub flops: f64,
    /// Bytes read and written in memory, if everything within a block stays in the cache.
    pub bytes: f64,
    /// Bytes that one transform works on.
    pub working_set: f64,
    /// Length of the transforms per axis, and number of blocks of each signal.
    pub shape: Vec<usize>,
    /// Number of blocks of each signal.
    pub blocks: usize,
}

/// The effort for a bank; `None` where there is nothing to compute.
///
/// # Errors
/// What [`FftConv`](super::FftConv) would refuse before it allocates: taps that are not finite.
pub(crate) fn effort<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> Result<Option<Effort>> {
    check_finite("the kernel", bank.kernels())?;
    let Some(lines) = Line::all(bank)? else { return Ok(None) };
    let c = bank.channels();
    let (sources, results) = c.flow(Side::Forward);
    // All numbers below are estimates.
    let (groups, sources, results) = (c.groups as f64, sources as f64, results as f64);
    let element = size_of::<T>() as f64;
    let vectors = (bank.shape().0 + bank.shape().1) as f64 * element;
    let (shape, blocks) = match &lines[..] {
        [line] => {
            let (len, whole) = block_len::<T>(line);
            let per_block = (len - line.span.min(len)) / line.output.step() + 1;
            (vec![len], if whole { 1 } else { line.output.samples().div_ceil(per_block) })
        }
        [outer @ .., inner] => {
            let columns = outer.iter().map(|l| good_size(l.least));
            (columns.chain([good_line_size::<T>(inner.least)]).collect(), 1)
        }
        [] => unreachable!("a convolution has at least one axis"),
    };
    let points: f64 = shape.iter().map(|&n| n as f64).product();
    let per_point = if T::IS_COMPLEX { (5.0, 8.0) } else { (2.5, 4.0) };
    let transform = per_point.0 * points * points.log2().max(1.0);
    // Source spectra are computed once per product where a group has several results, and otherwise as they are needed.
    let transforms = groups * (sources + results) * blocks as f64;
    let products = groups * sources * results * blocks as f64;
    // Blocks stay in the cache; a grid goes to memory twice per transform, and its kernel's spectrum comes from there.
    let passes = if D == 1 { 0.0 } else { 2.0 * transforms + products };
    Ok(Some(Effort {
        flops: transforms * transform + products * per_point.1 * points,
        bytes: vectors + passes * points * element,
        working_set: points * element,
        shape,
        blocks,
    }))
}
