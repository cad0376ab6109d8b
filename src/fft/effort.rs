//! What a product by transforms would cost, before anything is transformed.

use super::Cutting;
use super::axis::Line;
use super::blocks::{block_cost, block_len};
use super::grid::grid_len;
use super::tiling::{unit_cost, whole_cost};
use crate::conv::Bank;
use crate::error::Result;
use crate::scalar::{Scalar, check_finite};
use crate::stencil::Side;
use crate::transform::{Spectrum, per_complex};

/// What a point costs that is multiplied and added up, in the unit of [`whole_cost`].
const PRODUCT: f64 = 4.0;

/// The work of one forward product.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effort {
    /// Real additions and multiplications.
    pub flops: f64,
    /// Bytes read and written in memory, if everything within a block stays in the cache.
    pub bytes: f64,
    /// What it all costs, copies and products included, in the unit of [`whole_cost`].
    pub cost: f64,
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
    // The shape of a block or tile, how many there are, how many transforms of them, and what one there and back costs.
    let (shape, blocks, transforms, whole, cost) = match &lines[..] {
        [line] => {
            let (len, whole) = block_len::<T>(line);
            let per_block = (len - line.span.min(len)) / line.output.step() + 1;
            let blocks = if whole { 1 } else { line.output.samples().div_ceil(per_block) };
            let transforms = blocks.div_ceil(if whole { 1 } else { per_complex::<T>() });
            (vec![len], blocks, transforms, whole, block_cost::<T>(len, whole))
        }
        _ => match Cutting::best::<T>(&lines) {
            Cutting::Tiles(tiling) => {
                let cut = tiling.cut::<T>(Side::Forward, &lines, &lines.each_ref().map(|l| &l.output));
                let tiles = lines.iter().zip(cut.len).map(|(l, len)| l.output.samples().div_ceil(len));
                let cost = unit_cost::<T>(&tiling.shape);
                (tiling.shape.to_vec(), tiles.product(), cut.count.iter().product(), false, cost)
            }
            Cutting::Whole => {
                let shape: [usize; D] = std::array::from_fn(|a| grid_len::<T>(&lines[a], a + 1 == D));
                (shape.to_vec(), 1, 1, true, whole_cost::<T>(&shape))
            }
        },
    };
    let points: f64 = shape.iter().map(|&n| n as f64).product();
    // Real numbers have half the operations: as a whole by half spectra, in blocks by two of them in one transform.
    let (real, per_value) = if T::IS_COMPLEX || !whole { (1.0, 1.0) } else { (0.5, 2.0) };
    let transform = real * 5.0 * points * points.log2().max(1.0);
    // Source spectra are computed once per product where a group has several results, and otherwise as they are needed.
    let products = groups * sources * results * transforms as f64;
    let transforms = groups * (sources + results) * transforms as f64;
    // Blocks and tiles stay in the cache; a grid goes to memory twice per transform, and its kernel's spectrum comes from there.
    let passes = if D > 1 && whole { 2.0 * transforms + products } else { 0.0 };
    let value = size_of::<Spectrum<T>>() as f64 / per_value;
    Ok(Some(Effort {
        flops: transforms * transform + products * real * 8.0 * points,
        bytes: vectors + passes * points * value,
        // Each result of several channels needs products of its own.
        cost: transforms / 2.0 * cost + (products - transforms / 2.0).max(0.0) * real * PRODUCT * points,
        shape,
        blocks,
    }))
}
