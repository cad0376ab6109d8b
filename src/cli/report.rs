//! The page that `deblur --report` writes: what was done, how it went, and what came out.

use crate::cli::deblur::isnr;
use crate::cli::failure::Result;
use crate::cli::output::{number, sizes};
use crate::cli::picture::{Quality, shown};
use crate::cli::restore::{MARGIN, Method, Recipe, Restored};
use crate::io::Image;
use crate::ndarray::Array2;
use crate::plot::{Figure, HeatMap, Images, Lines, Page, Scale};

/// Everything about one deblurring.
pub struct Case<'a> {
    pub psf: &'a Array2<f64>,
    pub psf_name: String,
    pub boundary: String,
    pub recipe: &'a Recipe,
    pub blurred: &'a Image,
    pub restored: &'a Image,
    pub truth: Option<&'a Image>,
    pub channels: &'a [Restored],
}

/// The page.
pub fn page(case: &Case) -> Result<Figure> {
    let mut page = Page::new().heading("Deblurring").paragraph(account(case));
    for channel in case.channels {
        if let Some(warning) = &channel.warning {
            page = page.paragraph(format!("Warning: {warning}."));
        }
    }
    let psf = HeatMap::new(case.psf.view()).title(format!("PSF {}", case.psf_name)).draw()?;
    let mut charts = vec![psf, convergence(case)];
    charts.extend(search(case));
    Ok(page.table(numbers(case)?).figure(pictures(case)?).figure(Figure::row(&charts)).draw())
}

/// What was done and why it stopped, in sentences.
fn account(case: &Case) -> String {
    let recipe = case.recipe;
    let (rows, cols) = case.blurred.shape();
    let problem = match recipe.method {
        Method::Tikhonov => "minimising ‖A x − b‖² + λ‖∇x‖²",
        Method::Cgls | Method::Lsqr if recipe.lambda.is_some_and(|l| l > 0.0) => {
            "minimising ‖A x − b‖² + λ‖x‖² from a black picture on"
        }
        Method::Cgls | Method::Lsqr => "minimising ‖A x − b‖² from a black picture on, stopped early",
        Method::Rl => "raising the likelihood of counted photons under x ≥ 0",
    };
    let colours = if case.channels.len() > 1 { ", each colour by itself" } else { "" };
    let noise = recipe.noise.map_or_else(String::new, |sigma| {
        format!(
            " The noise was said to have σ = {sigma}; a residual of {MARGIN}·σ√N = {} is what noise explains.",
            number(case.channels.first().and_then(|c| c.target).unwrap_or(f64::NAN))
        )
    });
    let whys: Vec<&str> = case.channels.iter().map(|c| c.why.as_str()).collect();
    let counts: Vec<String> = case.channels.iter().map(|c| c.report.iterations.to_string()).collect();
    let stops = if whys.windows(2).all(|w| w[0] == w[1]) {
        format!("after {} iterations: {}", counts.join(", "), whys.first().copied().unwrap_or_default())
    } else {
        let each = counts.iter().zip(&whys).map(|(n, why)| format!("after {n} iterations: {why}"));
        each.collect::<Vec<_>>().join("; ")
    };
    format!(
        "The picture of {rows} × {cols} pixels was restored with {}{colours}: {problem}, where A is the convolution with the \
         PSF ({}, sum 1) and the boundary {}.{noise} It stopped {}.",
        recipe.method.name(),
        sizes(case.psf.shape()),
        case.boundary,
        stops
    )
}

fn numbers(case: &Case) -> Result<Vec<Vec<String>>> {
    let mut rows = vec![vec!["quantity".to_owned()]];
    let name = |c: usize| match case.channels.len() {
        3 => ["red", "green", "blue"].get(c).copied().unwrap_or("value").to_owned(),
        _ => "value".to_owned(),
    };
    rows[0].extend((0..case.channels.len()).map(name));
    let mut row = |what: &str, value: &dyn Fn(&Restored) -> String| {
        rows.push([what.to_owned()].into_iter().chain(case.channels.iter().map(value)).collect());
    };
    row("iterations", &|c| c.report.iterations.to_string());
    row("λ", &|c| c.report.lambda.map_or_else(|| "–".into(), |l| format!("{l:.3e}")));
    row("residual norm ‖A x − b‖", &|c| number(c.report.residual_norm()));
    row("noise level", &|c| c.target.map_or_else(|| "–".into(), number));
    row("seconds of the last solve", &|c| format!("{:.2}", c.report.elapsed.as_secs_f64()));
    if let Some(truth) = case.truth {
        let quality = |image: &Image| Quality::of(&image.planes, &truth.planes);
        let all = if case.channels.len() > 1 { ", all colours" } else { "" };
        let (before, after) = (quality(case.blurred)?, quality(case.restored)?);
        rows.push(vec![format!("PSNR before{all}"), format!("{:.2} dB", before.psnr)]);
        rows.push(vec![format!("PSNR after{all}"), format!("{:.2} dB", after.psnr)]);
        rows.push(vec![format!("SSIM before{all}"), before.ssim_words()]);
        rows.push(vec![format!("SSIM after{all}"), after.ssim_words()]);
        rows.push(vec![format!("ISNR{all}"), format!("{:.2} dB", isnr(case)?.unwrap_or(f64::NAN))]);
    }
    Ok(rows)
}

fn pictures(case: &Case) -> Result<Figure> {
    let caption = |name: &str, image: &Image| -> Result<String> {
        Ok(match case.truth {
            Some(truth) => format!("{name}\n{}", Quality::of(&image.planes, &truth.planes)?.words()),
            None => name.to_owned(),
        })
    };
    let before = shown(&case.blurred.planes)?.caption(caption("blurred", case.blurred)?);
    let after = shown(&case.restored.planes)?.caption(caption("restored", case.restored)?);
    let images = Images::new().image(before).image(after);
    let images = match case.truth {
        Some(truth) => images.image(shown(&truth.planes)?.caption("truth")),
        None => images,
    };
    Ok(images.draw()?)
}

/// Residual norms against iterations.
fn convergence(case: &Case) -> Figure {
    let mut lines = Lines::new()
        .title(if case.channels.iter().any(|c| !c.trials.is_empty()) { "Last solve" } else { "Convergence" })
        .x_axis("iteration", Scale::Linear)
        .y_axis("residual norm", Scale::Log);
    let single = case.channels.len() == 1;
    for (channel, colour) in case.channels.iter().zip(["red", "green", "blue"]) {
        let name = if single { case.recipe.method.name() } else { colour };
        lines = lines.sequence(name, &channel.report.residual_norms);
    }
    let last = case.channels.iter().map(|c| c.report.iterations).max().unwrap_or(0);
    if let Some(target) = case.channels.first().and_then(|c| c.target) {
        lines = lines.series("noise level", [(0.0, target), (last as f64, target)]); // few iterations
    }
    lines.size(420.0, 320.0).draw()
}

/// Residual norms against λ, where λ was searched.
fn search(case: &Case) -> Option<Figure> {
    let channel = case.channels.first().filter(|c| c.trials.len() > 1)?;
    let (lambda, residual) = *channel.trials.last()?;
    let target = channel.target?;
    let first = channel.trials.first()?.0;
    let lines = Lines::new()
        .title("The choice of λ")
        .x_axis("λ", Scale::Log)
        .y_axis("residual norm", Scale::Log)
        .series("residual of the minimum", channel.trials.iter().copied())
        .series("noise level", [(lambda, target), (first, target)])
        .note(lambda, residual, "chosen");
    Some(lines.size(420.0, 320.0).draw())
}
