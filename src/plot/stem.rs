//! Stem plots: a 1-D kernel or signal, one stem per sample.

use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, TextStyle, num};
use super::chart::{Chart, Labels};
use super::{Figure, colour};
use crate::{Real, Scalar};
use std::fmt::Write;

/// Above this many samples the stems become one path without heads.
const MAX_HEADS: usize = 160;
/// Above this many samples each drawn stem stands for the largest and smallest of a stretch.
const MAX_STEMS: usize = 2000;

/// A kernel or signal of one dimension, drawn as stems over its index.
///
/// Complex numbers get two stems beside each other: discs for the real, squares for the imaginary part. Numbers that are
/// not finite are left out.
///
/// # Examples
/// ```
/// use convmtx::plot::Stem;
/// let figure = Stem::new(&[1.0, 4.0, 6.0, 4.0, 1.0].map(|t: f64| t / 16.0))
///     .title("Binomial kernel")
///     .axes("t", "k[t]")
///     .first_index(-2)
///     .size(360.0, 240.0)
///     .draw();
/// assert!(figure.to_svg().contains("−2"));
/// ```
#[derive(Debug, Clone)]
pub struct Stem {
    labels: Labels,
    real: Vec<f64>,
    imaginary: Option<Vec<f64>>,
    first: i64,
    size: (f64, f64),
}

impl Stem {
    /// A plot of `values` over the indices from 0, 360 by 240 units.
    pub fn new<T: Scalar>(values: &[T]) -> Self {
        Self {
            labels: Labels::default(),
            real: values.iter().map(|v| v.re().as_f64()).collect(),
            imaginary: T::IS_COMPLEX.then(|| values.iter().map(|v| v.im().as_f64()).collect()),
            first: 0,
            size: (360.0, 240.0),
        }
    }

    /// The words above the plot.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.labels.title = title.into();
        self
    }

    /// The names of the horizontal and of the vertical axis.
    pub fn axes(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        (self.labels.x, self.labels.y) = (x.into(), y.into());
        self
    }

    /// The index of the first sample; −⌊K/2⌋ puts the middle of a kernel at 0.
    pub fn first_index(mut self, first: i64) -> Self {
        self.first = first;
        self
    }

    /// The size of the whole figure in units, between 120 and 4000; larger where the words need it.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        let side = |wanted: f64, default: f64| {
            if wanted.is_finite() { wanted.clamp(120.0, 4000.0) } else { default }
        };
        self.size = (side(width, 360.0), side(height, 240.0));
        self
    }

    /// Draws the plot; without any finite number it says "no data" between empty axes.
    pub fn draw(&self) -> Figure {
        let first = self.first as f64; // an index to be printed; rounding above 2⁵³ is invisible
        let count = self.real.len();
        let ends = if count == 0 { vec![] } else { vec![first - 0.5, first + count as f64 - 0.5] };
        let values = || self.real.iter().chain(self.imaginary.iter().flatten()).copied();
        let wanted = |units: f64, each: f64| (units / each).clamp(2.0, 20.0) as usize; // 2 to 20
        let mut x = Axis::fit(Scale::Linear, ends.into_iter(), wanted(self.size.0, 55.0));
        x.ticks.retain(|t| t.value.fract() == 0.0 && (0.0..count as f64).contains(&(t.value - first)));
        let y = Axis::fit(Scale::Linear, values().chain([0.0]), wanted(self.size.1, 50.0));
        let legend = if self.imaginary.is_some() { 22.0 } else { 0.0 };
        let chart = Chart::new((x, y), &self.labels, self.size, |_| legend);
        let mut canvas = Canvas::default();
        chart.draw(&mut canvas, &self.labels);
        if let Some(zero) = chart.y(0.0) {
            let stroke = format!(r#"stroke="{}" stroke-width="1""#, colour::SOFT);
            canvas.line((chart.plot.x, zero), (chart.plot.right(), zero), &stroke);
        }

        let shift = if self.imaginary.is_some() { 0.14 } else { 0.0 };
        draw_part(&mut canvas, &chart, &self.real, first - shift, Part::Real);
        if let Some(imaginary) = &self.imaginary {
            draw_part(&mut canvas, &chart, imaginary, first + shift, Part::Imaginary);
            let y = chart.plot.y - 12.0;
            for (part, x, name) in
                [(Part::Real, 8.0, "real part"), (Part::Imaginary, 100.0, "imaginary part")]
            {
                part.head(&mut canvas, (chart.plot.x + x, y));
                canvas.text((chart.plot.x + x + 9.0, y + 4.0), TextStyle::LABEL, name);
            }
        }
        if !values().any(f64::is_finite) {
            let style = TextStyle::LABEL.anchored(Anchor::Middle).coloured(colour::SOFT);
            canvas.text(chart.plot.centre(), style, "no data");
        }
        let (width, height) = chart.size();
        canvas.into_figure(width, height)
    }
}

/// Which part of a number a stem stands for.
#[derive(Debug, Clone, Copy)]
enum Part {
    Real,
    Imaginary,
}

impl Part {
    fn colour(self) -> &'static str {
        match self {
            Part::Real => colour::BLUE,
            Part::Imaginary => colour::ORANGE,
        }
    }

    fn head(self, canvas: &mut Canvas, (x, y): (f64, f64)) {
        let fill = format!(r#"fill="{}""#, self.colour());
        match self {
            Part::Real => canvas.circle((x, y), 3.6, &fill),
            Part::Imaginary => {
                canvas.path(&format!("M{} {}m-3.2-3.2h6.4v6.4h-6.4z", num(x), num(y)), &fill);
            }
        }
    }
}

fn draw_part(canvas: &mut Canvas, chart: &Chart, values: &[f64], first: f64, part: Part) {
    let Some(zero) = chart.y(0.0) else { return };
    let stretch = values.len().div_ceil(MAX_STEMS).max(1);
    let (mut d, mut heads) = (String::new(), Vec::new());
    for (i, chunk) in values.chunks(stretch).enumerate() {
        let finite = chunk.iter().copied().filter(|v| v.is_finite());
        let (low, high) = finite.fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let Some(x) = chart.x(first + (i * stretch) as f64) else { continue }; // below the length
        let ends = if stretch == 1 { chunk.to_vec() } else { vec![low, high] };
        for y in ends.into_iter().filter_map(|v| chart.y(v)) {
            let _ = write!(d, "M{} {}V{}", num(x), num(zero), num(y)); // to a string
            heads.push((x, y));
        }
    }
    let width = if values.len() <= MAX_HEADS { 1.8 } else { 1.0 };
    if !d.is_empty() {
        canvas.path(&d, &format!(r#"fill="none" stroke="{}" stroke-width="{width}""#, part.colour()));
    }
    if values.len() <= MAX_HEADS {
        heads.into_iter().for_each(|place| part.head(canvas, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn one_head_per_finite_sample() {
        let figure = Stem::new(&[1.0, f64::NAN, -2.0, f64::INFINITY]).draw();
        assert_eq!(figure.body().matches("<circle").count(), 2);
    }

    #[test]
    fn complex_kernels_show_both_parts() {
        let body = Stem::new(&[Complex::new(1.0_f32, -1.0)]).draw().body().to_owned();
        assert!(body.contains("real part") && body.contains("imaginary part"));
    }

    #[test]
    fn long_and_empty_kernels_are_drawn() {
        let long: Vec<f64> = (0..100_000).map(|i| f64::from(i).sin()).collect();
        assert!(Stem::new(&long).draw().body().len() < 200_000);
        assert!(Stem::new::<f64>(&[]).draw().body().contains("no data"));
    }
}
