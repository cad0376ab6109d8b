//! The one error type: what was wrong, what was expected, what was got, and what to do about it.

use std::path::PathBuf;

/// `Result` with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can be refused, with the numbers that led to it.
///
/// Errors are raised before any work starts. Not converging is not an error: solvers say so in their
/// [`Report`](crate::solve::Report).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // of the fields: their meaning is the message
pub enum Error {
    /// An array that must have elements has none.
    #[error("{what} is empty, expected at least one element")]
    Empty { what: &'static str },

    /// A vector of the wrong length.
    #[error("{what} has length {got}, expected {expected}")]
    Length { what: &'static str, expected: usize, got: usize },

    /// An array of the wrong shape.
    #[error("{what} has shape {got:?}, expected {expected:?}")]
    Shape { what: &'static str, expected: Vec<usize>, got: Vec<usize> },

    /// A number or word outside what is allowed.
    #[error("{what} is {got}, expected {expected}")]
    Value { what: &'static str, expected: String, got: String },

    /// NaN or infinity where only finite numbers make sense.
    #[error(
        "{what} has the value {value} at index {index}, expected finite numbers; remove or replace it first"
    )]
    NonFinite { what: &'static str, index: usize, value: String },

    /// A size that no index type can hold.
    #[error("the size of {what} overflows: {detail}; {hint}")]
    Overflow { what: &'static str, detail: String, hint: &'static str },

    /// A matrix that a direct solver cannot take, with the order of the leading minor that vanishes.
    #[error("the leading minor of order {order} of {what} is zero to this precision; {hint}")]
    Singular { what: &'static str, order: usize, hint: &'static str },

    /// A result that does not fit into memory.
    #[error("{what} needs {needed} bytes, available are {available}; {hint}")]
    Memory { what: &'static str, needed: u128, available: u64, hint: &'static str },

    /// A combination that has no meaning, or that this operation does not offer.
    #[error("{what} is not possible: {reason}")]
    Unsupported { what: &'static str, reason: String },

    /// The operating system refused to read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },

    /// A file whose content is not what its name or header says.
    #[error("{}: {message}", path.display())]
    Format { path: PathBuf, message: String },
}

impl Error {
    /// A value outside its range, in the words "`what` is `got`, expected `expected`".
    pub(crate) fn value(
        what: &'static str,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Self {
        Error::Value { what, expected: expected.into(), got: got.to_string() }
    }
}

/// `Ok` when `got` is `expected`, otherwise [`Error::Length`].
pub(crate) fn check_len(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::Length { what, expected, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_was_expected_and_what_was_got() {
        assert_eq!(check_len("x", 8, 7).unwrap_err().to_string(), "x has length 7, expected 8");
        assert_eq!(Error::value("stride", "at least 1", 0).to_string(), "stride is 0, expected at least 1");
    }
}
