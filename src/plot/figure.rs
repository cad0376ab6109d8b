//! A finished picture: its size, its SVG, its pixels; and figures put beside or below each other.

use super::canvas::{Canvas, num};
use super::font;
use super::raster::Raster;
use crate::memory::check_available;
use crate::{Error, Result};
use resvg::{tiny_skia, usvg};

/// The space between figures put together.
const GAP: f64 = 16.0;

/// The longest side of a PNG, in pixels.
const MAX_PIXELS: f64 = 20_000.0;

/// A picture, drawn once as SVG.
///
/// Sizes are in SVG units; at scale 1 one unit is one pixel. Text is set in DejaVu Sans; other programs that show the
/// SVG take Verdana, whose widths are the same, or their sans-serif where DejaVu Sans is not installed. The PNG always
/// uses the embedded subset of DejaVu Sans (Latin-1, Greek, mathematical signs; other characters become boxes).
///
/// # Examples
/// ```
/// use convmtx::plot::Stem;
/// let figure = Stem::new(&[1.0, 2.0, 1.0]).draw();
/// assert!(figure.to_svg().contains("<circle"));
/// assert!(figure.width() > 100.0 && figure.height() > 100.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    width: f64,
    height: f64,
    body: String,
}

impl Figure {
    /// A figure from SVG elements; sizes become whole numbers, at least 1.
    pub(crate) fn from_body(width: f64, height: f64, body: String) -> Self {
        let whole = |side: f64| if side.is_finite() { (side - 1e-6).ceil().max(1.0) } else { 1.0 };
        Self { width: whole(width), height: whole(height), body }
    }

    /// The width in SVG units, a whole number.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The height in SVG units, a whole number.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// The elements inside the document, without the enclosing `<svg>`.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The SVG document: one file, nothing referred to outside of it, on a white ground.
    ///
    /// # Examples
    /// ```
    /// use convmtx::plot::Lines;
    /// let svg = Lines::new().title("1 < 2").draw().to_svg();
    /// assert!(svg.contains("1 &lt; 2"));
    /// ```
    pub fn to_svg(&self) -> String {
        let (w, h, family, body) = (num(self.width), num(self.height), font::FAMILY, &self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             font-family=\"{family}\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }

    /// The PNG file with `scale` pixels per unit, sides rounded up to whole pixels.
    ///
    /// 1 suits a screen, 2 a screen with small pixels, 3 or 4 print.
    ///
    /// # Errors
    /// [`Error::Value`] for a scale that is not a positive number or makes a side longer than 20 000 pixels,
    /// [`Error::Memory`] where the pixels do not fit.
    ///
    /// # Examples
    /// ```
    /// use convmtx::plot::Stem;
    /// let figure = Stem::new(&[1.0, 2.0, 1.0]).draw();
    /// let png = figure.to_png(2.0)?;
    /// let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
    /// assert_eq!(f64::from(width), 2.0 * figure.width());
    /// assert!(figure.to_png(-1.0).is_err());
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::value("scale", "a positive number", scale));
        }
        let longest = self.width.max(self.height) * f64::from(scale);
        if longest > MAX_PIXELS {
            let expected = format!("at most {MAX_PIXELS} pixels, so a smaller scale");
            return Err(Error::value("the longer side of the PNG", expected, longest.ceil()));
        }
        let pixels = |side: f64| (side * f64::from(scale)).ceil().max(1.0) as u32; // at most MAX_PIXELS
        let (width, height) = (pixels(self.width), pixels(self.height));
        check_available("the PNG", u128::from(width) * u128::from(height) * 8)?;

        let refused = |reason: String| Error::Unsupported { what: "turning the figure into pixels", reason };
        let options = usvg::Options {
            fontdb: font::database(),
            font_family: "DejaVu Sans".to_owned(),
            image_href_resolver: usvg::ImageHrefResolver {
                resolve_string: Box::new(|_, _| None), // never a file
                ..usvg::ImageHrefResolver::default()
            },
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&self.to_svg(), &options).map_err(|e| refused(e.to_string()))?;
        let mut pixmap = tiny_skia::Pixmap::new(width, height)
            .ok_or_else(|| refused(format!("{width} × {height} pixels")))?;
        pixmap.fill(tiny_skia::Color::WHITE);
        resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        let (rows, columns) = (pixmap.height() as usize, pixmap.width() as usize); // widening
        Raster::from_fn((rows, columns), |row, column| {
            let at = (row * columns + column) * 4; // opaque, so premultiplied is plain
            pixmap.data().get(at..at + 3).map_or([255; 3], |p| [p[0], p[1], p[2]])
        })
        .to_png()
    }

    /// The figures beside each other, tops aligned.
    ///
    /// # Examples
    /// ```
    /// use convmtx::plot::{Figure, Stem};
    /// let one = Stem::new(&[1.0, 2.0]).draw();
    /// let two = Figure::row(&[one.clone(), one.clone()]);
    /// assert!(two.width() >= 2.0 * one.width() && two.height() == one.height());
    /// ```
    pub fn row(figures: &[Figure]) -> Figure {
        let (mut canvas, mut x, mut height) = (Canvas::default(), 0.0, 0.0_f64);
        for figure in figures {
            canvas.figure((x, 0.0), figure);
            x += figure.width + GAP;
            height = height.max(figure.height);
        }
        canvas.into_figure(x - GAP, height)
    }

    /// The figures below each other, centres aligned.
    ///
    /// # Examples
    /// ```
    /// use convmtx::plot::{Figure, Stem};
    /// let one = Stem::new(&[1.0, 2.0]).draw();
    /// let two = Figure::column(&[one.clone(), one.clone()]);
    /// assert!(two.height() >= 2.0 * one.height() && two.width() == one.width());
    /// ```
    pub fn column(figures: &[Figure]) -> Figure {
        let width = figures.iter().map(|f| f.width).fold(0.0, f64::max);
        let (mut canvas, mut y) = (Canvas::default(), 0.0);
        for figure in figures {
            canvas.figure(((width - figure.width) / 2.0, y), figure);
            y += figure.height + GAP;
        }
        canvas.into_figure(width, y - GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_put_together_is_a_small_empty_figure() {
        let figure = Figure::row(&[]);
        assert_eq!((figure.width(), figure.height()), (1.0, 1.0));
        assert_eq!(Figure::column(&[]), figure);
        assert!(figure.to_png(1.0).is_ok());
    }

    #[test]
    fn impossible_scales_are_refused() {
        let figure = Figure::from_body(100.0, 50.0, String::new());
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            assert!(matches!(figure.to_png(scale), Err(Error::Value { .. })), "{scale}");
        }
        assert!(figure.to_png(1e-6).is_ok());
    }
}
