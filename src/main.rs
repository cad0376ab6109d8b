//! The program `convmtx`; everything it does is in the room `cli` of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(convmtx::cli::run(std::env::args_os().skip(1)))
}
