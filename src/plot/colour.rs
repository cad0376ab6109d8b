//! Colours: the Okabe–Ito palette, dash patterns, and perceptually even maps from numbers to colours.

/// Text and axes.
pub(crate) const INK: &str = "#1a1a1a";
/// Tick labels and secondary text.
pub(crate) const SOFT: &str = "#555555";
/// Grid lines.
pub(crate) const GRID: &str = "#e2e2e2";
/// The dark main colour of patterns and stems (Okabe–Ito blue).
pub(crate) const BLUE: &str = "#0072B2";
/// The light contrast to [`BLUE`], also in greyscale (Okabe–Ito orange).
pub(crate) const ORANGE: &str = "#E69F00";

/// A colour and a dash pattern for series `i`: seven colours, each with a dash pattern of its own; later rounds pair
/// them anew.
pub(crate) fn series(i: usize) -> (&'static str, &'static str) {
    // M. Okabe, K. Ito, Color Universal Design (2008), without the yellow, which is too light for lines.
    const PALETTE: [(&str, &str); 7] = [
        ("#0072B2", ""),
        ("#D55E00", "7 3"),
        ("#009E73", "2 2.5"),
        ("#CC79A7", "9 3 2 3"),
        ("#E69F00", "5 2 1.5 2 1.5 2"),
        ("#56B4E9", "12 4"),
        ("#000000", "4 4"),
    ];
    let (colour, dashes) = (i % PALETTE.len(), (i + i / PALETTE.len()) % PALETTE.len());
    (PALETTE[colour].0, PALETTE[dashes].1)
}

/// From numbers to colours.
///
/// # Examples
/// ```
/// use convmtx::plot::{ColourMap, HeatMap};
/// use ndarray::array;
/// let signed = array![[0.0, -1.0], [2.0, 0.5]];
/// let figure = HeatMap::new(signed.view()).colours(ColourMap::Grey).draw()?;
/// assert!(figure.to_svg().contains("<image"));
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColourMap {
    /// Dark violet to yellow with even steps of lightness: for numbers of one sign.
    Viridis,
    /// Blue, white at zero, orange-red: for numbers of both signs.
    Diverging,
    /// Black to white.
    Grey,
}

impl ColourMap {
    /// The colour at `t` between 0 and 1; clipped outside, light grey for NaN.
    pub(crate) fn at(self, t: f64) -> [u8; 3] {
        // viridis: S. van der Walt, N. Smith (2015), CC0, at twenty even steps.
        const VIRIDIS: [u32; 20] = [
            0x440154, 0x481567, 0x482677, 0x453781, 0x404788, 0x39568C, 0x33638D, 0x2D708E, 0x287D8E,
            0x238A8D, 0x1F968B, 0x20A387, 0x29AF7F, 0x3CBB75, 0x55C667, 0x73D055, 0x95D840, 0xB8DE29,
            0xDCE319, 0xFDE725,
        ];
        // Okabe–Ito blue and vermilion, darkened at the ends, through white.
        const DIVERGING: [u32; 7] = [0x003A5C, 0x0072B2, 0x7DB8DA, 0xF7F7F7, 0xEFAE7C, 0xD55E00, 0x6B2C00];
        if t.is_nan() {
            return [0xd0; 3];
        }
        match self {
            ColourMap::Viridis => between(&VIRIDIS, t),
            ColourMap::Diverging => between(&DIVERGING, t),
            ColourMap::Grey => [byte(t); 3],
        }
    }
}

/// The byte of an intensity: 0 to 1 onto 0 to 255, clipped; NaN is 0.
pub(crate) fn byte(t: f64) -> u8 {
    (t.clamp(0.0, 1.0) * 255.0).round() as u8 // in range; NaN becomes 0
}

/// Relative luminance between 0 (black) and 1 (white), for choosing black or white text.
pub(crate) fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(|c| (f64::from(c) / 255.0).powf(2.2));
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Linear interpolation in a table of even steps.
fn between(table: &[u32], t: f64) -> [u8; 3] {
    let last = table.len() - 1;
    let position = t.clamp(0.0, 1.0) * last as f64; // a dozen entries, exact
    let lower = (position.floor() as usize).min(last); // between 0 and last
    let (a, b) = (table[lower].to_be_bytes(), table[(lower + 1).min(last)].to_be_bytes());
    let weight = position - position.floor();
    let mix = |i: usize| (f64::from(a[i]) * (1.0 - weight) + f64::from(b[i]) * weight).round() as u8; // 0..=255
    [mix(1), mix(2), mix(3)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_hit_their_ends_and_clip() {
        assert_eq!(ColourMap::Viridis.at(0.0), [0x44, 0x01, 0x54]);
        assert_eq!(ColourMap::Viridis.at(7.0), [0xfd, 0xe7, 0x25]);
        assert_eq!(ColourMap::Diverging.at(0.5), [0xf7; 3]);
        assert_eq!(ColourMap::Grey.at(-1.0), [0; 3]);
        assert_eq!(ColourMap::Viridis.at(f64::NAN), [0xd0; 3]);
    }

    #[test]
    fn viridis_gets_lighter_from_end_to_end() {
        let lightness: Vec<f64> =
            (0..=40).map(|i| luminance(ColourMap::Viridis.at(f64::from(i) / 40.0))).collect();
        assert!(lightness.is_sorted());
    }
}
