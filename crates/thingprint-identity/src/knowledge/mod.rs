//! What statements mean: tables of domains, services, keys, codes, patterns and vendors, which are data.

mod glob;
mod pattern;
mod row;
mod table_name;
mod vendor_names;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thingprint_flow::{DeviceId, MacAddr};

pub(crate) use pattern::{Pattern, PatternKind, Patterns};
pub use row::DeviceType;
pub(crate) use row::{Domain, OuiOwner, OuiVendor, Pair, Service, TxtKey, TxtMeaning, TypeCode};
pub use table_name::TableName;

use crate::{Field, KnowledgeError, Statements, sources};
use row::{OuiKind, Rows};
use vendor_names::{VendorNames, is_same_vendor};

/// The tables by which statements are read.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    domains: BTreeMap<Box<str>, Domain>,
    services: BTreeMap<Box<str>, Service>,
    txt_keys: BTreeMap<Pair, TxtKey>,
    type_codes: BTreeMap<Pair, TypeCode>,
    patterns: Patterns,
    vendor_codes: BTreeMap<Pair, Box<str>>,
    /// Who makes the devices of a brand, by normal forms.
    makers_of: BTreeSet<(String, String)>,
    makers: BTreeMap<Box<str>, OuiOwner>,
    vendors: VendorNames,
    types: BTreeMap<Box<str>, DeviceType>,
    class_words: BTreeMap<Box<str>, Box<str>>,
    related: BTreeSet<(Field, Pair)>,
    /// Organisations of imported registries, by the digits of their blocks.
    ouis: BTreeMap<Box<str>, Box<str>>,
    sizes: BTreeMap<(Option<Arc<str>>, TableName), u64>,
}

impl Knowledge {
    /// The tables that come with this crate.
    pub fn builtin() -> Result<Self, KnowledgeError> {
        let mut knowledge = Self::default();
        for table in TableName::ALL {
            knowledge.add(*table, table.builtin(), None)?;
        }
        Ok(knowledge)
    }

    /// Adds the rows of a table in CSV; `import` names whose they are, and is shown with each answer. Rows that are there
    /// already stay.
    pub fn add(&mut self, table: TableName, text: &str, import: Option<&str>) -> Result<(), KnowledgeError> {
        let rows = Rows { table, text, import: import.map(Arc::from) };
        let added = match table {
            TableName::Domains => self.add_domains(&rows),
            TableName::Services => self.add_services(&rows),
            TableName::TxtKeys => self.add_txt_keys(&rows),
            TableName::TypeCodes => self.add_type_codes(&rows),
            TableName::Patterns => self.add_patterns(&rows),
            TableName::OuiVendors => self.add_makers(&rows),
            TableName::VendorNames => self.add_vendor_names(&rows),
            TableName::Types => self.add_types(&rows),
            TableName::Ouis => self.add_ouis(&rows),
            TableName::VendorCodes => self.add_vendor_codes(&rows),
            TableName::Families => self.add_families(&rows),
            TableName::ClassWords => self.add_class_words(&rows),
            TableName::Related => self.add_related(&rows),
        }?;
        *self.sizes.entry((rows.import, table)).or_default() += added;
        Ok(())
    }

    /// The number of rows of each table, those of this crate first, then by the name of the import.
    pub fn sizes(&self) -> impl Iterator<Item = (Option<&str>, TableName, u64)> {
        self.sizes.iter().map(|((import, table), rows)| (import.as_deref(), *table, *rows))
    }

    /// What the address of a device says, by an imported registry where one has its block.
    pub fn address_statements(&self, device: DeviceId) -> Statements {
        let mut statements = Statements::default();
        let imported = match device {
            DeviceId::Mac(mac) if !mac.is_locally_administered() => self.imported_organisation(mac),
            _ => None,
        };
        if let Some(statement) = sources::address_statement(device, imported) {
            statements.add(statement, true);
        }
        statements
    }

    fn imported_organisation(&self, mac: MacAddr) -> Option<&str> {
        let digits = mac.to_string().replace(':', "").to_ascii_uppercase();
        let block = |length: usize| self.ouis.get(digits.get(..length)?);
        [9, 7, 6].into_iter().find_map(block).map(|name| &**name)
    }

    /// The types of devices, in order.
    pub fn types(&self) -> impl Iterator<Item = &DeviceType> {
        self.types.values()
    }

