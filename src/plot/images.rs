//! Images beside each other, each with a caption: before and after, truth and estimate.

use super::canvas::{Anchor, Canvas, Rect, TextStyle};
use super::raster::Raster;
use super::{Figure, colour};
use crate::{Error, Real, Result};
use ndarray::{ArrayView2, ArrayView3};

/// The longer side of each image, in units.
const SIDE: f64 = 280.0;
/// Between images, and between rows of them.
const GAP: f64 = 18.0;
/// The height of a caption's line.
const LINE: f64 = 17.0;
/// Caption lines that are drawn; what does not fit ends in "…".
const MAX_LINES: usize = 4;

/// What happens between pixels when an image is shown larger or smaller than it is.
///
/// # Examples
/// ```
/// use convmtx::plot::{Image, Images, Rendering};
/// use ndarray::Array2;
/// let small = Image::grey(Array2::<f64>::zeros((4, 4)).view());
/// let figure = Images::new().image(small).rendering(Rendering::Smooth).draw()?;
/// assert!(!figure.to_svg().contains("pixelated"));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// Every pixel a square.
    Nearest,
    /// Interpolated.
    Smooth,
}

/// One image for [`Images`], 8 bits per channel, made from numbers in [0, 1].
///
/// Numbers outside are clipped for display only; NaN becomes black. No gamma, no stretching of contrast: two images look
/// the same exactly when their numbers are the same to 8 bits. Images much larger than they are shown are averaged
/// over blocks first, to about two pixels per unit.
///
/// # Examples
/// ```
/// use convmtx::plot::Image;
/// use ndarray::{Array2, Array3};
/// let grey = Image::grey(Array2::<f32>::zeros((20, 30)).view()).caption("blurred\nPSNR 24.31 dB");
/// let colour = Image::rgb(Array3::<f64>::ones((20, 30, 3)).view())?;
/// assert!(Image::rgb(Array3::<f64>::ones((20, 30, 4)).view()).is_err());
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Image {
    shape: (usize, usize),
    raster: Raster,
    caption: String,
}

impl Image {
    /// A grey image of shape (rows, columns).
    pub fn grey<T: Real>(values: ArrayView2<'_, T>) -> Self {
        Self::from_planes([values, values, values])
    }

    /// A colour image of shape (rows, columns, 3).
    ///
    /// # Errors
    /// [`Error::Shape`] where the last length is not 3.
    pub fn rgb<T: Real>(values: ArrayView3<'_, T>) -> Result<Self> {
        let (rows, columns, channels) = values.dim();
        if channels != 3 {
            let (expected, got) = (vec![rows, columns, 3], vec![rows, columns, channels]);
            return Err(Error::Shape { what: "the colour image", expected, got });
        }
        Ok(Self::from_planes([0, 1, 2].map(|c| values.index_axis_move(ndarray::Axis(2), c))))
    }

    /// A colour image from its red, green and blue planes.
    ///
    /// # Errors
    /// [`Error::Shape`] where the planes differ in shape.
    ///
    /// # Examples
    /// ```
    /// use convmtx::plot::Image;
    /// use ndarray::Array2;
    /// let plane = Array2::<f64>::zeros((4, 4));
    /// assert!(Image::planes([plane.view(), plane.view(), plane.view()]).is_ok());
    /// ```
    pub fn planes<T: Real>(planes: [ArrayView2<'_, T>; 3]) -> Result<Self> {
        for plane in &planes[1..] {
            if plane.dim() != planes[0].dim() {
                let (expected, got) = (planes[0].shape().to_vec(), plane.shape().to_vec());
                return Err(Error::Shape { what: "a plane of the colour image", expected, got });
            }
        }
        Ok(Self::from_planes(planes))
    }

    /// The words below the image; each line break begins a new line, long lines are wrapped.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    fn from_planes<T: Real>(planes: [ArrayView2<'_, T>; 3]) -> Self {
        let (rows, columns) = planes[0].dim();
        let longest = rows.max(columns) as f64; // exact below 2⁵³
        let block = (longest / (2.0 * SIDE)).round().max(1.0) as usize; // below the side
        let raster = Raster::from_fn((rows.div_ceil(block), columns.div_ceil(block)), |r, c| {
            let mut pixel = [0; 3];
            for (byte, plane) in pixel.iter_mut().zip(&planes) {
                let (mut sum, mut count) = (0.0, 0.0);
                for row in r * block..((r + 1) * block).min(rows) {
                    for column in c * block..((c + 1) * block).min(columns) {
                        sum += plane[(row, column)].as_f64().clamp(0.0, 1.0);
                        count += 1.0;
                    }
                }
                *byte = colour::byte(sum / count);
            }
            pixel
        });
        Self { shape: (rows, columns), raster, caption: String::new() }
    }

    /// The size on the page: the longer side at most [`SIDE`], small images enlarged by a whole factor.
    fn size(&self) -> (f64, f64) {
        let (rows, columns) = self.shape;
        let factor = SIDE / rows.max(columns).max(1) as f64; // exact below 2⁵³
        let factor = if factor >= 1.0 { factor.floor() } else { factor };
        ((columns as f64 * factor).max(1.0), (rows as f64 * factor).max(1.0))
    }
}

