//! Lengths that transform fast.

use crate::scalar::Scalar;

/// The smallest length ≥ `least` whose prime factors are 2, 3 and 5.
pub(crate) fn good_size(least: usize) -> usize {
    let least = least.max(1);
    let mut best = least.next_power_of_two();
    let mut fives = 1;
    while fives < best {
        let mut threes = fives;
        while threes < best {
            // The smallest power of two that lifts 3^b·5^c to `least`.
            let size = threes * least.div_ceil(threes).next_power_of_two();
            best = best.min(size);
            threes = threes.saturating_mul(3);
        }
        fives = usize::saturating_mul(fives, 5);
    }
    best
}

/// The same for a line of `T`: even for real types, whose transform is a complex one of half the length.
pub(crate) fn good_line_size<T: Scalar>(least: usize) -> usize {
    if T::IS_COMPLEX { good_size(least) } else { 2 * good_size(least.div_ceil(2)) }
}

/// Lengths for tiles from `least` to `most`, ascending: powers of two, and 3, 5 or 9 times one, which transform fastest.
pub(crate) fn tile_sizes(least: usize, most: usize) -> impl Iterator<Item = usize> {
    let octaves = (3..usize::BITS - 4).map(|e| 1_usize << e);
    octaves
        .flat_map(|two| [two, two / 8 * 9, two / 4 * 5, two / 2 * 3])
        .filter(move |n| (least..=most).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_sizes_are_the_next_products_of_two_three_and_five() {
        let smooth = |mut n: usize| {
            for p in [2, 3, 5] {
                while n.is_multiple_of(p) {
                    n /= p;
                }
            }
            n == 1
        };
        for least in 0..3000 {
            let expected = (least.max(1)..).find(|&n| smooth(n));
            assert_eq!(Some(good_size(least)), expected, "at least {least}");
            let even = (least.max(1)..).find(|&n| n % 2 == 0 && smooth(n));
            assert_eq!(Some(good_line_size::<f64>(least)), even, "even, at least {least}");
        }
    }
    #[test]
    fn tile_sizes_ascend() {
        let all: Vec<usize> = tile_sizes(30, 300).collect();
        assert_eq!(all, [32, 36, 40, 48, 64, 72, 80, 96, 128, 144, 160, 192, 256, 288]);
        assert_eq!(tile_sizes(30, 20).count(), 0);
    }
}
