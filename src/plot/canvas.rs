//! SVG elements as text: coordinates rounded, text escaped.

use super::font::{self, Weight};
use super::raster::Raster;
use super::{Figure, colour};
use crate::Result;
use std::fmt::Write;

/// Where text sits relative to its coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextStyle {
    pub size: f64,
    pub weight: Weight,
    pub colour: &'static str,
    pub anchor: Anchor,
}

impl TextStyle {
    /// Numbers at ticks.
    pub(crate) const TICK: Self = Self::new(11.0, Weight::Regular, colour::SOFT);
    /// Axis labels, captions, legends, paragraphs.
    pub(crate) const LABEL: Self = Self::new(12.0, Weight::Regular, colour::INK);
    /// Titles of figures.
    pub(crate) const TITLE: Self = Self::new(14.0, Weight::Bold, colour::INK);

    pub(crate) const fn new(size: f64, weight: Weight, colour: &'static str) -> Self {
        Self { size, weight, colour, anchor: Anchor::Start }
    }

    pub(crate) const fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) const fn coloured(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    pub(crate) fn width(&self, text: &str) -> f64 {
        font::width(text, self.size, self.weight)
    }

    pub(crate) fn fit(&self, text: &str, limit: f64) -> String {
        font::fit(text, limit, self.size, self.weight)
    }

    pub(crate) fn wrap(&self, text: &str, limit: f64) -> Vec<String> {
        font::wrap(text, limit, self.size, self.weight)
    }
}

/// An axis-parallel rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub(crate) fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(crate) fn centre(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// SVG elements in drawing order.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    body: String,
}

impl Canvas {
    pub(crate) fn rect(&mut self, r: Rect, attributes: &str) {
        let (x, y, w, h) = (num(r.x), num(r.y), num(r.width.max(0.0)), num(r.height.max(0.0)));
        self.push(format_args!(r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" {attributes}/>"#));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), attributes: &str) {
        let (x1, y1, x2, y2) = (num(x1), num(y1), num(x2), num(y2));
        self.push(format_args!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {attributes}/>"#));
    }

    pub(crate) fn circle(&mut self, (x, y): (f64, f64), radius: f64, attributes: &str) {
        let (x, y, r) = (num(x), num(y), num(radius));
        self.push(format_args!(r#"<circle cx="{x}" cy="{y}" r="{r}" {attributes}/>"#));
    }

    pub(crate) fn path(&mut self, d: &str, attributes: &str) {
        self.push(format_args!(r#"<path d="{d}" {attributes}/>"#));
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), style: TextStyle, text: &str) {
        self.text_with((x, y), style, text, "");
    }

    /// Text read upwards, for labels of vertical axes.
    pub(crate) fn text_turned(&mut self, (x, y): (f64, f64), style: TextStyle, text: &str) {
        let turn = format!(r#" transform="rotate(-90 {} {})""#, num(x), num(y));
        self.text_with((x, y), style, text, &turn);
    }

    /// Text with a white rim, readable on top of lines.
    pub(crate) fn text_rimmed(&mut self, at: (f64, f64), style: TextStyle, text: &str) {
        let rim = r##" stroke="#fff" stroke-width="3" stroke-linejoin="round" paint-order="stroke""##;
        self.text_with(at, style, text, rim);
    }

    fn text_with(&mut self, (x, y): (f64, f64), style: TextStyle, text: &str, attributes: &str) {
        if text.is_empty() {
            return;
        }
        let (x, y, size) = (num(x), num(y), num(style.size));
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let weight = match style.weight {
            Weight::Regular => "",
            Weight::Bold => r#" font-weight="bold""#,
        };
        let (fill, text) = (style.colour, escape(text));
        self.push(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{size}" fill="{fill}"{anchor}{weight}{attributes}>{text}</text>"#
        ));
    }

    /// An image stretched over `r`, embedded as a PNG data URI.
    pub(crate) fn image(&mut self, r: Rect, raster: &Raster, rendering: super::Rendering) -> Result<()> {
        let (x, y, w, h) = (num(r.x), num(r.y), num(r.width), num(r.height));
        let rendering = match rendering {
            super::Rendering::Nearest => {
                r#" image-rendering="optimizeSpeed" style="image-rendering:pixelated""#
            }
            super::Rendering::Smooth => "",
        };
        let uri = raster.data_uri()?;
        self.push(format_args!(
            r#"<image x="{x}" y="{y}" width="{w}" height="{h}" preserveAspectRatio="none"{rendering} href="{uri}"/>"#
        ));
        Ok(())
    }

    /// A whole figure with its upper left corner at `(x, y)`.
    pub(crate) fn figure(&mut self, (x, y): (f64, f64), figure: &Figure) {
        let body = figure.body();
        self.push(format_args!("<g transform=\"translate({} {})\">\n{body}</g>", num(x), num(y)));
    }

    /// Everything drawn so far as a figure of this size.
    pub(crate) fn into_figure(self, width: f64, height: f64) -> Figure {
        Figure::from_body(width, height, self.body)
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}"); // writing to a string cannot fail
    }
}

/// A coordinate with at most two decimals; what is not finite becomes 0, so that the document stays valid.
pub(crate) fn num(value: f64) -> String {
    let rounded = if value.is_finite() { (value * 100.0).round() / 100.0 } else { 0.0 };
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded }) // no "-0"
}

/// Text that may stand inside an element or attribute; characters that XML forbids become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_always_valid() {
        assert_eq!(num(1.0), "1");
        assert_eq!(num(-0.001), "0");
        assert_eq!(num(2.345678), "2.35");
        assert_eq!(num(f64::NAN), "0");
        assert_eq!(num(f64::INFINITY), "0");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a<b & \"c\" > 'd'\0\n"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;\u{fffd} ");
    }

    #[test]
    fn empty_text_draws_nothing() {
        let mut canvas = Canvas::default();
        canvas.text((0.0, 0.0), TextStyle::LABEL, "");
        assert!(canvas.body.is_empty());
    }
}
