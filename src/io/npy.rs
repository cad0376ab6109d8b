//! NumPy's `.npy` files, element type kept.
//!
//! ndarray-npy parses the header and the elements; checked here before it sees a byte are the lengths, since it takes
//! memory for whatever a header claims, and the header's nesting, since its parser is exponential in it.

use super::array::{AnyArray, Element};
use super::{Place, open, write_atomically};
use crate::error::{Error, Result};
use crate::memory::check_available;
use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn, ShapeBuilder};
use ndarray_npy::npy::header::Header;
use ndarray_npy::{ReadDataError, ReadableElement, WritableElement, WriteNpyError, WriteNpyExt};
use std::io::{self, Read, Write};
use std::path::Path;

/// First bytes of every `.npy` file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// NumPy's own limit on the length of a header it trusts (`max_header_size`).
const MAX_HEADER: usize = 10_000;

/// Opening brackets in a header. A plain array's has two, a dtype with units three; more belong to structured dtypes.
const MAX_BRACKETS: usize = 4;

/// Integers up to here are exact in `f64`: 2⁵³.
const MAX_EXACT: u128 = 1 << f64::MANTISSA_DIGITS;

/// Reads a `.npy` file (versions 1 to 3, both byte orders, C and Fortran order).
///
/// `float32`, `float64`, `complex64` and `complex128` stay what they are, bit by bit; Fortran order stays the memory
/// layout. Integers and booleans become `f64` where every value is exact, |v| ≤ 2⁵³.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Format`] for anything that is not one whole plain array: other
/// element types (with the conversion to do in NumPy), a wrong or lying header, missing or trailing bytes.
///
/// # Examples
/// ```
/// use convmtx::io::{AnyArray, read_npy, write_npy};
/// use convmtx::ndarray::array;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("x.npy");
/// write_npy(&path, &array![[1.0_f32, 2.0], [3.0, 4.0]])?;
/// let x = read_npy(&path)?;
/// assert_eq!((x.dtype(), x.shape()), ("float32", &[2, 2][..]));
/// assert_eq!(x.into_f64()?[[1, 0]], 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_npy(path: impl AsRef<Path>) -> Result<AnyArray> {
    let place = Place::file(path.as_ref());
    let (mut source, len) = open(place.path)?;
    Plain::header(place, &mut source, len)?.array(place, &mut source)
}

/// Writes an array as a `.npy` file of its element type, as NumPy's `save`; atomically, see [`write_atomically`].
///
/// Takes arrays and views of any strides. Fortran-ordered arrays stay so in the file, others are written in C order.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written.
///
/// # Examples
/// See [`read_npy`].
pub fn write_npy<T: Element, D: Dimension>(path: impl AsRef<Path>, array: &ArrayRef<T, D>) -> Result<()> {
    write_atomically(path, |file| write_array(file, array))
}

/// The bytes of a `.npy` file.
pub(super) fn write_array<A: WritableElement + Copy, D: Dimension>(
    writer: impl Write,
    array: &ArrayRef<A, D>,
) -> io::Result<()> {
    // ndarray-npy takes every array of regular strides for a slice, and panics where it is none: empty views.
    let regular = array.is_standard_layout() || array.t().is_standard_layout();
    let written = if regular && array.as_slice_memory_order().is_none() {
        array.to_owned().write_npy(writer)
    } else {
        array.write_npy(writer)
    };
    written.map_err(|e| match e {
        WriteNpyError::Io(e) => e,
        e => io::Error::other(e.to_string()),
    })
}

/// What the elements are in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dtype {
    F32,
    F64,
    C64,
    C128,
    Bool,
    Int { signed: bool, bytes: usize },
}

impl Dtype {
    /// From the header's `descr`, such as `<f8`, without its byte order.
    fn parse(descr: &str) -> Option<Self> {
        let (signed, digit) = match descr.trim_start_matches(['<', '>', '|']) {
            "f4" => return Some(Dtype::F32),
            "f8" => return Some(Dtype::F64),
            "c8" => return Some(Dtype::C64),
            "c16" => return Some(Dtype::C128),
            "b1" => return Some(Dtype::Bool),
            code => (code.starts_with('i'), code.strip_prefix(['i', 'u'])?),
        };
        let bytes = digit.parse().ok().filter(|b| [1, 2, 4, 8].contains(b))?;
        Some(Dtype::Int { signed, bytes })
    }

    fn bytes(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F64 | Dtype::C64 => 8,
            Dtype::C128 => 16,
            Dtype::Bool => 1,
            Dtype::Int { bytes, .. } => bytes,
        }
    }
}

