//! Files in and out: arrays (NumPy `.npy`), pictures, sparse matrices (Matrix Market, SciPy `.npz`).
//!
//! | Format | Read | Write | In memory |
//! |---|---|---|---|
//! | `.npy` | [`read_npy`] | [`write_npy`] | [`AnyArray`], four element types |
//! | PNG, JPEG, TIFF, PNM, `.npy` | [`read_image`] | [`write_image`] | [`Image`], one plane per channel in \[0, 1\] |
//! | Matrix Market `.mtx` | [`read_matrix_market`] | [`write_matrix_market`] | [`CsMatI<T, I>`](sprs::CsMatI) |
//! | SciPy `.npz` | [`read_npz`] | [`write_npz`] | [`AnySparse<I>`], CSR or CSC |
//!
//! Readers take any bytes: what is not a valid file is [`Error::Format`] with the path and the reason, and the size
//! that a header claims is compared with the size of the file before memory is taken. Writers go through
//! [`write_atomically`]: a file is there as a whole or not at all. All reals keep their bits.

mod array;
mod atomic;
mod image;
mod matrix_market;
mod npy;
mod npz;
mod pnm;
mod sparse;
mod tiff;

pub use array::{AnyArray, Element};
pub use atomic::{remove_temporaries, write_atomically};
pub use image::{Depth, IMAGE_EXTENSIONS, Image, read_image, write_image};
pub use matrix_market::{read_matrix_market, write_matrix_market};
pub use npy::{read_npy, write_npy};
pub use npz::{read_npz, write_npz};
pub use sparse::{AnySparse, FileIndex};

use crate::error::{Error, Result};
use crate::memory::check_available;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::Path;

/// How much of a pipe is read into memory: its length is unknown beforehand, and `/dev/zero` never ends.
const STREAM_LIMIT: u64 = 1 << 30;

/// Largest ratio of decompressed to compressed bytes that deflate can reach.
const DEFLATE_RATIO: u64 = 1032;

/// Where a complaint belongs: a file, or one entry of an archive.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    entry: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn file(path: &'a Path) -> Self {
        Place { path, entry: None }
    }

    /// The content is not what it should be.
    fn format(&self, message: impl Display) -> Error {
        let message = match self.entry {
            Some(entry) => format!("{entry}: {message}"),
            None => message.to_string(),
        };
        Error::Format { path: self.path.to_owned(), message }
    }

    /// The system refused; what decoders wrap into an I/O error about content becomes [`Error::Format`].
    fn io(&self, source: std::io::Error) -> Error {
        match source.kind() {
            ErrorKind::UnexpectedEof => self.format("the data end too early; the file is truncated"),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other
                if source.raw_os_error().is_none() =>
            {
                self.format(source)
            }
            _ => Error::Io { path: self.path.to_owned(), source },
        }
    }
}

/// What readers read from: a file, or a pipe that was taken into memory.
trait Source: BufRead + Seek {}
impl<R: BufRead + Seek> Source for R {}

/// Opens `path` for reading, with the number of bytes it holds.
fn open(path: &Path) -> Result<(Box<dyn Source>, u64)> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_file() {
        return Ok((Box::new(BufReader::new(file)), metadata.len()));
    }
    let mut bytes = Vec::new();
    let len = file.take(STREAM_LIMIT + 1).read_to_end(&mut bytes).map_err(io)? as u64; // widening
    if len > STREAM_LIMIT {
        let message = format!("a stream of more than {STREAM_LIMIT} bytes; save it to a file first");
        return Err(Place::file(path).format(message));
    }
    Ok((Box::new(Cursor::new(bytes)), len))
}

/// All bytes of a file.
fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let (mut source, len) = open(path)?;
    check_available("the file", u128::from(len))?;
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|e| Error::Io { path: path.to_owned(), source: e })?;
    Ok(bytes)
}
