use thingprint_figure::{Bars, Confusion, Drawing, Figure, Histogram, Lines, Ranking, Sankey, Steps, Strips};

/// Declares the kinds of figure of a report, and draws each as itself.
macro_rules! charts {
    ($($(#[$doc:meta])* $kind:ident),+ $(,)?) => {
        /// A figure of the report.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Chart {
            $($(#[$doc])* $kind($kind),)+
        }

        impl Figure for Chart {
            fn draw(&self) -> Drawing {
                match self {
                    $(Self::$kind(figure) => figure.draw(),)+
                }
            }
        }

        $(impl From<$kind> for Chart {
            fn from(figure: $kind) -> Self {
                Self::$kind(figure)
            }
        })+
    };
}

charts! {
    /// Bars side by side.
    Bars,
    /// A confusion matrix.
    Confusion,
    /// Distributions in bins.
    Histogram,
    /// Lines over an axis.
    Lines,
    /// Bars in order of length.
    Ranking,
    /// Flows between columns.
    Sankey,
    /// Distribution functions.
    Steps,
    /// Lists in their order.
    Strips,
}
