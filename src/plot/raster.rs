//! Pixels, their PNG encoding and their data URI.

use crate::{Error, Result};
use base64::Engine;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// Red, green and blue bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Raster {
    /// The raster with `pixel(row, column)` everywhere.
    pub(crate) fn from_fn(
        (height, width): (usize, usize),
        mut pixel: impl FnMut(usize, usize) -> [u8; 3],
    ) -> Self {
        let mut rgb = Vec::with_capacity(height * width * 3);
        for row in 0..height {
            for column in 0..width {
                rgb.extend(pixel(row, column));
            }
        }
        Self { width, height, rgb }
    }

    /// The PNG file, 8 bits per colour.
    pub(crate) fn to_png(&self) -> Result<Vec<u8>> {
        let refused = |reason: String| Error::Unsupported { what: "encoding a PNG", reason };
        let side = |n: usize| u32::try_from(n).map_err(|_| refused(format!("a side of {n} pixels")));
        let mut file = Vec::new();
        PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive)
            .write_image(&self.rgb, side(self.width)?, side(self.height)?, ExtendedColorType::Rgb8)
            .map_err(|e| refused(e.to_string()))?;
        Ok(file)
    }

    /// `data:image/png;base64,…`
    pub(crate) fn data_uri(&self) -> Result<String> {
        let text = base64::engine::general_purpose::STANDARD.encode(self.to_png()?);
        Ok(format!("data:image/png;base64,{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_keeps_every_pixel() -> Result<()> {
        let raster = Raster::from_fn((2, 3), |r, c| [r as u8, c as u8, 7]); // indices below 3
        let read = image::load_from_memory(&raster.to_png()?).expect("a PNG file").to_rgb8();
        assert_eq!((read.width(), read.height()), (3, 2));
        assert_eq!(read.into_raw(), raster.rgb);
        Ok(())
    }

    #[test]
    fn no_pixels_is_an_error() {
        assert!(Raster::from_fn((0, 3), |_, _| [0; 3]).to_png().is_err());
    }
}
