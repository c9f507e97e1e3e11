//! The page about definitions says what is so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use thingprint_experiment::{Dataset, Definition};

const PAGE: &str = include_str!("../../../docs/experiments.md");

/// The TOML examples of the page.
fn examples() -> Vec<&'static str> {
    PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn its_examples_are_read() {
    let [dataset, definition] = examples()[..] else { panic!("two examples") };
    let dataset = Dataset::from_toml("dataset.toml", dataset).unwrap();
    assert_eq!(dataset.traces[0].captures, ["."]);
    let definition = Definition::from_toml("mine.toml", definition).unwrap();
    assert_eq!((definition.data, definition.seeds), (vec!["mine".to_owned()], vec![1, 2, 3]));
}

#[test]
fn its_words_are_those_of_the_program() {
    let [_, definition] = examples()[..] else { panic!("two examples") };
    let with = |text: &str| {
        let text = definition.replace("split = \"time=0.7\"", text);
        Definition::from_toml("mine.toml", &text).unwrap()
    };
    for split in ["random=0.7", "time=0.7", "unit=0.7", "cv=5", "forward=5"] {
        with(&format!("split = \"{split}\""));
    }
    for show in ["classes", "confusion", "confidence", "cost", "answers", "acceptance", "comparison"] {
        assert!(PAGE.contains(&format!("`{show}`")), "{show}");
        let shown = definition.replace("\"classes\", \"confusion\"", &format!("\"{show}\""));
        Definition::from_toml("mine.toml", &shown).unwrap();
    }
    with("training = { recipe = \"best\", without = \"sizes\" }");
    with("training = { stage0 = \"linfa\", stage1 = \"smartcore\", trees = 200, out_of_fold = 10 }");
    for scenario in ["ports", "domains", "ciphers", "stage0", "low", "low-medium", "final"] {
        assert!(PAGE.contains(&format!("`{scenario}`")), "{scenario}");
        let text = definition.replace("\"stage0\", \"final\"", &format!("\"{scenario}\""));
        let text = text.replace("scenario = \"final\"", &format!("scenario = \"{scenario}\""));
        Definition::from_toml("mine.toml", &text).unwrap();
    }
}
