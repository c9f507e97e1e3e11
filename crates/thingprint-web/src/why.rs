use serde::{Deserialize, Serialize};

/// What in the last windows of a device speaks for a class and what against it, with the names of `classify --explain`:
/// it can be read from that command's JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The class.
    pub class: String,
    /// Windows explained; what follows are means over them.
    pub windows: u64,
    /// Probability of the class, 0 to 1.
    pub confidence: f64,
    /// What stage-1 says of the class before it looks at anything; `None` where a stage-0 answers alone.
    pub base: Option<f64>,
    /// The inputs of stage-1, the strongest first.
    pub inputs: Vec<WhyInput>,
    /// The bags that the model looks at.
    pub bags: Vec<WhyBag>,
    /// What the joint model says, in nats; `None` for the paper's recipe.
    pub joint: Option<WhyJoint>,
}

/// What an input of stage-1 says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyInput {
    /// Name of the input, like `flow_volume_bytes` or `ports_class`.
    pub input: String,
    /// Its value over the windows; `None` when it is absent in all of them.
    pub value: Option<WhyValue>,
    /// Change of the probability of the class: above 0 speaks for it.
    pub contribution: f64,
}

/// The value of an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WhyValue {
    /// Mean of a number.
    Number(f64),
    /// The most frequent class.
    Class(String),
}

/// What the words of a bag say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyBag {
    /// The bag.
    pub bag: String,
    /// The class that the words are weighed against.
    pub rival: String,
    /// ln of how much more likely than the rival the class is before any word is seen.
    pub prior: f64,
    /// The words that count, the strongest first.
    pub words: Vec<WhyWord>,
}

/// What a word says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyWord {
    /// The word. It may hold text from the network.
    pub word: String,
    /// Occurrences in a window.
    pub count: f64,
    /// Nats for the class (above 0) or for the rival.
    pub contribution: f64,
}

/// What the joint model says, in nats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhyJoint {
    /// The runner-up.
    pub rival: String,
    /// All that is said: above 0 speaks for the class, which is found e^nats times as likely as the rival.
    pub nats: f64,
    /// What each bag says.
    pub bags: Vec<WhyNats>,
    /// What would have to be seen to decide between the two, the most telling first.
    pub decisive: Vec<WhyDecisive>,
}

/// What the words of a bag say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyNats {
    /// The bag.
    pub bag: String,
    /// Sum of its words.
    pub nats: f64,
    /// The words that training saw, the strongest first.
    pub words: Vec<WhyWord>,
    /// The words that training never saw, which say nothing.
    pub unseen: Vec<String>,
}

/// A word that was not seen and would decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyDecisive {
    /// The bag.
    pub bag: String,
    /// The word.
    pub word: String,
    /// What seeing it once in a window would add, in nats: above 0 speaks for the class, below for the rival.
    pub nats: f64,
    /// Share of the training windows of the side that it speaks for that have it, 0 to 1.
    pub share: f64,
}
