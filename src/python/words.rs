//! Words become choices, with errors that list the valid ones.

use crate::plan::Engine;
use crate::psf::Centre;
use crate::{Boundary, ConvMode, Convention, Error, Extension, Result, Scalar, Summation};

/// The choice that goes by `word`.
fn choose<C: Copy>(what: &'static str, word: &str, choices: &[(&str, C)]) -> Result<C> {
    choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("'{name}'")).collect();
        Error::value(what, format!("one of {}", names.join(", ")), format!("'{word}'"))
    })
}

pub fn mode(word: &str) -> Result<ConvMode> {
    choose("mode", word, &[("full", ConvMode::Full), ("same", ConvMode::Same), ("valid", ConvMode::Valid)])
}

pub fn convention(word: &str) -> Result<Convention> {
    let choices =
        [("matlab", Convention::Matlab), ("scipy", Convention::Scipy), ("numpy", Convention::Numpy)];
    choose("convention", word, &choices)
}

/// Which engine computes products; `None` leaves the choice to the planner.
pub fn engine(word: &str) -> Result<Option<Engine>> {
    let choices = [
        ("auto", None),
        ("direct", Some(Engine::Direct)),
        ("separable", Some(Engine::Separable)),
        ("fft", Some(Engine::Fft)),
    ];
    choose("engine", word, &choices)
}

pub fn summation(word: &str) -> Result<Summation> {
    let choices = [("fastest", Summation::Fastest), ("ascending", Summation::Ascending)];
    choose("summation", word, &choices)
}

/// The boundary of one axis; `constant` is what stands beyond the ends where the word is `constant`.
pub fn boundary<T: Scalar>(word: &str, constant: T) -> Result<Boundary<T>> {
    let choices = [
        ("zero", Boundary::Zero),
        ("constant", Boundary::Constant(constant)),
        ("periodic", Boundary::Periodic),
        ("symmetric", Boundary::Symmetric),
        ("reflect", Boundary::Reflect),
        ("replicate", Boundary::Replicate),
        ("antireflective", Boundary::Antireflective),
    ];
    choose("boundary", word, &choices)
}

/// What a layer's padding consists of: torch's words, and ours.
pub fn padding(word: &str) -> Result<Extension> {
    let choices = [
        ("zeros", Extension::Zero),
        ("zero", Extension::Zero),
        ("circular", Extension::Periodic),
        ("periodic", Extension::Periodic),
        ("symmetric", Extension::Symmetric),
        ("reflect", Extension::Reflect),
        ("replicate", Extension::Replicate),
        ("antireflective", Extension::Antireflective),
    ];
    choose("padding_mode", word, &choices)
}

/// The point of a PSF that goes by a word; any other is given by row and column.
pub fn centre(word: &str) -> Result<Centre> {
    choose("on", word, &[("peak", Centre::Peak), ("mass", Centre::Mass)])
}
