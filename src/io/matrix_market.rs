//! Matrix Market files, the exchange format of the SuiteSparse collection, SciPy and MATLAB.
//!
//! Own code instead of `sprs::io`, which loops for ever on a file that ends in its header, panics on sizes that lie,
//! and writes 1e300 as 301 digits.
//!
//! Source: Boisvert, Pozo, Remington (1996), The Matrix Market Exchange Formats, NISTIR 5935.

use super::array::Element;
use super::sparse::{compressed, index};
use super::{Place, Source, open, write_atomically};
use crate::error::Result;
use crate::memory::{Index, check_available, zeroed};
use crate::scalar::{Real, Scalar};
use num_traits::{Float, ToPrimitive};
use sprs::{CsMatI, SpIndex};
use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::str::{FromStr, SplitAsciiWhitespace};

/// Bytes of the shortest entry line, `1 1` and its newline.
const MIN_ENTRY: u64 = 4;

/// Longest line; the format's own limit is 1024 characters.
const MAX_LINE: u64 = 1 << 16;

/// Rows are believed up to this number, or [`ROWS_PER_BYTE`] for every byte of the file: row pointers take memory for
/// every row, and a file of 30 bytes can claim 10¹⁸.
const MAX_ROWS: u64 = 1 << 24;

/// See [`MAX_ROWS`].
const ROWS_PER_BYTE: u64 = 1024;

/// From here on integers are written with an exponent, and below [`SMALL`] fractions are, to keep lines short.
const LARGE: f64 = 1e16;

/// See [`LARGE`].
const SMALL: f64 = 1e-5;

/// Writes a sparse matrix as a Matrix Market file, readable by `scipy.io.mmread`; atomically, see
/// [`write_atomically`].
///
/// `coordinate real general` or `coordinate complex general`, indices from 1, row by row with ascending columns (a CSC
/// matrix is transposed in memory first). Every number is the shortest decimal that reads back to the same bits. The
/// format holds no element type: the reader chooses it.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) where the file cannot be written.
///
/// # Examples
/// ```
/// use convmtx::io::{read_matrix_market, write_matrix_market};
/// use convmtx::sprs::CsMatI;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.mtx");
/// let a = CsMatI::<f64, i32>::new((2, 3), vec![0, 1, 2], vec![2, 0], vec![0.1, -5.0]);
/// write_matrix_market(&path, &a)?;
/// let text = std::fs::read_to_string(&path)?;
/// assert_eq!(text, "%%MatrixMarket matrix coordinate real general\n2 3 2\n1 3 0.1\n2 1 -5\n");
/// assert_eq!(read_matrix_market::<f64, i32>(&path)?, a);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_matrix_market<T: Scalar, I: Index>(path: impl AsRef<Path>, matrix: &CsMatI<T, I>) -> Result<()> {
    let rows = if matrix.is_csr() { Cow::Borrowed(matrix) } else { Cow::Owned(matrix.to_csr()) };
    write_atomically(path, |file| {
        let field = if T::IS_COMPLEX { "complex" } else { "real" };
        writeln!(file, "%%MatrixMarket matrix coordinate {field} general")?;
        writeln!(file, "{} {} {}", rows.rows(), rows.cols(), rows.nnz())?;
        for (i, row) in rows.outer_iterator().enumerate() {
            for (j, &value) in row.iter() {
                write!(file, "{} {}", i + 1, j + 1)?;
                write_number(file, value.re())?;
                if T::IS_COMPLEX {
                    write_number(file, value.im())?;
                }
                file.write_all(b"\n")?;
            }
        }
        Ok(())
    })
}

/// A space and the shortest decimal that is this number.
fn write_number<R: Real>(file: &mut impl Write, number: R) -> io::Result<()> {
    let size = Float::abs(number).as_f64();
    if size != 0.0 && size.is_finite() && !(SMALL..LARGE).contains(&size) {
        write!(file, " {number:e}")
    } else {
        write!(file, " {number}")
    }
}

