//! What every picture promises: valid SVG, PNGs of the announced size, and no input that breaks it.

use convmtx::plot::{
    ColourMap, Figure, HeatMap, Image, Images, Lines, Page, Scale, Shading, Spy, SpyPanel, Stem,
};
use convmtx::{Error, Result};
use ndarray::{Array2, Array3, s};
use num_complex::Complex;
use resvg::usvg;

const NASTY: &str = "<&>\"' ]]> \0 \u{7} \u{ffff} 漢字 ‖b − A x‖² ≤ σᴴ";

/// The figure, after its SVG was parsed and its PNG decoded to the size that the figure announces.
fn examined(figure: Figure) -> Result<Figure> {
    let tree = usvg::Tree::from_str(&figure.to_svg(), &usvg::Options::default()).expect("well-formed SVG");
    assert_eq!(
        (f64::from(tree.size().width()), f64::from(tree.size().height())),
        (figure.width(), figure.height())
    );
    for scale in [0.5_f32, 1.0] {
        let png = image::load_from_memory(&figure.to_png(scale)?).expect("a PNG file");
        let pixels = |side: f64| (side * f64::from(scale)).ceil();
        assert_eq!(f64::from(png.width()), pixels(figure.width()));
        assert_eq!(f64::from(png.height()), pixels(figure.height()));
    }
    Ok(figure)
}

/// The non-zeros of the convolution matrix of five taps: rows `offset..offset + m` of the full one.
fn banded(offset: usize, m: usize, n: usize) -> impl Iterator<Item = (usize, usize, f64)> {
    const TAPS: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    (0..m).flat_map(move |i| {
        let entry = move |t: usize| Some((i, (i + offset).checked_sub(t).filter(|&j| j < n)?, TAPS[t]));
        (0..5).filter_map(entry)
    })
}

#[test]
fn a_small_pattern_has_one_square_per_entry() -> Result<()> {
    for (offset, m, nnz) in [(0, 54, 250), (2, 50, 244), (4, 46, 230)] {
        let panel = SpyPanel::new("", (m, 50), banded(offset, m, 50)).boundary_rows(|i| i < 2);
        let figure = examined(Spy::new().panel(panel).draw()?)?;
        assert_eq!(figure.body().matches("class=\"nz\"").count(), nnz);
        assert!(figure.body().contains(&format!("nz = {nnz}")));
    }
    Ok(())
}

#[test]
fn boundary_rows_have_the_second_colour() -> Result<()> {
    let panel = SpyPanel::new("", (54, 50), banded(0, 54, 50)).boundary_rows(|i| i == 0);
    let body = Spy::new().panel(panel).draw()?.body().to_owned();
    assert_eq!(body.lines().filter(|l| l.contains("class=\"nz\"") && l.contains("#E69F00")).count(), 1);
    Ok(())
}

#[test]
fn a_huge_pattern_stays_a_small_file() -> Result<()> {
    let n = 512 * 512;
    for shading in [Shading::Pattern, Shading::Magnitude] {
        let panel = SpyPanel::new("512² × 512²", (n, n), banded(2, n, n)).boundary_rows(|i| i < n / 4);
        let figure = examined(Spy::new().panel(panel).shading(shading).draw()?)?;
        assert!(figure.to_svg().len() < 200_000);
    }
    let last = usize::MAX - 1;
    examined(Spy::new().panel(SpyPanel::new("", (usize::MAX, 1), [(last, 0, f64::NAN)])).draw()?)?;
    Ok(())
}

#[test]
fn patterns_of_any_shape() -> Result<()> {
    for shape in [(0, 0), (0, 7), (7, 0), (1, 1), (1, 5000), (5000, 1), (3, 401)] {
        let diagonal = (0..shape.0.min(shape.1)).map(|i| (i, i, f64::INFINITY));
        examined(
            Spy::new().panel(SpyPanel::new(NASTY, shape, diagonal)).shading(Shading::Magnitude).draw()?,
        )?;
    }
    Ok(())
}

#[test]
fn text_is_escaped_everywhere() -> Result<()> {
    let pixels = Array2::<f32>::zeros((3, 3));
    let spy = SpyPanel::new(NASTY, (2, 2), [(0, 0, 1.0)]).boundary_rows(|_| true);
    let lines = Lines::new().title(NASTY).x_axis(NASTY, Scale::Log).y_axis(NASTY, Scale::Log);
    let figures = [
        Spy::new().panel(spy).boundary_label(NASTY).draw()?,
        lines.series(NASTY, [(1.0, 1.0), (2.0, 3.0)]).marker(1.5, NASTY).note(2.0, 3.0, NASTY).draw(),
        Stem::new(&[1.0]).title(NASTY).axes(NASTY, NASTY).draw(),
        HeatMap::new(pixels.view()).title(NASTY).draw()?,
        Images::new().title(NASTY).image(Image::grey(pixels.view()).caption(NASTY)).draw()?,
        Page::new().heading(NASTY).paragraph(NASTY).table([[NASTY], [NASTY]]).draw(),
    ];
    figures.into_iter().try_for_each(|figure| examined(figure).map(drop))
}

