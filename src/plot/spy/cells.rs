//! The entries of one panel: kept one by one while they are few, counted into a grid once they are many.

use super::{Shading, SpyPanel};
use crate::plot::Rendering;
use crate::plot::canvas::{Canvas, Rect, num};
use crate::plot::colour::{BLUE, ORANGE};
use crate::plot::raster::Raster;
use crate::{Error, Result};

/// Squares smaller than this, in units, are counted into a grid.
pub(super) const MIN_SQUARE: f64 = 1.5;
/// The shade of the palest non-empty cell, so that a lone entry among millions can be seen.
const PALEST: f64 = 0.3;

/// The raster that large matrices are counted into, common to all panels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub longest: usize,
    pub cells: usize,
    pub side: f64,
}

impl Grid {
    /// Units per matrix entry: one cell is a whole unit where the matrix has at least as many entries per side.
    pub(super) fn unit(self) -> f64 {
        let side = if self.cells as f64 * MIN_SQUARE > self.side { self.cells as f64 } else { self.side }; // hundreds
        side / self.longest as f64 // approximate above 2⁵³
    }

    /// The cell of an index, `⌊i·cells/longest⌋`.
    fn cell(self, index: usize) -> usize {
        let wide = index as u128 * self.cells as u128 / self.longest as u128; // widening, longest ≥ 1
        usize::try_from(wide).unwrap_or(self.cells)
    }

    /// How many of `0..n` fall into `cell`.
    fn members(self, cell: usize, n: usize) -> f64 {
        let first =
            |cell: usize| (cell as u128 * self.longest as u128).div_ceil(self.cells as u128).min(n as u128);
        (first(cell + 1) - first(cell)) as f64 // approximate above 2⁵³
    }
}

/// The entries of a panel, one by one or counted.
pub(super) enum Cells {
    Squares { entries: Vec<(usize, usize, f64)>, boundary: Vec<bool> },
    Counted { nnz: usize, grid: Grid, shape: (usize, usize), counts: Vec<Count> },
}

/// What one cell of the grid has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    entries: u64,
    at_boundary: u64,
    largest: f64,
}

impl Cells {
    /// Reads the entries; up to `budget` of them are kept one by one.
    pub(super) fn read(panel: SpyPanel<'_>, budget: usize, grid: Grid) -> Result<Self> {
        let (rows, columns) = panel.shape;
        let is_boundary = |row: usize| panel.boundary.as_ref().is_some_and(|f| f(row));
        let size = |n: usize| if n == 0 { 0 } else { grid.cell(n - 1) + 1 };
        let width = size(columns);
        let mut counts = Vec::new();
        let (mut nnz, mut kept, mut kept_boundary) = (0_usize, Vec::new(), Vec::new());
        let mut add = |(row, column, value): (usize, usize, f64), at_boundary: bool| {
            if counts.is_empty() {
                counts.resize(size(rows) * width, Count::default());
            }
            if let Some(cell) = counts.get_mut(grid.cell(row) * width + grid.cell(column)) {
                cell.entries += 1;
                cell.at_boundary += u64::from(at_boundary);
                cell.largest = cell.largest.max(magnitude(value));
            }
        };
        for entry in panel.entries {
            let (row, column, _) = entry;
            if row >= rows || column >= columns {
                let expected = format!("inside a matrix of {rows} × {columns}");
                return Err(Error::value("the place of an entry", expected, format!("({row}, {column})")));
            }
            nnz += 1;
            if nnz <= budget {
                kept.push(entry);
                kept_boundary.push(is_boundary(row));
                continue;
            }
            for (entry, at_boundary) in kept.drain(..).zip(kept_boundary.drain(..)) {
                add(entry, at_boundary);
            }
            add(entry, is_boundary(row));
        }
        if nnz <= budget {
            return Ok(Cells::Squares { entries: kept, boundary: kept_boundary });
        }
        Ok(Cells::Counted { nnz, grid, shape: panel.shape, counts })
    }

