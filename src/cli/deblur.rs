//! `convmtx deblur`: the sharp picture behind a blurred one.

use crate::cli::arguments::not_negative;
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{Source, load_psf};
use crate::cli::output::{
    check_distinct, check_figure, check_picture, number, print, sizes, table, write_figure, write_picture,
};
use crate::cli::picture::{Quality, check_psf, read_picture};
use crate::cli::progress::Progress;
use crate::cli::report::{Case, page};
use crate::cli::restore::{Method, Recipe, Restored, restore};
use crate::io::Image;
use crate::{Boundary, Conv2d, Geometry, metrics};
use clap::Args;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Restores a picture from a blurred, noisy one, given the PSF
///
/// A is the `same` convolution with the PSF (sum 1, centre at tap ⌊K/2⌋). Each channel is solved for by itself; size,
/// depth and alpha are kept. A boundary constant with its term d is solved as A x = b − d.
///
/// Say how large the noise is if you know (--noise, σ on [0, 1]): tikhonov then takes the largest λ of a grid, and
/// cgls, lsqr and rl the first iteration, for which noise explains the residual, ‖A x − b‖ ≤ 1.02·σ√N. With too small a
/// σ noise is amplified, with too large a one blur remains.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx deblur blurred.png --psf gaussian:size=9,sigma=4 --noise 0.01 -o sharp.png\n  \
    convmtx deblur blurred.png --psf psf.npy --method cgls --iterations 25 -o out.png --report page.svg\n  \
    convmtx deblur blurred.png --psf disk:radius=5 --lambda 0.003 -o sharp.png --truth photo.png\n\n\
    The output may be the input: it is written to a temporary file and renamed.")]
pub struct DeblurArgs {
    /// The blurred picture: PNG, JPEG, TIFF, PNM or .npy, any depth, grey or colour
    #[arg(value_name = "blurred.png")]
    input: PathBuf,

    /// The PSF: gaussian:size=9,sigma=4, motion:length=15,angle=30 (degrees), disk:radius=4, box:size=9x5, a .npy file or a grey
    /// picture
    #[arg(long)]
    psf: Source,

    /// Where the restored picture goes; the extension is the format
    #[arg(long, short, value_name = "sharp.png")]
    output: PathBuf,

    /// What is minimised, and how
    #[arg(long, value_enum, default_value = "tikhonov")]
    method: Method,

    /// The weight λ of the penalty, 0 for none
    #[arg(long, value_parser = not_negative, allow_hyphen_values = true)]
    lambda: Option<f64>,

    /// The largest number of iterations [default: 500 for tikhonov; 200 for the others with --noise or --lambda, else 30,
    /// which is what regularises them]
    #[arg(long, value_name = "N", value_parser = crate::cli::arguments::at_least_one, allow_hyphen_values = true)]
    iterations: Option<usize>,

    /// The standard deviation of the noise on [0, 1]: decides when to stop (or, for tikhonov, which λ)
    #[arg(long, value_name = "SIGMA", value_parser = crate::cli::arguments::positive, allow_hyphen_values = true)]
    noise: Option<f64>,

    /// Beyond the edges: zero, constant=C, periodic, symmetric, reflect, replicate, antireflective
    #[arg(long, default_value = "symmetric", value_parser = <Boundary<f64>>::from_str)]
    boundary: Boundary<f64>,

    /// The sharp original, where it is known: prints PSNR, SSIM and ISNR
    #[arg(long, value_name = "photo.png")]
    truth: Option<PathBuf>,

    /// Pictures, PSF, convergence and numbers on one page: .svg or .png
    #[arg(long, value_name = "report.svg")]
    report: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &DeblurArgs) -> Result<()> {
    if args.method == Method::Rl && args.lambda.is_some_and(|l| l > 0.0) {
        return Err(Failure::usage(
            "--lambda has no meaning for rl, whose iterations regularise; use --iterations",
        ));
    }
    let psf = load_psf(&args.psf)?;
    let blurred = read_picture(&args.input)?;
    check_picture(&args.output, &blurred)?;
    if let Some(path) = &args.report {
        let psf = match &args.psf {
            Source::File(path) => Some(path.as_path()),
            Source::Named(_) | Source::Numbers(_) => None,
        };
        let others = [
            ("-o", Some(args.output.as_path())),
            ("the blurred picture", Some(args.input.as_path())),
            ("--truth", args.truth.as_deref()),
            ("--psf", psf),
        ];
        check_distinct(("--report", path), &others)?;
        check_figure(path)?;
    }
    check_psf(&psf, &blurred)?;
    let truth = args.truth.as_ref().map(|path| read_truth(path, &blurred)).transpose()?;
    let conv = Conv2d::new(&psf, blurred.shape().into(), Geometry::same().boundary(args.boundary))?;

    let recipe =
        Recipe { method: args.method, lambda: args.lambda, iterations: args.iterations, noise: args.noise };
    let channels = restore_all(&conv, &blurred, &recipe)?;
    let planes = channels.iter().map(|c| c.image.clone()).collect();
    let restored = Image::new(planes, blurred.alpha.clone(), blurred.depth)?;
    write_picture(&args.output, &restored)?;

    let case = Case {
        psf: &psf,
        psf_name: psf_name(&args.psf),
        boundary: args.boundary.to_string(),
        recipe: &recipe,
        blurred: &blurred,
        restored: &restored,
        truth: truth.as_ref(),
        channels: &channels,
    };
    if let Some(path) = &args.report {
        write_figure(path, &page(&case)?)?;
    }
    print(words(args, &case)?)
}

