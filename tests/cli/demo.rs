//! The demonstration: it checks itself, so here only that it ran, and that its pictures are what it says.

use crate::Place;
use convmtx::io::{Depth, read_image};
use convmtx::metrics::psnr;

#[test]
fn the_demo_passes_its_own_checks_and_its_command_can_be_typed() {
    let place = Place::new();
    let out = place.succeed(&["demo", "--out", "deep/down"]);
    for words in ["54 × 50", "50 × 50", "46 × 50", "250", "244", "230", "PSNR", "SSIM", "sprs", "wrote in"]
    {
        assert!(out.contains(words), "{words}\n{out}");
    }
    for name in ["matrices.png", "deblur.png", "convergence.png", "kernel.png"] {
        let figure = read_image(place.path("deep/down").join(name)).unwrap();
        assert!(figure.shape().0 > 600 && figure.shape().1 > 1000, "{name}");
    }
    let svg = std::fs::read_to_string(place.path("deep/down/matrices.svg")).unwrap();
    assert_eq!(svg.matches("class=\"nz\"").count(), 250 + 244 + 230);
    let read = |name: &str| read_image(place.path("deep/down").join(name)).unwrap();
    let (photo, blurred, restored) = (read("photo.png"), read("blurred.png"), read("restored.png"));
    assert_eq!((photo.depth, blurred.depth, restored.depth), (Depth::U8, Depth::U16, Depth::U8));
    let gain = psnr(&restored.planes[0], &photo.planes[0], 1.0).unwrap()
        - psnr(&blurred.planes[0], &photo.planes[0], 1.0).unwrap();
    assert!(gain >= 4.0, "{gain}");

    let command = out.lines().last().unwrap().trim().strip_prefix("convmtx ").unwrap();
    let typed = place.succeed(&command.split(' ').collect::<Vec<_>>());
    let isnr = typed.lines().find_map(|l| l.strip_prefix("ISNR ")?.strip_suffix(" dB")).unwrap();
    assert!((isnr.parse::<f64>().unwrap() - gain).abs() < 0.05, "{isnr} and {gain}");
}
