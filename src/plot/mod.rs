//! Pictures: sparsity patterns, kernels, images side by side, convergence curves, and pages made of them.
//!
//! Every picture is a [`Figure`]: SVG text that a browser or a typesetting program shows as it is, and that
//! [`Figure::to_png`] turns into pixels with the embedded font, so that it looks the same on every machine. Nothing here
//! knows about convolution or writes files: plain numbers come in, text or bytes go out.
//!
//! | Picture | Type |
//! |---|---|
//! | where the non-zeros of a matrix are | [`Spy`] |
//! | a 1-D kernel as stems, a 2-D kernel as a heat map | [`Stem`], [`HeatMap`] |
//! | images beside each other with captions | [`Images`] |
//! | residuals against iterations, L-curves | [`Lines`] |
//! | headings, paragraphs, tables and figures below each other | [`Page`] |
//!
//! Colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart; where colours carry meaning,
//! lightness, dashes, marker shapes or printed numbers carry it too.
//!
//! # Examples
//! ```
//! use convmtx::plot::{Figure, Lines, Stem};
//! let kernel = Stem::new(&[1.0, 4.0, 6.0, 4.0, 1.0]).title("kernel").draw();
//! let curve = Lines::new().sequence("residual norm", &[1.0, 0.3, 0.1]).draw();
//! let both = Figure::row(&[kernel, curve]);
//! assert!(both.to_svg().starts_with("<svg "));
//! assert_eq!(&both.to_png(1.0)?[1..4], b"PNG");
//! # Ok::<(), convmtx::Error>(())
//! ```

mod axis;
mod canvas;
mod chart;
mod colour;
mod figure;
mod font;
mod heat;
mod images;
mod lines;
mod page;
mod raster;
mod spy;
mod stem;

pub use axis::Scale;
pub use colour::ColourMap;
pub use figure::Figure;
pub use heat::HeatMap;
pub use images::{Image, Images, Rendering};
pub use lines::Lines;
pub use page::Page;
pub use spy::{Shading, Spy, SpyPanel};
pub use stem::Stem;
