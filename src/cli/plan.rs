//! `convmtx plan`: which engine, why, and what it would cost; and how fast this machine is.

use crate::Order;
use crate::Scalar;
use crate::cli::arguments::{AnyConv, GeometryArgs, Precision, Size, each_conv, positive};
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{KernelArgs, cast};
use crate::cli::output::{print, table};
use crate::cli::progress::Progress;
use crate::io::{AnyArray, Element, write_atomically};
use crate::ndarray::ArrayD;
use crate::plan::{Accuracy, Rates};
use clap::Args;
use std::io::Write;

/// Says which engine takes a convolution and why, with operations, bytes and time of every candidate
///
/// Times are predictions for one thread, from rates measured on some machine. --calibrate measures them on this one, in two
/// seconds, and keeps them in a file that every later plan uses, here and from Rust and Python.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx plan --kernel gaussian:size=15,sigma=3 --size 2048x2048 --shape same\n  \
    convmtx plan --kernel motion:length=31,angle=20 --size 1024x1024 --dtype f32 --exact\n  \
    convmtx plan --calibrate\n\n\
    The file of the rates is $CONVMTX_RATES, or rates-HOST.txt in the folder convmtx of the user's folder for caches.")]
pub struct PlanArgs {
    #[command(flatten)]
    kernel: Option<KernelArgs>,

    /// Samples of the signal: 50, 512x512 (rows x columns), 8x8x8
    #[arg(long, allow_hyphen_values = true, required_unless_present = "calibrate")]
    size: Option<Size>,

    #[command(flatten)]
    geometry: GeometryArgs,

    /// Only engines that keep integers exact
    #[arg(long, help_heading = "Plan", conflicts_with = "within")]
    exact: bool,

    /// Only engines whose errors are at most this times ‖k‖₁·‖x‖₂
    #[arg(long, value_name = "BOUND", help_heading = "Plan", value_parser = positive)]
    within: Option<f64>,

    /// Precision of the arithmetic
    #[arg(long, value_enum, default_value = "f64", help_heading = "Plan")]
    dtype: Precision,

    /// Measures how fast this machine is and keeps it for later plans
    #[arg(long, help_heading = "Plan", conflicts_with_all = ["size", "kernel"])]
    calibrate: bool,
}

/// Runs the command.
pub fn run(args: &PlanArgs) -> Result<()> {
    let (Some(kernel), Some(size), false) = (&args.kernel, &args.size, args.calibrate) else {
        if args.calibrate {
            return calibrate();
        }
        return Err(Failure::usage(
            "the kernel is missing, give --kernel, or --calibrate; see convmtx plan --help",
        ));
    };
    match cast(kernel.load()?.array, (false, args.dtype == Precision::F64))? {
        AnyArray::F32(kernel) => with_type(args, size, &kernel),
        AnyArray::F64(kernel) => with_type(args, size, &kernel),
        AnyArray::C64(kernel) => with_type(args, size, &kernel),
        AnyArray::C128(kernel) => with_type(args, size, &kernel),
    }
}

fn with_type<T: Element>(args: &PlanArgs, size: &Size, kernel: &ArrayD<T>) -> Result<()> {
    let conv = AnyConv::new(kernel, &size.0, &args.geometry, Order::RowMajor)?;
    let accuracy = match (args.exact, args.within) {
        (true, _) => Accuracy::Exact,
        (_, Some(bound)) => Accuracy::Within(bound),
        _ => Accuracy::Rounded,
    };
    print(args.geometry.words())?;
    print(each_conv!(conv, c => c.plan_for(accuracy).to_string()))?;
    let measured = *Rates::current() != Rates::default();
    print(if measured {
        "rates of this machine"
    } else {
        "rates of another machine; convmtx plan --calibrate measures this one"
    })
}

fn calibrate() -> Result<()> {
    let Some(path) = Rates::file() else {
        return Err(Failure::failed(
            "no place for the rates: neither CONVMTX_RATES, XDG_CACHE_HOME nor HOME is set; set CONVMTX_RATES to a file",
        ));
    };
    let progress = Progress::waiting("measuring engines and memory".to_owned());
    let rates = Rates::measure()?;
    drop(progress);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| crate::Error::Io { path: folder.to_owned(), source })?;
    }
    write_atomically(&path, |file| write!(file, "{rates}"))?;
    let giga = |rates: &[f64]| rates.iter().map(|r| format!("{:.1}", r / 1e9)).collect::<Vec<_>>();
    let types = [<f32 as Scalar>::NAME, <f64 as Scalar>::NAME, "complex64", "complex128"].map(str::to_owned);
    let row = |name: &str, rates: &[f64]| [vec![name.to_owned()], giga(rates)].concat();
    let mut rows = vec![[vec!["GFLOP/s".to_owned()], types.to_vec()].concat()];
    rows.push(row("direct, many taps", &rates.row));
    rows.push(row("direct, few taps", &rates.short));
    rows.push(row("direct, images", &rates.sheet));
    rows.push(row("direct, steps", &rates.apart));
    rows.push(row("transforms of lines", &rates.lines));
    rows.push(row("transforms of tiles", &rates.tiles));
    print(table(&rows))?;
    print(format!(
        "copying memory: {:.1} GB/s read and written\nkept in {}",
        rates.copy / 1e9,
        path.display()
    ))
}
