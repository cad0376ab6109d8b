//! How fast this machine is: the constants of the predictions, measured once and kept in a file.

use super::{Engine, Plan};
use crate::band::ConvMode;
use crate::conv::{Conv1d, Conv2d, Geometry};
use crate::error::{Error, Result};
use crate::op::LinearOperator;
use crate::scalar::{Real, Scalar};
use ndarray::Array2;
use num_complex::Complex;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

/// One number each for `float32`, `float64`, `complex64`, `complex128`.
pub type PerType = [f64; 4];

/// What engines reach on one thread, in real additions and multiplications per second, or for transforms in units of their cost,
/// and what memory does, in bytes per second.
///
/// [`Rates::current`] are those that plans use: from the file of this host if `convmtx plan --calibrate` (or
/// [`Rates::measure`]) has written one, else the defaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rates {
    /// Direct, signals with many taps.
    pub row: PerType,
    /// Direct, signals with few taps.
    pub short: PerType,
    /// Direct, images, volumes and stacked signals.
    pub sheet: PerType,
    /// Direct, one output after the other: steps along lines.
    pub apart: PerType,
    /// Transforms of lines, in the cache: units per second, about half an addition or multiplication each, copies included.
    pub lines: PerType,
    /// Transforms of tiles, in the cache, likewise.
    pub tiles: PerType,
    /// Copying memory: bytes read and written.
    pub copy: f64,
}

/// Measured by `convmtx plan --calibrate` on one core of a Zen 4 EPYC, the better of two runs.
impl Default for Rates {
    fn default() -> Self {
        Rates {
            row: [99e9, 53e9, 108e9, 56e9],
            short: [63e9, 32e9, 96e9, 31e9],
            sheet: [110e9, 56e9, 76e9, 50e9],
            apart: [3.1e9, 3.1e9, 6e9, 6e9],
            lines: [6e9, 2.9e9, 6e9, 3.2e9],
            tiles: [6.5e9, 4e9, 6.5e9, 4.3e9],
            copy: 19e9,
        }
    }
}

/// The first line of a file of rates. Another number makes files of earlier versions void.
const HEAD: &str = "convmtx rates 2";

impl Rates {
    /// The rates that plans use, read once: those of [`Rates::file`] if it is there and from this processor.
    pub fn current() -> &'static Rates {
        static CURRENT: OnceLock<Rates> = OnceLock::new();
        CURRENT.get_or_init(|| {
            let text = Rates::file().and_then(|path| std::fs::read_to_string(path).ok());
            text.and_then(|text| text.parse().ok()).unwrap_or_default()
        })
    }

    /// Where the rates of this host are kept: `$CONVMTX_RATES`, or a file in the user's folder for caches. `None` where
    /// the system names no such folder.
    pub fn file() -> Option<PathBuf> {
        let folder = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(path) = folder("CONVMTX_RATES") {
            return Some(path);
        }
        let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
        let cache = cache.or_else(|| folder("LOCALAPPDATA"))?;
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host: String = host.trim().chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
        Some(cache.join("convmtx").join(format!("rates-{host}.txt")))
    }

    /// Measures all of them, on one thread, in about two seconds. Best of several, so that other programs disturb little.
    ///
    /// # Errors
    /// What the products report.
    pub fn measure() -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|e| Error::Unsupported { what: "a measurement", reason: e.to_string() })?;
        pool.install(|| {
            let [single, double] = [rates_of::<f32>()?, rates_of::<f64>()?];
            let complex = [rates_of::<Complex<f32>>()?, rates_of::<Complex<f64>>()?];
            let of = |i: usize| [single[i], double[i], complex[0][i], complex[1][i]];
            let rates = Rates { row: of(0), short: of(1), sheet: of(2), apart: of(3), ..Rates::default() };
            Ok(Rates { lines: of(4), tiles: of(5), copy: copy_rate(), ..rates })
        })
    }

    /// The rate for the element type.
    pub(super) fn of<T: Scalar>(rates: &PerType) -> f64 {
        rates[2 * usize::from(T::IS_COMPLEX) + usize::from(size_of::<T::Real>() == 8)]
    }

    fn named(&self) -> [(&'static str, &PerType); 6] {
        [
            ("row", &self.row),
            ("short", &self.short),
            ("sheet", &self.sheet),
            ("apart", &self.apart),
            ("lines", &self.lines),
            ("tiles", &self.tiles),
        ]
    }
}

/// The processor, as far as the system tells.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    let name = name.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{name}, {}", if cfg!(target_pointer_width = "64") { "64 bit" } else { "32 bit" })
}

/// The text of a file of rates.
impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        writeln!(f, "processor {}", processor())?;
        for (name, rates) in self.named() {
            let mut line = String::new();
            rates.iter().try_for_each(|r| write!(line, " {r:.4e}"))?;
            writeln!(f, "{name}{line}")?;
        }
        writeln!(f, "copy {:.4e}", self.copy)
    }
}