#[test]
fn line_charts_of_any_numbers() -> Result<()> {
    let sets: [&[f64]; 10] = [
        &[],
        &[3.0],
        &[f64::NAN],
        &[f64::INFINITY, 1.0, f64::NEG_INFINITY],
        &[0.0, -1.0, -2.0],
        &[7.0, 7.0, 7.0],
        &[1e-320, 1e308, -1e308],
        &[1e17, 1e17 + 16.0],
        &[1e-300, 1e300],
        &[1.0, f64::NAN, 2.0, 0.0, 4.0],
    ];
    for values in sets {
        for scales in [(Scale::Linear, Scale::Linear), (Scale::Log, Scale::Log), (Scale::Linear, Scale::Log)]
        {
            let points = values.iter().map(|&v| (v, v));
            let chart = Lines::new().x_axis("x", scales.0).y_axis("y", scales.1).series("a", points);
            examined(chart.sequence("b", values).marker(f64::NAN, "m").note(0.0, -1.0, "n").draw())?;
        }
    }
    Ok(())
}

#[test]
fn a_chart_without_points_says_so() {
    for values in [&[][..], &[f64::NAN], &[0.0, -1.0]] {
        let chart = Lines::new().y_axis("y", Scale::Log).sequence("nothing", values).draw();
        assert!(chart.body().contains("no data"), "{values:?}");
    }
    assert!(!Lines::new().sequence("something", &[0.0, -1.0]).draw().body().contains("no data"));
}

#[test]
fn kernels_of_any_numbers() -> Result<()> {
    examined(Stem::new(&[f32::NAN, f32::INFINITY]).draw())?;
    examined(
        Stem::new(&[Complex::new(1.0, -2.0), Complex::new(f64::MAX, 1.0)]).first_index(i64::MIN).draw(),
    )?;
    examined(Stem::new(&vec![1.0; 10_000]).size(f64::NAN, 0.0).draw())?;
    for shape in [(1, 1), (1, 900), (900, 1), (5, 5), (31, 33)] {
        for value in [0.0, -1.0, 1e-300, 1e308, f64::NAN] {
            let mut values = Array2::from_elem(shape, value);
            values[(0, 0)] = 1.0;
            for colours in [ColourMap::Viridis, ColourMap::Diverging, ColourMap::Grey] {
                examined(HeatMap::new(values.view()).colours(colours).draw()?)?;
            }
        }
    }
    Ok(())
}

#[test]
fn images_of_any_shape_and_layout() -> Result<()> {
    let colour = Array3::from_shape_fn((40, 30, 3), |(r, c, k)| (r * c * (k + 1)) as f64 / 3600.0);
    let turned = colour.slice(s![..;-1, .., ..]).reversed_axes();
    assert!(matches!(Image::rgb(turned.view()), Err(Error::Shape { .. })));
    let figure = Images::new()
        .image(Image::rgb(colour.view())?.caption("plain"))
        .image(Image::rgb(colour.slice(s![..;-1, ..;2, ..]))?.caption("strided"))
        .image(Image::grey(Array2::from_elem((1, 3000), f32::NAN).view()))
        .columns(2)
        .draw()?;
    assert_eq!(examined(figure)?.body().matches("<image").count(), 3);
    let (a, b) = (Array2::<f64>::zeros((2, 2)), Array2::<f64>::zeros((2, 3)));
    assert!(matches!(Image::planes([a.view(), a.view(), b.view()]), Err(Error::Shape { .. })));
    assert!(matches!(Images::new().draw(), Err(Error::Empty { .. })));
    Ok(())
}

#[test]
fn embedded_images_keep_their_pixels() -> Result<()> {
    let checks = Array2::from_shape_fn((4, 4), |(r, c)| ((r + c) % 2) as f64);
    let figure = Images::new().image(Image::grey(checks.view())).draw()?;
    let png = image::load_from_memory(&figure.to_png(1.0)?).expect("a PNG file").to_luma8();
    // 280 units, 70 per pixel; the image is centred at the top of the figure.
    let left = (png.width() - 280) / 2;
    for (r, c) in [(0_u32, 0_u32), (0, 1), (3, 2), (2, 2)] {
        let seen = png.get_pixel(left + 70 * c + 35, 18 + 70 * r + 35).0[0];
        assert_eq!(seen, if (r + c) % 2 == 1 { 255 } else { 0 }, "{r} {c}");
    }
    Ok(())
}

#[test]
fn pages_hold_everything() -> Result<()> {
    let stem = Stem::new(&[1.0, 2.0, 1.0]).draw();
    let page = Page::new()
        .heading("Report")
        .paragraph("Words. ".repeat(80))
        .table([["quantity", "value"], ["λ", "0.01"]])
        .figure(Figure::row(&[stem.clone(), Figure::column(&[stem.clone(), stem])]))
        .draw();
    assert_eq!(examined(page)?.body().matches("<circle").count(), 9);
    Ok(())
}
