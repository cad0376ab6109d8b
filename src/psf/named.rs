//! PSFs as data, and their textual form.

use super::shapes::{check_positive, disk_shape, motion_shape, odd_side};
use super::{boxcar, check_shape, disk, gaussian, motion};
use crate::error::{Error, Result};
use crate::scalar::Real;
use ndarray::Array2;
use std::fmt;
use std::str::FromStr;

/// A PSF by name and numbers.
///
/// The textual form is a name and `key=value` pairs, `name:key=value,key=value`:
///
/// | text | meaning | defaults |
/// |---|---|---|
/// | `gaussian:size=9,sigma=4` | [`gaussian`] | `size` = 2⌈3σ⌉ + 1, which holds 99.7 % of an axis |
/// | `motion:length=15,angle=30` | [`motion`] | `angle` = 0, horizontal |
/// | `disk:radius=4` | [`disk`] | |
/// | `box:size=9x5` | [`boxcar`] | |
///
/// A size is `K`, for a square, or `ROWSxCOLUMNS`. [`FromStr`] checks the numbers, too; [`fmt::Display`] writes the
/// form back with every default filled in, and reading that gives an equal value.
///
/// # Examples
/// ```
/// use convmtx::psf::Psf;
/// let psf: Psf = "gaussian:sigma=2".parse()?;
/// assert_eq!(psf, Psf::Gaussian { size: (13, 13), sigma: 2.0 });
/// assert_eq!(psf.to_string(), "gaussian:size=13,sigma=2");
/// assert_eq!(psf.to_array::<f32>()?.dim(), (13, 13));
///
/// let error = "gausian:sigma=2".parse::<Psf>().unwrap_err();
/// assert_eq!(error.to_string(), "PSF is gausian, expected one of gaussian, motion, disk, box");
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Psf {
    /// A sampled Gaussian: [`gaussian`].
    Gaussian {
        /// Rows and columns.
        size: (usize, usize),
        /// Standard deviation in pixels.
        sigma: f64,
    },
    /// Linear motion: [`motion`].
    Motion {
        /// Pixels from end to end, at least 1.
        length: f64,
        /// Degrees counter-clockwise from the horizontal.
        angle: f64,
    },
    /// A disc, out of focus: [`disk`].
    Disk {
        /// In pixels.
        radius: f64,
    },
    /// Equal weights: [`boxcar`].
    Box {
        /// Rows and columns.
        size: (usize, usize),
    },
}

impl Psf {
    /// Rows and columns of the array, without computing it.
    ///
    /// # Errors
    /// Those of [`Psf::to_array`] but for memory.
    pub fn shape(&self) -> Result<(usize, usize)> {
        match *self {
            Psf::Gaussian { size, sigma } => {
                check_positive("sigma of the Gaussian PSF", sigma)?;
                check_shape(size)?;
                Ok(size)
            }
            Psf::Motion { length, angle } => motion_shape(length, angle),
            Psf::Disk { radius } => disk_shape(radius),
            Psf::Box { size } => {
                check_shape(size)?;
                Ok(size)
            }
        }
    }

    /// The PSF as an array that sums to one, centre [`centre`](super::centre).
    ///
    /// # Errors
    /// [`Error::Value`] for numbers outside their range, [`Error::Memory`].
    pub fn to_array<T: Real>(&self) -> Result<Array2<T>> {
        match *self {
            Psf::Gaussian { size, sigma } => gaussian(size, sigma),
            Psf::Motion { length, angle } => motion(length, angle),
            Psf::Disk { radius } => disk(radius),
            Psf::Box { size } => boxcar(size),
        }
    }
}

impl fmt::Display for Psf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Psf::Gaussian { size, sigma } => write!(f, "gaussian:size={},sigma={sigma}", Size(size)),
            Psf::Motion { length, angle } => write!(f, "motion:length={length},angle={angle}"),
            Psf::Disk { radius } => write!(f, "disk:radius={radius}"),
            Psf::Box { size } => write!(f, "box:size={}", Size(size)),
        }
    }
}

