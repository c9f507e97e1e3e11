/// A name that no evidence of this version has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{name}': expected {}", known.join(", "))]
pub struct UnknownEvidence {
    /// What was expected, like `bag`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The names that there are.
    pub known: Vec<&'static str>,
}

/// Declares the evidence of one kind. Each line names a constant and the module with its `DEFINITION`; the order of
/// lines is the order of columns. The handle that the constants have is a place in the list.
macro_rules! registry {
    (
        $(#[$doc:meta])*
        $handle:ident of $definition:ident as $what:literal {
            $($constant:ident = $module:ident,)+
        }
    ) => {
        $(mod $module;)+

        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $handle(u8);

        #[expect(non_camel_case_types, reason = "a place has the name of its module")]
        enum Place {
            $($module,)+
        }

        static DEFINITIONS: &[&$definition] = &[$(&$module::DEFINITION),+];

        /// Names of modules, for the test that each is the name of its evidence.
        #[cfg(test)]
        pub(super) const MODULES: &[&str] = &[$(stringify!($module)),+];

        impl $handle {
            $(
                #[doc = concat!("`", stringify!($module), "`.")]
                pub const $constant: Self = Self(Place::$module as u8);
            )+

            /// All of them, in the order of columns.
            pub fn all() -> impl Iterator<Item = Self> + Clone {
                (0_u8..).zip(DEFINITIONS).map(|(place, _)| Self(place))
            }

            /// The name of the column.
            pub fn name(self) -> &'static str {
                self.definition().name
            }

            /// The name as a heading.
            pub fn title(self) -> &'static str {
                self.definition().title
            }

            /// What it is, in a sentence.
            pub fn about(self) -> &'static str {
                self.definition().about
            }

            /// What collecting it costs; `None` where the paper does not say.
            pub fn cost(self) -> Option<$crate::CollectionCost> {
                self.definition().cost
            }

            /// Whether the classification paper uses it.
            pub fn is_of_paper(self) -> bool {
                self.definition().is_of_paper
            }

            /// Whether training uses it where nothing else is asked for.
            pub fn is_trained_on(self) -> bool {
                self.definition().is_trained_on
            }

            /// Place in the registry.
            pub(crate) const fn place(self) -> u8 {
                self.0
            }

            pub(crate) fn definition(self) -> &'static $definition {
                DEFINITIONS[usize::from(self.0)]
            }
        }

        impl ::std::fmt::Debug for $handle {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::fmt::Display for $handle {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::str::FromStr for $handle {
            type Err = $crate::UnknownEvidence;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::all().find(|evidence| evidence.name() == name).ok_or_else(|| {
                    let known = Self::all().map(Self::name).collect();
                    $crate::UnknownEvidence { what: $what, name: name.to_owned(), known }
                })
            }
        }

        impl TryFrom<String> for $handle {
            type Error = $crate::UnknownEvidence;

            fn try_from(name: String) -> Result<Self, Self::Error> {
                name.parse()
            }
        }

        impl From<$handle> for String {
            fn from(evidence: $handle) -> Self {
                evidence.name().to_owned()
            }
        }
    };
}
pub(super) use registry;
