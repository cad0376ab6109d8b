//! The command line as a function: what the program `convmtx` does, for any process that brings the words.
//!
//! Behind the feature `cli`. One file per command; what they share is in `arguments`, `kernel`, `picture`, `restore`,
//! `output`, `progress`. [`run`] is all that is public.

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
mod overflow;
mod picture;
mod plan;
mod progress;
mod report;
mod restore;

use clap::{CommandFactory, Parser, Subcommand};
use failure::{Failure, Result};
use std::ffi::OsString;
use std::io::{Write, stderr, stdout};
use std::iter::once;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, PoisonError};

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
    Plan(plan::PlanArgs),
}

/// Runs the command line `convmtx args…` and returns the exit code of the program: 0 done, 1 failed, 2 wrong command line.
///
/// `args` are the words after the program's name. Results and help go to the standard output of the process, the one line
/// of a failure to its standard error.
///
/// **Interrupts.** While it runs, Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and SIGXCPU remove unfinished files and end the *process*
/// with code 130, also where the process had handlers of its own, which are called as well; signals that the process
/// ignores stay ignored (`nohup`; known on Linux). Afterwards they mean what they meant before the first call, on
/// Windows excepted, where Ctrl-C then does nothing. A handler that the process installs between two calls replaces
/// that of the second call.
///
/// **Concurrent calls** wait for each other. While one runs, panics anywhere in the process print nothing; its own end in
/// the code 1.
///
/// # Examples
/// ```
/// use convmtx::cli::run;
/// assert_eq!(run(["matrix", "--kernel", "1,2,3", "--size", "5"]), 0); // prints the matrix
/// assert_eq!(run(["matrix", "--kernel", "1,2,3", "--size", "none"]), 2); // says what a size is
/// ```
pub fn run<I>(args: I) -> u8
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner); // protects no data
    let _silence = Silence::begin(); // `guarded` reports panics
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let cli = match Cli::try_parse_from(once(OsString::from("convmtx")).chain(args.iter().cloned())) {
        Ok(cli) => cli,
        Err(answer) => return refused(&answer, args.first()),
    };
    // A signal in the last moment ends the process here, before a failure that it caused is told.
    let done = interrupt::listen().and_then(|_listening| guarded(cli.command));
    match done {
        Ok(()) => 0,
        Err(failure) => complain(&failure),
    }
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send + 'static>;

/// Panics print nothing until this is dropped.
struct Silence(Option<Hook>);

impl Silence {
    fn begin() -> Self {
        let before = take_hook();
        set_hook(Box::new(|_| {}));
        Silence(Some(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = self.0.take().filter(|_| !std::thread::panicking()) {
            set_hook(before); // which a panicking thread must not
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Blur(args) => blur::run(&args),
        Command::Deblur(args) => deblur::run(&args),
        Command::Dottest(args) => dottest::run(&args),
        Command::Plan(args) => plan::run(&args),
    }
}

/// A panic is a mistake of this program; it still ends in one line and code 1.
fn guarded(command: Command) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| execute(command))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::failed(format!("internal error: {said}; this is a bug in convmtx, please report it")))
    })
}

fn complain(failure: &Failure) -> u8 {
    let _ = writeln!(stderr(), "convmtx: {failure}"); // a closed stderr leaves the exit code
    failure.code()
}

/// Help and version as they are; everything else that clap says as one line.
fn refused(answer: &clap::Error, first: Option<&OsString>) -> u8 {
    if !answer.use_stderr() {
        let _ = answer.print().and_then(|()| stdout().flush()); // to a closed pipe, perhaps
        return 0;
    }
    if answer.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = answer.print();
        return 2;
    }
    let text = answer.render().to_string();
    let told = text.split("\n\nUsage:").next().unwrap_or(&text);
    let told = told.split("\n\nFor more information").next().unwrap_or(told);
    let told = told.trim_start_matches("error: ").trim_end();
    // The word after the program's name, where it is a command.
    let command =
        first.and_then(|word| word.to_str()).filter(|word| Cli::command().find_subcommand(word).is_some());
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