    /// How many entries were read.
    pub(super) fn nnz(&self) -> usize {
        match self {
            Cells::Squares { entries, .. } => entries.len(),
            Cells::Counted { nnz, .. } => *nnz,
        }
    }

    /// Draws the entries over the whole of `frame`.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        frame: Rect,
        shape: (usize, usize),
        shading: Shading,
    ) -> Result<()> {
        match self {
            Cells::Squares { entries, boundary } => {
                // A thin white seam keeps neighbours apart where squares are large enough for it.
                let side = |span: f64, n: usize| span / n.max(1) as f64; // at most a few hundred
                let (w, h) = (side(frame.width, shape.1), side(frame.height, shape.0));
                let seam = if w.min(h) >= 3.0 { 0.12 * w.min(h) } else { 0.0 };
                let largest = entries.iter().map(|e| magnitude(e.2)).fold(0.0, f64::max);
                for (&(row, column, value), &at_boundary) in entries.iter().zip(boundary) {
                    let fill = if at_boundary { ORANGE } else { BLUE };
                    let opacity = match shading {
                        Shading::Magnitude if largest > 0.0 => {
                            let part = PALEST + (1.0 - PALEST) * (magnitude(value) / largest);
                            format!(r#" fill-opacity="{}""#, num(part))
                        }
                        _ => String::new(),
                    };
                    let (x, y) = (frame.x + column as f64 * w, frame.y + row as f64 * h); // at most a few hundred
                    let square = Rect::new(x + seam / 2.0, y + seam / 2.0, w - seam, h - seam);
                    canvas.rect(square, &format!(r#"class="nz" fill="{fill}"{opacity}"#));
                }
                Ok(())
            }
            Cells::Counted { nnz: 0, .. } => Ok(()),
            Cells::Counted { grid, shape, counts, .. } => {
                canvas.image(frame, &counted_raster(*grid, *shape, counts, shading), Rendering::Nearest)
            }
        }
    }
}

/// |value|; what is not a number counts as the largest, so that it cannot hide.
fn magnitude(value: f64) -> f64 {
    if value.is_finite() { value.abs() } else { f64::MAX }
}

/// One pixel per cell, the square root of density (or of magnitude) as depth of colour.
fn counted_raster(grid: Grid, (rows, columns): (usize, usize), counts: &[Count], shading: Shading) -> Raster {
    let width = grid.cell(columns.saturating_sub(1)) + 1;
    let depth = |at: usize| {
        let (row, column) = (at / width, at % width);
        match shading {
            Shading::Pattern => {
                counts[at].entries as f64 / grid.members(row, rows) / grid.members(column, columns) // shades only
            }
            Shading::Magnitude => counts[at].largest,
        }
    };
    let deepest = (0..counts.len()).map(depth).fold(0.0, f64::max);
    Raster::from_fn((counts.len() / width, width), |row, column| {
        let at = row * width + column;
        let cell = counts[at];
        if cell.entries == 0 {
            return [255; 3];
        }
        let part = if deepest > 0.0 { (depth(at) / deepest).sqrt() } else { 1.0 };
        let part = PALEST + (1.0 - PALEST) * part;
        let full: [f64; 3] =
            if 2 * cell.at_boundary > cell.entries { [230.0, 159.0, 0.0] } else { [0.0, 114.0, 178.0] };
        full.map(|c| (255.0 - part * (255.0 - c)).round() as u8) // 0..=255
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_a_cell_and_the_members_add_up() {
        for (longest, cells) in [(1, 1), (7, 7), (1000, 290), (262_144, 400), (usize::MAX, 400)] {
            let grid = Grid { longest, cells, side: 400.0 };
            assert_eq!((grid.cell(0), grid.cell(longest - 1)), (0, cells - 1));
            let sum: f64 = (0..cells).map(|c| grid.members(c, longest)).sum();
            assert!((sum - longest as f64).abs() <= 1e-9 * longest as f64);
        }
    }
}
