//! Pages: headings, paragraphs, tables and figures below each other, for reports.

use super::canvas::{Anchor, Canvas, TextStyle};
use super::font::Weight;
use super::{Figure, colour};

/// White space around everything.
const MARGIN: f64 = 24.0;
/// The width of text on a page without wider figures.
const MEASURE: f64 = 560.0;
/// The widest line of text, however wide the figures: about 110 characters.
const WIDEST: f64 = 720.0;
/// The widest cell of a table before its text is wrapped.
const CELL: f64 = 260.0;
/// Baseline to baseline in paragraphs and tables.
const LINE: f64 = 18.0;
/// Space between blocks, and between the columns of a table.
const SPACE: f64 = 16.0;

const HEADING: TextStyle = TextStyle::new(20.0, Weight::Bold, colour::INK);
const HEADER: TextStyle = TextStyle::new(12.0, Weight::Bold, colour::INK);

#[derive(Debug, Clone)]
enum Block {
    Heading(String),
    Paragraph(String),
    Table(Vec<Vec<String>>),
    Figure(Figure),
}

/// Blocks below each other, drawn into one figure as wide as its widest block.
///
/// # Examples
/// ```
/// use convmtx::plot::{Lines, Page};
/// let report = Page::new()
///     .heading("Deblurring report")
///     .paragraph("The image was restored with CGLS, stopped by the discrepancy principle.")
///     .table([["method", "iterations", "PSNR"], ["CGLS", "17", "28.93 dB"]])
///     .figure(Lines::new().sequence("residual norm", &[1.0, 0.3, 0.1]).draw())
///     .draw();
/// assert!(report.to_svg().contains("Deblurring report"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Page {
    blocks: Vec<Block>,
}

impl Page {
    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a large bold line, wrapped where it is long.
    pub fn heading(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Heading(text.into()));
        self
    }

    /// Adds text, wrapped to the width of the page; line breaks are kept.
    pub fn paragraph(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Paragraph(text.into()));
        self
    }

    /// Adds a table; the first row is its header. Columns of numbers are set flush right.
    pub fn table<R, C>(mut self, rows: impl IntoIterator<Item = R>) -> Self
    where
        R: IntoIterator<Item = C>,
        C: Into<String>,
    {
        let rows = rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
        self.blocks.push(Block::Table(rows));
        self
    }

    /// Adds a figure, centred.
    pub fn figure(mut self, figure: Figure) -> Self {
        self.blocks.push(Block::Figure(figure));
        self
    }

    /// Draws the page.
    pub fn draw(&self) -> Figure {
        let tables: Vec<Table> = self
            .blocks
            .iter()
            .filter_map(|b| if let Block::Table(rows) = b { Some(Table::new(rows)) } else { None })
            .collect();
        let figures =
            self.blocks.iter().filter_map(|b| if let Block::Figure(f) = b { Some(f.width()) } else { None });
        let width = figures.chain(tables.iter().map(Table::width)).fold(MEASURE, f64::max);
        let measure = width.min(WIDEST);
        let mut tables = tables.into_iter();

        let mut canvas = Canvas::default();
        let mut y = MARGIN;
        for block in &self.blocks {
            match block {
                Block::Heading(text) => {
                    for line in HEADING.wrap(text, width) {
                        canvas.text((MARGIN, y + 20.0), HEADING, &line);
                        y += 28.0;
                    }
                    y -= 6.0;
                }
                Block::Paragraph(text) => {
                    for line in TextStyle::LABEL.wrap(text, measure) {
                        canvas.text((MARGIN, y + 13.0), TextStyle::LABEL, &line);
                        y += LINE;
                    }
                }
                Block::Table(_) => {
                    y += tables.next().map_or(0.0, |table| table.draw(&mut canvas, (MARGIN, y)))
                }
                Block::Figure(figure) => {
                    canvas.figure((MARGIN + ((width - figure.width()) / 2.0).floor(), y), figure);
                    y += figure.height();
                }
            }
            y += SPACE;
        }
        canvas.into_figure(width + 2.0 * MARGIN, y - SPACE + MARGIN)
    }
}

/// A table with wrapped cells and measured columns.
struct Table {
    rows: Vec<Vec<Vec<String>>>,
    widths: Vec<f64>,
    right: Vec<bool>,
}

