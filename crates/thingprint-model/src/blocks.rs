use thingprint_instance::{Instance, Label};

/// Blocks of time in which a class's windows are parted, so that what is said of a window can be learned from others.
pub(crate) const BLOCKS: usize = 3;

/// The rows of each class in the order of time, parted into blocks of equal size.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Rows of each class.
    pub(crate) by_class: Vec<Vec<usize>>,
    /// The block of each row.
    pub(crate) block_of: Vec<usize>,
}

impl Blocks {
    /// Parts the rows of a training. Which block a row is in does not depend on the order of rows.
    pub(crate) fn of(rows: &[(&Instance, &Label)], row_classes: &[u16], classes: usize) -> Self {
        let mut by_class = vec![Vec::new(); classes];
        for (row, &class) in row_classes.iter().enumerate() {
            by_class[usize::from(class)].push(row);
        }
        let mut block_of = vec![0; rows.len()];
        for rows_of_class in &mut by_class {
            rows_of_class.sort_by_key(|&row| {
                let instance = rows[row].0;
                (instance.window_start, &instance.capture, instance.device)
            });
            let count = rows_of_class.len();
            for (at, &row) in rows_of_class.iter().enumerate() {
                block_of[row] = at * BLOCKS / count;
            }
        }
        Self { by_class, block_of }
    }

    /// The rows of a class in a block, in the order of time.
    pub(crate) fn inside(&self, class: usize, block: usize) -> Vec<usize> {
        let rows = self.by_class.get(class).into_iter().flatten().copied();
        rows.filter(|&row| self.block_of[row] == block).collect()
    }

    /// The rows of a class outside a block, in the order of time.
    pub(crate) fn outside(&self, class: usize, block: usize) -> Vec<usize> {
        let rows = self.by_class.get(class).into_iter().flatten().copied();
        rows.filter(|&row| self.block_of[row] != block).collect()
    }
}
