use std::fmt;

macro_rules! tables {
    ($($(#[$doc:meta])+ $name:ident = $file:literal: $columns:expr;)+) => {
        /// A table of the knowledge.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum TableName {
            $($(#[$doc])+ $name,)+
        }

        impl TableName {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name, which is that of its file without `.csv`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $file,)+ }
            }

            /// Its columns; a file may have them in any order.
            pub const fn columns(self) -> &'static [&'static str] {
                match self { $(Self::$name => $columns,)+ }
            }

            /// The rows that come with this crate, as CSV.
            pub const fn builtin(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/", $file, ".csv")),)+
                }
            }
        }
    };
}

tables! {
    /// The list of types of devices.
    Types = "types": &["type", "meaning"];
    /// Spellings of vendors.
    VendorNames = "vendor-names": &["name", "vendor", "source", "date"];
    /// Domains of vendors, and what is behind them.
    Domains = "domains": &["domain", "vendor", "role", "source", "date"];
    /// Types of services that say whose or what a device is.
    Services = "services": &["service", "vendor", "type", "note", "source", "date"];
    /// Keys of TXT records that say who a device is.
    TxtKeys = "txt-keys": &["service", "key", "field", "source", "date"];
    /// Codes of types: of `HomeKit`, Matter, `UPnP` and others.
    TypeCodes = "type-codes": &["scheme", "code", "type", "source", "date"];
    /// Codes of vendors: of Matter.
    VendorCodes = "vendor-codes": &["scheme", "code", "vendor", "source", "date"];
    /// Brands, and who makes them.
    Families = "families": &["brand", "maker", "source", "date"];
    /// Patterns of host names, user agents and models.
    Patterns = "patterns": &["kind", "pattern", "vendor", "model", "type", "os", "certainty", "source", "date"];
    /// Organisations that register addresses: brands, and those that make modules or devices for others.
    OuiVendors = "oui-vendors": &["oui_name", "vendor", "kind"];
    /// Words in the names of classes, and the types that they say.
    ClassWords = "class-words": &["words", "type"];
    /// Types that one device may be both of, and brands of one company.
    Related = "related": &["field", "one", "other"];
    /// Organisations by blocks of addresses, beside the registry that is compiled in: imported ones.
    Ouis = "ouis": &["prefix", "organisation"];
}

impl TableName {
    /// The table of a name; `None` for any other text.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.as_str() == name)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
