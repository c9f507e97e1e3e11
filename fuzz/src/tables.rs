use thingprint_instance::Labeled;
use thingprint_report::{Labels, read_instances, read_predictions, write_instances};
use thingprint_table::{Format, Style, csv_text};

/// Reads bytes as a file of labels.
///
/// What is read stands in the file, an error names it, and a class comes back from the cell that it is written into.
pub fn labels(data: &[u8]) {
    match Labels::read(data, "labels.csv") {
        Ok(labels) => {
            for row in labels.rows() {
                assert!(labels.classes_of(row.device).any(|class| class == row.label.class));
                let cell = csv_text::neutral(&row.label.class);
                assert_eq!(csv_text::read(&cell), row.label.class);
            }
            assert_eq!(labels.is_empty(), labels.devices().next().is_none());
            let _ = (labels.similar_classes(), labels.has_captures());
        }
        Err(error) => assert!(error.to_string().contains("labels.csv"), "{error}"),
    }
}

/// Reads bytes as a file of instances and as one of predictions, in any format but Parquet.
///
/// What is read can be written in every format of text, and comes back from it as it was.
pub fn instances(data: &[u8]) {
    if let Ok(file) = read_instances(data, "rows") {
        for format in [Format::Jsonl, Format::Json, Format::Csv] {
            // Lines of nothing are an empty file, which is refused: it may be one that was cut.
            if file.rows.is_empty() && format == Format::Jsonl {
                continue;
            }
            let mut written = Vec::new();
            assert!(write_instances(&file.rows, file.recipe.as_ref(), format, &mut written).is_ok());
            match read_instances(&written, "again") {
                Ok(again) => assert!(are_alike(&again.rows, &file.rows), "{format}: {:?}", file.rows),
                Err(error) => panic!("{format}: what was written cannot be read: {error}"),
            }
        }
    }
    if let Ok(file) = read_predictions(data, "rows") {
        let (mut written, rows) = (Vec::new(), file.rows.len());
        assert!(thingprint_table::write(&file.table(), Format::Csv, &mut written, Style::default()).is_ok());
        let again = read_predictions(&written, "again").map(|again| again.rows.len());
        assert_eq!(again.ok(), Some(rows), "{}", String::from_utf8_lossy(&written));
    }
}

/// Whether rows are the same. Numbers of any kind are written out, since what is no number equals nothing.
fn are_alike(some: &[Labeled], others: &[Labeled]) -> bool {
    some == others || format!("{some:?}") == format!("{others:?}")
}
