use serde::Deserialize;

use super::{Imported, error};
use crate::{KnowledgeError, TableName};

const WHAT: &str = "registry of the IEEE";

/// The organisations in a file of the IEEE's registries (`oui.csv`, `mam.csv`, `oui36.csv`), in place of those that come with
/// this crate.
pub fn ieee(text: &str) -> Result<Imported, KnowledgeError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "Assignment")]
        assignment: String,
        #[serde(rename = "Organization Name")]
        organisation: String,
    }
    let mut imported = Imported::new("IEEE");
    for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let Row { assignment, organisation } = row.map_err(|problem| {
            error(WHAT, format!("{problem}; expected the columns Assignment and Organization Name"))
        })?;
        let is_block = matches!(assignment.len(), 6 | 7 | 9)
            && assignment.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_block && !organisation.trim().is_empty() && organisation != "Private" {
            imported.add(TableName::Ouis, &[&assignment.to_ascii_uppercase(), organisation.trim()])?;
        } else {
            imported.skipped += 1;
        }
    }
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::ieee;

    #[test]
    fn blocks_and_organisations_are_read() {
        let text = "Registry,Assignment,Organization Name,Organization Address\nMA-L,00000a,\"Acme, Inc. \",X\nMA-L,00000B,Private,\nMA-S,70B3D5001,Bolt,Y\n";
        let imported = ieee(text).unwrap();
        assert_eq!(imported.skipped(), 1);
        assert!(
            imported.to_text().contains("00000A,\"Acme, Inc.\"\n70B3D5001,Bolt\n"),
            "{}",
            imported.to_text()
        );
        assert!(ieee("a,b\n1,2\n").unwrap_err().to_string().contains("Assignment"));
    }
}
