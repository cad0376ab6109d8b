//! Heat maps: a 2-D kernel, a point spread function, any small matrix of numbers.

use super::axis::{self, Axis, Scale};
use super::canvas::{Anchor, Canvas, Rect, TextStyle};
use super::colour::{self, ColourMap};
use super::raster::Raster;
use super::{Figure, Rendering};
use crate::{Error, Real, Result};
use ndarray::ArrayView2;

/// The length of the longer side of the map, in units.
const SIDE: f64 = 260.0;
/// The shortest a side gets, however long the other is.
const SHORTEST: f64 = 24.0;
/// More cells per side than this are averaged.
const MAX_CELLS: usize = 640;
/// The colour bar's number of colours, width and distance from the map.
const BAR: (usize, f64, f64) = (128, 14.0, 18.0);

/// A matrix of numbers as colours, with a colour bar; rows run down, columns to the right.
///
/// Where all numbers have one sign the colours are viridis between 0 and the extreme; otherwise they diverge from white at
/// 0, with the same range on both sides. Up to 8 cells per side the numbers are printed into the cells. NaN and infinite
/// numbers are light grey.
///
/// # Examples
/// ```
/// use convmtx::plot::HeatMap;
/// use ndarray::array;
/// let sharpen = array![[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]];
/// let figure = HeatMap::new(sharpen.view()).title("Sharpening kernel").draw()?;
/// assert!(figure.to_svg().contains("−1"));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeatMap {
    title: String,
    shape: (usize, usize),
    cells: Vec<f64>,
    colours: Option<ColourMap>,
}

impl HeatMap {
    /// A map of `values`.
    pub fn new<T: Real>(values: ArrayView2<'_, T>) -> Self {
        let cells = values.iter().map(|v| v.as_f64()).collect(); // row by row, whatever the strides
        Self { title: String::new(), shape: values.dim(), cells, colours: None }
    }

    /// The words above the map.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Other colours than those the signs of the numbers suggest.
    pub fn colours(mut self, colours: ColourMap) -> Self {
        self.colours = Some(colours);
        self
    }

