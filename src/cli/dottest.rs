//! `convmtx dottest`: do product and adjoint belong together?

use crate::Order;
use crate::cli::arguments::{AnyConv, Engine, GeometryArgs, Precision, Size, word};
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{KernelArgs, cast};
use crate::cli::output::print;
use crate::cli::progress::Progress;
use crate::io::{AnyArray, Element};
use crate::ndarray::ArrayD;
use crate::op;
use clap::{Args, ValueEnum};

/// Tests that the adjoint is the adjoint: ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for random x and y
///
/// Both engines, unless --engine. Fails (exit code 1) when the relative difference exceeds 8·ε·√max(m, n), which rounding
/// explains.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx dottest --kernel 1,4,6,4,1 --size 1000 --shape same --boundary reflect\n  \
    convmtx dottest --kernel 1+2i,3 --size 100 --stride 3 --dtype f32\n  \
    convmtx dottest --kernel motion:length=15,angle=30 --size 256x256 --boundary antireflective")]
pub struct DottestArgs {
    #[command(flatten)]
    kernel: KernelArgs,

    /// Samples of the signal: 50, 512x512 (rows x columns), 8x8x8
    #[arg(long, allow_hyphen_values = true)]
    size: Size,

    #[command(flatten)]
    geometry: GeometryArgs,

    /// Only this engine
    #[arg(long, value_enum, help_heading = "Test")]
    engine: Option<Engine>,

    /// Precision of the arithmetic
    #[arg(long, value_enum, default_value = "f64", help_heading = "Test")]
    dtype: Precision,

    /// Which random vectors
    #[arg(long, default_value = "1", help_heading = "Test")]
    seed: u64,
}

/// Runs the command.
pub fn run(args: &DottestArgs) -> Result<()> {
    match cast(args.kernel.load()?.array, (false, args.dtype == Precision::F64))? {
        AnyArray::F32(kernel) => with_type(args, &kernel),
        AnyArray::F64(kernel) => with_type(args, &kernel),
        AnyArray::C64(kernel) => with_type(args, &kernel),
        AnyArray::C128(kernel) => with_type(args, &kernel),
    }
}

fn with_type<T: Element>(args: &DottestArgs, kernel: &ArrayD<T>) -> Result<()> {
    let conv = AnyConv::new(kernel, &args.size.0, &args.geometry, Order::RowMajor)?;
    print(format!("{}, {}", args.geometry.words(), T::NAME))?;
    let mut failed = Vec::new();
    let engines = args.engine.as_ref().map_or(Engine::value_variants(), std::slice::from_ref);
    for &engine in engines {
        let progress = Progress::waiting(format!("dot test, {} engine", word(engine)));
        let operator = conv.operator(engine)?;
        let test = op::dottest::<T, _>(&operator, args.seed)?;
        drop(progress);
        let (m, n) = crate::op::LinearOperator::<[T]>::shape(&operator);
        print(format!("\n{} engine, A is {m} × {n}\n{test}", word(engine)))?;
        if !test.passed() {
            failed.push(word(engine));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "the dot test failed for the {} engine; non-finite or huge taps do that, anything else is a bug",
        failed.join(" and the ")
    )))
}
