//! Correlation of a sheet of rows with a small sheet of taps: the interior of images, volumes and batches.
//!
//! In pseudo-code:
//!
//! ```text
//! for r in 0..rows:  for c in 0..width:  for q in 0..tap_rows:  for s in 0..taps_per_row:
//!     out[r·out_step + c] += tap(q, s) · x[starts[r + q] + s·shift + c]
//! ```
//!
//! Images: rows are image rows, `shift` is 1 (or the dilation). Batches of signals with their samples in rows: rows are
//! samples, one tap per row. The table `starts` puts any row at any place, which is how boundaries repeat rows; rows
//! that are absent count as zeros. Deviations from the pseudo-code: (1) a tile of some rows and registers of outputs stays in
//! registers, and every register of `x` serves all rows that see it; (2) taps that are zero are skipped.

use super::lanes::{Lanes, prefetch};
use super::loops::loops;
use super::shells::{Body, run_fastest};
use crate::scalar::Scalar;

/// In place of the beginning of a row: there is none.
pub(crate) const ABSENT: usize = usize::MAX;

/// Where the operands of [`correlate_sheet`] lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// Results: rows, elements of a row, and the distance between rows.
    pub rows: usize,
    pub width: usize,
    pub out_step: usize,
    /// Where the `rows + tap_rows − 1` source rows begin, or [`ABSENT`].
    pub starts: &'a [usize],
    /// Distance between the sources of neighbouring taps of a row.
    pub shift: usize,
    /// Taps: rows, taps of a row.
    pub tap_rows: usize,
    pub taps_per_row: usize,
    /// The first tap in the kernel, the distances to that of the next row and to the next of the row.
    pub tap: usize,
    pub tap_row_step: isize,
    pub tap_step: isize,
    /// Whether results begin at zero instead of what is there.
    pub fresh: bool,
}

impl Sheet<'_> {
    fn tap_at(&self, q: usize, s: usize) -> usize {
        self.tap.wrapping_add_signed(q as isize * self.tap_row_step + s as isize * self.tap_step) // inside the kernel
    }
}

/// See the module. `x` begins with the source of the first tap for the first result, `out` with the first result.
///
/// Each result adds its terms by ascending source row, and by ascending place in it, each multiplied and added with one
/// rounding where the processor can.
pub(crate) fn correlate_sheet<T: Scalar>(sheet: &Sheet, kernel: &[T], x: &[T], out: &mut [T]) {
    (loops::<T>().sheet)(sheet, kernel, x, out);
}

pub(super) fn dispatch<T: Scalar>(sheet: &Sheet, kernel: &[T], x: &[T], out: &mut [T]) {
    let s = sheet;
    if s.rows == 0 || s.width == 0 {
        return;
    }
    assert!(s.tap_rows > 0 && s.taps_per_row > 0 && s.starts.len() + 1 == s.rows + s.tap_rows, "{s:?}");
    let last_out = (s.rows - 1) * s.out_step + s.width;
    let reach = (s.taps_per_row - 1) * s.shift + s.width;
    let inside = |start: usize| start == ABSENT || start.checked_add(reach).is_some_and(|end| end <= x.len());
    assert!(
        last_out <= out.len() && s.starts.iter().copied().all(inside),
        "{s:?}: {}, {}",
        out.len(),
        x.len()
    );
    let corner = |q, t| assert!(s.tap_at(q, t) < kernel.len(), "{s:?} beyond {} taps", kernel.len());
    for (q, t) in [(0, 0), (s.tap_rows - 1, 0), (0, s.taps_per_row - 1), (s.tap_rows - 1, s.taps_per_row - 1)]
    {
        corner(q, t);
    }
    let holes = (0..s.tap_rows).any(|q| (0..s.taps_per_row).any(|t| kernel[s.tap_at(q, t)].is_zero()));
    run_fastest(Tiles { sheet, kernel, x, out, holes });
}

struct Tiles<'a, T> {
    sheet: &'a Sheet<'a>,
    kernel: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
    /// Whether some tap is zero.
    holes: bool,
}

/// Rows of a tile.
const ROWS: usize = 6;

