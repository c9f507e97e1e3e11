use std::fmt;

use serde::Deserialize;
use thingprint_flow::ParseOptionError;
use thingprint_instance::{ExtractionRecipe, InstanceOptions};

use super::Attack;

/// How captures become instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Extraction {
    /// Rules for flows.
    pub preset: Preset,
    /// What differs from the preset, as `key=value` with blanks between, like `rate=sum names=dns,sni`.
    pub options: String,
}

/// A set of rules for flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Flows end at RST, both FINs or idle time; sizes are IP total lengths.
    #[default]
    Default,
    /// Flows as the tool of the classification paper cut them.
    Joy,
}

impl Extraction {
    /// The whole recipe: the preset, then the options, then what the data set needs whatever the experiment says.
    pub fn recipe(&self, overrides: &str) -> Result<ExtractionRecipe, ParseOptionError> {
        let preset = match self.preset {
            Preset::Default => ExtractionRecipe::of(&InstanceOptions::default()),
            Preset::Joy => ExtractionRecipe::of(&InstanceOptions::joy()),
        };
        let items = [preset.as_str(), &self.options, overrides].into_iter().flat_map(str::split_whitespace);
        let items: Vec<&str> = items.filter(|item| *item != "default").collect();
        items.join(" ").parse()
    }
}

/// Instances that an experiment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Name of the data set.
    pub dataset: String,
    /// How captures become instances.
    pub recipe: ExtractionRecipe,
    /// An attack on one of its devices, played into the traffic.
    pub attack: Option<Attack>,
    /// Seconds after the device's first packet in a window at which the window is taken as it is; `None` for final windows.
    pub so_far_s: Option<u32>,
    /// Whether they are the hours of devices under the attacks of the definition's [`Injection`](super::Injection).
    pub is_injected: bool,
}

impl fmt::Display for Need {
    /// Data set, attack and recipe: equal for equal needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.dataset)?;
        if let Some(attack) = &self.attack {
            write!(f, " under {attack}")?;
        }
        if let Some(seconds) = self.so_far_s {
            write!(f, " {seconds} s after the first packet of each window")?;
        }
        if self.is_injected {
            f.write_str(" under attacks on every device")?;
        }
        write!(f, " ({})", self.recipe.options_text())
    }
}
