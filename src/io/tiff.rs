//! TIFF where the `image` crate falls short: grey floats, 64-bit floats and grey with alpha, in and out.

use super::Place;
use super::image::{Depth, Image, decoded_limit, dimensions, from_u8, from_u16};
use crate::error::{Error, Result};
use crate::memory::check_available;
use std::io::Cursor;
use tiff::ColorType as Color;
use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::TiffEncoder;
use tiff::encoder::TiffValue;
use tiff::encoder::colortype::{
    ColorType, Gray8, Gray16, Gray32Float, Gray64Float, RGB8, RGB16, RGB32Float, RGB64Float,
};
use tiff::tags::{ExtraSamples, Tag};

/// Decodes float TIFFs and grey with alpha; `None` for every other kind, and for channels stored apart.
pub(super) fn read_special(place: Place<'_>, bytes: &[u8]) -> Result<Option<Image>> {
    let damaged = |e: TiffError| place.format(format!("not a readable Tiff picture: {e}"));
    let limit = decoded_limit(bytes.len());
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (size, size);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(damaged)?.with_limits(limits);
    let (channels, bits) = match decoder.colortype().map_err(damaged)? {
        Color::Gray(bits) => (1, bits),
        Color::RGB(bits) => (3, bits),
        Color::RGBA(bits) => (4, bits),
        Color::Multiband { bit_depth, num_samples: 2 } => {
            let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(damaged)?;
            let alpha = [ExtraSamples::AssociatedAlpha, ExtraSamples::UnassociatedAlpha];
            if !extra.is_some_and(|e| e.len() == 1 && alpha.iter().any(|a| a.to_u16() == e[0])) {
                return Ok(None);
            }
            (2, bit_depth)
        }
        _ => return Ok(None),
    };
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    let shape = (height as usize, width as usize); // widening
    let needed = u128::from(width) * u128::from(height) * channels as u128 * u128::from(bits / 8); // widening
    let special = bits >= 32 || channels == 2;
    if !special || needed > u128::from(limit) {
        return Ok(None); // the other decoder has the words
    }
    check_available("the image", 9 * needed)?; // as stored, and as f64
    let mut samples = DecodingResult::F32(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut samples).map_err(damaged)?;
    if layout.planes > 1 {
        return Ok(None);
    }
    let expected = shape.0 * shape.1 * channels; // `needed` fits into memory
    match samples {
        DecodingResult::U8(values) if values.len() == expected => {
            Image::from_interleaved(shape, channels, &values, from_u8, Depth::U8).map(Some)
        }
        DecodingResult::U16(values) if values.len() == expected => {
            Image::from_interleaved(shape, channels, &values, from_u16, Depth::U16).map(Some)
        }
        DecodingResult::F32(values) if values.len() == expected => {
            Image::from_interleaved(shape, channels, &values, f64::from, Depth::F32).map(Some)
        }
        DecodingResult::F64(values) if values.len() == expected => {
            Image::from_interleaved(shape, channels, &values, |v| v, Depth::F64).map(Some)
        }
        _ => Ok(None), // 32-bit integers
    }
}

/// The bytes of an uncompressed TIFF of the image's depth.
pub(super) fn encode(place: Place<'_>, image: &Image) -> Result<Vec<u8>> {
    let grey = image.planes.len() == 1;
    match image.depth {
        Depth::U8 if grey => write::<Gray8>(place, image, &image.quantised(u8::MAX.into())?),
        Depth::U8 => write::<RGB8>(place, image, &image.quantised(u8::MAX.into())?),
        Depth::U16 if grey => write::<Gray16>(place, image, &image.quantised(u16::MAX)?),
        Depth::U16 => write::<RGB16>(place, image, &image.quantised(u16::MAX)?),
        // Rounded to the nearest, as asked for.
        Depth::F32 if grey => write::<Gray32Float>(place, image, &image.interleaved(|v| v as f32)),
        Depth::F32 => write::<RGB32Float>(place, image, &image.interleaved(|v| v as f32)),
        Depth::F64 if grey => write::<Gray64Float>(place, image, &image.interleaved(|v| v)),
        Depth::F64 => write::<RGB64Float>(place, image, &image.interleaved(|v| v)),
    }
}

fn write<C: ColorType>(place: Place<'_>, image: &Image, samples: &[C::Inner]) -> Result<Vec<u8>>
where
    [C::Inner]: TiffValue,
{
    let (height, width) = dimensions(place, image)?;
    let mut bytes = Vec::new();
    let mut fill = || {
        let mut file = TiffEncoder::new(Cursor::new(&mut bytes))?;
        let mut picture = file.new_image::<C>(width, height)?;
        if image.alpha.is_some() {
            picture.extra_samples(&[ExtraSamples::UnassociatedAlpha])?;
        }
        picture.write_data(samples)
    };
    fill().map_err(|e: TiffError| -> Error { place.format(format!("not possible as TIFF: {e}")) })?;
    Ok(bytes)
}