/// Runs the code with constants LO and HI for the rows `lo..hi` of a tile, whichever they are.
macro_rules! for_rows {
    ($lo:expr, $hi:expr, |$LO:ident, $HI:ident| $code:block) => {
        for_rows!(@ $lo, $hi, $LO, $HI, $code,
            (0 1) (0 2) (0 3) (0 4) (0 5) (0 6) (1 2) (1 3) (1 4) (1 5) (1 6)
            (2 3) (2 4) (2 5) (2 6) (3 4) (3 5) (3 6) (4 5) (4 6) (5 6))
    };
    (@ $lo:expr, $hi:expr, $LO:ident, $HI:ident, $code:block, $(($a:literal $b:literal))*) => {
        match ($lo, $hi) {
            $(($a, $b) => {
                const $LO: usize = $a;
                const $HI: usize = $b;
                $code
            })*
            _ => unreachable!("ROWS is 6"),
        }
    };
}

impl<T: Scalar> Body<T> for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<T>>(self) {
        // Registers: ROWS·V of results, V of sources (2 V if complex) and a factor or two.
        if L::REGISTERS == 32 && !T::IS_COMPLEX { self.bands::<L, 4>() } else { self.bands::<L, 2>() }
    }
}

impl<T: Scalar> Tiles<'_, T> {
    /// Bands of rows from the top, in each the tiles from the left, `V` registers wide as far as that goes: the rows that a
    /// band reads stay in the second cache for the next band.
    #[inline(always)]
    fn bands<L: Lanes<T>, const V: usize>(mut self) {
        let mut r = 0;
        while r < self.sheet.rows {
            let rows = (self.sheet.rows - r).min(ROWS);
            let mut c = 0;
            while c < self.sheet.width {
                let left = self.sheet.width - c;
                if left >= V * L::COUNT {
                    self.tile_of::<L, V>(r, c, rows, L::COUNT);
                    c += V * L::COUNT;
                } else if V > 2 && left > L::COUNT {
                    let part = left.min(2 * L::COUNT);
                    self.tile_of::<L, 2>(r, c, rows, part - L::COUNT);
                    c += part;
                } else {
                    let part = left.min(L::COUNT);
                    self.tile_of::<L, 1>(r, c, rows, part);
                    c += part;
                }
            }
            r += rows;
        }
    }

    /// A tile of `V` registers, the last with `last` columns.
    #[inline(always)]
    fn tile_of<L: Lanes<T>, const V: usize>(&mut self, r: usize, c: usize, rows: usize, last: usize) {
        match (last == L::COUNT, self.holes) {
            (true, false) => self.tile::<L, V, false, false>(r, c, rows, last),
            (true, true) => self.tile::<L, V, false, true>(r, c, rows, last),
            (false, false) => self.tile::<L, V, true, false>(r, c, rows, last),
            (false, true) => self.tile::<L, V, true, true>(r, c, rows, last),
        }
    }

    #[inline(always)]
    fn tile<L: Lanes<T>, const V: usize, const PART: bool, const HOLES: bool>(
        &mut self,
        r: usize,
        c: usize,
        rows: usize,
        last: usize,
    ) {
        let s = self.sheet;
        // SAFETY: `dispatch` checked that the table has an entry for every r + m, the last element that is read of each row, the
        // last result, and the four corners of the taps; what is read and written below lies between these. Row b uses tap row
        // m − b, which `lo..hi` keeps among the tap rows; the pointers to taps wrap, because m alone goes beyond them.
        unsafe {
            let out = self.out.as_mut_ptr().add(r * s.out_step + c);
            let x = self.x.as_ptr();
            let kernel = self.kernel.as_ptr().add(s.tap);
            let mut acc = [[L::zero(); V]; ROWS];
            for (b, row) in acc.iter_mut().enumerate() {
                if b < rows && !s.fresh {
                    for (v, acc) in row.iter_mut().enumerate() {
                        let from = out.add(b * s.out_step + v * L::COUNT);
                        *acc = if PART && v == V - 1 { L::load_part(from, last) } else { L::load(from) };
                    }
                }
            }
            let load = |from: *const T| -> [L::Source; V] {
                std::array::from_fn(|v| {
                    let from = from.add(v * L::COUNT);
                    if PART && v == V - 1 { L::load_part(from, last) } else { L::load(from) }.source()
                })
            };
            for m in 0..rows + s.tap_rows - 1 {
                let start = *s.starts.get_unchecked(r + m);
                if start == ABSENT {
                    continue;
                }
                let mut from = x.add(start + c);
                // Row b uses tap row m − b.
                let mut tap = kernel.wrapping_offset(m as isize * s.tap_row_step);
                let (lo, hi) = ((m + 1).saturating_sub(s.tap_rows), rows.min(m + 1));
                // The tile after the next one reads on there.
                (0..V).for_each(|v| prefetch(from.wrapping_add((2 * V + v) * L::COUNT)));
                if !HOLES {
                    // Which rows see the source is known to the compiler: no branches between the products.
                    for_rows!(lo, hi, |LO, HI| {
                        for _ in 0..s.taps_per_row {
                            let source = load(from);
                            for b in LO..HI {
                                let factor = L::factor(*tap.wrapping_offset(-(b as isize) * s.tap_row_step));
                                for (acc, source) in acc[b].iter_mut().zip(source) {
                                    *acc = acc.add_product(factor, source);
                                }
                            }
                            from = from.wrapping_add(s.shift);
                            tap = tap.wrapping_offset(s.tap_step);
                        }
                    });
                    continue;
                }
                for _ in 0..s.taps_per_row {
                    let source = load(from);
                    for (b, row) in acc.iter_mut().enumerate() {
                        if lo <= b && b < hi {
                            let tap = *tap.wrapping_offset(-(b as isize) * s.tap_row_step);
                            if tap.is_zero() {
                                continue;
                            }
                            let factor = L::factor(tap);
                            for (acc, source) in row.iter_mut().zip(source) {
                                *acc = acc.add_product(factor, source);
                            }
                        }
                    }
                    from = from.wrapping_add(s.shift);
                    tap = tap.wrapping_offset(s.tap_step);
                }
            }
            for (b, row) in acc.iter().enumerate() {
                if b < rows {
                    for (v, acc) in row.iter().enumerate() {
                        let to = out.add(b * s.out_step + v * L::COUNT);
                        if PART && v == V - 1 { acc.store_part(to, last) } else { acc.store(to) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pseudo-code of the module.
    fn plain(s: &Sheet, kernel: &[f64], x: &[f64], out: &mut [f64]) {
        for (r, c) in (0..s.rows).flat_map(|r| (0..s.width).map(move |c| (r, c))) {
            let result = &mut out[r * s.out_step + c];
            if s.fresh {
                *result = 0.0;
            }
            for (q, t) in (0..s.tap_rows).flat_map(|q| (0..s.taps_per_row).map(move |t| (q, t))) {
                let tap = kernel[s.tap_at(q, t)];
                if s.starts[r + q] != ABSENT && tap != 0.0 {
                    *result += tap * x[s.starts[r + q] + t * s.shift + c];
                }
            }
        }
    }

    #[test]
    fn tiles_are_the_pseudo_code_and_nan_stays_where_it_is() {
        let mut x: Vec<f64> = (0..4000).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
        x[1234] = f64::NAN; // must not spread through a tap that is zero or a row that is absent
        let mut kernel: Vec<f64> = (0..15).map(|i| (i as f64 + 0.3).cos()).collect();
        for holes in [false, true] {
            kernel[7] = if holes { 0.0 } else { 0.7 };
            for (rows, width, fresh) in
                (1..15).flat_map(|r| [1, 3, 8, 9, 31, 40, 67].map(|w| (r, w, r % 2 == 0)))
            {
                for (tap_rows, taps_per_row, tap, tap_row_step, tap_step, shift) in
                    [(3, 5, 14, -5, -1, 1), (5, 3, 0, 1, 5, 2), (15, 1, 0, 1, 0, 1), (1, 15, 14, 0, -1, 1)]
                {
                    let count = rows + tap_rows - 1;
                    let starts: Vec<usize> =
                        (0..count).map(|m| if m % 7 == 3 { ABSENT } else { m * 90 % 3000 }).collect();
                    let sheet = Sheet {
                        rows,
                        width,
                        out_step: width + 2,
                        starts: &starts,
                        shift,
                        tap_rows,
                        taps_per_row,
                        tap,
                        tap_row_step,
                        tap_step,
                        fresh,
                    };
                    let before: Vec<f64> = (0..rows * (width + 2)).map(|i| i as f64 * 0.1).collect();
                    let (mut expected, mut got) = (before.clone(), before);
                    plain(&sheet, &kernel, &x, &mut expected);
                    correlate_sheet(&sheet, &kernel, &x, &mut got);
                    let close = |(a, b): (&f64, &f64)| a.is_nan() && b.is_nan() || (a - b).abs() < 1e-11;
                    assert!(got.iter().zip(&expected).all(close), "{sheet:?}");
                }
            }
        }
    }
}
