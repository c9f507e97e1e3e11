//! Rules of best practice for what devices say: an [`Auditor`] judges their flows by a [`Policy`], and gives an
//! [`Audit`] of findings.
//!
//! A [`Rule`] is one file that knows what to look at; which values are good, how severe the others are and where that is
//! written is data, in the policy. So a policy of one's own needs no code; a new rule is one file, its two lines
//! in the registry, and what each policy says of it. Findings are counted for each device, rule and value, with the first flow that shows it.
//!
//! ```
//! use std::collections::BTreeMap;
//! use thingprint_audit::{Auditor, Policy, Severity};
//! use thingprint_flow::{Flow, FlowOptions, Tracker};
//! use thingprint_protocol::{Engine, Heard, Detector};
//!
//! let engine = Engine::default();
//! let policy = Policy::built_in("bcp2026").expect("it comes with the crate");
//! let mut auditor = Auditor::new(policy);
//! let detector = Detector::collecting(&engine, |flow: Flow<Heard>| auditor.flow(&engine, &flow));
//! let tracker = Tracker::new(FlowOptions::default(), detector);
//! // ... push the packets of a trace ...
//! let devices = tracker.finish().devices;
//! let audit = auditor.finish(&devices, &BTreeMap::new());
//! assert!(!audit.has_at_or_over(Severity::Note));
//! ```
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod audit;
mod auditor;
mod coverage;
mod error;
mod finding_counts;
mod known_findings;
mod past;
mod policy;
pub mod report;
mod rule;
mod rules;
pub mod sarif;
mod set_aside;
mod severity;
mod sorted_map;
mod suite;
mod suppression;
mod text;

pub use audit::{Audit, DeviceAudit, Example, Finding, PortCounts, SeenSuite};
pub use auditor::{AuditLimits, Auditor};
pub use coverage::{Coverage, CoverageByProtocol, Judgement};
pub use error::PolicyError;
pub use finding_counts::{FindingCounts, FindingNumbers};
pub use known_findings::KnownFindings;
pub use policy::Policy;
pub use rule::Rule;
pub use set_aside::{SetAside, Suppressed};
pub use severity::{ParseSeverityError, Severity};
pub use sorted_map::SortedMap;
pub use suite::{Flaw, Grade, Recommended, Suite};
pub use suppression::Suppression;
