//! The frame that line charts and stem plots share: axes, grid, labels, and where a point lies.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Rect, TextStyle};
use super::colour;

/// The words around a chart; empty ones take no space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub title: String,
    pub x: String,
    pub y: String,
}

/// Two axes and the rectangle between them.
#[derive(Debug)]
pub(crate) struct Chart {
    x: Axis,
    y: Axis,
    size: (f64, f64),
    /// The rectangle that data is drawn in.
    pub plot: Rect,
}

impl Chart {
    /// Places the axes in a picture of `size`; `header` tells the height needed above a plot of the given width.
    pub(crate) fn new(
        (x, y): (Axis, Axis),
        labels: &Labels,
        size: (f64, f64),
        header: impl FnOnce(f64) -> f64,
    ) -> Self {
        let tick_width = y.ticks.iter().map(|t| TextStyle::TICK.width(&t.label)).fold(0.0, f64::max);
        let left = 14.0 + if labels.y.is_empty() { 0.0 } else { 20.0 } + tick_width + 8.0;
        let last = x.ticks.last().map_or(0.0, |t| TextStyle::TICK.width(&t.label) / 2.0);
        let right = (last + 4.0).max(18.0);
        let width = (size.0 - left - right).max(40.0);
        let top = 14.0 + if labels.title.is_empty() { 0.0 } else { 24.0 } + header(width);
        let bottom = 30.0 + if labels.x.is_empty() { 0.0 } else { 20.0 };
        let height = (size.1 - top - bottom).max(40.0);
        let size = (left + width + right, top + height + bottom);
        Self { x, y, size, plot: Rect::new(left, top, width, height) }
    }

    /// The size of the whole picture.
    pub(crate) fn size(&self) -> (f64, f64) {
        self.size
    }

    /// The horizontal place of `x`; `None` for what the axis cannot show.
    pub(crate) fn x(&self, x: f64) -> Option<f64> {
        Some(self.plot.x + self.x.fraction(x)? * self.plot.width)
    }

    /// The vertical place of `y`; `None` for what the axis cannot show.
    pub(crate) fn y(&self, y: f64) -> Option<f64> {
        Some(self.plot.bottom() - self.y.fraction(y)? * self.plot.height)
    }

    /// The place of a point.
    pub(crate) fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.x(x)?, self.y(y)?))
    }

    /// Draws grid, frame, ticks and words, which the data then goes on top of.
    pub(crate) fn draw(&self, canvas: &mut Canvas, labels: &Labels) {
        let plot = self.plot;
        let (middle_x, middle_y) = plot.centre();
        let grid = format!(r#"stroke="{}" stroke-width="1""#, colour::GRID);
        let axis = format!(r#"stroke="{}" stroke-width="1""#, colour::SOFT);
        for tick in &self.x.ticks {
            let Some(x) = self.x(tick.value) else { continue };
            canvas.line((x, plot.y), (x, plot.bottom()), &grid);
            canvas.line((x, plot.bottom()), (x, plot.bottom() + 5.0), &axis);
            let style = TextStyle::TICK.anchored(Anchor::Middle);
            canvas.text((x, plot.bottom() + 17.0), style, &tick.label);
        }
        for tick in &self.y.ticks {
            let Some(y) = self.y(tick.value) else { continue };
            canvas.line((plot.x, y), (plot.right(), y), &grid);
            canvas.line((plot.x - 5.0, y), (plot.x, y), &axis);
            canvas.text((plot.x - 8.0, y + 4.0), TextStyle::TICK.anchored(Anchor::End), &tick.label);
        }
        for x in self.x.minor.iter().filter_map(|&v| self.x(v)) {
            canvas.line((x, plot.bottom()), (x, plot.bottom() + 3.0), &axis);
        }
        for y in self.y.minor.iter().filter_map(|&v| self.y(v)) {
            canvas.line((plot.x - 3.0, y), (plot.x, y), &axis);
        }
        canvas.rect(plot, &format!(r#"fill="none" {axis}"#));

        let title = TextStyle::TITLE.anchored(Anchor::Middle);
        let title_x = if title.width(&labels.title) <= plot.width { middle_x } else { self.size.0 / 2.0 };
        canvas.text((title_x, 24.0), title, &title.fit(&labels.title, self.size.0 - 8.0));
        let label = TextStyle::LABEL.anchored(Anchor::Middle);
        canvas.text((middle_x, plot.bottom() + 38.0), label, &label.fit(&labels.x, self.size.0 - 8.0));
        canvas.text_turned((22.0, middle_y), label, &label.fit(&labels.y, self.size.1 - 8.0));
    }
}
