//! Line charts: convergence histories, L-curves, any numbers against any others.

use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, TextStyle, num};
use super::chart::{Chart, Labels};
use super::{Figure, colour};
use crate::Real;
use std::fmt::Write;

/// Above this many points a series is thinned to the extremes of short stretches, which look the same.
const MAX_POINTS: usize = 4000;
/// Up to this many points each gets a marker.
const MAX_MARKERS: usize = 30;
/// The length of the sample of a line in the legend, the space after its name, the height of a legend row.
const SAMPLE: (f64, f64, f64) = (28.0, 18.0, 18.0);

#[derive(Debug, Clone)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

/// A chart of one or more named series.
///
/// Points with NaN or infinite coordinates, and points that are not positive on a logarithmic axis, are left out and
/// leave a gap in the line. Series differ in colour, in dashes and, when they have few points, in the markers' shape.
///
/// # Examples
/// ```
/// use convmtx::plot::{Lines, Scale};
/// let residuals = [1.0, 0.4, 0.2, 0.15, 0.14];
/// let figure = Lines::new()
///     .title("Convergence")
///     .x_axis("iteration", Scale::Linear)
///     .y_axis("‖b − A x‖", Scale::Log)
///     .sequence("CGLS", &residuals)
///     .series("bound", (1..5).map(|k| (f64::from(k), 1.0 / f64::from(k))))
///     .marker(3.0, "stopped here")
///     .size(480.0, 320.0)
///     .draw();
/// assert!(figure.to_svg().contains("stopped here"));
/// ```
#[derive(Debug, Clone)]
pub struct Lines {
    labels: Labels,
    scales: (Scale, Scale),
    series: Vec<Series>,
    markers: Vec<(f64, String)>,
    notes: Vec<(f64, f64, String)>,
    size: (f64, f64),
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Lines {
    /// A chart without series, 480 by 320 units, axes linear and unnamed.
    pub fn new() -> Self {
        Self {
            labels: Labels::default(),
            scales: (Scale::Linear, Scale::Linear),
            series: Vec::new(),
            markers: Vec::new(),
            notes: Vec::new(),
            size: (480.0, 320.0),
        }
    }

    /// The words above the chart.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.labels.title = title.into();
        self
    }

    /// The name and the scale of the horizontal axis.
    pub fn x_axis(mut self, label: impl Into<String>, scale: Scale) -> Self {
        self.labels.x = label.into();
        self.scales.0 = scale;
        self
    }

    /// The name and the scale of the vertical axis.
    pub fn y_axis(mut self, label: impl Into<String>, scale: Scale) -> Self {
        self.labels.y = label.into();
        self.scales.1 = scale;
        self
    }

