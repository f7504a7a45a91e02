//! The normal distribution, as far as the correlation of renewals and the small rest of a large book need it.

/// The probability that a standard normal variable is at most `x`; exact to about 1e-15.
pub(super) fn cdf(x: f64) -> f64 {
    // Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11 (2004): a Taylor series about zero; beyond
    // seven deviations nothing is left that a share in millionths could show.
    if x < -7.5 {
        return 0.0;
    }
    if x > 7.5 {
        return 1.0;
    }
    let (mut sum, mut term, mut before, mut i) = (x, x, 0.0, 1.0);
    while sum != before {
        before = sum;
        i += 2.0;
        term *= x * x / i;
        sum += term;
    }
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0.5 + sum * density).clamp(0.0, 1.0)
}

/// The value below which a standard normal variable lies with probability `p`, 0 < p < 1.
pub(super) fn quantile(p: f64) -> f64 {
    // By halving: it is asked a few thousand times at most, and needs no table of coefficients.
    let (mut low, mut high) = (-7.5_f64, 7.5_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (x, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_05),
            (1.959_963_984_540_054, 0.975),
            (-2.326_347_874_040_841, 0.01),
        ] {
            assert!((cdf(x) - p).abs() < 1e-14, "{x}");
            assert!((quantile(p) - x).abs() < 1e-9, "{p}");
        }
        assert_eq!((cdf(-9.0), cdf(9.0)), (0.0, 1.0));
    }
}
