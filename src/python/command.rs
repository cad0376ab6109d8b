//! The command line, carried by the wheel.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the program `convmtx` with these words after its name and returns its exit code.
#[pyfunction]
fn run_cli(py: Python, argv: Vec<OsString>) -> u8 {
    py.detach(|| crate::cli::run(argv))
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(run_cli, m)?)
}