/// A header that has been compared with the number of bytes that follow.
pub(super) struct Plain {
    header: Header,
    pub(super) dtype: Dtype,
    /// Number of elements.
    count: usize,
    /// Bytes of all elements, exactly what follows the header.
    bytes: u64,
}

impl Plain {
    /// Reads the header of a file of `len` bytes and checks it.
    pub(super) fn header(place: Place<'_>, mut reader: impl Read, len: u64) -> Result<Self> {
        let bytes = header_bytes(place, &mut reader, len)?;
        let header = Header::from_reader(&mut bytes.as_slice())
            .map_err(|e| place.format(format!("not a valid .npy file: {e}")))?;
        let descr = header.type_descriptor.as_string().cloned();
        let dtype = descr.as_deref().and_then(Dtype::parse).ok_or_else(|| {
            // `Display` of a Python literal, quotes included.
            unsupported(place, &header.type_descriptor.to_string())
        })?;
        let overflow = || place.format(format!("the shape {:?} overflows", header.shape));
        // ndarray wants the product of the non-zero axes below isize::MAX too.
        let product =
            header.shape.iter().filter(|&&n| n > 0).try_fold(dtype.bytes(), |p, &n| p.checked_mul(n));
        product.and_then(|p| isize::try_from(p).ok()).ok_or_else(overflow)?;
        let count = header.shape.iter().product::<usize>(); // fits, since the non-zero part does
        let bytes_of_data = (count * dtype.bytes()) as u64; // fits as `product` does; widening
        let follow = len - bytes.len() as u64; // both counted from the same start; widening
        if bytes_of_data != follow {
            return Err(place.format(format!(
                "the header promises shape {:?} of {} bytes each, {bytes_of_data} in all, but {follow} follow; the file is {}",
                header.shape,
                dtype.bytes(),
                if follow < bytes_of_data { "truncated" } else { "longer than its header says" },
            )));
        }
        Ok(Plain { header, dtype, count, bytes: bytes_of_data })
    }

    /// The elements, converted to one of the four types.
    pub(super) fn array(self, place: Place<'_>, reader: impl Read) -> Result<AnyArray> {
        check_available("the array", self.count as u128 * self.dtype.bytes().max(8) as u128)?; // widening
        Ok(match self.dtype {
            Dtype::F32 => AnyArray::F32(self.shaped(place, self.elements(place, reader)?)?),
            Dtype::F64 => AnyArray::F64(self.shaped(place, self.elements(place, reader)?)?),
            Dtype::C64 => AnyArray::C64(self.shaped(place, self.elements(place, reader)?)?),
            Dtype::C128 => AnyArray::C128(self.shaped(place, self.elements(place, reader)?)?),
            Dtype::Bool => {
                let values: Vec<bool> = self.elements(place, reader)?;
                let values = values.into_iter().map(|v| f64::from(u8::from(v))).collect();
                AnyArray::F64(self.shaped(place, values)?)
            }
            Dtype::Int { signed: true, bytes: 8 } => {
                let values: Vec<i64> = self.elements(place, reader)?;
                let exact = |v: &i64| u128::from(v.unsigned_abs()) <= MAX_EXACT;
                self.check_exact(place, values.iter().find(|v| !exact(v)))?;
                // The cast is exact, just checked.
                AnyArray::F64(self.shaped(place, values.into_iter().map(|v| v as f64).collect())?)
            }
            Dtype::Int { signed: false, bytes: 8 } => {
                let values: Vec<u64> = self.elements(place, reader)?;
                self.check_exact(place, values.iter().find(|&&v| u128::from(v) > MAX_EXACT))?;
                AnyArray::F64(self.shaped(place, values.into_iter().map(|v| v as f64).collect())?)
            }
            Dtype::Int { signed: true, bytes: 1 } => self.widened::<i8>(place, reader)?,
            Dtype::Int { signed: true, bytes: 2 } => self.widened::<i16>(place, reader)?,
            Dtype::Int { signed: true, .. } => self.widened::<i32>(place, reader)?,
            Dtype::Int { signed: false, bytes: 1 } => self.widened::<u8>(place, reader)?,
            Dtype::Int { signed: false, bytes: 2 } => self.widened::<u16>(place, reader)?,
            Dtype::Int { signed: false, .. } => self.widened::<u32>(place, reader)?,
        })
    }

