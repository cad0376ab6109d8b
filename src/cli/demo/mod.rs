//! `convmtx demo`: matrices, a photo restored, convergence, and the numbers behind them. It checks what it shows.

mod convergence;
mod numbers;
mod photo;
mod shapes;

use crate::cli::failure::{Failure, Result};
use crate::cli::output::{check_writable, print, table, write_figure};
use crate::cli::progress::Progress;
use clap::Args;
use photo::Photo;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The least gain in PSNR that counts as a restoration, dB.
const LEAST_GAIN: f64 = 4.0;

/// How much larger the error may be near the border than inside.
const LARGEST_FRAME: f64 = 1.5;

/// Matrices of convolutions, a blurred photo restored, convergence, and a table of numbers; takes some seconds
///
/// Everything is computed here and now. The photo is blurred in the computer from a larger one, so that its border knows
/// nothing of the boundary that the restoration assumes. Fails (exit code 1) if a dot test does, if the photo gains less
/// than 4 dB, or if its border rings.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  convmtx demo --out demo-out")]
pub struct DemoArgs {
    /// The folder for the pictures; it is made if missing
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &DemoArgs) -> Result<()> {
    let started = Instant::now();
    let out = args.out.as_path();
    let folder = out.display();
    std::fs::create_dir_all(out).map_err(|e| Failure::failed(format!("{folder}: cannot be made: {e}")))?;
    check_writable(&out.join("deblur.png"))?;
    print(format!(
        "convmtx {}, {} threads, {} {}",
        env!("CARGO_PKG_VERSION"),
        rayon::current_num_threads(),
        std::env::consts::OS,
        std::env::consts::ARCH
    ))?;
    let progress = Progress::of_steps(5, "demo");
    let step = |done: usize, message: &str| {
        progress.at(done);
        progress.say(message);
    };

    step(0, "matrices");
    let (figure, sizes) = shapes::spy()?;
    for name in ["matrices.png", "matrices.svg"] {
        write_figure(&out.join(name), &figure)?;
    }
    progress.print(format!("\nThe matrix of [1 4 6 4 1]/16 for 50 samples\n\n{}", table(&sizes)))?;

    step(1, "photo");
    let photo = Photo::taken()?;
    let restored = photo.restored()?;
    photo.write(out, &restored)?;
    write_figure(&out.join("kernel.png"), &photo::kernels(&photo)?)?;
    progress.print(format!("\n{}\n\n{}", photo.words(&restored), table(&photo.table(&restored))))?;

    step(2, "convergence");
    write_figure(&out.join("convergence.png"), &convergence::chart(&photo)?)?;

    step(3, "dot tests");
    let (tests, all_passed) = numbers::dot_tests(&photo)?;
    progress.print(format!("\nDot tests: |<A x, y> - <x, A^H y>| over the norms\n\n{}", table(&tests)))?;

    step(4, "timings");
    let timings = numbers::timings()?;
    progress.print(format!("\n{}\n\n{}", numbers::TIMINGS, table(&timings)))?;
    drop(progress);

    print(format!("\n{}", written(out, started)))?;
    let complaints = [
        (!all_passed).then(|| "a dot test failed".to_owned()),
        (restored.gain() < LEAST_GAIN || restored.gain().is_nan())
            .then(|| format!("the gain is {:.2} dB, expected {LEAST_GAIN} dB at least", restored.gain())),
        (restored.frame > LARGEST_FRAME)
            .then(|| format!("the border's error is {:.2} times that inside", restored.frame)),
    ];
    match complaints.into_iter().flatten().collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        some => Err(Failure::failed(format!("demo: {}", some.join("; ")))),
    }
}

/// What lies where, and what to type next.
fn written(out: &Path, started: Instant) -> String {
    let files = [
        ("matrices.png", "full, same and valid as matrices (also matrices.svg)"),
        ("deblur.png", "the photo: truth, blurred, restored"),
        ("convergence.png", "how four methods approach it"),
        ("kernel.png", "the two kernels"),
        ("photo.png", "the truth"),
        ("blurred.png", "what was given, 16 bit"),
        ("restored.png", "what was made of it"),
    ];
    let mut lines = vec![format!("wrote in {:.1} s:", started.elapsed().as_secs_f64())];
    for (name, what) in files {
        let (path, room) = (out.join(name).display().to_string(), "convergence.png".len());
        let gap = " ".repeat(room.saturating_sub(name.len()));
        lines.push(format!("  {path}{gap}  {what}"));
    }
    let (blurred, photo, sharp) = (out.join("blurred.png"), out.join("photo.png"), out.join("sharp.png"));
    lines.push(format!(
        "\nNow the same by hand:\n  convmtx deblur {} --psf {} --noise {} -o {} --truth {}",
        blurred.display(),
        photo::PSF,
        photo::NOISE,
        sharp.display(),
        photo.display()
    ));
    lines.join("\n")
}