impl FromStr for Psf {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, pairs) = text.split_once(':').unwrap_or((text, ""));
        let psf = match name.trim() {
            "gaussian" => {
                let fields = Fields::parse("key of the gaussian PSF", &["sigma", "size"], pairs)?;
                let sigma = fields.number("sigma")?.ok_or_else(|| missing("sigma of the gaussian PSF"))?;
                check_positive("sigma of the Gaussian PSF", sigma)?;
                let size = match fields.size("size")? {
                    Some(size) => size,
                    None => odd_side((3.0 * sigma).ceil()).map(|side| (side, side))?,
                };
                Psf::Gaussian { size, sigma }
            }
            "motion" => {
                let fields = Fields::parse("key of the motion PSF", &["length", "angle"], pairs)?;
                let length = fields.number("length")?.ok_or_else(|| missing("length of the motion PSF"))?;
                Psf::Motion { length, angle: fields.number("angle")?.unwrap_or(0.0) }
            }
            "disk" => {
                let fields = Fields::parse("key of the disk PSF", &["radius"], pairs)?;
                let radius = fields.number("radius")?.ok_or_else(|| missing("radius of the disk PSF"))?;
                Psf::Disk { radius }
            }
            "box" => {
                let fields = Fields::parse("key of the box PSF", &["size"], pairs)?;
                Psf::Box { size: fields.size("size")?.ok_or_else(|| missing("size of the box PSF"))? }
            }
            other => return Err(Error::value("PSF", "one of gaussian, motion, disk, box", other)),
        };
        psf.shape()?;
        Ok(psf)
    }
}

/// A size as text: `9`, `9x5`.
struct Size((usize, usize));

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            (rows, cols) if rows == cols => write!(f, "{rows}"),
            (rows, cols) => write!(f, "{rows}x{cols}"),
        }
    }
}

/// The `key=value` pairs after a name.
struct Fields<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Fields<'a> {
    fn parse(what: &'static str, keys: &[&'static str], pairs: &'a str) -> Result<Self> {
        let mut fields = Vec::new();
        for pair in pairs.split(',').filter(|_| !pairs.trim().is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = keys.iter().find(|&&known| known == key.trim());
            let known =
                *known.ok_or_else(|| Error::value(what, format!("one of {}", keys.join(", ")), key))?;
            if fields.iter().any(|&(earlier, _)| earlier == known) {
                return Err(Error::value(what, "given once", format_args!("{known} again")));
            }
            fields.push((known, value.trim()));
        }
        Ok(Fields(fields))
    }

    fn find(&self, key: &str) -> Option<(&'static str, &'a str)> {
        self.0.iter().copied().find(|&(known, _)| known == key)
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        let parse = |(key, text): (_, &str)| {
            text.parse().map_err(|_| Error::value(key, "a number", format_args!("{text:?}")))
        };
        self.find(key).map(parse).transpose()
    }

    fn size(&self, key: &str) -> Result<Option<(usize, usize)>> {
        let parse = |(key, text): (_, &str)| {
            let (rows, cols) = text.split_once('x').unwrap_or((text, text));
            rows.parse().and_then(|rows| cols.parse().map(|cols| (rows, cols))).map_err(|_| {
                Error::value(
                    key,
                    "a number of pixels such as 9, or ROWSxCOLUMNS such as 9x5",
                    format_args!("{text:?}"),
                )
            })
        };
        self.find(key).map(parse).transpose()
    }
}

fn missing(what: &'static str) -> Error {
    Error::value(what, "to be given", "missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        text.parse::<Psf>().unwrap_err().to_string()
    }

    #[test]
    fn the_forms_are_read() {
        assert_eq!(
            "gaussian:size=9,sigma=4".parse::<Psf>().unwrap(),
            Psf::Gaussian { size: (9, 9), sigma: 4.0 }
        );
        assert_eq!(" box : size = 9x5 ".parse::<Psf>().unwrap(), Psf::Box { size: (9, 5) });
        assert_eq!("motion:length=15".parse::<Psf>().unwrap(), Psf::Motion { length: 15.0, angle: 0.0 });
        assert_eq!("disk:radius=2.5".parse::<Psf>().unwrap(), Psf::Disk { radius: 2.5 });
    }

    #[test]
    fn errors_name_what_is_allowed() {
        assert_eq!(message("blur"), "PSF is blur, expected one of gaussian, motion, disk, box");
        assert_eq!(message("disk:r=3"), "key of the disk PSF is r, expected one of radius");
        assert_eq!(
            message("motion:length=3,length=4"),
            "key of the motion PSF is length again, expected given once"
        );
        assert_eq!(message("box"), "size of the box PSF is missing, expected to be given");
        assert_eq!(message("disk:radius=big"), "radius is \"big\", expected a number");
        assert!(message("box:size=3x").starts_with("size is \"3x\", expected a number of pixels"));
        assert!(message("gaussian:sigma=-1").contains("is -1, expected a finite number above 0"));
        assert!(message("motion:length=0.5").contains("is 0.5, expected a finite number of at least 1"));
    }

    #[test]
    fn absurd_sizes_are_errors_and_not_allocations() {
        for text in [
            "box:size=1000000",
            "box:size=0x5",
            "gaussian:sigma=1e9",
            "gaussian:sigma=1e300",
            "disk:radius=1e7",
            "disk:radius=inf",
            "motion:length=1e18,angle=45",
            "motion:length=3,angle=nan",
        ] {
            assert!(matches!(text.parse::<Psf>(), Err(Error::Value { .. })), "{text}");
        }
    }
}
