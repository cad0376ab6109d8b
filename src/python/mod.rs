//! The extension module `convmtx._core`: types at the border between Python and the library, nothing numerical.
//!
//! Python's side (`python/convmtx/`) turns whatever a user passes into arrays of one of the four element types; here
//! such an array meets generic code ([`element`]), runs without the interpreter's lock on threads of our own
//! ([`threads`]), and comes back as an array that owns the library's memory. Words become enums here ([`words`]).

mod algebra;
mod arrays;
mod command;
mod descriptions;
mod element;
mod errors;
mod foreign;
mod images;
mod make;
mod metrics;
mod noise;
mod operator;
mod psf;
mod reals;
mod solve;
mod spelled;
mod threads;
mod watch;
mod words;

use pyo3::prelude::*;

/// Native parts of convmtx; use the names of the package `convmtx` instead.
#[pymodule(gil_used = false)]
fn _core(m: &Bound<PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<operator::Operator>()?;
    m.add_class::<descriptions::Description>()?;
    make::register(m)?;
    algebra::register(m)?;
    psf::register(m)?;
    metrics::register(m)?;
    noise::register(m)?;
    solve::register(m)?;
    command::register(m)?;
    images::register(m)?;
    threads::register(m)?;
    Ok(())
}
