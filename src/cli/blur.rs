//! `convmtx blur`: a picture as a lens, a motion or a measured PSF would have taken it.

use crate::cli::arguments::{not_negative, positive};
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{Source, load_psf};
use crate::cli::output::{check_picture, print, sizes, write_picture};
use crate::cli::picture::{check_psf, read_picture};
use crate::cli::progress::Progress;
use crate::ndarray::{Array2, Axis, Ix2, stack};
use crate::{Boundary, Conv2d, Geometry, noise};
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// Blurs a picture with a PSF, and adds noise
///
/// PNG, JPEG, TIFF, PNM or .npy; 8 bit, 16 bit or float; grey or colour, every channel with the same PSF. Values are
/// [0, 1], no gamma. Size, depth and alpha are kept; alpha is not blurred. Only integers are clipped, when they are saved:
/// write .npy (or 16 bit, by blurring a 16-bit picture) to lose nothing.
///
/// The blur is the `same` convolution, the PSF scaled to sum 1 with its centre at tap ⌊K/2⌋.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx blur photo.png --psf gaussian:size=9,sigma=4 --noise 0.01 -o blurred.png\n  \
    convmtx blur photo.jpg --psf motion:length=15,angle=30 -o moved.jpg\n  \
    convmtx blur stars.tif --psf psf.npy --poisson 1000 --seed 7 -o counted.npy\n\n\
    The output may be the input: it is written to a temporary file and renamed.")]
pub struct BlurArgs {
    /// The picture
    #[arg(value_name = "photo.png")]
    input: PathBuf,

    /// The PSF: gaussian:size=9,sigma=4, motion:length=15,angle=30 (degrees), disk:radius=4, box:size=9x5, a .npy file or a grey
    /// picture
    #[arg(long)]
    psf: Source,

    /// Where the blurred picture goes; the extension is the format
    #[arg(long, short, value_name = "blurred.png")]
    output: PathBuf,

    /// Adds Gaussian noise of this standard deviation, on [0, 1]
    #[arg(long, value_name = "SIGMA", value_parser = not_negative, allow_hyphen_values = true)]
    noise: Option<f64>,

    /// Counts photons instead, PEAK of them where the picture is 1
    #[arg(long, value_name = "PEAK", conflicts_with = "noise", value_parser = positive, allow_hyphen_values = true)]
    poisson: Option<f64>,

    /// Which noise: the same seed gives the same picture everywhere
    #[arg(long, default_value = "1")]
    seed: u64,

    /// Beyond the edges: zero, constant=C, periodic, symmetric, reflect, replicate, antireflective
    #[arg(long, default_value = "symmetric", value_parser = <Boundary<f64>>::from_str)]
    boundary: Boundary<f64>,
}

/// Runs the command.
pub fn run(args: &BlurArgs) -> Result<()> {
    let psf = load_psf(&args.psf)?;
    let mut image = read_picture(&args.input)?;
    check_picture(&args.output, &image)?;
    check_psf(&psf, &image)?;
    let progress = Progress::waiting("blurring");
    let conv = Conv2d::new(&psf, image.shape().into(), Geometry::same().boundary(args.boundary))?;
    for plane in &mut image.planes {
        *plane = blurred(&conv, plane)?;
    }
    // All channels in one array: each gets noise of its own.
    let views: Vec<_> = image.planes.iter().map(|p| p.view()).collect();
    let planes = stack(Axis(0), &views).map_err(|e| Failure::failed(e.to_string()))?;
    let noisy = match (args.noise, args.poisson) {
        (Some(sigma), _) => Some(noise::gaussian(&planes, sigma, args.seed)?),
        (_, Some(peak)) => Some(noise::poisson(&planes, peak, args.seed)?),
        _ => None,
    };
    if let Some(noisy) = noisy {
        image.planes = noisy.outer_iter().map(|p| p.to_owned()).collect();
    }
    write_picture(&args.output, &image)?;
    drop(progress);
    let noise = match (args.noise, args.poisson) {
        (Some(sigma), _) => format!(", Gaussian noise of σ = {sigma}"),
        (_, Some(peak)) => format!(", photons counted up to {peak}"),
        _ => String::new(),
    };
    let (rows, cols) = image.shape();
    print(format!(
        "wrote {}: {rows} × {cols} pixels, PSF {}, boundary {}{noise}",
        args.output.display(),
        sizes(psf.shape()),
        args.boundary
    ))
}

/// A plane after the blur, the term of a boundary constant included.
pub fn blurred(conv: &Conv2d<f64>, plane: &Array2<f64>) -> Result<Array2<f64>> {
    let x: Vec<f64> = plane.iter().copied().collect();
    let y = conv.apply(&x)?;
    let y = crate::ndarray::ArrayD::from_shape_vec(conv.output_shape().to_vec(), y);
    y.and_then(|y| y.into_dimensionality::<Ix2>()).map_err(|e| Failure::failed(e.to_string()))
}
