//! `convmtx`: convolution as a linear operator, from the command line.
//!
//! One file per command; what they share is in `arguments`, `kernel`, `picture`, `restore`, `output`, `progress`.
//! Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.

mod apply;
mod arguments;
mod blur;
mod deblur;
mod demo;
mod dottest;
mod failure;
mod interrupt;
mod kernel;
mod matrix;
mod output;
mod picture;
mod progress;
mod report;
mod restore;

use clap::{CommandFactory, Parser, Subcommand};
use failure::{Failure, Result};
use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

/// Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse
///
/// y = A x, where row i of A holds the taps of the kernel that reach `y[i]`. `full` keeps every output that the kernel reaches
/// (A has n + K − 1 rows), `same` as many as there are samples (n), `valid` only those for which the kernel lies inside the
/// signal (n − K + 1). Images and volumes are vectors of their pixels.
#[derive(Debug, Parser)]
#[command(name = "convmtx", version, max_term_width = 120, arg_required_else_help = true)]
#[command(after_help = "Begin with:  convmtx demo --out demo-out\n\
                        Each command explains itself:  convmtx matrix --help\n\n\
                        Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted (nothing half-written is left).")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Matrix(matrix::MatrixArgs),
    Apply(apply::ApplyArgs),
    Blur(blur::BlurArgs),
    Deblur(deblur::DeblurArgs),
    Dottest(dottest::DottestArgs),
}

fn main() -> ExitCode {
    set_hook(Box::new(|_| {})); // `guarded` reports panics
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return refused(&answer),
    };
    match interrupt::install().and_then(|()| guarded(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => complain(&failure),
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Blur(args) => blur::run(&args),
        Command::Deblur(args) => deblur::run(&args),
        Command::Dottest(args) => dottest::run(&args),
    }
}

/// A panic is a mistake of this program; it still ends in one line and code 1.
fn guarded(command: Command) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| run(command))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::failed(format!("internal error: {said}; this is a bug in convmtx, please report it")))
    })
}

fn complain(failure: &Failure) -> ExitCode {
    let _ = writeln!(stderr(), "convmtx: {failure}"); // a closed stderr leaves the exit code
    ExitCode::from(failure.code())
}

/// Help and version as they are; everything else that clap says as one line.
fn refused(answer: &clap::Error) -> ExitCode {
    if !answer.use_stderr() {
        let _ = answer.print(); // to a closed pipe, perhaps
        return ExitCode::SUCCESS;
    }
    if answer.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = answer.print();
        return ExitCode::from(2);
    }
    let text = answer.render().to_string();
    let told = text.split("\n\nUsage:").next().unwrap_or(&text);
    let told = told.split("\n\nFor more information").next().unwrap_or(told);
    let told = told.trim_start_matches("error: ").trim_end();
    // The word after the program's name, where it is a command.
    let command = std::env::args_os()
        .nth(1)
        .and_then(|word| word.into_string().ok())
        .filter(|word| Cli::command().find_subcommand(word).is_some());
    let command = command.map_or_else(String::new, |word| format!(" {word}"));
    complain(&Failure::usage(format!("{told}; see convmtx{command} --help")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
