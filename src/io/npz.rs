//! SciPy's sparse `.npz` files: a zip archive of `.npy` arrays, as `scipy.sparse.save_npz` writes them.
//!
//! ndarray-npy cannot write the byte string that names the format, so that the archive is put together here.

use super::array::{AnyArray, Element};
use super::npy::{Plain, header_bytes, write_array};
use super::sparse::{AnySparse, FileIndex, compressed, index};
use super::{DEFLATE_RATIO, Place, Source, open, write_atomically};
use crate::error::{Error, Result};
use ndarray::aview1;
use ndarray_npy::WritableElement;
use sprs::{CompressedStorage, CsMatI};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// From this size on an entry gets 64-bit lengths; headers and badly compressible data fit in what is left to 4 GiB.
const ZIP64: u64 = 0xf000_0000;

/// Writes a sparse matrix as `scipy.sparse.save_npz` does, CSR or CSC, deflated; atomically, see
/// [`write_atomically`].
///
/// `scipy.sparse.load_npz` gives back the same matrix: element type, index type, format and every bit.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written; pipes cannot, since archives need to seek.
///
/// # Examples
/// ```
/// use convmtx::io::{AnySparse, read_npz, write_npz};
/// use convmtx::sprs::CsMatI;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.npz");
/// let a = CsMatI::<f32, i32>::new((2, 3), vec![0, 1, 2], vec![2, 0], vec![0.1, -5.0]);
/// write_npz(&path, &a)?;
/// assert_eq!(read_npz::<i32>(&path)?, AnySparse::F32(a));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npz<T: Element, I: FileIndex>(path: impl AsRef<Path>, matrix: &CsMatI<T, I>) -> Result<()> {
    let format: &[u8; 3] = if matrix.is_csr() { b"csr" } else { b"csc" };
    let shape = [matrix.rows(), matrix.cols()].map(|n| n as i64); // sizes fit the index type
    let indptr = matrix.proper_indptr();
    write_atomically(path, |file| {
        let mut zip = ZipWriter::new(file);
        let entries = |zip: &mut ZipWriter<_>| -> io::Result<()> {
            add_array(zip, "indices.npy", matrix.indices())?;
            add_array(zip, "indptr.npy", &indptr)?;
            start(zip, "format.npy", 0)?;
            zip.write_all(&string_array(format))?;
            add_array(zip, "shape.npy", &shape)?;
            add_array(zip, "data.npy", matrix.data())
        };
        if let Err(error) = entries(&mut zip) {
            // Dropped, the writer would try once more to finish the archive, and complain on stderr.
            std::mem::forget(zip);
            return Err(error);
        }
        zip.finish()?;
        Ok(())
    })
}

/// Begins an entry of about `bytes` bytes.
fn start<W: Write + Seek>(zip: &mut ZipWriter<W>, name: &str, bytes: u64) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(bytes >= ZIP64);
    Ok(zip.start_file(name, options)?)
}

fn add_array<A: WritableElement + Copy, W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    values: &[A],
) -> io::Result<()> {
    start(zip, name, size_of_val(values) as u64)?; // widening
    write_array(zip, &aview1(values))
}

/// A `.npy` file of no dimensions that holds a byte string of three.
fn string_array(text: &[u8; 3]) -> Vec<u8> {
    let dict = "{'descr': '|S3', 'fortran_order': False, 'shape': (), }";
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec(); // 0x76 = 118 bytes follow, so that the data start at 128
    bytes.extend(format!("{dict:<117}\n").bytes());
    bytes.extend(text);
    bytes
}

