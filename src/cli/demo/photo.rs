//! A photo, blurred with its true surroundings, and restored without knowing them.

use super::shapes;
use crate::cli::blur::blurred;
use crate::cli::failure::{Failure, Result};
use crate::cli::output::{write_figure, write_picture};
use crate::cli::picture::{Quality, shown};
use crate::cli::restore::{Method, Recipe, Restored, restore};
use crate::io::{Depth, Image};
use crate::ndarray::{Array2, s};
use crate::op::Gradient2d;
use crate::plot::{Figure, HeatMap, Images, Stem};
use crate::psf::Psf;
use crate::solve::Tikhonov;
use crate::{Boundary, Conv2d, Geometry, noise};
use std::path::Path;

/// Out of focus by five pixels.
pub const PSF: &str = "disk:radius=5";

/// σ of the noise on [0, 1]: half a grey level of 255.
pub const NOISE: f64 = 0.002;

/// Which noise.
const SEED: u64 = 1;

/// The part of the 512 × 512 picture that the camera sees: rows, columns.
const SEEN: [std::ops::Range<usize>; 2] = [20..420, 40..440];

/// The width of what counts as the border when the restoration is checked for a frame.
const BORDER: usize = 10;

/// Iterations with the zero boundary: enough for the frame to grow, and more would make it worse.
const FRAME_ITERATIONS: usize = 100;

/// Lav Varshney's photograph; see `assets/LICENSES.md`.
const CAMERA: &[u8] = include_bytes!("../assets/camera_512.png");

/// What is known, and what is given.
pub struct Photo {
    pub truth: Array2<f64>,
    pub given: Array2<f64>,
    pub psf: Array2<f64>,
    bsnr: f64,
}

/// The restorations, and how good they are.
pub struct Outcome {
    restored: Restored,
    framed: Array2<f64>,
    before: Quality,
    after: Quality,
    after_framed: Quality,
    /// The root mean square error near the border over that inside.
    pub frame: f64,
    frame_of_framed: f64,
}

impl Outcome {
    /// The gain in PSNR, dB.
    pub fn gain(&self) -> f64 {
        self.after.psnr - self.before.psnr
    }
}

impl Photo {
    /// Blurs the whole picture, keeps the part that is seen, adds noise.
    ///
    /// Pixels near the border of the part are blurred with their true neighbours, which the restoration never sees.
    pub fn taken() -> Result<Self> {
        let whole = decoded()?;
        let psf: Array2<f64> = PSF.parse::<Psf>()?.to_array()?;
        let conv = Conv2d::new(&psf, whole.dim().into(), Geometry::same())?;
        let seen = s![SEEN[0].clone(), SEEN[1].clone()];
        let sharp = blurred(&conv, &whole)?.slice(seen).to_owned();
        let bsnr = noise::bsnr(&sharp, NOISE)?;
        let given = noise::gaussian(&sharp, NOISE, SEED)?;
        Ok(Photo { truth: whole.slice(seen).to_owned(), given, psf, bsnr })
    }

    /// The convolution that the restoration assumes.
    pub fn model(&self, boundary: Boundary<f64>) -> Result<Conv2d<f64>> {
        Ok(Conv2d::new(&self.psf, self.truth.dim().into(), Geometry::same().boundary(boundary))?)
    }

    /// As `convmtx deblur --noise` does it; and once more with zeros beyond the border.
    pub fn restored(&self) -> Result<Outcome> {
        let recipe = Recipe { method: Method::Tikhonov, lambda: None, iterations: None, noise: Some(NOISE) };
        let restored = restore(&self.model(Boundary::Symmetric)?, &self.given, &recipe, &mut |_, _, _| {})?;
        let framed = self.framed(restored.report.lambda.unwrap_or(0.0))?;
        let quality =
            |x: &Array2<f64>| Quality::of(std::slice::from_ref(x), std::slice::from_ref(&self.truth));
        let frame = |x: &Array2<f64>| border_error(&(x - &self.truth));
        Ok(Outcome {
            before: quality(&self.given)?,
            after: quality(&restored.image)?,
            after_framed: quality(&framed)?,
            frame: frame(&restored.image),
            frame_of_framed: frame(&framed),
            restored,
            framed,
        })
    }

    /// The same method and λ with zeros beyond the border.
    fn framed(&self, lambda: f64) -> Result<Array2<f64>> {
        let (rows, cols) = self.truth.dim();
        let a = self.model(Boundary::Zero)?.to_direct()?;
        let b: Vec<f64> = self.given.iter().copied().collect();
        let mut x = b.clone();
        let solver = Tikhonov::new(lambda).max_iters(FRAME_ITERATIONS);
        solver.solve::<[f64], _, _>(&a, &Gradient2d::new(rows, cols)?, &b[..], &mut x[..])?;
        Array2::from_shape_vec((rows, cols), x).map_err(|e| Failure::failed(e.to_string()))
    }

