use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Pattern, PatternKind, TableName};
use crate::{Certainty, Field, KnowledgeError};

/// The imported table that a row is of; `None` for the tables of this crate.
pub(crate) type Import = Option<Arc<str>>;

/// Two texts of a row: a key of two parts, or a name and what it stands for.
pub(crate) type Pair = (Box<str>, Box<str>);

/// A type of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceType {
    /// Its name in outputs.
    pub name: Box<str>,
    /// What is of this type.
    pub meaning: Box<str>,
}

/// A domain, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    pub(crate) name: Box<str>,
    pub(crate) vendor: Box<str>,
    pub(crate) role: Box<str>,
    pub(crate) import: Import,
}

/// What a type of service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) vendor: Box<str>,
    pub(crate) device_type: Box<str>,
    pub(crate) import: Import,
}

/// What a key of a TXT record means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TxtKey {
    pub(crate) meaning: TxtMeaning,
    pub(crate) import: Import,
}

/// A field, or a code of a scheme for the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TxtMeaning {
    Field(Field),
    TypeCode(Box<str>),
    /// A code of a scheme for the vendor, with a code of the product behind it.
    VendorCode(Box<str>),
}

/// The type of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeCode {
    pub(crate) device_type: Box<str>,
    pub(crate) import: Import,
}

/// An organisation that registers addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OuiOwner {
    pub(crate) vendor: Box<str>,
    pub(crate) kind: OuiKind,
    pub(crate) import: Import,
}

/// What such an organisation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OuiKind {
    /// It sells devices under a name of its own.
    Brand,
    /// It makes radios for devices of others.
    Module,
    /// It makes whole devices for others.
    Contract,
}

/// What an organisation says of whose a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OuiVendor<'k> {
    /// It is this brand's.
    Brand(&'k OuiOwner),
    /// It begins with the name of this vendor.
    Known(&'k str),
    /// Nothing: it makes devices, or parts of them, for others.
    Maker,
    /// Nobody noted what the organisation does.
    Unlisted,
}

/// Behind these the vendor of the row is who sells the device; others are servers that devices of all vendors use.
/// A portal, a relay and a website are visited by whoever owns the device.
const NAMING_ROLES: [&str; 5] = ["cloud", "push", "telemetry", "time", "update"];
/// Servers of one vendor's telephones and computers, which devices of other vendors use as well: who is told news there has apps.
const PUSH: &str = "push";

impl Domain {
    /// Whether whoever turns there has apps of any vendor, and uses the clouds of what they control.
    pub(crate) fn is_of_apps(&self) -> bool {
        self.vendor.is_empty() && &*self.role == PUSH
    }

    /// Whether devices that turn there are the vendor's.
    pub(crate) fn names_vendor(&self) -> bool {
        !self.vendor.is_empty() && NAMING_ROLES.contains(&&*self.role)
    }
}

/// The rows of a table in CSV.
#[derive(Debug)]
pub(super) struct Rows<'t> {
    pub(super) table: TableName,
    pub(super) text: &'t str,
    pub(super) import: Import,
}

