//! The library's errors as Python's exceptions, with the same text.

use crate::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyValueError};
use std::cell::RefCell;

thread_local! {
    /// An exception that Python code raised inside a product, on its way through the library.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Keeps an exception while the library passes on an error of its own.
pub fn keep(raised: PyErr) -> Error {
    let reason = raised.to_string();
    RAISED.with(|slot| *slot.borrow_mut() = Some(raised));
    Error::Unsupported { what: "the product of an operator written in Python", reason }
}

/// The exception that was kept, if there is one.
pub fn kept() -> Option<PyErr> {
    RAISED.with(|slot| slot.borrow_mut().take())
}

/// `ValueError` for what the caller can mend in the arguments, `MemoryError` and `OSError` where these are meant; an
/// exception raised by Python code inside the library is raised again as it was.
impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        if let Some(raised) = kept() {
            return raised;
        }
        match error {
            Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
            Error::Io { .. } => PyOSError::new_err(error.to_string()),
            _ => PyValueError::new_err(error.to_string()),
        }
    }
}
