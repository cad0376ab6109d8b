//! How the methods approach the photo: residuals fall for ever, errors do not.

use super::photo::{NOISE, Photo};
use crate::cli::failure::Result;
use crate::cli::restore::MARGIN;
use crate::direct::DirectConv;
use crate::ndarray::ArrayView2;
use crate::op::Gradient2d;
use crate::plot::{Figure, Lines, Scale};
use crate::solve::{Cgls, Lsqr, Progress, RichardsonLucy, Tikhonov};
use crate::{Boundary, metrics};
use std::ops::ControlFlow;

/// Iterations that are shown.
const SHOWN: usize = 60;

/// λ for Tikhonov's curve, a value near the one that the discrepancy principle finds.
const LAMBDA: f64 = 2e-3;

/// One method: residuals over the noise level, and PSNR, by iteration.
struct Curve {
    name: &'static str,
    residuals: Vec<f64>,
    psnr: Vec<f64>,
}

/// Residuals and PSNR of four methods, side by side.
pub fn chart(photo: &Photo) -> Result<Figure> {
    let curves = curves(photo)?;
    let mut residuals = Lines::new()
        .title("The residual only falls …")
        .x_axis("iteration", Scale::Linear)
        .y_axis("‖A x − b‖ / (σ√N)", Scale::Log)
        .size(520.0, 400.0);
    let mut psnr = Lines::new()
        .title("… the picture improves, then drowns in noise")
        .x_axis("iteration", Scale::Linear)
        .y_axis("PSNR in dB", Scale::Linear)
        .size(520.0, 400.0);
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(i, &v)| ((i + 1) as f64, v)).collect() // few iterations
    };
    for curve in &curves {
        residuals = residuals.series(curve.name, points(&curve.residuals));
        psnr = psnr.series(curve.name, points(&curve.psnr));
    }
    residuals = residuals.series("noise level", [(1.0, MARGIN), (SHOWN as f64, MARGIN)]);
    // Where the first method would be stopped.
    if let Some(stop) = curves[0].residuals.iter().position(|&r| r <= MARGIN) {
        let at = (stop + 1) as f64; // few iterations
        residuals = residuals.note(at, curves[0].residuals[stop], "CGLS stops");
        psnr = psnr.note(at, curves[0].psnr[stop], "CGLS stops");
    }
    Ok(Figure::row(&[residuals.draw(), psnr.draw()]))
}

fn curves(photo: &Photo) -> Result<[Curve; 4]> {
    let a: DirectConv<f64, 2> = photo.model(Boundary::Symmetric)?.to_direct()?;
    let (rows, cols) = photo.truth.dim();
    let b: Vec<f64> = photo.given.iter().copied().collect();
    let level = NOISE * (b.len() as f64).sqrt(); // exact below 2⁵³
    let record = |name: &'static str| Curve { name, residuals: Vec::new(), psnr: Vec::new() };
    let see = |curve: &mut Curve, p: &Progress<'_, [f64]>| {
        let psnr = ArrayView2::from_shape((rows, cols), p.iterate)
            .ok()
            .and_then(|x| metrics::psnr(&x, &photo.truth, 1.0).ok());
        curve.residuals.push(p.residual_norm / level);
        curve.psnr.push(psnr.unwrap_or(f64::NAN));
        ControlFlow::Continue(())
    };
    let zero = || vec![0.0; b.len()];

    let mut cgls = record("CGLS");
    let solver = Cgls::new().max_iters(SHOWN).tolerance(0.0);
    solver.solve_observed::<[f64], _>(&a, &b[..], &mut zero()[..], |p| see(&mut cgls, p))?;
    let mut lsqr = record("LSQR (the same iterates)");
    let solver = Lsqr::new().max_iters(SHOWN).atol(0.0).btol(0.0);
    solver.solve_observed::<[f64], _>(&a, &b[..], &mut zero()[..], |p| see(&mut lsqr, p))?;
    let mut tikhonov = record("Tikhonov, λ = 0.002");
    let solver = Tikhonov::new(LAMBDA).max_iters(SHOWN).tolerance(0.0);
    let gradient = Gradient2d::new(rows, cols)?;
    solver
        .solve_observed::<[f64], _, _>(&a, &gradient, &b[..], &mut zero()[..], |p| see(&mut tikhonov, p))?;
    let mut rl = record("Richardson-Lucy");
    let solver = RichardsonLucy::<[f64]>::new().max_iters(SHOWN).clip_data();
    solver.solve_observed(&a, &b[..], &mut zero()[..], |p| see(&mut rl, p))?;
    Ok([cgls, lsqr, tikhonov, rl])
}
