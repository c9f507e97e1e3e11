//! Classes, which figures tell apart by colour and by form.

/// A class of things, with the colour that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// What the legend calls it.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
}

impl Class {
    /// A class of a colour that means something, as for grades.
    pub fn new(name: impl Into<String>, colour: Colour) -> Self {
        Self { name: name.into(), colour }
    }

    /// Classes whose colours only tell them apart.
    pub fn list<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Vec<Self> {
        names.into_iter().enumerate().map(|(index, name)| Self::new(name, Colour::of(index))).collect()
    }
}

/// A colour that colour-blind people can tell from the others (after Okabe and Ito), in a shade for light and one
/// for dark surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Blue, the first of a series.
    Blue,
    /// Orange.
    Orange,
    /// Bluish green.
    Green,
    /// Reddish purple.
    Purple,
    /// Vermillion, the red of the palette.
    Vermillion,
    /// Sky blue.
    Sky,
    /// Yellow, darkened where it stands on white.
    Yellow,
    /// Grey, for what is of no class.
    Grey,
}

/// The colours in the order in which series take them.
const ORDER: [Colour; 8] = [
    Colour::Blue,
    Colour::Orange,
    Colour::Green,
    Colour::Purple,
    Colour::Vermillion,
    Colour::Sky,
    Colour::Yellow,
    Colour::Grey,
];

impl Colour {
    /// The colour of the series or class of an index; they begin again after eight.
    pub fn of(index: usize) -> Self {
        ORDER[index % ORDER.len()]
    }

    /// Class of style sheets that fills with the colour.
    pub(crate) fn fill(self) -> &'static str {
        match self {
            Self::Blue => "f0",
            Self::Orange => "f1",
            Self::Green => "f2",
            Self::Purple => "f3",
            Self::Vermillion => "f4",
            Self::Sky => "f5",
            Self::Yellow => "f6",
            Self::Grey => "f7",
        }
    }

    /// Class of style sheets that draws lines in the colour.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Blue => "s0",
            Self::Orange => "s1",
            Self::Green => "s2",
            Self::Purple => "s3",
            Self::Vermillion => "s4",
            Self::Sky => "s5",
            Self::Yellow => "s6",
            Self::Grey => "s7",
        }
    }
}

/// Patterns of dashes, by the index of a series; the first is a whole line. Five go with eight colours, so that the
/// two together repeat after forty.
pub(crate) fn dash(index: usize) -> &'static str {
    ["", "7 3", "2 3", "9 3 2 3", "12 4"][index % 5]
}

/// Which hatching lies over the bars of a series: none over the first.
pub(crate) fn hatch(index: usize) -> Option<&'static str> {
    [None, Some("tp-h1"), Some("tp-h2"), Some("tp-h3"), Some("tp-h4"), Some("tp-h5")][index % 6]
}