impl std::str::FromStr for Rates {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) wrote; a file of another version or processor is an error.
    fn from_str(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let mut expect = |what, expected: String| match lines.next() {
            Some(line) if line == expected => Ok(()),
            other => Err(Error::value(what, expected, other.unwrap_or_default())),
        };
        expect("the first line of the rates", HEAD.to_owned())?;
        expect("the processor of the rates", format!("processor {}", processor()))?;
        let mut number = |name: &'static str, count: usize| {
            let line = lines.next().unwrap_or_default();
            let numbers: Option<Vec<f64>> = line.strip_prefix(name).map_or(Some(Vec::new()), |rest| {
                rest.split_whitespace().map(|word| word.parse().ok()).collect()
            });
            match numbers {
                Some(n) if n.len() == count && n.iter().all(|r| r.is_normal() && *r > 0.0) => Ok(n),
                _ => Err(Error::value(
                    "a line of the rates",
                    format!("{name} and {count} positive numbers"),
                    line,
                )),
            }
        };
        let mut rates = Rates::default();
        let mut four = |name| Ok::<PerType, Error>(number(name, 4)?.try_into().expect("four numbers"));
        rates.row = four("row")?;
        rates.short = four("short")?;
        rates.sheet = four("sheet")?;
        rates.apart = four("apart")?;
        rates.lines = four("lines")?;
        rates.tiles = four("tiles")?;
        rates.copy = number("copy", 1)?[0];
        Ok(rates)
    }
}

/// Numbers without zeros, infinities and subnormals.
fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    let part = |i: usize| T::Real::of((i * 37 % 101) as f64 / 101.0 + 0.1); // small counts
    (0..len).map(|i| T::from_parts(part(i), part(i + 7))).collect()
}

/// Best of several times, in seconds, of about 20 ms in all.
fn best(mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    f()?;
    while best == f64::INFINITY || begin.elapsed().as_secs_f64() < 0.02 {
        let start = Instant::now();
        f()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// What a plan does per second when forced to an engine, counted as its prediction counts.
fn rate<T: Scalar, const D: usize>(plan: Plan<T, D>, engine: Engine) -> Result<f64> {
    let plan = plan.with(engine);
    let work = plan.candidates().iter().find(|c| c.engine == engine).map(|c| c.work);
    let a = plan.build()?;
    let (m, n) = a.shape();
    let (x, mut y, mut scratch) = (numbers::<T>(n), vec![T::zero(); m], vec![T::zero(); a.scratch_len()]);
    let seconds = best(|| a.forward(&x, &mut y, &mut scratch))?;
    Ok(work.unwrap_or(0.0) / seconds)
}

/// All rates of one type, in the order of [`Rates`].
fn rates_of<T: Scalar>() -> Result<[f64; 6]> {
    let signal =
        |taps: usize, n: usize, geometry: Geometry<T, 1>| Conv1d::new(&numbers::<T>(taps), n, geometry);
    let image = |k: usize, size: [usize; 2]| {
        let psf = Array2::from_shape_vec((k, k), numbers::<T>(k * k));
        Conv2d::new(&psf.expect("k by k"), size, ConvMode::Valid)
    };
    let valid = Geometry::valid;
    Ok([
        rate(signal(129, 8192, valid())?.plan(), Engine::Direct)?,
        rate(signal(7, 8192, valid())?.plan(), Engine::Direct)?,
        rate(image(15, [78, 270])?.plan(), Engine::Direct)?,
        rate(signal(15, 8192, valid().stride(2))?.plan(), Engine::Direct)?,
        rate(signal(1025, 1 << 17, valid())?.plan(), Engine::Fft)
            .unwrap_or(Rates::of::<T>(&Rates::default().lines)),
        rate(image(31, [512, 512])?.plan(), Engine::Fft).unwrap_or(Rates::of::<T>(&Rates::default().tiles)),
    ])
}

/// Bytes per second, read and written, of a copy that does not fit into the caches.
fn copy_rate() -> f64 {
    let (from, mut to) = (vec![1.0_f64; 1 << 23], vec![0.0_f64; 1 << 23]);
    let copy = best(|| {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
        Ok(())
    });
    2.0 * size_of_val(&from[..]) as f64 / copy.unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let rates = Rates::default();
        assert_eq!(rates.to_string().parse::<Rates>().unwrap(), rates);
        let broken = rates.to_string().replace("lines ", "lines -");
        assert!(broken.parse::<Rates>().unwrap_err().to_string().contains("a line of the rates"));
        assert!("convmtx rates 0\n".parse::<Rates>().is_err());
        assert!(rates.to_string().replace("processor ", "processor another ").parse::<Rates>().is_err());
        assert!("".parse::<Rates>().is_err());
    }
}