impl Table {
    fn new(rows: &[Vec<String>]) -> Self {
        let columns = rows.iter().map(Vec::len).fold(0, usize::max);
        let wrapped = rows
            .iter()
            .enumerate()
            .map(|(i, row)| row.iter().map(|cell| style(i).wrap(cell, CELL)).collect());
        let wrapped: Vec<Vec<Vec<String>>> = wrapped.collect();
        let widths = (0..columns).map(|c| {
            let lines = wrapped
                .iter()
                .enumerate()
                .flat_map(|(i, row)| row.get(c).into_iter().flatten().map(move |line| style(i).width(line)));
            lines.fold(0.0, f64::max)
        });
        let right = (0..columns).map(|c| {
            let mut cells =
                rows.iter().skip(1).filter_map(|row| row.get(c)).filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some() && cells.all(|cell| is_number(cell))
        });
        Self { widths: widths.collect(), right: right.collect(), rows: wrapped }
    }

    fn width(&self) -> f64 {
        self.widths.iter().map(|w| w + 2.0 * SPACE).sum::<f64>() - SPACE
    }

    /// Draws the table and returns its height: rules above, below and under the header, none between columns.
    fn draw(&self, canvas: &mut Canvas, (x, top): (f64, f64)) -> f64 {
        if self.widths.is_empty() {
            return 0.0;
        }
        let rule = |canvas: &mut Canvas, y: f64, width: f64| {
            let stroke = format!(r#"stroke="{}" stroke-width="{width}""#, colour::INK);
            canvas.line((x, y), (x + self.width(), y), &stroke);
        };
        rule(canvas, top, 1.4);
        let mut y = top + 5.0;
        for (i, row) in self.rows.iter().enumerate() {
            let mut left = x + SPACE / 2.0;
            for ((cell, width), right) in row.iter().zip(&self.widths).zip(&self.right) {
                for (k, line) in cell.iter().enumerate() {
                    let baseline = y + 13.0 + LINE * k as f64; // few lines
                    let style = style(i);
                    match right {
                        true => canvas.text((left + width, baseline), style.anchored(Anchor::End), line),
                        false => canvas.text((left, baseline), style, line),
                    }
                }
                left += width + 2.0 * SPACE;
            }
            y += LINE * row.iter().map(Vec::len).fold(1, usize::max) as f64; // few lines
            if i == 0 && self.rows.len() > 1 {
                y += 3.0;
                rule(canvas, y, 0.7);
                y += 3.0;
            }
        }
        rule(canvas, y + 5.0, 1.4);
        y + 5.0 - top
    }
}

/// How row `i` of a table is set.
fn style(i: usize) -> TextStyle {
    if i == 0 { HEADER } else { TextStyle::LABEL }
}

/// Whether a cell reads like a number, perhaps with a unit: it begins with a digit, a sign and a digit, or "–".
fn is_number(cell: &str) -> bool {
    let unsigned = cell.trim().trim_start_matches(['-', '+', '−', '.', '≈', '<']).trim_start();
    unsigned.starts_with(|c: char| c.is_ascii_digit())
        || matches!(cell.trim(), "–" | "—" | "-" | "NaN" | "inf" | "∞")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_numbers_are_flush_right() {
        let rows = [["method", "PSNR"], ["CGLS", "28.93 dB"], ["none", "–"]];
        let table = Table::new(&rows.map(|r| r.map(str::to_owned).to_vec()));
        assert_eq!(table.right, [false, true]);
    }

    #[test]
    fn ragged_and_empty_tables_are_drawn() {
        let ragged = [vec!["a"], vec!["1", "2", "3"], vec![]];
        let page = Page::new().table(ragged).table(Vec::<Vec<String>>::new()).draw();
        assert_eq!(page.body().matches("<text").count(), 4);
        assert!(Page::new().draw().width() > 100.0);
    }

    #[test]
    fn long_words_and_cells_stay_on_the_page() {
        let long = "x".repeat(2000);
        let page = Page::new().heading(&long).paragraph(&long).table([[long.as_str()]]).draw();
        assert_eq!(page.width(), MEASURE + 2.0 * MARGIN);
    }
}
