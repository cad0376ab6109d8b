//! Pictures as planes of numbers in \[0, 1\], one per channel.
//!
//! Values are the stored integers over their maximum: no gamma, no colour management, no EXIF orientation.

use super::array::AnyArray;
use super::npy::{Dtype, MAGIC, Plain, write_array};
use super::{DEFLATE_RATIO, Place, pnm, read_bytes, tiff, write_atomically};
use crate::error::{Error, Result};
use crate::memory::check_available;
use crate::scalar::check_finite;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{
    ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader,
};
use ndarray::{Array2, Array3, ArrayD, Axis, Ix2, Ix3};
use std::io::{Cursor, Write};
use std::path::Path;

/// The extensions that [`write_image`] knows.
pub const IMAGE_EXTENSIONS: &[&str] =
    &["png", "jpg", "jpeg", "tif", "tiff", "pgm", "ppm", "pam", "pnm", "npy"];

/// JPEG quality, out of 100: high, so that a restored picture shows no block borders.
const JPEG_QUALITY: u8 = 95;

/// A decoded picture may take this much memory whatever the size of its file, bytes.
const DECODED_FLOOR: u64 = 64 << 20;

/// How numbers are stored in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// Integers 0 to 255
    U8,
    /// Integers 0 to 65535
    U16,
    /// `float32`, any value
    F32,
    /// `float64`, any value
    F64,
}

/// A picture: one (grey) or three (red, green, blue) planes, and perhaps alpha, all of shape (height, width).
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// One plane per colour, \[0, 1\] when read from integers.
    pub planes: Vec<Array2<f64>>,
    /// Opacity: 0 transparent, 1 opaque. Not multiplied into the planes.
    pub alpha: Option<Array2<f64>>,
    /// How the file stored the numbers, and how [`write_image`] shall, where the format can.
    pub depth: Depth,
}

impl Image {
    /// A picture from its planes.
    ///
    /// # Errors
    /// [`Error::Value`] unless there are 1 or 3 planes, [`Error::Shape`] unless all shapes agree, [`Error::Empty`].
    pub fn new(planes: Vec<Array2<f64>>, alpha: Option<Array2<f64>>, depth: Depth) -> Result<Self> {
        let image = Image { planes, alpha, depth };
        image.check()?;
        Ok(image)
    }

    /// (height, width)
    pub fn shape(&self) -> (usize, usize) {
        self.planes.first().map_or((0, 0), |p| p.dim())
    }

    /// What [`Image::new`] promises, for an image whose fields were changed.
    fn check(&self) -> Result<()> {
        if ![1, 3].contains(&self.planes.len()) {
            return Err(Error::value("the number of planes", "1 (grey) or 3 (colour)", self.planes.len()));
        }
        let expected = self.planes[0].shape();
        if self.planes[0].is_empty() {
            return Err(Error::Empty { what: "the image" });
        }
        match self.channels().find(|p| p.shape() != expected) {
            None => Ok(()),
            Some(p) => Err(Error::Shape {
                what: "an image plane",
                expected: expected.to_vec(),
                got: p.shape().to_vec(),
            }),
        }
    }

    /// The planes, then alpha.
    pub(super) fn channels(&self) -> impl Iterator<Item = &Array2<f64>> {
        self.planes.iter().chain(&self.alpha)
    }

    /// All numbers, channels of a pixel side by side.
    pub(super) fn interleaved<S>(&self, convert: impl Fn(f64) -> S) -> Vec<S> {
        let (height, width) = self.shape();
        let mut channels: Vec<_> = self.channels().map(|p| p.iter()).collect();
        let mut out = Vec::with_capacity(height * width * channels.len());
        for _ in 0..height * width {
            out.extend(channels.iter_mut().filter_map(Iterator::next).map(|&v| convert(v)));
        }
        out
    }

    /// The numbers as integers 0 to `max`: clipped, rounded to nearest, ties to even. NaN and infinity are refused.
    pub(super) fn quantised<S: TryFrom<u16> + Default>(&self, max: u16) -> Result<Vec<S>> {
        for plane in self.channels() {
            check_finite("the image", plane.as_standard_layout().as_slice().unwrap_or_default())?;
        }
        let scale = f64::from(max);
        // The cast is exact: an integer between 0 and `max`, which `S` can hold.
        let convert = |v: f64| S::try_from((v.clamp(0.0, 1.0) * scale).round_ties_even() as u16);
        Ok(self.interleaved(|v| convert(v).unwrap_or_default()))
    }

    /// Splits interleaved numbers of one to four channels; an even number has alpha.
    pub(super) fn from_interleaved<S: Copy>(
        (height, width): (usize, usize),
        channels: usize,
        values: &[S],
        convert: impl Fn(S) -> f64,
        depth: Depth,
    ) -> Result<Self> {
        let plane = |c: usize| {
            let values: Vec<f64> = values.iter().skip(c).step_by(channels).map(|&v| convert(v)).collect();
            let got = vec![values.len()];
            Array2::from_shape_vec((height, width), values).map_err(|_| Error::Shape {
                what: "the image",
                expected: vec![height, width],
                got,
            })
        };
        let mut planes = (0..channels).map(plane).collect::<Result<Vec<_>>>()?;
        let alpha = if channels.is_multiple_of(2) { planes.pop() } else { None };
        Image::new(planes, alpha, depth)
    }
}

