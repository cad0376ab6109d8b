//! Kernels from the command line: typed numbers, files, and PSFs by name.

use crate::cli::failure::{Failure, Result};
use crate::cli::output::{extension, sizes};
use crate::cli::overflow::{all_finite, check_array};
use crate::io::{AnyArray, IMAGE_EXTENSIONS, read_image, read_npy};
use crate::ndarray::{Array2, ArrayD, Ix2};
use crate::num_complex::Complex;
use crate::psf::{self, Psf};
use clap::Args;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The kernel of a convolution.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kernel")]
pub struct KernelArgs {
    /// Numbers (1,4,6,4,1), rows of numbers (0,1,0;1,-4,1;0,1,0), complex numbers (1+2i,3), a .npy file of 1 to 3 axes,
    /// a grey picture, or a PSF by name (gaussian:size=9,sigma=4, motion:length=15,angle=30, disk:radius=4, box:size=5)
    #[arg(long, short, allow_hyphen_values = true)]
    pub kernel: Source,

    /// Multiplies the kernel
    #[arg(long, default_value = "1", allow_hyphen_values = true, value_parser = crate::cli::arguments::finite)]
    pub scale: f64,
}

/// Where a kernel comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Typed on the command line.
    Numbers(AnyArray),
    /// A PSF by name.
    Named(Psf),
    /// A `.npy` file or a picture.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let path = Path::new(text);
        if text.is_empty() {
            return Err(
                "the kernel is empty, expected numbers such as 1,4,6,4,1, a file, or a PSF by name".into()
            );
        }
        if IMAGE_EXTENSIONS.contains(&extension(path).as_str()) || path.is_file() {
            return Ok(Source::File(path.to_owned()));
        }
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return text.parse().map(Source::Named).map_err(|e: crate::Error| format!("{e}; or a file"));
        }
        numbers(text).map(Source::Numbers)
    }
}

/// `1,2,3` as one axis, `1,2;3,4` as two.
fn numbers(text: &str) -> Result<AnyArray, String> {
    let rows: Vec<Vec<&str>> = text.split(';').map(|row| row.split(',').map(str::trim).collect()).collect();
    let columns = rows[0].len();
    if let Some(row) = rows.iter().find(|row| row.len() != columns) {
        return Err(format!(
            "the rows of the kernel have {columns} and {} numbers, expected equally many",
            row.len()
        ));
    }
    let shape = if rows.len() == 1 { vec![columns] } else { vec![rows.len(), columns] };
    let taps = || rows.iter().flatten();
    let real: Option<Vec<f64>> = taps().map(|t| t.parse().ok()).collect();
    if let Some(real) = real {
        return ArrayD::from_shape_vec(shape, real).map(AnyArray::F64).map_err(|e| e.to_string());
    }
    let complex = taps().map(|t| {
        t.parse::<Complex<f64>>().map_err(|_| {
            format!("the tap {t:?} is not a number, expected a list such as 1,4,6,4,1 (or an existing file)")
        })
    });
    let complex = complex.collect::<Result<Vec<_>, _>>()?;
    ArrayD::from_shape_vec(shape, complex).map(AnyArray::C128).map_err(|e| e.to_string())
}

/// A kernel, and whether its element type means anything.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// The taps.
    pub array: AnyArray,
    /// From a `.npy` file, so that its type takes part in the promotion; otherwise it follows the signal.
    pub has_type: bool,
}

impl KernelArgs {
    /// Reads or computes the taps.
    pub fn load(&self) -> Result<Kernel> {
        let (array, has_type) = match &self.kernel {
            Source::Numbers(array) => (array.clone(), false),
            Source::Named(psf) => (AnyArray::F64(psf.to_array::<f64>()?.into_dyn()), false),
            Source::File(path) if is_npy(path) => (read_npy(path)?, true),
            Source::File(path) => (AnyArray::F64(picture(path)?.into_dyn()), false),
        };
        Ok(Kernel { array: scaled(array, self.scale)?, has_type })
    }
}

/// The PSF of `blur` and `deblur`: real, two axes, finite, sum 1.
pub fn load_psf(source: &Source) -> Result<Array2<f64>> {
    let values = match source {
        Source::Named(psf) => return Ok(psf.to_array()?),
        Source::Numbers(array) => array.clone().into_f64()?,
        Source::File(path) if is_npy(path) => read_npy(path)?.into_f64()?,
        Source::File(path) => picture(path)?.into_dyn(),
    };
    let shape = values.shape().to_vec();
    let values = values.into_dimensionality::<Ix2>().map_err(|_| {
        Failure::failed(format!("the PSF has size {}, expected two axes: rows × columns", sizes(&shape)))
    })?;
    Ok(psf::from_array(&values)?)
}

