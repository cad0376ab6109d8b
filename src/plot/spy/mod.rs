//! Sparsity patterns: which entries of a matrix are not zero.
//!
//! Small matrices become one square per entry. Large ones are counted into a grid of at most 400 cells per side while the
//! entries pass by, so a picture of a matrix with billions of rows takes no more memory than that of a small one.

mod cells;

use super::Figure;
use super::axis::{Axis, count};
use super::canvas::{Anchor, Canvas, Rect, TextStyle};
use super::colour::{self, BLUE, ORANGE};
use crate::{Error, Result};
use cells::{Cells, Grid, MIN_SQUARE};

/// The most squares in a picture; more entries are counted into a grid.
const MAX_SQUARES: usize = 20_000;
/// The shortest a side of a frame gets, so that a matrix of few rows or none can be seen.
const SHORTEST: f64 = 4.0;
/// Where the first panel begins, right of the word "row".
const FIRST: f64 = 28.0;

/// What the depth of colour means.
///
/// # Examples
/// ```
/// use convmtx::plot::{Shading, Spy, SpyPanel};
/// let panel = SpyPanel::new("", (2, 2), [(0, 0, 4.0), (1, 1, 1.0)]);
/// let figure = Spy::new().panel(panel).shading(Shading::Magnitude).draw()?;
/// assert!(figure.to_svg().contains("fill-opacity"));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shading {
    /// Every entry looks the same; cells that stand for many entries are darker the more of them are stored.
    #[default]
    Pattern,
    /// Darker is larger in magnitude, relative to the largest of the panel; cells show their largest.
    Magnitude,
}

type Entries<'a> = Box<dyn Iterator<Item = (usize, usize, f64)> + 'a>;

/// One matrix for [`Spy`].
///
/// # Examples
/// ```
/// use convmtx::plot::{Spy, SpyPanel};
/// let tridiagonal = (0..9_usize).flat_map(|i| (i.saturating_sub(1)..(i + 2).min(9)).map(move |j| (i, j, 1.0)));
/// let figure = Spy::new().panel(SpyPanel::new("second differences", (9, 9), tridiagonal)).draw()?;
/// assert!(figure.to_svg().contains("nz = 25"));
/// # Ok::<(), convmtx::Error>(())
/// ```
pub struct SpyPanel<'a> {
    title: String,
    shape: (usize, usize),
    entries: Entries<'a>,
    boundary: Option<Box<dyn Fn(usize) -> bool + 'a>>,
}

impl<'a> SpyPanel<'a> {
    /// A matrix of this shape (rows, columns) from its stored entries (row, column, value), in any order.
    ///
    /// The entries are read once, when the picture is drawn, and never kept beyond a fixed number.
    pub fn new(
        title: impl Into<String>,
        shape: (usize, usize),
        entries: impl IntoIterator<Item = (usize, usize, f64), IntoIter: 'a>,
    ) -> Self {
        Self { title: title.into(), shape, entries: Box::new(entries.into_iter()), boundary: None }
    }

    /// Draws the rows for which `is_boundary` holds in the second colour.
    pub fn boundary_rows(mut self, is_boundary: impl Fn(usize) -> bool + 'a) -> Self {
        self.boundary = Some(Box::new(is_boundary));
        self
    }
}

impl std::fmt::Debug for SpyPanel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpyPanel")
            .field("title", &self.title)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// Sparsity patterns beside each other at one scale: row indices run down, column indices to the right, both from 0, and
/// the number of stored entries stands below, as MATLAB's `spy` has it.
///
/// # Examples
/// ```
/// use convmtx::plot::{Shading, Spy, SpyPanel};
/// let k = [1.0, 4.0, 6.0, 4.0, 1.0];
/// let rows = |offset: usize, m: usize| {
///     (0..m).flat_map(move |i| {
///         (0..5).filter_map(move |t| Some((i, (i + offset).checked_sub(t).filter(|&j| j < 50)?, k[t])))
///     })
/// };
/// let figure = Spy::new()
///     .panel(SpyPanel::new("full", (54, 50), rows(0, 54)).boundary_rows(|i| i < 4 || i >= 50))
///     .panel(SpyPanel::new("valid", (46, 50), rows(4, 46)))
///     .boundary_label("rows cut off by an end of the signal")
///     .shading(Shading::Pattern)
///     .draw()?;
/// assert!(figure.to_svg().contains("nz = 250") && figure.to_svg().contains("nz = 230"));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug)]
pub struct Spy<'a> {
    panels: Vec<SpyPanel<'a>>,
    shading: Shading,
    boundary_label: String,
}