/// Reads a picture: PNG, JPEG, TIFF, PNM or `.npy`, told apart by their first bytes.
///
/// | | 8 bit | 16 bit | float |
/// |---|---|---|---|
/// | PNG (fewer bits and palettes expanded), PNM (other maxima scaled), TIFF | ✓ | ✓ | TIFF |
/// | JPEG | ✓ | | |
/// | `.npy` of shape (h, w), or (h, w, c) with c = 1 grey, 2 grey + alpha, 3 colour, 4 colour + alpha | | | ✓ |
///
/// Integers are divided by their maximum, floats taken as they are.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read, [`Error::Format`] where it is no picture or a damaged one,
/// [`Error::Memory`].
///
/// # Examples
/// ```
/// use convmtx::io::{Depth, Image, read_image, write_image};
/// use convmtx::ndarray::array;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("grey.png");
/// let image = Image::new(vec![array![[0.0, 0.2], [0.6, 1.0]]], None, Depth::U8)?;
/// write_image(&path, &image)?;
/// assert_eq!(read_image(&path)?, image); // 0.2 = 51/255, 0.6 = 153/255
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_image(path: impl AsRef<Path>) -> Result<Image> {
    let place = Place::file(path.as_ref());
    let bytes = read_bytes(place.path)?;
    let image = if bytes.starts_with(MAGIC) {
        from_npy(place, &bytes)
    } else {
        match image::guess_format(&bytes) {
            Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Pnm)) => {
                decode(place, &bytes, format)
            }
            Ok(ImageFormat::Tiff) => match tiff::read_special(place, &bytes)? {
                Some(image) => Ok(image),
                None => decode(place, &bytes, ImageFormat::Tiff),
            },
            _ => Err(place.format(
                "not a picture of a known format, which are PNG, JPEG, TIFF, PNM (pgm, ppm, pam, pnm) and npy",
            )),
        }
    };
    image.map_err(|e| match e {
        Error::Empty { .. } => place.format("the picture has no pixels"),
        e => e,
    })
}

/// Bytes that decoding a file of `len` bytes may take. A larger picture cannot be what was compressed.
pub(super) fn decoded_limit(len: usize) -> u64 {
    (len as u64).saturating_mul(2 * DEFLATE_RATIO).max(DECODED_FLOOR) // widening
}

pub(super) fn from_u8(v: u8) -> f64 {
    f64::from(v) / f64::from(u8::MAX)
}

pub(super) fn from_u16(v: u16) -> f64 {
    f64::from(v) / f64::from(u16::MAX)
}

/// The formats of the `image` crate.
fn decode(place: Place<'_>, bytes: &[u8], format: ImageFormat) -> Result<Image> {
    let damaged = |e: image::ImageError| place.format(format!("not a readable {format:?} picture: {e}"));
    let limit = decoded_limit(bytes.len());
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > limit {
        let len = bytes.len();
        return Err(
            place.format(format!("{width} × {height} pixels are not plausible in a file of {len} bytes"))
        );
    }
    check_available("the image", u128::from(decoder.total_bytes()) * 9)?; // as stored, and as f64
    let channels = usize::from(decoder.color_type().channel_count());
    let shape = (height as usize, width as usize); // widening
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    match image.color() {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
            Image::from_interleaved(shape, channels, image.as_bytes(), from_u8, Depth::U8)
        }
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let convert = |v: [u8; 2]| from_u16(u16::from_ne_bytes(v));
            Image::from_interleaved(shape, channels, image.as_bytes().as_chunks().0, convert, Depth::U16)
        }
        ColorType::Rgb32F | ColorType::Rgba32F => {
            let convert = |v: [u8; 4]| f64::from(f32::from_ne_bytes(v));
            Image::from_interleaved(shape, channels, image.as_bytes().as_chunks().0, convert, Depth::F32)
        }
        other => Err(place.format(format!("pixels of type {other:?} are not supported"))),
    }
}

/// A float array as a picture.
fn from_npy(place: Place<'_>, bytes: &[u8]) -> Result<Image> {
    let mut reader = bytes;
    let plain = Plain::header(place, &mut reader, bytes.len() as u64)?; // widening
    if matches!(plain.dtype, Dtype::Bool | Dtype::Int { .. }) {
        return Err(place.format("integers have no known maximum; save floats, as in x / 255.0"));
    }
    let (array, depth): (ArrayD<f64>, _) = match plain.array(place, reader)? {
        AnyArray::F32(a) => (a.mapv(f64::from), Depth::F32),
        AnyArray::F64(a) => (a, Depth::F64),
        other => return Err(place.format(format!("a picture is real, not {}", other.dtype()))),
    };
    let shape = array.shape().to_vec();
    let array: Array3<f64> = match shape[..] {
        [_, _] => array.into_dimensionality::<Ix2>().map(|a| a.insert_axis(Axis(2))),
        [_, _, 1..=4] => array.into_dimensionality::<Ix3>(),
        _ => return Err(place.format(format!("a picture has shape (h, w) or (h, w, 1 to 4), not {shape:?}"))),
    }
    .map_err(|e| place.format(e))?;
    let mut planes: Vec<Array2<f64>> = array.axis_iter(Axis(2)).map(|p| p.to_owned()).collect();
    let alpha = if planes.len().is_multiple_of(2) { planes.pop() } else { None };
    Image::new(planes, alpha, depth)
}

