//! One axis of a chart: its range, its ticks, and the words at the ticks.

/// Numbers beyond this are treated as infinite, so that differences cannot overflow.
const LARGEST: f64 = 1e300;
/// Positive numbers below this are treated as zero on logarithmic axes.
const SMALLEST: f64 = 1e-300;
/// The share of the range left free at both ends.
const ROOM: f64 = 0.04;

/// How numbers are spread along an axis.
///
/// # Examples
/// ```
/// use convmtx::plot::{Lines, Scale};
/// let figure = Lines::new().y_axis("residual norm", Scale::Log).sequence("CGLS", &[1.0, 0.1, 0.01]).draw();
/// assert!(figure.to_svg().contains("10⁻²"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Even steps.
    #[default]
    Linear,
    /// Even factors; numbers that are not positive are left out.
    Log,
}

impl Scale {
    /// Whether `value` has a place on such an axis.
    pub(crate) fn shows(self, value: f64) -> bool {
        match self {
            Scale::Linear => value.abs() <= LARGEST,
            Scale::Log => (SMALLEST..=LARGEST).contains(&value),
        }
    }

    fn position(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => value.log10(),
        }
    }
}

/// A number on an axis and what is written there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

/// A range with ticks.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    pub ticks: Vec<Tick>,
    /// Short ticks without labels.
    pub minor: Vec<f64>,
}

impl Axis {
    /// The axis that shows all of `values`, with about `wanted` ticks; 0 to 1 (or 1 to 10) when there is nothing to show.
    pub(crate) fn fit(scale: Scale, values: impl Iterator<Item = f64>, wanted: usize) -> Self {
        let shown = values.filter(|&v| scale.shows(v)).map(|v| scale.position(v));
        let range = shown.fold(None, |range: Option<(f64, f64)>, v| match range {
            None => Some((v, v)),
            Some((low, high)) => Some((low.min(v), high.max(v))),
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let narrow = high - low <= 1e-9 * low.abs().max(high.abs());
        let (low, high) = match scale {
            _ if !narrow => (low - ROOM * (high - low), high + ROOM * (high - low)),
            Scale::Linear if low == 0.0 => (-1.0, 1.0),
            Scale::Linear => (low - 0.5 * low.abs(), high + 0.5 * high.abs()),
            Scale::Log => (low - 0.5, high + 0.5),
        };
        let mut axis = Self { scale, low, high, ticks: Vec::new(), minor: Vec::new() };
        match scale {
            Scale::Linear => axis.ticks = linear_ticks(low, high, nice_step(low, high, wanted)),
            Scale::Log => axis.log_ticks(wanted),
        }
        axis
    }

    /// The axis of indices `0..count`, half a cell of room at both ends, ticks at whole numbers only.
    pub(crate) fn indices(count: usize, wanted: usize) -> Self {
        let high = (count as f64 - 0.5).max(0.5); // exact below 2⁵³
        let axis = Self { scale: Scale::Linear, low: -0.5, high, ticks: Vec::new(), minor: Vec::new() };
        if count == 0 { axis } else { axis.with_whole_ticks(wanted) }
    }

    /// The axis with ticks at whole numbers only, where it is linear.
    pub(crate) fn with_whole_ticks(mut self, wanted: usize) -> Self {
        if self.scale == Scale::Linear {
            let step = nice_step(self.low, self.high, wanted).max(1.0);
            self.ticks = linear_ticks(self.low, self.high, step);
        }
        self
    }

    /// Where `value` is, 0 at the lower and 1 at the upper end; `None` for what the axis cannot show.
    pub(crate) fn fraction(&self, value: f64) -> Option<f64> {
        let position = self.scale.shows(value).then(|| self.scale.position(value))?;
        Some((position - self.low) / (self.high - self.low))
    }

    fn log_ticks(&mut self, wanted: usize) {
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32); // within ±301
        let inside = |v: f64| v > 0.0 && (self.low..=self.high).contains(&v.log10());
        if last - first >= 1 {
            let stride = (last - first + 1).div_euclid(wanted.clamp(2, 100) as i32) + 1; // at most 100
            let mut minor = Vec::new();
            for exponent in first - 1..=last {
                let decade = 10f64.powi(exponent);
                match stride {
                    1 => minor.extend((2..10).map(|m| decade * f64::from(m)).filter(|&v| inside(v))),
                    _ if exponent >= first => minor.push(decade),
                    _ => {}
                }
            }
            let labelled = (first..=last).filter(|e| e.rem_euclid(stride) == 0);
            self.ticks = labelled.map(|e| Tick { value: 10f64.powi(e), label: power(e) }).collect();
            self.minor = minor;
            return;
        }
        let mantissas = |steps: &[f64]| -> Vec<f64> {
            let decades = (first - 1..=last).map(|e| 10f64.powi(e));
            decades.flat_map(|d| steps.iter().map(move |m| d * m)).filter(|&v| inside(v)).collect()
        };
        let values = mantissas(&[1.0, 2.0, 5.0]);
        if values.len() >= 2 {
            self.ticks = values.into_iter().map(|value| Tick { value, label: number(value, 2) }).collect();
            self.minor = mantissas(&[3.0, 4.0, 6.0, 7.0, 8.0, 9.0]);
        } else {
            let (low, high) = (10f64.powf(self.low), 10f64.powf(self.high));
            self.ticks = linear_ticks(low, high, nice_step(low, high, wanted));
        }
    }
}

/// The step of 1, 2 or 5 times a power of ten that cuts the range into about `wanted` parts.
fn nice_step(low: f64, high: f64, wanted: usize) -> f64 {
    let raw = (high - low) / wanted.max(1) as f64; // small count
    let decade = 10f64.powf(raw.log10().floor());
    let mantissa = [1.0, 2.0, 5.0].into_iter().find(|m| m * decade >= 0.8 * raw).unwrap_or(10.0);
    mantissa * decade
}

/// The multiples of `step` in the range, labelled with the decimals that the step needs.
fn linear_ticks(low: f64, high: f64, step: f64) -> Vec<Tick> {
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    if !(step > 0.0 && first.is_finite() && last - first <= 100.0) {
        return Vec::new();
    }
    let values = (0..=(last - first) as usize).map(|i| (first + i as f64) * step); // at most 100
    let largest = low.abs().max(high.abs());
    let exponent = largest.log10().floor();
    // 0.001 to 99 999 as they are, otherwise mantissa · power of ten.
    let (unit, power_of) =
        if (-3.0..5.0).contains(&exponent) { (1.0, None) } else { (10f64.powf(exponent), Some(exponent)) };
    let decimals = (-(step / unit * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize; // 0 to 12
    values
        .map(|value| {
            let plain = minus(&format!("{:.*}", decimals, value / unit));
            let label = match power_of {
                Some(e) if value != 0.0 => format!("{plain}·{}", power(e as i32)), // within ±301
                _ if value == 0.0 => "0".to_owned(),
                _ => plain,
            };
            Tick { value, label }
        })
        .collect()
}

/// `10ᵉ` in Unicode.
fn power(exponent: i32) -> String {
    let superscript = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
    };
    format!("10{}", exponent.to_string().chars().map(superscript).collect::<String>())
}

/// A number with `digits` significant digits, as people write it: `0.25`, `−3`, `2.5·10⁻⁷`.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".to_owned()
        } else {
            minus(&format!("{value}")).replace("inf", "∞")
        };
    }
    let text = format!("{:.*e}", digits.saturating_sub(1), value); // rounds, so 9.99 becomes 1.0e1
    let Some((mantissa, exponent)) =
        text.split_once('e').and_then(|(m, e)| Some((m, e.parse::<i32>().ok()?)))
    else {
        return text;
    };
    if value == 0.0 {
        return "0".to_owned();
    }
    let trimmed = |text: &str| match text.contains('.') {
        true => minus(text.trim_end_matches('0').trim_end_matches('.')),
        false => minus(text),
    };
    match exponent {
        -4..=5 => {
            let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0); // a handful of digits
            trimmed(&format!("{value:.decimals$}"))
        }
        _ => format!("{}·{}", trimmed(mantissa), power(exponent)),
    }
}