/// Reads a sparse Matrix Market file into CSR.
///
/// All of `coordinate`: `real`, `complex`, `integer`, `pattern` (ones); `general`, `symmetric`, `skew-symmetric`,
/// `hermitian` (both halves are filled). Entries may come in any order, equal positions are added up. Decimals are
/// rounded to the nearest `T`; integers must be exact in it. A complex file needs a complex `T`.
///
/// O(entries) memory, taken as they are read, and one index per row.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) where the file cannot be read; [`Error::Format`](crate::Error::Format) with the line
/// for everything else, also for a size that needs `i64` indices; [`Error::Memory`](crate::Error::Memory).
///
/// # Examples
/// ```
/// use convmtx::io::read_matrix_market;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.mtx");
/// std::fs::write(&path, "%%MatrixMarket matrix coordinate integer symmetric\n2 2 2\n1 1 4\n2 1 -1\n")?;
/// let a = read_matrix_market::<f32, i64>(&path)?;
/// assert_eq!(a.to_dense(), convmtx::ndarray::array![[4.0, -1.0], [-1.0, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_matrix_market<T: Element, I: Index>(path: impl AsRef<Path>) -> Result<CsMatI<T, I>> {
    let place = Place::file(path.as_ref());
    let (source, len) = open(place.path)?;
    let mut lines = Lines { place, source, number: 0, buffer: Vec::new() };
    let header = lines.next()?.ok_or_else(|| place.format("not a Matrix Market file: it is empty"))?;
    let (field, symmetry) = parse_header(header).map_err(|e| place.format(e))?;
    if field == Field::Complex && !T::IS_COMPLEX {
        let message = format!("the matrix is complex; read it as complex instead of {}", T::NAME);
        return Err(place.format(message));
    }

    let line = lines.next_content()?.ok_or_else(|| place.format("the line of sizes is missing"))?;
    let (rows, cols, entries) = parse_sizes(line).map_err(|e| lines.complaint(&e))?;
    if symmetry != Symmetry::General && rows != cols {
        return Err(lines.complaint(&format!("a {symmetry:?} matrix is square, not {rows} × {cols}")));
    }
    if entries > len / MIN_ENTRY + 1 {
        return Err(lines.complaint(&format!("{entries} entries do not fit into a file of {len} bytes")));
    }
    if rows > MAX_ROWS.max(len.saturating_mul(ROWS_PER_BYTE)) {
        return Err(lines.complaint(&format!("{rows} rows are not plausible in a file of {len} bytes")));
    }
    let size = |n: u64| index::<I>(n).map(SpIndex::index).map_err(|e| lines.complaint(&e));
    let shape = (size(rows)?, size(cols)?);

    let mut triplets: Vec<(I, I, T)> = Vec::new();
    for _ in 0..entries {
        let Some(line) = lines.next_content()? else {
            return Err(place.format(format!("{entries} entries are promised, the file ends before")));
        };
        let entry = parse_entry::<T, I>(line, field, shape);
        let (i, j, value) = entry.map_err(|e| lines.complaint(&e))?;
        triplets.push((i, j, value));
        match symmetry {
            Symmetry::Skew if i == j => {
                return Err(lines.complaint("the diagonal of a skew-symmetric matrix is not stored"));
            }
            Symmetry::Hermitian if i == j && value.im() != T::Real::of(0.0) => {
                return Err(lines.complaint("the diagonal of a hermitian matrix is real"));
            }
            Symmetry::Symmetric if i != j => triplets.push((j, i, value)),
            Symmetry::Skew => triplets.push((j, i, -value)),
            Symmetry::Hermitian if i != j => triplets.push((j, i, value.conj())),
            _ => {}
        }
    }
    if lines.next_content()?.is_some() {
        return Err(lines.complaint(&format!("more than the {entries} promised entries")));
    }
    from_triplets(place, shape, &triplets)
}

/// Sorts triplets by row, keeping their order in each.
fn from_triplets<T: Element, I: Index>(
    place: Place<'_>,
    shape: (usize, usize),
    triplets: &[(I, I, T)],
) -> Result<CsMatI<T, I>> {
    let nnz = triplets.len();
    index::<I>(nnz).map_err(|e| place.format(format!("the number of entries {e}")))?;
    check_available("the matrix", nnz as u128 * (I::BYTES + size_of::<T>()) as u128)?; // widening
    let mut next = zeroed::<usize>("the row pointers", shape.0.saturating_add(1))?;
    for (i, _, _) in triplets {
        next[i.index() + 1] += 1; // i < rows was checked
    }
    for r in 0..shape.0 {
        next[r + 1] += next[r];
    }
    let indptr: Vec<I> = next.iter().map(|&p| I::from_usize(p)).collect(); // p ≤ nnz, which fits
    let mut indices = vec![I::zero(); nnz];
    let mut data = vec![T::default(); nnz];
    for &(i, j, value) in triplets {
        let at = &mut next[i.index()];
        (indices[*at], data[*at]) = (j, value);
        *at += 1;
    }
    compressed(sprs::CSR, shape, indptr, indices, data).map_err(|e| place.format(e))
}

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Real,
    Complex,
    Integer,
    Pattern,
}

/// Which half is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Symmetry {
    General,
    Symmetric,
    Skew,
    Hermitian,
}

