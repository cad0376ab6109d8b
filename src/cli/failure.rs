//! What ends a command early, and the exit code that tells it.

use crate::Error;
use std::fmt;

/// `Result` with [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ended without doing what it was asked for; one line of text.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The command line asks for something that cannot be: exit code 2.
    Usage(String),
    /// A file, memory, or the data refused; or a check failed: exit code 1.
    Failed(String),
}

impl Failure {
    /// A contradiction in the command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::Usage(message.into())
    }

    /// Anything else that goes wrong.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure::Failed(message.into())
    }

    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Failed(_) => 1,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Failed(in_options(error).to_string())
    }
}

/// The error with advice about options where the library's is about its functions.
fn in_options(error: Error) -> Error {
    match error {
        Error::Overflow { what: what @ "the matrix", detail, .. } => Error::Overflow {
            what,
            detail,
            hint: "leave out --keep-zeros, or use convmtx apply, which is matrix-free",
        },
        Error::Memory { what, needed, available, .. } => {
            let hint = match what {
                "the matrix" => {
                    "use a smaller size, or convmtx apply, which is matrix-free (--engine direct)"
                }
                _ => "use a smaller size",
            };
            Error::Memory { what, needed, available, hint }
        }
        other => other,
    }
}

impl fmt::Display for Failure {
    /// The message on one line, whatever it contains.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(message) | Failure::Failed(message)) = self;
        let mut words = message.split_whitespace();
        f.write_str(words.next().unwrap_or("no reason given"))?;
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::usage("first\n  second\r\nthird ");
        assert_eq!((failure.to_string().as_str(), failure.code()), ("first second third", 2));
        let error = Error::Empty { what: "the kernel" };
        assert_eq!(Failure::from(error).code(), 1);
    }
}