impl Default for Spy<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Spy<'a> {
    /// A picture without panels yet.
    pub fn new() -> Self {
        let boundary_label = "rows reached by the boundary".to_owned();
        Self { panels: Vec::new(), shading: Shading::Pattern, boundary_label }
    }

    /// Adds a matrix to the right.
    pub fn panel(mut self, panel: SpyPanel<'a>) -> Self {
        self.panels.push(panel);
        self
    }

    /// What the depth of colour means.
    pub fn shading(mut self, shading: Shading) -> Self {
        self.shading = shading;
        self
    }

    /// What the legend calls the rows marked by [`SpyPanel::boundary_rows`].
    pub fn boundary_label(mut self, label: impl Into<String>) -> Self {
        self.boundary_label = label.into();
        self
    }

    /// Reads the entries and draws the picture; O(entries) time.
    ///
    /// # Errors
    /// [`Error::Empty`] without a panel, [`Error::Value`] for an entry outside its matrix.
    pub fn draw(self) -> Result<Figure> {
        if self.panels.is_empty() {
            return Err(Error::Empty { what: "the row of sparsity patterns" });
        }
        let side: f64 = match self.panels.len() {
            1 => 400.0,
            2 => 340.0,
            _ => 290.0,
        };
        let marked = self.panels.iter().any(|p| p.boundary.is_some());
        let longest = self.panels.iter().map(|p| p.shape.0.max(p.shape.1)).fold(1, usize::max);
        let budget = MAX_SQUARES / self.panels.len();
        // Whole half units per entry where there is room, so that squares are sharp at scale 2.
        let unit = (2.0 * side / longest as f64).floor() / 2.0; // approximate above 2⁵³
        let grid = Grid { longest, cells: longest.min(side as usize), side }; // a few hundred
        let (unit, budget) = if unit >= MIN_SQUARE { (unit.min(30.0), budget) } else { (grid.unit(), 0) };

        let mut canvas = Canvas::default();
        let (mut x, mut bottom) = (FIRST, 0.0_f64);
        for panel in self.panels {
            let (title, shape) = (panel.title.clone(), panel.shape);
            let cells = Cells::read(panel, budget, grid)?;
            (x, bottom) = draw_panel(&mut canvas, (x, bottom), (&title, shape), &cells, unit, self.shading)?;
        }
        if marked {
            let swatch = |x: f64| Rect::new(x, bottom + 6.0, 11.0, 11.0);
            let entry = 17.0 + TextStyle::LABEL.width("interior rows") + 24.0;
            let label = TextStyle::LABEL.fit(&self.boundary_label, x.max(300.0) - FIRST - entry - 24.0);
            let width = entry + 17.0 + TextStyle::LABEL.width(&label);
            let left = ((x - width) / 2.0).max(8.0);
            canvas.rect(swatch(left), &format!(r#"fill="{BLUE}""#));
            canvas.text((left + 17.0, bottom + 16.0), TextStyle::LABEL, "interior rows");
            canvas.rect(swatch(left + entry), &format!(r#"fill="{ORANGE}""#));
            canvas.text((left + entry + 17.0, bottom + 16.0), TextStyle::LABEL, &label);
            (x, bottom) = (x.max(left + width + 12.0), bottom + 28.0);
        }
        Ok(canvas.into_figure(x, bottom))
    }
}

/// Draws one panel with its left edge at `x`; returns where the next one begins and how far down the picture reaches.
fn draw_panel(
    canvas: &mut Canvas,
    (x, bottom): (f64, f64),
    (title, (rows, columns)): (&str, (usize, usize)),
    cells: &Cells,
    unit: f64,
    shading: Shading,
) -> Result<(f64, f64)> {
    let length = |n: usize| (n as f64 * unit).max(SHORTEST); // approximate above 2⁵³
    let (row_axis, column_axis) = (Axis::indices(rows, 6), Axis::indices(columns, 6));
    let small = TextStyle::TICK;
    let digits = row_axis.ticks.iter().map(|t| small.width(&index(t.value))).fold(0.0, f64::max);
    let size = format!("{} × {}", count(rows), count(columns));
    let below = format!("nz = {}", count(cells.nnz()));
    // The title and the size share a line; a panel is at least as wide as they and the words below need.
    let gap = if title.is_empty() { 0.0 } else { 10.0 };
    let title = TextStyle::TITLE.fit(title, length(columns).max(240.0));
    let heading = TextStyle::TITLE.width(&title) + gap + TextStyle::LABEL.width(&size);
    let taken = length(columns).max(heading).max(TextStyle::LABEL.width(&below));
    let left = (x + digits + 10.0 + (taken - length(columns)) / 2.0).round();
    let frame = Rect::new(left, 46.0, length(columns), length(rows));
    let (middle, end) = (frame.centre().0, frame.bottom());

    let start = middle - heading / 2.0;
    canvas.text((start, 32.0), TextStyle::TITLE, &title);
    let at = start + TextStyle::TITLE.width(&title) + gap;
    canvas.text((at, 32.0), TextStyle::LABEL.coloured(colour::SOFT), &size);
    cells.draw(canvas, frame, (rows, columns), shading)?;
    let axis = format!(r#"stroke="{}" stroke-width="1""#, colour::SOFT);
    canvas.rect(frame, &format!(r#"fill="none" {axis}"#));
    let ticks = |axis: &Axis, span: f64, room: f64| -> Vec<(f64, String)> {
        let places =
            axis.ticks.iter().map(|t| (axis.fraction(t.value).unwrap_or(0.0) * span, index(t.value)));
        let places: Vec<_> = places.collect();
        let crowded = span < room * (places.len().max(1) - 1) as f64; // a dozen ticks
        places.into_iter().take(if crowded { 1 } else { usize::MAX }).collect()
    };
    let widest = column_axis.ticks.iter().map(|t| small.width(&index(t.value))).fold(0.0, f64::max);
    for (offset, label) in ticks(&column_axis, frame.width, widest + 6.0) {
        let x = frame.x + offset;
        canvas.line((x, end), (x, end + 4.0), &axis);
        canvas.text((x, end + 16.0), small.anchored(Anchor::Middle), &label);
    }
    for (offset, label) in ticks(&row_axis, frame.height, 13.0) {
        let y = frame.y + offset;
        canvas.line((frame.x - 4.0, y), (frame.x, y), &axis);
        canvas.text((frame.x - 7.0, y + 4.0), small.anchored(Anchor::End), &label);
    }
    let words = TextStyle::LABEL.anchored(Anchor::Middle);
    if x == FIRST {
        canvas.text_turned((18.0, frame.centre().1), words, "row");
    }
    canvas.text((middle, end + 33.0), words, "column");
    canvas.text((middle, end + 50.0), words.coloured(colour::SOFT), &below);
    Ok((x + digits + 10.0 + taken + 26.0, bottom.max(end + 56.0)))
}

/// The label of an index tick.
fn index(value: f64) -> String {
    count(value.max(0.0) as usize) // a whole number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_entries_become_an_image() -> Result<()> {
        let dense = (0..180).flat_map(|i| (0..180).map(move |j| (i, j, 1.0)));
        let figure = Spy::new().panel(SpyPanel::new("dense", (180, 180), dense)).draw()?;
        assert_eq!(
            (figure.body().matches("<image").count(), figure.body().matches("\"nz\"").count()),
            (1, 0)
        );
        Ok(())
    }

    #[test]
    fn empty_matrices_have_a_frame() -> Result<()> {
        for shape in [(0, 50), (50, 0), (0, 0), (1, 1)] {
            let figure = Spy::new().panel(SpyPanel::new("", shape, [])).draw()?;
            assert!(figure.body().contains("nz = 0"), "{shape:?}");
        }
        Ok(())
    }

    #[test]
    fn entries_outside_are_errors() {
        let outside = Spy::new().panel(SpyPanel::new("", (3, 3), [(3, 0, 1.0)])).draw();
        assert!(outside.unwrap_err().to_string().contains("(3, 0)"));
        assert!(matches!(Spy::new().draw(), Err(Error::Empty { .. })));
    }
}
