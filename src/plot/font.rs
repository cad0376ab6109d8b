//! The embedded font, and how wide and tall text in it is.
//!
//! Two subsets of DejaVu Sans (`font/README.md`, licence beside it). No other font is ever looked up, so PNGs do not
//! depend on what the machine has installed.

use resvg::usvg::fontdb::{Database, Source};
use std::sync::{Arc, OnceLock};

/// What SVG text asks for: the embedded font, else one with the same widths.
pub(crate) const FAMILY: &str = "'DejaVu Sans', Verdana, sans-serif";

static REGULAR: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");
static BOLD: &[u8] = include_bytes!("font/DejaVuSans-Bold-subset.ttf");

/// Thickness of strokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// The fonts that PNGs are drawn with: the two embedded ones and nothing else.
pub(crate) fn database() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    FONTS
        .get_or_init(|| {
            let mut fonts = Database::new();
            fonts.load_font_source(Source::Binary(Arc::new(REGULAR)));
            fonts.load_font_source(Source::Binary(Arc::new(BOLD)));
            fonts.set_sans_serif_family("DejaVu Sans");
            Arc::new(fonts)
        })
        .clone()
}

/// The width of `text` at `size` units per em; kerning, which only narrows, is not counted.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let font = match weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    };
    let em = table(font, b"head").and_then(|t| u16_at(font, t + 18)).unwrap_or(2048);
    let widths = text.chars().map(|c| f64::from(advance(font, c).unwrap_or(em)));
    widths.sum::<f64>() / f64::from(em) * size
}

/// `text`, or its beginning followed by "…" where it is wider than `limit`.
pub(crate) fn fit(text: &str, limit: f64, size: f64, weight: Weight) -> String {
    if width(text, size, weight) <= limit {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        let shorter = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if kept.pop().is_none() || width(&shorter, size, weight) <= limit {
            return shorter;
        }
    }
}

/// The lines of `text` no wider than `limit`, broken at spaces, and inside words that are wider than a line.
pub(crate) fn wrap(text: &str, limit: f64, size: f64, weight: Weight) -> Vec<String> {
    let fits = |line: &str| width(line, size, weight) <= limit;
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && !fits(&format!("{line} {word}")) {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            for c in word.chars() {
                line.push(c);
                if !fits(&line) && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        lines.push(line);
    }
    lines
}

// A reader of three TrueType tables, enough for widths: `cmap` format 4 maps a character to a glyph, `hhea` counts the
// entries of `hmtx`, `hmtx` holds the widths (OpenType specification 1.9, chapters of these names).

fn u16_at(font: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(font.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(font: &[u8], at: usize) -> Option<usize> {
    let value = u32::from_be_bytes(font.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(value).ok()
}

/// The offset of the table called `tag`.
fn table(font: &[u8], tag: &[u8; 4]) -> Option<usize> {
    let count = usize::from(u16_at(font, 4)?);
    let record = (0..count).map(|i| 12 + 16 * i).find(|&r| font.get(r..r + 4) == Some(tag))?;
    u32_at(font, record + 8)
}

/// The advance width of a character, in font units; `None` where the font lacks it.
fn advance(font: &[u8], c: char) -> Option<u16> {
    let glyph = usize::from(glyph(font, u16::try_from(u32::from(c)).ok()?)?);
    let entries = usize::from(u16_at(font, table(font, b"hhea")? + 34)?);
    u16_at(font, table(font, b"hmtx")? + 4 * glyph.min(entries.checked_sub(1)?))
}

fn glyph(font: &[u8], code: u16) -> Option<u16> {
    let cmap = table(font, b"cmap")?;
    let map = cmap + u32_at(font, cmap + 8)?; // the first subtable, Unicode in format 4
    let double = usize::from(u16_at(font, map + 6)?); // twice the number of segments
    let ends = map + 14;
    let segment = (0..double).step_by(2).find(|i| u16_at(font, ends + i).is_some_and(|end| code <= end))?;
    let (starts, deltas) = (ends + 2 + double, ends + 2 + 2 * double);
    let (start, delta) = (u16_at(font, starts + segment)?, u16_at(font, deltas + segment)?);
    let at = deltas + double + segment;
    let range = u16_at(font, at)?;
    let steps = code.checked_sub(start)?;
    let glyph = match range {
        0 => code.wrapping_add(delta), // modulo 65536 by the format's definition
        _ => u16_at(font, at + usize::from(range) + 2 * usize::from(steps))?,
    };
    (glyph != 0).then_some(glyph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_hold_every_character_in_use() {
        for c in "Az09 ×·‖²³⁰⁴⁹⁻−≤≥→ᴴᵀλεσΣ…–—äßé\u{2009}".chars() {
            assert!(advance(REGULAR, c).is_some(), "{c}");
            assert!(advance(BOLD, c).is_some(), "{c}");
        }
        assert_eq!(advance(REGULAR, '漢'), None);
        assert_eq!(database().len(), 2);
    }

    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(width("M", 2048.0, Weight::Regular), 1767.0); // hmtx of DejaVu Sans 2.37
        assert_eq!(width("M", 2048.0, Weight::Bold), 2038.0);
    }

    #[test]
    fn wrapped_lines_fit_and_lose_nothing() {
        let text = "a paragraph with one verylongwordthatfitsnowhere in it";
        let lines = wrap(text, 60.0, 12.0, Weight::Regular);
        assert!(lines.iter().all(|l| width(l, 12.0, Weight::Regular) <= 60.0));
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(wrap("", 60.0, 12.0, Weight::Regular), [""]);
        assert_eq!(wrap("abc", 0.0, 12.0, Weight::Regular), ["a", "b", "c"]);
    }

    #[test]
    fn fitted_text_ends_in_an_ellipsis() {
        assert_eq!(fit("short", 100.0, 12.0, Weight::Regular), "short");
        assert!(fit("much too long", 40.0, 12.0, Weight::Regular).ends_with('…'));
        assert_eq!(fit("none", 0.0, 12.0, Weight::Regular), "…");
    }
}
