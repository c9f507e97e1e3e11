/// What is added to each probability, so that neither of two models can exclude a class.
const FLOOR: f64 = 0.001;

/// Exponent of the two stages; results are flat between 0.5 and 0.7.
const STAGES: f64 = 0.7;

/// Exponent of the joint model.
const JOINT: f64 = 1.0 - STAGES;

/// The blend of what the two stages say of each class with what the joint model says:
/// R ∝ (P + 0.001)^0.7 · (J + 0.001)^0.3.
pub(crate) fn blend(stages: &[f64], joint: &[f64]) -> Vec<f64> {
    let product = |(stages, joint): (&f64, &f64)| (stages + FLOOR).powf(STAGES) * (joint + FLOOR).powf(JOINT);
    let products: Vec<f64> = stages.iter().zip(joint).map(product).collect();
    let sum: f64 = products.iter().sum();
    products.into_iter().map(|product| product / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blend_worked_by_hand() {
        // 0.999^0.7 · 0.099^0.3 = 0.4994 and 0.001^0.7 · 0.901^0.3 = 0.0077.
        let blended = blend(&[0.998, 0.0], &[0.098, 0.9]);
        let (first, second) =
            (0.999_f64.powf(0.7) * 0.099_f64.powf(0.3), 0.001_f64.powf(0.7) * 0.901_f64.powf(0.3));
        assert!((blended[0] - first / (first + second)).abs() < 1e-12, "{blended:?}");
        assert!((blended[0] - 0.9848).abs() < 1e-4, "{blended:?}");
        assert!((blended.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_undecided_model_leaves_the_order_to_the_other() {
        let blended = blend(&[0.2, 0.5, 0.3], &[1.0 / 3.0; 3]);
        assert!(blended[1] > blended[2] && blended[2] > blended[0], "{blended:?}");
    }
}