    /// Adds a line through the points `(x, y)`, in their order; an empty name stays out of the legend.
    pub fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series.push(Series { name: name.into(), points: points.into_iter().collect() });
        self
    }

    /// Adds a line through `(i, values[i])`, such as the residual norm before and after each iteration.
    pub fn sequence<T: Real>(self, name: impl Into<String>, values: &[T]) -> Self {
        let points = values.iter().enumerate().map(|(i, v)| (i as f64, v.as_f64())); // exact below 2⁵³
        self.series(name, points)
    }

    /// Adds a vertical line at `x` with a word beside it, such as "stopped here".
    pub fn marker(mut self, x: f64, label: impl Into<String>) -> Self {
        self.markers.push((x, label.into()));
        self
    }

    /// Adds a ring around the point `(x, y)` with a word beside it, such as the λ at the corner of an L-curve.
    pub fn note(mut self, x: f64, y: f64, label: impl Into<String>) -> Self {
        self.notes.push((x, y, label.into()));
        self
    }

    /// The size of the whole figure in units, between 160 and 4000; larger where the words need it.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        let side = |wanted: f64, default: f64| {
            if wanted.is_finite() { wanted.clamp(160.0, 4000.0) } else { default }
        };
        self.size = (side(width, 480.0), side(height, 320.0));
        self
    }

    /// Draws the chart; without any point to show it says "no data" between empty axes.
    pub fn draw(&self) -> Figure {
        let (x_scale, y_scale) = self.scales;
        let shown = |&(x, y): &(f64, f64)| x_scale.shows(x) && y_scale.shows(y);
        let notes = self.notes.iter().map(|&(x, y, _)| (x, y));
        let points: Vec<(f64, f64)> =
            self.series.iter().flat_map(|s| s.points.iter().copied()).chain(notes).filter(shown).collect();
        let markers = self.markers.iter().map(|m| m.0);
        let wanted = |units: f64, each: f64| (units / each).clamp(2.0, 20.0) as usize; // 2 to 20
        let wanted_x = wanted(self.size.0, 75.0);
        let x = Axis::fit(x_scale, points.iter().map(|p| p.0).chain(markers), wanted_x);
        // Iterations are counted: no ticks between them.
        let x = if points.iter().all(|p| p.0.fract() == 0.0) { x.with_whole_ticks(wanted_x) } else { x };
        let y = Axis::fit(y_scale, points.iter().map(|p| p.1), wanted(self.size.1, 55.0));

        let mut legend = Vec::new();
        let chart = Chart::new((x, y), &self.labels, self.size, |width| {
            legend = self.legend(width);
            legend.last().map_or(0.0, |entry| entry.2 + SAMPLE.2 + 4.0)
        });
        let mut canvas = Canvas::default();
        chart.draw(&mut canvas, &self.labels);
        let top = chart.plot.y - legend.last().map_or(0.0, |entry| entry.2 + SAMPLE.2 + 4.0);
        for (i, x, y, name) in legend.iter().map(|(i, x, y, name)| (*i, chart.plot.x + x, top + y, name)) {
            line(&mut canvas, i, &format!("M{} {}h{}", num(x), num(y + 8.0), num(SAMPLE.0)));
            if self.marked(i) {
                mark(&mut canvas, i, (x + SAMPLE.0 / 2.0, y + 8.0));
            }
            canvas.text((x + SAMPLE.0 + 6.0, y + 12.0), TextStyle::LABEL, name);
        }
        for x in self.markers.iter().filter_map(|(x, _)| chart.x(*x)) {
            let dashes = format!(r#"stroke="{}" stroke-width="1.2" stroke-dasharray="3 3""#, colour::INK);
            canvas.line((x, chart.plot.y), (x, chart.plot.bottom()), &dashes);
        }
        for (i, series) in self.series.iter().enumerate() {
            self.draw_series(&mut canvas, &chart, i, series);
        }
        self.draw_words(&mut canvas, &chart);
        if points.is_empty() {
            let style = TextStyle::LABEL.anchored(Anchor::Middle).coloured(colour::SOFT);
            canvas.text(chart.plot.centre(), style, "no data");
        }
        let (width, height) = chart.size();
        canvas.into_figure(width, height)
    }

    fn marked(&self, series: usize) -> bool {
        self.series.get(series).is_some_and(|s| s.points.len() <= MAX_MARKERS)
    }

    /// Series number, offset from the plot's left edge, offset of the row, and name, for each entry of the legend.
    fn legend(&self, width: f64) -> Vec<(usize, f64, f64, String)> {
        let (mut x, mut y, mut entries) = (0.0, 0.0, Vec::new());
        for (i, series) in self.series.iter().enumerate().filter(|(_, s)| !s.name.is_empty()) {
            let name = TextStyle::LABEL.fit(&series.name, width - SAMPLE.0 - 6.0);
            let needed = SAMPLE.0 + 6.0 + TextStyle::LABEL.width(&name);
            if x > 0.0 && x + needed > width {
                (x, y) = (0.0, y + SAMPLE.2);
            }
            entries.push((i, x, y, name));
            x += needed + SAMPLE.1;
        }
        entries
    }

    fn draw_series(&self, canvas: &mut Canvas, chart: &Chart, i: usize, series: &Series) {
        let places: Vec<Option<(f64, f64)>> = thinned(&series.points).map(|p| chart.point(p)).collect();
        let mut d = String::new();
        let mut alone = Vec::new();
        for run in places.split(|p| p.is_none()) {
            if let [Some(point)] = run {
                alone.push(*point);
            } else {
                for (k, (x, y)) in run.iter().flatten().enumerate() {
                    let _ = write!(d, "{}{} {}", if k == 0 { 'M' } else { 'L' }, num(*x), num(*y)); // to a string
                }
            }
        }
        if !d.is_empty() {
            line(canvas, i, &d);
        }
        if self.marked(i) {
            places.into_iter().flatten().for_each(|p| mark(canvas, i, p));
        } else {
            alone.into_iter().for_each(|p| mark(canvas, i, p));
        }
    }

    /// The words at vertical markers and at noted points, on the side where there is more room.
    fn draw_words(&self, canvas: &mut Canvas, chart: &Chart) {
        let middle = chart.plot.centre().0;
        let mut beside = |(x, y): (f64, f64), away: f64, label: &str| {
            let (anchor, away) = if x > middle { (Anchor::End, -away) } else { (Anchor::Start, away) };
            let style = TextStyle::LABEL.anchored(anchor);
            let label = style.fit(label, chart.plot.width);
            canvas.text_rimmed((x + away, y), style, &label);
        };
        for (row, (x, label)) in self.markers.iter().enumerate() {
            let y = chart.plot.y + 16.0 + 15.0 * (row % 8) as f64; // below 8
            if let Some(x) = chart.x(*x) {
                beside((x, y), 6.0, label);
            }
        }
        for (x, y, label) in &self.notes {
            if let Some((x, y)) = chart.point((*x, *y)) {
                let y = if y - chart.plot.y < 26.0 { y + 22.0 } else { y - 13.0 };
                beside((x, y), 9.0, label);
            }
        }
        for place in self.notes.iter().filter_map(|&(x, y, _)| chart.point((x, y))) {
            canvas.circle(place, 6.0, &format!(r#"fill="none" stroke="{}" stroke-width="1.5""#, colour::INK));
        }
    }
}

/// The line of series `i` along the path `d`.
fn line(canvas: &mut Canvas, i: usize, d: &str) {
    let (stroke, dashes) = colour::series(i);
    let dashes = if dashes.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dashes}""#) };
    canvas.path(
        d,
        &format!(r#"fill="none" stroke="{stroke}" stroke-width="1.8" stroke-linejoin="round"{dashes}"#),
    );
}

/// The marker of series `i`: disc, square, triangle, diamond, in turn.
fn mark(canvas: &mut Canvas, i: usize, (x, y): (f64, f64)) {
    let fill = format!(r#"fill="{}""#, colour::series(i).0);
    let at = format!("M{} {}", num(x), num(y));
    match i % 4 {
        0 => canvas.circle((x, y), 3.0, &fill),
        1 => canvas.path(&format!("{at}m-2.7-2.7h5.4v5.4h-5.4z"), &fill),
        2 => canvas.path(&format!("{at}m0-3.6l3.4 5.9h-6.8z"), &fill),
        _ => canvas.path(&format!("{at}m0-4l3.4 4l-3.4 4l-3.4-4z"), &fill),
    }
}

/// The points, or of very many the first, lowest, highest and last of each stretch.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let stretch = points.len().div_ceil(MAX_POINTS / 4).max(4);
    points.chunks(if points.len() > MAX_POINTS { stretch } else { points.len().max(1) }).flat_map(
        move |chunk| {
            if points.len() <= MAX_POINTS {
                return chunk.to_vec();
            }
            let finite = || chunk.iter().enumerate().filter(|(_, p)| p.1.is_finite());
            let low = finite().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(i, _)| i);
            let high = finite().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(i, _)| i);
            let mut kept = vec![0, low.unwrap_or(0), high.unwrap_or(0), chunk.len() - 1];
            kept.sort_unstable();
            kept.dedup();
            kept.into_iter().map(|i| chunk[i]).collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_series_keep_their_extremes_and_become_short() {
        let points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), f64::from(i % 977))).collect();
        let kept: Vec<_> = thinned(&points).collect();
        assert!(
            kept.len() <= MAX_POINTS && kept.iter().any(|p| p.1 == 976.0) && kept.iter().any(|p| p.1 == 0.0)
        );
        assert_eq!(thinned(&points[..10]).count(), 10);
        assert_eq!(thinned(&[]).count(), 0);
    }

    #[test]
    fn gaps_split_the_line_and_lone_points_are_marked() {
        let values: Vec<f64> = (0..60).map(|i| if i % 20 == 10 { f64::NAN } else { f64::from(i) }).collect();
        let figure = Lines::new().sequence("", &values).draw();
        let path = figure.body().lines().find(|l| l.contains("stroke-linejoin")).unwrap_or_default();
        assert_eq!(path.matches('M').count(), 4);
    }

    #[test]
    fn legends_wrap_within_the_plot() {
        let chart = (0..9).fold(Lines::new(), |c, i| c.sequence(format!("series number {i}"), &[1.0]));
        let legend = chart.legend(300.0);
        assert_eq!(legend.len(), 9);
        assert!(legend.iter().all(|e| e.1 + SAMPLE.0 + 6.0 + TextStyle::LABEL.width(&e.3) <= 300.0));
        assert!(legend.iter().any(|e| e.2 > 0.0));
    }
}
