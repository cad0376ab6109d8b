//! What a command leaves behind: text on stdout, tables, files.

use crate::cli::failure::{Failure, Result};
use crate::cli::overflow::refusal;
use crate::io::{Depth, IMAGE_EXTENSIONS, Image, write_atomically};
use crate::plot::Figure;
use std::io::{self, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

/// Pixels per unit in PNG figures: sharp on screens with small pixels.
const FIGURE_SCALE: f32 = 2.0;

/// Writes `text` and a line break to stdout; a reader that has left (`| head`) is not an error.
pub fn print(text: impl AsRef<str>) -> Result<()> {
    let mut out = stdout().lock();
    let written = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}

/// Rows as text with aligned columns: the first flush left, the others flush right, a rule below the header.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines: Vec<String> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(c, (cell, &w))| if c == 0 { format!("{cell:<w$}") } else { format!("{cell:>w$}") })
            .collect();
        lines.push(line.join("  ").trim_end().to_owned());
        if i == 0 {
            lines.push("-".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1)));
        }
    }
    lines.join("\n")
}

/// The extension of a path in lower case.
pub fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Refuses, before any work, a file that could not be written afterwards.
///
/// Creates and removes the temporary that writing would use; the target itself is not touched.
pub fn check_writable(path: &Path) -> Result<()> {
    const PROBE: &str = "only asking";
    if path.is_dir() {
        return Err(Failure::failed(format!("{}: this is a folder, expected a file name", path.display())));
    }
    if path.exists() && !path.is_file() {
        return Ok(()); // a pipe or a terminal: asking would disturb it
    }
    match write_atomically(path, |_| Err(io::Error::other(PROBE))) {
        Err(crate::Error::Io { source, .. }) if source.to_string() != PROBE => {
            Err(Failure::failed(format!("{}: cannot be written: {source}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Refuses, before any work, a picture file of an unknown or unsuitable format.
pub fn check_picture(path: &Path, image: &Image) -> Result<()> {
    let extension = extension(path);
    if !IMAGE_EXTENSIONS.contains(&extension.as_str()) {
        let known = IMAGE_EXTENSIONS.join(", ");
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path}: the extension is '{extension}', expected one of {known}"
        )));
    }
    if image.alpha.is_some() && matches!(extension.as_str(), "jpg" | "jpeg" | "pgm" | "ppm") {
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path}: the picture has alpha, which {extension} cannot hold; write png, tiff, pam or npy"
        )));
    }
    let colour = image.planes.len() > 1;
    if (colour && extension == "pgm") || (!colour && extension == "ppm") {
        let (path, kind) = (path.display(), if colour { "colour" } else { "grey" });
        return Err(Failure::usage(format!(
            "{path}: the picture is {kind}, which {extension} cannot hold; write png, tiff, pnm or npy"
        )));
    }
    check_writable(path)
}

/// Refuses, before any work, two names for one file: the second would destroy the first.
pub fn check_distinct(output: (&str, &Path), others: &[(&str, Option<&Path>)]) -> Result<()> {
    let whole = |path: &Path| -> PathBuf {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
        let named = folder.join(path.file_name().unwrap_or_default());
        named.canonicalize().unwrap_or(named)
    };
    for (what, other) in others {
        if other.is_some_and(|other| whole(other) == whole(output.1)) {
            let path = output.1.display();
            return Err(Failure::usage(format!(
                "{path}: {} and {what} are the same file; give another name",
                output.0
            )));
        }
    }
    Ok(())
}

/// Refuses, before any work, a figure file that is neither SVG nor PNG.
pub fn check_figure(path: &Path) -> Result<()> {
    match extension(path).as_str() {
        "svg" | "png" => check_writable(path),
        other => {
            let path = path.display();
            Err(Failure::usage(format!("{path}: the extension is '{other}', expected svg or png")))
        }
    }
}

/// Writes a figure as SVG or PNG, by its extension.
pub fn write_figure(path: &Path, figure: &Figure) -> Result<()> {
    let bytes = match extension(path).as_str() {
        "svg" => figure.to_svg().into_bytes(),
        _ => {
            let longest = figure.width().max(figure.height());
            let largest = (20_000.0 / longest) as f32; // the limit of PNG figures; rounding is immaterial
            figure.to_png(FIGURE_SCALE.min(0.99 * largest))?
        }
    };
    Ok(write_atomically(path, |file| file.write_all(&bytes))?)
}

/// Writes a picture in the format of the extension. Its pixels must be finite, also in the type that the file has.
pub fn write_picture(path: &Path, image: &Image) -> Result<()> {
    let single = image.depth == Depth::F32 && matches!(extension(path).as_str(), "npy" | "tif" | "tiff");
    let holds = |v: f64| if single { (v as f32).is_finite() } else { v.is_finite() };
    for (channel, plane) in image.planes.iter().enumerate() {
        if let Some(((row, column), value)) = plane.indexed_iter().find(|&(_, &v)| !holds(v)) {
            let place = format!("channel {channel}, row {row}, column {column}");
            let refusal = if single { refusal::<f32> } else { refusal::<f64> };
            return Err(refusal("the picture", value, &place));
        }
    }
    Ok(crate::io::write_image(path, image)?)
}

/// A number of bytes as people read it.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = n as f64; // rounding is immaterial
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A positive number with four digits or so.
pub fn number(value: f64) -> String {
    if (1e-2..1e5).contains(&value) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

/// Lengths with × between: `512 × 512`.
pub fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let rows = [["what", "n"], ["long words", "7"], ["µ", "1000"]];
        let text = table(&rows.map(|r| r.map(str::to_owned).to_vec()));
        assert_eq!(text, "what           n\n----------------\nlong words     7\nµ           1000");
    }

    #[test]
    fn sizes_in_words() {
        assert_eq!([bytes(999), bytes(2_500_000)], ["999 bytes", "2.5 MB"]);
        assert_eq!(sizes(&[3, 4]), "3 × 4");
        assert_eq!([number(0.79321), number(2e-7)], ["0.7932", "2.000e-7"]);
    }
}
