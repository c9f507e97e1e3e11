use crate::random::Generator;

/// A row of a bootstrap sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Number of the row in the table.
    pub(super) number: u32,
    /// Its class.
    pub(super) class: u16,
    /// How often it was drawn.
    pub(super) weight: u16,
}

/// Draws as many rows as there are, with replacement; those never drawn are left out.
pub(super) fn bootstrap(row_classes: &[u16], generator: &mut Generator) -> Vec<Row> {
    let bound = u32::try_from(row_classes.len()).unwrap_or(u32::MAX);
    let mut weights = vec![0_u16; row_classes.len()];
    for _ in row_classes {
        let weight = &mut weights[generator.below(bound) as usize];
        *weight = weight.saturating_add(1);
    }
    let rows =
        (0..).zip(row_classes).zip(weights).map(|((number, &class), weight)| Row { number, class, weight });
    rows.filter(|row| row.weight > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn a_bootstrap_has_as_many_copies_as_rows() {
        let row_classes: Vec<u16> = (0..1_000).map(|row| row % 7).collect();
        let rows = bootstrap(&row_classes, &mut Generator::new(5, Purpose::Tree(0)));
        assert_eq!(rows.iter().map(|row| u32::from(row.weight)).sum::<u32>(), 1_000);
        assert!(rows.iter().all(|row| row.class == row_classes[row.number as usize]));
        // 1 - 1/e of the rows, within four standard deviations.
        assert!((590..675).contains(&rows.len()), "{}", rows.len());
    }
}