    /// Draws the map.
    ///
    /// # Errors
    /// [`Error::Empty`] for a matrix without elements.
    pub fn draw(&self) -> Result<Figure> {
        let (rows, columns) = self.shape;
        if self.cells.is_empty() {
            return Err(Error::Empty { what: "the matrix of a heat map" });
        }
        let (low, high, colours) = self.range();
        let part = |v: f64| if v.is_finite() { v / (high - low) - low / (high - low) } else { f64::NAN };
        let longest = rows.max(columns) as f64; // exact below 2⁵³
        let side = |cells: usize| (SIDE * cells as f64 / longest).max(SHORTEST).round();

        let (x, y) = (Axis::indices(columns, 7), Axis::indices(rows, 7));
        let number_width =
            |axis: &Axis| axis.ticks.iter().map(|t| TextStyle::TICK.width(&t.label)).fold(0.0, f64::max);
        let top = if self.title.is_empty() { 14.0 } else { 38.0 };
        let map = Rect::new((30.0 + number_width(&y) + 6.0).round(), top, side(columns), side(rows));
        let mut canvas = Canvas::default();
        canvas.image(map, &self.raster(colours, part), Rendering::Nearest)?;
        canvas.rect(map, &format!(r#"fill="none" stroke="{}" stroke-width="1""#, colour::SOFT));
        for tick in &x.ticks {
            let at = (map.x + x.fraction(tick.value).unwrap_or(0.0) * map.width, map.bottom() + 15.0);
            canvas.text(at, TextStyle::TICK.anchored(Anchor::Middle), &tick.label);
        }
        for tick in y.ticks.iter().filter(|_| map.height >= 12.0 * y.ticks.len() as f64) {
            let at = (map.x - 6.0, map.y + y.fraction(tick.value).unwrap_or(0.0) * map.height + 4.0);
            canvas.text(at, TextStyle::TICK.anchored(Anchor::End), &tick.label);
        }
        let words = TextStyle::LABEL.anchored(Anchor::Middle);
        canvas.text((map.centre().0, map.bottom() + 34.0), words, "column");
        canvas.text_turned((18.0, map.centre().1), words, "row");
        self.print_numbers(&mut canvas, map, |v| colours.at(part(v)));

        let bar = Rect::new(map.right() + BAR.2, map.y, BAR.1, map.height.max(90.0));
        let shades = Raster::from_fn((BAR.0, 1), |i, _| colours.at(1.0 - (i as f64 + 0.5) / BAR.0 as f64));
        canvas.image(bar, &shades, Rendering::Nearest)?;
        let stroke = format!(r#"stroke="{}" stroke-width="1""#, colour::SOFT);
        canvas.rect(bar, &format!(r#"fill="none" {stroke}"#));
        let scale = Axis::fit(Scale::Linear, [low, high].into_iter(), 5);
        for tick in scale.ticks.iter().filter(|t| (-1e-9..=1.0 + 1e-9).contains(&part(t.value))) {
            let y = bar.bottom() - part(tick.value) * bar.height;
            canvas.line((bar.right(), y), (bar.right() + 4.0, y), &stroke);
            canvas.text((bar.right() + 7.0, y + 4.0), TextStyle::TICK, &tick.label);
        }

        let right = bar.right() + 7.0 + number_width(&scale) + 12.0;
        let style = TextStyle::TITLE.anchored(Anchor::Middle);
        let right = right.max((style.width(&self.title) + 16.0).min(1.5 * SIDE));
        let title = style.fit(&self.title, right - 16.0);
        let half = style.width(&title) / 2.0;
        canvas.text((map.centre().0.min(right - half - 8.0).max(half + 8.0), 24.0), style, &title);
        Ok(canvas.into_figure(right, (map.bottom() + 44.0).max(bar.bottom() + 14.0)))
    }

    /// The numbers at both ends of the colours, and the colours.
    fn range(&self) -> (f64, f64, ColourMap) {
        let shown = self.cells.iter().copied().filter(|&v| Scale::Linear.shows(v));
        let (low, high) = shown.fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low == high { (0.0, 1.0) } else { (low, high) };
        match self.colours {
            None if low < 0.0 && high > 0.0 => self.symmetric(low, high),
            Some(ColourMap::Diverging) => self.symmetric(low, high),
            chosen => (low, high, chosen.unwrap_or(ColourMap::Viridis)),
        }
    }

    fn symmetric(&self, low: f64, high: f64) -> (f64, f64, ColourMap) {
        let extreme = high.max(-low);
        (-extreme, extreme, ColourMap::Diverging)
    }

    /// One pixel per cell, or per block of cells where there are very many.
    fn raster(&self, colours: ColourMap, part: impl Fn(f64) -> f64) -> Raster {
        let (rows, columns) = self.shape;
        let block = rows.max(columns).div_ceil(MAX_CELLS);
        Raster::from_fn((rows.div_ceil(block), columns.div_ceil(block)), |r, c| {
            let (mut sum, mut count) = (0.0, 0.0);
            for row in r * block..((r + 1) * block).min(rows) {
                for column in c * block..((c + 1) * block).min(columns) {
                    sum += part(self.cells[row * columns + column]);
                    count += 1.0;
                }
            }
            colours.at(sum / count)
        })
    }

    /// Writes the numbers into the cells where they are few and fit.
    fn print_numbers(&self, canvas: &mut Canvas, map: Rect, shade: impl Fn(f64) -> [u8; 3]) {
        let (rows, columns) = self.shape;
        if rows > 8 || columns > 8 {
            return;
        }
        let (width, height) = (map.width / columns as f64, map.height / rows as f64); // at most 8
        let texts: Vec<String> = self.cells.iter().map(|&v| axis::number(v, 3)).collect();
        let widest = texts.iter().map(|t| TextStyle::LABEL.width(t)).fold(1.0, f64::max);
        let size = (0.86 * width / widest * TextStyle::LABEL.size).min(0.6 * height).min(14.0);
        if size < 6.5 {
            return;
        }
        for (i, (text, &value)) in texts.iter().zip(&self.cells).enumerate() {
            let ink = if colour::luminance(shade(value)) > 0.3 { colour::INK } else { "#ffffff" };
            let style = TextStyle { size, ..TextStyle::LABEL }.coloured(ink).anchored(Anchor::Middle);
            let (row, column) = ((i / columns) as f64, (i % columns) as f64); // below 8
            let at = (map.x + (column + 0.5) * width, map.y + (row + 0.5) * height + 0.36 * size);
            canvas.text(at, style, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn small_kernels_show_their_numbers() -> Result<()> {
        let figure = HeatMap::new(array![[1.0, 2.0], [-3.0, 0.25]].view()).draw()?;
        for text in ["−3<", "0.25<"] {
            assert!(figure.body().contains(text), "{text}");
        }
        Ok(())
    }

    #[test]
    fn signs_choose_the_colours() {
        let colours = |a: Array2<f32>| HeatMap::new(a.view()).range().2;
        assert_eq!(colours(array![[0.0, 2.0]]), ColourMap::Viridis);
        assert_eq!(colours(array![[-1.0, 2.0]]), ColourMap::Diverging);
    }

    #[test]
    fn strange_matrices() {
        assert!(matches!(HeatMap::new(Array2::<f64>::zeros((0, 3)).view()).draw(), Err(Error::Empty { .. })));
        for value in [0.0, f64::NAN, f64::INFINITY, 1e308, 1e-320] {
            assert!(HeatMap::new(Array2::from_elem((2, 700), value).view()).draw().is_ok(), "{value}");
        }
    }
}