/// `%%MatrixMarket matrix coordinate FIELD SYMMETRY`, in any case.
fn parse_header(line: &str) -> Result<(Field, Symmetry), String> {
    let line = line.to_ascii_lowercase();
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("%%matrixmarket") {
        return Err("not a Matrix Market file: the first word is not %%MatrixMarket".into());
    }
    let rest: Vec<&str> = words.collect();
    let [object, format, field, symmetry] = rest[..] else {
        return Err(format!("the first line has {} words after %%MatrixMarket, expected 4", rest.len()));
    };
    if (object, format) != ("matrix", "coordinate") {
        return Err(format!(
            "the file holds '{object} {format}', expected 'matrix coordinate' (a sparse matrix)"
        ));
    }
    let field = match field {
        "real" | "double" => Field::Real,
        "complex" => Field::Complex,
        "integer" | "unsigned-integer" => Field::Integer,
        "pattern" => Field::Pattern,
        _ => return Err(format!("the field is '{field}', expected real, complex, integer or pattern")),
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" => Symmetry::Skew,
        "hermitian" => Symmetry::Hermitian,
        _ => {
            return Err(format!(
                "the symmetry is '{symmetry}', expected general, symmetric, skew-symmetric or hermitian"
            ));
        }
    };
    Ok((field, symmetry))
}

/// Rows, columns, entries.
fn parse_sizes(line: &str) -> Result<(u64, u64, u64), String> {
    let mut words = line.split_ascii_whitespace();
    let sizes = (number(&mut words)?, number(&mut words)?, number(&mut words)?);
    nothing_left(words)?;
    Ok(sizes)
}

/// One line of row, column and value, from 0.
fn parse_entry<T: Element, I: Index>(
    line: &str,
    field: Field,
    shape: (usize, usize),
) -> Result<(I, I, T), String> {
    let mut words = line.split_ascii_whitespace();
    let mut position = |what: &str, limit: usize| {
        let p: usize = number(&mut words)?;
        match p.checked_sub(1).filter(|&p| p < limit) {
            Some(p) => index::<I>(p),
            None => Err(format!("the {what} is {p}, expected 1 to {limit}")),
        }
    };
    let (i, j) = (position("row", shape.0)?, position("column", shape.1)?);
    let value = match field {
        Field::Real => T::from_real(number(&mut words)?),
        Field::Complex => T::from_parts(number(&mut words)?, number(&mut words)?),
        Field::Pattern => T::from_real(T::Real::of(1.0)),
        Field::Integer => {
            let exact: i128 = number(&mut words)?;
            // Rounded, perhaps twice; a value that `T` can hold passes unchanged.
            let rounded = T::Real::of(exact as f64);
            if rounded.to_i128() != Some(exact) {
                return Err(format!("the integer {exact} is not exact as {}", T::NAME));
            }
            T::from_real(rounded)
        }
    };
    nothing_left(words)?;
    Ok((i, j, value))
}

fn number<N: FromStr>(words: &mut SplitAsciiWhitespace<'_>) -> Result<N, String> {
    let word = words.next().ok_or("a number is missing")?;
    word.parse().map_err(|_| format!("'{}' is not a number of the expected kind", shortened(word)))
}

fn nothing_left(mut words: SplitAsciiWhitespace<'_>) -> Result<(), String> {
    words.next().map_or(Ok(()), |word| Err(format!("'{}' is one word too many", shortened(word))))
}

/// At most 40 characters of what a file says.
fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Numbered lines of bounded length.
struct Lines<'a> {
    place: Place<'a>,
    source: Box<dyn Source>,
    number: u64,
    buffer: Vec<u8>,
}

impl Lines<'_> {
    /// The next line, `None` at the end.
    fn next(&mut self) -> Result<Option<&str>> {
        self.buffer.clear();
        self.number += 1;
        let read = self.source.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|e| self.place.io(e))? as u64; // widening
        if read == MAX_LINE {
            return Err(self.complaint(&format!("longer than {MAX_LINE} bytes")));
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(_) if read == 0 => Ok(None),
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(self.complaint("not text")),
        }
    }

    /// The next line that is neither a comment nor blank.
    fn next_content(&mut self) -> Result<Option<&str>> {
        loop {
            match self.next()? {
                None => return Ok(None),
                Some(line) if line.trim_start().starts_with('%') || line.trim().is_empty() => {}
                Some(_) => break,
            }
        }
        Ok(std::str::from_utf8(&self.buffer).ok()) // valid, as `next` found
    }

    fn complaint(&self, message: &str) -> crate::Error {
        self.place.format(format!("line {}: {message}", self.number))
    }
}