/// A count with thin spaces between groups of three digits: `2 359 296`.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// Hyphens as minus signs.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_one_two_five() {
        assert_eq!(
            labels(&Axis::fit(Scale::Linear, [0.0, 10.0].into_iter(), 5)),
            ["0", "2", "4", "6", "8", "10"]
        );
        let fine = Axis::fit(Scale::Linear, [-0.1, 0.1].into_iter(), 4);
        assert_eq!(labels(&fine), ["−0.10", "−0.05", "0", "0.05", "0.10"]);
        let large = Axis::fit(Scale::Linear, [0.0, 3e7].into_iter(), 3);
        assert_eq!(labels(&large), ["0", "1·10⁷", "2·10⁷", "3·10⁷"]);
    }

    #[test]
    fn log_ticks_are_decades_and_mantissas_where_there_are_few() {
        let wide = Axis::fit(Scale::Log, [1e-3, 1.0].into_iter(), 6);
        assert_eq!(labels(&wide), ["10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        let narrow = Axis::fit(Scale::Log, [1.5, 6.0].into_iter(), 6);
        assert_eq!(labels(&narrow), ["2", "5"]);
        let tiny = Axis::fit(Scale::Log, [3.0, 3.4].into_iter(), 4);
        assert!(tiny.ticks.len() >= 2);
        let huge = Axis::fit(Scale::Log, [1e-200, 1e200].into_iter(), 6);
        assert!((2..=8).contains(&huge.ticks.len()), "{:?}", labels(&huge));
    }

    #[test]
    fn strange_values_still_give_an_axis() {
        let sets: [&[f64]; 7] =
            [&[], &[f64::NAN], &[5.0], &[0.0], &[-1e308, 1e308], &[1e-320], &[1e17, 1e17 + 16.0]];
        for values in sets {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::fit(scale, values.iter().copied(), 5);
                assert!(axis.high > axis.low && axis.ticks.len() <= 101, "{values:?}");
            }
        }
        assert_eq!(Axis::fit(Scale::Log, [1.0].into_iter(), 5).fraction(-1.0), None);
        assert_eq!(Axis::fit(Scale::Linear, [1.0].into_iter(), 5).fraction(f64::NAN), None);
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        let texts =
            [0.0, 0.25, -3.0, 2.5e-7, 0.999, 1234.0, f64::NAN, f64::NEG_INFINITY].map(|v| number(v, 2));
        assert_eq!(texts, ["0", "0.25", "−3", "2.5·10⁻⁷", "1", "1234", "NaN", "−∞"]);
        assert_eq!(count(2_359_296), "2\u{2009}359\u{2009}296");
        assert_eq!(count(1234), "1234");
    }

    #[test]
    fn index_axes_have_whole_ticks() {
        assert_eq!(labels(&Axis::indices(3, 6)), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::indices(54, 6)), ["0", "10", "20", "30", "40", "50"]);
        assert!(labels(&Axis::indices(0, 6)).is_empty());
    }
}
