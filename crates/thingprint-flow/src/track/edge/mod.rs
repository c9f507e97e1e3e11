//! The ends of a part of a trace: what is kept of flows that another part may have more of, and how they are joined.
//!
//! Parts are read apart, so a part cannot know the flows that were open when it began. It keeps the packets of the
//! flows near its start as [`FlowHead`]s, summed up where nothing that came before can change what the flow table
//! makes of them, and the flows near its end as [`FlowRecord`]s. [`FlowJoiner`] puts heads through the rules of the
//! flow table again, behind the records of the part before.

mod head;
mod joiner;
mod record;
mod run;

pub use head::{FlowHead, HeadLog, PartStart, Taken};
pub use joiner::{FlowJoiner, JoinedFlows};
pub use record::{CarriedFlow, FlowEdges, FlowRecord};
pub use run::FlowRun;