    /// The row of a name, or of the domain above it that is closest.
    pub(crate) fn domain(&self, name: &str) -> Option<&Domain> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = name.as_str();
        loop {
            if let Some(row) = self.domains.get(rest) {
                return Some(row);
            }
            (_, rest) = rest.split_once('.')?;
        }
    }

    pub(crate) fn service(&self, service: &str) -> Option<&Service> {
        self.services.get(service)
    }

    /// What a key of a TXT record means: in this service, else in any.
    pub(crate) fn txt_key(&self, service: &str, key: &str) -> Option<&TxtKey> {
        let of = |service: &str| self.txt_keys.get(&(service.into(), key.into()));
        of(service).or_else(|| of("*"))
    }

    pub(crate) fn type_code(&self, scheme: &str, code: &str) -> Option<&TypeCode> {
        self.type_codes.get(&(scheme.into(), code.into()))
    }

    pub(crate) fn vendor_code(&self, scheme: &str, code: &str) -> Option<&str> {
        self.vendor_codes.get(&(scheme.into(), code.into())).map(|vendor| &**vendor)
    }

    /// Whether devices of a brand are made by this maker.
    pub(crate) fn is_brand_of(&self, brand: &str, maker: &str) -> bool {
        let pair = (vendor_names::normal_form(brand), vendor_names::normal_form(maker));
        self.makers_of.contains(&pair)
    }

    /// Whether two names are of one vendor, or of a brand and its maker.
    pub(crate) fn is_one_vendor(&self, one: &str, other: &str) -> bool {
        is_same_vendor(one, other) || self.is_brand_of(one, other) || self.is_brand_of(other, one)
    }

    pub(crate) fn pattern(&self, kind: PatternKind, text: &str) -> Option<Cow<'_, Pattern>> {
        self.patterns.longest(kind, text)
    }

    /// The vendor as the tables spell it; as it is written where they do not know it.
    pub(crate) fn vendor_name(&self, text: &str) -> String {
        self.vendors.name(text).unwrap_or(text).to_owned()
    }

    /// The vendor as the tables spell it, if they know it.
    pub(crate) fn known_vendor(&self, text: &str) -> Option<&str> {
        self.vendors.name(text)
    }

    /// The type that words in the name of a class say.
    pub(crate) fn type_of_words(&self, words: &str) -> Option<&str> {
        self.class_words.get(words).map(|name| &**name)
    }

    /// Whether a device may have both values of a field.
    pub(crate) fn are_related(&self, field: Field, one: &str, other: &str) -> bool {
        let has = |one: &str, other: &str| self.related.contains(&(field, (one.into(), other.into())));
        has(one, other) || has(other, one)
    }

    /// Whether an organisation that registered addresses sells devices under a name of its own.
    pub(crate) fn oui_vendor(&self, organisation: &str) -> OuiVendor<'_> {
        match self.makers.get(&*vendor_names::normal_form(organisation)) {
            Some(row) if row.kind == OuiKind::Brand => OuiVendor::Brand(row),
            Some(_) => OuiVendor::Maker,
            None => self.vendors.leading(organisation).map_or(OuiVendor::Unlisted, OuiVendor::Known),
        }
    }

    fn add_domains(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.domains()?;
        let added = found.len() as u64;
        for row in found {
            self.vendors.add_vendor(&row.vendor);
            self.domains.entry(row.name.clone()).or_insert(row);
        }
        Ok(added)
    }

    fn add_services(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.services()?;
        let added = found.len() as u64;
        for (service, row) in found {
            self.vendors.add_vendor(&row.vendor);
            self.services.entry(service).or_insert(row);
        }
        Ok(added)
    }

    fn add_txt_keys(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.txt_keys()?;
        let added = found.len() as u64;
        for (key, row) in found {
            self.txt_keys.entry(key).or_insert(row);
        }
        Ok(added)
    }

    fn add_type_codes(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.type_codes()?;
        let added = found.len() as u64;
        for (key, row) in found {
            self.type_codes.entry(key).or_insert(row);
        }
        Ok(added)
    }

    fn add_patterns(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.patterns()?;
        let added = found.len() as u64;
        for pattern in found {
            self.vendors.add_vendor(&pattern.vendor);
            self.patterns.add(pattern);
        }
        Ok(added)
    }

    fn add_makers(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.makers()?;
        let added = found.len() as u64;
        for (organisation, row) in found {
            self.vendors.add_vendor(&row.vendor);
            if row.kind == OuiKind::Brand {
                self.vendors.add_name(&organisation, &row.vendor);
            }
            self.makers.entry(vendor_names::normal_form(&organisation).into()).or_insert(row);
        }
        Ok(added)
    }

    fn add_vendor_names(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.vendor_names()?;
        let added = found.len() as u64;
        for (name, vendor) in found {
            self.vendors.add_vendor(&vendor);
            self.vendors.add_name(&name, &vendor);
        }
        Ok(added)
    }

    fn add_types(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.types()?;
        let added = found.len() as u64;
        for row in found {
            self.types.entry(row.name.clone()).or_insert(row);
        }
        Ok(added)
    }

    fn add_class_words(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.class_words()?;
        let added = found.len() as u64;
        self.class_words.extend(found);
        Ok(added)
    }

    fn add_related(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.related()?;
        let added = found.len() as u64;
        self.related.extend(found);
        Ok(added)
    }

    fn add_vendor_codes(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.vendor_codes()?;
        let added = found.len() as u64;
        self.vendor_codes.extend(found);
        Ok(added)
    }

    fn add_families(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.families()?;
        let added = found.len() as u64;
        for (brand, maker) in found {
            self.vendors.add_vendor(&brand);
            self.vendors.add_vendor(&maker);
            self.makers_of.insert((vendor_names::normal_form(&brand), vendor_names::normal_form(&maker)));
        }
        Ok(added)
    }

    fn add_ouis(&mut self, rows: &Rows<'_>) -> Result<u64, KnowledgeError> {
        let found = rows.ouis()?;
        let added = found.len() as u64;
        self.ouis.extend(found);
        Ok(added)
    }
}
