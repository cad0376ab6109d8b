//! Fast Fourier transforms: plans for lines and grids, lengths that transform fast, data placed on padded lines.
//!
//! Plans are made once and kept for the next operator (`plans`). Transforms take all their memory from the caller, split their work into parts that depend on
//! sizes only, and compute every line by itself: no result depends on the number of threads.

mod grid;
mod line;
mod placement;
mod plans;
mod size;
mod tile;

pub(crate) use grid::GridFft;
pub(crate) use line::{LineFft, Spectrum, line_fft, packed_fft, per_complex};
pub(crate) use placement::Placement;
pub(crate) use size::{good_line_size, good_size, tile_sizes};
pub(crate) use tile::TileFft;