    /// The elements of a one-dimensional array of `int32` or `int64`.
    pub(super) fn integers(&self, place: Place<'_>, reader: impl Read) -> Result<Vec<i64>> {
        check_available("the array", self.count as u128 * 8)?; // widening
        if self.header.shape.len() != 1 {
            let shape = &self.header.shape;
            return Err(place.format(format!("the index array has shape {shape:?}, expected one dimension")));
        }
        match self.dtype {
            Dtype::Int { signed: true, bytes: 4 } => {
                Ok(self.elements::<i32>(place, reader)?.into_iter().map(i64::from).collect())
            }
            Dtype::Int { signed: true, bytes: 8 } => self.elements(place, reader),
            _ => {
                let descr = &self.header.type_descriptor;
                Err(place.format(format!("the index array has dtype {descr}, expected int32 or int64")))
            }
        }
    }

    /// Integers of at most four bytes as `f64`, always exact.
    fn widened<A: ReadableElement + Into<f64>>(
        &self,
        place: Place<'_>,
        reader: impl Read,
    ) -> Result<AnyArray> {
        let values: Vec<A> = self.elements(place, reader)?;
        Ok(AnyArray::F64(self.shaped(place, values.into_iter().map(Into::into).collect())?))
    }

    fn check_exact(&self, place: Place<'_>, too_large: Option<impl std::fmt::Display>) -> Result<()> {
        let Some(v) = too_large else { return Ok(()) };
        Err(place.format(format!(
            "the integer {v} of dtype {} is not exact as float64, whose limit is 2^53; \
             if rounding is fine, save x.astype('float64')",
            self.header.type_descriptor
        )))
    }

    fn elements<A: ReadableElement>(&self, place: Place<'_>, reader: impl Read) -> Result<Vec<A>> {
        // One byte more than promised is enough to see that there is more.
        let reader = reader.take(self.bytes.saturating_add(1));
        A::read_to_end_exact_vec(reader, &self.header.type_descriptor, self.count).map_err(|e| match e {
            ReadDataError::Io(e) => place.io(e),
            ReadDataError::WrongDescriptor(descr) => unsupported(place, &descr.to_string()),
            ReadDataError::MissingData => place.format("the data end too early; the file is truncated"),
            ReadDataError::ExtraBytes(_) => place.format("more data follow than the header says"),
            ReadDataError::ParseData(e) => place.format(e),
        })
    }

    fn shaped<A>(&self, place: Place<'_>, values: Vec<A>) -> Result<ArrayD<A>> {
        let shape = IxDyn(&self.header.shape).set_f(self.header.layout.is_fortran());
        ArrayD::from_shape_vec(shape, values).map_err(|e| place.format(e))
    }
}

/// The bytes of a header, from the magic string to the newline, of a file of `len` bytes.
pub(super) fn header_bytes(place: Place<'_>, mut reader: impl Read, len: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 10]; // magic, version, length in two bytes
    if len < 10 {
        return Err(place.format(format!("not a .npy file: it has only {len} bytes")));
    }
    reader.read_exact(&mut bytes).map_err(|e| place.io(e))?;
    if !bytes.starts_with(MAGIC) {
        return Err(place.format("not a .npy file: the first bytes are not \\x93NUMPY"));
    }
    let mut header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        bytes.resize(12, 0);
        reader.read_exact(&mut bytes[10..]).map_err(|e| place.io(e))?;
        header_len |= usize::from(u16::from_le_bytes([bytes[10], bytes[11]])) << 16;
    }
    let start = bytes.len();
    let end = (start + header_len) as u64; // widening
    if header_len > MAX_HEADER || end > len {
        return Err(place.format(format!(
            "the header claims {header_len} bytes, in a file of {len}, and at most {MAX_HEADER} are plausible"
        )));
    }
    bytes.resize(start + header_len, 0);
    reader.read_exact(&mut bytes[start..]).map_err(|e| place.io(e))?;
    if bytes[start..].iter().filter(|b| b"([{".contains(b)).count() > MAX_BRACKETS {
        let text: String = String::from_utf8_lossy(&bytes[start..]).trim_end().chars().take(200).collect();
        return Err(place.format(format!(
            "the dtype is structured, in {text}; save one field, as in x['name'].astype('float64')"
        )));
    }
    Ok(bytes)
}

/// The complaint about an element type, with the way out.
fn unsupported(place: Place<'_>, descr: &str) -> Error {
    let way_out = if descr.starts_with('[') {
        "save one field, as in x['name'].astype('float64')"
    } else if descr.contains('c') {
        "save x.astype('complex128')"
    } else {
        "save x.astype('float64')"
    };
    place.format(format!(
        "the dtype {descr} is not one of float32, float64, complex64, complex128, integers, bool; {way_out}"
    ))
}