/// Every channel, with a progress bar.
fn restore_all(conv: &Conv2d<f64>, blurred: &Image, recipe: &Recipe) -> Result<Vec<Restored>> {
    let count = blurred.planes.len();
    let progress = Progress::of_steps(recipe.iterations(), recipe.method.name());
    let channels = blurred.planes.iter().enumerate().map(|(c, plane)| {
        restore(conv, plane, recipe, &mut |iteration, _, lambda| {
            let channel = if count > 1 { format!(", channel {} of {count}", c + 1) } else { String::new() };
            let lambda = lambda.map_or_else(String::new, |l| format!(", λ = {l:.1e}"));
            progress.say(format!("{}{channel}{lambda}", recipe.method.name()));
            progress.at(iteration);
        })
    });
    channels.collect()
}

/// The truth, if it can be compared with the picture.
fn read_truth(path: &Path, blurred: &Image) -> Result<Image> {
    let truth = read_picture(path)?;
    let of = |image: &Image| (image.shape(), image.planes.len());
    if of(&truth) == of(blurred) {
        return Ok(truth);
    }
    let words = |image: &Image| {
        let ((rows, cols), channels) = of(image);
        format!("{rows} × {cols} pixels with {channels} channel{}", if channels == 1 { "" } else { "s" })
    };
    let (path, got, expected) = (path.display(), words(&truth), words(blurred));
    Err(Failure::failed(format!("{path}: the truth has {got}, expected {expected} as the blurred picture")))
}

fn psf_name(source: &Source) -> String {
    match source {
        Source::Named(psf) => psf.to_string(),
        Source::Numbers(_) => "as typed".into(),
        Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

/// What is printed.
fn words(args: &DeblurArgs, case: &Case) -> Result<String> {
    let mut lines = vec![format!(
        "{}, PSF {} ({}), boundary {}",
        case.recipe.method.name(),
        case.psf_name,
        sizes(case.psf.shape()),
        case.boundary
    )];
    for (c, channel) in case.channels.iter().enumerate() {
        let name = if case.channels.len() > 1 { format!("channel {}: ", c + 1) } else { String::new() };
        let (report, plural) = (&channel.report, if channel.report.iterations == 1 { "" } else { "s" });
        let mut line = format!("{name}{} iteration{plural}: {}", report.iterations, channel.why);
        line += &report.lambda.map_or_else(String::new, |l| format!("; λ = {l:.3e}"));
        line += &format!("; residual {}", number(report.residual_norm()));
        line += &channel.target.map_or_else(String::new, |t| format!(", noise level {}", number(t)));
        lines.push(line);
        lines.extend(channel.warning.iter().map(|w| format!("warning: {name}{w}")));
    }
    if let Some(truth) = case.truth {
        let row = |name: &str, image: &Image| -> Result<Vec<String>> {
            let quality = Quality::of(&image.planes, &truth.planes)?;
            Ok(vec![name.into(), format!("{:.2}", quality.psnr), quality.ssim_words()])
        };
        let header = ["", "PSNR dB", "SSIM"].map(str::to_owned).to_vec();
        lines.push(String::new());
        lines.push(table(&[header, row("blurred", case.blurred)?, row("restored", case.restored)?]));
        lines.push(format!("ISNR {:.2} dB", isnr(case)?.unwrap_or(f64::NAN)));
    }
    lines.push(format!("wrote {}", args.output.display()));
    lines.extend(args.report.iter().map(|p| format!("wrote {}", p.display())));
    Ok(lines.join("\n"))
}

/// The improvement over all channels, where the truth is known.
pub fn isnr(case: &Case) -> Result<Option<f64>> {
    let Some(truth) = case.truth else { return Ok(None) };
    let together = |image: &Image| -> Result<crate::ndarray::Array3<f64>> {
        let views: Vec<_> = image.planes.iter().map(|p| p.view()).collect();
        crate::ndarray::stack(crate::ndarray::Axis(0), &views).map_err(|e| Failure::failed(e.to_string()))
    };
    Ok(Some(metrics::isnr(&together(case.blurred)?, &together(case.restored)?, &together(truth)?)?))
}
