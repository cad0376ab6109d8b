//! Writing portable any-maps: binary PGM, PPM and PAM, 8 or 16 bit.
//!
//! Own code, since the `image` crate writes 16 bits only as PAM. Reading is left to it.

use super::Place;
use super::image::{Depth, Image};
use crate::error::Result;

/// The bytes of the map that `extension` names: `pgm`, `ppm`, `pam`, or `pnm` for the simplest that holds the image.
pub(super) fn encode(place: Place<'_>, image: &Image, extension: &str) -> Result<Vec<u8>> {
    let (height, width) = image.shape();
    let max = if image.depth == Depth::U8 { u16::from(u8::MAX) } else { u16::MAX };
    let (grey, alpha) = (image.planes.len() == 1, image.alpha.is_some());
    let plain = |magic| format!("{magic}\n{width} {height}\n{max}\n");
    let header = match (extension, grey, alpha) {
        ("pgm" | "pnm", true, false) => plain("P5"),
        ("ppm" | "pnm", false, false) => plain("P6"),
        ("pgm", false, _) => return Err(place.format("PGM has no colour; save as ppm or pam")),
        ("ppm", true, _) => return Err(place.format("PPM has no grey; save as pgm or pam")),
        ("pgm" | "ppm", _, true) => return Err(place.format("PGM and PPM have no alpha; save as pam")),
        _ => format!(
            "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {}\nMAXVAL {max}\nTUPLTYPE {}{}\nENDHDR\n",
            image.channels().count(),
            if grey { "GRAYSCALE" } else { "RGB" },
            if alpha { "_ALPHA" } else { "" },
        ),
    };
    let mut bytes = header.into_bytes();
    if image.depth == Depth::U8 {
        bytes.extend(image.quantised::<u8>(max)?);
    } else {
        bytes.extend(image.quantised::<u16>(max)?.into_iter().flat_map(u16::to_be_bytes));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use std::path::Path;

    #[test]
    fn sixteen_bits_are_big_endian_after_the_header() {
        let image = Image::new(vec![array![[0.0, 1.0, 258.0 / 65535.0]]], None, Depth::U16).unwrap();
        let bytes = encode(Place::file(Path::new("x.pgm")), &image, "pgm").unwrap();
        assert_eq!(bytes, b"P5\n3 1\n65535\n\x00\x00\xff\xff\x01\x02");
    }
}
