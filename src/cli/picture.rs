//! Pictures as the commands see them: finite planes, quality against a truth, thumbnails for reports.

use crate::cli::failure::{Failure, Result};
use crate::io::{Image, read_image};
use crate::ndarray::Array2;
use crate::{metrics, plot};
use std::path::Path;

/// The smallest side for which SSIM is defined.
const SSIM_SIDE: usize = 11;

/// Reads a picture, refusing NaN and infinity.
pub fn read_picture(path: &Path) -> Result<Image> {
    let image = read_image(path)?;
    let bad = image.planes.iter().flatten().position(|v| !v.is_finite());
    match bad {
        None => Ok(image),
        Some(index) => {
            let pixels = image.planes[0].len();
            let (plane, at) = (index / pixels, index % pixels);
            let (row, column) = (at / image.shape().1, at % image.shape().1);
            Err(Failure::failed(format!(
                "{}: channel {plane} is not finite at row {row}, column {column}; replace such pixels first",
                path.display()
            )))
        }
    }
}

/// Refuses a PSF that does not fit into the picture.
pub fn check_psf(psf: &Array2<f64>, image: &Image) -> Result<()> {
    let ((rows, cols), (height, width)) = (psf.dim(), image.shape());
    if rows <= height && cols <= width {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "the PSF is {rows} × {cols}, larger than the picture of {height} × {width} pixels; take a smaller one"
    )))
}

/// How near a picture is to the truth; all colours together.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// Peak signal-to-noise ratio in decibels, peak 1.
    pub psnr: f64,
    /// Mean structural similarity of the channels; none for pictures smaller than its window.
    pub ssim: Option<f64>,
}

impl Quality {
    /// Compares the planes of two pictures of one size.
    pub fn of(planes: &[Array2<f64>], truth: &[Array2<f64>]) -> Result<Self> {
        let count = truth.len().max(1) as f64; // 1 or 3
        let (mut mse, mut ssim) = (0.0, Some(0.0));
        for (plane, truth) in planes.iter().zip(truth) {
            mse += metrics::mse(plane, truth)? / count;
            let fits = truth.nrows().min(truth.ncols()) >= SSIM_SIDE;
            ssim = match ssim {
                Some(sum) if fits => Some(sum + metrics::ssim(plane, truth, 1.0)? / count),
                _ => None,
            };
        }
        Ok(Quality { psnr: -10.0 * mse.log10(), ssim })
    }

    /// `PSNR 28.93 dB, SSIM 0.812`
    pub fn words(&self) -> String {
        format!("PSNR {:.2} dB, SSIM {}", self.psnr, self.ssim_words())
    }

    /// The SSIM, or a dash.
    pub fn ssim_words(&self) -> String {
        self.ssim.map_or_else(|| "–".into(), |s| format!("{s:.3}"))
    }
}

/// The planes as a picture for figures.
pub fn shown(planes: &[Array2<f64>]) -> Result<plot::Image> {
    match planes {
        [red, green, blue] => Ok(plot::Image::planes([red.view(), green.view(), blue.view()])?),
        [grey, ..] => Ok(plot::Image::grey(grey.view())),
        [] => Err(crate::Error::Empty { what: "the picture" }.into()),
    }
}