/// Whether the file is an array rather than a picture.
pub fn is_npy(path: &Path) -> bool {
    extension(path) == "npy"
}

/// The values of a grey picture in [0, 1].
fn picture(path: &Path) -> Result<Array2<f64>> {
    let mut image = read_image(path)?;
    match (image.planes.pop(), image.planes.is_empty()) {
        (Some(plane), true) => Ok(plane),
        _ => Err(Failure::failed(format!(
            "{}: the kernel is a colour picture, expected a grey one",
            path.display()
        ))),
    }
}

/// The kernel times `--scale`, in the type of the kernel.
fn scaled(array: AnyArray, scale: f64) -> Result<AnyArray> {
    if scale == 1.0 {
        return Ok(array);
    }
    let finite = finite(&array);
    let scaled = match array {
        AnyArray::F32(a) => AnyArray::F32(a * scale as f32), // rounded to the type of the file
        AnyArray::F64(a) => AnyArray::F64(a * scale),
        AnyArray::C64(a) => AnyArray::C64(a * Complex::from(scale as f32)),
        AnyArray::C128(a) => AnyArray::C128(a * Complex::from(scale)),
    };
    if finite { check("the kernel times --scale", scaled) } else { Ok(scaled) }
}

/// Whether no element is NaN or infinite.
fn finite(array: &AnyArray) -> bool {
    match array {
        AnyArray::F32(a) => all_finite(a),
        AnyArray::F64(a) => all_finite(a),
        AnyArray::C64(a) => all_finite(a),
        AnyArray::C128(a) => all_finite(a),
    }
}

/// The array, unless it has overflown.
fn check(what: &str, array: AnyArray) -> Result<AnyArray> {
    match &array {
        AnyArray::F32(a) => check_array(what, a),
        AnyArray::F64(a) => check_array(what, a),
        AnyArray::C64(a) => check_array(what, a),
        AnyArray::C128(a) => check_array(what, a),
    }?;
    Ok(array)
}

/// Whether the numbers are complex, and whether they are of double precision.
pub fn kind(array: &AnyArray) -> (bool, bool) {
    match array {
        AnyArray::F32(_) => (false, false),
        AnyArray::F64(_) => (false, true),
        AnyArray::C64(_) => (true, false),
        AnyArray::C128(_) => (true, true),
    }
}

/// The array in another type; complex numbers stay complex. Single precision rounds to nearest, and must suffice.
pub fn cast(array: AnyArray, (complex, double): (bool, bool)) -> Result<AnyArray> {
    let complex = complex || kind(&array).0;
    let finite = finite(&array);
    let cast = match (complex, double, array) {
        (false, false, AnyArray::F32(a)) => AnyArray::F32(a),
        (true, false, AnyArray::C64(a)) => AnyArray::C64(a),
        (false, false, other) => AnyArray::F32(other.into_f64()?.mapv(|v| v as f32)),
        (false, true, other) => AnyArray::F64(other.into_f64()?),
        (true, false, other) => {
            AnyArray::C64(other.into_c128().mapv(|v| Complex::new(v.re as f32, v.im as f32)))
        }
        (true, true, other) => AnyArray::C128(other.into_c128()),
    };
    if finite && !double { check("the kernel in single precision", cast) } else { Ok(cast) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndarray::array;

    #[test]
    fn numbers_have_one_axis_or_two_and_may_be_complex() {
        assert_eq!(numbers("-1, 2e3"), Ok(AnyArray::F64(array![-1.0, 2e3].into_dyn())));
        assert_eq!(numbers("1,2;3,4"), Ok(AnyArray::F64(array![[1.0, 2.0], [3.0, 4.0]].into_dyn())));
        let complex = array![Complex::new(1.0, 2.0), Complex::new(3.0, 0.0)];
        assert_eq!(numbers("1+2i,3"), Ok(AnyArray::C128(complex.into_dyn())));
        for wrong in ["1,,2", "1,2;3", "1 2", "1;"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sources_are_told_apart() {
        assert!(matches!("psf.npy".parse(), Ok(Source::File(_))));
        assert!(matches!("disk:radius=2".parse(), Ok(Source::Named(_))));
        assert!("disc:radius=2".parse::<Source>().unwrap_err().contains("gaussian, motion, disk, box"));
        assert!("".parse::<Source>().unwrap_err().contains("empty"));
    }

    #[test]
    fn casts_keep_complex_numbers_complex() {
        let z = AnyArray::C128(array![Complex::new(0.5, 1.0)].into_dyn());
        assert_eq!(kind(&cast(z, (false, false)).unwrap()), (true, false));
        let x = AnyArray::F32(array![0.5_f32].into_dyn());
        assert_eq!(cast(x, (false, true)).unwrap(), AnyArray::F64(array![0.5].into_dyn()));
    }
}