/// Reads a sparse `.npz` file of SciPy, `csr` or `csc`, stored or deflated; the format and the element type are kept.
///
/// Rows (columns for `csc`) are sorted and duplicates added up. Integers and booleans become `f64` as in
/// [`read_npy`](super::read_npy). `I` is free: a file with 64-bit indices reads into `i32` where they fit.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Format`] for other formats (with the conversion to do in
/// SciPy), damaged archives, a broken structure, and indices that need `i64`.
///
/// # Examples
/// See [`write_npz`].
pub fn read_npz<I: FileIndex>(path: impl AsRef<Path>) -> Result<AnySparse<I>> {
    let path = path.as_ref();
    let place = Place::file(path);
    let (source, len) = open(path)?;
    let zip = ZipArchive::new(source).map_err(|e| refusal(place, e))?;
    let mut archive = Archive { path, len, zip };

    let storage = archive.storage()?;
    let shape = archive.integers("shape.npy")?;
    let [rows, cols] = shape[..] else {
        return Err(place.format(format!("a matrix has two dimensions, not {}", shape.len())));
    };
    let size = |n: i64| usize::try_from(n).map_err(|_| place.format(format!("the size {n} is negative")));
    let shape = (size(rows)?, size(cols)?);
    let indptr = archive.indices("indptr.npy")?;
    let indices = archive.indices("indices.npy")?;
    Ok(match archive.array("data.npy")? {
        AnyArray::F32(data) => AnySparse::F32(assemble(place, storage, shape, indptr, indices, data)?),
        AnyArray::F64(data) => AnySparse::F64(assemble(place, storage, shape, indptr, indices, data)?),
        AnyArray::C64(data) => AnySparse::C64(assemble(place, storage, shape, indptr, indices, data)?),
        AnyArray::C128(data) => AnySparse::C128(assemble(place, storage, shape, indptr, indices, data)?),
    })
}

fn assemble<T: Element, I: FileIndex>(
    place: Place<'_>,
    storage: CompressedStorage,
    shape: (usize, usize),
    indptr: Vec<I>,
    indices: Vec<I>,
    data: ndarray::ArrayD<T>,
) -> Result<CsMatI<T, I>> {
    if data.ndim() != 1 {
        return Err(place.format(format!("data has shape {:?}, expected one dimension", data.shape())));
    }
    // Of one dimension and just read: contiguous, and without an offset.
    let data = data.into_raw_vec_and_offset().0;
    compressed(storage, shape, indptr, indices, data).map_err(|e| place.format(e))
}

/// An open archive of `len` bytes.
struct Archive<'a> {
    path: &'a Path,
    len: u64,
    zip: ZipArchive<Box<dyn Source>>,
}

impl Archive<'_> {
    /// Hands an entry and its decompressed size to `read`.
    fn entry<R>(
        &mut self,
        name: &str,
        read: impl FnOnce(Place<'_>, &mut dyn Read, u64) -> Result<R>,
    ) -> Result<R> {
        let place = Place { path: self.path, entry: Some(name) };
        let mut entry = self.zip.by_name(name).map_err(|e| refusal(place, e))?;
        let (size, packed) = (entry.size(), entry.compressed_size().min(self.len));
        if size > packed.saturating_mul(DEFLATE_RATIO) {
            return Err(
                place.format(format!("{packed} bytes cannot hold the promised {size}; it is damaged"))
            );
        }
        read(place, &mut entry, size)
    }

    fn array(&mut self, name: &str) -> Result<AnyArray> {
        self.entry(name, |place, mut reader, len| {
            Plain::header(place, &mut reader, len)?.array(place, &mut reader)
        })
    }

    fn integers(&mut self, name: &str) -> Result<Vec<i64>> {
        self.entry(name, |place, mut reader, len| {
            Plain::header(place, &mut reader, len)?.integers(place, &mut reader)
        })
    }

    fn indices<I: FileIndex>(&mut self, name: &str) -> Result<Vec<I>> {
        let integers = self.integers(name)?;
        let place = Place { path: self.path, entry: Some(name) };
        integers.into_iter().map(|i| index::<I>(i).map_err(|e| place.format(e))).collect()
    }

    /// `format.npy`: a byte string, or text (four bytes a letter) in files of old SciPy versions.
    fn storage(&mut self) -> Result<CompressedStorage> {
        self.entry("format.npy", |place, mut reader, len| {
            header_bytes(place, &mut reader, len)?;
            let mut text = Vec::new();
            reader.take(64).read_to_end(&mut text).map_err(|e| place.io(e))?;
            text.retain(|&b| b != 0);
            match text.as_slice() {
                b"csr" => Ok(CompressedStorage::CSR),
                b"csc" => Ok(CompressedStorage::CSC),
                other => Err(place.format(format!(
                    "the format is '{}', expected csr or csc; save A.tocsr()",
                    other.escape_ascii()
                ))),
            }
        })
    }
}

fn refusal(place: Place<'_>, error: ZipError) -> Error {
    match error {
        ZipError::Io(e) => place.io(e),
        ZipError::FileNotFound => {
            place.format("missing; this is not a sparse matrix of scipy.sparse.save_npz")
        }
        e => place.format(format!("not a readable .npz archive: {e}")),
    }
}