impl Rows<'_> {
    pub(super) fn domains(&self) -> Result<Vec<Domain>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            domain: Box<str>,
            vendor: Box<str>,
            role: Box<str>,
        }
        let domain = |Row { domain, vendor, role }: Row| {
            Ok(Domain { name: domain.to_lowercase().into(), vendor, role, import: self.import.clone() })
        };
        self.each(domain)
    }

    pub(super) fn services(&self) -> Result<Vec<(Box<str>, Service)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            service: Box<str>,
            vendor: Box<str>,
            #[serde(rename = "type")]
            device_type: Box<str>,
        }
        self.each(|Row { service, vendor, device_type }: Row| {
            Ok((service.to_lowercase().into(), Service { vendor, device_type, import: self.import.clone() }))
        })
    }

    pub(super) fn txt_keys(&self) -> Result<Vec<(Pair, TxtKey)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            service: Box<str>,
            key: Box<str>,
            field: Box<str>,
        }
        self.each(|Row { service, key, field }: Row| {
            let scheme = field.strip_prefix("type-code:").map(|scheme| TxtMeaning::TypeCode(scheme.into()));
            let vendors = || field.strip_prefix("vendor-code:").map(|scheme| TxtMeaning::VendorCode(scheme.into()));
            let meaning = scheme.or_else(vendors).or_else(|| Field::of_name(&field).map(TxtMeaning::Field));
            let meaning = meaning.ok_or_else(|| {
                format!("unknown field '{field}': use vendor, model, type, name, os, type-code:SCHEME or vendor-code:SCHEME")
            })?;
            let key = (service.to_lowercase().into(), key.to_lowercase().into());
            Ok((key, TxtKey { meaning, import: self.import.clone() }))
        })
    }

    pub(super) fn type_codes(&self) -> Result<Vec<(Pair, TypeCode)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            scheme: Box<str>,
            code: Box<str>,
            #[serde(rename = "type")]
            device_type: Box<str>,
        }
        self.each(|Row { scheme, code, device_type }: Row| {
            Ok(((scheme, code), TypeCode { device_type, import: self.import.clone() }))
        })
    }

    pub(super) fn vendor_codes(&self) -> Result<Vec<(Pair, Box<str>)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            scheme: Box<str>,
            code: Box<str>,
            vendor: Box<str>,
        }
        self.each(|Row { scheme, code, vendor }: Row| Ok(((scheme, code), vendor)))
    }

    pub(super) fn families(&self) -> Result<Vec<Pair>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            brand: Box<str>,
            maker: Box<str>,
        }
        self.each(|Row { brand, maker }: Row| Ok((brand, maker)))
    }

    pub(super) fn patterns(&self) -> Result<Vec<Pattern>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            kind: PatternKind,
            pattern: Box<str>,
            vendor: Box<str>,
            model: Box<str>,
            #[serde(rename = "type")]
            device_type: Box<str>,
            os: Box<str>,
            certainty: Box<str>,
        }
        self.each(|row: Row| {
            let Row { kind, pattern, vendor, model, device_type, os, certainty } = row;
            let certainty = Certainty::of_name(&certainty).ok_or_else(|| {
                format!("unknown certainty '{certainty}': use declared, likely or vendor-only")
            })?;
            let import = self.import.clone();
            Ok(Pattern { kind, text: pattern, vendor, model, device_type, os, certainty, import })
        })
    }

    pub(super) fn makers(&self) -> Result<Vec<(Box<str>, OuiOwner)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            oui_name: Box<str>,
            vendor: Box<str>,
            kind: OuiKind,
        }
        self.each(|Row { oui_name, vendor, kind }: Row| {
            Ok((oui_name, OuiOwner { vendor, kind, import: self.import.clone() }))
        })
    }

    pub(super) fn vendor_names(&self) -> Result<Vec<Pair>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            name: Box<str>,
            vendor: Box<str>,
        }
        self.each(|Row { name, vendor }: Row| Ok((name, vendor)))
    }

    pub(super) fn ouis(&self) -> Result<Vec<Pair>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            prefix: Box<str>,
            organisation: Box<str>,
        }
        self.each(|Row { prefix, organisation }: Row| Ok((prefix.to_ascii_uppercase().into(), organisation)))
    }

    pub(super) fn class_words(&self) -> Result<Vec<Pair>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            words: Box<str>,
            #[serde(rename = "type")]
            device_type: Box<str>,
        }
        self.each(|Row { words, device_type }: Row| Ok((words, device_type)))
    }

    pub(super) fn related(&self) -> Result<Vec<(Field, Pair)>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            field: Box<str>,
            one: Box<str>,
            other: Box<str>,
        }
        self.each(|Row { field, one, other }: Row| {
            let field = Field::of_name(&field)
                .ok_or_else(|| format!("unknown field '{field}': use vendor or type"))?;
            Ok((field, (one, other)))
        })
    }

    pub(super) fn types(&self) -> Result<Vec<DeviceType>, KnowledgeError> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(rename = "type")]
            name: Box<str>,
            meaning: Box<str>,
        }
        self.each(|Row { name, meaning }: Row| Ok(DeviceType { name, meaning }))
    }

    /// What each row gives; the first that gives nothing is the error.
    fn each<R: DeserializeOwned, T>(
        &self,
        read: impl Fn(R) -> Result<T, String>,
    ) -> Result<Vec<T>, KnowledgeError> {
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let mut found = Vec::new();
        for (line, row) in (2..).zip(reader.deserialize()) {
            let reason = match row.map_err(|error: csv::Error| error.to_string()).and_then(&read) {
                Ok(row) => {
                    found.push(row);
                    continue;
                }
                Err(reason) => reason,
            };
            return Err(KnowledgeError { table: self.table.as_str().to_owned(), line, reason });
        }
        Ok(found)
    }
}