    /// The panel and the single pictures.
    pub fn write(&self, out: &Path, outcome: &Outcome) -> Result<()> {
        let image = |x: &Array2<f64>| shown(std::slice::from_ref(x));
        let panel =
            Images::new()
                .title(format!("A photo out of focus ({PSF}, noise σ = {NOISE}), restored"))
                .image(image(&self.truth)?.caption("truth\nnot used below"))
                .image(image(&self.given)?.caption(format!("blurred and noisy\n{}", outcome.before.words())))
                .image(
                    image(&outcome.restored.image)?
                        .caption(format!("restored, symmetric boundary\n{}", outcome.after.words())),
                )
                .image(image(&outcome.framed)?.caption(format!(
                    "the same with zeros beyond the border\n{}",
                    outcome.after_framed.words()
                )))
                .columns(2)
                .draw()?;
        write_figure(&out.join("deblur.png"), &panel)?;
        // 16 bit keep what the restoration lives on.
        let files = [
            ("photo.png", &self.truth, Depth::U8),
            ("blurred.png", &self.given, Depth::U16),
            ("restored.png", &outcome.restored.image, Depth::U8),
        ];
        for (name, plane, depth) in files {
            write_picture(&out.join(name), &Image::new(vec![plane.clone()], None, depth)?)?;
        }
        Ok(())
    }

    /// What was done.
    pub fn words(&self, outcome: &Outcome) -> String {
        let report = &outcome.restored.report;
        let (rows, cols) = self.truth.dim();
        format!(
            "A photo of {rows} × {cols} pixels, {PSF}, noise σ = {NOISE} (BSNR {:.1} dB), cut from a larger blurred one.\n\
             Restored by min ‖A x - b‖² + λ‖∇x‖², symmetric boundary: {} values of λ tried,\n\
             λ = {:.2e} is the largest whose residual is at the noise level (the truth is not used).",
            self.bsnr,
            outcome.restored.trials.len(),
            report.lambda.unwrap_or(f64::NAN),
        )
    }

    /// Quality before and after.
    pub fn table(&self, outcome: &Outcome) -> Vec<Vec<String>> {
        let header = ["", "PSNR dB", "SSIM", "gain dB", "error at border / inside"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        let mut row = |name: &str, quality: Quality, frame: Option<f64>| {
            let gain = quality.psnr - outcome.before.psnr;
            rows.push(vec![
                name.to_owned(),
                format!("{:.2}", quality.psnr),
                quality.ssim_words(),
                format!("{gain:+.2}"),
                frame.map_or_else(String::new, |f| format!("{f:.2}")),
            ]);
        };
        row("blurred and noisy", outcome.before, None);
        row("restored", outcome.after, Some(outcome.frame));
        row("same λ, zero boundary", outcome.after_framed, Some(outcome.frame_of_framed));
        rows
    }
}

/// The whole picture in [0, 1].
fn decoded() -> Result<Array2<f64>> {
    let image =
        image::load_from_memory(CAMERA).map_err(|e| Failure::failed(format!("the embedded photo: {e}")))?;
    let grey = image.to_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize); // widening
    let values = grey.as_raw().iter().map(|&v| f64::from(v) / 255.0).collect();
    Array2::from_shape_vec((height, width), values).map_err(|e| Failure::failed(e.to_string()))
}

/// The root mean square of the error within [`BORDER`] of an edge, over that of the rest.
fn border_error(error: &Array2<f64>) -> f64 {
    let (rows, cols) = error.dim();
    let inner = error.slice(s![BORDER..rows - BORDER, BORDER..cols - BORDER]);
    let squares = |sum: f64, v: &f64| sum + v * v;
    let (all, inside) = (error.iter().fold(0.0, squares), inner.iter().fold(0.0, squares));
    // Counts below 2⁵³.
    ((all - inside) / (error.len() - inner.len()) as f64).sqrt() / (inside / inner.len() as f64).sqrt()
}

/// The kernels of the two demonstrations.
pub fn kernels(photo: &Photo) -> Result<Figure> {
    let stem = Stem::new(&shapes::KERNEL)
        .title("The kernel of the matrices")
        .axes("t", "k[t]")
        .first_index(-2)
        .size(380.0, 340.0)
        .draw();
    let disk = HeatMap::new(photo.psf.view()).title(format!("The PSF of the photo: {PSF}")).draw()?;
    Ok(Figure::row(&[stem, disk]))
}
