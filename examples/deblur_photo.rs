//! A photo blurred, noised and restored, with the boundary handled honestly.
//!
//! `cargo run --release --features cli --example deblur_photo`

use convmtx::io::read_image;
use convmtx::metrics::psnr;
use convmtx::ndarray::{Array2, s};
use convmtx::op::Gradient2d;
use convmtx::solve::Tikhonov;
use convmtx::{Boundary, Conv2d, ConvMode, Geometry, noise, psf};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/assets/camera_512.png");
    let scene = &read_image(&photo)?.planes[0];
    let kernel: Array2<f64> = psf::gaussian((9, 9), 2.0)?;

    // What a camera records: only pixels whose blur lies inside the scene are known ("valid"), and there is noise. Blurring
    // with the boundary condition of the solver instead would be the inverse crime.
    let scene = scene.slice(s![100..400, 100..400]).to_owned();
    let (rows, cols) = scene.dim();
    let recorded = Conv2d::new(&kernel, [rows, cols], ConvMode::Valid)?
        .apply(&scene.iter().copied().collect::<Vec<_>>())?;
    let recorded = Array2::from_shape_vec((rows - 8, cols - 8), recorded)?;
    let recorded = noise::gaussian(&recorded, 0.005, 1)?;
    let truth = scene.slice(s![4..rows - 4, 4..cols - 4]).to_owned();

    let (m, n) = recorded.dim();
    let b: Vec<f64> = recorded.iter().copied().collect();
    let gradient = Gradient2d::new(m, n)?;
    let restore = |boundary| -> convmtx::Result<f64> {
        let blur = Conv2d::new(&kernel, [m, n], Geometry::same().boundary(boundary))?.to_direct()?;
        let mut x = b.clone();
        let report =
            Tikhonov::new(1e-3).max_iters(200).tolerance(1e-6).solve(&blur, &gradient, &b, &mut x)?;
        println!("{report}");
        let restored = Array2::from_shape_vec((m, n), x).expect("m·n elements");
        psnr(&restored, &truth, 1.0)
    };

    let before = psnr(&recorded, &truth, 1.0)?;
    let mirrored = restore(Boundary::Symmetric)?;
    let zeros = restore(Boundary::Zero)?;
    println!(
        "PSNR blurred and noisy {before:.2} dB, restored {mirrored:.2} dB, with zeros beyond the edge {zeros:.2} dB"
    );
    assert!(mirrored > before + 2.0);
    assert!(mirrored > zeros, "a mirrored boundary rings less than a black one");
    Ok(())
}