/// Images beside each other, captions below.
///
/// # Examples
/// ```
/// use convmtx::plot::{Image, Images};
/// use ndarray::Array2;
/// let (before, after) = (Array2::<f64>::zeros((16, 16)), Array2::<f64>::ones((16, 16)));
/// let figure = Images::new()
///     .title("Deblurring")
///     .image(Image::grey(before.view()).caption("blurred\nPSNR 20.10 dB"))
///     .image(Image::grey(after.view()).caption("restored\nPSNR 28.93 dB"))
///     .columns(2)
///     .draw()?;
/// assert_eq!(figure.to_svg().matches("<image").count(), 2);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Images {
    title: String,
    images: Vec<Image>,
    columns: Option<usize>,
    rendering: Option<Rendering>,
}

impl Images {
    /// A picture without images yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The words above the images.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Adds an image.
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// How many images stand beside each other before a new row begins; without this call four.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns.max(1));
        self
    }

    /// How pixels are shown; without this call images smaller than their place are squares, larger ones smooth.
    pub fn rendering(mut self, rendering: Rendering) -> Self {
        self.rendering = Some(rendering);
        self
    }

    /// Draws the images.
    ///
    /// # Errors
    /// [`Error::Empty`] where there are no images, or one without pixels.
    pub fn draw(&self) -> Result<Figure> {
        if self.images.is_empty() {
            return Err(Error::Empty { what: "the row of images" });
        }
        if self.images.iter().any(|i| i.shape.0 == 0 || i.shape.1 == 0) {
            return Err(Error::Empty { what: "an image" });
        }
        let columns = self.columns.unwrap_or(4).min(self.images.len());
        // Cells are as wide as the widest image, and wide enough for a few words of caption.
        let cell = self.images.iter().map(|i| i.size().0).fold(150.0, f64::max);
        let width = columns as f64 * (cell + GAP) + GAP; // a handful
        let mut canvas = Canvas::default();
        let title = TextStyle::TITLE.anchored(Anchor::Middle);
        canvas.text((width / 2.0, 26.0), title, &title.fit(&self.title, width - 2.0 * GAP));
        let mut y = if self.title.is_empty() { GAP } else { 42.0 };
        for row in self.images.chunks(columns) {
            let height = row.iter().map(|i| i.size().1).fold(0.0, f64::max);
            let mut lines = 0;
            for (column, image) in row.iter().enumerate() {
                let x = GAP + column as f64 * (cell + GAP); // a handful
                let (w, h) = image.size();
                let place = Rect::new((x + (cell - w) / 2.0).round(), y + (height - h).round(), w, h);
                let small = image.shape.1 as f64 <= w; // exact below 2⁵³
                let fitting = if small { Rendering::Nearest } else { Rendering::Smooth };
                canvas.image(place, &image.raster, self.rendering.unwrap_or(fitting))?;
                canvas.rect(place, &format!(r#"fill="none" stroke="{}" stroke-width="0.5""#, colour::SOFT));
                let caption = caption_lines(&image.caption, cell);
                for (i, (line, style)) in caption.iter().enumerate() {
                    let at = (x + cell / 2.0, y + height + LINE * (i + 1) as f64); // few lines
                    canvas.text(at, style.anchored(Anchor::Middle), line);
                }
                lines = lines.max(caption.len());
            }
            y += height + LINE * lines as f64 + GAP; // few lines
        }
        Ok(canvas.into_figure(width, y))
    }
}

/// The lines of a caption, at most [`MAX_LINES`], its first line break turning the colour from ink to soft.
fn caption_lines(caption: &str, width: f64) -> Vec<(String, TextStyle)> {
    if caption.is_empty() {
        return Vec::new();
    }
    let (ink, soft) = (TextStyle::LABEL, TextStyle::LABEL.coloured(colour::SOFT));
    let wrapped = caption.split('\n').enumerate().flat_map(|(i, line)| {
        let style = if i == 0 { ink } else { soft };
        style.wrap(line, width).into_iter().map(move |line| (line, style))
    });
    let mut lines: Vec<(String, TextStyle)> = wrapped.collect();
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        lines[MAX_LINES - 1].0.push('…');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn numbers_are_clipped_for_display() {
        let image = Image::grey(ndarray::array![[-1.0, 0.5, 2.0, f64::NAN]].view());
        assert_eq!(image.raster, Raster::from_fn((1, 4), |_, c| [[0, 128, 255, 0][c]; 3]));
    }

    #[test]
    fn small_images_grow_by_whole_factors_and_large_ones_are_averaged() {
        assert_eq!(Image::grey(Array2::<f64>::zeros((64, 32)).view()).size(), (128.0, 256.0));
        let large = Image::grey(Array2::<f32>::from_elem((1700, 1000), 0.2).view());
        assert_eq!(large.size().1, SIDE);
        assert_eq!(large.raster, Raster::from_fn((567, 334), |_, _| [51; 3]));
    }

    #[test]
    fn nothing_to_show_is_an_error() {
        assert!(matches!(Images::new().draw(), Err(Error::Empty { .. })));
        let empty = Image::grey(Array2::<f64>::zeros((0, 5)).view());
        assert!(matches!(Images::new().image(empty).draw(), Err(Error::Empty { .. })));
    }

    #[test]
    fn long_captions_end_in_an_ellipsis() {
        assert!(caption_lines(&"word ".repeat(100), 150.0)[MAX_LINES - 1].0.ends_with('…'));
    }
}