/// Writes a picture in the format of the extension, atomically, see [`write_atomically`].
///
/// | Extension | Numbers | Alpha |
/// |---|---|---|
/// | `png` | 8 bit for [`Depth::U8`], else 16 bit | ✓ |
/// | `jpg`, `jpeg` | 8 bit, quality 95 | refused: drop or blend it first |
/// | `tif`, `tiff` | any depth, uncompressed | ✓ |
/// | `pgm` (grey), `ppm` (colour) | as `png` | refused |
/// | `pam`, `pnm` (the simplest that holds it) | as `png` | ✓ |
/// | `npy`, shape (h, w) or (h, w, c) | `float32` for [`Depth::F32`], else `float64` | ✓ |
///
/// Integers are clipped to \[0, 1\] and rounded to nearest, ties to even; floats are written as they are.
///
/// # Errors
/// [`Error::Format`] for an unknown extension and for what a format cannot hold, [`Error::NonFinite`] where integers
/// are written, [`Error::Io`] where the file cannot be written, and the errors of [`Image::new`].
///
/// # Examples
/// See [`read_image`].
pub fn write_image(path: impl AsRef<Path>, image: &Image) -> Result<()> {
    let path = path.as_ref();
    let place = Place::file(path);
    image.check()?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let bytes = match extension.as_str() {
        "png" => encode(place, image, ImageFormat::Png)?,
        "jpg" | "jpeg" => encode(place, image, ImageFormat::Jpeg)?,
        "tif" | "tiff" => tiff::encode(place, image)?,
        "pgm" | "ppm" | "pam" | "pnm" => pnm::encode(place, image, &extension)?,
        "npy" => to_npy(place, image)?,
        other => {
            let known = IMAGE_EXTENSIONS.join(", ");
            return Err(place.format(format!("the extension '{other}' is not one of {known}")));
        }
    };
    write_atomically(path, |file| file.write_all(&bytes))
}

/// Height and width as formats store them.
pub(super) fn dimensions(place: Place<'_>, image: &Image) -> Result<(u32, u32)> {
    let (height, width) = image.shape();
    match (height.try_into(), width.try_into()) {
        (Ok(height), Ok(width)) => Ok((height, width)),
        _ => Err(place.format(format!("{width} × {height} pixels are too many for the format"))),
    }
}

/// PNG and JPEG.
fn encode(place: Place<'_>, image: &Image, format: ImageFormat) -> Result<Vec<u8>> {
    let jpeg = format == ImageFormat::Jpeg;
    let (height, width) = dimensions(place, image)?;
    let eight = jpeg || image.depth == Depth::U8;
    let color = match (image.planes.len(), image.alpha.is_some(), eight) {
        (_, true, _) if jpeg => {
            return Err(place.format("JPEG has no alpha; drop it (alpha = None) or save as PNG"));
        }
        (1, false, true) => ExtendedColorType::L8,
        (1, true, true) => ExtendedColorType::La8,
        (_, false, true) => ExtendedColorType::Rgb8,
        (_, true, true) => ExtendedColorType::Rgba8,
        (1, false, false) => ExtendedColorType::L16,
        (1, true, false) => ExtendedColorType::La16,
        (_, false, false) => ExtendedColorType::Rgb16,
        (_, true, false) => ExtendedColorType::Rgba16,
    };
    let samples: Vec<u8> = if eight {
        image.quantised(u8::MAX.into())?
    } else {
        image.quantised::<u16>(u16::MAX)?.into_iter().flat_map(u16::to_ne_bytes).collect()
    };
    let mut bytes = Vec::new();
    let written = if jpeg {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(&samples, width, height, color)
    } else {
        PngEncoder::new(&mut bytes).write_image(&samples, width, height, color)
    };
    written.map_err(|e| place.format(format!("not possible as {format:?}: {e}")))?;
    Ok(bytes)
}

fn to_npy(place: Place<'_>, image: &Image) -> Result<Vec<u8>> {
    let (height, width) = image.shape();
    let channels = image.channels().count();
    let shape = if channels == 1 { vec![height, width] } else { vec![height, width, channels] };
    let mut bytes = Vec::new();
    let written = match image.depth {
        // Rounded to the nearest, as asked for.
        Depth::F32 => ArrayD::from_shape_vec(shape, image.interleaved(|v| v as f32))
            .map(|array| write_array(&mut bytes, &array)),
        _ => ArrayD::from_shape_vec(shape, image.interleaved(|v| v))
            .map(|array| write_array(&mut bytes, &array)),
    };
    written.map_err(|e| place.format(e))?.map_err(|e| place.io(e))?;
    Ok(bytes)
}
